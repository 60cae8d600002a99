"""Hard cases of the item: what is protected already is changed only where that is safe and ours."""

from typing import Any

import pytest

from azsim.recovery.jobs import Failure
from tests.scenario.people import (
    HOURS,
    MINUTES,
    SECONDS,
    WITH_SILVER,
    exclude_disk,
    item_puts,
    policies_asked_for,
    protect_section,
    protected_by_a_person,
    protected_by_us,
    recreate,
    settle,
    stocked_vault,
)
from tests.scenario.stage import SUB, TOML, VAULT, VAULT_GROUP, WEST, Stage

RESUME = protect_section("on_stopped", "resume", WITH_SILVER)
UNDELETE = protect_section("on_soft_deleted", "undelete", WITH_SILVER)

KEPT = 'snapshots = "5 days"\nkeep = { daily = 30, weekly = 12, monthly = 12, yearly = 3 }'
POORER = {
    "daily": KEPT.replace("daily = 30", "daily = 29"),
    "weekly": KEPT.replace("weekly = 12", "weekly = 11"),
    "monthly": KEPT.replace("monthly = 12", "monthly = 11"),
    "yearly": KEPT.replace("yearly = 3", "yearly = 2"),
    "no yearly": KEPT.replace(", yearly = 3", ""),
    "snapshots": KEPT.replace("5 days", "4 days"),
}


def with_policy(kept: str, schedule: str = "daily at 22:00") -> str:
    """Return a configuration whose gold is rich, and whose standard is as given."""
    scope = TOML[: TOML.index("[policies.gold]")]
    return (
        f'{scope}[policies.gold]\nschedule = "daily at 22:00"\n{KEPT}\n'
        f'[policies.standard]\nschedule = "{schedule}"\n{kept}\n[vaults]\ncreate = true\n'
    )


def retag(stage: Stage, value: str, name: str = "web") -> None:
    """Let the owner ask for something else, and all be quiet again."""
    stage.world.machines.tag(stage.id(name), {"backup": value})
    stage.run(40 * MINUTES)


def test_what_is_protected_as_asked_is_left_alone_by_event_and_sweep(stage: Stage):
    machine = protected_by_a_person(stage, "gold")
    settle(stage)

    stage.world.machines.update(machine)
    stage.run(70 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("PROTECTED", "PROTECTED")
    assert stage.arm_writes() == []


def test_a_policy_that_we_set_is_changed_to_a_stronger_one(stage: Stage):
    stage.configure(WITH_SILVER)
    protected_by_us(stage, tag="standard")

    retag(stage, "silver")

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "silver")
    assert policies_asked_for(stage) == ["standard", "silver"]


def test_a_standard_policy_that_we_set_is_changed_to_an_enhanced_one(stage: Stage):
    protected_by_us(stage, tag="standard")

    retag(stage, "gold")

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


def test_a_stronger_policy_that_we_set_is_not_given_up_for_a_weaker_one(stage: Stage):
    stage.configure(WITH_SILVER)
    protected_by_us(stage, tag="standard")
    retag(stage, "silver")

    retag(stage, "gold")

    assert stage.ended() == "WOULD_WEAKEN"
    assert stage.policy_of() == "silver"


def test_a_policy_that_a_person_set_is_never_changed(stage: Stage):
    stage.configure(WITH_SILVER)
    protected_by_a_person(stage, "standard", tag="silver")
    settle(stage)

    stage.run(70 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("", "OTHER_POLICY")
    assert stage.policy_of() == "standard"
    assert stage.arm_writes() == []


def test_a_policy_that_a_person_changed_after_us_is_theirs(stage: Stage):
    stage.configure(WITH_SILVER)
    protected_by_us(stage, tag="standard")
    before = stage.arm_writes()
    vault = stage.world.vaults.find(SUB, VAULT_GROUP, VAULT)
    stage.world.vaults.protect(stage.id(), vault, "DefaultPolicy")

    retag(stage, "silver")

    assert (stage.ended(), stage.reason()) == ("OTHER_POLICY", "OTHER_POLICY")
    assert stage.policy_of() == "DefaultPolicy"
    assert stage.arm_writes() == before


@pytest.mark.parametrize("poorer", POORER)
def test_a_policy_that_keeps_less_is_reported_and_never_set(stage: Stage, poorer: str):
    stage.configure(with_policy(POORER[poorer]))
    protected_by_us(stage, tag="gold")
    before = stage.arm_writes()

    retag(stage, "standard")

    assert (stage.ended(), stage.reason()) == ("WOULD_WEAKEN", "WOULD_WEAKEN")
    assert stage.policy_of() == "gold"
    assert stage.arm_writes() == before


def test_a_policy_that_backs_up_less_often_is_reported_and_never_set(stage: Stage):
    weekly = 'snapshots = "5 days"\nkeep = { weekly = 520, monthly = 120, yearly = 10 }'
    stage.configure(with_policy(weekly, "weekly on Sunday at 22:00"))
    protected_by_us(stage, tag="gold")

    retag(stage, "standard")

    assert (stage.ended(), stage.policy_of()) == ("WOULD_WEAKEN", "gold")
    assert policies_asked_for(stage) == ["gold"]


def test_a_policy_that_keeps_the_same_is_set(stage: Stage):
    stage.configure(with_policy(KEPT))
    protected_by_us(stage, tag="gold")

    retag(stage, "standard")

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "standard")


