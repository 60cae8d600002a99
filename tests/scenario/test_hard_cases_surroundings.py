"""Hard cases of what is around a VM: vaults, policies, limits, locks, guards and permissions."""

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.recovery.guards import Guard
from tests.scenario.people import (
    HOURS,
    MINUTES,
    SECONDS,
    WITH_SILVER,
    item_puts,
    late_failure,
    limits_section,
    protected_by_us,
    stocked_vault,
)
from tests.scenario.stage import SUB, TOML, VAULT, VAULT_GROUP, WEST, Stage

NO_NEW_VAULTS = TOML.replace("create = true", "create = false")
SECOND = f"rsv-{SUB[:8]}-{WEST}-2"
ONE_A_VAULT = limits_section("vms_per_vault", 1)

NEEDED = ("machines.get", "vaults.list_all", "policies.list", "backup_status.get", "items.get")
NEEDED += ("policies.put", "items.put")


def always(stage: Stage, kind: Kind, route: str, **more: object) -> None:
    stage.world.faults.add(Fault(kind, route, times=None, **more))  # type: ignore[arg-type]


# Vaults and policies.


def test_a_missing_vault_is_reported_where_none_may_be_made(stage: Stage):
    stage.configure(NO_NEW_VAULTS)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("NO_VAULT", "NO_VAULT")
    assert stage.arm_writes() == []


def test_a_vault_that_fits_no_pattern_is_not_used(stage: Stage):
    stage.configure(NO_NEW_VAULTS)
    stocked_vault(stage, "finance-vault")
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("NO_VAULT", "")
    assert stage.arm_writes() == []


def test_a_vault_that_somebody_makes_is_found_by_the_next_sweep(stage: Stage):
    stage.configure(NO_NEW_VAULTS)
    stage.create_vm("web")
    stage.run(10 * MINUTES)

    stage.create_vault()
    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.vault_of()) == ("PROTECTED", VAULT)


def test_a_vault_is_made_with_safe_settings_and_says_who_made_it(stage: Stage):
    stage.create_vm("web")

    stage.run(10 * MINUTES)

    vault = stage.world.vaults.get(SUB, VAULT_GROUP, VAULT)
    assert vault.settings["redundancySettings"]["standardTierStorageRedundancy"] == "GeoRedundant"
    assert vault.tags == {"vmbackup-made-by": "vmbackup"}
    assert (vault.soft_delete, vault.location) == (True, WEST)
    assert stage.arm_writes() == ["groups.put", "vaults.put", "policies.put", "items.put"]


def test_many_vms_of_a_place_without_a_vault_make_one(stage: Stage):
    for number in range(5):
        stage.create_vm(f"web-{number}")

    stage.run(20 * MINUTES)

    assert {stage.vault_of(f"web-{n}") for n in range(5)} == {VAULT}
    assert stage.arm_writes().count("vaults.put") == 1
    assert stage.arm_writes().count("policies.put") == 1


def test_a_missing_policy_is_made_as_configured(stage: Stage):
    vault = stage.create_vault()
    stage.create_vm("web", tag="standard")

    stage.run(10 * MINUTES)

    kept = vault.policy("standard").body["retentionPolicy"]["dailySchedule"]["retentionDuration"]
    assert kept == {"count": 14, "durationType": "Days"}
    assert stage.arm_writes() == ["policies.put", "items.put"]


def test_a_policy_that_is_there_under_that_name_is_left_as_it_is(stage: Stage):
    vault = stocked_vault(stage)
    theirs = vault.policy("standard").body = dict(vault.policy("DefaultPolicy").body)
    stage.create_vm("web", tag="standard")

    stage.run(10 * MINUTES)

    assert stage.policy_of() == "standard"
    assert vault.policy("standard").body == theirs
    assert stage.arm_writes() == ["items.put"]


# Limits.


def test_a_full_vault_is_followed_by_the_next_of_the_pattern(stage: Stage):
    stage.configure(ONE_A_VAULT)
    protected_by_us(stage, "first")
    stage.run(10 * MINUTES)

    stage.create_vm("second")
    stage.run(15 * MINUTES)

    assert (stage.vault_of("first"), stage.vault_of("second")) == (VAULT, SECOND)
    assert (stage.ended("second"), stage.reason("second")) == ("PROTECTED", "PROTECTED")


