"""Whether a restored machine has come up, told by what it wrote and what Azure says of it."""

from datetime import timedelta
from typing import Any

import pytest

from tests import consoles
from tests.builders import NOW
from vmbackup_core.domain.drill.facts import ConsoleFacts, CopyFacts
from vmbackup_core.domain.drill.proof_boot import judge_boot
from vmbackup_core.domain.drill.proof_console import MOST_READ, MOST_TOLD, lines_of
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags

MINUTE = timedelta(minutes=1)
UNTIL = NOW + 20 * MINUTE
REPORTED: dict[str, Any] = {"agent": Agent.READY, "heartbeat": NOW + MINUTE}
SCREEN = b"BM"


def copy(**more: Any) -> CopyFacts:
    more.setdefault("provisioning", Provisioning.SUCCEEDED)
    more.setdefault("power", Power.RUNNING)
    more.setdefault("agent", Agent.NOT_READY)
    return CopyFacts("/x", "m", tags=Tags(), **more)


def judge(
    log: str | None,
    *,
    os_type: str = "Linux",
    screen: bytes | None = None,
    minutes: float = 5,
    **more: Any,
) -> RungResult | None:
    """Judge what is seen so many minutes after the copy was made."""
    console = ConsoleFacts(log, screen)
    return judge_boot(os_type, copy(**more), console, NOW, NOW + minutes * MINUTE, UNTIL)


def judged(log: str | None, **more: Any) -> tuple[Mark, ProofReason]:
    result = judge(log, **more)
    assert result is not None
    assert result.rung is Rung.BOOT
    return result.mark, result.reason


def too_late(log: str | None, **more: Any) -> tuple[Mark, ProofReason]:
    return judged(log, minutes=20, **more)


PASSED = (Mark.PASS, ProofReason.BOOTED)


@pytest.mark.parametrize("system", ["UBUNTU", "DEBIAN", "RHEL", "SLES"])
def test_a_system_that_asks_for_a_login_has_come_up(system: str) -> None:
    assert judged(getattr(consoles, system)) == PASSED


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (consoles.PANIC, ProofReason.KERNEL_PANIC),
        (consoles.PANIC_INIT, ProofReason.KERNEL_PANIC),
        (consoles.PANIC_AFTER_LOGIN, ProofReason.KERNEL_PANIC),
        (consoles.SYSTEMD_EMERGENCY, ProofReason.EMERGENCY_SHELL),
        (consoles.SYSTEMD_RESCUE, ProofReason.EMERGENCY_SHELL),
        (consoles.ROOT_LOCKED, ProofReason.EMERGENCY_SHELL),
        (consoles.DRACUT, ProofReason.EMERGENCY_SHELL),
        (consoles.SLES_EMERGENCY, ProofReason.EMERGENCY_SHELL),
        (consoles.INITRAMFS, ProofReason.EMERGENCY_SHELL),
        (consoles.GRUB_RESCUE, ProofReason.EMERGENCY_SHELL),
        (consoles.GRUB_SHELL, ProofReason.EMERGENCY_SHELL),
        (consoles.FROZEN, ProofReason.NOT_BOOTED),
    ],
)
def test_a_system_that_stops_on_its_way_has_failed_at_once(log: str, reason: ProofReason) -> None:
    assert judged(log) == (Mark.FAIL, reason)


@pytest.mark.parametrize("log", [None, "", consoles.HANGS, consoles.EARLY, consoles.SAC])
def test_a_system_that_may_still_come_up_is_waited_for(log: str | None) -> None:
    assert judge(log) is None


def test_a_system_that_stays_silent_to_the_end_has_failed() -> None:
    assert too_late(consoles.HANGS) == (Mark.FAIL, ProofReason.NOT_BOOTED)


@pytest.mark.parametrize("log", [None, "", "\r\n \x1b[0m\x00"])
def test_a_console_that_tells_nothing_is_no_failure(log: str | None) -> None:
    assert too_late(log, **REPORTED) == (Mark.NOT_RUN, ProofReason.NO_CONSOLE)


def test_what_failed_is_told_with_the_line_that_shows_it() -> None:
    result = judge(consoles.GRUB_RESCUE)

    assert result is not None
    assert result.because == ("Entering rescue mode...",)


