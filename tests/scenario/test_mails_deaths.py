"""A story of open, reminder and recovery on a simulated Azure, whose process dies at any call."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from azsim.email import Service
from azsim.transport import SimTransport
from azsim.world import World
from tests.scenario.mail_stage import CODE, DAY, HOUR, SENDER, TOML, subject_of
from tests.scenario.stage import GROUP, SUB, VAULT, VAULT_GROUP, WEST
from tests.small_drill import Silent
from vmbackup_cli.simulated import CLIENT, ENVIRONMENT, build_app

STORY = ["Backup trouble", "Still", "Over"]
LOOKS = 12 * HOUR
# A look that is lost must not change how often there is a reminder.
RHYTHM = 'remind_every = "36 hours"\n'
CALLS = 190  # Of the whole story, the looks before and after it among them.
AROUND_A_MAIL = range(75, 79)  # The claim is read and written, the mail sent, and that noted.


class Killed(BaseException):
    """The process is gone: nothing but the test catches this."""


class MortalTransport(SimTransport):
    """Lets the process die at one call, before it is sent or after it was answered."""

    def __init__(self, world: World) -> None:
        super().__init__(world, client=CLIENT)
        self.calls = 0
        self.dies_at: tuple[int, str] = (0, "")

    def send(self, request: Any, **options: Any) -> Any:
        self.calls += 1
        nth, when = self.dies_at
        if self.calls == nth and when == "before":
            raise Killed
        answer = super().send(request, **options)
        if self.calls == nth and when == "after":
            raise Killed
        return answer


@dataclass
class Nights:
    """One VM, and looks twice a day; after a death the next look is that of a new process."""

    world: World
    deaths: int = 0
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        world.groups.add_subscription(SUB)
        for group in (GROUP, VAULT_GROUP):
            world.groups.create(SUB, group, WEST)
        self.vault = world.vaults.create(SUB, VAULT_GROUP, VAULT, WEST)
        self.service = world.email.add_service(SUB, "rg-ops", "acs", "contoso.example")
        workspace = world.logs.add_workspace(SUB, "rg-ops", "law")
        world.logs.connect(self.vault, workspace, first_push=HOUR)
        self.environment = {
            **ENVIRONMENT,
            "VMBACKUP_MAIL_ENDPOINT": self.service.endpoint,
            "VMBACKUP_MAIL_SENDER": SENDER,
            "VMBACKUP_LOG_WORKSPACES": workspace.customer_id,
        }
        self.transport = MortalTransport(world)

    def play(self) -> None:
        """Let an agent die for four nights, and look on until all is told."""
        made = self.world.machines.create(subscription=SUB, group=GROUP, name="web", location=WEST)
        self.world.vaults.protect(made.id, self.vault)
        self.look(until=DAY)
        self.world.vaults.fail_backups(made.id, CODE, 4)
        self.look(until=6 * DAY)

    def look(self, until: Any) -> None:
        app = self.start()
        end = self.world.clock.now() + until
        while self.world.clock.now() < end:
            self.world.clock.advance(LOOKS)
            try:
                app.look()
            except Killed:
                self.deaths += 1
                app = self.start()

    def start(self) -> Any:
        return build_app(
            self.world,
            TOML + RHYTHM,
            journal=Silent(),
            transport=self.transport,
            environment=self.environment,
        ).mails()

    @property
    def marks(self) -> list[str]:
        return [subject_of(mail).partition(":")[0] for mail in self.world.email.outbox]


def test_the_range_of_calls_covers_the_whole_story() -> None:
    nights = Nights(World())
    nights.play()

    assert nights.marks == STORY
    assert CALLS - 20 <= nights.transport.calls <= CALLS


def assert_told_once(nights: Nights) -> None:
    assert nights.deaths == 1
    assert nights.marks == STORY
    operations = [mail.operation_id for mail in nights.world.email.outbox]
    assert len(operations) == len(set(operations))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", AROUND_A_MAIL)
def test_each_thing_is_told_once_where_the_process_dies_around_a_mail(nth: int, when: str) -> None:
    nights = Nights(World())
    nights.transport.dies_at = (nth, when)
    nights.play()

    assert_told_once(nights)


@pytest.mark.long
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, CALLS))
def test_each_thing_is_told_once_wherever_the_process_dies(nth: int, when: str) -> None:
    nights = Nights(World())
    nights.transport.dies_at = (nth, when)
    nights.play()

    assert_told_once(nights)
