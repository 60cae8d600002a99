"""A mistake reaches few: budgets, caps, a shrunken scope, and what is left alone for good."""

from typing import Any

import pytest

from azsim.machines import PAST
from tests.cli import Cli, Ran
from tests.scenario.people import (
    HOURS,
    MINUTES,
    WITH_SILVER,
    limits_section,
    protect_section,
    protected_by_us,
    recreate,
    settle,
    stocked_vault,
)
from tests.scenario.stage import TOML, Stage
from vmbackup_cli.simulated import build_app
from vmbackup_core.domain.errors import Rejected

TWO_CHANGES = limits_section("changes_per_hour", 2, WITH_SILVER)
NO_CHANGES = limits_section("changes_per_hour", 0, WITH_SILVER)
FOUR = ("web-0", "web-1", "web-2", "web-3")
MANY = tuple(f"old-{n}" for n in range(15))


def four_of_ours(stage: Stage) -> None:
    """Let four VMs be protected by us with a policy that is weaker than silver."""
    stage.create_vault()
    for name in FOUR:
        stage.create_vm(name, tag="standard")
    stage.run(10 * MINUTES)


def ask_for_silver(stage: Stage, name: str, *, event: bool = True) -> None:
    if not event:
        stage.world.events.lose_next(f"/{name}")
    stage.world.machines.tag(stage.id(name), {"backup": "silver"})


def command_line(stage: Stage, *arguments: str) -> Ran:
    """Run a command as another process does: with its own app on the same ledger."""
    return Cli(build_app(stage.world, stage.toml)).run(*arguments)


def approve(stage: Stage) -> str:
    """Let somebody look at the plan of now and approve it."""
    survey = stage.app.sweep.survey()
    return stage.app.approvals.give(survey.hash[:12], survey.verdicts).hash


def policies(stage: Stage) -> list[str]:
    return [stage.policy_of(name) for name in FOUR]


# The budget of changes.


def test_event_sweep_and_command_line_share_one_hourly_budget(stage: Stage):
    stage.configure(TWO_CHANGES)
    four_of_ours(stage)

    ask_for_silver(stage, "web-0")
    stage.run(5 * MINUTES)
    ask_for_silver(stage, "web-1", event=False)
    stage.run(20 * MINUTES)
    spent = policies(stage)
    ask_for_silver(stage, "web-2", event=False)
    told = command_line(stage, "protect", "web-2", "--yes", "--json")
    ask_for_silver(stage, "web-3")
    stage.run(5 * MINUTES)

    assert spent == ["silver", "silver", "standard", "standard"]
    assert [one["reason"] for one in told.json["outcomes"]] == ["BUDGET_SPENT"]
    assert stage.ended("web-3") == "BUDGET_SPENT"
    assert policies(stage) == spent


def test_what_the_command_line_spends_is_missing_to_events(stage: Stage):
    stage.configure(limits_section("changes_per_hour", 1, WITH_SILVER))
    four_of_ours(stage)

    ask_for_silver(stage, "web-0", event=False)
    command_line(stage, "protect", "web-0", "--yes")
    ask_for_silver(stage, "web-1")
    stage.run(5 * MINUTES)

    assert policies(stage) == ["silver", "standard", "standard", "standard"]
    assert (stage.ended("web-1"), stage.reason("web-1")) == ("BUDGET_SPENT", "BUDGET_SPENT")


def test_the_next_hour_brings_a_new_budget_without_an_event(stage: Stage):
    stage.configure(TWO_CHANGES)
    four_of_ours(stage)
    for name in FOUR:
        ask_for_silver(stage, name)
    stage.run(30 * MINUTES)
    first_hour = sorted(policies(stage))

    stage.run(1 * HOURS)

    assert first_hour == ["silver", "silver", "standard", "standard"]
    assert policies(stage) == ["silver"] * 4


def test_first_time_enabling_does_not_draw_from_the_budget(stage: Stage):
    stage.configure(NO_CHANGES)

    four_of_ours(stage)

    assert policies(stage) == ["standard"] * 4


@pytest.mark.parametrize(
    ("section", "happens", "state"),
    [
        (("on_stopped", "resume"), "stop", "stopped"),
        (("on_soft_deleted", "undelete"), "soft_delete", "is_soft_deleted"),
    ],
)
def test_resume_and_undelete_draw_from_the_budget(
    stage: Stage, section: tuple[str, str], happens: str, state: str
):
    stage.configure(protect_section(*section, NO_CHANGES))
    protected_by_us(stage)
    before = stage.arm_writes()

    getattr(stage.world.vaults, happens)(stage.id())
    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("BUDGET_SPENT", "BUDGET_SPENT")
    assert getattr(stage.item(), state) is True
    assert stage.arm_writes() == before


def test_confirming_a_recreated_vm_draws_from_the_budget(stage: Stage):
    stage.configure(NO_CHANGES)
    protected_by_us(stage)
    before = stage.arm_writes()

    recreate(stage)
    stage.run(40 * MINUTES)

    assert stage.ended() == "BUDGET_SPENT"
    assert stage.arm_writes() == before


# Approvals.


