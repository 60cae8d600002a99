import json
from datetime import time, timedelta

import pytest

from tests.builders import EXCLUSION, NOW, VAULT, WEB, item, policy, unreadable, vault, vm
from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.domain.enabling import Enabling, Entry, Pending
from vmbackup_core.domain.facts import ItemFacts, ItemState, VaultFacts, VmFacts
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.operations import JobFacts, Progress
from vmbackup_core.domain.policies import PolicyFacts, PolicyKind, Retention
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.schedules import (
    DayOfYear,
    Hourly,
    Month,
    MonthDay,
    NthWeekday,
    Week,
    Weekday,
    Weekly,
)

EVERYTHING_KEPT = Retention(
    daily_days=30,
    weekly_weeks=12,
    monthly_months=6,
    yearly_years=3,
    snapshot_days=7,
    weekly_on=frozenset({Weekday.MONDAY, Weekday.FRIDAY}),
    monthly_on=frozenset({MonthDay(0), NthWeekday(Week.LAST, Weekday.SUNDAY)}),
    yearly_on=frozenset({DayOfYear(Month.MAY, MonthDay(1))}),
)
HOURLY = Hourly(timedelta(hours=4), time(6, 30), timedelta(hours=12))
WEEKLY = Weekly(frozenset({Weekday.SUNDAY, Weekday.MONDAY}), time(22))
BUSY = Enabling(
    WEB,
    NOW,
    hint=3,
    looks=2,
    tries=1,
    pending=Pending("EnableProtection", "ConfigureBackup", VAULT, "https://x/y?t=1", NOW),
    refresh=VAULT,
    agent_since=NOW,
    full=(VAULT,),
    seen_jobs=("a", "b"),
    vaults_after=NOW,
    log=(Entry(NOW, "sent"),),
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (WEB, VmId),
        (VAULT, VaultId),
        (vm(), VmFacts),
        (item(ItemState.STOPPED, exclusion=EXCLUSION), ItemFacts),
        (vault(policy(), unreadable("odd")), VaultFacts),
        (
            PolicyFacts("gold", PolicyKind.ENHANCED, HOURLY, EVERYTHING_KEPT, "UTC", True),
            PolicyFacts,
        ),
        (PolicyFacts("weekly", PolicyKind.STANDARD, WEEKLY, EVERYTHING_KEPT), PolicyFacts),
        (JobFacts("1", "c", "ConfigureBackup", Progress.FAILED, NOW), JobFacts),
        (Memory("m", str(VAULT), "gold", "x", NOW, True, Reason.BUSY, NOW), Memory),
        (Memory(), Memory),
        (Enabling(WEB, NOW), Enabling),
        (BUSY, Enabling),
    ],
)
def test_a_value_comes_back_from_json_as_it_was(value: object, kind: type) -> None:
    assert from_json(json.loads(json.dumps(to_json(value))), kind) == value


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_written_as_its_code(reason: Reason) -> None:
    assert to_json(reason) == reason.name
    assert from_json(reason.name, Reason) is reason


def test_a_field_that_nobody_knows_is_an_error_and_not_lost() -> None:
    written = {**to_json(Enabling(WEB, NOW)), "new": 1}

    with pytest.raises(Exception, match=r"Enabling"):
        from_json(written, Enabling)
