"""Restore tests as their evidence alone has them, where no ledger and no folded history tells."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from vmbackup_cli.drill_follow import Json
from vmbackup_cli.drill_record import Body
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.drill.evidence import DRILL, moment
from vmbackup_core.domain.evidence import Kind, chain_name

BACK = timedelta(days=366)  # A VM or a run is looked for in the tests of the last year.


def read_past(evidence: EvidenceLog, since: datetime, now: datetime) -> Iterator[Body]:
    """Yield the bodies of the tests that ended in that time, once each, oldest first."""
    seen = set[str]()
    for month in _months(since, now):
        for body in _of_month(evidence, month):
            if body["run"] in seen:
                continue
            seen.add(body["run"])
            if moment(body, "ended") >= since:
                yield body


def _months(since: datetime, now: datetime) -> list[datetime]:
    months = [since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)]
    while (later := (months[-1] + timedelta(days=31)).replace(day=1)) <= now:
        months.append(later)
    return months


def _of_month(evidence: EvidenceLog, month: datetime) -> Iterator[Body]:
    chain = evidence.chain(f"{chain_name(Kind.DRILL, month)}/")
    return (record["body"] for _, record in chain if record["body"]["what"] == DRILL)


def search(app: App, wanted: Callable[[str], bool]) -> dict[str, Body]:
    """
    Return the tests of the newest month of the last year with one whose run is `wanted`, by run.

    That reads record after record: for what no ledger and no folded history tells of.
    """
    now = app.clock.now()
    for month in reversed(_months(now - BACK, now)):
        found = dict[str, Body]()
        for body in _of_month(app.evidence, month):
            if wanted(body["run"]):
                found.setdefault(body["run"], body)  # Of two records of one run the first counts.
        if found:
            return found
    return {}


def from_evidence(app: App, run: str) -> Json | None:
    """Return how a run ended by its record alone, where no ledger tells of it; else None."""
    body = search(app, lambda found: found == run).get(run)
    return None if body is None else {"run": run, "state": "ended", "record": dict(body)}