def test_an_approved_change_needs_no_budget(stage: Stage):
    stage.configure(NO_CHANGES)
    four_of_ours(stage)
    for name in FOUR[:2]:
        ask_for_silver(stage, name)
    settle(stage)
    held = policies(stage)

    approve(stage)
    stage.run(40 * MINUTES)

    assert held == ["standard"] * 4
    assert policies(stage) == ["silver", "silver", "standard", "standard"]


def test_an_approval_by_the_command_line_holds_for_the_app(stage: Stage):
    stage.configure(NO_CHANGES)
    four_of_ours(stage)
    ask_for_silver(stage, "web-0")
    settle(stage)
    shown = stage.app.sweep.survey().hash

    told = command_line(stage, "approve", shown[:12])
    stage.run(40 * MINUTES)

    assert told.code == 0
    assert policies(stage)[0] == "silver"


def test_an_approval_covers_no_vm_that_was_not_in_the_plan(stage: Stage):
    stage.configure(NO_CHANGES)
    four_of_ours(stage)
    ask_for_silver(stage, "web-0")
    settle(stage)

    approve(stage)
    ask_for_silver(stage, "web-1")
    stage.run(40 * MINUTES)

    assert policies(stage) == ["silver", "standard", "standard", "standard"]
    assert stage.ended("web-1") == "BUDGET_SPENT"


def test_an_approval_covers_no_other_machine_of_the_same_name(stage: Stage):
    stage.configure(NO_CHANGES)
    four_of_ours(stage)
    recreate(stage, "web-0", tag="standard")
    settle(stage)
    approve(stage)

    machine = recreate(stage, "web-0", tag="standard")
    stage.run(40 * MINUTES)

    item = stage.item("web-0")
    assert item is not None
    assert stage.ended("web-0") == "BUDGET_SPENT"
    assert item.vm_guid != machine.vm_id


def test_an_approval_is_over_after_a_day(stage: Stage):
    stage.configure(NO_CHANGES)
    protected_by_us(stage, tag="standard")
    ask_for_silver(stage, "web")
    settle(stage)
    stage.app.notebook.set_pause("change freeze")
    approve(stage)

    stage.run(25 * HOURS)
    stage.app.notebook.set_pause(None)
    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("BUDGET_SPENT", "standard")


def test_an_approval_covers_undelete_and_the_resume_that_follows(stage: Stage):
    stage.configure(protect_section("on_soft_deleted", "undelete", NO_CHANGES))
    protected_by_us(stage)
    stage.world.vaults.soft_delete(stage.id())
    settle(stage)

    approve(stage)
    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.is_soft_deleted, item.stopped, item.policy) == (False, False, "gold")


def test_a_plan_that_has_changed_cannot_be_approved_by_its_old_hash(stage: Stage):
    stage.configure(NO_CHANGES)
    four_of_ours(stage)
    ask_for_silver(stage, "web-0")
    settle(stage)
    shown = stage.app.sweep.survey().hash
    ask_for_silver(stage, "web-1")
    settle(stage)

    survey = stage.app.sweep.survey()
    with pytest.raises(Rejected, match="the plan has changed"):
        stage.app.approvals.give(shown, survey.verdicts)

    stage.run(40 * MINUTES)
    assert policies(stage) == ["standard"] * 4


# The cap on first-time enabling.


def test_a_cap_spreads_first_time_enabling_over_the_hours(stage: Stage):
    stage.configure(limits_section("enables_per_hour", 2))
    stage.create_vault()
    for name in FOUR:
        stage.create_vm(name)

    stage.run(35 * MINUTES)
    first_hour = (sorted(policies(stage)), sorted(stage.reason(name) for name in FOUR))
    stage.run(1 * HOURS)

    assert first_hour == (
        ["", "", "gold", "gold"],
        ["ENABLE_CAP", "ENABLE_CAP", "PROTECTED", "PROTECTED"],
    )
    assert policies(stage) == ["gold"] * 4


# A scope that shrinks.


def many_protected(stage: Stage) -> None:
    """Let there be fifteen VMs in scope, protected as asked, that a sweep has seen."""
    vault = stocked_vault(stage)
    for name in MANY:
        machine = stage.create_vm(name, tag="standard", created_by=PAST)
        stage.world.vaults.protect(machine.id, vault, "standard")
    stage.sweep()


def lose_tags(stage: Stage) -> None:
    """Let somebody take the tags from most VMs, and let no event tell; one more VM asks."""
    stage.world.events.disturb(lost=1.0)
    for name in MANY[:12]:
        stage.world.machines.tag(stage.id(name), {})
    stage.create_vm("new")
    stage.run(5 * MINUTES)


def last_sweep(stage: Stage) -> Any:
    return [record["body"] for _, record in stage.app.evidence.chain("sweep/")][-1]


def test_a_sudden_shrinking_of_the_scope_stops_the_sweep_and_is_reported(stage: Stage):
    many_protected(stage)

    lose_tags(stage)
    stage.run(90 * MINUTES)

    assert last_sweep(stage)["stopped"] == {"before": 15, "now": 4}
    assert (stage.policy_of("new"), stage.arm_writes()) == ("", [])
    assert any("STOPPED: 15 were in scope" in line for line in stage.journal.lines)


