"""NCRONTAB as the Functions host reads it."""

from datetime import UTC, datetime

import pytest

from azsim.host.cron import Schedule

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("0 */5 * * * *", at(2026, 3, 2, 8, 5)),
        ("*/10 * * * * *", at(2026, 3, 2, 8, 0, 10)),
        ("0 0 * * * *", at(2026, 3, 2, 9)),
        ("0 0 9-17 * * *", at(2026, 3, 2, 9)),
        ("0 30 6 * * *", at(2026, 3, 3, 6, 30)),
        ("0 30 9 * * 1-5", at(2026, 3, 2, 9, 30)),
        ("0 0 3 * * Sun", at(2026, 3, 8, 3)),
        ("0 0 3 1 Jan *", at(2027, 1, 1, 3)),
        ("0 0 3 1,15 * *", at(2026, 3, 15, 3)),
        ("0 0 0 29 2 *", at(2028, 2, 29)),
        ("0 0 12 13 * Fri", at(2026, 3, 13, 12)),
        ("0 50/5 * * * *", at(2026, 3, 2, 8, 50)),
        ("30 15 10 ? * *", at(2026, 3, 2, 10, 15, 30)),
        ("*/15 * * * *", at(2026, 3, 2, 8, 15)),
    ],
)
def test_the_next_occurrence_is_the_first_after_the_moment(expression, following):
    assert Schedule.parse(expression).after(MONDAY) == following


def test_an_occurrence_at_the_moment_itself_is_past():
    assert Schedule.parse("0 0 8 * * *").after(MONDAY) == at(2026, 3, 3, 8)


def test_a_fraction_of_a_second_does_not_repeat_an_occurrence():
    late = MONDAY.replace(microsecond=250_000)

    assert Schedule.parse("0 0 8 * * *").after(late) == at(2026, 3, 3, 8)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("0 0 25 * * *", "'25' is not a hour"),
        ("0 0 * * 13 *", "month"),
        ("0 0 * * * 7", "day of week"),
        ("0 0 9-8 * * *", "hour"),
        ("0 */0 * * * *", "minute"),
        ("0 x * * * *", "'x' is not a minute"),
        ("0 0 * *", "has 4 fields"),
        ("00:05:00", "has 1 fields"),
    ],
)
def test_a_broken_expression_is_refused_with_its_field(expression, fault):
    with pytest.raises(ValueError, match=fault):
        Schedule.parse(expression)


def test_a_day_that_never_comes_is_refused():
    with pytest.raises(ValueError, match="never occurs"):
        Schedule.parse("0 0 0 31 2 *").after(MONDAY)
