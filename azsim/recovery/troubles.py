"""
What is to go wrong with backups: of one VM, of a whole vault, and schedules that do not run.

Nothing here is Azure's: it is how a test or a demo sets the stage.
"""

from dataclasses import dataclass
from datetime import datetime

from azsim.recovery.jobs import Failure
from azsim.recovery.known_failures import known_failure


@dataclass(frozen=True, slots=True)
class _Outage:
    vault_id: str
    failure: Failure
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _Halt:
    target: str
    since: datetime
    until: datetime


class Troubles:
    """The troubles of one world; ids compare without case, spans include their beginning only."""

    def __init__(self) -> None:
        self._planned: dict[str, list[Failure]] = {}
        self._outages: list[_Outage] = []
        self._halts: list[_Halt] = []

    def fail(self, vm_id: str, failure: Failure | str, times: int) -> None:
        self._planned.setdefault(vm_id.lower(), []).extend([_named(failure)] * times)

    def fail_vault(
        self, vault_id: str, failure: Failure | str, since: datetime, until: datetime
    ) -> None:
        self._outages.append(_Outage(vault_id.lower(), _named(failure), since, until))

    def halt(self, target: str, since: datetime, until: datetime) -> None:
        self._halts.append(_Halt(target.lower(), since, until))

    def of_backup(self, vault_id: str, vm_id: str, started: datetime) -> Failure | None:
        """Return why a backup that begins now fails; a planned failure is used up by it."""
        for outage in self._outages:
            if outage.vault_id == vault_id.lower() and outage.since <= started < outage.until:
                return outage.failure
        planned = self._planned.get(vm_id.lower())
        return planned.pop(0) if planned else None

    def halts(self, vault_id: str, vm_id: str, run: datetime) -> bool:
        """Tell whether this run of a schedule does not happen at all: no job, no point."""
        targets = (vault_id.lower(), vm_id.lower())
        return any(h.target in targets and h.since <= run < h.until for h in self._halts)


def _named(failure: Failure | str) -> Failure:
    return known_failure(failure) if isinstance(failure, str) else failure
