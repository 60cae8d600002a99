"""A tagged VM is protected by its event, or by the next sweep, and never twice."""

from datetime import timedelta

from tests.scenario.stage import SUB, VAULT, WEST, Stage

MINUTES = timedelta(minutes=1)


def test_a_tagged_vm_is_protected_within_minutes_of_its_creation(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", tag="gold")

    stage.run(5 * MINUTES)

    assert (stage.vault_of("web"), stage.policy_of("web")) == (VAULT, "gold")
    assert stage.ended("web") == "PROTECTED"
    assert stage.failures() == []


def test_vault_and_policy_are_made_where_there_are_none(stage: Stage):
    stage.create_vm("web", tag="standard")

    stage.run(10 * MINUTES)

    assert (stage.vault_of("web"), stage.policy_of("web")) == (VAULT, "standard")


def test_a_vm_that_lost_its_event_is_protected_by_the_next_sweep(stage: Stage):
    stage.create_vault()
    stage.world.events.lose_next("/web")
    stage.create_vm("web")

    stage.run(29 * MINUTES)
    before = stage.policy_of("web")
    stage.sweep()

    assert (before, stage.policy_of("web")) == ("", "gold")


def test_an_event_that_comes_three_times_enables_once(stage: Stage):
    stage.create_vault()
    stage.world.events.disturb(doubled=1.0)
    stage.create_vm("web")
    stage.world.machines.tag(stage.id("web"), {"backup": "gold"})

    stage.run(20 * MINUTES)

    assert stage.policy_of("web") == "gold"
    assert stage.effective_enables("web") == 1


def test_a_tag_written_through_the_tags_api_is_seen(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", tag=None)
    stage.run(5 * MINUTES)

    stage.world.machines.tag(stage.id("web"), {"Backup": "gold"}, by_tags_api=True)
    stage.run(5 * MINUTES)

    assert stage.policy_of("web") == "gold"


def test_a_vm_without_the_tag_is_left_alone_for_two_reads(stage: Stage):
    stage.create_vault()
    began = stage.world.clock.now()
    stage.create_vm("web", tag=None)

    stage.run(5 * MINUTES)

    own = stage.arm_calls(began)
    assert (own["machines.get"], own["backup_status.get"]) == (1, 1)
    assert stage.ended("web") == "NOT_ASKED"


def test_a_new_vm_costs_at_most_eight_arm_calls_of_its_own(stage: Stage):
    stage.create_vault()
    stage.create_vm("first", tag="gold")
    stage.run(10 * MINUTES)
    began = stage.world.clock.now()
    stage.create_vm("web", tag="gold")

    stage.run(5 * MINUTES)

    calls = stage.arm_calls(began)
    shared = {"vaults.list_all", "policies.list", "usage_summaries.list", "jobs.list"}
    own = {route: n for route, n in calls.items() if route not in shared}
    assert sum(own.values()) <= 8, own
    assert stage.policy_of("web") == "gold"


def test_waiting_on_one_vault_is_read_once_a_minute_for_all(stage: Stage):
    stage.create_vault()
    stage.create_vm("first", tag="gold")
    stage.run(10 * MINUTES)
    began = stage.world.clock.now()
    for number in range(12):
        stage.create_vm(f"web-{number}", tag="gold")

    stage.run(6 * MINUTES)

    assert stage.arm_calls(began)["jobs.list"] <= 6
    assert {stage.policy_of(f"web-{n}") for n in range(12)} == {"gold"}


def test_a_hint_that_comes_while_the_workflow_runs_is_not_lost(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", tag="standard")
    stage.run(1 * MINUTES)

    stage.world.machines.tag(stage.id("web"), {"backup": "off"})
    stage.run(10 * MINUTES)

    assert stage.ended("web") == "OPTED_OUT"
    assert stage.policy_of("web") == "standard"


def test_a_vm_deleted_meanwhile_ends_quietly(stage: Stage):
    stage.create_vault()
    stage.create_vm("web")
    stage.world.machines.delete(stage.id("web"))

    stage.run(20 * MINUTES)

    assert stage.ended("web") == "VM_DELETED"
    assert stage.failures() == []


def test_nothing_is_written_in_observe_mode(stage: Stage):
    stage.configure(stage.toml.replace('mode = "protect"', 'mode = "observe"'))
    stage.create_vault()
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert stage.arm_writes() == []
    assert stage.reason("web") == "OBSERVING"


def test_nothing_is_written_while_everything_is_paused_and_then_it_goes_on(stage: Stage):
    stage.create_vault()
    stage.app.notebook.set_pause("change freeze")
    stage.create_vm("web")
    stage.run(40 * MINUTES)
    held = (stage.reason("web"), stage.arm_writes())

    stage.app.notebook.set_pause(None)
    stage.sweep()

    assert held == ("PAUSED", [])
    assert stage.policy_of("web") == "gold"


def test_a_vm_of_another_region_goes_into_a_vault_of_that_region(stage: Stage):
    stage.create_vm("north", location="northeurope")

    stage.run(10 * MINUTES)

    assert stage.vault_of("north") == f"rsv-{SUB[:8]}-northeurope-1"


def test_the_evidence_names_what_was_done(stage: Stage):
    stage.create_vault()
    stage.create_vm("web")
    stage.run(5 * MINUTES)

    records = [record for _, record in stage.app.evidence.chain("protection/")]

    assert [r["body"]["reason"] for r in records] == ["PROTECTED"]
    assert [d["text"] for d in records[0]["body"]["did"]][-1] == "EnableProtection ended"
    assert WEST not in records[0]["prev"]


def test_a_vm_in_a_group_of_another_script_is_protected(stage: Stage):
    stage.create_vault()
    stage.world.groups.create(SUB, "rg-büro(neu)", WEST)
    stage.create_vm("web", group="rg-büro(neu)")

    stage.run(5 * MINUTES)

    found = stage.world.vaults.item_of(stage.id("web", "rg-büro(neu)"))
    assert found is not None
    assert found[1].policy == "gold"
