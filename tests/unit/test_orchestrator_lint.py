"""The lint that keeps orchestrators replayable and ready for Durable 2.x."""

import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "orchestrator_lint.py"

GOOD = """
from datetime import timedelta
import azure.durable_functions as df

app = df.DFApp()
LIMIT = 50


@app.orchestration_trigger(context_name="context")
def workflow(context):
    state = context.get_input()
    for turn in range(LIMIT):
        answer = yield context.call_activity("turn", state)
        state = answer["state"]
        context.set_custom_status(state.get("phase"))
        if answer["done"]:
            return answer
        when = context.current_utc_datetime + timedelta(seconds=int(answer["wait"]))
        timer = context.create_timer(when)
        nudge = context.wait_for_external_event("nudge")
        winner = yield context.task_any([timer, nudge])
        if winner is nudge:
            timer.cancel()
    context.continue_as_new(state)


@app.activity_trigger(input_name="state")
def turn(state):
    import os
    return os.environ["X"]
"""


def run(tmp_path: Path, source: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "function_app.py"
    file.write_text(source)
    return subprocess.run(
        [sys.executable, str(TOOL), str(file)], capture_output=True, text=True, check=False
    )


def orchestrator(body: str, arguments: str = "context", name: str = "context") -> str:
    return (
        f'@app.orchestration_trigger(context_name="{name}")\n'
        f"def workflow({arguments}):\n{indent(body, '    ')}\n"
    )


def test_an_orchestrator_that_only_loops_passes(tmp_path):
    done = run(tmp_path, GOOD)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return datetime.now()", "use context.current_utc_datetime"),
        ("return datetime.datetime.utcnow()", "use context.current_utc_datetime"),
        ("return time.time()", "use context.current_utc_datetime"),
        ("return random.random()", "calls random.random; do it in an activity"),
        ("return uuid.uuid4()", "calls uuid.uuid4; do it in an activity"),
        ("return context.new_uuid()", "derive the id from the input"),
        ("return open('x')", "calls open; do it in an activity"),
        ("print('x')", "calls print; do it in an activity"),
        ("logging.info('x')", "calls logging.info; do it in an activity"),
        ("return os.environ['X']", "reaches for os; do it in an activity"),
        ("return environ['X']", "reaches for environ"),
        ("import json", "import at the top"),
        ("from json import loads", "import at the top"),
        ("yield context.call_activity_with_retry('a', o)", "again after create_timer"),
        ("yield context.call_http('GET', 'u')", "make the call in an activity"),
        ("yield context.call_entity(e, 'op')", "uses the context's call_entity"),
        ("return context.histories", "uses the context's histories"),
        ("return plan(context.get_input())", "calls plan; do it in an activity"),
        ("yield from steps(context)", "context is handed on"),
        ("global COUNT", "carry state in the input"),
        ("with lock: pass", "opens something"),
    ],
)
def test_what_does_not_replay_is_found_and_says_what_to_do(tmp_path, body, says):
    done = run(tmp_path, orchestrator(body))

    assert done.returncode == 1
    assert says in done.stdout


def test_raising_an_error_is_allowed(tmp_path):
    assert run(tmp_path, orchestrator("raise ValueError('x')")).returncode == 0


def test_a_fault_is_named_by_file_and_line(tmp_path):
    done = run(tmp_path, orchestrator("pass\nreturn random.random()"))

    assert done.stdout.startswith(f"{tmp_path / 'function_app.py'}:4: ")


@pytest.mark.parametrize("arguments", ["", "context, more", "context, *rest", "context, **rest"])
def test_an_orchestrator_takes_exactly_one_argument(tmp_path, arguments):
    assert "takes its context only" in run(tmp_path, orchestrator("pass", arguments)).stdout


def test_the_trigger_must_name_the_argument(tmp_path):
    assert "context_name='context'" in run(tmp_path, orchestrator("pass", name="ctx")).stdout


def test_an_async_orchestrator_is_refused(tmp_path):
    source = orchestrator("await context.create_timer(1)").replace("def ", "async def ")

    done = run(tmp_path, source)

    assert "make it a plain generator" in done.stdout
    assert "awaits" in done.stdout


def test_a_lambda_within_is_read_as_well(tmp_path):
    assert "random" in run(tmp_path, orchestrator("f = lambda: random.random()")).stdout