def test_a_policy_that_lies_in_the_vault_and_keeps_less_than_configured_is_not_set(stage: Stage):
    stage.configure(WITH_SILVER)
    vault = stocked_vault(stage)
    vault.policy("silver").body = vault.policy("DefaultPolicy").body | {
        "retentionPolicy": _kept_for_a_week(vault.policy("DefaultPolicy").body)
    }
    protected_by_us(stage, tag="standard")

    retag(stage, "silver")

    assert (stage.ended(), stage.policy_of()) == ("WOULD_WEAKEN", "standard")


def _kept_for_a_week(body: dict[str, Any]) -> dict[str, Any]:
    daily = body["retentionPolicy"]["dailySchedule"]
    shorter = daily | {"retentionDuration": {"count": 7, "durationType": "Days"}}
    return body["retentionPolicy"] | {"dailySchedule": shorter}


def test_the_way_from_an_enhanced_to_a_standard_policy_is_reported_and_never_tried(stage: Stage):
    stage.configure(WITH_SILVER)
    protected_by_us(stage, tag="gold")

    retag(stage, "silver")

    assert (stage.ended(), stage.reason()) == ("ENHANCED_TO_STANDARD", "ENHANCED_TO_STANDARD")
    assert stage.policy_of() == "gold"
    assert policies_asked_for(stage) == ["gold"]


def test_what_is_protected_in_another_vault_is_reported_and_left_there(stage: Stage):
    stocked_vault(stage)
    protected_by_a_person(stage, "DefaultPolicy", vault="finance-vault")
    settle(stage)

    retag(stage, "gold")

    assert (stage.ended(), stage.reason()) == ("IN_ANOTHER_VAULT", "IN_ANOTHER_VAULT")
    assert (stage.vault_of(), stage.policy_of()) == ("finance-vault", "DefaultPolicy")
    assert stage.arm_writes() == []


def test_a_vm_that_somebody_puts_into_another_vault_at_the_same_time_is_reported(stage: Stage):
    theirs = stocked_vault(stage, "finance-vault")
    stage.create_vault()
    stage.world.events.disturb(latency=5 * SECONDS)
    machine = stage.create_vm("web")
    stage.run(6 * SECONDS)
    stage.world.vaults.protect(machine.id, theirs, "DefaultPolicy")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("IN_ANOTHER_VAULT", "IN_ANOTHER_VAULT")
    assert stage.vault_of() == "finance-vault"
    assert len(item_puts(stage)) == 1


def test_a_vm_in_an_explicitly_named_vault_is_at_home_there(stage: Stage):
    stage.configure(f'{TOML}[vaults.use."{SUB}"]\n{WEST} = "{VAULT_GROUP}/finance-vault"\n')
    stage.create_vault("finance-vault")
    stage.create_vault()

    stage.create_vm("web")
    stage.run(10 * MINUTES)

    assert (stage.vault_of(), stage.policy_of()) == ("finance-vault", "gold")


def test_protection_that_somebody_stopped_is_reported_and_stays_stopped(stage: Stage):
    protected_by_us(stage)
    before = stage.arm_writes()
    stage.world.vaults.stop(stage.id())

    retag(stage, "gold")

    item = stage.item()
    assert item is not None
    assert item.stopped
    assert (stage.ended(), stage.reason()) == ("PROTECTION_STOPPED", "PROTECTION_STOPPED")
    assert stage.arm_writes() == before


