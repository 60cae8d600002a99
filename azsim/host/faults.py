"""What goes wrong in the Functions host, on purpose: activities twice, processes that die."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class ProcessKilled(BaseException):
    """
    The process dies here: raise it from inside a function (a transport may) to kill the worker.

    A BaseException, so that no handler of the app or of the worker library can survive it.
    """


class Mishap(Enum):
    """What can happen to the delivery of an activity."""

    TWICE = "it runs twice in a row; the first result counts"
    TWICE_LATE = "it runs, and once more when its message's lease ends; the first result counts"
    KILLED_BEFORE = "the process dies before it runs; it is delivered again later"
    KILLED_AFTER = "it runs, the process dies before its result is kept; it is delivered again"


Chooser = Callable[[str, int], Mishap | None]


@dataclass(slots=True)
class HostFaults:
    """
    Mishaps by script: the nth delivery of an activity (1 is the first, over the host's life).

    `choose` decides where no script does: by seed, from the activity's name and its delivery's
    number. `happened` lists what came true, so that a test can assert that it tested something.
    """

    choose: Chooser | None = None
    happened: list[tuple[str, int, Mishap]] = field(default_factory=list)
    _script: dict[tuple[str, int], Mishap] = field(default_factory=dict)
    _deliveries: dict[str, int] = field(default_factory=dict)

    def add(self, activity: str, mishap: Mishap, *, nth: int = 1) -> None:
        self._script[(activity.lower(), nth)] = mishap

    def unused(self) -> tuple[tuple[str, int], ...]:
        """Return the scripted mishaps that never came true."""
        came_true = {(name.lower(), nth) for name, nth, _ in self.happened}
        return tuple(key for key in self._script if key not in came_true)

    def on_delivery(self, activity: str) -> Mishap | None:
        """Count one delivery of `activity` and return what happens to it."""
        key = activity.lower()
        nth = self._deliveries[key] = self._deliveries.get(key, 0) + 1
        mishap = self._script.get((key, nth))
        if mishap is None and self.choose is not None:
            mishap = self.choose(activity, nth)
        if mishap is not None:
            self.happened.append((activity, nth, mishap))
        return mishap
