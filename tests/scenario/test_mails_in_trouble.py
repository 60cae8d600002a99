"""An agent that dies for three nights, while something else goes wrong: the same three mails."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.transport import SimTransport
from azsim.world import World
from tests.scenario.mail_stage import CODE, DAY, HOUR, MINUTE, MailStage
from tests.scenario.stage import opened
from vmbackup_cli.simulated import CLIENT, build_app
from vmbackup_core.bootstrap import App

LONG = pytest.mark.long
STORY = ["Backup trouble", "Still", "Over"]


@dataclass
class Nights(MailStage):
    """Looks come every six hours."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.environment = {**self.environment, "VMBACKUP_WATCH_SCHEDULE": "0 30 */6 * * *"}
        self.app = self.build()

    def play(self, nights: float = 6) -> None:
        web = self.protect()
        self.protect("fine")
        self.nights(1)
        self.world.vaults.fail_backups(web, CODE, 3)
        self.nights(nights - 1)

    @property
    def operations(self) -> list[str]:
        return [mail.operation_id for mail in self.world.email.outbox]


def assert_told_once(stage: Nights) -> None:
    assert stage.marks == STORY
    assert len(stage.operations) == len(set(stage.operations))
    assert stage.failures() == []


def test_mail_that_is_refused_for_a_day_comes_a_day_later(world: World) -> None:
    refusal = Fault(Kind.UNAVAILABLE, "email.send", times=None, status=429, code="TooManyRequests")
    with opened(Nights(world)) as stage:
        stage.play(2.5)
        stage.world.faults.add(refusal)
        stage.nights(1)
        stage.world.faults.clear()
        stage.nights(3)

    assert_told_once(stage)
    assert stage.world.faults.struck


@pytest.mark.long  # An outage with such a log is told in test_mails_told.py.
def test_a_log_that_is_late_by_26_hours_changes_nothing(world: World) -> None:
    with opened(Nights(world)) as stage:
        now = world.clock.now()
        world.logs.delay(26 * HOUR, since=now, until=now + 30 * DAY)
        stage.play()

    assert_told_once(stage)


@dataclass(frozen=True)
class OtherClock:
    """A clock that differs from Azure's."""

    world: World
    ahead: timedelta

    def now(self) -> datetime:
        return self.world.clock.now() + self.ahead

    def pause(self, duration: timedelta) -> None:
        self.world.clock.advance(duration)


@dataclass
class Skewed(Nights):
    ahead: timedelta = timedelta(0)

    def build(self) -> App:
        return build_app(
            self.world,
            self.toml,
            journal=self.journal,
            environment=self.environment,
            clock=OtherClock(self.world, self.ahead),
        )


@pytest.mark.parametrize("minutes", [20, *(pytest.param(n, marks=LONG) for n in (-20, -4, 4))])
def test_a_clock_that_differs_from_azures_changes_nothing(world: World, minutes: int) -> None:
    with opened(Skewed(world, ahead=minutes * MINUTE)) as stage:
        stage.play()

    assert_told_once(stage)


class BusyTransport(SimTransport):
    """Lets something else happen within each `every`-th call, before it is sent."""

    def __init__(self, world: World, every: int) -> None:
        super().__init__(world, client=CLIENT)
        self.every, self.calls, self.busy = every, 0, False
        self.meanwhile: Callable[[], None] = lambda: None

    def send(self, request: Any, **options: Any) -> Any:
        self.calls += 1
        if not self.busy and self.calls % self.every == 0:
            self.busy = True
            self.meanwhile()
            self.busy = False
        return super().send(request, **options)


@pytest.mark.parametrize("every", [5, *(pytest.param(n, marks=LONG) for n in (2, 3, 7, 11))])
def test_two_instances_at_once_tell_each_thing_once(world: World, every: int) -> None:
    transport = BusyTransport(world, every)
    with opened(Nights(world, transport=transport)) as stage:
        mails = build_app(world, stage.toml, environment=stage.environment).mails()
        assert mails is not None
        transport.meanwhile = mails.look
        stage.play()

    assert_told_once(stage)
