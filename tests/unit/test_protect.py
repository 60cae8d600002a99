from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.blobs import nothing
from tests.builders import (
    EXCLUSION,
    NOW,
    SECOND_VAULT,
    VAULT,
    WEB,
    at,
    bare_vault,
    book,
    item,
    ours,
    policy,
    scope,
    spec,
    vault,
    vm,
)
from tests.small_app import Killed, SmallApp, small_app
from tests.tiny_azure import Accepted, Forbidden, Lost, NotFound, Refused, Throttled, Write
from vmbackup_core.app.brakes import Limits
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.domain.facts import Agent, ItemState
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.protection import Rulebook
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.rules import Mode, OnSoftDeleted, OnStopped
from vmbackup_core.domain.vaults import VaultNaming
from vmbackup_core.domain.verdicts import judge_estate

AGENT = Refused("UserErrorGuestAgentStatusUnavailable")
UNKNOWN_VM = Refused("BMSUserErrorInvalidConfigureProtectionRequest")
LONGER = spec("platinum", 90)
CHANGING = book(LONGER)
UNDELETING = book(on_soft_deleted=OnSoftDeleted.UNDELETE)


def changing(limits: Limits | None = None) -> SmallApp:
    """Return an app whose VM we protected with gold, and which now asks for platinum."""
    app = small_app(vm(tag="platinum"), rulebook=CHANGING, limits=limits)
    app.azure.vaults[VAULT] = vault(policy(), LONGER.as_facts())
    app.azure.items[WEB, VAULT] = item(exclusion=EXCLUSION)
    app.notebook.remember(WEB, ours())
    return app


def deleted(rulebook: Rulebook = UNDELETING) -> SmallApp:
    """Return an app whose VM's backup lies in soft delete."""
    app = small_app(rulebook=rulebook)
    app.azure.items[WEB, VAULT] = item(ItemState.SOFT_DELETED, policy="")
    return app


def test_a_tagged_vm_is_protected_and_remembered() -> None:
    app = small_app()

    assert app.run() == "PROTECTED"
    assert app.azure.effective == [Write("protect", VAULT, "gold")]
    memory = app.memory()
    assert (memory.machine, memory.policy, memory.asked_at) == ("machine-of-web", "gold", None)


def test_doing_it_again_does_nothing() -> None:
    app = small_app()
    app.run()
    records = app.evidence_blobs.writes

    assert app.run() == "PROTECTED"
    assert app.wrote() == ["protect"]
    assert app.evidence_blobs.writes == records


@pytest.mark.parametrize("calls", range(40))
def test_a_process_that_dies_at_any_call_still_protects_once(calls: int) -> None:
    app = small_app()
    app.azure.vaults[VAULT] = bare_vault()
    app.fuse.left = calls

    assert app.run() == "PROTECTED"
    enabled = [w for w in app.azure.effective if w.what == "protect"]
    assert enabled == [Write("protect", VAULT, "gold")]
    assert app.azure.overlapping == []
    assert app.memory().policy == "gold"


@pytest.mark.parametrize("calls", range(40))
def test_a_workflow_that_is_lost_at_any_call_is_picked_up_by_the_sweep(calls: int) -> None:
    app = small_app()
    app.fuse.left = calls
    lost_at(app, app.begin())

    app.clock.move_to(at(30))
    app.sweep_and_run()

    assert app.azure.effective == [Write("protect", VAULT, "gold")]
    assert app.azure.overlapping == []
    assert (app.memory().policy, app.memory().asked_at) == ("gold", None)


