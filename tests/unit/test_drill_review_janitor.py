"""The janitor where it cannot see all that it would like to: it does what it can, and tells."""

from dataclasses import replace

import pytest

from tests.builders import NOW, at
from tests.tiny_slots import restore
from tests.unit.test_janitor import COPY, DAY, RUN, SLOT, Stage
from vmbackup_core.domain.drill.facts import RestoreProgress
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Denied, Gone

SECOND = Slot(SLOT.place, 2)


@pytest.fixture
def stage() -> Stage:
    return Stage()


# A vault that cannot be read.


def test_a_copy_is_removed_though_its_vault_cannot_be_read(stage: Stage):
    stage.left_a_copy()
    stage.azure.unreadable = Denied("no right to read the vault")

    stage.after()

    assert stage.kept() == []


def test_nothing_is_attested_while_a_vault_cannot_be_read(stage: Stage):
    stage.left_a_copy()
    stage.azure.unreadable = Denied("no right to read the vault")
    stage.after()

    tidied = stage.after(62)

    assert tidied.freed == ()
    assert len(tidied.troubles) == 1
    assert stage.bodies() == []


def test_a_vault_that_cannot_be_read_for_a_day_is_reported(stage: Stage):
    stage.left_a_copy()
    stage.azure.unreadable = Denied("no right to read the vault")
    stage.after()

    stage.after(61 + DAY.total_seconds() / 60)

    assert [body["what"] for body in stage.bodies()] == ["quarantined", "drill"]


def test_a_restore_whose_vault_is_gone_runs_no_more(stage: Stage):
    stage.left_a_copy()
    stage.azure.unreadable = Gone("no such vault", status=404)
    stage.after()

    assert stage.after(62).freed == (SLOT,)


# A machine that cannot be removed.


def test_a_machine_that_cannot_be_removed_is_stopped(stage: Stage):
    stage.left_a_copy()
    stage.azure.locked = (COPY.name,)

    stage.after()

    assert stage.azure.did == [f"stop {COPY.name}"]


# A run that is alive, or is not.


def test_a_second_slot_of_a_run_comes_back_and_the_run_goes_on(stage: Stage):
    stage.left_a_copy()
    stage.slots.lease(SECOND.place, 2, "another", at(30))
    stage.rows.rows = {
        key: (replace(row, values=named(row.values)), when)
        for key, (row, when) in stage.rows.rows.items()
    }
    stage.slots.lease(SLOT.place, 2, RUN, at(600))

    stage.after()

    assert stage.run().taken is None
    assert [lease.slot for lease in stage.slots.leases()] == [SLOT]


def test_a_copy_whose_time_is_over_and_whose_run_is_silent_is_not_left_on(stage: Stage):
    stage.left_a_copy()
    stage.slots.lease(SLOT.place, 2, RUN, at(120))

    stage.after(85)

    assert stage.azure.did[0] == f"remove {COPY.name}"


def test_a_copy_whose_run_takes_its_turns_is_left_to_it(stage: Stage):
    stage.left_a_copy()
    stage.slots.lease(SLOT.place, 2, RUN, at(140))

    stage.after(85)

    assert stage.azure.did == []


# Lists that are late.


def test_nothing_is_attested_in_the_moment_in_which_a_restore_ends(stage: Stage):
    stage.opened(restores_asked=(NOW,), jobs=("job",))
    ended = restore("job", SLOT, NOW, RestoreProgress.FAILED)
    stage.azure.restores = [replace(ended, ended=at(60))]

    assert stage.after(61).freed == ()
    assert stage.after(63).freed == (SLOT,)


def named(values: dict[str, str]) -> dict[str, str]:
    return {name: text.replace('"another"', f'"{RUN}"') for name, text in values.items()}