def test_a_shrinking_of_the_scope_goes_on_once_it_is_approved(stage: Stage):
    many_protected(stage)
    lose_tags(stage)
    stage.run(40 * MINUTES)

    approve(stage)
    stage.run(40 * MINUTES)

    assert last_sweep(stage)["stopped"] is None
    assert stage.policy_of("new") == "gold"
    assert {stage.policy_of(name) for name in MANY} == {"standard"}


def test_an_approved_shrinking_stays_accepted_after_the_approval_is_over(stage: Stage):
    many_protected(stage)
    lose_tags(stage)
    approve(stage)
    stage.run(26 * HOURS)

    stage.create_vm("newer")
    stage.run(40 * MINUTES)

    assert last_sweep(stage)["stopped"] is None
    assert stage.policy_of("newer") == "gold"


def test_a_shrinking_stops_the_command_line_too(stage: Stage):
    many_protected(stage)
    lose_tags(stage)

    told = command_line(stage, "protect", "--yes")

    assert told.code == 1
    assert "approve" in told.err
    assert stage.policy_of("new") == ""


def test_a_scope_that_comes_back_goes_on_by_itself(stage: Stage):
    many_protected(stage)
    lose_tags(stage)
    stage.run(40 * MINUTES)

    for name in MANY:
        stage.world.machines.tag(stage.id(name), {"backup": "standard"})
    stage.run(40 * MINUTES)

    assert last_sweep(stage)["stopped"] is None
    assert stage.policy_of("new") == "gold"


def test_a_configuration_that_forgets_most_vms_stops_the_sweep(stage: Stage):
    many_protected(stage)
    stage.world.events.disturb(lost=1.0)
    stage.create_vm("new")

    stage.configure(TOML.replace('tag = "*"', 'tag = "standrad"'))
    stage.run(70 * MINUTES)

    assert last_sweep(stage)["stopped"] == {"before": 15, "now": 1}
    assert stage.arm_writes() == []


# What is left alone.


def test_a_vm_that_loses_its_tag_stays_protected_and_is_reported(stage: Stage):
    machine = protected_by_us(stage)
    before = stage.arm_writes()

    stage.world.machines.tag(machine.id, {})
    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("TAG_LOST", "TAG_LOST")
    assert stage.policy_of() == "gold"
    assert stage.arm_writes() == before


def test_a_vm_that_opts_out_stays_protected_and_says_since_when(stage: Stage):
    machine = protected_by_us(stage)
    before = stage.arm_writes()

    stage.world.machines.tag(machine.id, {"backup": "off"})
    stage.run(20 * MINUTES)
    seen_at = stage.world.clock.now()
    stage.run(2 * HOURS)

    assert (stage.ended(), stage.reason()) == ("OPTED_OUT", "OPTED_OUT")
    assert stage.verdict().since == seen_at
    assert stage.policy_of() == "gold"
    assert stage.arm_writes() == before


def test_a_vm_that_opted_out_from_the_start_is_left_alone(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", tag="none")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("OPTED_OUT", "OPTED_OUT")
    assert stage.arm_writes() == []


def test_the_resource_groups_of_drills_are_out_of_scope(stage: Stage):
    stage.create_vault()
    stage.create_vm("copy", group="vmbackup-drill-westeurope-1")

    stage.run(40 * MINUTES)

    assert stage.reason("copy") == "EXCLUDED"
    assert stage.arm_writes() == []
    assert not stage.verdict("copy").in_scope


def test_a_rule_for_restored_copies_does_not_reach_into_a_drill(stage: Stage):
    stage.configure(TOML.replace('tag = "gold"', 'tag = "gold"\nrestored_copies = true'))
    stage.create_vault()
    stage.create_vm("copy", group="vmbackup-drill-westeurope-1")

    stage.run(40 * MINUTES)

    assert (stage.reason("copy"), stage.arm_writes()) == ("EXCLUDED", [])


def test_an_excluded_resource_group_is_left_alone(stage: Stage):
    excluded = '[scope]\nexclude_resource_groups = ["*-sandbox"]'
    stage.configure(TOML.replace("[scope]", excluded))
    stage.create_vault()
    stage.create_vm("toy", group="rg-play-sandbox")

    stage.run(40 * MINUTES)

    assert (stage.reason("toy"), stage.arm_writes()) == ("EXCLUDED", [])


def test_the_reasons_of_a_sweep_sum_to_the_vms(stage: Stage):
    many_protected(stage)
    stage.create_vm("off", tag="off")
    stage.create_vm("plain", tag=None)
    stage.create_vm("copy", group="vmbackup-drill-westeurope-1")

    stage.run(40 * MINUTES)

    counted = last_sweep(stage)
    assert counted["vms"] == 18
    assert counted["reasons"] == {"EXCLUDED": 1, "NOT_ASKED": 1, "OPTED_OUT": 1, "PROTECTED": 15}
    assert (counted["in_scope"], counted["protected"], counted["unprotected"]) == (15, 15, {})
