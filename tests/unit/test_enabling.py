from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import NOW, SECOND_VAULT, VAULT, WEB, at, vm
from vmbackup_core.domain.enabling import (
    LOOKS_WITHOUT_JOB,
    MAX_AGE,
    MAX_TRIES,
    Apply,
    AskOperation,
    Done,
    Enabling,
    Ended,
    Pending,
    Wait,
    after_ended,
    after_look,
    after_refusal,
    after_sent,
    after_trouble,
    after_try,
    agent_wait,
    find_job,
    interval,
    judge,
    next_move,
)
from vmbackup_core.domain.facts import Agent, Power
from vmbackup_core.domain.operations import JobFacts, OperationFacts, Progress
from vmbackup_core.domain.plans import EnableProtection, Plan, RefreshContainers
from vmbackup_core.domain.reasons import Reason

ENABLE = EnableProtection(WEB, VAULT, "gold")
TO_DO = Plan((ENABLE,), Reason.TO_PROTECT, ("rule 1 asks for gold",))
BEGUN = Enabling(WEB, NOW)
OPERATION = "https://management.azure.com/operation"
SENT = replace(
    BEGUN, tries=1, pending=Pending("EnableProtection", "ConfigureBackup", VAULT, OPERATION, NOW)
)
LOST = replace(SENT, pending=Pending("EnableProtection", "ConfigureBackup", VAULT, "", NOW))
AGENT = "UserErrorGuestAgentStatusUnavailable"
REFRESH = "BMSUserErrorInvalidConfigureProtectionRequest"
LIMIT = timedelta(hours=2)
RUNNING, SUCCEEDED, FAILED = Progress.RUNNING, Progress.SUCCEEDED, Progress.FAILED


def job(progress: Progress = RUNNING, **more: object) -> JobFacts:
    given = {
        "id": "job-1",
        "container": "iaasvmcontainerv2;rg-app;web",
        "operation": "ConfigureBackup",
        "started": NOW,
        **more,
    }
    return JobFacts(progress=progress, **given)  # type: ignore[arg-type]


# What to do about a plan.


def test_the_first_step_of_a_plan_is_applied() -> None:
    assert next_move(BEGUN, TO_DO, NOW) == Apply(ENABLE)


def test_a_plan_that_asks_for_nothing_of_us_is_the_end() -> None:
    plan = Plan((), Reason.NO_VAULT, ("no vault",))

    assert next_move(BEGUN, plan, NOW) == Done(Reason.NO_VAULT, ("no vault",))


def test_a_plan_that_waits_is_looked_at_again() -> None:
    plan = Plan((), Reason.CREATING, ("creating",))

    assert next_move(BEGUN, plan, NOW) == Wait(at(1), Reason.CREATING, ("creating",))


def test_a_vault_that_does_not_know_the_vm_looks_for_it_before_anything_else() -> None:
    asked = replace(BEGUN, refresh=VAULT)

    assert next_move(asked, TO_DO, NOW) == Apply(RefreshContainers(VAULT))
    assert next_move(replace(asked, refreshed=True), TO_DO, NOW) == Apply(ENABLE)


@pytest.mark.parametrize(
    ("state", "now"),
    [
        pytest.param(replace(BEGUN, tries=MAX_TRIES), NOW, id="too often"),
        pytest.param(BEGUN, NOW + MAX_AGE + timedelta(seconds=1), id="too long"),
    ],
)
def test_a_workflow_that_gets_nowhere_leaves_the_vm_to_the_next_sweep(
    state: Enabling, now: object
) -> None:
    move = next_move(state, TO_DO, now)  # type: ignore[arg-type]

    assert isinstance(move, Done)
    assert move.reason is Reason.TO_PROTECT
    assert "left to the next sweep" in move.because


def test_a_workflow_that_ran_out_of_tries_for_the_agents_sake_says_so() -> None:
    state = replace(BEGUN, tries=MAX_TRIES, agent_since=NOW)

    move = next_move(state, TO_DO, at(30))

    assert isinstance(move, Done)
    assert move.reason is Reason.AGENT_NEVER_READY


def test_looks_come_at_growing_intervals() -> None:
    waits = [interval(looks).total_seconds() for looks in range(8)]

    assert waits == [60, 60, 120, 240, 480, 900, 900, 900]


# The agent.


@pytest.mark.parametrize("agent", [Agent.NOT_READY, Agent.UNKNOWN])
def test_nobody_waits_for_an_agent_before_azure_asks_for_it(agent: Agent) -> None:
    assert agent_wait(BEGUN, vm(agent=agent), NOW, LIMIT) is None


