"""Durable clients: what an HTTP function can ask of the hub, by the real client of the SDK."""

import json
from collections.abc import Generator
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.orchestration_trigger(context_name="context")
def waits(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    given = context.get_input()
    answer = yield context.wait_for_external_event("answer")
    if answer == '"again"':
        context.continue_as_new(given)
        return None
    return [given, answer]


@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def on_event(event: func.EventGridEvent, client: df.DurableOrchestrationClient) -> None:
    await client.start_new("waits", event.id, {"subject": event.subject})


@app.route(route="hub/{verb}/{instance}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def hub(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    verb, instance = req.route_params["verb"], req.route_params["instance"]
    given = json.loads(req.get_body() or b"null")
    try:
        answer = await VERBS[verb](client, instance, given)
    except Exception as error:  # noqa: BLE001 - The client raises bare Exceptions.
        return func.HttpResponse(f"{type(error).__name__}: {error}", status_code=409)
    if isinstance(answer, func.HttpResponse):
        return answer
    return func.HttpResponse(json.dumps(answer), mimetype="application/json")


async def _status(client: df.DurableOrchestrationClient, instance: str, given: Any) -> Any:
    status = await client.get_status(instance, show_history=True, show_history_output=True)
    return {
        "found": bool(status),
        "status": status.runtime_status.value if status else None,
        "output": status.output,
        "history": [e["EventType"] for e in getattr(status, "historyEvents", None) or []],
    }


async def _list(client: df.DurableOrchestrationClient, instance: str, given: Any) -> Any:
    return [s.instance_id for s in await client.get_status_all()]


async def _purge(client: df.DurableOrchestrationClient, instance: str, given: Any) -> Any:
    return (await client.purge_instance_history(instance)).instances_deleted


def _span(given: Any) -> dict[str, Any]:
    return {
        "created_time_from": datetime.fromisoformat(given["from"]) if "from" in given else None,
        "created_time_to": datetime.fromisoformat(given["to"]) if "to" in given else None,
        "runtime_status": [df.OrchestrationRuntimeStatus(one) for one in given["states"]],
    }


async def _list_by(client: df.DurableOrchestrationClient, instance: str, given: Any) -> Any:
    return [s.instance_id for s in await client.get_status_by(**_span(given))]


async def _purge_by(client: df.DurableOrchestrationClient, instance: str, given: Any) -> Any:
    return (await client.purge_instance_history_by(**_span(given))).instances_deleted


async def _links(client: df.DurableOrchestrationClient, instance: str, given: Any) -> Any:
    request = func.HttpRequest("POST", "https://example.com/api/x", body=b"")
    return client.create_check_status_response(request, instance)


VERBS: dict[str, Any] = {
    "start": lambda c, i, given: c.start_new("waits", i, given),
    "start-unknown": lambda c, i, given: c.start_new("nobody", i, given),
    "raise": lambda c, i, given: c.raise_event(i, "answer", given),
    "terminate": lambda c, i, given: c.terminate(i, given),
    "suspend": lambda c, i, given: c.suspend(i, given),
    "resume": lambda c, i, given: c.resume(i, given),
    "rewind": lambda c, i, given: c.rewind(i, given),
    "restart": lambda c, i, given: c.restart(i, restart_with_new_instance_id=False),
    "status": _status,
    "list": _list,
    "purge": _purge,
    "list-by": _list_by,
    "purge-by": _purge_by,
    "links": _links,
}
