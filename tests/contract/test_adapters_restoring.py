"""Restores into slots, asked of a simulated Azure through the adapter."""

import json
from datetime import timedelta
from typing import Any

import pytest

from azsim.faults import Fault, Kind
from azsim.recovery.jobs import Failure
from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT
from tests.contract.drill_desk import SLOT, DrillDesk
from vmbackup_core.adapters.api_versions import BACKUP
from vmbackup_core.domain.drill.facts import RestoreProgress, ValidationFacts
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import BackupError, Denied, Malformed, Rejected, Retryable

NO_CORES = Failure("UserErrorCoreCountSubscriptionQuotaReached", "No cores are left.", 400170)
ELSEWHERE = Slot(Place("99999999-2222-4333-8444-555555555555", "westeurope"), 1)
OTHER_REGION = Slot(Place(SLOT.place.subscription, "northeurope"), 1)


@pytest.fixture
def desk(world: World) -> DrillDesk:
    return DrillDesk(world, data_disks=1)


def sent(desk: DrillDesk, route: str) -> Any:
    (exchange,) = [e for e in desk.world.exchanges if e.route == route]
    return json.loads(exchange.request.body)


def test_a_restore_asks_for_disks_in_the_slot_and_for_nothing_else(desk: DrillDesk) -> None:
    order = desk.order()

    desk.restoring.start_restore(order)

    assert sent(desk, "points.restore") == {
        "properties": {
            "objectType": "IaasVMRestoreRequest",
            "recoveryPointId": order.point,
            "recoveryType": "RestoreDisks",
            "sourceResourceId": str(desk.source),
            "targetResourceGroupId": SLOT.id,
            "storageAccountId": desk.account,
            "region": "westeurope",
            "createNewCloudService": False,
            "originalStorageAccountOption": False,
        }
    }


def test_names_of_items_are_sent_as_recorded(desk: DrillDesk) -> None:
    desk.restoring.start_restore(desk.order())

    url = desk.world.exchanges[-1].request.url
    assert "/protectionContainers/IaasVMContainer%3Biaasvmcontainerv2%3Brg-app%3Bweb-01/" in url


def test_the_job_of_a_restore_is_found_by_its_id(desk: DrillDesk) -> None:
    job = desk.restoring.start_restore(desk.order())

    found = desk.restoring.observe_restore(VAULT, job)

    assert (found.id, found.progress) == (job, RestoreProgress.RUNNING)
    assert found.concerns(desk.source)
    assert found.target_group == SLOT.group
    assert (found.staging_container, found.config, found.ended) == ("", "", None)


def test_a_job_that_ended_says_what_it_left(desk: DrillDesk) -> None:
    job = desk.restored()

    assert job.progress is RestoreProgress.SUCCEEDED
    assert job.ended is not None
    assert job.percent == 100
    assert job.staging_container.startswith("web01-")
    assert job.config == f"config-web01-{job.id}.json"
    assert job.template == f"azuredeploy{job.id}.json"


def test_the_older_key_of_the_template_is_read_as_well(desk: DrillDesk) -> None:
    desk.world.vaults.rules.template_key = "Template Blob Uri"

    job = desk.restored()

    assert job.template == f"azuredeploy{job.id}.json"


def test_a_failed_job_says_why(desk: DrillDesk) -> None:
    desk.world.vaults.fail_restores(desk.vm.id, NO_CORES)

    job = desk.restored()

    assert job.progress is RestoreProgress.FAILED
    assert (job.code, job.message) == (NO_CORES.code, NO_CORES.text)


def test_the_list_has_restores_alone_and_only_those_since_then(desk: DrillDesk) -> None:
    first = desk.restoring.start_restore(desk.order())
    desk.later(hours=2)
    since = desk.clock.now()
    desk.later(minutes=1)
    second = desk.restoring.start_restore(desk.order())

    both = desk.restoring.observe_restores(VAULT, since - timedelta(days=1))
    late = desk.restoring.observe_restores(VAULT, since)

    assert {job.id for job in both} == {first, second}
    assert [job.id for job in late] == [second]
    assert late[0].target_group == ""


def test_a_restore_that_is_cancelled_says_so(desk: DrillDesk) -> None:
    job = desk.restoring.start_restore(desk.order())

    desk.restoring.cancel_restore(VAULT, job)
    desk.later(hours=1)

    found = desk.restoring.observe_restore(VAULT, job)
    assert found.progress is RestoreProgress.CANCELLED


def test_a_restore_that_has_ended_is_not_cancelled(desk: DrillDesk) -> None:
    job = desk.restored()

    with pytest.raises(Rejected):
        desk.restoring.cancel_restore(VAULT, job.id)


def test_a_backup_is_not_cancelled(desk: DrillDesk) -> None:
    backup = next(desk.reader.pages(f"{VAULT}/backupJobs", BACKUP, "listing jobs"))["name"]

    with pytest.raises(Denied, match="no restore"):
        desk.restoring.cancel_restore(VAULT, backup)


def test_a_persons_restore_to_another_group_is_not_cancelled(desk: DrillDesk) -> None:
    somewhere = f"/subscriptions/{SUB}/resourceGroups/{VAULT.group}"
    job = desk.restored_by_a_person(targetResourceGroupId=somewhere)

    with pytest.raises(Denied, match="no slot"):
        desk.restoring.cancel_restore(VAULT, job)


def test_a_restore_that_could_work_has_no_faults(desk: DrillDesk) -> None:
    operation = desk.restoring.validate_restore(desk.order())
    desk.later(minutes=5)

    assert desk.restoring.observe_validation(operation) == ValidationFacts(running=False)


def test_a_validation_says_what_is_wrong_though_it_succeeded(desk: DrillDesk) -> None:
    desk.world.groups.delete(SLOT.place.subscription, SLOT.group)
    operation = desk.restoring.validate_restore(desk.order())
    running = desk.restoring.observe_validation(operation)
    desk.later(minutes=5)

    found = desk.restoring.observe_validation(operation)

    assert running == ValidationFacts(running=True)
    assert len(found.faults) == 1
    assert "target resource group" in found.faults[0]


def test_a_validation_is_not_looked_for_elsewhere(desk: DrillDesk) -> None:
    with pytest.raises(Malformed):
        desk.restoring.observe_validation("https://evil.example/operations/1")


@pytest.mark.parametrize("slot", [ELSEWHERE, OTHER_REGION])
@pytest.mark.parametrize("ask", ["start_restore", "validate_restore"])
def test_a_restore_to_another_place_does_not_leave(desk: DrillDesk, ask: str, slot: Slot) -> None:
    order = desk.order(slot=slot)
    before = len(desk.world.exchanges)

    with pytest.raises(Denied, match="last gate"):
        getattr(desk.restoring, ask)(order)

    assert len(desk.world.exchanges) == before


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Kind.RESET_AFTER, Retryable), (Kind.INTERNAL, Retryable), (Kind.FORBIDDEN, Denied)],
)
def test_a_restore_is_sent_once_whatever_comes_back(
    desk: DrillDesk, kind: Kind, expected: type[BackupError]
) -> None:
    order = desk.order()
    desk.world.faults.add(Fault(kind, "points.restore"))

    with pytest.raises(expected):
        desk.restoring.start_restore(order)

    assert desk.calls().count("points.restore") == 1
