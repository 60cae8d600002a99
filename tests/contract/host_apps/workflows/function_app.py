"""Orchestrations, one for each thing that Durable Functions does. `ran` keeps the activities."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from azsim.host import ProcessKilled

app = df.DFApp()
ran: list[Any] = []
Context = df.DurableOrchestrationContext
Steps = Generator[Any, Any, Any]


@app.activity_trigger(input_name="word")
def shout(word: str) -> str:
    ran.append(word)
    return word.upper()


@app.activity_trigger(input_name="times")
def fails_so_often(times: int) -> int:
    """Fail so many times, then return the number of runs."""
    ran.append(times)
    if len(ran) <= times:
        raise ValueError(f"run {len(ran)}")
    return len(ran)


@app.orchestration_trigger(context_name="context")
def in_turn(context: Context) -> Steps:
    given = context.get_input()
    results = []
    for word in given["words"]:
        results.append((yield context.call_activity("shout", word)))
    return results


@app.orchestration_trigger(context_name="context")
def all_at_once(context: Context) -> Steps:
    words = context.get_input()
    return (yield context.task_all([context.call_activity("shout", word) for word in words]))


@app.orchestration_trigger(context_name="context")
def waiter(context: Context) -> Steps:
    began = context.current_utc_datetime
    yield context.create_timer(began + timedelta(days=context.get_input()))
    return (context.current_utc_datetime - began).total_seconds() / 86400


@app.orchestration_trigger(context_name="context")
def approval(context: Context) -> Steps:
    """Wait an hour for a word; the input says whether the timer is cancelled."""
    answer = context.wait_for_external_event("answer")
    timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    winner = yield context.task_any([answer, timer])
    if winner is timer:
        return "too late"
    if context.get_input():
        timer.cancel()
    return answer.result


@app.orchestration_trigger(context_name="context")
def busy_first(context: Context) -> Steps:
    yield context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    return (yield context.wait_for_external_event("answer"))


@app.orchestration_trigger(context_name="context")
def parent(context: Context) -> Steps:
    given = context.get_input()
    try:
        return (yield context.call_sub_orchestrator(given["child"], given["input"], given["id"]))
    except Exception as error:  # noqa: BLE001 - Durable raises bare Exceptions.
        return f"child failed: {error}"


@app.orchestration_trigger(context_name="context")
def failing(context: Context) -> Steps:
    yield context.call_activity("shout", "a")
    raise ValueError("the end")


@app.orchestration_trigger(context_name="context")
def careful(context: Context) -> Steps:
    try:
        yield context.call_activity("fails_so_often", 99)
    except Exception as error:  # noqa: BLE001 - Durable raises bare Exceptions.
        return str(error)


@app.orchestration_trigger(context_name="context")
def careless(context: Context) -> Steps:
    yield context.call_activity("fails_so_often", 99)


@app.orchestration_trigger(context_name="context")
def persistent(context: Context) -> Steps:
    retries = df.RetryOptions(5000, 3)
    began = context.current_utc_datetime
    try:
        result = yield context.call_activity_with_retry(
            "fails_so_often", retries, context.get_input()
        )
    except Exception:  # noqa: BLE001 - Durable raises bare Exceptions.
        result = "gave up"
    return [result, (context.current_utc_datetime - began).total_seconds()]


@app.orchestration_trigger(context_name="context")
def counter(context: Context) -> Steps:
    """Count to three, a minute each, every number in an execution of its own."""
    number = context.get_input()
    context.set_custom_status({"number": number})
    yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
    if number < 3:
        context.continue_as_new(number + 1)
        return None
    return number


@app.orchestration_trigger(context_name="context")
def mailbox(context: Context) -> Steps:
    """Collect three letters; between them it is busy and starts anew."""
    got = context.get_input() or []
    letter = yield context.wait_for_external_event("letter")
    got = [*got, letter]
    if len(got) == 3:
        return got
    yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
    context.continue_as_new(got)
    return None


@app.orchestration_trigger(context_name="context")
def moody(context: Context) -> Steps:
    """Call another activity each time it is replayed."""
    ran.append("asked")
    name = "shout" if len(ran) == 1 else "fails_so_often"
    yield context.call_activity(name, "x" if len(ran) == 1 else 0)


@app.orchestration_trigger(context_name="context")
def calls_nobody(context: Context) -> Steps:
    yield context.call_activity("nobody", 1)


@app.orchestration_trigger(context_name="context")
def talkative(context: Context) -> Steps:
    context.set_custom_status("x" * 9000)
    yield context.call_activity("shout", "a")


@app.orchestration_trigger(context_name="context")
def spinning(context: Context) -> Steps:
    yield context.call_activity("shout", "a")
    context.continue_as_new(None)


@app.orchestration_trigger(context_name="context")
def calls_http(context: Context) -> Steps:
    yield context.call_http("GET", "https://example.com")


@app.orchestration_trigger(context_name="context")
def mortal(context: Context) -> Steps:
    """Die at the first attempt of the first turn."""
    ran.append("alive")
    if len(ran) == 1:
        raise ProcessKilled
    return (yield context.call_activity("shout", "again"))


@app.orchestration_trigger(context_name="context")
def hasty(context: Context) -> Steps:
    """Go on at the first failure of several tasks, one of which takes an hour."""
    hour = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    try:
        yield context.task_all([context.call_activity("fails_so_often", 99), hour])
    except Exception:  # noqa: BLE001 - Durable raises bare Exceptions.
        return (yield context.call_activity("shout", "at last"))


@app.orchestration_trigger(context_name="context")
def patient_approval(context: Context) -> Steps:
    """Wait for an answer, ten days at most, then act on it."""
    answer = context.wait_for_external_event("answer")
    limit = context.create_timer(context.current_utc_datetime + timedelta(days=10))
    yield context.task_any([answer, limit])
    return (yield context.call_activity("shout", "done"))