def test_an_agent_that_azure_asked_for_is_waited_for() -> None:
    waiting = agent_wait(replace(BEGUN, agent_since=NOW), vm(agent=Agent.NOT_READY), at(5), LIMIT)

    assert isinstance(waiting, Wait)
    assert waiting.reason is Reason.AGENT_WAIT


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(vm(agent=Agent.READY), id="it is ready"),
        pytest.param(vm(agent=Agent.NOT_READY, power=Power.DEALLOCATED), id="the vm is off"),
    ],
)
def test_the_wait_for_an_agent_ends(seen: object) -> None:
    state = replace(BEGUN, agent_since=NOW)

    assert agent_wait(state, seen, at(5), LIMIT) is None  # type: ignore[arg-type]


def test_the_wait_for_an_agent_has_a_limit() -> None:
    waiting = agent_wait(
        replace(BEGUN, agent_since=NOW), vm(agent=Agent.NOT_READY), NOW + LIMIT, LIMIT
    )

    assert isinstance(waiting, Done)
    assert waiting.reason is Reason.AGENT_NEVER_READY


# A write under way.


def test_what_is_sent_is_pending_and_looked_at_in_a_minute() -> None:
    pending = Pending("EnableProtection", "ConfigureBackup", VAULT, OPERATION, NOW)

    state, then = after_sent(replace(BEGUN, looks=4), pending, NOW)

    assert (state.pending, state.tries, state.looks) == (pending, 1, 0)
    assert then.until == at(1)


def test_what_is_done_at_once_wants_a_fresh_look_at_the_vaults() -> None:
    state, then = after_sent(BEGUN, None, NOW)

    assert (state.pending, state.vaults_after, then.until) == (None, NOW, NOW)


def test_a_job_tells_how_its_write_stands() -> None:
    assert isinstance(judge(SENT, job(RUNNING), None, at(1)), Wait)
    assert judge(SENT, job(SUCCEEDED), None, at(1)) == Ended()
    assert judge(SENT, job(FAILED), None, at(1)) == AskOperation()


def test_without_a_job_the_operation_is_asked_after_some_looks() -> None:
    looked = replace(SENT, looks=LOOKS_WITHOUT_JOB)

    assert isinstance(judge(replace(looked, looks=LOOKS_WITHOUT_JOB - 1), None, None, NOW), Wait)
    assert judge(looked, None, None, at(4)) == AskOperation()


def test_a_write_that_makes_no_job_has_its_operation_asked_at_once() -> None:
    state = replace(SENT, pending=Pending("RefreshContainers", "", VAULT, OPERATION, NOW))

    assert judge(state, None, None, at(1)) == AskOperation()


def test_an_operation_tells_how_its_write_stands() -> None:
    refused = OperationFacts(FAILED, AGENT, "not ready")

    assert isinstance(judge(SENT, None, OperationFacts(RUNNING), at(1)), Wait)
    assert judge(SENT, None, OperationFacts(SUCCEEDED), at(1)) == Ended()
    assert judge(SENT, job(FAILED), refused, at(1)) == refused


def test_a_lost_answer_is_looked_for_and_then_given_up() -> None:
    assert isinstance(judge(LOST, None, None, at(1)), Wait)
    assert isinstance(judge(LOST, job(RUNNING), None, at(1)), Wait)
    assert judge(LOST, job(SUCCEEDED), None, at(1)) == Ended()
    assert judge(LOST, job(FAILED), None, at(1)) == Ended()
    assert judge(replace(LOST, looks=LOOKS_WITHOUT_JOB), None, None, at(4)) == Ended()


@pytest.mark.parametrize("operation", [None, OperationFacts(RUNNING)])
def test_a_job_that_never_ends_does_not_hold_a_workflow_for_ever(
    operation: OperationFacts | None,
) -> None:
    late = NOW + MAX_AGE + timedelta(seconds=1)

    assert isinstance(judge(SENT, job(RUNNING), operation, late), Done)


def test_the_newest_job_of_the_write_is_its_own() -> None:
    older, newer = job(id="1", started=at(0)), job(id="2", started=at(1))

    assert find_job(SENT, (newer, older)) == newer


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(job(container="iaasvmcontainerv2;rg-app;web2"), id="of another vm"),
        pytest.param(job(container="iaasvmcontainerv2;rg-other;web"), id="of another group"),
        pytest.param(job(operation="Backup"), id="of another kind"),
        pytest.param(job(started=at(-2)), id="from before"),
        pytest.param(job(id="seen"), id="seen before"),
    ],
)
def test_a_job_is_not_that_of_the_write(other: JobFacts) -> None:
    assert find_job(replace(SENT, seen_jobs=("seen",)), (other,)) is None


