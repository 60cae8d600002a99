"""
Rung 4: the canary, a small file that a script in the VM writes again and again, and shows at boot.

The script says one line: when the canary was written, the digest of what is in it now, and whether
that is the digest it was written with. docs/canary.md tells the format and what it does not prove.

    vmbackup-canary v1 2026-03-02T01:00:00Z sha256=<64 hex digits> ok line=<8 hex digits>

`line` is the beginning of the SHA-256 of all before it, so that a line into which another has
written is no line. Where there was no canary, or no time in it, the time and digest are `-`.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from vmbackup_core.domain.drill.canary_checks import LINUX, WINDOWS
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.proof_console import lines_of
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult

NAME = "vmbackup-canary"
SKEW = timedelta(minutes=15)  # Between the guest's clock and the service's.
LAG = timedelta(days=1)  # The oldest canary that passes where the tier promises no rpo.

_LINE = re.compile(
    r"(?:^|\s)(vmbackup-canary v1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) sha256=(-|[0-9a-f]{64})"
    r" (ok|damaged|missing)) line=([0-9a-f]{8})$",
    re.ASCII,
)
_OK: dict[str, bool | None] = {"ok": True, "damaged": False, "missing": None}

_result = partial(RungResult, Rung.CANARY)


@dataclass(frozen=True, slots=True)
class Canary:
    """
    What the line says: `ok` is whether the digest is the one that the canary was written with.

    None where no canary was there. `at` is None, and `sha256` "", where the line does not tell.
    """

    at: datetime | None
    sha256: str
    ok: bool | None


def canary_check(os_type: str) -> GuestCheck:
    """Return the check that shows the line of the last start where the console does not."""
    script = WINDOWS if os_type.lower() == "windows" else LINUX
    return GuestCheck(NAME, os_type, script, timedelta(minutes=5))


def read_canary(log: str, *, taken: datetime | None = None) -> Canary | None:
    """
    Return what the last whole line in a serial log, or in a check's output, says of the canary.

    Where `taken` says when the recovery point was, a line that can be of the backup goes before
    one that cannot: a copy that started twice may have written a canary of its own between. None
    where there is no line. The text is the guest's, who can write what it likes.
    """
    told = (_parse(line) for line in reversed(lines_of(log)))
    canaries = [canary for canary in told if canary is not None]
    if taken is not None:
        canaries.sort(key=lambda one: one.at is not None and one.at > taken + SKEW)
    return next(iter(canaries), None)


def lag_of(canary: Canary, point_taken: datetime) -> timedelta | None:
    """
    Return the true RPO: how much older than its recovery point the newest known content is.

    Never negative; None where the canary has no time, or one that cannot lie in the backup: it was
    written by the copy itself then, or the guest's clock is wrong.
    """
    if canary.at is None or canary.at > point_taken + SKEW:
        return None
    return max(point_taken - canary.at, timedelta(0))


def judge_canary(
    canary: Canary | None,
    check_output: str | None = None,
    *,
    point_taken: datetime,
    rpo_target: timedelta | None = None,
    now: datetime,
) -> RungResult:
    """
    Judge the canary that the console showed, else the one in the output of the canary's check.

    It passes when it is whole and not older than the point by more than the tier's rpo, or by more
    than a day where the tier has none. What nobody told of is never a failure.
    """
    seen = canary or read_canary(check_output or "", taken=point_taken)
    if seen is None:
        asked = "the check did not tell" if check_output is not None else "no check was run"
        return _not_read(f"no line of it on the console, and {asked}")
    if seen.ok is None:
        return _result(Mark.FAIL, ProofReason.CANARY_MISSING)
    digest = f"sha256 {seen.sha256 or '-'}"
    if not seen.ok:
        return _result(Mark.FAIL, ProofReason.CANARY_WRONG, (digest,))
    lag = lag_of(seen, min(point_taken, now))
    if seen.at is None or lag is None:
        return _not_read("it is newer than the point: written by the copy, or by a wrong clock")
    limit = LAG if rpo_target is None else rpo_target
    told = f"written {seen.at:%Y-%m-%d %H:%M:%S} UTC, {_span(lag)} before the recovery point"
    if lag > limit:
        allowed = f"at most {_span(limit)} is allowed"
        return _result(Mark.FAIL, ProofReason.CANARY_TOO_OLD, (told, allowed, digest))
    return _result(Mark.PASS, ProofReason.CANARY_FOUND, (told, digest))


def _not_read(words: str) -> RungResult:
    return _result(Mark.NOT_RUN, ProofReason.CANARY_NOT_READ, (words,))


def _parse(line: str) -> Canary | None:
    found = _LINE.search(line)
    if found is None:
        return None
    text, at, digest, state, check = found.groups()
    if sha256(text.encode()).hexdigest()[:8] != check:
        return None
    try:
        written = None if at == "-" else datetime.fromisoformat(at)
    except ValueError:
        return None
    if state == "ok" and (written is None or digest == "-"):
        return None
    return Canary(written, "" if digest == "-" else digest, _OK[state])


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
