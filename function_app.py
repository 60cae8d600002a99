"""
The triggers: decode, call, encode. What is decided, is decided in vmbackup_core.

Importing this module reads no configuration and opens nothing; the app behind it is built at the
first call (vmbackup_core.bootstrap).
"""

import asyncio
import json
from collections.abc import Generator, Iterable
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from vmbackup_core import bootstrap
from vmbackup_core.domain.intents import EnsureProtected

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

TURNS_PER_GENERATION = 20  # Then the history begins anew: replays cost in its square.


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


@app.orchestration_trigger(context_name="context")
def workflow(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Take turns until one says that it was the last. Decides nothing."""
    given = context.get_input()
    for _ in range(TURNS_PER_GENERATION):
        given = yield context.call_activity("turn", given)
        if given["until"] is None:
            return {"reason": given["reason"], "because": given["because"]}
        yield context.create_timer(datetime.fromisoformat(given["until"]))
    context.continue_as_new(given)
    return None


@app.activity_trigger(input_name="given")
def turn(given: dict) -> dict:  # The worker library refuses a parametrised annotation here.
    """Take one turn of a workflow."""
    return bootstrap.current_app().workflows.turn(given)


def _receive(event: func.EventGridEvent | func.CloudEvent) -> EnsureProtected | None:
    kind = event.type if isinstance(event, func.CloudEvent) else event.event_type
    data, subject = event.get_json(), event.subject or ""
    raw = json.dumps({"id": event.id, "type": kind, "subject": subject, "data": data}).encode()
    return bootstrap.current_app().intake.receive(kind or "", subject, data, raw)


async def _start(client: df.DurableOrchestrationClient, intents: Iterable[EnsureProtected]) -> None:
    """Start at most one workflow for each intent: one that runs already has seen the hint."""
    workflows = (await asyncio.to_thread(bootstrap.current_app)).workflows
    failed: list[Exception] = []
    for intent in intents:
        try:
            await client.start_new("workflow", intent.key, workflows.first(intent.vm))
        except Exception as error:  # noqa: BLE001 - The SDK raises no narrower one.
            if "already exists" not in str(error):
                failed.append(error)  # One that does not start must not hold back the others.
    if failed:
        raise failed[0]
