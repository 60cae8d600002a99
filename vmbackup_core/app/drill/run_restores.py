"""
The restores of a run that died: those that it never heard of are found, those that run are stopped.

A restore goes on whatever becomes of its run, so nothing is attested before all of them have ended.
"""

from dataclasses import dataclass, replace
from functools import partial

from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.domain.drill.facts import RestoreFacts
from vmbackup_core.domain.drill.janitor import SKEW, is_of, suspects, unaccounted
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.errors import Gone, Rejected, Stale
from vmbackup_core.ports import Journal
from vmbackup_core.ports_drills import Restoring

_NOT_FOUND = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class RunRestores:
    runs: RunBook
    restoring: Restoring
    journal: Journal

    def find(self, run: Run) -> Run:
        """Return the run with the restores that it began and never heard of."""
        if not unaccounted(run):
            return run
        since = min(run.restores_asked) - SKEW
        vault = run.order.vault
        try:
            listed = self.restoring.observe_restores(vault, since)
        except Stale as error:
            if not _is_gone(error):
                raise
            return run
        for suspect in suspects(run, listed):
            found = self._one(run, suspect.id)
            if found is not None and is_of(run, found):
                run = self.runs.amend(run.order.run, partial(_having_job, suspect.id))
        return run

    def read(self, run: Run) -> tuple[RestoreFacts, ...]:
        """Return its restores as they are; one that no vault knows any more has ended."""
        known = (self._one(run, job) for job in run.jobs)
        return tuple(found for found in known if found is not None)

    def stop(self, run: Run) -> tuple[RestoreFacts, ...]:
        """Return its restores as they are, after asking those to stop that still run."""
        found = self.read(run)
        for restore in found:
            if restore.progress.ended:
                continue
            try:
                self.restoring.cancel_restore(run.order.vault, restore.id)
            except (Rejected, Stale) as error:  # It is too late for that: it ends by itself.
                self.journal.note("outcome", run.order.run, f"not cancelled: {error}", done=False)
        return found

    def _one(self, run: Run, job: str) -> RestoreFacts | None:
        try:
            return self.restoring.observe_restore(run.order.vault, job)
        except Stale as error:
            if not _is_gone(error):
                raise
            return None


def _is_gone(error: Stale) -> bool:
    return isinstance(error, Gone) or error.status in _NOT_FOUND


def _having_job(job: str, run: Run) -> Run:
    return replace(run, jobs=(*run.jobs, job))
