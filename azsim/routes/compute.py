"""Microsoft.Compute/virtualMachines: read, write, start and stop."""

from datetime import timedelta
from typing import Any

from azsim.arm_ids import resource_id
from azsim.disks import Disk
from azsim.groups import resource_not_found
from azsim.guests import guest_of
from azsim.http import ArmError, Response
from azsim.machine_shapes import instance_view, resource
from azsim.machines import KIND, Machine
from azsim.router import Call, Handler, Route
from azsim.routes import machine_body
from azsim.routes.boot_blobs import boot_blob_urls
from azsim.routes.compute_async import accepted
from azsim.routes.paging import page
from azsim.size_refusals import Wanted, check_size

# models vm-list-pages
PAGE = 50  # Guess: how many machines a page of a list holds.
_VM = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
_VMS = f"{_VM}/virtualMachines"
_ONE = f"{_VMS}/{{machine}}"


def found(call: Call) -> Machine:
    """Return the machine that the path names; raises ARM's recorded 404."""
    if (machine := call.world.machines.find(_id(call))) is None:
        raise resource_not_found(KIND, call["machine"], call["group"])
    return machine


def _id(call: Call) -> str:
    return resource_id(call["subscription"], call["group"], KIND, call["machine"])


def _get(call: Call) -> Response:
    expanded = call.request.query.get("$expand", "").lower()
    if expanded not in ("", "instanceview", "userdata"):
        raise ArmError(
            400, "InvalidParameter", f"The value of parameter $expand '{expanded}' is invalid."
        )
    machine = found(call)
    return Response(200, resource(machine, with_instance_view=expanded == "instanceview"))


def _instance_view(call: Call) -> Response:
    return Response(200, instance_view(found(call)))


def _list(call: Call) -> Response:
    query = call.request.query
    with_view = (
        query.get("statusonly") == "true" or query.get("$expand", "").lower() == "instanceview"
    )
    if "$filter" in query:
        raise ArmError(501, "FilterNotSimulated", "azsim does not filter lists of machines")
    rows = call.world.machines.in_subscription(call["subscription"])
    if group := call.params.get("group", "").lower():
        rows = [machine for machine in rows if machine.group.lower() == group]
    rows.sort(key=lambda machine: machine.id.lower())
    return page(call, rows, PAGE, lambda machine: resource(machine, with_instance_view=with_view))


# models vm-put
def _put(call: Call) -> Response:
    """Create (201) or update (200); both go on after the answer, which bears one async header."""
    machine = call.world.machines.find(_id(call))
    _conditions(call, machine)
    written = machine_body.read(call)
    return _create(call, written) if machine is None else _update(call, machine, written)


def _create(call: Call, written: machine_body.Written) -> Response:
    world = call.world
    if not written.location:
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    if not written.size:
        raise ArmError(
            400, "InvalidParameter", "Required parameter 'hardwareProfile' is missing (null)."
        )
    world.policies.check(_id(call))
    machine_body.check_subnets(call, written)
    vm_id = world.new_id()
    os_disk = machine_body.os_disk(call, written, vm_id)
    data_disks = machine_body.data_disks(call, written, vm_id, [])
    attached = os_disk.create_option == "Attach"
    guest = attached and os_disk.guest
    guest = guest or guest_of(os_disk.os_type, written.kept.get("imageReference"))
    generation = os_disk.hyper_v if attached else guest.generation
    _check_size(call, written, os_disk, data_disks, generation=generation)
    machine_body.make_interfaces(call, written)
    operations, now = world.machines.operations, world.clock.now()
    done_at = now + operations.span("create attached" if attached else f"create {os_disk.os_type}")
    # models attach-proves-nothing
    agent = operations.span("agent") + (guest.conduct.boot_takes if attached else timedelta())
    machine = Machine(
        world=world,
        id=resource_id(
            call["subscription"].lower(),
            world.groups.get(call["subscription"], call["group"]).name,
            KIND,
            call["machine"],
        ),
        vm_id=vm_id,
        location=written.location.replace(" ", "").lower(),
        tags=written.tags or {},
        size=written.size,
        os_type=os_disk.os_type,
        security_type=written.security_type or "",
        created=now,
        os_disk=os_disk,
        disks=data_disks,
        agent_after=guest.agent_after(agent),
        guest=guest,
        zones=written.zones or (),
        identity=written.identity,
        model=written.kept,
    )
    late = world.faults.late_failure(call.route.name, machine.id)
    machine.begin("Creating", done_at, failed=late is not None)
    world.machines.add(machine)
    return accepted(
        call, machine.location, done_at, status=201, body=resource(machine), late_failure=late
    )


