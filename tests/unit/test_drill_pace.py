"""The pace of a night: how often it looks at the estate, and how many tests begin in an hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.builders import HERE, NOW, SUB
from tests.clocks import HandClock
from vmbackup_core.app.workflows import Workflows
from vmbackup_core.domain.drill.lanes import HOUR, STARTS_AN_HOUR, paced
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.errors import Retryable

PLACE = Place(SUB, HERE)
OTHER = Place("5a0c0000-0000-4000-8000-0000000000ff", HERE)


def test_what_an_hour_allows_begins_as_soon_as_there_is_a_lane():
    lane = (NOW, [PLACE] * (STARTS_AN_HOUR // 2))

    assert paced([lane, lane]) == ((NOW,) * (STARTS_AN_HOUR // 2),) * 2


def test_what_is_beyond_begins_at_the_pace_of_an_hour():
    ((*_, first, second),) = paced([(NOW, [PLACE] * (STARTS_AN_HOUR + 2))])

    assert first == NOW + HOUR
    assert second == NOW + HOUR + HOUR / STARTS_AN_HOUR


def test_lanes_of_one_subscription_are_counted_together():
    lane = (NOW, [PLACE] * STARTS_AN_HOUR)

    one, other = paced([lane, lane])

    began = sorted((*one, *other))
    assert began[STARTS_AN_HOUR - 1] == NOW
    assert began[STARTS_AN_HOUR] == NOW + HOUR
    assert began[-1] < NOW + 2 * HOUR + timedelta(minutes=1)


def test_another_subscription_has_a_pace_of_its_own():
    many = (NOW, [PLACE] * STARTS_AN_HOUR)

    assert paced([many, (NOW, [OTHER])])[1] == (NOW,)


def test_a_night_of_nothing_has_no_pace():
    assert paced([]) == ()


@dataclass
class Unseen:
    """Restore tests of an estate that cannot be looked at."""

    error: Exception

    def tonight(self):
        raise self.error


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("asked", "waits"), [(None, 5 * MINUTE), (MINUTE / 12, 5 * MINUTE), (20 * MINUTE, 20 * MINUTE)]
)
def test_an_estate_that_cannot_be_seen_is_looked_at_every_five_minutes_at_most(asked, waits):
    tests = Unseen(Retryable("no answer", after=asked))
    workflows = Workflows(None, lambda: tests, HandClock(NOW))

    planned = workflows.plan_night()

    assert datetime.fromisoformat(planned["until"]) == NOW + waits
