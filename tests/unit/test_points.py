"""A restore test takes the point that its strategy says, and never one that cannot be restored."""

from datetime import timedelta

import pytest

from tests.builders import NOW
from tests.drills import BOTH, ONLY_ARCHIVE, ONLY_SNAPSHOT, ONLY_VAULT, point
from vmbackup_core.domain.drill.points import (
    Chosen,
    NoPoint,
    NoPointReason,
    PointChoice,
    PointFacts,
    PointTier,
    Strategy,
    choose_point,
    strategy_of_turn,
)
from vmbackup_core.domain.schedules import DAY

POINTS = (
    point("old", 20, ONLY_VAULT),
    point("middle", 10, ONLY_VAULT),
    point("new", 1, BOTH),
    point("newest", 0.5, ONLY_SNAPSHOT),
)


def choose(
    *points: PointFacts, by: Strategy = Strategy.LATEST, rpo: timedelta | None = None
) -> PointChoice:
    return choose_point(points, by, key="web", now=NOW, rpo=rpo)


def reason(choice: PointChoice) -> NoPointReason | None:
    return choice.reason if isinstance(choice, NoPoint) else None


@pytest.mark.parametrize(
    ("strategy", "name"),
    [(Strategy.LATEST, "newest"), (Strategy.OLDEST, "old"), (Strategy.VAULT, "middle")],
)
def test_a_strategy_takes_its_point(strategy: Strategy, name: str) -> None:
    choice = choose(*POINTS, by=strategy)

    assert isinstance(choice, Chosen)
    assert (choice.point.id, choice.strategy) == (name, strategy)


@pytest.mark.parametrize("strategy", Strategy)
def test_the_order_of_the_points_does_not_matter(strategy: Strategy) -> None:
    assert choose(*POINTS, by=strategy) == choose(*reversed(POINTS), by=strategy)


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize(
    "never",
    [
        pytest.param(point(valid=frozenset()), id="its snapshot aged out and it has no other copy"),
        pytest.param(point(valid=ONLY_ARCHIVE), id="in the archive alone"),
        pytest.param(point(soft_deleted=True), id="soft-deleted"),
        pytest.param(point(expires=NOW), id="expired"),
    ],
)
def test_a_point_that_cannot_be_restored_is_never_offered(
    strategy: Strategy, never: PointFacts
) -> None:
    assert reason(choose(never, by=strategy)) is NoPointReason.NO_POINT


def test_a_vm_without_points_has_none_to_restore() -> None:
    assert reason(choose()) is NoPointReason.NO_POINT


def test_the_vault_is_proven_only_on_a_point_that_has_no_snapshot() -> None:
    choice = choose(point("both"), point("snapshot", valid=ONLY_SNAPSHOT), by=Strategy.VAULT)

    assert reason(choice) is NoPointReason.NOT_FROM_VAULT


def test_a_copy_in_the_archive_beside_the_one_in_the_vault_is_no_hindrance() -> None:
    both = point(valid=ONLY_VAULT | {PointTier.ARCHIVE})

    assert choose(both, by=Strategy.VAULT) == Chosen(both, Strategy.VAULT)


def test_the_latest_point_may_be_too_old_for_the_rpo() -> None:
    by = Strategy.LATEST_WITHIN_RPO

    assert reason(choose(point(days_ago=1), by=by, rpo=DAY)) is None
    assert reason(choose(point(days_ago=2), by=by, rpo=DAY)) is NoPointReason.TOO_OLD


def test_what_is_drawn_is_the_same_all_day_and_differs_from_day_to_day() -> None:
    many = [point(str(number), number + 1) for number in range(20)]

    def drawn(hours: float) -> PointChoice:
        now = NOW + timedelta(hours=hours)
        return choose_point(many, Strategy.RANDOM, key="web", now=now)

    assert drawn(0) == drawn(11)
    assert len({drawn(24 * day) for day in range(20)}) > 5


def test_every_strategy_gets_its_turn_and_vms_begin_at_different_ones() -> None:
    of_web = [strategy_of_turn(tuple(Strategy), "web", turn) for turn in range(len(Strategy))]
    firsts = {strategy_of_turn(tuple(Strategy), f"vm-{number}", 0) for number in range(50)}

    assert set(of_web) == set(Strategy)
    assert firsts == set(Strategy)