def _update(call: Call, machine: Machine, written: machine_body.Written) -> Response:
    _same_place(call, machine, written)
    if written.tags is None and call.request.method == "PUT":
        machine.tags = {}
    return _apply(call, machine, written)


def _apply(call: Call, machine: Machine, written: machine_body.Written) -> Response:
    machines = call.world.machines
    data_disks = machine_body.data_disks(call, written, machine.vm_id, machine.disks)
    _check_size(call, written, machine.os_disk, data_disks, machine=machine)
    call.world.vaults.settle(machine.id)
    if written.tags is not None:
        machine.tags = written.tags
    machine.size = written.size or machine.size
    machine.security_type = written.security_type or machine.security_type
    machine.identity = written.identity or machine.identity
    machine.model = _merged(machine.model, written.kept)
    machines.attach(machine, data_disks)
    late = call.world.faults.late_failure(call.route.name, machine.id)
    takes = machines.operations.span("update")
    machines.update(machine, takes=takes, failed=late is not None)
    ends = call.world.clock.now() + takes
    return accepted(
        call, machine.location, ends, status=200, body=resource(machine), late_failure=late
    )


def _check_size(
    call: Call,
    written: machine_body.Written,
    os_disk: Disk,
    data_disks: list[Disk],
    *,
    generation: str = "",
    machine: Machine | None = None,
) -> None:
    """Refuse a size that cannot run the machine, is not to be had, or is beyond a quota."""
    given = written.kept.get("additionalCapabilities") or (
        machine.model.get("additionalCapabilities", {}) if machine else {}
    )
    check_size(
        call.world,
        Wanted(
            vm_id=_id(call),
            location=(written.location or (machine.location if machine else ""))
            .replace(" ", "")
            .lower(),
            size=written.size or (machine.size if machine else ""),
            os_disk=os_disk,
            disks=tuple(data_disks),
            zones=written.zones or (),
            security_type=written.security_type or "",
            generation=generation,
            controller=str((written.storage or {}).get("diskControllerType") or ""),
            ultra=bool(given.get("ultraSSDEnabled")),
            replaces=machine,
        ),
    )


