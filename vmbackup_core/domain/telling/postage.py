"""
Which letter leaves now, within what the mail service allows: important first, nothing dropped.

Where there is not room for all, letters to the same people that can wait become one. What was on
its way when a process died is looked for before it is sent again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.telling.letters import Letter

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CLAIM = timedelta(minutes=3)  # A request lasts a minute at most; after this its sender is dead.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
KEPT = timedelta(days=30)  # Letters that are through with.
MANAGED = ".azurecomm.net"
# Of one letter that is made of several: Gmail cuts off after 102 KB of HTML, and the service takes
# 10 MB, in which files are a third larger (AZURE: Communication Services Email).
MOST_HTML, MOST_FILES = 90_000, 5_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """
    Most requests in any minute and in any hour, looks for what was sent among them.

    The service counts those apart (AZURE: Communication Services Email); counting them as one is
    safe whatever it does.
    """

    a_minute: int
    an_hour: int


def budget_of(sender: str) -> Budget:
    """Return the default budget of a sender's domain: one that Azure manages has a tenth."""
    return Budget(5, 10) if sender.lower().endswith(MANAGED) else Budget(30, 100)


class Mark(StrEnum):
    """How far a letter has come."""

    WAITING = "waiting"
    SENDING = "sending"  # Or it was, when its sender died.
    SENT = "sent"
    FOLDED = "folded"  # It left within another one.
    REFUSED = "refused"  # The service will never take it.


@dataclass(frozen=True, slots=True)
class Posted:
    """
    One letter as the ledger has it; its content lies beside.

    Not before `until` does anybody touch it: it waits, or somebody is sending it. `told` are words
    of the last failure. `html` and `files` are its bytes. A FOLDED one left, or leaves, `within`
    another, whose key that is.
    """

    key: str
    posted: datetime
    to: tuple[str, ...]
    subject: str
    urgent: bool = False
    mark: Mark = Mark.WAITING
    tries: int = 0
    until: datetime | None = None
    sent: datetime | None = None
    told: str = ""
    html: int = 0
    files: int = 0
    within: str = ""

    @property
    def done(self) -> bool:
        return self.mark in (Mark.SENT, Mark.FOLDED, Mark.REFUSED)


@dataclass(frozen=True, slots=True)
class Box:
    """All letters that are remembered, the requests of the last hour, and when to ask again."""

    letters: tuple[Posted, ...] = ()
    calls: tuple[datetime, ...] = ()
    rests_until: datetime | None = None
    schema: int = 1

    def find(self, key: str) -> Posted | None:
        return next((one for one in self.letters if one.key == key), None)

    @property
    def waiting(self) -> tuple[Posted, ...]:
        return tuple(one for one in self.letters if not one.done)

    def parts(self, letter: Posted) -> tuple[Posted, ...]:
        """Return the letters that this one is made of: itself, where it is not made of others."""
        within = tuple(one for one in self.letters if one.within == letter.key)
        return within or (letter,)

    def put(self, *letters: Posted) -> "Box":
        """Return the box with these letters, new ones or in the place of those of their keys."""
        by_key = {one.key: one for one in (*self.letters, *letters)}
        return replace(self, letters=tuple(by_key.values()))


@dataclass(frozen=True, slots=True)
class Send:
    """Send this letter; `look_first` where it may have left already."""

    letter: Posted
    look_first: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """Make one letter of these, which go to the same people."""

    letters: tuple[Posted, ...]


def next_posting(box: Box, now: datetime, budget: Budget) -> Send | Fold | None:
    """Return what to do next, None where nothing can be done now."""
    ready = sorted(
        (one for one in box.waiting if one.until is None or one.until <= now),
        key=lambda one: (not one.urgent, one.posted, one.key),
    )
    room = room_of(box, now, budget)
    if not ready:
        return None
    if len(ready) > room and (fold := _foldable(ready)):
        return Fold(fold)
    if room < 1 or (box.rests_until is not None and now < box.rests_until):
        return None
    first = ready[0]
    return Send(first, look_first=first.mark is Mark.SENDING)


def room_of(box: Box, now: datetime, budget: Budget) -> int:
    """Return how many requests may leave now."""
    return min(
        budget.a_minute - sum(call > now - MINUTE for call in box.calls),
        budget.an_hour - sum(call > now - HOUR for call in box.calls),
    )


def _foldable(ready: Iterable[Posted]) -> tuple[Posted, ...]:
    """Return letters to the same people that can wait and were never tried, if there are two."""
    alike: dict[tuple[str, ...], list[Posted]] = {}
    for one in ready:
        if not one.urgent and one.mark is Mark.WAITING and not one.tries:
            alike.setdefault(tuple(sorted(one.to)), []).append(one)
    return next((fold for some in alike.values() if len(fold := _fitting(some)) > 1), ())


def _fitting(letters: Iterable[Posted]) -> tuple[Posted, ...]:
    """Return those that fit into one letter, in their order."""
    html = files = 0
    fitting = []
    for one in letters:
        if html + one.html <= MOST_HTML and files + one.files <= MOST_FILES:
            html, files = html + one.html, files + one.files
            fitting.append(one)
    return tuple(fitting)


def claim(box: Box, send: Send, now: datetime) -> Box:
    """Return the box in which the letter is being sent, and its requests are counted."""
    letter, requests = send.letter, 2 if send.look_first else 1
    taken = replace(letter, mark=Mark.SENDING, tries=letter.tries + 1, until=now + CLAIM)
    calls = (*(call for call in box.calls if call > now - HOUR), *(now,) * requests)
    return replace(box.put(taken), calls=calls)


def put_off(letter: Posted, now: datetime, told: str, *, maybe_sent: bool) -> Posted:
    """Return the letter as it waits after a failure, each time for longer."""
    wait = min(FIRST_WAIT * 2 ** min(letter.tries, 10), LONGEST_WAIT)
    mark = Mark.SENDING if maybe_sent else Mark.WAITING
    return replace(letter, mark=mark, until=now + wait, told=told)


def forget_old(box: Box, now: datetime) -> Box:
    """Return the box without letters that were done with long ago."""
    kept = tuple(one for one in box.letters if not one.done or now - one.posted < KEPT)
    return replace(box, letters=kept)


def split_letter(letter: Letter) -> tuple[Letter, ...]:
    """Return a letter for each of its recipients: of many, one may be what the service refuses."""
    return tuple(
        replace(letter, key=derive_key("letter", letter.key, address), to=(address,), copy=())
        for address in (*letter.to, *letter.copy)
    )
