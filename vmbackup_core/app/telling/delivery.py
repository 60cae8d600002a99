"""
Take in what the mail service reports: a mail that did not arrive goes another configured way.

An event is kept as it came where it makes no sense, as the events of VMs are. What became of each
mailbox is told to the incident book; the letter itself is sent to whoever else is configured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.app.intake import Intake
from vmbackup_core.app.telling.paying import Teller
from vmbackup_core.app.telling.postbox import Postbox
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.telling.letters import Letter
from vmbackup_core.domain.telling.mail_words import one_line
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.routing import Routing, address_fault, find_others
from vmbackup_core.domain.telling.troubles import Sighting, find_mail_trouble
from vmbackup_core.ports import Clock, Journal

REPORT = "Microsoft.Communication.EmailDeliveryReportReceived"


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of one mail for one mailbox (AZURE: Communication Services Email)."""

    operation: str
    address: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    intake: Intake
    teller: Teller
    postbox: Postbox
    routing: Routing
    clock: Clock
    journal: Journal

    def receive(self, event_type: str, data: object, raw: bytes) -> None:
        """
        Take in one event of the mail service; done twice is done once.

        A report on a mail that is none of ours is passed over: others may send by that service.
        """
        try:
            reported = parse_report(event_type, data)
        except Malformed as error:
            self.intake.keep(raw, str(error))
            return
        letter = self.postbox.letter_of(reported.operation)
        if letter is None:
            self.journal.note("event", "", "a report on a mail that is not ours, or long past")
            return
        trouble = find_mail_trouble(reported.address, reported.status, reported.at)
        if isinstance(trouble, Sighting):
            self.journal.note("event", letter.key, f"a mail was not delivered: {reported.status}")
            self._forward(letter, reported)
        if isinstance(trouble, Sighting) or (trouble and self._in_trouble(reported.address)):
            self.teller.report(reported.address, reported.status, reported.at)

    def _in_trouble(self, address: str) -> bool:
        known, _ = self.teller.book.load()
        waiting = any(one.address.lower() == address.lower() for one in known.reports)
        return waiting or any(
            one.cause is RootCause.MAIL_UNDELIVERED and one.subject.id == address.lower()
            for one in known.book.incidents
            if not one.over
        )

    def _forward(self, letter: Letter, reported: Reported) -> None:
        """Send the letter to those who are told instead, unless they have it."""
        had = {one.lower() for one in (*letter.to, *letter.copy)}
        others = find_others(self.routing, reported.address).to
        left = tuple(one for one in others if one.lower() not in had)
        if left:
            key = derive_key("letter", "instead", letter.key, reported.address)
            self.postbox.post(replace(letter, key=key, to=left, copy=()))


def parse_report(event_type: str, data: object) -> Reported:
    """Read a delivery report; raises Malformed for anything else."""
    if event_type != REPORT:
        raise Malformed(f"no delivery report: {event_type!r}")
    if not isinstance(data, Mapping):
        raise Malformed("a delivery report without data")
    given = {name: data.get(name) for name in ("messageId", "recipient", "status")}
    if not all(isinstance(value, str) and value for value in given.values()):
        raise Malformed("a delivery report without messageId, recipient or status")
    address = str(given["recipient"])
    if why := address_fault(address):
        raise Malformed(f"a delivery report on what {why}")
    try:
        at = datetime.fromisoformat(str(data.get("deliveryAttemptTimeStamp")))
    except ValueError:
        raise Malformed("a delivery report without its time") from None
    if at.tzinfo is None:
        raise Malformed("a delivery report whose time has no zone")
    return Reported(str(given["messageId"]).lower(), address, one_line(str(given["status"])), at)
