"""Hard cases of the VM: each ends with its reason, and with nothing written that should not be."""

import pytest

from azsim.machines import PAST
from tests.scenario.people import (
    HOURS,
    MINUTES,
    SECONDS,
    item_puts,
    late_failure,
    protect_section,
    protected_by_a_person,
    protected_by_us,
    recreate,
    restored,
    settle,
)
from tests.scenario.stage import TOML, VAULT, Stage

RESTORED_COPIES = TOML.replace('tag = "gold"', 'tag = "gold"\nrestored_copies = true')


def test_a_vm_that_is_still_being_created_is_protected_when_it_is_there(stage: Stage):
    stage.create_vault()
    stage.run(25 * MINUTES)
    stage.create_vm("web", provisioning_takes=10 * MINUTES)

    stage.run(8 * MINUTES)
    meanwhile = (stage.reason(), stage.arm_writes())
    stage.run(10 * MINUTES)

    assert meanwhile == ("CREATING", [])
    assert (stage.vault_of(), stage.policy_of()) == (VAULT, "gold")
    assert stage.effective_enables() == 1


def test_a_vm_that_azure_refuses_as_failed_is_reported(stage: Stage):
    stage.create_vault()
    stage.world.machines.fail(stage.create_vm("web").id)
    late_failure(stage, "UserErrorVmProvisioningStateFailed", "The VM is in failed state.")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("VM_FAILED", "VM_FAILED")
    assert stage.policy_of() == ""
    assert stage.arm_writes() == ["policies.put", "items.put"]


def test_a_failed_vm_that_was_repaired_is_protected_hours_later_without_an_event(stage: Stage):
    stage.create_vault()
    stage.create_vm("web")
    late_failure(stage, "UserErrorVmProvisioningStateFailed", "The VM is in failed state.")

    stage.run(3 * HOURS)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


def test_a_vm_deleted_while_it_is_being_enabled_ends_quietly(stage: Stage):
    stage.create_vault()
    stage.world.events.disturb(latency=5 * SECONDS)
    stage.create_vm("web")
    stage.run(6 * SECONDS)
    sent = stage.arm_writes()

    stage.world.machines.delete(stage.id("web"))
    stage.run(40 * MINUTES)

    assert sent == ["policies.put", "items.put"]
    assert stage.arm_writes() == sent
    assert stage.ended() == "VM_DELETED"
    assert stage.item() is None
    assert stage.failures() == []


def test_a_vm_deleted_after_it_was_protected_leaves_its_backup_as_it_is(stage: Stage):
    protected_by_us(stage)
    before = stage.arm_writes()

    stage.world.machines.delete(stage.id("web"))
    stage.run(40 * MINUTES)

    assert stage.policy_of() == "gold"
    assert [str(item.vm) for item in stage.app.sweep.survey().orphans] == [stage.id().lower()]
    assert stage.arm_writes() == before