def lost_at(app: SmallApp, given: Any) -> None:
    """Run a workflow that nobody runs again once its process has died."""
    try:
        while True:
            given = app.workflows.turn(given)
            if given["until"] is None:
                return
            app.clock.move_to(datetime.fromisoformat(given["until"]))
    except Killed:
        return
    finally:
        app.fuse.left = None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Lost(arrived=True), id="the answer is lost"),
        pytest.param(Lost(arrived=False), id="the request is lost"),
        pytest.param(Throttled(), id="throttled"),
        pytest.param(NotFound(), id="not found"),
        pytest.param(AGENT, id="the agent is not ready"),
        pytest.param(UNKNOWN_VM, id="the vault does not know the vm"),
        pytest.param(Refused("BMSUserErrorObjectLocked"), id="busy"),
        pytest.param(Accepted("UserErrorGuestAgentStatusUnavailable"), id="the agent, late"),
        pytest.param(Accepted("BMSUserErrorInvalidConfigureProtectionRequest"), id="unknown, late"),
        pytest.param(Accepted("CloudInternalError"), id="an error of Azure's own, late"),
        pytest.param(Accepted(takes=timedelta(minutes=20)), id="slow"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_what_passes_by_itself_delays_and_no_more(answer: Accepted, *, listed: bool) -> None:
    app = small_app(vm(agent=Agent.READY))
    app.azure.jobs_are_listed = listed
    app.azure.answers = deque([answer])

    assert app.run() == "PROTECTED"
    assert [w for w in app.azure.effective if w.what == "protect"] == [
        Write("protect", VAULT, "gold")
    ]
    assert app.azure.overlapping == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Forbidden("AuthorizationFailed"), "NO_PERMISSION"),
        (Forbidden("ScopeLocked"), "LOCKED"),
        (Forbidden("RequestDisallowedByPolicy"), "POLICY_DENIES"),
        (Refused("SomeCode", "a resource guard protects this"), "GUARDED"),
        (Refused("VirtualMachineAlreadyProtected"), "IN_ANOTHER_VAULT"),
        (Refused("UserErrorVmProvisioningStateFailed"), "VM_FAILED"),
        (Refused("SomethingNew"), "REFUSED"),
        (Accepted("SomethingNew"), "REFUSED"),
    ],
)
def test_what_a_person_must_mend_ends_the_workflow_and_is_told(
    answer: Accepted | Refused | Forbidden, reason: str
) -> None:
    app = small_app()
    app.azure.answers = deque([answer])

    assert app.run() == reason
    assert app.wrote() == ["protect"]
    memory = app.memory()
    assert (memory.reason, memory.asked_at) == (Reason[reason], None)


def test_azure_is_left_alone_as_long_as_it_asks() -> None:
    app = small_app()
    app.azure.answers = deque([Throttled(timedelta(hours=1))])

    waiting = app.turn(app.begin())

    assert waiting["reason"] == "THROTTLED"
    assert at(60).isoformat() <= waiting["until"] <= at(61).isoformat()


def test_a_vm_that_is_gone_is_no_error() -> None:
    app = small_app()
    app.azure.vms.clear()

    assert app.run() == "VM_DELETED"
    assert app.wrote() == []


def test_a_vm_that_is_deleted_while_it_is_being_protected() -> None:
    app = small_app()
    sent = app.turn(app.begin())
    app.azure.vms.clear()

    app.clock.move_to(at(1))
    assert app.run(sent) == "VM_DELETED"


# The agent.


def test_an_agent_that_never_comes_is_told_after_the_limit_with_one_write() -> None:
    app = small_app(vm(agent=Agent.NOT_READY))
    app.azure.answers = deque([AGENT] * 99)

    assert app.run() == "AGENT_NEVER_READY"
    assert app.wrote() == ["protect"]
    assert app.clock.now() - NOW >= timedelta(hours=2)


def test_an_agent_that_says_it_is_ready_and_is_not_costs_few_writes() -> None:
    app = small_app(vm(agent=Agent.READY))
    app.azure.answers = deque([AGENT] * 99)

    assert app.run() == "AGENT_NEVER_READY"
    assert len(app.wrote()) <= 7


def test_an_agent_that_goes_away_again_does_not_hide_that_the_vm_is_protected() -> None:
    app = small_app(vm(agent=Agent.READY))
    app.azure.answers = deque([AGENT])
    waiting = app.turn(app.begin())
    app.clock.move_to(at(1))
    sent = app.turn(waiting)
    app.azure.vms[WEB] = vm(agent=Agent.NOT_READY)
    app.clock.move_to(at(2))

    assert app.run(sent) == "PROTECTED"


def test_a_ledger_that_cannot_be_read_is_waited_for() -> None:
    app = small_app()
    app.rows.before_read = lambda: fail_once(app)

    waiting = app.turn(app.begin())

    assert waiting["reason"] == "UNREACHABLE"
    assert app.run(waiting) == "PROTECTED"


def fail_once(app: SmallApp) -> None:
    """Fail as a ledger does that is busy, at the first read only."""
    app.rows.before_read = nothing
    raise Retryable("busy")


# Bounds.


