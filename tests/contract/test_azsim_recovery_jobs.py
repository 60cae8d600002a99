"""Backups, recovery points, restores and their jobs with the real SDK client, on the clock."""

from datetime import timedelta

import pytest

from azsim.recovery.restores import Restore
from azsim.world import World
from tests.contract.operator_desk import Desk, group_of, refused


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk.open(world)


def test_a_backup_on_demand_is_usable_after_its_snapshot_and_vaulted_later(desk: Desk) -> None:
    vm = desk.vm(os_type="Windows")
    desk.enable(vm)

    desk.back_up(vm)
    assert desk.points(vm) == []
    desk.later(minutes=20)
    snapshot = desk.points(vm)[0]["properties"]
    desk.later(hours=2)
    vaulted = desk.points(vm)[0]["properties"]

    assert snapshot["recoveryPointTierDetails"] == [{"type": "InstantRP", "status": "Valid"}]
    assert vaulted["recoveryPointTierDetails"] == [
        {"type": "InstantRP", "status": "Valid"},
        {"type": "HardenedRP", "status": "Valid"},
    ]
    assert vaulted["recoveryPointType"] == "AppConsistent"
    assert vaulted["createdWithPolicyType"] == "V1"


def test_a_snapshot_ages_out_and_the_vault_copy_stays(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=5)

    oldest = desk.points(vm)[-1]["properties"]["recoveryPointTierDetails"]

    assert oldest == [
        {"type": "InstantRP", "status": "Deleted"},
        {"type": "HardenedRP", "status": "Valid"},
    ]


def test_daily_points_expire_with_the_retention_of_the_policy(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)

    desk.later(days=90)

    assert 30 <= len(desk.points(vm)) <= 31


def test_who_looks_and_when_changes_nothing_of_what_the_schedule_did() -> None:
    def night(looks: int) -> list[str]:
        desk = Desk.open(World(seed=7))
        vm = desk.vm()
        desk.world.vaults.protect(vm.id, desk.vault)
        for _ in range(looks):
            desk.later(hours=72 / looks)
            desk.points(vm)
        return [point["name"] for point in desk.points(vm)]

    assert night(1) == night(36)


def test_an_enhanced_policy_backs_up_several_times_a_day(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm, "EnhancedPolicy")
    desk.later(days=2)

    newest = desk.points(vm)

    assert len(newest) >= 6
    assert {point["properties"]["createdWithPolicyType"] for point in newest} == {"V2"}


def test_points_are_filtered_by_twelve_hour_times(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=10)

    listed = desk.points(
        vm, filter="startDate eq '2026-03-04 12:00:00 AM' and endDate eq '2026-03-06 12:00:00 AM'"
    )

    assert len(listed) == 2