def test_a_full_vault_is_followed_by_one_that_is_there(stage: Stage):
    stage.configure(limits_section("vms_per_vault", 1, NO_NEW_VAULTS))
    protected_by_us(stage, "first")
    stage.create_vault(SECOND)
    stage.run(10 * MINUTES)

    stage.create_vm("second")
    stage.run(15 * MINUTES)

    assert (stage.vault_of("second"), stage.ended("second")) == (SECOND, "PROTECTED")


def test_full_vaults_are_reported_where_none_may_be_made(stage: Stage):
    stage.configure(limits_section("vms_per_vault", 1, NO_NEW_VAULTS))
    protected_by_us(stage, "first")
    before = stage.arm_writes()
    stage.run(10 * MINUTES)

    stage.create_vm("second")
    stage.run(40 * MINUTES)

    assert (stage.ended("second"), stage.reason("second")) == ("VAULT_FULL", "VAULT_FULL")
    assert stage.arm_writes() == before


def test_a_vault_that_azure_calls_full_is_followed_by_the_next(stage: Stage):
    protected_by_us(stage, "first")
    stage.world.vaults.rules.most_vms = 1
    stage.run(10 * MINUTES)

    stage.create_vm("second")
    stage.run(40 * MINUTES)

    assert (stage.vault_of("second"), stage.ended("second")) == (SECOND, "PROTECTED")
    assert len(item_puts(stage, "second")) == 2


def test_a_vault_that_filled_up_behind_our_back_is_left_whatever_azure_says(stage: Stage):
    stage.configure(ONE_A_VAULT)
    stage.create_vault()
    words = {"resource": "second", "code": "UserErrorOfTomorrow", "message": "Not today."}
    stage.world.faults.add(Fault(Kind.BAD_REQUEST, "items.put", **words))
    stage.create_vm("first")
    stage.create_vm("second")

    stage.run(3 * HOURS)

    assert (stage.vault_of("first"), stage.vault_of("second")) == (VAULT, SECOND)
    assert len(item_puts(stage, "second")) == 2


def test_a_refusal_that_nobody_knows_is_reported_in_azures_words(stage: Stage):
    stage.create_vault()
    always(stage, Kind.BAD_REQUEST, "items.put", code="UserErrorOfTomorrow", message="Not today.")
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("REFUSED", "REFUSED")
    records = [record["body"] for _, record in stage.app.evidence.chain("protection/")]
    assert "UserErrorOfTomorrow" in str(records[-1]["because"])
    assert len(item_puts(stage)) == 1


def test_our_daily_limit_of_a_vault_holds_the_rest_until_tomorrow(stage: Stage):
    stage.configure(limits_section("configures_per_vault_per_day", 1))
    protected_by_us(stage, "first")
    before = stage.arm_writes()
    stage.create_vm("second")

    stage.run(40 * MINUTES)
    today = (stage.ended("second"), stage.reason("second"), stage.arm_writes())
    stage.run(16 * HOURS)

    assert today == ("DAILY_LIMIT", "DAILY_LIMIT", before)
    assert (stage.ended("second"), stage.policy_of("second")) == ("PROTECTED", "gold")


def test_azures_daily_limit_of_a_vault_is_reported_and_ends_by_itself(stage: Stage):
    protected_by_us(stage, "first")
    stage.world.vaults.rules.configures_a_day = 1
    stage.create_vm("second")

    stage.run(3 * HOURS)
    today = (stage.ended("second"), stage.reason("second"), stage.policy_of("second"))
    asked = item_puts(stage, "second")
    stage.run(24 * HOURS)

    assert today == ("DAILY_LIMIT", "DAILY_LIMIT", "")
    assert len(asked) == 1
    assert (stage.ended("second"), stage.policy_of("second")) == ("PROTECTED", "gold")


# Locks, guards, rights.


def test_a_locked_vault_is_reported_and_not_hammered(stage: Stage):
    stage.create_vault()
    always(stage, Kind.LOCKED, "items.put")
    stage.create_vm("web")

    stage.run(100 * MINUTES)

    assert (stage.ended(), stage.reason(), stage.policy_of()) == ("LOCKED", "LOCKED", "")
    assert len(item_puts(stage)) == 1


def test_a_locked_group_in_which_no_vault_can_be_made_is_reported(stage: Stage):
    always(stage, Kind.LOCKED, "vaults.put")
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("LOCKED", "LOCKED")


def test_a_removed_lock_is_noticed_without_an_event(stage: Stage):
    stage.create_vault()
    always(stage, Kind.LOCKED, "items.put")
    stage.create_vm("web")
    stage.run(40 * MINUTES)

    stage.world.faults.clear()
    stage.run(3 * HOURS)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.FORBIDDEN])  # Azure's is not known.