def test_a_line_is_told_in_part_and_without_what_a_terminal_would_obey() -> None:
    result = judge(f"\x1b]0;x\x07Kernel panic - not syncing:\t{'y' * 9999}\x1b[2J")

    assert result is not None
    assert len(result.because[0]) == MOST_TOLD
    assert result.because[0].isprintable()


HARMLESS = [
    "[    0.000000] Kernel command line: root=/dev/sda1 panic=-1 rd.shell=0 rd.emergency=reboot",
    "[    8.1] systemd[1]: Condition check resulted in Dracut Emergency Shell being skipped.",
    "* Applying kernel.panic = 10 ...",
    "[  OK  ] Stopped target rescue.target - Rescue Mode.",
    "[  OK  ] Finished grub-common.service - Record successful boot for GRUB.",
    "[    3.2] systemd[1]: Listening on initctl Compatibility Named Pipe.",
    "Begin: Running /scripts/local-premount ... done.",
    "[FAILED] Failed to start postfix.service - Postfix Mail Transport Agent.",
    "[    5.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_what_only_sounds_like_a_stop_fails_nothing(line: str) -> None:
    assert judge(f"{consoles.KERNEL}{line}\n") is None
    assert judged(f"{consoles.KERNEL}{line}\n\nweb login: ") == PASSED


# A multi-user target without a login: images whose getty does not write to the serial port.


@pytest.mark.parametrize("log", [consoles.NO_GETTY, consoles.OLD_NO_GETTY])
def test_a_target_with_an_agent_that_reported_does_for_a_login(log: str) -> None:
    assert judged(log, **REPORTED) == PASSED


def test_a_target_alone_is_no_login() -> None:
    assert judge(consoles.NO_GETTY) is None
    assert too_late(consoles.NO_GETTY) == (Mark.FAIL, ProofReason.NOT_BOOTED)


def test_an_agent_alone_is_no_login_and_no_failure_either() -> None:
    assert judge(consoles.HANGS, **REPORTED) is None
    assert too_late(consoles.HANGS, **REPORTED) == (Mark.NOT_RUN, ProofReason.CONSOLE_MUTE)


def test_a_report_from_before_the_copy_was_made_does_not_count() -> None:
    old: dict[str, Any] = {"agent": Agent.READY, "heartbeat": NOW}

    assert judge(consoles.NO_GETTY, **old) is None


def test_the_trace_of_an_earlier_login_is_no_login() -> None:
    assert judge(f"{consoles.KERNEL}Last login: Mon Mar  2 01:00:00 on ttyS0\n") is None


# Several starts in one log.


def test_only_the_last_start_counts() -> None:
    assert judged(consoles.SYSTEMD_EMERGENCY + "\n" + consoles.UBUNTU) == PASSED
    assert judge(consoles.UBUNTU + "\n" + consoles.HANGS) is None


def test_kernels_that_say_their_first_lines_twice_start_once() -> None:
    assert judged(consoles.EARLY + consoles.UBUNTU) == PASSED


def test_a_panic_that_announces_a_restart_is_given_one() -> None:
    assert judge(consoles.PANIC_RESTARTS) is None
    assert judge(consoles.PANIC_RESTARTS + consoles.HANGS) is None


def test_a_system_that_came_up_after_a_panic_says_so() -> None:
    result = judge(consoles.PANIC_RESTARTS + consoles.UBUNTU)

    assert result is not None
    assert result.mark is Mark.PASS
    assert "it panicked 1 times before" in result.because


@pytest.mark.parametrize("end", [consoles.HANGS, consoles.PANIC_RESTARTS])
def test_a_loop_of_panics_is_not_waited_for(end: str) -> None:
    assert judged(3 * consoles.PANIC_RESTARTS + end) == (Mark.FAIL, ProofReason.KERNEL_PANIC)


@pytest.mark.parametrize("end", ["", consoles.HANGS])
def test_a_panic_that_nothing_came_after_is_what_failed(end: str) -> None:
    assert too_late(consoles.PANIC_RESTARTS + end) == (Mark.FAIL, ProofReason.KERNEL_PANIC)


def test_a_login_before_a_panic_with_restart_is_no_login() -> None:
    assert judge(f"{consoles.PANIC_AFTER_LOGIN}[   99.2] Rebooting in 10 seconds..\n") is None


# What Azure says: necessary, never sufficient.


def test_a_machine_that_runs_and_is_provisioned_is_not_yet_up() -> None:
    assert judge(None) is None


@pytest.mark.parametrize(
    "state",
    [
        {"power": Power.STOPPED},
        {"power": Power.STARTING},
        {"power": Power.UNKNOWN},
        {"provisioning": Provisioning.CREATING},
    ],
)
def test_a_login_of_a_machine_that_does_not_run_is_waited_for_in_vain(
    state: dict[str, Any],
) -> None:
    assert judge(consoles.UBUNTU, **state) is None
    assert too_late(consoles.UBUNTU, **state) == (Mark.FAIL, ProofReason.NOT_BOOTED)


def test_a_copy_that_somebody_deallocated_has_not_failed() -> None:
    assert too_late(consoles.HANGS, power=Power.DEALLOCATED) == (Mark.NOT_RUN, ProofReason.ABORTED)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("OSProvisioningInternalError", (Mark.FAIL, ProofReason.CREATE_FAILED)),
        ("", (Mark.FAIL, ProofReason.CREATE_FAILED)),
        ("ZonalAllocationFailed", (Mark.NOT_RUN, ProofReason.CREATE_REFUSED)),
        ("SkuNotAvailable", (Mark.NOT_RUN, ProofReason.CREATE_REFUSED)),
    ],
)
def test_a_failed_creation_fails_unless_azure_had_no_room(
    code: str, answer: tuple[Mark, ProofReason]
) -> None:
    assert judged(None, provisioning=Provisioning.FAILED, code=code, message="why") == answer


