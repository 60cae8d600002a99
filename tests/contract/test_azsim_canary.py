"""A copy's console as the rungs judge it: how far it comes, and the canary that it tells of."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from azsim.guests import Boot, Conduct
from azsim.run_commands import Ran
from azsim.world import World
from tests.contract.restore_desk import TARGET, RestoreDesk
from vmbackup_core.domain.drill.facts import CheckFacts, CheckProgress, ConsoleFacts, CopyFacts
from vmbackup_core.domain.drill.proof_boot import judge_boot
from vmbackup_core.domain.drill.proof_canary import canary_check, judge_canary, lag_of, read_canary
from vmbackup_core.domain.drill.proof_checks import judge_check
from vmbackup_core.domain.drill.proof_control import control_check, judge_control
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Control, RungResult
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags

QUARTER = timedelta(minutes=15)
EVERY_QUARTER = QUARTER.total_seconds()


def canary_at(kept: datetime) -> str:
    """Return the line of a VM that wrote its canary every quarter of an hour until then."""
    written = datetime.fromtimestamp(kept.timestamp() // EVERY_QUARTER * EVERY_QUARTER, UTC)
    said = f"vmbackup-canary v1 {written:%Y-%m-%dT%H:%M:%SZ} sha256={'a' * 64} ok"
    return f"{said} line={sha256(said.encode()).hexdigest()[:8]}"


@pytest.fixture(params=["Linux", "Windows"])
def desk(world: World, request: pytest.FixtureRequest) -> RestoreDesk:
    return RestoreDesk.open(world, os_type=request.param)


@pytest.fixture
def linux(world: World) -> RestoreDesk:
    return RestoreDesk.open(world)


def started(desk: RestoreDesk, conduct: Conduct) -> datetime:
    """Restore the machine's newest point to a copy of that conduct; return when it was made."""
    desk.world.vaults.spoil_points(desk.vm.id, conduct)
    desk.restored()
    desk.copy()
    at = desk.world.clock.now()
    desk.later(minutes=10)
    return at


def judged(desk: RestoreDesk, created: datetime, *, over: bool = False) -> RungResult | None:
    view = desk.compute.virtual_machines.instance_view(TARGET, "copy")
    agent = view.vm_agent.statuses[0]
    copy = CopyFacts(
        "/copy",
        "copy",
        Provisioning.SUCCEEDED,
        Power.RUNNING,
        Agent.READY if agent.display_status == "Ready" else Agent.NOT_READY,
        Tags(),
        heartbeat=agent.time,
    )
    console = ConsoleFacts(desk.console() or None, b"BM")
    now = desk.world.clock.now()
    until = now if over else now + QUARTER
    return judge_boot(desk.vm.os_type, copy, console, created, now, until)


@pytest.mark.parametrize(
    ("boot", "linux", "windows"),
    [
        (Boot.LOGIN, ProofReason.BOOTED, ProofReason.BOOTED),
        (Boot.PANIC, ProofReason.KERNEL_PANIC, ProofReason.STOP_ERROR),
        (Boot.EMERGENCY, ProofReason.EMERGENCY_SHELL, ProofReason.EMERGENCY_SHELL),
    ],
)
def test_each_way_to_start_is_judged_as_what_it_is(
    desk: RestoreDesk, boot: Boot, linux: ProofReason, windows: ProofReason
) -> None:
    result = judged(desk, started(desk, Conduct(boot=boot)))

    assert result is not None
    assert result.reason is {"Linux": linux, "Windows": windows}[desk.vm.os_type]


def test_a_copy_that_hangs_is_waited_for_and_then_has_failed(desk: RestoreDesk) -> None:
    created = started(desk, Conduct(boot=Boot.HANG))

    result = judged(desk, created, over=True)

    assert judged(desk, created) is None
    assert result is not None
    assert result.reason is ProofReason.NOT_BOOTED


def test_the_console_tells_how_old_the_backup_really_is(linux: RestoreDesk) -> None:
    started(linux, Conduct(recalls=canary_at))
    taken = datetime.fromisoformat(
        linux.desk.points(linux.vm)[0]["properties"]["recoveryPointTime"]
    )

    canary = read_canary(linux.console())
    result = judge_canary(canary, point_taken=taken, now=linux.world.clock.now())

    assert canary is not None
    assert result.reason is ProofReason.CANARY_FOUND
    assert timedelta(0) <= (lag_of(canary, taken) or -QUARTER) < QUARTER


def test_what_a_script_did_inside_is_told_by_its_exit_code(linux: RestoreDesk) -> None:
    started(linux, Conduct())
    linux.world.machines.run_commands.interpreter = lambda machine, name, script: Ran(
        42 if "exit 42" in script else 0, canary_at(linux.world.clock.now())
    )

    linux.run(control_check("Linux").script)
    linux.later(minutes=5)
    control = facts(linux)
    linux.run(canary_check("Linux").script)
    linux.later(minutes=5)
    check = facts(linux)

    told = judge_check(canary_check("Linux"), check, timedelta(0))
    assert judge_control(control) is Control.HELD
    assert told is not None
    assert told.reason is ProofReason.CHECKS_PASSED
    assert read_canary(check.output) is not None


def facts(desk: RestoreDesk) -> CheckFacts:
    view = desk.ran()
    return CheckFacts(CheckProgress.ENDED, view.exit_code, view.output or "", view.error or "")
