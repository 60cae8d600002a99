"""
What really happened in a month, by the world's own books, and what the mails say of it.

Knows nothing of the app: the incidents here come from the jobs that azsim made, the schedules that
its policies have and what the stories did; what was told is read from the mails as people get them.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import pairwise

from azsim.email_outbox import Mail
from azsim.recovery.items import Item
from azsim.recovery.jobs import JobOperation
from azsim.vaults import Vault
from tests.scenario.mail_stage import DAY, HOUR, MINUTE
from tests.scenario.month import FAILURES, LOOKS, Month

MISSED = "Azure has no job and no recovery point of that time."
GONE = "The VM was deleted or moved"
SIGNS = (*(failure.text for failure in FAILURES), MISSED, GONE)
VAGUE = {FAILURES[0].text, MISSED}
STARTS_WITHIN = 2 * HOUR  # Of its scheduled time a backup starts.
SURELY_MISSED = 9 * HOUR


@dataclass(frozen=True)
class Night:
    """One backup, or one that never was; `sign` is "" where it went well, `point` its point."""

    at: datetime
    point: datetime
    sign: str


@dataclass(frozen=True)
class Real:
    """
    A trouble that somebody has to be told of, known by what Azure says of it.

    Of several that mails may say of it, one that names a failure is what it is known by.
    """

    vm: str
    signs: frozenset[str]
    begins: datetime
    ends: datetime | None


@dataclass(frozen=True)
class Said:
    """One mail: what it says first, of which VMs, and the words by which its trouble is known."""

    at: datetime
    mark: str
    vms: frozenset[str]
    many: bool
    sign: str


def real_incidents(month: Month) -> list[Real]:
    """Return all troubles worth a mail: backups that went wrong twice in a row, and gone VMs."""
    found = []
    for vm, (vault, item) in month.items.items():
        name, gone = vm.rpartition("/")[2], month.deleted.get(vm)
        nights = _nights(vault, item, gone or month.world.clock.now())
        for bad, ends in _streaks(nights, gone):
            found += _troubles(name, bad, ends)
        if gone is not None:
            found.append(Real(name, frozenset({GONE}), gone, month.dropped.get(vm)))
    return found


def _nights(vault: Vault, item: Item, end: datetime) -> list[Night]:
    """Return an item's backups and those that never were, until its VM was gone."""
    texts = {failure.code: failure.text for failure in FAILURES}
    jobs = [job for job in item.backups if job.operation is JobOperation.BACKUP]
    nights = [
        Night(job.started, job.tasks[0].ends, texts[job.failure.code] if job.failure else "")
        for job in jobs
        if job.started < end
    ]
    policy = vault.policies["defaultpolicy"]
    for run in policy.runs_between(item.protected_since, end - SURELY_MISSED):
        if not any(run <= job.started < run + STARTS_WITHIN + MINUTE for job in jobs):
            nights.append(Night(run, run, MISSED))
    return sorted(nights, key=lambda night: night.at)


def _streaks(
    nights: Iterable[Night], gone: datetime | None
) -> Iterator[tuple[list[Night], datetime | None]]:
    """Yield the backups that went wrong between two good ones, and when that ended."""
    bad: list[Night] = []
    for night in nights:
        if night.sign:
            bad.append(night)
            continue
        yield bad, night.point
        bad = []
    yield bad, gone


def _troubles(vm: str, bad: list[Night], ends: datetime | None) -> list[Real]:
    """Return one trouble for each failure that has a name; what has none is one with those."""
    if len(bad) < 2:
        return []
    begins = {sign: min(n.at for n in bad if n.sign == sign) for sign in {n.sign for n in bad}}
    named = begins.keys() - VAGUE
    if not named:
        return [Real(vm, frozenset(begins), bad[0].at, ends)]
    vague = begins.keys() & VAGUE
    first = min(named, key=lambda sign: begins[sign])
    return [
        Real(vm, frozenset({sign, *vague}), bad[0].at if sign == first else begins[sign], ends)
        for sign in named
    ]


# What was said.


