"""`vmbackup drill run` and what reads its records: in the deployed app, and driven from here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from azsim.guests import Boot, Conduct
from azsim.world import World
from tests.cli import TOML, Cli, Office, Ran
from tests.credentials import StaticCredential
from tests.scenario.drill_stage import DRILLS, PLACE, STAGING, NightStage
from tests.scenario.stage import TOML as STAGE_TOML
from tests.scenario.stage import opened
from tests.scenario.test_cli_drill import vm_id
from vmbackup_cli.simulated import found_place
from vmbackup_cli.web import Answer
from vmbackup_core.domain.drill.slots import Slot, copy_name
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.ports import Clock

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
APP = "https://func-backup.azurewebsites.net"
WIDTHS = [40, 60, 80, 110, 200]


@pytest.fixture
def office(world: World) -> Office:
    """An office with a VM that has been backed up for some days, and a janitor in reach."""
    office = Office(world, TOML + DRILLS)
    office.protected("web")
    found_place(world, PLACE, 2, staging=STAGING)
    world.clock.advance(timedelta(days=4))
    office.app.restore_tests().heartbeat.beat()
    return office


def run_local(office: Office, *more: str, **terminal: Any) -> Ran:
    return office.run("drill", "run", "web", "--local", "--yes", *more, **terminal)


def in_slot(office: Office, number: int = 1) -> list[str]:
    slot = Slot(PLACE, number)
    return [thing.name for thing in office.app.restore_tests().janitor.copies.list_things(slot)]


# Driven from here.


def test_a_vm_is_proven_from_here_and_nothing_is_left(office: Office) -> None:
    ran = run_local(office)

    assert ran.code == 0
    assert "PROVEN  every rung that its tier asks for has passed" in ran.out
    assert "DISKS_MATCH" in ran.out
    assert "web: restores the disks" in ran.err
    assert "web: disks: pass (DISKS_MATCH)" in ran.err
    assert in_slot(office) == []


def test_the_machine_form_is_one_document_with_the_record(office: Office) -> None:
    ran = run_local(office, "--json", "--rung", "disks")

    record = ran.json["record"]
    assert ran.code == 0
    assert record["run"] == ran.json["run"]
    assert (record["reached"], record["needed"]) == ("disks", "disks")
    assert ran.json["interrupted"] is False
    assert (
        "PROVEN  up to disks, as asked for; its tier asks for boot"
        in office.run("drill", "show", "web").out
    )


def test_a_point_that_nobody_knows_is_a_wrong_call_and_leaves_no_record(office: Office) -> None:
    ran = run_local(office, "--point", "1234567")

    assert ran.code == 64
    assert "web has none called 1234567 that can be restored; its newest are" in ran.err
    assert office.run("drill", "list", "--json").json["tests"] == []


def test_a_backup_that_does_not_boot_is_said_to_have_failed(office: Office) -> None:
    office.world.vaults.spoil_points(vm_id("web"), Conduct(boot=Boot.PANIC))

    ran = run_local(office)

    assert ran.code == 1
    assert "FAILED" in ran.out
    assert "KERNEL_PANIC" in ran.out
    assert "What you can do about boot: restore the VM and repair it by hand" in ran.out


def test_a_test_that_could_tell_nothing_is_not_proven(office: Office) -> None:
    office.world.machines.tag(vm_id("web"), {"backup": "gold", "drill": "disks-only"})

    ran = run_local(office)

    assert ran.code == 1
    assert "NOT_PROVEN" in ran.out
    assert "CAPPED_BY_TAG" in ran.out


def test_a_point_may_be_chosen(office: Office) -> None:
    oldest = run_local(office, "--json", "--rung", "point", "--point", "oldest").json["record"]
    named = run_local(office, "--json", "--rung", "point", "--point", oldest["point"]["id"]).json[
        "record"
    ]

    assert oldest["strategy"] == "oldest"
    assert named["point"] == oldest["point"]


def test_a_copy_is_kept_for_a_person_and_then_removed(office: Office) -> None:
    ran = run_local(office, "--keep", "4h")
    slots = office.run("drill", "slots")
    listed = office.run("drill", "list")
    run = office.run("drill", "list", "--json").json["tests"][0]["run"]

    assert ran.code == 0
    assert "then the janitor removes it" in ran.out
    assert copy_name(run) in in_slot(office)
    assert "kept" in slots.out
    assert "kept until" in listed.out

    office.world.clock.advance(5 * HOUR)
    for _ in range(4):
        office.app.restore_tests().tidy()
        office.world.clock.advance(10 * MINUTE)

    assert in_slot(office) == []
    assert "nothing, since the janitor has looked" in office.run("drill", "show", "web").out


def test_what_will_be_done_is_said_and_nothing_is_done_against_a_no(office: Office) -> None:
    before = office.arm_writes()

    ran = office.run("drill", "run", "web", "--local", "--keep", "2h", answer=False)

    assert ran.code == 1
    assert "up to rung 2 (boot)" in ran.err
    assert "its copy is kept for 2 hours, whatever comes of it" in ran.err
    assert "Nothing was done." in ran.err
    assert office.arm_writes() == before


def test_where_nobody_can_be_asked_it_says_what_to_say(office: Office) -> None:
    ran = office.run("drill", "run", "web", "--local")

    assert ran.code == 64
    assert "say --yes" in ran.err


def test_without_a_janitor_in_reach_nothing_is_run_from_here(office: Office) -> None:
    office.world.clock.advance(2 * HOUR)

    ran = run_local(office)

    assert ran.code == 1
    assert "no janitor is in reach: it looked last at" in ran.err


def test_a_janitor_that_never_looked_is_not_in_reach(world: World) -> None:
    office = Office(world, TOML + DRILLS)
    office.protected("web")

    ran = run_local(office)

    assert ran.code == 1
    assert "none has ever looked at this ledger" in ran.err
    assert "VMBACKUP_STORAGE_ACCOUNT" in ran.err


def test_a_pause_holds_it_back(office: Office) -> None:
    office.run("pause", "on", "--why", "move")

    ran = run_local(office)

    assert ran.code == 1
    assert "PAUSED since" in ran.err


def test_a_vm_without_backup_is_not_restored(office: Office) -> None:
    office.vm("new", tag=None)

    ran = office.run("drill", "run", "new", "--local", "--yes")

    assert ran.code == 1
    assert "nothing to prove" in ran.err


def test_everything_that_is_wrong_with_a_call_is_said_at_once(office: Office) -> None:
    ran = run_local(office, "--rung", "roof", "--keep", "long")

    assert ran.code == 64
    assert "--keep: not a time" in ran.err
    assert "--rung: not one of point, disks, boot, checks, canary" in ran.err


def test_without_a_drill_plan_there_is_nothing_to_run(office: Office) -> None:
    office.configure(TOML)

    ran = run_local(office)

    assert ran.code == 64
    assert "add [drills]" in ran.err


@dataclass(frozen=True)
class Impatient:
    """A clock before which somebody presses Ctrl-C once it is `late`."""

    clock: Clock
    late: datetime

    def now(self) -> datetime:
        return self.clock.now()

    def pause(self, duration: timedelta) -> None:
        if self.clock.now() >= self.late:
            raise KeyboardInterrupt
        self.clock.pause(duration)


def test_ctrl_c_says_who_cleans_up_and_the_janitor_does(office: Office) -> None:
    patient = office.app
    office.change(clock=Impatient(patient.clock, patient.clock.now() + 1 * MINUTE))

    ran = run_local(office)

    assert ran.code == 1
    assert "The janitor removes it, at the latest 1 hour after" in ran.err

    office.app = patient
    assert "restores the disks" in office.run("drill", "show", "web").out
    for _ in range(12):
        office.world.clock.advance(15 * MINUTE)
        office.app.restore_tests().tidy()
    assert in_slot(office) == []
    assert "OVERDUE" in office.run("drill", "show", "web").out


@pytest.mark.parametrize("width", WIDTHS)
def test_a_ladder_moves_on_a_terminal(office: Office, width: int) -> None:
    ran = run_local(office, "--rung", "disks", on_terminal=True, width=width)

    assert ran.code == 0
    assert "1 disks" in ran.err
    assert max(len(line) for line in ran.out.splitlines()) <= width


# In the deployed app.


@dataclass(frozen=True)
class HostClock:
    """Waiting lets the deployed app go on."""

    stage: NightStage
    interrupted: timedelta | None = None

    def now(self) -> datetime:
        return self.stage.world.clock.now()

    def pause(self, duration: timedelta) -> None:
        if self.interrupted is not None:
            raise KeyboardInterrupt
        self.stage.run(duration)


@dataclass
class Deployed:
    """The way to the app of a stage; some of the first looks may be lost."""

    stage: NightStage
    lose: int = 0
    seen: int = 0

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        assert url.startswith(f"{APP}/api/")
        self.seen += 1
        if 1 < self.seen <= 1 + self.lose:
            raise Retryable("the app does not answer")
        assert self.stage.host is not None
        found = self.stage.host.http(method, url.removeprefix(APP), headers, body)
        return Answer(found.status, found.body)


@pytest.fixture
def night(world: World) -> Iterator[NightStage]:
    with opened(NightStage(world, STAGE_TOML + DRILLS)) as stage:
        assert isinstance(stage, NightStage)
        yield stage


def ask(stage: NightStage, *arguments: str, lose: int = 0, key: str = "", **more: Any) -> Ran:
    assert stage.host is not None
    keyed = {"VMBACKUP_APP_KEY": key or stage.host.function_key}
    clock = HostClock(stage, more.pop("interrupted", None))
    office = Cli(
        replace(stage.app, clock=clock),
        environment=more.pop("environment", keyed),
        fetch=Deployed(stage, lose),
        **more,
    )
    return office.run("drill", *arguments, "--app", APP)


def test_the_deployed_app_is_asked_and_followed(night: NightStage) -> None:
    night.prepare("web")

    ran = ask(night, "run", "web", "--yes")

    assert ran.code == 0
    assert "web: restores the disks" in ran.err
    assert "web: disks: pass (DISKS_MATCH)" in ran.err
    assert "PROVEN  every rung" in ran.out
    assert night.in_slots() == []
    assert night.failures() == []


def test_looks_that_are_lost_end_nothing(night: NightStage) -> None:
    night.prepare("web")

    assert ask(night, "run", "web", "--rung", "disks", "--yes", lose=5).code == 0


def test_ctrl_c_ends_the_following_and_not_the_test(night: NightStage) -> None:
    night.prepare("web")

    ran = ask(night, "run", "web", "--rung", "disks", "--yes", interrupted=MINUTE)
    run = ran.err.split("drill show ")[1].split(" ")[0]
    followed = ask(night, "show", run, "--follow")

    assert ran.code == 1
    assert "the restore test goes on in" in ran.err
    assert followed.code == 0
    assert "PROVEN" in followed.out


def test_a_test_is_followed_by_the_ledger_where_no_app_is_named(night: NightStage) -> None:
    night.prepare("web")
    ask(night, "run", "web", "--rung", "disks", "--yes", interrupted=MINUTE)
    night.run(2 * MINUTE)
    here = Cli(replace(night.app, clock=HostClock(night)))

    ran = here.run("drill", "show", "web", "--follow")

    assert ran.code == 0
    assert "PROVEN" in ran.out


def test_the_key_is_asked_for_and_never_shown(night: NightStage) -> None:
    night.prepare("web")
    assert night.host is not None
    key = night.host.function_key

    ran = ask(night, "run", "web", "--rung", "point", environment={}, answer=True, types=key)

    assert ran.code == 0
    assert key not in ran.out + ran.err


def test_a_key_that_is_missing_or_refused_is_said(night: NightStage) -> None:
    night.prepare("web")

    missing = ask(night, "run", "web", "--yes", environment={})
    refused = ask(night, "run", "web", "--yes", key="wrong")

    assert (missing.code, refused.code) == (64, 64)
    assert "set VMBACKUP_APP_KEY" in missing.err
    assert "refuses the key (401)" in refused.err
    assert "wrong" not in refused.err


def test_what_the_app_refuses_is_said(night: NightStage) -> None:
    night.prepare("web")
    night.create_vm("plain", tag=None)
    night.run(5 * MINUTE)

    ran = ask(night, "run", "plain", "--yes")

    assert ran.code == 1
    assert "nothing to prove" in ran.err


def test_an_app_that_is_not_vmbackup_or_not_there_is_said(night: NightStage) -> None:
    night.prepare("web")
    keyed = {"VMBACKUP_APP_KEY": "key"}

    strange = Cli(night.app, environment=keyed, fetch=lambda *_: Answer(404, b""))
    gone = Cli(night.app, environment=keyed)
    asked = ("drill", "run", "web", "--yes", "--app")

    assert "is it the address of vmbackup?" in strange.run(*asked, APP).err
    assert gone.run(*asked, APP).code == 1
    assert gone.run(*asked, "http://func.example").code == 64


def test_where_the_answer_is_lost_it_says_to_look_before_asking_again(night: NightStage) -> None:
    night.prepare("web")
    keyed = {"VMBACKUP_APP_KEY": "key"}
    asked = ("drill", "run", "web", "--yes", "--app", APP)

    lost = Cli(night.app, environment=keyed).run(*asked)
    broken = Cli(night.app, environment=keyed, fetch=lambda *_: Answer(502, b"")).run(*asked)

    assert (lost.code, broken.code) == (1, 1)
    assert "see `vmbackup drill list` before asking again" in lost.err
    told = " ".join(lost.err.split())
    assert "is the app running, and is that its address" in told
    assert "--local drives the test from here" in told
    assert "Try again in a while" not in lost.err
    assert "answers 502; it may have begun all the same" in broken.err


def test_the_deployed_janitor_makes_a_test_from_here_safe(night: NightStage) -> None:
    night.prepare("web")
    here = Cli(replace(night.app, clock=HostClock(night)))

    ran = here.run("drill", "run", "web", "--local", "--rung", "disks", "--yes")

    assert ran.code == 0
    assert "waits for a slot" in ran.err


def test_without_an_address_it_says_what_to_set(night: NightStage) -> None:
    night.prepare("web")

    ran = Cli(night.app).run("drill", "run", "web", "--yes")

    assert ran.code == 64
    assert "VMBACKUP_APP_URL" in ran.err
    assert "--local" in ran.err


def test_an_accepted_test_of_which_nothing_runs_is_given_up(night: NightStage) -> None:
    night.prepare("web")
    answers = {"POST": Answer(202, b'{"run": "drill-0"}'), "GET": Answer(404, b"{}")}
    clock = HostClock(night)
    deaf = Cli(
        replace(night.app, clock=clock),
        environment={"VMBACKUP_APP_KEY": "key"},
        fetch=lambda method, *_: answers[method],
    )

    ran = deaf.run("drill", "run", "web", "--yes", "--app", APP)

    assert ran.code == 1
    assert "has begun nothing of drill-0 since" in ran.err


@dataclass
class BehindEntra:
    """A deployed app that admits one token."""

    token: str
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        self.headers.append(headers)
        admitted = headers.get("authorization") == f"Bearer {self.token}"
        return Answer(400, b'{"faults": ["known"]}') if admitted else Answer(401, b"")


def signed_in(night: NightStage, gate: BehindEntra, token: str) -> Ran:
    deployment = replace(night.app.settings.deployment, app_audience="api://backup")
    app = replace(night.app, settings=replace(night.app.settings, deployment=deployment))
    cli = Cli(app, fetch=gate, credential=lambda authority: StaticCredential(token))
    return cli.run("drill", "run", "web", "--yes", "--app", APP)


def test_where_entra_stands_in_front_whoever_is_signed_in_asks(night: NightStage) -> None:
    night.prepare("web")
    gate = BehindEntra("mine")

    ran = signed_in(night, gate, "mine")

    assert "known" in ran.err
    assert "x-functions-key" not in gate.headers[0]
    assert "mine" not in ran.out + ran.err


def test_whom_entra_does_not_admit_is_told(night: NightStage) -> None:
    night.prepare("web")

    ran = signed_in(night, BehindEntra("mine"), "another")

    assert ran.code == 64
    assert "refuses you (401)" in ran.err
    assert "another" not in ran.out + ran.err
