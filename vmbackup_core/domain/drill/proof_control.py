"""
The negative control: a check that must fail, run like any other.

Where it passes, a passed check proves nothing: whatever carries scripts in and exit codes out is
broken.
"""

from datetime import timedelta

from vmbackup_core.domain.drill.facts import CheckFacts, CheckProgress, GuestCheck
from vmbackup_core.domain.drill.rungs import Control, Rung

EXIT_CODE = 42  # Neither a shell's own, nor what a wrapper makes of a failure.
NAME = "vmbackup-control"
_SCRIPTS = {
    "windows": f"Write-Output 'This check must fail.'\r\nexit {EXIT_CODE}\r\n",
    "linux": f"echo 'This check must fail.'\nexit {EXIT_CODE}\n",
}


def can_control(needed: Rung, cap: Rung | None) -> bool:
    """
    Whether a test that is to go as far as `needed` can be a negative control.

    Its copy must boot, and its cap must let something run in it; None lets nothing happen at all.
    """
    return needed >= Rung.BOOT and cap is not None and cap >= Rung.CHECKS


def control_check(os_type: str) -> GuestCheck:
    """Return the check that must fail on this system."""
    script = _SCRIPTS.get(os_type.lower(), _SCRIPTS["linux"])
    return GuestCheck(NAME, os_type, script, timedelta(minutes=5))


def judge_control(facts: CheckFacts | None) -> Control:
    """
    Return what became of the control.

    Held only with the exit code of its own script: another one, or none, does not tell whether the
    script has run at all.
    """
    if facts is None or facts.progress is not CheckProgress.ENDED:
        return Control.INCONCLUSIVE
    if facts.exit_code == EXIT_CODE:
        return Control.HELD
    return Control.BROKEN if facts.exit_code == 0 else Control.INCONCLUSIVE
