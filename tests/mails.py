"""Mails as they come out of incidents: one of each kind, to be tested and to be looked at."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from tests.builders import VAULT
from tests.incidents import bad, good, hour
from vmbackup_core.app.telling.rendering import (
    render_alive_digest,
    render_folded,
    render_incident,
    render_owner_digest,
    render_trial,
)
from vmbackup_core.domain.drill.rules import Past
from vmbackup_core.domain.telling.digests import (
    Drilled,
    Head,
    Today,
    Waiting,
    write_alive_digest,
    write_owner_digest,
)
from vmbackup_core.domain.telling.incidents import take_in
from vmbackup_core.domain.telling.letters import Letter
from vmbackup_core.domain.telling.mail_content import IncidentMail, write_incident_mail
from vmbackup_core.domain.telling.mail_lines import Background
from vmbackup_core.domain.telling.mail_words import PORTALS
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.routing import Refused, RoutingChange
from vmbackup_core.domain.telling.tellings import Telling, Told
from vmbackup_core.domain.telling.troubles import (
    Sighting,
    Subject,
    Wellness,
    Words,
    find_mail_trouble,
)
from vmbackup_core.domain.verdicts import Count

OPS = ("ops@example.com", "payments-team@example.com")
AGENT = "UserErrorGuestAgentStatusUnavailable"
EXTENSION = "VMRestorePointInternalError"
COUNT = Count(12, 10, 9, {"NO_VAULT": 1}, {"PROTECTED": 9, "NO_VAULT": 1, "OPTED_OUT": 2})
ODD = Words(
    "UserErrorSomethingNew",
    0,
    "The operation failed.",
    "Snapshot of disk 'data-07' could not be taken: the request was refused.",
    "Retry the operation. If the issue persists, contact Microsoft Support.",
    "job-7",
)


def about(*seen: Sighting | Wellness, **more: object) -> Background:
    """Return the background of the one incident that sightings make."""
    (incident,) = take_in((), seen)
    known: dict[str, object] = {
        "last_good": hour(-23), "rpo": timedelta(hours=48), "policy": "gold", "past": Past(),
    }  # fmt: skip
    return Background(incident, **{**known, **more})  # type: ignore[arg-type]


def mail(
    telling: Telling, *backgrounds: Background, now: float = 2, number: int = 1
) -> IncidentMail:
    told = Told(telling, number, hour(now))
    return write_incident_mail(told, backgrounds, OPS, PORTALS["public"], hour(now))


def letter(
    telling: Telling, *backgrounds: Background, now: float = 2, number: int = 1
) -> tuple[Letter, ...]:
    told = mail(telling, *backgrounds, now=now, number=number)
    ids = [one.incident.id for one in backgrounds]
    return render_incident(told, key="mail-1", about=ids[0], now=hour(now))


def opened() -> tuple[Letter, ...]:
    seen = (bad(0, name="sql-prod-01", code=AGENT), bad(1, name="sql-prod-01", code=AGENT))
    return letter(Telling.OPENED, about(*seen))


def reminder() -> tuple[Letter, ...]:
    seen = [bad(24 * day, name="sql-prod-01", code=AGENT) for day in range(3)]
    past = Past(proven=hour(-200))
    return letter(Telling.REMINDER, about(*seen, past=past), now=49, number=2)


def unknown_code() -> tuple[Letter, ...]:
    seen = replace(bad(0, RootCause.UNKNOWN, name="web-7"), words=ODD)
    return letter(Telling.OPENED, about(seen, last_good=None))


def escalated_group(size: int = 12) -> tuple[Letter, ...]:
    names = [f"shop-app-{number:02}" for number in range(size)]
    many = [
        about(
            *(bad(24 * day, RootCause.EXTENSION, name=name, code=EXTENSION) for day in range(3)),
            last_good=hour(-number),
            rpo=timedelta(hours=72),
        )
        for number, name in enumerate(names)
    ]
    many[3] = about(
        bad(0, RootCause.EXTENSION, name=names[3], code=EXTENSION), good(30, name=names[3])
    )
    many[5] = about(bad(0, RootCause.EXTENSION, name=names[5], code=EXTENSION), last_good=None)
    return letter(Telling.ESCALATED, *many, now=65)


def great_outage() -> tuple[Letter, ...]:
    return escalated_group(200)


def recovered() -> tuple[Letter, ...]:
    seen = [bad(24 * day, name="sql-prod-01", code=AGENT) for day in range(3)]
    over = about(*seen, good(72, name="sql-prod-01"), last_good=hour(72))
    return letter(Telling.RECOVERED, over, now=73)


def vault() -> tuple[Letter, ...]:
    seen = replace(
        bad(0, RootCause.SOFT_DELETE_OFF), subject=Subject.of_vault(VAULT), attempt="held"
    )
    plain = replace(seen, words=Words(), location="westeurope")
    return letter(
        Telling.OPENED, about(plain, last_good=None, rpo=None, policy="", past=None), now=0.2
    )


def undelivered() -> tuple[Letter, ...]:
    seen = find_mail_trouble("payments-team@example.com", "Bounced", hour(0))
    assert seen is not None
    lone = about(seen, last_good=None, rpo=None, policy="", past=None)
    return letter(Telling.OPENED, lone, now=0.5)


def incidents() -> list[Background]:
    return [
        about(bad(0, name="lasts"), bad(1, name="lasts")),
        about(bad(0, name="never"), last_good=None),
        about(bad(0, name="muted"), muted_until=hour(90)),
        _told(about(bad(-9, name="over"), good(2, name="over"))),
        about(bad(-9, name="healed"), good(2, name="healed")),
    ]


def _told(one: Background) -> Background:
    told = (Told(Telling.OPENED, 1, hour(-8)),)
    return replace(one, incident=replace(one.incident, told=told))


def owner_digest() -> tuple[Letter, ...]:
    told = write_owner_digest("payments-team@example.com", 20, incidents(), hour(-24), hour(3))
    return render_owner_digest(told, key="digest-1")


def alive() -> tuple[Letter, ...]:
    today = Today(
        COUNT,
        Drilled(passed=11, failed=1, not_run=2),
        opted_out=("scratch-3",),
        heads=(
            Head("sweep/2030-01", 4_312, "ab12" * 16),
            Head("drill/2030-01", 187, "90ef" * 16),
        ),
        waiting=(Waiting("no vault in the VM's region", 1), Waiting("observe mode", 3)),
        rerouted=(RoutingChange("web-7", ("a@example.com",), ("b@example.com",)),),
        refused=(Refused("me@elsewhere.example", "is outside the configured domains"),),
        unsent=2,
        sources=("the log of workspace log-backup-weu since 2030-01-15 04:00 UTC",),
    )
    told = write_alive_digest(112, today, incidents(), hour(-24), hour(3))
    return render_alive_digest(told, key="alive-112", to=("ops@example.com",))


def calm() -> tuple[Letter, ...]:
    count = Count(12, 10, 10, {}, {"PROTECTED": 10, "OPTED_OUT": 2})
    today = Today(count, Drilled(passed=12), heads=(Head("sweep/2030-01", 4_312, "ab12" * 16),))
    told = write_alive_digest(113, today, [], hour(-24), hour(3))
    return render_alive_digest(told, key="alive-113", to=("ops@example.com",))


def trial() -> tuple[Letter, ...]:
    return render_trial(("ops@example.com",), key="trial-1", now=hour(0))


def folded() -> tuple[Letter, ...]:
    return (render_folded((*reminder(), *great_outage(), *recovered())),)


SAMPLES: Mapping[str, Callable[[], tuple[Letter, ...]]] = {
    "opened": opened,
    "reminder": reminder,
    "unknown_code": unknown_code,
    "escalated_group": escalated_group,
    "great_outage": great_outage,
    "recovered": recovered,
    "vault": vault,
    "undelivered": undelivered,
    "owner_digest": owner_digest,
    "alive": alive,
    "calm": calm,
    "trial": trial,
    "folded": folded,
}
