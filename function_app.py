"""
The triggers: decode, call, encode. What is decided, is decided in vmbackup_core.

Importing this module opens nothing, and reads nothing but whether callers need a key, which the
host asks for when it lists functions. The app behind it is built at the first call
(vmbackup_core.bootstrap).
"""

import asyncio
import json
from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from vmbackup_core import bootstrap
from vmbackup_core.domain.intents import EnsureProtected

Level = func.AuthLevel
app = df.DFApp(http_auth_level=Level.FUNCTION if bootstrap.takes_keys() else Level.ANONYMOUS)

TURNS_PER_GENERATION = 20  # Then the history begins anew: replays cost in its square.

_State = df.OrchestrationRuntimeStatus
OPEN = [_State.Pending, _State.Running, _State.ContinuedAsNew, _State.Suspended]
ENDED = [_State.Completed, _State.Failed, _State.Terminated, _State.Canceled]
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # Before any workflow.


@app.function_name("vm_events")
@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def vm_events(event: func.EventGridEvent, client: df.DurableOrchestrationClient) -> None:
    """Take one event of a subscription's topic: a hint to look at one VM."""
    intent = await asyncio.to_thread(_receive, event)
    await _start(client, [intent] if intent else [])


@app.function_name("sweep")
@app.timer_trigger(arg_name="timer", schedule="%VMBACKUP_SWEEP_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def sweep(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Compare all VMs with all protected items, and start a workflow for whatever differs."""
    swept = await asyncio.to_thread(lambda: bootstrap.current_app().sweep.run())
    await _start(client, swept.intents)


@app.function_name("drill_night")
@app.timer_trigger(arg_name="timer", schedule="%VMBACKUP_DRILL_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def drill_night(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Start the night's restore tests, where a drill plan is configured."""
    key = await asyncio.to_thread(_night)
    if key:
        await _start_one(client, "night", key, None)


@app.function_name("janitor")
@app.timer_trigger(arg_name="timer", schedule="%VMBACKUP_JANITOR_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def janitor(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Clean up after restore tests, where there ever was one; one janitor at a time."""
    given = await asyncio.to_thread(_cleaning)
    if given:
        await _start_one(client, "workflow", "janitor", given)


@app.function_name("watch")
@app.timer_trigger(arg_name="timer", schedule="%VMBACKUP_WATCH_SCHEDULE%")
async def watch(timer: func.TimerRequest) -> None:
    """Look for failed and missing backups, and tell of them, where mails are configured."""
    await asyncio.to_thread(_watch)


@app.function_name("digest")
@app.timer_trigger(arg_name="timer", schedule="%VMBACKUP_DIGEST_SCHEDULE%")
async def digest(timer: func.TimerRequest) -> None:
    """Send the digests that are due, where mails are configured."""
    await asyncio.to_thread(_digest)


@app.function_name("housekeeping")
@app.timer_trigger(arg_name="timer", schedule="%VMBACKUP_HOUSEKEEPING_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def housekeeping(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Tell of workflows that should have ended, and forget those that ended long ago."""
    if timer.past_due:
        return  # The app was away: nothing has had the time to go on, so all would look stuck.
    upkeep = (await asyncio.to_thread(bootstrap.current_app)).upkeep
    found = [
        *await client.get_status_by(created_time_to=upkeep.old_before(), runtime_status=OPEN),
        *await client.get_status_by(runtime_status=OPEN),
        *await client.get_status_by(
            created_time_from=upkeep.failed_after(), runtime_status=[_State.Failed]
        ),
    ]
    await asyncio.to_thread(upkeep.report, [_listed(one) for one in found])
    gone = await client.purge_instance_history_by(BEGINNING, upkeep.forget_before(), ENDED)
    await asyncio.to_thread(upkeep.forgotten, gone.instances_deleted)


@app.function_name("delivery_reports")
@app.event_grid_trigger(arg_name="event")
async def delivery_reports(event: func.EventGridEvent) -> None:
    """Take one report of the mail service: what became of a mail for one mailbox."""
    await asyncio.to_thread(_report, event)


@app.function_name("drill_run")
@app.route(route="drills", methods=["POST"], trigger_arg_name="request")
@app.durable_client_input(client_name="client")
async def drill_run(
    request: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Start a restore test that a person asks for: `{vm, point?, rung?, keep?}`."""
    status, answer, given = await asyncio.to_thread(_ask, request.get_body())
    if given is None:
        return _json(status, answer)
    await _start_one(client, "workflow", answer["run"], given)
    url = f"{request.url.partition('?')[0].rstrip('/')}/{answer['run']}"
    return _json(status, {**answer, "status": url}, {"Location": url})


@app.function_name("drill_status")
@app.route(route="drills/{run}", methods=["GET"], trigger_arg_name="request")
@app.durable_client_input(client_name="client")
async def drill_status(
    request: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Tell how one restore test stands: by the ledger, the evidence, and the engine."""
    run = request.route_params["run"]
    tests = (await asyncio.to_thread(bootstrap.current_app)).restore_tests
    found = await asyncio.to_thread(lambda: tests().status(run))
    engine = await client.get_status(run) if run.startswith("drill-") else None
    now = engine.custom_status if engine is not None else None
    if found is None and not now:
        return _json(404, {"faults": [f"no restore test {run} is known"]})
    return _json(200, {"run": run, "state": "queued", **(found or {}), "now": now})


@app.orchestration_trigger(context_name="context")
def workflow(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Take turns until one says that it was the last. Decides nothing."""
    given = context.get_input()
    for _ in range(TURNS_PER_GENERATION):
        given = yield context.call_activity("turn", given)
        told = {"reason": given["reason"], "because": given["because"], "until": given["until"]}
        context.set_custom_status({**told, "kind": given["kind"], "began": given.get("began")})
        if given["until"] is None:
            return {"reason": given["reason"], "because": given["because"]}
        yield context.create_timer(datetime.fromisoformat(given["until"]))
    context.continue_as_new(given)
    return None


@app.orchestration_trigger(context_name="context")
def night(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Let all lanes of a night run side by side."""
    plan = yield context.call_activity("plan_night", None)
    while plan["until"] is not None:
        yield context.create_timer(datetime.fromisoformat(plan["until"]))
        plan = yield context.call_activity("plan_night", None)
    lanes = [
        context.call_sub_orchestrator("lane", given, f"{context.instance_id}-{number}")
        for number, given in enumerate(plan["lanes"])
    ]
    return (yield context.task_all(lanes)) if lanes else []


@app.orchestration_trigger(context_name="context")
def lane(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Run restore tests one after the other; return those that broke, which the janitor ends."""
    given, broken = context.get_input(), []
    yield context.create_timer(datetime.fromisoformat(given["starts"]))
    for test in given["tests"]:
        yield context.create_timer(datetime.fromisoformat(test["after"]))
        try:
            yield context.call_sub_orchestrator("workflow", test["given"], test["run"])
        except Exception:  # noqa: BLE001 - One that breaks must not hold back those behind it.
            broken.append(test["run"])
    return broken


@app.activity_trigger(input_name="given")
def turn(given: dict) -> dict:  # The worker library refuses a parametrised annotation here.
    """Take one turn of a workflow."""
    return bootstrap.current_app().workflows.turn(given)


@app.activity_trigger(input_name="given")
def plan_night(given: str) -> dict:
    """Return tonight's restore tests, by lanes."""
    return bootstrap.current_app().workflows.plan_night()


def _listed(one: Any) -> dict[str, Any]:
    """Return a workflow as the engine lists it."""
    return {
        "key": one.instance_id,
        "name": one.name,
        "state": one.runtime_status.value,
        "created": one.created_time,
        "heard": one.last_updated_time,
        "status": one.custom_status,
    }


def _receive(event: func.EventGridEvent | func.CloudEvent) -> EnsureProtected | None:
    kind, data, raw = _opened(event)
    return bootstrap.current_app().intake.receive(kind, event.subject or "", data, raw)


def _opened(event: func.EventGridEvent | func.CloudEvent) -> tuple[str, Any, bytes]:
    """Return an event's type, its data, and all of it as it is kept where it makes no sense."""
    kind = event.type if isinstance(event, func.CloudEvent) else event.event_type
    data, subject = event.get_json(), event.subject or ""
    raw = json.dumps({"id": event.id, "type": kind, "subject": subject, "data": data}).encode()
    return kind or "", data, raw


def _watch() -> None:
    current = bootstrap.current_app()
    mails = current.mails()
    if mails is None:
        current.journal.note("event", "watch", "no [mail] is configured: nobody is told")
        return
    mails.look()


def _digest() -> None:
    mails = bootstrap.current_app().mails()
    if mails is not None:
        mails.digest()


def _report(event: func.EventGridEvent | func.CloudEvent) -> None:
    current = bootstrap.current_app()
    kind, data, raw = _opened(event)
    mails = current.mails()
    if mails is None:
        current.intake.keep(raw, "a delivery report, and no [mail] is configured")
        return
    mails.delivery.receive(kind, data, raw)


def _night() -> str | None:
    """Return the key of the night that begins now, None where nothing is to be tested."""
    current = bootstrap.current_app()
    if current.settings.drills is None:
        current.journal.note("event", "night", "no [drills] is configured: nothing is tested")
        return None
    planning = current.restore_tests().planning
    return planning.night.key() if planning else None


def _cleaning() -> dict[str, Any] | None:
    """Return the janitor's input, None where no restore test ever had a slot."""
    current = bootstrap.current_app()
    tests = current.restore_tests()
    if tests.unused():
        tests.heartbeat.beat()  # It is there, also while there is nothing to do.
        return None
    return current.workflows.first_cleaning()


def _ask(raw: bytes) -> tuple[int, dict[str, Any], dict[str, Any] | None]:
    """Return status, answer and, where a restore test is to be started, its input."""
    current = bootstrap.current_app()
    planning = current.restore_tests().planning
    if planning is None:
        return 409, {"faults": ["no [drills] is configured: nothing is tested"]}, None
    faults, order = planning.asking.take(raw)
    if order is None:
        return 400, {"faults": list(faults)}, None
    return 202, {"run": order.run}, current.workflows.first_drill(order)


def _json(
    status: int, answer: dict[str, Any], headers: dict[str, str] | None = None
) -> func.HttpResponse:
    body = json.dumps(answer)
    return func.HttpResponse(body, status_code=status, headers=headers, mimetype="application/json")


async def _start(client: df.DurableOrchestrationClient, intents: Iterable[EnsureProtected]) -> None:
    """Start at most one workflow for each intent: one that runs already has seen the hint."""
    workflows = (await asyncio.to_thread(bootstrap.current_app)).workflows
    failed: list[Exception] = []
    for intent in intents:
        try:
            await _start_one(client, "workflow", intent.key, workflows.first(intent.vm))
        except Exception as error:  # noqa: BLE001 - The SDK raises no narrower one.
            failed.append(error)  # One that does not start must not hold back the others.
    if failed:
        raise failed[0]


async def _start_one(
    client: df.DurableOrchestrationClient, name: str, key: str, given: dict[str, Any] | None
) -> None:
    """Start a workflow, unless it runs already."""
    try:
        await client.start_new(name, key, given)
    except Exception as error:
        if "already exists" not in str(error):
            raise