def said_by(mail: Mail) -> Said:
    """Read a mail: of one that something lasts, only the VMs that are not well again count."""
    mark, _, rest = mail.subject.partition(": ")
    text = " ".join(mail.text.split())
    (sign,) = [sign for sign in SIGNS if sign in text]
    over = mark == "Over"
    alone = re.match(r"(vm-\d{3})\b", rest)
    names = {alone[1]} if alone else {name for name, well in _listed(mail) if over or not well}
    return Said(mail.at, mark, frozenset(names), not alone, sign)


def _listed(mail: Mail) -> Iterator[tuple[str, bool]]:
    """Yield each VM of a mail about many, and whether it is well again."""
    for _, _, raw in mail.attachments():
        for row in csv.DictReader(StringIO(raw.decode("utf-8-sig"))):
            yield row["name"], row["state"] == "recovered"
        return
    for name, state in re.findall(r"^  (vm-\d{3}): (.*)$", mail.text, re.MULTILINE):
        yield name, state == "well again"


def matched(real: Iterable[Real], said: Iterable[Said]) -> tuple[dict[Real, list[Said]], list[str]]:
    """Return what was said of each trouble, in order, and what was said of none."""
    told: dict[Real, list[Said]] = {one: [] for one in real}
    invented = []
    for one in said:
        for vm in sorted(one.vms):
            fits = [trouble for trouble in told if trouble.vm == vm and _fits(trouble, one)]
            if fits:
                told[max(fits, key=lambda trouble: trouble.begins)].append(one)
            else:
                invented.append(f"{one.at:%d %H:%M} {one.mark}: {vm}: {one.sign}")
    return told, invented


def _fits(trouble: Real, said: Said) -> bool:
    if said.sign not in trouble.signs or said.at < trouble.begins:
        return False
    if said.mark == "Over":
        return trouble.ends is not None and trouble.ends <= said.at
    return trouble.ends is None or said.at <= trouble.ends + LOOKS


def faults(trouble: Real, told: list[Said], said: Iterable[Said], now: datetime) -> list[str]:
    """
    Return what is wrong with what was said of one trouble by `now`.

    Its beginning is told once, and its end. While it lasts it is told of each day, after three days
    once to more people.
    """
    marks = [one.mark for one in told]
    lasting = [one for one in told if one.mark != "Over"]
    days = pairwise([*(one.at for one in lasting), trouble.ends or now])
    checks = {
        "its beginning is not told once": _begins_once(trouble, told, said),
        "its end is not told once": marks.count("Over") == (trouble.ends is not None),
        "it is told of after its end": "Over" not in marks[:-1],
        "a day passed in silence": all(after - day < DAY + LOOKS for day, after in days),
        "it is told twice a day": not any(_too_soon(*both) for both in pairwise(lasting)),
        "it is not escalated once": marks.count("Escalated") == _escalates(lasting),
    }
    name = f"{trouble.vm}, {trouble.begins:%d %H:%M}, {sorted(trouble.signs)}"
    return [f"{name}: {fault}: {marks}" for fault, well in checks.items() if not well]


def _begins_once(trouble: Real, told: list[Said], said: Iterable[Said]) -> bool:
    """
    Tell whether its beginning was told by one mail.

    One that was told alone counts among many that begin within half a day. One that begins when
    many were told already is first named where these are told of again.
    """
    begun = [one for one in told if one.mark == "Backup trouble"]
    if not begun:
        return any(one.many for one in told[:1]) and any(
            one.many and one.sign == told[0].sign and trouble.begins < one.at < told[0].at
            for one in said
            if one.mark == "Backup trouble"
        )
    return len(begun) == 1 or (len(begun) == 2 and _counted_again(*begun))


def _counted_again(before: Said, after: Said) -> bool:
    return after.many and not before.many and after.at - before.at <= DAY / 2


def _too_soon(before: Said, after: Said) -> bool:
    return after.at - before.at < DAY and not _counted_again(before, after)


def _escalates(lasting: list[Said]) -> bool:
    """Tell whether it was told of for three days; the many that it is one of may be older."""
    if not lasting or lasting[-1].many:
        return any(one.mark == "Escalated" for one in lasting)
    return lasting[-1].at - lasting[0].at >= 3 * DAY
