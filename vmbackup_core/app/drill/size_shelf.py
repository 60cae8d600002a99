"""
What is known of sizes and quotas, through snapshots that all restore tests of a place share.

A list of sizes is read once a day: it is long and changes seldom. Of its thousand sizes only those
that are asked for become values.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.ports import Clock
from vmbackup_core.ports_drills import Sizes

SIZES_AGE = timedelta(days=1)
USAGES_AGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SizeShelf:
    snapshots: Snapshots
    sizes: Sizes
    clock: Clock

    def sizes_in(self, place: Place, names: Iterable[str]) -> tuple[SizeFacts, ...] | None:
        """
        Return what is known of the named sizes, at most a day old; None: come back in some seconds.

        Names compare without case; one that the region does not have is left out.
        """
        wanted = dict.fromkeys(name.lower() for name in names)

        def found(listed: Any) -> tuple[SizeFacts, ...]:
            return tuple(from_json(listed[name], SizeFacts) for name in wanted if name in listed)

        def take() -> Any:
            listed = self.sizes.observe_sizes(place)
            return {size.name.lower(): to_json(size) for size in listed}

        return self._read(f"sizes/{_path(place)}", SIZES_AGE, None, take, found)

    def usages_in(self, place: Place, after: datetime | None = None) -> tuple[Usage, ...] | None:
        """
        Return the quotas, at most ten minutes old; None: come back in some seconds.

        Whoever made a machine asks for what was seen `after` it, as the machine counts then.
        """
        return self._read(
            f"usages/{_path(place)}",
            USAGES_AGE,
            after,
            lambda: to_json(self.sizes.observe_usages(place)),
            lambda listed: from_json(listed, tuple[Usage, ...]),
        )

    def _read[T](
        self,
        name: str,
        max_age: timedelta,
        after: datetime | None,
        take: Callable[[], Any],
        found: Callable[[Any], T],
    ) -> T | None:
        """Return a snapshot; one that another version of us wrote is taken anew."""
        content = self.snapshots.read(name, max_age=max_age, after=after, take=take)
        try:
            return None if content is None else found(content)
        except Malformed:
            now = self.clock.now()
            content = self.snapshots.read(name, max_age=max_age, after=now, take=take)
            return None if content is None else found(content)


def _path(place: Place) -> str:
    return f"{place.subscription}/{place.location}"
