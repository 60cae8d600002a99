"""
When nobody is told: mutes that somebody sets, with an end, beside planned maintenance.

Neither hides anything: what is muted is in every report, and is told when the quiet time ends, if
it lasts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.domain.schedules import DAY
from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.maintenance import Maintenance
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.routing import VmPlace

LONGEST_MUTE = 90 * DAY  # Longer is not to mute but to forget.


@dataclass(frozen=True, slots=True)
class Mute:
    """
    What somebody does not want to hear of until `until`: one incident, or a subject's troubles.

    `cause` is None for all of them. `by` and `why` stand in the report.
    """

    about: str
    until: datetime
    by: str
    why: str
    cause: RootCause | None = None

    def covers(self, incident: Incident, now: datetime) -> bool:
        names = {incident.id, incident.group, incident.subject.id} - {""}
        return (
            self.about.lower() in names
            and now < self.until
            and self.cause in (None, incident.cause)
        )


def mute_fault(until: datetime, now: datetime) -> str:
    """Return in words why a mute may not end at `until`, "" where it may."""
    if until <= now:
        return "ends before it begins"
    if until - now > LONGEST_MUTE:
        return f"lasts longer than {LONGEST_MUTE // DAY} days"
    return ""


def quiet_until(
    incident: Incident,
    place: VmPlace | None,
    now: datetime,
    windows: Iterable[Maintenance],
    mutes: Iterable[Mute],
) -> datetime | None:
    """
    Return until when nobody is told of an incident, None where somebody may be now.

    Windows are for VMs; a vault's trouble, or that of a mail, is muted by hand only.
    """
    ends = [mute.until for mute in mutes if mute.covers(incident, now)]
    if place is not None:
        ends += [
            end
            for window in windows
            if window.selector.fits(place) and (end := window.open_until(now)) is not None
        ]
    return max(ends, default=None)