def test_what_a_resource_guard_forbids_is_reported(stage: Stage, kind: Kind):
    stage.create_vault()
    words = "ResourceGuard Operation requestid is either null or empty"
    always(stage, kind, "items.put", code="UserErrorOfAGuard", message=words)
    stage.create_vm("web")

    stage.run(100 * MINUTES)

    assert (stage.ended(), stage.reason(), stage.policy_of()) == ("GUARDED", "GUARDED", "")
    assert len(item_puts(stage)) == 1


def test_a_resource_guard_does_not_hinder_what_only_adds(stage: Stage):
    vault = stage.create_vault()
    guard = f"/subscriptions/{SUB}/resourceGroups/rg-guard/providers"
    guard += "/Microsoft.DataProtection/resourceGuards/guard"
    now = stage.world.clock.now()
    vault.guards["vaultproxy"] = Guard("VaultProxy", guard, now)
    stage.create_vm("web")

    stage.run(10 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


@pytest.mark.parametrize("route", ["items.put", "policies.put"])
def test_what_an_azure_policy_denies_is_reported(stage: Stage, route: str):
    stage.create_vault()
    always(stage, Kind.POLICY_DENIED, route)
    stage.create_vm("web")

    stage.run(100 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("POLICY_DENIES", "POLICY_DENIES")
    assert stage.policy_of() == ""
    assert stage.arm_writes().count(route) == 1


@pytest.mark.parametrize("route", ["groups.put", "vaults.put"])
def test_a_vault_that_an_azure_policy_denies_is_reported(stage: Stage, route: str):
    always(stage, Kind.POLICY_DENIED, route)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("POLICY_DENIES", "POLICY_DENIES")
    assert stage.arm_writes().count(route) == 1


def test_an_azure_policy_that_denies_late_is_reported(stage: Stage):
    stage.create_vault()
    late_failure(stage, "UserErrorRequestDisallowedByPolicy", "An Azure Policy forbids it.")
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("POLICY_DENIES", "POLICY_DENIES")


@pytest.mark.parametrize("route", NEEDED)
def test_a_right_that_is_missing_is_reported(stage: Stage, route: str):
    stage.create_vault()
    always(stage, Kind.FORBIDDEN, route)
    stage.create_vm("web")

    stage.run(100 * MINUTES)

    assert (stage.ended(), stage.reason()) == ("NO_PERMISSION", "NO_PERMISSION")
    assert stage.policy_of() == ""
    assert stage.failures() == []


def test_a_right_that_is_given_is_noticed_without_an_event(stage: Stage):
    stage.create_vault()
    always(stage, Kind.FORBIDDEN, "items.put")
    stage.create_vm("web")
    stage.run(40 * MINUTES)

    stage.world.faults.clear()
    stage.run(3 * HOURS)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


# Busy.


def test_another_operation_on_the_item_is_waited_for(stage: Stage):
    stage.create_vault()
    stage.world.faults.add(Fault(Kind.BUSY, "items.put", times=3))
    stage.create_vm("web")

    stage.run(20 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")
    assert stage.effective_enables() == 1


def test_a_person_who_enables_the_same_vm_at_the_same_moment_is_met_in_peace(stage: Stage):
    vault = stocked_vault(stage)
    stage.world.events.disturb(latency=5 * SECONDS)
    machine = stage.create_vm("web", tag="standard")
    stage.run(4 * SECONDS)
    item = stage.world.vaults.protect(machine.id, vault, "standard")
    item.busy_until = stage.world.clock.now() + 80 * SECONDS

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "standard")
    assert stage.arm_writes() == []


def test_a_change_meets_an_item_that_is_busy_and_comes_back(stage: Stage):
    stage.configure(WITH_SILVER)
    machine = protected_by_us(stage, tag="standard")
    item = stage.item()
    assert item is not None
    item.busy_until = stage.world.clock.now() + 5 * MINUTES

    stage.world.machines.tag(machine.id, {"backup": "silver"})
    stage.run(20 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "silver")


def test_a_late_failure_that_passes_is_tried_again(stage: Stage):
    stage.create_vault()
    late_failure(stage, "CloudInternalError", "Microsoft Azure Backup met an internal error.")
    stage.create_vm("web")

    stage.run(20 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")
    assert len(item_puts(stage)) == 2