def test_a_late_agent_is_waited_for_after_one_try(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", agent_after=20 * MINUTES)

    stage.run(15 * MINUTES)
    waiting = (len(item_puts(stage)), stage.policy_of())
    stage.run(25 * MINUTES)

    assert waiting == (1, "")
    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")
    assert len(item_puts(stage)) == 2


def test_an_agent_that_never_comes_is_reported_after_the_limit(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", agent_after=None)

    stage.run(3 * HOURS)

    assert (stage.ended(), stage.reason()) == ("AGENT_NEVER_READY", "AGENT_NEVER_READY")
    assert stage.policy_of() == ""
    assert len(item_puts(stage)) == 1


def test_an_agent_that_comes_long_after_the_limit_is_found_by_a_sweep(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", agent_after=5 * HOURS)

    stage.run(8 * HOURS)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


def test_a_deallocated_vm_is_enabled_without_waiting_for_an_agent(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", power="deallocated", agent_after=None)

    stage.run(5 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")
    assert len(item_puts(stage)) == 1


def test_a_vm_recreated_under_the_same_name_is_confirmed_in_the_old_item(stage: Stage):
    protected_by_us(stage)

    machine = recreate(stage)
    stage.run(10 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.vm_guid, item.policy) == (machine.vm_id, "gold")
    assert (stage.ended(), stage.reason()) == ("PROTECTED", "PROTECTED")
    assert stage.arm_writes() == ["policies.put", "items.put", "items.put"]


def test_a_vm_recreated_without_an_event_is_confirmed_by_the_next_sweep(stage: Stage):
    protected_by_us(stage)
    stage.world.events.lose_next("/web", times=2)

    machine = recreate(stage)
    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.vm_guid, stage.ended()) == (machine.vm_id, "PROTECTED")


def test_an_item_of_a_trusted_launch_vm_that_refuses_its_successor_is_reported(stage: Stage):
    protected_by_us(stage, security_type="TrustedLaunch")

    recreate(stage)
    stage.run(40 * MINUTES)

    assert stage.ended() == "RECREATED_IN_THE_WAY"
    assert stage.reason() == "RECREATED_IN_THE_WAY"
    assert stage.policy_of() == "gold"
    assert stage.arm_writes() == ["policies.put", "items.put", "items.put"]


def test_a_soft_deleted_item_of_the_same_name_is_in_the_way_and_reported(stage: Stage):
    protected_by_us(stage)
    stage.world.vaults.soft_delete(stage.id())
    before = stage.arm_writes()

    recreate(stage)
    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert item.is_soft_deleted
    assert (stage.ended(), stage.reason()) == ("SOFT_DELETED", "SOFT_DELETED")
    assert stage.arm_writes() == before


def test_a_soft_deleted_item_in_the_way_is_undeleted_where_configured(stage: Stage):
    stage.configure(protect_section("on_soft_deleted", "undelete"))
    protected_by_us(stage)
    stage.world.vaults.soft_delete(stage.id())

    machine = recreate(stage)
    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.vm_guid, item.policy) == (machine.vm_id, "gold")
    assert (stage.ended(), stage.reason()) == ("PROTECTED", "PROTECTED")


def test_a_vm_moved_to_another_group_is_protected_anew_and_its_old_item_reported(stage: Stage):
    protected_by_us(stage)
    old = stage.id("web")

    stage.world.machines.move(old, "rg-moved")
    stage.run(40 * MINUTES)

    new = stage.world.vaults.item_of(stage.id("web", "rg-moved"))
    assert new is not None
    assert (new[0].name, new[1].policy) == (VAULT, "gold")
    assert [str(item.vm) for item in stage.app.sweep.survey().orphans] == [old.lower()]
    assert stage.policy_of("web") == "gold"
    assert stage.arm_writes() == ["policies.put", "items.put", "items.put"]


def test_an_orphaned_item_stands_in_the_evidence_of_the_sweep(stage: Stage):
    protected_by_us(stage)
    stage.world.machines.move(stage.id("web"), "rg-moved")

    stage.run(40 * MINUTES)

    records = [record for _, record in stage.app.evidence.chain("sweep/")]
    assert records[-1]["body"]["orphans"] == [stage.id("web").lower()]


def test_a_vm_with_an_ephemeral_os_disk_is_reported_and_never_tried(stage: Stage):
    stage.create_vault()
    stage.create_vm("web").os_disk.ephemeral = True

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("UNSUPPORTED", "UNSUPPORTED")
    assert stage.arm_writes() == []


def test_a_vm_with_too_many_disks_is_reported_and_never_tried(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", data_disks=33)

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("UNSUPPORTED", "UNSUPPORTED")
    assert stage.arm_writes() == []


def test_a_vm_with_a_disk_beyond_32_tb_is_reported_and_never_tried(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", data_disks=1).disks[0].size_gb = 40_000

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("UNSUPPORTED", "UNSUPPORTED")
    assert stage.arm_writes() == []


def test_a_confidential_vm_is_not_tried_with_a_standard_policy(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", tag="standard", security_type="ConfidentialVM")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("NEEDS_ENHANCED", "NEEDS_ENHANCED")
    assert stage.arm_writes() == []


def test_a_confidential_vm_is_protected_with_an_enhanced_policy(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", tag="gold", security_type="ConfidentialVM")

    stage.run(5 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


@pytest.mark.parametrize("kind", ["UltraSSD_LRS", "PremiumV2_LRS"])
def test_a_vm_with_a_disk_that_needs_an_enhanced_policy_is_reported(stage: Stage, kind: str):
    stage.create_vault()
    stage.create_vm("web", tag="standard", data_disks=1).disks[0].sku = kind

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("NEEDS_ENHANCED", "NEEDS_ENHANCED")
    assert stage.arm_writes() == []


def test_a_trusted_launch_vm_is_protected_with_a_standard_policy(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", tag="standard", security_type="TrustedLaunch")

    stage.run(5 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "standard")


def test_a_trusted_launch_vm_that_azure_refuses_under_a_standard_policy_is_reported(stage: Stage):
    stage.create_vault()
    stage.world.vaults.rules.standard_policy_for_trusted_launch = False
    stage.create_vm("web", tag="standard", security_type="TrustedLaunch")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("NEEDS_ENHANCED", "NEEDS_ENHANCED")
    assert stage.arm_writes() == ["policies.put", "items.put"]


def test_a_vm_that_the_vault_does_not_know_yet_is_protected_after_one_refresh(stage: Stage):
    stage.world.vaults.rules.undiscovered_for = 30 * MINUTES
    stage.create_vault().discovers_every = 10 * HOURS
    stage.create_vm("web")

    stage.run(10 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")
    assert stage.arm_writes() == ["policies.put", "items.put", "containers.refresh", "items.put"]


def test_a_restored_copy_is_reported_and_left_alone(stage: Stage):
    stage.create_vault()
    restored(stage.create_vm("web"))

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("RESTORED_COPY", "RESTORED_COPY")
    assert stage.arm_writes() == []


def test_a_restored_copy_is_protected_where_a_rule_says_so(stage: Stage):
    stage.configure(RESTORED_COPIES)
    stage.create_vault()
    restored(stage.create_vm("web"))

    stage.run(10 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


def test_a_vm_restored_in_place_from_its_own_item_stays_protected(stage: Stage):
    machine = restored(protected_by_us(stage))
    before = stage.arm_writes()

    stage.world.machines.update(machine)
    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("PROTECTED", "PROTECTED")
    assert stage.policy_of() == "gold"
    assert stage.arm_writes() == before


def test_a_vm_restored_in_place_still_gets_the_policy_that_its_tag_asks_for(stage: Stage):
    machine = restored(protected_by_us(stage, tag="standard"))

    stage.world.machines.tag(machine.id, {"backup": "gold"})
    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


def test_a_restored_copy_that_somebody_protected_is_taken_as_it_is(stage: Stage):
    restored(protected_by_a_person(stage, "gold"))
    settle(stage)

    stage.run(40 * MINUTES)

    assert stage.reason() == "PROTECTED"
    assert stage.arm_writes() == []


def test_a_vm_from_before_the_app_is_protected_by_its_first_sweep(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", created_by=PAST)

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")
