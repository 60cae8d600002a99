"""Vaults, items and jobs, read and written as Azure Backup really answers."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT, WEB, WEST, Desk
from vmbackup_core.domain.errors import BackupError, Denied, Malformed, Rejected, Retryable, Stale
from vmbackup_core.domain.facts import DiskExclusion, ItemState
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.operations import Progress
from vmbackup_core.domain.policies import PolicyKind, PolicySpec, Retention
from vmbackup_core.domain.schedules import Daily, Hourly

SECOND = VaultId(SUB, VAULT.group, "rsv-2")
GOLD = PolicySpec(
    "gold",
    PolicyKind.ENHANCED,
    Hourly(timedelta(hours=4), time(6), timedelta(hours=12)),
    Retention(daily_days=30, weekly_weeks=12, monthly_months=12, yearly_years=3, snapshot_days=7),
)
SILVER = PolicySpec(
    "Silver", PolicyKind.STANDARD, Daily(time(22)), Retention(daily_days=14, snapshot_days=2)
)
LONG = timedelta(hours=1)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture
def vault(desk: Desk) -> Any:
    """A vault that knows one VM called web."""
    made = desk.world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
    create_vm(desk)
    desk.wait(LONG)
    return made


def create_vm(desk: Desk, name: str = "web", **more: Any) -> Any:
    return desk.world.machines.create(
        subscription=SUB, group="RG-App", name=name, location=WEST, **more
    )


def writes(desk: Desk) -> list[str]:
    return [e.route for e in desk.world.exchanges if e.request.method not in ("GET", "HEAD")]


# Looking.


def test_the_vaults_of_a_place_come_with_their_policies_and_counts(desk: Desk, vault: Any) -> None:
    desk.world.vaults.create(SUB, VAULT.group, "rsv-north", "northeurope")
    desk.world.vaults.protect(str(WEB), vault, "EnhancedPolicy")

    (found,) = desk.vaults.observe_vaults(SUB, WEST)

    assert (found.id, found.location, found.ready, found.items) == (VAULT, WEST, True, 1)
    assert {policy.name for policy in found.policies} == {"DefaultPolicy", "EnhancedPolicy"}
    assert all(policy.schedule is not None for policy in found.policies)
    assert desk.calls() == ["vaults.list_all", "policies.list", "usage_summaries.list"]


def test_a_place_without_vaults_has_none(desk: Desk) -> None:
    assert desk.vaults.observe_vaults(SUB, WEST) == ()


def test_a_vault_that_is_being_made_is_not_ready(desk: Desk) -> None:
    desk.world.vaults.create(SUB, VAULT.group, VAULT.name, WEST, takes=timedelta(minutes=1))

    (found,) = desk.vaults.observe_vaults(SUB, WEST)

    assert not found.ready


def test_a_vm_that_nobody_protects_has_no_item(desk: Desk, vault: Any) -> None:
    assert desk.vaults.observe_items(WEB, WEST, None) == ()
    assert desk.calls() == ["backup_status.get"]


def test_a_protected_vm_is_found_wherever_it_is(desk: Desk, vault: Any) -> None:
    elsewhere = desk.world.vaults.create(SUB, "rg-elsewhere", "rsv-x", WEST)
    desk.world.vaults.protect(str(WEB), elsewhere)

    (item,) = desk.vaults.observe_items(WEB, WEST, VAULT)

    assert (item.vm, item.vault) == (WEB, VaultId(SUB, "rg-elsewhere", "rsv-x"))
    assert (item.state, item.policy) == (ItemState.PROTECTED, "DefaultPolicy")
    assert item.last_backup is None
    assert desk.calls() == ["backup_status.get", "items.get"]


def test_a_stopped_item_is_found_where_it_would_be_in_the_way(desk: Desk, vault: Any) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    desk.world.vaults.stop(str(WEB))

    (item,) = desk.vaults.observe_items(WEB, WEST, VAULT)

    assert (item.state, item.policy) == (ItemState.STOPPED, "")


def test_a_soft_deleted_item_is_found_where_it_would_be_in_the_way(desk: Desk, vault: Any) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    desk.world.vaults.soft_delete(str(WEB))

    (item,) = desk.vaults.observe_items(WEB, WEST, VAULT)

    assert item.state is ItemState.SOFT_DELETED


def test_the_likely_vault_may_have_no_item_or_not_be_there(desk: Desk, vault: Any) -> None:
    assert desk.vaults.observe_items(WEB, WEST, VAULT) == ()
    assert desk.vaults.observe_items(WEB, WEST, SECOND) == ()


def test_an_item_that_was_backed_up_says_when(desk: Desk, vault: Any) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    desk.wait(timedelta(days=2))

    (item,) = desk.vaults.observe_items(WEB, WEST, None)

    assert item.last_backup is not None
    assert timedelta(0) < desk.clock.now() - item.last_backup < timedelta(days=2)


def test_the_vault_that_the_service_names_costs_one_call(desk: Desk, vault: Any) -> None:
    assert desk.vaults.find_vault(WEB, WEST) is None
    desk.world.vaults.protect(str(WEB), vault)

    assert desk.vaults.find_vault(WEB, WEST) == VAULT
    assert desk.calls() == ["backup_status.get"] * 2


def test_the_items_of_a_vault_are_one_list_that_says_what_each_says(desk: Desk, vault: Any) -> None:
    db = create_vm(desk, "db")
    desk.world.vaults.protect(str(WEB), vault)
    desk.world.vaults.protect(db.id, vault)
    desk.world.vaults.stop(str(WEB))

    listed = desk.vaults.list_items(VAULT)

    assert desk.calls() == ["items.list"]
    alone = [desk.vaults.observe_items(item.vm, WEST, VAULT) for item in listed]
    assert [(item,) for item in listed] == alone
    assert {item.state for item in listed} == {ItemState.STOPPED, ItemState.PROTECTED}


# Creating.


def test_a_vault_is_created_safe_and_told_by_its_tags(desk: Desk) -> None:
    desk.vaults.create_vault(VAULT, WEST, "ZoneRedundant")
    desk.wait()

    made = desk.world.vaults.find(SUB, VAULT.group, VAULT.name)
    assert made is not None
    assert made.tags == {"vmbackup-made-by": "vmbackup"}
    assert made.settings["redundancySettings"]["standardTierStorageRedundancy"] == "ZoneRedundant"
    assert made.soft_delete
    (seen,) = desk.vaults.observe_vaults(SUB, WEST)
    assert (seen.id, seen.ready) == (VAULT, True)
    assert writes(desk) == ["vaults.put"]


def test_a_vault_brings_the_group_that_it_needs(desk: Desk) -> None:
    lonely = VaultId(SUB, "rg-new", "rsv-1")

    desk.vaults.create_vault(lonely, WEST, "GeoRedundant")

    group = desk.world.groups.find(SUB, "rg-new")
    assert group is not None
    assert group.tags == {"vmbackup-made-by": "vmbackup"}
    assert writes(desk) == ["groups.put", "vaults.put"]


def test_creating_a_vault_twice_is_creating_it_once(desk: Desk) -> None:
    desk.vaults.create_vault(VAULT, WEST, "GeoRedundant")
    desk.vaults.create_vault(VAULT, WEST, "LocallyRedundant")

    assert writes(desk) == ["vaults.put"]


@pytest.mark.parametrize("policy", [GOLD, SILVER])
def test_a_policy_is_created_as_it_was_meant(desk: Desk, vault: Any, policy: PolicySpec) -> None:
    desk.vaults.create_policy(VAULT, policy)

    (seen,) = desk.vaults.observe_vaults(SUB, WEST)
    assert seen.policy(policy.name) == policy.as_facts()


def test_a_policy_that_is_there_is_left_alone(desk: Desk, vault: Any) -> None:
    desk.vaults.create_policy(VAULT, GOLD)

    desk.vaults.create_policy(VAULT, replace(SILVER, name="gold"))

    (seen,) = desk.vaults.observe_vaults(SUB, WEST)
    assert seen.policy("gold") == GOLD.as_facts()
    assert writes(desk) == ["policies.put"]


# Protecting.


def protect(desk: Desk, policy: str = "DefaultPolicy", vm: VmId = WEB) -> str:
    return desk.vaults.set_protection(vm, VAULT, policy, None)


def test_a_vm_is_protected_once_its_operation_has_succeeded(desk: Desk, vault: Any) -> None:
    operation = protect(desk)

    assert desk.jobs.observe_operation(operation).progress is Progress.RUNNING
    desk.wait()
    assert desk.jobs.observe_operation(operation).progress is Progress.SUCCEEDED
    (item,) = desk.vaults.observe_items(WEB, WEST, None)
    assert (item.state, item.policy, item.vault) == (ItemState.PROTECTED, "DefaultPolicy", VAULT)
    assert writes(desk).count("items.put") == 1


def test_the_url_of_an_operation_is_long_and_used_as_it_is(desk: Desk, vault: Any) -> None:
    operation = protect(desk)

    desk.jobs.observe_operation(operation)

    assert len(operation) > 1_500
    assert desk.world.exchanges[-1].request.url == operation


def test_a_policy_is_changed_by_the_same_call(desk: Desk, vault: Any) -> None:
    protect(desk)
    desk.wait()

    protect(desk, "EnhancedPolicy")
    desk.wait()

    (item,) = desk.vaults.observe_items(WEB, WEST, None)
    assert item.policy == "EnhancedPolicy"


def test_a_stopped_item_is_resumed_by_the_same_call(desk: Desk, vault: Any) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    desk.world.vaults.stop(str(WEB))

    protect(desk)
    desk.wait()

    (item,) = desk.vaults.observe_items(WEB, WEST, None)
    assert item.state is ItemState.PROTECTED


def test_the_disks_that_are_left_out_stay_out(desk: Desk, vault: Any) -> None:
    left_out = DiskExclusion((0,), including=False)

    desk.vaults.set_protection(WEB, VAULT, "DefaultPolicy", left_out)
    desk.wait()
    (before,) = desk.vaults.observe_items(WEB, WEST, None)
    desk.vaults.set_protection(WEB, VAULT, "EnhancedPolicy", before.exclusion)
    desk.wait()

    (after,) = desk.vaults.observe_items(WEB, WEST, None)
    assert before.exclusion == after.exclusion == left_out


def test_a_soft_deleted_item_is_taken_back_and_then_resumed(desk: Desk, vault: Any) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    desk.world.vaults.soft_delete(str(WEB))

    operation = desk.vaults.undelete(WEB, VAULT)
    desk.wait()
    undeleted = desk.vaults.observe_items(WEB, WEST, VAULT)
    protect(desk)
    desk.wait()
    resumed = desk.vaults.observe_items(WEB, WEST, VAULT)

    assert desk.jobs.observe_operation(operation).progress is Progress.SUCCEEDED
    assert [item.state for item in (*undeleted, *resumed)] == [
        ItemState.STOPPED,
        ItemState.PROTECTED,
    ]


def test_letting_a_vault_look_ends_with_the_vm_known(desk: Desk) -> None:
    desk.world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
    create_vm(desk)

    operation = desk.vaults.refresh_containers(VAULT)

    assert desk.jobs.observe_operation(operation).progress is Progress.RUNNING
    desk.wait()
    assert desk.jobs.observe_operation(operation).progress is Progress.SUCCEEDED
    protect(desk)


# What goes wrong.


def test_a_vm_whose_agent_is_not_up_fails_late_with_azures_own_code(desk: Desk, vault: Any) -> None:
    young = VmId(SUB, "rg-app", "young")
    create_vm(desk, "young", agent_after=None)
    desk.wait(LONG)

    operation = protect(desk, vm=young)
    desk.wait()

    facts = desk.jobs.observe_operation(operation)
    assert facts.progress is Progress.FAILED
    assert facts.code == "UserErrorGuestAgentStatusUnavailable"
    assert "agent" in facts.message


def test_an_item_in_soft_delete_refuses_to_be_protected(desk: Desk, vault: Any) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    desk.world.vaults.soft_delete(str(WEB))

    with pytest.raises(Rejected) as caught:
        protect(desk)

    assert caught.value.code


def test_an_item_that_is_busy_is_tried_later(desk: Desk, vault: Any) -> None:
    protect(desk)

    with pytest.raises(Retryable) as caught:
        protect(desk, "EnhancedPolicy")

    assert not caught.value.maybe_done
    assert caught.value.status == 409


@pytest.mark.parametrize(
    ("kind", "ours", "maybe_done"),
    [
        (Kind.BAD_REQUEST, Rejected, False),
        (Kind.FORBIDDEN, Denied, False),
        (Kind.POLICY_DENIED, Denied, False),
        (Kind.LOCKED, Denied, False),
        (Kind.NOT_FOUND, Stale, False),
        (Kind.PRECONDITION, Stale, False),
        (Kind.BUSY, Retryable, False),
        (Kind.ARM_THROTTLED, Retryable, False),
        (Kind.PROVIDER_THROTTLED, Retryable, False),
        (Kind.INTERNAL, Retryable, True),
        (Kind.BAD_GATEWAY, Retryable, True),
        (Kind.UNAVAILABLE, Retryable, True),
        (Kind.GATEWAY_TIMEOUT, Retryable, True),
        (Kind.RESET_BEFORE, Retryable, False),
        (Kind.RESET_AFTER, Retryable, True),
    ],
)
@pytest.mark.parametrize("write", ["protect", "undelete", "refresh", "policy", "vault"])
def test_a_write_is_sent_once_whatever_goes_wrong(
    desk: Desk, vault: Any, write: str, kind: Kind, ours: type[BackupError], maybe_done: bool
) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    desk.world.vaults.soft_delete(str(WEB))
    send, route = WRITES[write]
    desk.world.faults.add(Fault(kind, route, times=None))

    with pytest.raises(ours) as caught:
        send(desk)

    assert getattr(caught.value, "maybe_done", False) is maybe_done
    assert writes(desk) == [route]


WRITES: dict[str, Any] = {
    "protect": (protect, "items.put"),
    "undelete": (lambda desk: desk.vaults.undelete(WEB, VAULT), "items.put"),
    "refresh": (lambda desk: desk.vaults.refresh_containers(VAULT), "containers.refresh"),
    "policy": (lambda desk: desk.vaults.create_policy(VAULT, GOLD), "policies.put"),
    "vault": (
        lambda desk: desk.vaults.create_vault(SECOND, WEST, "GeoRedundant"),
        "vaults.put",
    ),
}


def test_a_write_that_is_told_to_wait_says_for_how_long(desk: Desk, vault: Any) -> None:
    asked = timedelta(hours=1)
    desk.world.faults.add(Fault(Kind.PROVIDER_THROTTLED, "items.put", retry_after=asked))
    began = desk.clock.now()

    with pytest.raises(Retryable) as caught:
        protect(desk)

    assert caught.value.after == asked
    assert desk.clock.now() == began


# Jobs and operations.


def test_the_configuration_jobs_of_a_vault_are_one_list(desk: Desk, vault: Any) -> None:
    db = VmId(SUB, "rg-app", "db")
    create_vm(desk, "db")
    desk.wait(LONG)
    began = desk.clock.now()
    protect(desk)
    protect(desk, vm=db)
    desk.wait()
    before = len(desk.calls())

    jobs = desk.jobs.observe_jobs(VAULT, began)

    assert desk.calls()[before:] == ["jobs.list"]
    assert {(job.operation, job.progress) for job in jobs} == {
        ("ConfigureBackup", Progress.SUCCEEDED)
    }
    assert [sum(job.concerns(vm) for job in jobs) for vm in (WEB, db)] == [1, 1]


def test_a_job_is_seen_while_it_runs_and_not_when_it_is_old(desk: Desk, vault: Any) -> None:
    began = desk.clock.now()
    protect(desk)
    desk.wait(timedelta(seconds=1))

    (running,) = desk.jobs.observe_jobs(VAULT, began)
    desk.wait()

    assert running.progress is Progress.RUNNING
    assert desk.jobs.observe_jobs(VAULT, desk.clock.now()) == ()


def test_backups_are_not_among_the_configuration_jobs(desk: Desk, vault: Any) -> None:
    desk.world.vaults.protect(str(WEB), vault)
    began = desk.clock.now()
    desk.wait(timedelta(days=2))

    assert desk.jobs.observe_jobs(VAULT, began) == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/subscriptions/x/operationsStatus/1",
        "https://management.azure.com@evil.example/operationsStatus/1",
        "http://management.azure.com/subscriptions/x/operationsStatus/1",
        "/subscriptions/x/operationsStatus/1",
        "",
    ],
)
def test_an_operation_elsewhere_is_not_followed(desk: Desk, url: str) -> None:
    with pytest.raises(Malformed, match="another host"):
        desk.jobs.observe_operation(url)

    assert desk.calls() == []


def test_a_new_vm_costs_few_calls_from_look_to_evidence(desk: Desk, vault: Any) -> None:
    before = len(desk.calls())

    desk.inventory.observe_vm(WEB)
    desk.vaults.observe_items(WEB, WEST, VAULT)
    operation = protect(desk)
    desk.wait()
    desk.jobs.observe_operation(operation)
    desk.vaults.observe_items(WEB, WEST, VAULT)

    assert desk.calls()[before:] == [
        "machines.get",
        "backup_status.get",
        "items.get",
        "items.put",
        "items.operation_status",
        "backup_status.get",
        "items.get",
    ]
