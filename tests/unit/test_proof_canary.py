"""What the line about the canary says, and what that is worth."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from tests import consoles
from vmbackup_core.domain.drill.canary_checks import LINUX, WINDOWS
from vmbackup_core.domain.drill.proof_canary import (
    LAG,
    SKEW,
    Canary,
    canary_check,
    judge_canary,
    lag_of,
    read_canary,
)
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung

CHECKS = Path(__file__).parents[2] / "guest" / "checks"
WRITTEN = datetime(2026, 3, 2, 1, tzinfo=UTC)
TAKEN = WRITTEN + timedelta(minutes=12)
NOW = TAKEN + timedelta(days=1)
DIGEST = "ab" * 32
WHOLE = Canary(WRITTEN, DIGEST, True)
LINE = (
    "vmbackup-canary v1 2026-03-02T01:00:00Z "
    "sha256=abababababababababababababababababababababababababababababababab ok line=7426ccac"
)


def signed(text: str) -> str:
    """Return the line with the digest that makes it whole."""
    return f"{text} line={sha256(text.encode()).hexdigest()[:8]}"


def said(at: str = "2026-03-02T01:00:00Z", digest: str = DIGEST, state: str = "ok") -> str:
    return signed(f"vmbackup-canary v1 {at} sha256={digest} {state}")


MISSING = said("-", "-", "missing")


def judged(
    canary: Canary | None,
    output: str | None = None,
    *,
    taken: datetime = TAKEN,
    rpo: timedelta | None = None,
) -> tuple[Mark, ProofReason]:
    result = judge_canary(canary, output, point_taken=taken, rpo_target=rpo, now=NOW)
    assert result.rung is Rung.CANARY
    return result.mark, result.reason


FOUND = (Mark.PASS, ProofReason.CANARY_FOUND)
NOT_READ = (Mark.NOT_RUN, ProofReason.CANARY_NOT_READ)


def test_the_line_is_read() -> None:
    assert said() == LINE
    assert read_canary(LINE) == WHOLE


@pytest.mark.parametrize(
    "log",
    [
        f"{consoles.UBUNTU}\r\n{LINE}\r\n",
        f"{consoles.KERNEL}\r\n{LINE}\r\n\r\nUbuntu ttyS0\r\n\r\nweb login: ",
        f"[   12.01] {LINE}",
        f"\x1b[32m{LINE}\x1b[0m\n",
        f"web login: {LINE}",
    ],
)
def test_it_is_found_wherever_it_stands(log: str) -> None:
    assert read_canary(log) == WHOLE


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("01:00", "01:01"),
        LINE[:-1],
        LINE + "0",
        f"{LINE} and more",
        f"x{LINE}",
        LINE[:60] + "[  9.1] eth0: up" + LINE[60:],
        LINE.upper(),
        signed(f"vmbackup-canary v2 2026-03-02T01:00:00Z sha256={DIGEST} ok"),
        said("2026-13-02T01:00:00Z"),
        said("2026-03-02T25:00:00Z"),
        said("2026-03-02 01:00:00Z"),
        said("٢٠٢٦-03-02T01:00:00Z"),
        said("-"),
        said(digest="-"),
        said(digest="AB" * 32),
        said(state="OK"),
        "",
    ],
)
def test_what_is_not_the_whole_line_is_no_line(line: str) -> None:
    assert read_canary(line) is None


def test_the_last_whole_line_counts() -> None:
    later = said("2026-03-02T02:00:00Z")

    assert read_canary(f"{LINE}\n{later}\nvmbackup-canary v1 oh") == Canary(
        WRITTEN + timedelta(hours=1), DIGEST, True
    )


def test_of_a_copy_that_started_twice_the_line_of_its_backup_counts() -> None:
    own = said("2026-03-03T01:15:00Z")

    assert read_canary(f"{LINE}\n{own}\n", taken=TAKEN) == WHOLE
    assert read_canary(f"{own}\n", taken=TAKEN) == read_canary(own)


def test_a_canary_that_is_not_there_is_told_apart_from_a_damaged_one() -> None:
    assert read_canary(MISSING) == Canary(None, "", None)
    assert read_canary(said("-", state="damaged")) == Canary(None, DIGEST, False)


# What it is worth.


def test_a_whole_canary_from_before_the_backup_passes() -> None:
    assert judged(WHOLE) == FOUND


def test_it_says_how_old_the_content_really_is() -> None:
    result = judge_canary(WHOLE, point_taken=TAKEN, now=NOW)

    assert result.because == (
        "written 2026-03-02 01:00:00 UTC, 0:12:00 before the recovery point",
        f"sha256 {DIGEST}",
    )
    assert lag_of(WHOLE, TAKEN) == timedelta(minutes=12)


def test_a_damaged_one_fails() -> None:
    damaged = Canary(WRITTEN, DIGEST, False)

    assert judged(damaged) == (Mark.FAIL, ProofReason.CANARY_WRONG)


def test_one_that_is_not_there_fails() -> None:
    assert judged(Canary(None, "", None)) == (Mark.FAIL, ProofReason.CANARY_MISSING)


@pytest.mark.parametrize("output", [None, "", "no canary is installed in this VM"])
def test_what_nobody_told_of_is_not_run(output: str | None) -> None:
    assert judged(None, output) == NOT_READ


def test_the_check_tells_where_the_console_does_not() -> None:
    assert judged(None, f"{LINE}\n") == FOUND
    assert judged(None, MISSING) == (Mark.FAIL, ProofReason.CANARY_MISSING)


def test_the_console_comes_first() -> None:
    assert judged(WHOLE, MISSING) == FOUND


@pytest.mark.parametrize(
    ("rpo", "answer"),
    [
        (timedelta(minutes=12), FOUND),
        (timedelta(minutes=11), (Mark.FAIL, ProofReason.CANARY_TOO_OLD)),
    ],
)
def test_it_is_as_old_as_the_tier_allows(rpo: timedelta, answer: tuple[Mark, ProofReason]) -> None:
    assert judged(WHOLE, rpo=rpo) == answer


def test_without_an_rpo_a_day_is_allowed() -> None:
    too_old = (Mark.FAIL, ProofReason.CANARY_TOO_OLD)

    assert judged(WHOLE, taken=WRITTEN + LAG) == FOUND
    assert judged(WHOLE, taken=WRITTEN + LAG + timedelta(seconds=1)) == too_old


def test_an_old_point_does_not_make_its_canary_old() -> None:
    result = judge_canary(
        WHOLE,
        point_taken=TAKEN,
        rpo_target=timedelta(hours=1),
        now=TAKEN + timedelta(days=300),
    )

    assert result.mark is Mark.PASS


def test_clocks_may_differ_a_little() -> None:
    assert judged(WHOLE, taken=WRITTEN - SKEW) == FOUND
    assert lag_of(WHOLE, WRITTEN - SKEW) == timedelta(0)


def test_one_that_the_copy_wrote_itself_proves_nothing() -> None:
    assert judged(WHOLE, taken=WRITTEN - SKEW - timedelta(seconds=1)) == NOT_READ


# What is sent is what is shipped.


def test_the_checks_that_are_run_are_those_that_people_read() -> None:
    assert (CHECKS / "canary-linux.sh").read_text() == LINUX
    assert (CHECKS / "canary-windows.ps1").read_text() == WINDOWS
    assert canary_check("linux").script == LINUX
    assert canary_check("Windows").script == WINDOWS
