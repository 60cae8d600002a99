"""Triggers without Durable: timers, Event Grid, HTTP. `seen` keeps what functions were given."""

import json
from typing import Any

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
seen: list[Any] = []


@app.timer_trigger(schedule="%SWEEP_SCHEDULE%", arg_name="timer", run_on_startup=False)
def sweep(timer: func.TimerRequest) -> None:
    seen.append({"past_due": timer.past_due, "status": timer.schedule_status})


@app.timer_trigger(schedule="0 0 3 * * *", arg_name="timer", run_on_startup=True)
def nightly(timer: func.TimerRequest) -> None:
    seen.append("nightly")


@app.timer_trigger(schedule="0 30 8 * * *", arg_name="timer")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:10")
def stumbling(timer: func.TimerRequest, context: func.Context) -> None:
    seen.append(context.retry_context.retry_count)
    if context.retry_context.retry_count < 2:
        raise ValueError("not yet")


@app.timer_trigger(schedule="0 40 8 * * *", arg_name="timer")
@app.retry(
    strategy="exponential_backoff",
    max_retry_count="3",
    minimum_interval="00:00:10",
    maximum_interval="00:00:30",
)
def hopeless(timer: func.TimerRequest) -> None:
    raise ValueError("never")


@app.event_grid_trigger(arg_name="event")
def on_event(event: func.EventGridEvent) -> None:
    seen.append((type(event).__name__, event.id, event.subject))
    if event.subject == "bad":
        raise ValueError("cannot digest")


@app.route(route="things/{kind}/{number:int}", methods=["GET", "POST"])
def thing(req: func.HttpRequest) -> func.HttpResponse:
    answer = {
        "route": dict(req.route_params),
        "query": dict(req.params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(answer), status_code=201, mimetype="application/json")


@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
def anyone(req: func.HttpRequest) -> str:
    return "hello"


@app.route(route="boss", auth_level=func.AuthLevel.ADMIN)
def boss(req: func.HttpRequest) -> str:
    return "yes"


@app.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> str:
    raise ValueError("no")
