"""The demo's week: backups fail or never start, and each trouble is told once to who can end it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

from rich.console import Console
from rich.text import Text

from azsim.email_events import Delivery
from azsim.email_outbox import Mail
from azsim.host import Host
from azsim.vaults import Vault
from azsim.world import START, World
from vmbackup_cli.alerts_view import Known, Thing
from vmbackup_cli.demo_company import PRODUCTION, WEST, Scene
from vmbackup_cli.demo_post import JANE, RHYTHM
from vmbackup_cli.desk import Desk
from vmbackup_cli.timeline import announce
from vmbackup_core import bootstrap
from vmbackup_core.domain.schedules import DAY, HOUR
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.tellings import Telling

MONDAY = START.replace(hour=0, minute=0)
ENDS = MONDAY + 7 * DAY + 9 * HOUR  # A Monday again, after the owners had their digests.
BAD_NIGHTS = 3
AGENT, OUTAGE = "UserErrorGuestAgentStatusUnavailable", "BackUpOperationFailed"
FORM = "%a %H:%M"
_SUBJECTS = 35  # Where they begin on a line.
_HALF = timedelta(minutes=30)  # Looks are on the hour: by then what they told has arrived.


@dataclass(frozen=True, slots=True)
class Week:
    """
    What became of the week: what the app knows of incidents, and what Azure itself says.

    `things` are incidents and groups in the order in which they began; `missed` counts the backups
    that never started, by the app, and `skipped` by Azure. `suspected` and `failed` are the VMs
    whose backups went wrong, by the app and by Azure.
    """

    things: tuple[Thing, ...]
    outbox: tuple[Mail, ...]
    missed: int
    skipped: int
    suspected: frozenset[str]
    failed: frozenset[str]

    @property
    def summary(self) -> Mapping[str, Any]:
        """Return what summary.json says of the week."""
        told = [{one.telling for one in thing.told} for thing in self.things]
        return {
            "incidents": {
                "opened": sum(Telling.OPENED in one for one in told),
                "recovered": sum(Telling.RECOVERED in one for one in told),
            },
            "mails": len(self.outbox),
            "duplicates": count_duplicates(self.outbox),
            "missed_backups": self.missed,
        }

    @property
    def undelivered(self) -> int:
        """Return how many mails did not reach each of their mailboxes."""
        return sum(bool(lost_for(mail)) for mail in self.outbox)

    @property
    def errors(self) -> int:
        """Return in how many ways the app saw the week otherwise than it was, or told it twice."""
        wrong = len(self.suspected ^ self.failed) + abs(self.missed - self.skipped)
        return wrong + count_duplicates(self.outbox)


def count_duplicates(outbox: Iterable[Mail]) -> int:
    """
    Return how often somebody was told what he had been told before.

    What a mail tells are its subject and its first line, which numbers reminders; a digest tells
    all that is in it.
    """
    told = Counter(
        (to.lower(), mail.subject, mail.text if is_digest(mail) else mail.text.partition("\n")[0])
        for mail in outbox
        for to in mail.recipients()
    )
    return told.total() - len(told)


def is_digest(mail: Mail) -> bool:
    return mail.text.startswith(("VMBACKUP IS ALIVE", "BACKUP DIGEST"))


def lost_for(mail: Mail) -> dict[str, str]:
    """Return whom a mail did not reach, and in a word why."""
    fates = mail.deliveries.items()
    return {to: fate.name.lower() for to, fate in fates if fate is not Delivery.DELIVERED}


def began(thing: Thing) -> datetime:
    return min(one.first for one in thing.incidents)


def ended(thing: Thing) -> datetime | None:
    """Return when all of it was well again, None while it lasts."""
    ends = [one.well for one in thing.incidents if one.well is not None]
    return max(ends) if thing.over else None


def play_week(world: World, host: Host, app: bootstrap.App, desk: Desk) -> Week:
    """Let the week pass, and look at what became of it."""
    console = desk.out
    begin, shown = world.clock.now(), len(world.email.outbox)
    console.print()
    for mail in world.email.outbox:
        if mail.at >= MONDAY + DAY:  # Of the night, which the screen did not show.
            _show(console, mail)
    announce(
        console, world.clock, f"the week goes on; to be quick, the timers slow down: {RHYTHM}", FORM
    )
    for scene in _scenes(world, app, desk):
        shown = _run_until(world, host, MONDAY + scene.after, console, shown)
        announce(console, world.clock, scene.told, FORM)
        scene.happens()
    _run_until(world, host, ENDS, console, shown)
    return _look_back(world, app, begin)


def _run_until(world: World, host: Host, when: datetime, console: Console, shown: int) -> int:
    """Let time pass, and write each mail with what became of it; return how many there are."""
    while (now := world.clock.now()) < when:
        half = now.replace(minute=30, second=0, microsecond=0)
        host.run_until(min(when, half if half > now else half + HOUR))
        for mail in world.email.outbox[shown:]:
            _show(console, mail)
        shown = len(world.email.outbox)
    return shown


def _show(console: Console, mail: Mail) -> None:
    """Write who got a mail, or did not, and its subject."""
    lost = lost_for(mail)
    line = Text.assemble((f"{mail.at:{FORM}} ", "dim"), ("mail ", "cyan"))
    for to in mail.recipients():
        line.append(f"{to.partition('@')[0]} ", "bold")
        line.append(f"({lost[to]}) " if to in lost else "", "bold red")
    line.pad_right(max(0, _SUBJECTS - len(line)))
    line.append(mail.subject, "dim" if is_digest(mail) else "white")
    console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def _scenes(world: World, app: bootstrap.App, desk: Desk) -> list[Scene]:
    """Return what happens in the week, in order; `after` counts from Monday's beginning."""
    vms = {machine.name: machine.id for machine in world.machines.everywhere()}
    tuesday, wednesday, thursday, friday = (n * DAY for n in range(1, 5))
    over, runs_again = wednesday + 20.5 * HOUR, thursday + 12 * HOUR
    jane_is_back = friday + 9 * HOUR

    def halt() -> None:
        since = world.clock.now()
        world.vaults.halt_schedule(vms["data-quiet"], since=since, until=MONDAY + runs_again)
        world.email.treat(JANE, Delivery.BOUNCED, until=MONDAY + jane_is_back)

    def fail() -> None:
        vault = _vault(world, vms["web-1"])
        world.vaults.fail_vault(vault, OUTAGE, since=world.clock.now(), until=MONDAY + over)

    return [
        Scene(tuesday + 9 * HOUR, "web-stopped and web-undead are known to ops, who mute them",
              lambda: _mute(desk, app, "web-stopped", "web-undead")),
        Scene(tuesday + 10 * HOUR, "web-old-4 is deleted, its backup is not",
              lambda: world.machines.delete(vms["web-old-4"])),
        Scene(tuesday + 20 * HOUR, f"the agent of erp-2 dies, for {BAD_NIGHTS} nights",
              lambda: world.vaults.fail_backups(vms["erp-2"], AGENT, BAD_NIGHTS)),
        Scene(tuesday + 21 * HOUR, "data-quiet's schedule stands still; its owner Jane has no"
              " mailbox any more", halt),
        Scene(wednesday + 13 * HOUR, f"Azure Backup fails in {WEST}", fail),
        Scene(over, f"Azure Backup works again in {WEST}", lambda: None),
        Scene(runs_again, "data-quiet's schedule runs again", lambda: None),
        Scene(jane_is_back, "Jane has a mailbox again", lambda: None),
        Scene(friday + 20 * HOUR, "somebody has mended the agent of erp-2", lambda: None),
    ]  # fmt: skip


