"""
What ends an incident though nothing was mended: somebody accepted it, or its subject is of no use.

Without this a mailbox that nobody writes to any more, or a vault that was given up, would be told
of for ever: nothing would be seen of it again, neither bad nor good.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.promises import WEAKER
from vmbackup_core.domain.telling.routing import Routing, find_recipients
from vmbackup_core.domain.telling.troubles import Ending, SubjectKind, Wellness
from vmbackup_core.domain.telling.watching import Watched


def find_ended(
    known: Watched, used: Collection[str], routing: Routing, at: datetime
) -> tuple[Wellness, ...]:
    """Return what has ended at `at`; `used` are the ids of the vaults that hold our VMs."""
    lasting = [one for one in known.book.incidents if not one.over]
    mailboxes = [one for one in lasting if one.subject.kind is SubjectKind.MAILBOX]
    written_to = _addresses(known, routing) if mailboxes else set()
    return tuple(_endings(lasting, known, used, written_to, at))


def _endings(
    lasting: list[Incident],
    known: Watched,
    used: Collection[str],
    written_to: Collection[str],
    at: datetime,
) -> Iterator[Wellness]:
    for one in lasting:
        subject, causes = one.subject, frozenset({one.cause})
        if subject.id in known.accepted and one.cause in WEAKER:
            yield Wellness(subject, at, Ending.ACCEPTED, causes)
        elif (subject.kind is SubjectKind.VAULT and subject.id not in used) or (
            subject.kind is SubjectKind.MAILBOX and subject.id not in written_to
        ):
            yield Wellness(subject, at, Ending.UNUSED, causes)


def _addresses(known: Watched, routing: Routing) -> set[str]:
    """Return everybody whom a mail of ours may go to, in lower case."""
    named = {*routing.default, *routing.escalation}
    for vm in known.vms:
        named.update(find_recipients(known.place(vm), routing).to)
    return {address.lower() for address in named}