def test_a_job_may_seem_to_begin_before_its_write_by_the_skew_of_clocks() -> None:
    assert find_job(SENT, (job(started=at(-0.9)),)) is not None


def test_an_ended_write_is_not_pending_and_its_job_never_counts_again() -> None:
    state = after_ended(replace(SENT, looks=3), job())

    assert (state.pending, state.looks, state.seen_jobs) == (None, 0, ("job-1",))


def test_a_refresh_is_done_once() -> None:
    pending = Pending("RefreshContainers", "", VAULT, OPERATION, NOW)
    state = after_ended(replace(BEGUN, refresh=VAULT, pending=pending), None)

    assert (state.refresh, state.refreshed) == (None, True)


# Refusals.


def test_an_agent_that_is_not_ready_is_waited_for_and_the_first_try_is_free() -> None:
    state, then = after_refusal(after_try(BEGUN), VAULT, AGENT, "not ready", NOW)
    again, _ = after_refusal(after_try(state), VAULT, AGENT, "not ready", at(9))

    assert (then.reason, state.agent_since, state.tries) == (Reason.AGENT_WAIT, NOW, 0)
    assert (again.agent_since, again.tries) == (NOW, 1)


def test_a_vm_that_the_vault_does_not_know_is_refreshed_once_and_then_reported() -> None:
    state, then = after_refusal(SENT, VAULT, REFRESH, "not found", NOW)
    again, end = after_refusal(replace(state, refreshed=True), VAULT, REFRESH, "not found", NOW)

    assert (state.refresh, state.pending, then) == (
        VAULT,
        None,
        Wait(NOW, Reason.TO_PROTECT, (f"{REFRESH}: not found",)),
    )
    assert end == Done(Reason.REFUSED, (f"{REFRESH}: not found",))
    assert again.pending is None


def test_what_is_busy_is_tried_again() -> None:
    state, then = after_refusal(SENT, VAULT, "BMSUserErrorObjectLocked", "busy", NOW)

    assert isinstance(then, Wait)
    assert (then.reason, state.pending, state.looks) == (Reason.BUSY, None, 1)


def test_a_full_vault_is_planned_without() -> None:
    words = "reached the maximum number of virtual machines"
    state, then = after_refusal(SENT, SECOND_VAULT, "SomeCode", words, NOW)

    assert (state.full, then.reason) == ((SECOND_VAULT,), Reason.TO_PROTECT)


def test_any_other_refusal_is_the_end_in_azures_own_words() -> None:
    state, then = after_refusal(SENT, VAULT, "AuthorizationFailed", "no right", NOW)

    assert then == Done(Reason.NO_PERMISSION, ("AuthorizationFailed: no right",))
    assert state.pending is None


# Trouble.


def test_azure_is_left_alone_as_long_as_it_asked() -> None:
    state, then = after_trouble(SENT, Reason.THROTTLED, "429", timedelta(hours=1), NOW)

    assert isinstance(then, Wait)
    assert (then.reason, then.because) == (Reason.THROTTLED, ("429",))
    assert at(60) <= then.until <= at(61)
    assert state.pending == SENT.pending


def test_those_whom_azure_sends_away_together_do_not_come_back_together() -> None:
    others = [replace(SENT, vm=replace(SENT.vm, name=f"web-{n}")) for n in range(50)]

    backs = [after_trouble(s, Reason.THROTTLED, "429", timedelta(0), NOW)[1] for s in others]

    assert len({back.until for back in backs if isinstance(back, Wait)}) == 50


def test_without_a_word_from_azure_the_waits_grow() -> None:
    _, then = after_trouble(replace(SENT, looks=4), Reason.UNREACHABLE, "500", None, NOW)

    assert then.until == at(8)  # type: ignore[union-attr]


def test_trouble_that_does_not_end_is_left_to_the_next_sweep() -> None:
    late = NOW + MAX_AGE + timedelta(seconds=1)
    _, then = after_trouble(SENT, Reason.UNREACHABLE, "500", None, late)

    assert isinstance(then, Done)


def test_a_look_counts() -> None:
    assert after_look(SENT).looks == 1