@pytest.mark.parametrize(
    "answer",
    [Refused("BMSUserErrorObjectLocked"), Accepted("CloudInternalError"), UNKNOWN_VM, Lost(False)],
    ids=["busy", "an error of Azure's own", "unknown", "lost"],
)
def test_what_never_gets_better_ends_after_few_writes(answer: Refused) -> None:
    app = small_app()
    app.azure.answers = deque([answer] * 99)
    app.run()

    assert len(app.wrote()) <= 6
    assert app.memory().reason is not None


def test_throttling_that_never_ends_is_left_to_the_next_sweep_and_told() -> None:
    app = small_app()
    app.azure.answers = deque([Throttled(timedelta(minutes=10))] * 999)

    reason = app.run()

    assert app.memory().reason is Reason[reason]
    assert app.clock.now() - NOW < timedelta(hours=25)


def test_a_job_that_never_ends_does_not_hold_the_workflow_for_ever() -> None:
    app = small_app()
    app.azure.answers = deque([Accepted(takes=timedelta(days=9))])

    assert app.run() == "TO_PROTECT"
    assert app.wrote() == ["protect"]


def test_a_refusal_read_as_full_makes_at_most_one_vault() -> None:
    app = small_app(rulebook=book(naming=VaultNaming(create=True)))
    app.azure.vaults[VAULT] = vault(items=5)
    words = "the limit of virtual machines is exceeded"
    app.azure.answers = deque([Refused("New", words), Accepted(), Accepted()])
    app.azure.answers += [Refused("New", words)] * 99

    assert app.run() == "VAULT_FULL"
    assert app.wrote() == ["protect", "vault", "policy", "protect"]


# Hints.


def test_a_hint_that_comes_while_the_last_turn_looks_is_not_lost() -> None:
    app = small_app(vm(tag=None))
    app.azure.before_call = lambda: hint_once(app)

    answer = app.turn(app.begin())

    assert answer["until"] is not None
    app.azure.vms[WEB] = vm()
    assert app.run(answer) == "PROTECTED"


def hint_once(app: SmallApp) -> None:
    """Count a hint about the VM, at the first call only."""
    app.azure.before_call = app.fuse.burn
    app.notebook.raise_hint(WEB)


def test_hints_from_before_the_look_do_not_keep_a_workflow_alive() -> None:
    app = small_app(vm(tag=None))
    app.notebook.raise_hint(WEB)
    app.notebook.raise_hint(WEB)

    assert app.turn(app.begin())["until"] is None


# Brakes.


def test_in_observe_mode_nothing_is_written() -> None:
    app = small_app(rulebook=book(mode=Mode.OBSERVE))
    app.azure.vaults[VAULT] = bare_vault()

    assert app.run() == "OBSERVING"
    assert app.wrote() == []


def test_the_mode_of_one_subscription_goes_before_the_mode_of_all() -> None:
    mine = scope(Mode.OBSERVE, mode_by_subscription=((WEB.subscription, Mode.PROTECT),))

    assert small_app(rulebook=book(scope=mine)).run() == "PROTECTED"


def test_a_pause_between_two_writes_holds() -> None:
    app = small_app()
    app.azure.vaults[VAULT] = bare_vault()
    made = app.turn(app.begin())
    app.notebook.set_pause("inspection")

    assert app.run(made) == "PAUSED"
    assert app.wrote() == ["policy"]
    app.notebook.set_pause(None)
    assert app.sweep_and_run() == ["PROTECTED"]


def test_a_change_of_policy_carries_the_disk_exclusions_back_and_draws_from_the_budget() -> None:
    app = changing(Limits(changes_per_hour=1))

    assert app.run() == "PROTECTED"
    assert app.azure.effective == [Write("protect", VAULT, "platinum", EXCLUSION)]
    assert not app.notebook.spend("changes", 1, timedelta(hours=1))


def test_a_spent_budget_holds_changes_and_not_the_first_protection() -> None:
    none = Limits(changes_per_hour=0)

    assert changing(none).run() == "BUDGET_SPENT"
    assert small_app(limits=none).run() == "PROTECTED"


def test_an_approved_plan_goes_on_without_budget_for_a_day() -> None:
    app = changing(Limits(changes_per_hour=0))
    shown = app.sweep.survey()
    app.approvals.give(shown.hash, shown.verdicts)

    assert app.run() == "PROTECTED"


def test_an_approval_ends_after_a_day() -> None:
    app = changing(Limits(changes_per_hour=0))
    shown = app.sweep.survey()
    app.approvals.give(shown.hash[:8], shown.verdicts)
    app.clock.move_to(at(24 * 60 + 1))

    assert app.run() == "BUDGET_SPENT"


