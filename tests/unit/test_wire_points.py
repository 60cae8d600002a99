"""What a recovery point's wire form means, in the forms that no recording shows."""

from typing import Any

import pytest

from vmbackup_core.adapters.wire_points import is_vm_point, parse_point
from vmbackup_core.domain.drill.points import Consistency, PointTier
from vmbackup_core.domain.errors import Malformed


def point(*tiers: tuple[str, str], **more: Any) -> dict[str, Any]:
    properties = {
        "objectType": "IaasVMRecoveryPoint",
        "recoveryPointType": "CrashConsistent",
        "recoveryPointTime": "2030-01-15T22:05:07.1234567Z",
        "recoveryPointTierDetails": [{"type": tier, "status": status} for tier, status in tiers],
    }
    return {"name": "42", "properties": {**properties, **more}}


@pytest.mark.parametrize("status", ["Deleted", "Disabled", "Invalid", "Rehydrated"])
def test_only_a_valid_tier_counts(status: str) -> None:
    found = parse_point(point(("InstantRP", status), ("HardenedRP", "Valid")))

    assert found.valid == {PointTier.VAULT}


def test_a_tier_that_is_unknown_is_none_to_restore_from() -> None:
    assert parse_point(point(("IASnapshotRP", "Valid"))).valid == frozenset()


def test_a_point_says_when_it_was_taken_and_how_consistent_it_is() -> None:
    found = parse_point(point())

    assert found.id == "42"
    assert f"{found.taken:%H:%M:%S}" == "22:05:07"
    assert found.consistency is Consistency.CRASH


def test_a_consistency_that_nobody_knows_is_unknown() -> None:
    assert parse_point(point(recoveryPointType="Lunar")).consistency is Consistency.UNKNOWN


def test_a_point_says_when_it_expires_and_whether_it_is_soft_deleted() -> None:
    lives = {"expiryTime": "2030-02-14T22:05:07Z", "isSoftDeleted": True}

    found = parse_point(point(recoveryPointProperties=lives))

    assert f"{found.expires:%Y-%m-%d}" == "2030-02-14"
    assert found.soft_deleted


def test_a_point_without_a_time_is_no_point() -> None:
    with pytest.raises(Malformed):
        parse_point({"name": "42", "properties": {}})


def test_points_of_databases_and_shares_are_told_apart() -> None:
    assert is_vm_point(point())
    assert not is_vm_point(point(objectType="AzureFileShareRecoveryPoint"))