def test_protection_that_somebody_stopped_is_resumed_where_configured(stage: Stage):
    stage.configure(RESUME)
    protected_by_us(stage)
    stage.world.vaults.stop(stage.id())

    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.stopped, item.policy) == (False, "gold")
    assert (stage.ended(), stage.reason()) == ("PROTECTED", "PROTECTED")


def test_what_was_stopped_is_not_resumed_with_a_weaker_policy_than_ours(stage: Stage):
    stage.configure(RESUME)
    protected_by_us(stage, tag="silver")
    before = stage.arm_writes()
    stage.world.vaults.stop(stage.id())

    retag(stage, "standard")

    assert (stage.ended(), stage.reason()) == ("WOULD_WEAKEN", "WOULD_WEAKEN")
    assert stage.arm_writes() == before


def test_a_deleted_backup_is_reported_and_stays_deleted(stage: Stage):
    protected_by_us(stage)
    before = stage.arm_writes()
    stage.world.vaults.soft_delete(stage.id())

    retag(stage, "gold")

    item = stage.item()
    assert item is not None
    assert item.is_soft_deleted
    assert (stage.ended(), stage.reason()) == ("SOFT_DELETED", "SOFT_DELETED")
    assert stage.arm_writes() == before


def test_a_deleted_backup_is_undeleted_and_then_resumed_where_configured(stage: Stage):
    stage.configure(UNDELETE)
    protected_by_us(stage)
    stage.world.vaults.soft_delete(stage.id())

    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.is_soft_deleted, item.stopped, item.policy) == (False, False, "gold")
    assert (stage.ended(), stage.reason()) == ("PROTECTED", "PROTECTED")
    undelete, resume = item_puts(stage)[-2:]
    assert (undelete["isRehydrate"], undelete["policyId"]) == (True, "")
    assert resume["policyId"].endswith("/backuppolicies/gold")


def test_a_deleted_backup_in_a_vault_that_is_not_chosen_is_no_hindrance(stage: Stage):
    theirs = stocked_vault(stage, "finance-vault")
    machine = stage.create_vm("web", tag=None)
    stage.world.vaults.protect(machine.id, theirs, "gold")
    stage.world.vaults.soft_delete(machine.id)

    retag(stage, "gold")

    assert (stage.vault_of(), stage.policy_of()) == (VAULT, "gold")


def test_an_excluded_disk_stays_excluded_when_the_policy_is_changed(stage: Stage):
    stage.configure(WITH_SILVER)
    protected_by_us(stage, tag="standard", data_disks=2)
    excluded = exclude_disk(stage)

    retag(stage, "silver")

    assert item_puts(stage)[-1]["extendedProperties"] == {"diskExclusionProperties": excluded}
    item = stage.item()
    assert item is not None
    assert (item.policy, item.exclusion) == ("silver", excluded)


def test_an_excluded_disk_stays_excluded_when_protection_is_resumed(stage: Stage):
    stage.configure(RESUME)
    protected_by_us(stage, data_disks=2)
    excluded = exclude_disk(stage)
    stage.world.vaults.stop(stage.id())

    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.policy, item.exclusion) == ("gold", excluded)


def test_an_excluded_disk_stays_excluded_through_undelete_and_resume(stage: Stage):
    stage.configure(UNDELETE)
    protected_by_us(stage, data_disks=2)
    excluded = exclude_disk(stage)
    stage.world.vaults.soft_delete(stage.id())

    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.policy, item.exclusion) == ("gold", excluded)


def test_an_excluded_disk_stays_excluded_when_a_recreated_vm_is_confirmed(stage: Stage):
    protected_by_us(stage, data_disks=2)
    excluded = exclude_disk(stage)

    recreate(stage, data_disks=2)
    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (stage.ended(), item.exclusion) == ("PROTECTED", excluded)


def test_an_item_whose_backups_fail_is_not_touched(stage: Stage):
    stage.configure(WITH_SILVER)
    protected_by_us(stage, tag="standard")
    before = stage.arm_writes()
    stage.world.vaults.fail_backups(stage.id(), Failure("UserErrorFsFreezeFailed", "No freeze."))

    stage.run(18 * HOURS)

    assert stage.reason() == "ITEM_ERROR"
    assert stage.policy_of() == "standard"
    assert stage.arm_writes() == before