def test_an_approval_does_not_cover_another_machine_of_that_name() -> None:
    app = changing(Limits(changes_per_hour=0))
    shown = app.sweep.survey()
    app.approvals.give(shown.hash, shown.verdicts)
    app.azure.vms[WEB] = replace(app.azure.vms[WEB], machine="another")

    assert app.run() == "BUDGET_SPENT"


def test_the_budget_is_an_hours_and_the_next_hour_has_its_own() -> None:
    app = changing(Limits(changes_per_hour=1))
    app.notebook.spend("changes", 1, timedelta(hours=1))

    assert app.run() == "BUDGET_SPENT"
    app.clock.move_to(at(60))
    assert app.sweep_and_run() == ["PROTECTED"]


def test_the_cap_of_first_enablings_holds() -> None:
    app = small_app(limits=Limits(enables_per_hour=0))

    assert app.run() == "ENABLE_CAP"
    assert app.wrote() == []


def test_a_vaults_day_holds_for_all_kinds_of_configuring() -> None:
    day = Limits(configures_per_day=0)

    assert small_app(limits=day).run() == "DAILY_LIMIT"
    assert changing(day).run() == "DAILY_LIMIT"


# What is ours.


def test_a_policy_that_we_set_may_be_changed_later() -> None:
    app = small_app(rulebook=CHANGING)
    app.run()
    app.azure.vms[WEB] = vm(tag="platinum")

    assert app.run() == "PROTECTED"
    assert [w.policy for w in app.azure.effective if w.what == "protect"] == ["gold", "platinum"]


def test_a_policy_that_somebody_else_set_stays() -> None:
    app = small_app(vm(tag="platinum"), rulebook=CHANGING)
    app.azure.items[WEB, VAULT] = item()

    assert app.run() == "OTHER_POLICY"
    assert app.wrote() == []


def test_confirming_somebody_elses_policy_does_not_make_it_ours() -> None:
    app = small_app(vm(tag="platinum"), rulebook=CHANGING)
    app.azure.vaults[VAULT] = vault(policy(), LONGER.as_facts())
    app.azure.items[WEB, VAULT] = item(exclusion=EXCLUSION)
    app.notebook.remember(WEB, Memory(machine="an-earlier-one"))

    assert app.run() == "OTHER_POLICY"
    assert app.azure.effective == [Write("protect", VAULT, "gold", EXCLUSION)]


def test_a_write_that_was_refused_makes_nothing_ours() -> None:
    app = changing()
    app.notebook.remember(WEB, ours("gold"))
    app.azure.answers = deque([Forbidden()])

    assert app.run() == "NO_PERMISSION"
    assert app.memory().policy == "gold"


def test_a_re_created_vm_is_confirmed_once() -> None:
    app = small_app(vm(machine="new"))
    app.azure.items[WEB, VAULT] = item(exclusion=EXCLUSION)
    app.notebook.remember(WEB, ours(machine="old"))

    assert app.run() == "PROTECTED"
    assert app.run() == "PROTECTED"
    assert app.azure.effective == [Write("protect", VAULT, "gold", EXCLUSION)]
    assert app.memory().machine == "new"


# Stopped and deleted.


def test_a_deleted_backup_is_undeleted_and_resumed_where_configured() -> None:
    app = deleted()

    assert app.run() == "PROTECTED"
    assert app.wrote() == ["undelete", "protect"]
    assert not app.memory().undeleted


@pytest.mark.parametrize("calls", range(40))
def test_what_we_undeleted_is_resumed_whenever_the_process_dies(calls: int) -> None:
    app = deleted()
    app.fuse.left = calls

    assert app.run() == "PROTECTED"
    assert [w.what for w in app.azure.effective] == ["undelete", "protect"]
    assert app.azure.overlapping == []


@pytest.mark.parametrize("answer", [Forbidden(), Accepted("SomethingNew"), Throttled()])
def test_an_undelete_that_was_refused_owes_no_resume(answer: Forbidden) -> None:
    app = deleted()
    app.azure.answers = deque([answer])
    app.run(None) if isinstance(answer, Forbidden | Accepted) else app.turn(app.begin())

    assert not app.memory().undeleted


