"""
Rung 2: whether the machine that was made of the restored disks has come up.

Azure's own states are necessary and never sufficient: it calls a machine with an attached disk
succeeded and running whatever its system does. What tells is, on Linux, the serial log, and on
Windows the agent (AZURE: a VM from restored disks). docs/drills.md says the same in words.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from vmbackup_core.domain.drill.facts import ConsoleFacts, CopyFacts
from vmbackup_core.domain.drill.proof_console import Boots, lines_of, quoted, split_boots
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.facts import Agent, Power, Provisioning

PICTURE_WITHIN = timedelta(minutes=10)  # After creation; no longer is a picture waited for.
LOOP = 3  # So many panics in one log are no accident: the next start will panic too.

_LOGIN = re.compile(r"^(?!(?:Last|Failed) )(?:[\w.-]{1,64} )?login:(?:\s|$)")
_UP = re.compile(r"Reached target\b.{0,24}\b(?:Multi-User System|Graphical Interface)", re.I)
_PANIC = re.compile(r"(?<!end )Kernel panic - not syncing", re.I)
_RESTARTS = re.compile(r"Rebooting (?:in \d+ seconds|automatically)", re.I)

type Sign = tuple[re.Pattern[str], ProofReason]


def _signs(*rows: tuple[str, ProofReason]) -> tuple[Sign, ...]:
    return tuple((re.compile(pattern, re.I), reason) for pattern, reason in rows)


# What a system writes where it will not go on by itself.
_LINUX_SIGNS = _signs(
    (r"Kernel panic - not syncing", ProofReason.KERNEL_PANIC),
    (r"(?:You are in|Welcome to) (?:emergency|rescue) mode", ProofReason.EMERGENCY_SHELL),
    (r"Entering emergency mode\. Exit the shell", ProofReason.EMERGENCY_SHELL),
    (r"Started (?:\S+ - )?(?:Emergency|Rescue) Shell", ProofReason.EMERGENCY_SHELL),
    (r"Reached target\b.{0,24}\b(?:Emergency|Rescue) Mode", ProofReason.EMERGENCY_SHELL),
    (r"^(?:Press Enter|Give root password) for maintenance", ProofReason.EMERGENCY_SHELL),
    (r"\(or (?:press|type) Control-D to continue\)", ProofReason.EMERGENCY_SHELL),
    (r"^Cannot open access to console, the root account is", ProofReason.EMERGENCY_SHELL),
    (r"Dropping to (?:a|debug) shell", ProofReason.EMERGENCY_SHELL),
    (r"^(?:dracut|switch_root|initqueue|pre-[\w-]+):/[\w/]*[#$]", ProofReason.EMERGENCY_SHELL),
    (r"^\(initramfs\)", ProofReason.EMERGENCY_SHELL),
    (r"^grub(?: rescue)?>", ProofReason.EMERGENCY_SHELL),
    (r"^Entering rescue mode\.\.\.", ProofReason.EMERGENCY_SHELL),
    (r"systemd\[1\]: Freezing execution", ProofReason.NOT_BOOTED),
)
_WINDOWS_SIGNS = _signs(
    (r"\*\*\* ?STOP: 0x[0-9a-f]+", ProofReason.STOP_ERROR),
    (r"CLASSNAME=.?BLUESCREEN", ProofReason.STOP_ERROR),
    (r"Windows failed to start\.", ProofReason.STOP_ERROR),
    (r"BOOTMGR is (?:missing|compressed)", ProofReason.STOP_ERROR),
    (r"An operating system wasn't found", ProofReason.STOP_ERROR),
    (r"Your (?:PC/Device|PC|device) (?:ran into|needs to be)", ProofReason.STOP_ERROR),
    (r"Windows Recovery Environment", ProofReason.EMERGENCY_SHELL),
    (r"Preparing Automatic Repair", ProofReason.EMERGENCY_SHELL),
)

# Azure had no room or stumbled: that says nothing of the disks.
_NOT_THE_DISKS = frozenset(
    {
        "AllocationFailed",
        "ZonalAllocationFailed",
        "OverconstrainedAllocationRequest",
        "OverconstrainedZonalAllocationRequest",
        "SkuNotAvailable",
        "QuotaExceeded",
        "OperationNotAllowed",
        "InternalExecutionError",
        "InternalServerError",
        "InternalDiskManagementError",
        "NetworkingInternalOperationError",
        "RequestDisallowedByPolicy",
    }
)

_result = partial(RungResult, Rung.BOOT)


def heard(copy: CopyFacts, created: datetime) -> bool:
    """Tell whether the copy's agent has said since `created` that it is ready."""
    return copy.agent is Agent.READY and copy.heartbeat is not None and copy.heartbeat > created