# models vm-put-keeps-silence
def _merged(held: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Keep what the body is silent about: a storageUri outlives a PUT that lacks it (recorded)."""
    merged = held | given
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(held.get(key), dict):
            merged[key] = _merged(held[key], value)
    return merged


def _patch(call: Call) -> Response:
    machine = found(call)
    _conditions(call, machine)
    written = machine_body.read(call)
    return _apply(call, machine, written)


# models vm-delete-absent
def _delete(call: Call) -> Response:
    """Delete in time; 204 where there is no such machine (specs: VirtualMachines_Delete)."""
    machine = call.world.machines.find(_id(call))
    if machine is None:
        return Response(204)
    if machine.provisioning == "Deleting":
        return accepted(call, machine.location, machine.settled_at)
    late = call.world.faults.late_failure(call.route.name, machine.id)
    takes = call.world.machines.operations.span("delete")
    if late is None:
        call.world.machines.delete(machine.id, takes=takes)
    return accepted(call, machine.location, call.world.clock.now() + takes, late_failure=late)


# models vm-actions, vm-action-while-deleting
def _power(verb: str) -> Handler:
    def handler(call: Call) -> Response:
        machines = call.world.machines
        machine = found(call)
        if machine.provisioning == "Deleting":
            raise ArmError(
                409,
                "OperationNotAllowed",
                f"Operation '{verb}' is not allowed on VM '{machine.name}' since the VM is marked "
                "for deletion. You can only retry the Delete operation (or wait for an ongoing one "
                "to complete).",
            )
        takes = machines.operations.span(verb)
        acts = {
            "start": machines.start,
            "deallocate": machines.deallocate,
            "powerOff": machines.power_off,
            "restart": machines.start,
        }
        late = call.world.faults.late_failure(call.route.name, machine.id)
        if late is None:
            acts[verb](machine.id, takes=takes)
        ends = call.world.clock.now() + takes
        return accepted(call, machine.location, ends, late_failure=late)

    return handler


# models boot-diagnostics-links, boot-diagnostics-off
def _boot_diagnostics(call: Call) -> Response:
    """Return two SAS links (recorded)."""
    machine = found(call)
    if not machine.model.get("diagnosticsProfile", {}).get("bootDiagnostics", {}).get("enabled"):
        raise ArmError(
            409,
            "OperationNotAllowed",
            "The retrieve boot diagnostics operation requires boot diagnostics to be enabled.",
        )
    minutes = int(call.request.query.get("sasuriexpirationtimeinminutes", "120"))
    ends = call.world.clock.now() + timedelta(minutes=minutes)
    screenshot, log = boot_blob_urls(machine, ends)
    return Response(200, {"consoleScreenshotBlobUri": screenshot, "serialConsoleLogBlobUri": log})


# models vm-preconditions
def _conditions(call: Call, machine: Machine | None) -> None:
    """Refuse where If-Match or If-None-Match does not hold (specs: CreateOrUpdate)."""
    wanted, unwanted = call.request.header("if-match"), call.request.header("if-none-match")
    etag = None if machine is None else f'"{machine.etag}"'
    met = (wanted is None or (etag is not None and wanted in ("*", etag))) and (
        unwanted is None or etag is None or unwanted not in ("*", etag)
    )
    if not met:
        raise ArmError(
            412, "PreconditionFailed", "The condition set in the request headers is not met."
        )


def _same_place(call: Call, machine: Machine, written: machine_body.Written) -> None:
    asked = (written.location or "").replace(" ", "").lower()
    if asked != machine.location.lower():
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{machine.name}' already exists in location '{machine.location}' in "
            f"resource group '{machine.group}'. A resource with the same name cannot be created in "
            f"location '{asked}'. Please select a new resource name.",
        )


def _route(name: str, method: str, path: str, handler: Handler, action: str) -> Route:
    return Route(f"machines.{name}", method, path, handler, action=f"{KIND}/{action}")


ROUTES: tuple[Route, ...] = (
    _route("get", "GET", _ONE, _get, "read"),
    _route("put", "PUT", _ONE, _put, "write"),
    _route("patch", "PATCH", _ONE, _patch, "write"),
    _route("delete", "DELETE", _ONE, _delete, "delete"),
    _route("instance_view", "GET", f"{_ONE}/instanceView", _instance_view, "instanceView/read"),
    _route("list", "GET", _VMS, _list, "read"),
    _route(
        "list_all",
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines",
        _list,
        "read",
    ),
    *(
        _route(verb, "POST", f"{_ONE}/{verb}", _power(verb), f"{verb}/action")
        for verb in ("start", "deallocate", "powerOff", "restart")
    ),
    _route(
        "boot_diagnostics",
        "POST",
        f"{_ONE}/retrieveBootDiagnosticsData",
        _boot_diagnostics,
        "retrieveBootDiagnosticsData/action",
    ),
)
