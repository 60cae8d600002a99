"""Past restore tests are read from the chains of all months that they may stand in."""

from datetime import datetime, timedelta

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW
from tests.clocks import HandClock
from tests.drill_runs import order, record
from vmbackup_cli.drill_evidence import read_past
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.domain.drill.evidence import body_of
from vmbackup_core.domain.evidence import Kind

FIRST = datetime(2030, 2, 1, 8, tzinfo=NOW.tzinfo)  # A month's first morning.
HOUR = timedelta(hours=1)


def with_tests(*ends: datetime) -> EvidenceLog:
    """Return evidence of a test that ended at each of these times."""
    clock = HandClock(NOW)
    log = EvidenceLog(MemoryBlobs(), clock)
    for end in ends:
        clock.move_to(end)
        asked = end - 2 * HOUR
        body = body_of(record(of=order(asked=asked, night=None), ended=end), "digest")
        log.append(Kind.DRILL, body["run"], body)
    return log


@pytest.mark.parametrize("back", [12 * HOUR, 24 * HOUR, 30 * 24 * HOUR])
def test_the_turn_of_a_month_hides_no_test(back: timedelta) -> None:
    log = with_tests(FIRST - 9 * HOUR, FIRST - HOUR)

    assert len(list(read_past(log, FIRST - back, FIRST))) == 2
