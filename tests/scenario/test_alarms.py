"""
The alarms' questions, asked of what the app really writes while it runs on a simulated Azure.

A trace is a line of the journal in its real form, a request an invocation of the host's double.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import duckdb
import duckdb_kql
import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.host import InvocationStatus
from azsim.transport import SimTransport
from azsim.world import World
from tests.infra.test_alarms import COMPARE, RULES
from tests.scenario.drill_stage import DAY, DRILLS, HOUR, PLACE, NightStage
from tests.scenario.mail_stage import MailStage
from tests.scenario.stage import SUB, TOML, WEST, Stage, opened
from vmbackup_cli.simulated import ACCOUNT, ENVIRONMENT, SimCredential, WorldClock
from vmbackup_core import bootstrap
from vmbackup_core.adapters.journal import LogJournal

MINUTE = timedelta(minutes=1)


@dataclass
class Workspace:
    """What Application Insights took in of a run, by phases."""

    messages: list[str] = field(default_factory=list)
    requests: list[tuple[str, bool]] = field(default_factory=list)

    def rings(self, rule: str) -> bool:
        [asked] = RULES[rule]["criteria"]["allOf"]
        with duckdb_kql.connect(config={"threads": 1}) as tables:
            self._fill(tables)
            found = tables.execute(str(duckdb_kql.to_sql(asked["query"]))).fetchall()
        return bool(COMPARE[asked["operator"]](len(found), asked["threshold"]))

    def _fill(self, tables: duckdb.DuckDBPyConnection) -> None:
        tables.execute("create table AppTraces (Message varchar)")
        tables.execute("create table AppRequests (Name varchar, Success boolean)")
        rows: Sequence[tuple[str, Sequence[Any]]] = (
            ("insert into AppTraces values (?)", [[one] for one in self.messages]),
            ("insert into AppRequests values (?, ?)", [list(one) for one in self.requests]),
        )
        for statement, values in rows:
            if values:
                tables.executemany(statement, values)


class Listening(logging.Handler):
    """Keeps the lines of the journal as Application Insights would get them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module")
def heard() -> Iterator[Listening]:
    log, listening = logging.getLogger("vmbackup"), Listening()
    before = log.level
    log.addHandler(listening)
    log.setLevel(logging.INFO)
    yield listening
    log.removeHandler(listening)
    log.setLevel(before)


def during(stage: Stage, heard: Listening, span: timedelta) -> Workspace:
    """Run for a while and return what was written then."""
    heard.lines.clear()
    begin = stage.world.clock.now()
    stage.run(span)
    return Workspace(list(heard.lines), _requests(stage, begin))


def _requests(stage: Stage, begin: datetime) -> list[tuple[str, bool]]:
    assert stage.host is not None
    return [
        (one.function, one.status is InvocationStatus.SUCCEEDED)
        for one in stage.host.invocations
        if one.started > begin
    ]


class Logged(NightStage):
    """An app that writes its journal as it does in production."""

    def build(self) -> bootstrap.App:
        self.journal = LogJournal()  # type: ignore[assignment]
        return super().build()


class Mailing(MailStage):
    """The same, with a mail service."""

    def build(self) -> bootstrap.App:
        self.journal = LogJournal()  # type: ignore[assignment]
        self.environment = {**self.environment, "VMBACKUP_WATCH_SCHEDULE": "0 30 6 * * *"}
        return super().build()


@pytest.fixture(scope="module")
def phases(heard: Listening) -> dict[str, Workspace]:
    """One deployment through a good night and some bad ones, over when the tests look at it."""
    found: dict[str, Workspace] = {}
    with opened(Logged(World(), TOML + DRILLS)) as stage:
        world = stage.world
        stage.prepare("web")  # type: ignore[attr-defined]
        found["good night"] = during(stage, heard, 6 * HOUR)
        names = [f"vm-{number}" for number in range(11)]
        for name in names:
            stage.create_vm(name, tag="standard")
        stage.run(HOUR)
        for name in names:
            world.machines.delete(stage.id(name))
        found["shrunk"] = during(stage, heard, HOUR)
        stage.until(0, 55)  # type: ignore[attr-defined]
        for number in (1, 2):
            group = f"{PLACE.group}-{number}"
            world.machines.disks.create(
                subscription=SUB, group=group, name="somebodys", location=WEST, tags={}
            )
        assert stage.host is not None
        stage.ask(vm=stage.id("web"), rung="boot")  # type: ignore[attr-defined]
        found["slot in use"] = during(stage, heard, HOUR)
        stage.host.start("workflow", instance_id="odd-1", input={"kind": "odd", "state": {}})
        stage.host.start("workflow", instance_id="odd-2", input={"kind": "odd", "state": {}})
        stage.host.suspend("odd-2", "for a look")
        stage.until(3, 15)  # type: ignore[attr-defined]
        found["workflows"] = during(stage, heard, HOUR)
        world.faults.add(Fault(Kind.FORBIDDEN, "tables.*", times=None))
        world.faults.add(Fault(Kind.FORBIDDEN, "blobs.*", times=None))
        found["no state"] = during(stage, heard, 3 * HOUR)
    return found


@pytest.fixture(scope="module")
def mailing(heard: Listening) -> dict[str, Workspace]:
    """Two days with a mail service, and two in which it refuses."""
    with opened(Mailing(World())) as stage:
        told = during(stage, heard, 2 * DAY)
        stage.world.faults.add(Fault(Kind.FORBIDDEN, "email.*", times=None))
        return {"mailing": told, "no mail": during(stage, heard, 2 * DAY)}


RINGS = {
    "no-sweep": "no state",
    "no-janitor": "no state",
    "functions-fail": "no state",
    "no-housekeeping": "no state",
    "sweep-stopped": "shrunk",
    "leftovers": "slot in use",
    "workflow-stuck": "workflows",
    "workflow-failed": "workflows",
}


@pytest.mark.parametrize("rule", RINGS)
def test_an_alarm_rings_for_what_the_app_writes_in_trouble(phases: dict[str, Workspace], rule: str):
    assert phases[RINGS[rule]].rings(rule)


@pytest.mark.parametrize("rule", RINGS)
def test_no_alarm_rings_in_a_good_night(phases: dict[str, Workspace], rule: str):
    assert not phases["good night"].rings(rule)


@pytest.mark.long
def test_the_alive_digest_is_missed_where_it_is_not_sent(mailing: dict[str, Workspace]):
    assert not mailing["mailing"].rings("no-alive-digest")
    assert mailing["no mail"].rings("no-alive-digest")


def test_a_refused_configuration_rings(heard: Listening, world: World):
    heard.lines.clear()
    account = world.storage.ensure_account(ACCOUNT)
    container = account.containers.ensure("config", world.clock.now())
    container.write("vmbackup.toml", TOML.encode(), world.clock.now())
    where = f"https://{ACCOUNT}.blob.core.windows.net/config/vmbackup.toml"
    follower = bootstrap.follow(
        {**ENVIRONMENT, "VMBACKUP_CONFIG": where},
        transport=SimTransport(world),
        credential=SimCredential(),
        clock=WorldClock(world),
    )
    follower.present()
    container.write("vmbackup.toml", b"[broken", world.clock.now())
    world.clock.advance(2 * MINUTE)
    follower.present()

    assert Workspace(heard.lines).rings("configuration-refused")