def _mute(desk: Desk, app: bootstrap.App, *names: str) -> None:
    """Mute what is wrong with VMs, as a person does it."""
    from vmbackup_cli.main import run

    silent = Console(file=StringIO())
    there = replace(desk, out=silent, err=silent, app=lambda: app)
    for name in names:
        call = ["alerts", "mute", name, "--for", "2w", "--why", "is being dismantled"]
        if code := run(call, desk=there):
            raise RuntimeError(f"muting {name} ended with {code}")


def _vault(world: World, vm: str) -> Vault:
    owner = world.vaults.item_of(vm)
    if owner is None:
        raise LookupError(f"{vm} is not protected")
    return owner[0]


def _look_back(world: World, app: bootstrap.App, begin: datetime) -> Week:
    """Take what the app knows, and what the simulated Azure itself knows."""
    mails = app.mails()
    if mails is None:
        raise LookupError("the demo's configuration has no [mail]")
    watched, _ = mails.book.load()
    things = Known(watched, mails.teller, world.clock.now()).things()
    by_run = [one for one in watched.book.incidents if one.cause.by_run]
    failed, skipped = _what_failed(world, begin)
    return Week(
        things=tuple(sorted(things, key=began)),
        outbox=tuple(world.email.outbox),
        missed=sum(len(one.attempts) for one in by_run if one.cause is RootCause.MISSED),
        skipped=skipped,
        suspected=frozenset(one.subject.name for one in by_run),
        failed=failed,
    )


def _what_failed(world: World, begin: datetime) -> tuple[frozenset[str], int]:
    """Return the VMs whose backups failed or were skipped since `begin`, and how many were."""
    failed, skipped = set(), 0
    there = {machine.id.lower() for machine in world.machines.everywhere()}
    troubles = world.vaults.troubles
    for vault in world.vaults.in_subscription(PRODUCTION):
        for item in vault.live_items():
            if item.stopped or item.vm_id.lower() not in there:
                continue
            runs = vault.policy(item.policy).runs_between(begin, world.clock.now())
            halted = sum(troubles.halts(vault.id, item.vm_id, run) for run in runs)
            skipped += halted
            if halted or any(job.failure for job in item.backups):
                failed.add(item.machine)
    return frozenset(failed), skipped
