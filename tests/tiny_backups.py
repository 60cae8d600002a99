"""Protected items, jobs and a log in memory, for the look for troubles."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from tests.blobs import MemoryBlobs, nothing
from tests.builders import HERE, SUB, VAULT
from tests.clocks import HandClock
from tests.small_app import Lines
from vmbackup_core.app.telling.incident_book import IncidentBook
from vmbackup_core.app.telling.watch import Watch
from vmbackup_core.domain.backups import Backups, ProtectedVm
from vmbackup_core.domain.errors import BackupError
from vmbackup_core.domain.facts import ItemState, Tags
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.policies import PolicyFacts, PolicyKind, Retention
from vmbackup_core.domain.rules import Rules, Scope
from vmbackup_core.domain.schedules import Daily
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus, Source
from vmbackup_core.domain.telling.incident_groups import Folding
from vmbackup_core.domain.telling.incidents import Notice
from vmbackup_core.domain.telling.mail_rules import MailRules
from vmbackup_core.domain.telling.promises import VaultPromise
from vmbackup_core.domain.telling.routing import Routing
from vmbackup_core.domain.telling.tellings import Rhythm

BEGIN = datetime(2030, 1, 7, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CODE = "UserErrorGuestAgentStatusUnavailable"
DAILY = PolicyFacts("daily", PolicyKind.STANDARD, Daily(time(22)), Retention(daily_days=30))
MAIL = MailRules(
    routing=Routing(default=("ops@x.example",), domains=("x.example",)),
    rhythm=Rhythm(DAY, 3 * DAY),
    folding=Folding(gather=timedelta(0)),
    owner_digest=Daily(time(7)),
    alive_at=time(7),
)
RULES = Rules(Scope(subscriptions=(SUB,)), "backup", opt_out=("off",))


def vm_id(name: str = "web") -> VmId:
    return VmId(SUB, "rg-app", name)


@dataclass
class TinyBackups:
    """
    Nights of backups: one at 22:30 of each VM, that goes as `nights` says, else well.

    `tells_words` is whether the first source tells why one failed.
    """

    clock: HandClock
    items: dict[str, ProtectedVm] = field(default_factory=dict)
    runs: list[BackupRun] = field(default_factory=list)
    vault: VaultPromise = field(
        default_factory=lambda: VaultPromise(VAULT, HERE, policies=(DAILY,))
    )
    tells_words: bool = True
    log_late: timedelta | None = None
    log_error: BackupError | None = None
    asked: list[str] = field(default_factory=list)
    before_call: Callable[[], None] = nothing

    def protect(self, name: str = "web", **more: Any) -> None:
        given = {"tags": Tags(), "state": ItemState.PROTECTED, "last_point": None, **more}
        self.items[name] = ProtectedVm(
            vm=vm_id(name), name=name, machine=f"m-{name}", vault=VAULT, policy="daily", **given
        )

    def change(self, name: str, **more: Any) -> None:
        self.items[name] = replace(self.items[name], **more)

    def run(self, name: str, began: datetime, status: RunStatus, *, lost: bool = False) -> None:
        """Let a backup of an hour be there; one that went well leaves a point."""
        bad = status is RunStatus.FAILED
        self.runs.append(
            BackupRun(
                id=f"{name}-{began:%m%d-%H%M}",
                vm=vm_id(name),
                vault=VAULT,
                operation="Backup",
                status=status,
                started=began,
                ended=None if status is RunStatus.RUNNING else began + HOUR,
                code=CODE if bad else "",
                message="It failed." if bad else "",
            )
        )
        if status is RunStatus.COMPLETED and not lost:
            self.change(name, last_point=began)

    # The ports.

    def observe_backups(self, scope: Scope) -> Backups:
        self._called("backups")
        return Backups(self.clock.now(), tuple(self.items.values()), (self.vault,))

    def observe_unfinished(self, scope: Scope, since: datetime) -> tuple[BackupRun, ...]:
        self._called("unfinished")
        return tuple(
            self._told(run, Source.GRAPH)
            for run in self.runs
            if run.started >= since and not run.worked
        )

    def observe_failure(self, run: BackupRun) -> BackupRun:
        self._called(f"failure {run.id}")
        found = next(one for one in self.runs if one.id == run.id)
        return replace(found, sources=frozenset({Source.VAULT}))

    def observe_ingested(self, since: datetime) -> tuple[BackupRun, ...]:
        self._called("log")
        if self.log_error is not None:
            raise self.log_error
        late = self.log_late or timedelta(0)
        taken = [(run, run.ended + late) for run in self.runs if run.ended]
        return tuple(
            replace(run, ingested=at, sources=frozenset({Source.LOG}))
            for run, at in taken
            if since < at <= self.clock.now()
        )

    def _told(self, run: BackupRun, source: Source) -> BackupRun:
        run = replace(run, sources=frozenset({source}))
        return run if self.tells_words else replace(run, code="", message="")

    def _called(self, what: str) -> None:
        self.before_call()
        self.asked.append(what)


class Nights:
    """A look every `every`, over days in which each VM is backed up as the test says."""

    def __init__(self, *, with_log: bool = True, mail: MailRules = MAIL) -> None:
        self.clock = HandClock(BEGIN)
        self.azure = TinyBackups(self.clock)
        self.blobs = MemoryBlobs()
        self.journal = Lines()
        self.watch = Watch(
            estate=self.azure,
            log=self.azure if with_log else None,
            book=IncidentBook(self.blobs),
            clock=self.clock,
            journal=self.journal,
            rules=RULES,
            mail=mail,
        )
        self.told: list[Notice] = []

    def look(self) -> None:
        self.told += self.watch.look()

    def pass_time(self, span: timedelta, every: timedelta = 2 * HOUR) -> None:
        until = self.clock.now() + span
        while self.clock.now() < until:
            self.clock.move_to(min(self.clock.now() + every, until))
            self.look()

    def night(self, **went: RunStatus | None) -> None:
        """Pass a day from noon to noon; each VM's backup goes well, or as is said of it."""
        began = self.clock.now() + timedelta(hours=10, minutes=30)
        self.pass_time(timedelta(hours=12))
        for name, item in list(self.azure.items.items()):
            status = went.get(name, RunStatus.COMPLETED)
            if status is not None and item.state is ItemState.PROTECTED:
                self.azure.run(name, began, status)
        self.pass_time(timedelta(hours=12))

    @property
    def tellings(self) -> list[str]:
        return [str(one.told.telling) for one in self.told]

    @property
    def causes(self) -> list[str]:
        return [one.cause.name for one in self.watch.book.read().incidents]