def judge_boot(
    os_type: str,
    copy: CopyFacts,
    console: ConsoleFacts,
    created: datetime,
    now: datetime,
    until: datetime,
) -> RungResult | None:
    """
    Return what is known of the copy's start, None to look again later.

    From `until` on there is always an answer. Whatever `os_type` other than Windows is judged as
    Linux. A panic that announces its own restart, and a start that follows another, are waited for.
    """
    if copy.provisioning is Provisioning.FAILED:
        return _not_made(copy)
    boots, windows, over = split_boots(lines_of(console.log or "")), _windows(os_type), now >= until
    if found := _first_sign(boots.last, _WINDOWS_SIGNS if windows else _LINUX_SIGNS):
        line, reason = found
        if not over and _will_restart(reason, boots):
            return None
        return _result(Mark.FAIL, reason, (quoted(line),))
    if copy.power is Power.RUNNING and copy.provisioning is Provisioning.SUCCEEDED:
        patient = not over and now < created + PICTURE_WITHIN
        up = (
            _windows_up(copy, console, created, patient)
            if windows
            else _linux_up(copy, boots, created)
        )
        if up:
            panics = _panics(boots.before)
            more = (f"it panicked {panics} times before",) if panics else ()
            return _result(Mark.PASS, ProofReason.BOOTED, (*up, *more))
    if _panics(boots.before) >= LOOP and not _any(boots.last, _LOGIN):
        return _panicked(boots)
    return _too_late(windows, copy, console, boots, created) if over else None


def _windows(os_type: str) -> bool:
    return os_type.lower() == "windows"


def _not_made(copy: CopyFacts) -> RungResult:
    because = (f"{copy.code}: {quoted(copy.message)}".strip(": "),)
    if copy.code in _NOT_THE_DISKS:
        return _result(Mark.NOT_RUN, ProofReason.CREATE_REFUSED, because)
    return _result(Mark.FAIL, ProofReason.CREATE_FAILED, because)


def _will_restart(reason: ProofReason, boots: Boots) -> bool:
    """Tell whether the last start ended in a panic that says it restarts, and that is no loop."""
    panicked = reason is ProofReason.KERNEL_PANIC and _any(boots.last, _RESTARTS)
    return panicked and _panics((*boots.before, *boots.last)) < LOOP


def _linux_up(copy: CopyFacts, boots: Boots, created: datetime) -> tuple[str, ...]:
    """
    Say why the system is up, nothing where that is not known.

    Where no getty writes to the serial port, the multi-user target and an agent that has reported
    since do for the login: neither alone does.
    """
    if _any(boots.last, _LOGIN):
        return ("the serial log reached a login",)
    if _any(boots.last, _UP) and heard(copy, created):
        return ("the serial log reached the multi-user target, and the agent reported",)
    return ()


def _windows_up(
    copy: CopyFacts, console: ConsoleFacts, created: datetime, patient: bool
) -> tuple[str, ...]:
    """Say why the system is up: its agent reported, and its picture, if it had any, is there."""
    if not heard(copy, created) or (console.screenshot is None and patient):
        return ()
    words = "the agent reported after the copy was made"
    return (words,) if console.screenshot is not None else (words, "its screen was not seen")


def _panicked(boots: Boots) -> RungResult:
    words = f"it panicked {_panics((*boots.before, *boots.last))} times, and started again"
    return _result(Mark.FAIL, ProofReason.KERNEL_PANIC, (words,))


def _too_late(
    windows: bool, copy: CopyFacts, console: ConsoleFacts, boots: Boots, created: datetime
) -> RungResult:
    """
    Say of a copy whose time is over what was seen last.

    A console that was never there, or a serial log without a word, tells nothing: no failure.
    """
    state = f"its power was {copy.power}, its agent {copy.agent}"
    if copy.power is Power.DEALLOCATED:
        words = ("somebody or something deallocated it", state)
        return _result(Mark.NOT_RUN, ProofReason.ABORTED, words)
    if _panics(boots.before):
        return _panicked(boots)
    if not boots.last and not (windows and console.screenshot is not None):
        log = "is empty" if console.log is not None else "was never there"
        return _result(Mark.NOT_RUN, ProofReason.NO_CONSOLE, (f"its serial log {log}", state))
    # Windows' agent writes reports there, in JSON: they name accounts, which evidence must not.
    plain = [line for line in boots.last if not line.startswith("{")]
    last = (f"the last line: {quoted(plain[-1])}",) if plain else ()
    if heard(copy, created) and copy.power is Power.RUNNING:
        return _result(Mark.NOT_RUN, ProofReason.CONSOLE_MUTE, last)
    return _result(Mark.FAIL, ProofReason.NOT_BOOTED, (state, *last))


def _first_sign(lines: Iterable[str], signs: tuple[Sign, ...]) -> tuple[str, ProofReason] | None:
    matching = ((line, why) for line in lines for pattern, why in signs if pattern.search(line))
    return next(matching, None)


def _any(lines: Iterable[str], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(line) for line in lines)


def _panics(lines: Iterable[str]) -> int:
    return sum(1 for line in lines if _PANIC.search(line))
