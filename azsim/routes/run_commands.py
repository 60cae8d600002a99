"""Microsoft.Compute/virtualMachines/runCommands: scripts run by the machine's agent (recorded)."""

from typing import Any

from azsim.groups import resource_not_found
from azsim.http import ArmError, Json, Response, json_object
from azsim.machine import Machine
from azsim.router import Call, Handler, Route
from azsim.routes.compute import found
from azsim.routes.compute_async import accepted
from azsim.run_commands import RunCommand

_KIND = "Microsoft.Compute/virtualMachines/runCommands"
_SHOWN = (
    "source",
    "parameters",
    "protectedParameters",
    "runAsUser",
    "outputBlobUri",
    "errorBlobUri",
    "treatFailureAsDeploymentFailure",
)
_SECRETS = {"runAsPassword", "protectedParameters"}
_READ_ONLY = {"provisioningState", "instanceView"}
_LIST = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
    "/virtualMachines/{machine}/runCommands"
)


def _command(call: Call, machine: Machine) -> RunCommand:
    commands = call.world.machines.run_commands.of(machine)
    if (command := commands.get(call["command"].lower())) is None:
        raise resource_not_found(_KIND, f"{machine.name}/{call['command']}", call["group"])
    return command


def _get(call: Call) -> Response:
    machine = found(call)
    expanded = call.request.query.get("$expand", "").lower() == "instanceview"
    return Response(200, _shape(call, machine, _command(call, machine), expanded))


def _list(call: Call) -> Response:
    machine = found(call)
    commands = call.world.machines.run_commands.of(machine).values()
    return Response(200, {"value": [_shape(call, machine, c, False) for c in commands]})


def _put(call: Call) -> Response:
    machine = found(call)
    body = json_object(call.request.json)
    known = call["command"].lower() in call.world.machines.run_commands.of(machine)
    return _run(
        call, machine, json_object(body.get("properties")), body.get("tags"), 200 if known else 201
    )


def _patch(call: Call) -> Response:
    machine = found(call)
    body, old = json_object(call.request.json), _command(call, machine)
    properties = old.properties | json_object(body.get("properties"))
    return _run(call, machine, properties, body.get("tags", old.tags), 200)


def _run(
    call: Call, machine: Machine, properties: dict[str, Any], tags: Any, status: int
) -> Response:
    allowed = {*_SHOWN, *_SECRETS, *_READ_ONLY, "timeoutInSeconds", "asyncExecution"}
    if unknown := set(properties) - allowed:
        raise ArmError(501, "FieldNotSimulated", f"azsim does not know {sorted(unknown)}")
    # models run-command-needs-running
    if machine.power != "running":
        raise ArmError(
            409,
            "OperationNotAllowed",
            "Cannot modify extensions in the VM when the VM is not running.",
        )
    machines = call.world.machines
    takes = machines.operations.span("run command")
    command = machines.run_commands.run(machine, call["command"], properties, tags, takes)
    body = _shape(call, machine, command, False)
    return accepted(call, machine.location, command.ends, status=status, body=body)


def _delete(call: Call) -> Response:
    machine = found(call)
    machines = call.world.machines
    if machines.run_commands.of(machine).pop(call["command"].lower(), None) is None:
        return Response(204)
    ends = call.world.clock.now() + machines.operations.span("run command")
    return accepted(call, machine.location, ends)


def _shape(call: Call, machine: Machine, command: RunCommand, expanded: bool) -> Json:
    given, now = command.properties, call.world.clock.now()
    properties: dict[str, Any] = {
        key: given[key] for key in _SHOWN if key in given and key not in _SECRETS
    }
    properties |= {
        "timeoutInSeconds": given.get("timeoutInSeconds", 0),
        "provisioningState": command.doing if now < command.ends else "Succeeded",
        "asyncExecution": given.get("asyncExecution", False),
    }
    if expanded:
        properties["instanceView"] = _instance_view(command, running=now < command.ends)
    shaped = {
        "name": command.name,
        "id": f"{machine.id}/runCommands/{command.name}",
        "type": _KIND,
        "location": machine.location,
        "properties": properties,
    }
    return shaped if command.tags is None else shaped | {"tags": dict(command.tags)}


# models run-command-result
def _instance_view(command: RunCommand, *, running: bool) -> Json:
    """Tell what came of the script; a failed one still leaves the resource Succeeded (recorded)."""
    started = f"{command.starts:%Y-%m-%dT%H:%M:%S}+00:00"
    if running:
        return {"executionState": "Running", "startTime": started}
    code = command.ran.exit_code
    return {
        "exitCode": code,
        "executionState": "Failed" if code else "Succeeded",
        "executionMessage": (
            "Execution failed: failed to execute command: command terminated with exit "
            f"status={code}"
            if code
            else "Execution completed"
        ),
        "output": command.ran.output,
        "error": command.ran.error,
        "startTime": started,
        "endTime": f"{command.ends:%Y-%m-%dT%H:%M:%S}+00:00",
    }


def _route(name: str, method: str, path: str, handler: Handler, verb: str) -> Route:
    return Route(f"run_commands.{name}", method, path, handler, action=f"{_KIND}/{verb}")


ROUTES: tuple[Route, ...] = (
    _route("list", "GET", _LIST, _list, "read"),
    _route("get", "GET", f"{_LIST}/{{command}}", _get, "read"),
    _route("put", "PUT", f"{_LIST}/{{command}}", _put, "write"),
    _route("patch", "PATCH", f"{_LIST}/{{command}}", _patch, "write"),
    _route("delete", "DELETE", f"{_LIST}/{{command}}", _delete, "delete"),
)