def test_one_backup_at_a_time(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.back_up(vm)

    assert refused(lambda: desk.back_up(vm)) == (409, "UserErrorBackupOperationInProgress")


def test_a_stopped_item_is_not_backed_up(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.stop(vm)

    assert refused(lambda: desk.back_up(vm))[0] == 400


def test_a_deallocated_machine_gets_crash_consistent_points(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.world.machines.deallocate(vm.id)

    desk.later(days=1)

    assert desk.points(vm)[0]["properties"]["recoveryPointType"] == "CrashConsistent"


def test_a_backup_job_tells_its_tasks_as_they_go(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.back_up(vm)
    job_id = desk.client.backup_jobs.list(*desk.at, filter="operation eq 'Backup'").next().name

    desk.later(seconds=30)
    young = desk.client.job_details.get(*desk.at, job_id).as_dict()["properties"]
    desk.later(hours=3)
    over = desk.client.job_details.get(*desk.at, job_id).as_dict()["properties"]

    assert [t["status"] for t in young["extendedInfo"]["tasksList"]] == ["InProgress", "NotStarted"]
    assert young["status"] == "InProgress"
    assert "endTime" not in young
    assert [t["status"] for t in over["extendedInfo"]["tasksList"]] == ["Completed", "Completed"]
    assert "Backup Size" in over["extendedInfo"]["propertyBag"]


def test_jobs_are_filtered_by_the_time_at_which_they_started(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=4)

    one_day = desk.jobs(
        filter="startTime eq '2026-03-04 12:00:00 AM' and endTime eq '2026-03-05 12:00:00 AM' "
        "and operation eq 'Backup' and status eq 'Completed'"
    )

    assert len(one_day) == 1


def test_a_listed_job_has_no_extended_info(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)

    assert "extendedInfo" not in desk.jobs()[0]


def test_restored_disks_come_from_the_snapshot_when_a_group_is_named(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    point = desk.points(vm)[0]["name"]

    desk.restore(vm, point, targetResourceGroupId=group_of(vm))
    job = desk.jobs(filter="operation eq 'Restore'")[0]
    desk.later(minutes=3)

    assert job["actionsInfo"] == ["Cancellable"]
    over = desk.jobs(filter="operation eq 'Restore'")[0]
    assert over["status"] == "Completed"


def test_a_restore_is_its_own_operation(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    desk.restore(vm, desk.points(vm)[0]["name"], targetResourceGroupId=group_of(vm))

    posted = next(e for e in desk.world.exchanges if e.route == "points.restore")

    operation = posted.response.headers["Azure-AsyncOperation"].split("?")[0].rsplit("/", 1)[1]
    job = desk.client.backup_jobs.list(*desk.at, filter="operation eq 'Restore'").next()
    assert operation == job.name


def test_restored_disks_without_a_group_crawl_out_of_the_vault(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)

    desk.restore(vm, desk.points(vm)[0]["name"])
    desk.later(minutes=25)
    job_id = desk.client.backup_jobs.list(*desk.at, filter="operation eq 'Restore'").next().name

    job = desk.client.job_details.get(*desk.at, job_id).as_dict()["properties"]
    details = job["extendedInfo"]
    assert job["status"] == "InProgress"
    assert details["tasksList"][0]["taskExecutionDetails"].endswith("GBs Transferred")
    assert 1 < details["progressPercentage"] < 100


def test_a_finished_restore_of_disks_names_config_and_template(desk: Desk) -> None:
    vm = desk.vm("web-01")
    desk.enable(vm)
    desk.later(days=1)
    desk.restore(vm, desk.points(vm)[0]["name"], targetResourceGroupId=group_of(vm))
    desk.later(minutes=5)
    job_id = desk.client.backup_jobs.list(*desk.at, filter="operation eq 'Restore'").next().name

    job = desk.client.job_details.get(*desk.at, job_id).as_dict()["properties"]

    bag = job["extendedInfo"]["propertyBag"]
    assert bag["Config Blob Name"] == f"config-web01-{job_id}.json"
    assert bag["Create VM Template Blob Uri"].endswith(f"/azuredeploy{job_id}.json")
    assert bag["Recovery point time "].endswith("M")


def test_who_waits_for_restores_is_told_when_one_completes(desk: Desk) -> None:
    done: list[Restore] = []
    desk.world.vaults.on_restored.append(done.append)
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)

    desk.restore(vm, desk.points(vm)[0]["name"], targetResourceGroupId=group_of(vm))
    desk.later(minutes=5)

    assert [restore.item.machine for restore in done] == ["web"]


def test_a_cancelled_restore_delivers_nothing(desk: Desk) -> None:
    done: list[Restore] = []
    desk.world.vaults.on_restored.append(done.append)
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    desk.restore(vm, desk.points(vm)[0]["name"])
    job_id = desk.client.backup_jobs.list(*desk.at, filter="operation eq 'Restore'").next().name

    desk.client.job_cancellations.trigger(*desk.at, job_id)
    cancelling = desk.jobs(filter="operation eq 'Restore'")[0]["status"]
    desk.later(hours=2)

    assert cancelling == "Cancelling"
    assert desk.jobs(filter="operation eq 'Restore'")[0]["status"] == "Cancelled"
    assert done == []


def test_a_backup_cancelled_in_its_snapshot_leaves_no_point(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.back_up(vm)
    desk.later(minutes=1)
    job_id = desk.client.backup_jobs.list(*desk.at, filter="operation eq 'Backup'").next().name

    desk.client.job_cancellations.trigger(*desk.at, job_id)
    desk.later(hours=3)

    assert desk.points(vm) == []


def test_replacing_disks_keeps_a_point_of_what_was(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    before = len(desk.points(vm))

    desk.restore(vm, desk.points(vm)[0]["name"], recoveryType="OriginalLocation")
    desk.later(minutes=40)

    assert len(desk.points(vm)) == before + 1


def test_a_machine_is_restored_only_so_often_a_day(desk: Desk) -> None:
    desk.world.vaults.rules.restores_a_day = 1
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    point = desk.points(vm)[0]["name"]
    desk.restore(vm, point, targetResourceGroupId=group_of(vm))

    assert refused(lambda: desk.restore(vm, point, targetResourceGroupId=group_of(vm)))[0] == 400


def test_a_restore_without_staging_account_is_refused(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    point = desk.points(vm)[0]["name"]

    assert refused(lambda: desk.restore(vm, point, storageAccountId=None))[0] == 400


def test_scheduled_backups_of_ten_thousand_machines_cost_nothing_until_somebody_looks(
    world: World,
) -> None:
    vaults = [
        world.vaults.create("00000000-0000-0000-0000-00000000000a", "rg", f"v{n}", "westeurope")
        for n in range(10)
    ]
    desk = Desk.open(world)
    for number in range(1000):
        world.vaults.protect(desk.vm(f"vm-{number}").id, vaults[number % 10])

    assert world.clock.next_due() is None
    world.clock.advance(timedelta(days=1))
    rows = list(world.vaults.graph_rows())

    kinds = [row["type"].rsplit("/", 1)[1] for row in rows]
    assert kinds.count("protecteditems") == 1000
    assert kinds.count("backupjobs") == 1000
