"""
Pay what the book owes: write the letters of each notice, put them in, and cross the notice out.

A notice is crossed out only when its letters are in the postbox, which takes each once; so a crash
anywhere in between writes the same letters again, and none leaves twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.app.telling.incident_book import IncidentBook
from vmbackup_core.app.telling.postbox import Postbox
from vmbackup_core.domain.drill.history import Histories
from vmbackup_core.domain.drill.rules import Past
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.telling.incidents import Incident, Notice
from vmbackup_core.domain.telling.letters import Letter
from vmbackup_core.domain.telling.mail_content import write_incident_mail
from vmbackup_core.domain.telling.mail_lines import Background
from vmbackup_core.domain.telling.mail_rules import MailRules
from vmbackup_core.domain.telling.routing import (
    Recipients,
    find_others,
    find_recipients,
    join_recipients,
)
from vmbackup_core.domain.telling.tellings import Telling, Told
from vmbackup_core.domain.telling.troubles import SubjectKind
from vmbackup_core.domain.telling.watching import Report, Watched
from vmbackup_core.ports import Clock

MOST_REPORTS = 500  # Of the mail service's reports that wait for a look.


@dataclass(frozen=True, slots=True)
class Teller:
    """
    `portal` is the address of the cloud's portal, and `histories` what restore tests have proven
    (None where none is configured), asked for only where there is something to tell.
    """

    book: IncidentBook
    postbox: Postbox
    clock: Clock
    mail: MailRules
    portal: str
    histories: Callable[[], Histories | None]

    def tell(self) -> None:
        """Put in the letters of what is owed, and send what can be sent."""
        known, _ = self.book.load()
        if known.owed:
            histories = self.histories()
            for notice in known.owed:
                self.postbox.post(*self.write(known, notice, histories))
            paid = {notice.key for notice in known.owed}
            self.book.amend(
                lambda now: replace(now, owed=tuple(o for o in now.owed if o.key not in paid))
            )
        for address in self.postbox.deliver():
            self.report(address, "Failed", self.clock.now())

    def report(self, address: str, status: str, at: datetime) -> None:
        """Keep what became of a mail, for the next look; the same report twice is one."""
        told = Report(address, status, at)

        def kept(known: Watched) -> Watched:
            others = (one for one in known.reports if one != told)
            return replace(known, reports=(*others, told)[-MOST_REPORTS:])

        self.book.amend(kept)

    def write(
        self, known: Watched, notice: Notice, histories: Histories | None
    ) -> tuple[Letter, ...]:
        """Return the letters of one notice, as the book stands."""
        from vmbackup_core.app.telling.rendering import render_incident

        now = self.clock.now()
        about = [one for one in known.book.incidents if one.id in notice.members]
        if not about:
            return ()
        escalated = any(one.telling is Telling.ESCALATED for one in _told_of(known, notice))
        to = join_recipients(self._recipients(known, one, escalated=escalated) for one in about)
        backgrounds = [self.background(known, one, histories) for one in about]
        mail = write_incident_mail(notice.told, backgrounds, to.to, self.portal, now)
        return render_incident(mail, key=notice.key, about=notice.about, now=now)

    def background(
        self, known: Watched, incident: Incident, histories: Histories | None
    ) -> Background:
        """Return what is known of an incident's subject beside the incident."""
        record = known.vms.get(incident.subject.id)
        muted = known.muted_until(incident, self.mail.maintenance, self.clock.now())
        if record is None:
            return Background(incident, muted_until=muted)
        past = None
        if histories is not None:
            history = histories.vms.get(VmId.parse(incident.subject.id))
            past = history.past if history else Past()
        return Background(
            incident, record.policy, record.rpo, record.last_point, past, muted_until=muted
        )

    def _recipients(self, known: Watched, incident: Incident, *, escalated: bool) -> Recipients:
        routing = self.mail.routing
        if incident.subject.kind is SubjectKind.MAILBOX:
            return find_others(routing, incident.subject.id)
        vm = incident.subject.kind is SubjectKind.VM
        place = known.place(incident.subject.id) if vm else None
        return find_recipients(place, routing, escalated=escalated)


def _told_of(known: Watched, notice: Notice) -> list[Told]:
    groups = [told for one in known.book.groups if one.id == notice.about for told in one.told]
    alone = [told for one in known.book.incidents if one.id == notice.about for told in one.told]
    return groups + alone
