"""
The five safety rules of restore tests are kept by tests: a fault planted in each makes one fail.

Each fault is written into a copy of the sources, and the named test is run there as it stands. It
must fail by an assertion of its own: an import that breaks proves nothing.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MACHINE = "tests/unit/test_drill_machine.py"
FIRST = "tests/unit/test_drill_written_first.py"
COPIED = ("vmbackup_core", "azsim", "tests", "pyproject.toml")


@dataclass(frozen=True)
class Planted:
    """A fault: in `module`, `was` becomes `now`; `kept_by` is the test that must see it."""

    module: str
    was: str
    now: str
    kept_by: str


FAULTS = {
    "the slot's isolation is not checked": Planted(
        "domain/drill/ready.py",
        "breaches = find_breaches(outcome, egress=state.order.egress, ours=ours)",
        "breaches = ()",
        f"{MACHINE}::test_what_is_lacking_ends_it_before_anything_is_made",
    ),
    "the copy's isolation is not checked": Planted(
        "domain/drill/copying.py",
        "breaches = find_copy_breaches(copy, slot_of(state), tags=tags, security_group=group)",
        "breaches = ()",
        f"{MACHINE}::test_a_copy_that_is_given_an_identity_is_stopped_at_once",
    ),
    "a restore is written down after it was asked for": Planted(
        "app/drill/acts.py",
        """\
        asked = self.ledger.note_asking(order, step.known, at)
        if asked is not None:
            return Unaccounted(asked)
        try:
            job = self.restoring.start_restore(step.order)
""",
        """\
        try:
            job = self.restoring.start_restore(step.order)
            asked = self.ledger.note_asking(order, step.known, at)
            if asked is not None:
                return Unaccounted(asked)
""",
        f"{FIRST}::test_a_restore_is_written_down_before_it_is_asked_for",
    ),
    "a copy is written down after it was asked for": Planted(
        "app/drill/acts.py",
        """\
        at = self.ledger.note_copy(order, self.clock.now())
        try:
            self.copies.create_copy(step.spec)
""",
        """\
        try:
            self.copies.create_copy(step.spec)
            at = self.ledger.note_copy(order, self.clock.now())
""",
        f"{FIRST}::test_a_copy_is_written_down_before_it_is_asked_for",
    ),
    "a rung that was not run counts as passed": Planted(
        "domain/drill/rungs.py",
        "if all(marks.get(rung) is Mark.PASS for rung in Rung if rung <= needed):",
        "if all(marks.get(rung) is not Mark.FAIL for rung in Rung if rung <= needed):",
        f"{MACHINE}::test_a_check_that_never_answers_proves_nothing_and_fails_nothing",
    ),
    "the source's tags are copied": Planted(
        "domain/drill/copying.py",
        "tags=tags_of(state, now),\n",
        'tags=Tags.of({"backup": "gold"} | dict(tags_of(state, now))),\n',
        f"{MACHINE}::test_a_copy_bears_our_tags_alone",
    ),
    "a tag alone makes a thing ours": Planted(
        "domain/drill/ownership.py",
        "if thing.type not in REMOVABLE or not slot.holds(thing.id):",
        "if thing.type not in REMOVABLE:",
        "tests/unit/test_drill_clean.py::test_whatever_lacks_mark_or_place_or_kind_is_somebody_elses",
    ),
    "a slot of another run is cleaned": Planted(
        "app/drill/acts.py",
        "if not self.ledger.has(order, step.slot):",
        "if False:",
        f"{MACHINE}::test_a_slot_that_the_ledger_gives_to_another_run_is_not_cleaned",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources and their tests, to plant faults in."""
    root = tmp_path_factory.mktemp("planted")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root / name)
    return root


def run(root: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests in the copy, on the copy's own sources."""
    options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--tb=short")
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *options, *tests],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_fault_all_these_tests_pass(copy: Path):
    ran = run(copy, *{fault.kept_by for fault in FAULTS.values()})

    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_seen(copy: Path, name: str):
    fault = FAULTS[name]
    module = copy / "vmbackup_core" / fault.module
    sound = module.read_text()
    assert sound.count(fault.was) == 1, f"{fault.module} has changed: plant this fault anew"
    module.write_text(sound.replace(fault.was, fault.now))

    ran = run(copy, fault.kept_by)
    module.write_text(sound)

    assert ran.returncode == 1, ran.stdout
    assert "AssertionError" in ran.stdout or "assert " in ran.stdout, ran.stdout
    assert "ImportError" not in ran.stdout, ran.stdout