# Windows.


def windows(log: str | None, **more: Any) -> RungResult | None:
    return judge(log, os_type="Windows", **more)


def test_a_windows_whose_agent_reported_has_come_up() -> None:
    assert judged(consoles.SAC, os_type="Windows", screen=SCREEN, **REPORTED) == PASSED
    assert judged(None, os_type="Windows", screen=SCREEN, **REPORTED) == PASSED


def test_its_emergency_console_alone_proves_nothing() -> None:
    assert windows(consoles.SAC, screen=SCREEN) is None


def test_its_picture_is_waited_for_but_not_for_ever() -> None:
    result = windows(consoles.SAC, minutes=10, **REPORTED)

    assert windows(consoles.SAC, minutes=9, **REPORTED) is None
    assert result is not None
    assert "its screen was not seen" in result.because


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (consoles.STOP, ProofReason.STOP_ERROR),
        (consoles.BLUESCREEN, ProofReason.STOP_ERROR),
        (consoles.BCD, ProofReason.STOP_ERROR),
        (consoles.RECOVERY, ProofReason.EMERGENCY_SHELL),
    ],
)
def test_a_windows_that_stops_on_its_way_has_failed_at_once(log: str, reason: ProofReason) -> None:
    assert judged(log, os_type="Windows", screen=SCREEN, **REPORTED) == (Mark.FAIL, reason)


def test_a_windows_that_started_again_after_an_error_has_come_up() -> None:
    log = consoles.STOP + consoles.SAC

    assert judged(log, os_type="Windows", screen=SCREEN, **REPORTED) == PASSED


def test_a_windows_that_never_reports_has_failed_if_it_was_seen() -> None:
    failed = (Mark.FAIL, ProofReason.NOT_BOOTED)

    assert too_late(None, os_type="Windows", screen=SCREEN) == failed
    assert too_late(consoles.SAC, os_type="Windows") == failed
    assert too_late(None, os_type="Windows") == (Mark.NOT_RUN, ProofReason.NO_CONSOLE)


def test_what_names_accounts_is_not_told() -> None:
    result = windows(consoles.SAC + consoles.HEALTH, minutes=20)

    assert result is not None
    assert "jane" not in str(result.because)
    assert "Health Report" in result.because[-1]


# Bounds.


def test_only_the_end_of_a_huge_log_is_read() -> None:
    lines = lines_of("x" * MOST_READ + "\nlast\n")

    assert lines == ("last",)


def test_progress_that_writes_over_itself_is_a_line_each_time() -> None:
    assert lines_of("a start job\rb start job\r\nweb login: ") == (
        "a start job",
        "b start job",
        "web login:",
    )
