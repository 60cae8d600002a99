"""
The lanes of one night: what runs side by side in each place, and when the next one may begin.

Each subscription's calls to Recovery Services are counted by the service, per action and hour; so
is therefore how many tests may begin there (AZURE: limits and throttling).
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapreplace

from vmbackup_core.domain.drill.slots import Place

HOUR = timedelta(hours=1)
READS_AN_HOUR = 150  # Of one action in one subscription: the lowest limit that was recorded.
READS_OF_A_TEST = 2  # Of the action that one test asks for most often, waiting apart.
OURS = 2 / 3  # The rest of the reads is for people and for the sweep.
STARTS_AN_HOUR = int(READS_AN_HOUR * OURS / READS_OF_A_TEST)


class Lanes:
    """
    One night of `lasts`, filled one test after the other; `count` is how many lanes a place has.

    Spans count from the beginning of the night.
    """

    def __init__(self, lasts: timedelta, count: Mapping[Place, int]) -> None:
        self._lasts = lasts
        # When each lane is free; a heap as it stands, because all begin at once.
        self._free = {
            place: [(timedelta(0), lane) for lane in range(1, lanes + 1)]
            for place, lanes in count.items()
        }
        self._begun: dict[str, list[timedelta]] = {}

    def take(self, place: Place, takes: timedelta) -> tuple[timedelta, int] | None:
        """
        Put a test into the lane that is free first; return when it begins, and the lane.

        None where it would not end within the night. One that takes longer than a whole night has
        a lane for itself.
        """
        free, lane = self._free[place][0]
        begins = self._unhurried(place.subscription, free)
        ends = begins + min(takes, self._lasts)
        if ends > self._lasts:
            return None
        heapreplace(self._free[place], (ends, lane))
        insort(self._begun.setdefault(place.subscription, []), begins)
        return begins, lane

    def _unhurried(self, subscription: str, earliest: timedelta) -> timedelta:
        """Return when the next test may begin: no hour has more than STARTS_AN_HOUR of them."""
        begun = self._begun.get(subscription, [])
        begins = earliest
        while True:
            # All within an hour, before and after, so that no hour around has too many.
            first = bisect_right(begun, begins - HOUR)
            last = bisect_left(begun, begins + HOUR)
            if last - first < STARTS_AN_HOUR:
                return begins
            begins = begun[first] + HOUR


def paced(
    lanes: Sequence[tuple[datetime, Sequence[Place]]],
) -> tuple[tuple[datetime, ...], ...]:
    """
    Return for each test of each lane when it may begin at the earliest, however quick others were.

    A lane is when its first test begins, and the place of each of its tests. The first hour's worth
    of a subscription may begin as soon as there is a lane for it; what is beyond comes at its pace.
    """
    begins = [[start] * len(places) for start, places in lanes]
    turns = sorted(
        (at, lane) for lane, (_, places) in enumerate(lanes) for at in range(len(places))
    )
    counted: dict[str, int] = {}
    for at, lane in turns:
        start, places = lanes[lane]
        number = counted.get(places[at].subscription, 0)
        counted[places[at].subscription] = number + 1
        if number >= STARTS_AN_HOUR:
            begins[lane][at] = start + number * HOUR / STARTS_AN_HOUR
    return tuple(map(tuple, begins))