def test_a_stop_that_somebody_means_is_respected_after_an_undelete_of_ours() -> None:
    app = deleted()
    app.run()
    app.azure.items[WEB, VAULT] = item(ItemState.STOPPED, policy="")

    assert app.run() == "PROTECTION_STOPPED"


def test_a_resume_that_somebody_else_made_is_noticed_by_the_sweep() -> None:
    app = deleted()
    app.notebook.remember(WEB, Memory(undeleted=True))
    app.azure.items[WEB, VAULT] = item()
    app.sweep_and_run()
    app.azure.items[WEB, VAULT] = item(ItemState.STOPPED, policy="")

    assert app.run() == "PROTECTION_STOPPED"


def test_a_stopped_backup_is_resumed_only_where_configured() -> None:
    app = small_app(rulebook=book(on_stopped=OnStopped.RESUME))
    app.azure.items[WEB, VAULT] = item(ItemState.STOPPED, policy="", exclusion=EXCLUSION)

    assert app.run() == "PROTECTED"
    assert app.azure.effective == [Write("protect", VAULT, "gold", EXCLUSION)]


# Vaults and policies.


def test_a_missing_vault_and_policy_are_made_first() -> None:
    app = small_app(rulebook=book(naming=VaultNaming(create=True)))
    app.azure.vaults.clear()

    assert app.run() == "PROTECTED"
    assert app.wrote() == ["vault", "policy", "protect"]


def test_a_policy_that_somebody_made_meanwhile_is_left_alone() -> None:
    app = small_app(vm(), vm("other", tag=None))
    app.azure.vaults[VAULT] = bare_vault()
    app.run(app.begin(vm("other").id))
    theirs = vault(policy(days=7))
    app.azure.vaults[VAULT] = theirs
    app.clock.move_to(at(5))

    assert app.run() == "PROTECTED"
    assert app.azure.vaults[VAULT] == theirs


def test_a_policy_that_was_shortened_meanwhile_is_not_changed_to() -> None:
    app = changing()
    app.turn(app.begin(vm("nobody").id))
    app.run(app.begin())
    fresh = changing()
    fresh.azure.vms[vm("other").id] = vm("other", tag=None)
    fresh.run(fresh.begin(vm("other").id))
    fresh.azure.vaults[VAULT] = vault(policy(), policy("platinum", 7))
    fresh.clock.move_to(at(5))

    assert fresh.run() == "WOULD_WEAKEN"
    assert fresh.wrote() == []


def test_two_workflows_at_once_make_a_policy_once() -> None:
    app = small_app(vm(), vm("two"))
    app.azure.vaults[VAULT] = bare_vault()
    one = app.turn(app.begin())
    two = app.turn(app.begin(vm("two").id))

    assert app.run(two) == "PROTECTED"
    assert app.run(one) == "PROTECTED"
    assert app.wrote().count("policy") == 1


def test_two_workflows_of_one_vm_send_one_write() -> None:
    app = small_app()
    one = app.turn(app.begin())
    two = app.turn(app.begin())

    assert app.run(two) == "PROTECTED"
    assert app.run(one) == "PROTECTED"
    assert app.wrote() == ["protect"]


def test_a_full_vault_is_left_for_the_next_one() -> None:
    app = small_app()
    app.azure.vaults[SECOND_VAULT] = vault(id=SECOND_VAULT)
    app.azure.answers = deque([Refused("New", "reached the maximum number of virtual machines")])

    assert app.run() == "PROTECTED"
    assert app.azure.effective == [Write("protect", SECOND_VAULT, "gold")]


def test_an_unknown_vm_has_the_vault_look_once() -> None:
    app = small_app()
    app.azure.answers = deque([UNKNOWN_VM])

    assert app.run() == "PROTECTED"
    assert app.wrote() == ["protect", "refresh", "protect"]


def test_what_was_done_is_in_the_evidence() -> None:
    app = small_app()
    app.run()
    (record,) = [record for _, record in app.evidence.chain("protection/")]

    assert record["body"]["reason"] == "PROTECTED"
    assert [did["text"] for did in record["body"]["did"]] == [
        "EnableProtection sent",
        "EnableProtection ended",
    ]


def test_an_estate_of_the_end_has_nothing_to_do() -> None:
    app = small_app()
    app.run()
    (verdict,) = judge_estate(app.azure.observe_estate(scope()), {WEB: app.memory()}, book())

    assert (verdict.reason, verdict.due) == (Reason.PROTECTED, False)
