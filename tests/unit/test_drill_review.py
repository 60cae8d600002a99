"""Restore tests where two things go wrong at once: late lists, locks, dead turns, long answers."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from tests.builders import NOW
from tests.small_drill import SmallDrill, small_drill
from tests.tiny_drills import PANIC, Answer, point
from vmbackup_core.adapters.row_rules import check_row
from vmbackup_core.app.codec import to_json
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import Rung, Verdict
from vmbackup_core.domain.drill.steps import Wait
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.domain.facts import Tags

APP = GuestCheck("app", "linux", "systemctl is-active app")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def forget_turn_of(drill: SmallDrill, word: str) -> None:
    """Take turns until `word` was done, and forget that turn, as a process that died does."""
    while not any(what.startswith(word) for _, what in drill.azure.did):
        before = drill.state
        turn = drill.turn()
        assert turn is not None
        drill.clock.move_to(turn.then.until)
    drill.state = before


def forbid_the_ledger(drill: SmallDrill, until: datetime) -> None:
    """Let no row be written until then."""

    def away() -> None:
        if drill.clock.now() < until:
            raise Retryable("the ledger is away")

    drill.rows.before_write = away


def at_of(drill: SmallDrill, word: str) -> datetime:
    """Return when something was done first."""
    return min(at for at, what in drill.azure.did if what.startswith(word))


# What a dead turn has sent.


def test_a_restore_that_a_dead_turn_sent_is_cleaned_up_though_all_is_paused_since():
    drill = small_drill()
    forget_turn_of(drill, "restore")
    drill.notebook.set_pause("somebody looks into it")

    record = drill.run()

    drill.clock.pause(HOUR)
    drill.azure.passed()
    assert record.ending is Ending.PAUSED
    assert record.clean
    assert drill.azure.things == {}
    assert drill.slots.leases() == ()


def test_a_restore_that_a_dead_turn_sent_is_found_though_the_ledger_is_away_for_hours():
    drill = small_drill()
    forget_turn_of(drill, "restore")
    forbid_the_ledger(drill, drill.clock.now() + 5 * HOUR)

    record = drill.run()

    drill.clock.pause(HOUR)
    drill.azure.passed()
    assert record.clean
    assert drill.azure.things == {}


# A copy that takes its time to go.


def test_a_copy_that_goes_slowly_is_waited_for_and_not_asked_after_all_the_time():
    drill = small_drill()
    drill.azure.lingers = HOUR

    record = drill.run()

    assert record.verdict is Verdict.PROVEN
    assert record.clean
    assert drill.azure.things == {}
    assert drill.azure.calls.count("list things") < 25


# A copy that would stay on.


def test_a_copy_that_a_lock_keeps_from_being_removed_is_stopped_in_its_time():
    drill = small_drill()
    drill.until("create")
    made = drill.clock.now()
    drill.azure.always["remove"] = Answer.DENIED

    drill.run()

    assert at_of(drill, "stop") <= made + HOUR


def test_a_copy_that_cannot_be_stopped_is_removed_and_not_kept():
    drill = small_drill(keep=4 * HOUR)
    drill.azure.log = PANIC
    drill.azure.always["stop"] = Answer.DENIED

    record = drill.run()

    assert record.verdict is Verdict.FAILED
    assert record.kept_until is None
    assert drill.azure.machines == {}


def test_a_copy_that_goes_on_running_is_removed_and_not_kept():
    drill = small_drill(keep=4 * HOUR)
    drill.azure.log = PANIC
    drill.azure.runs_on = True

    record = drill.run()

    assert record.kept_until is None
    assert drill.azure.machines == {}


def test_a_copy_that_no_answer_stops_is_removed_within_the_hour():
    drill = small_drill()
    drill.azure.identities = ("SystemAssigned",)
    drill.azure.always["stop"] = Answer.BUSY
    drill.until("create")
    made = drill.clock.now()

    record = drill.run()

    assert record.ending is Ending.ISOLATION_BROKEN
    assert drill.azure.machines == {}
    assert at_of(drill, "remove") <= made + HOUR


def test_an_identity_is_seen_while_the_agent_is_waited_for():
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,))
    drill.azure.agent = False
    drill.azure.identities = ("SystemAssigned",)
    drill.azure.breach_after = 4 * MINUTE
    drill.until("create")
    made = drill.clock.now()

    record = drill.run()

    assert record.ending is Ending.ISOLATION_BROKEN
    assert at_of(drill, "stop") <= made + 8 * MINUTE


# Whether it was backed up is looked at before it is gone.


def test_a_copy_whose_time_is_over_is_looked_at_before_it_is_called_clean():
    slow = replace(APP, timeout=40 * MINUTE)
    drill = small_drill(power_on=30 * MINUTE, needed=Rung.CHECKS, checks=(slow,))
    drill.azure.codes = {"app": None}
    drill.azure.protected_in = "/subscriptions/s/vaults/theirs"
    drill.azure.breach_after = 15 * MINUTE

    record = drill.run()

    assert not record.clean
    assert record.left == ("/subscriptions/s/vaults/theirs",)


def test_a_copy_that_is_to_be_kept_is_looked_at_before():
    drill = small_drill(keep=4 * HOUR)
    drill.azure.log = "[    1.0] no login ever"
    drill.azure.protected_in = "/subscriptions/s/vaults/theirs"
    drill.azure.breach_after = 20 * MINUTE

    record = drill.run()

    assert record.kept_until is None
    assert not record.clean


# Lists that are late.


def test_disks_that_are_listed_late_are_waited_for():
    drill = small_drill()
    drill.azure.disks_lag = 3 * MINUTE

    record = drill.run()

    assert record.verdict is Verdict.PROVEN


def test_nothing_is_attested_in_the_moment_in_which_a_restore_ends():
    drill = small_drill()
    drill.until("restore")
    drill.notebook.set_pause("somebody looks into it")
    drill.azure.disks_lag = 3 * MINUTE
    drill.azure.code = "whatever"
    drill.azure.faults = ()

    record = drill.run()

    drill.clock.pause(HOUR)
    assert record.clean
    assert drill.azure.things == {}


def test_a_second_restore_of_the_same_run_fails_nothing():
    drill = small_drill()
    drill.until("restore")
    (first,) = drill.azure.restores
    second = replace(first.facts, id="job-second", started=first.facts.started + MINUTE)
    drill.azure.restores.append(replace(first, facts=second))
    drill.state = replace(
        drill.state, restoring=replace(drill.state.restoring, suspects=("job-second", "job-0"))
    )

    record = drill.run()

    assert record.verdict is not Verdict.FAILED
    assert record.clean
    assert drill.azure.things == {}


# Times.


def test_a_service_that_says_at_once_is_not_asked_at_once():
    state = small_drill().state

    told = state.troubled("busy", timedelta(0), NOW)

    assert told.again is not None
    assert told.again >= NOW + timedelta(seconds=10)


def test_a_point_that_is_newer_than_the_order_is_not_older_than_nothing():
    drill = small_drill()
    drill.azure.points = [point(-timedelta(minutes=5), "newer")]
    drill.clock.pause(10 * MINUTE)

    record = drill.run()

    assert record.clocks.rpo == timedelta(0)


# How large its state is: it travels with every turn.


def test_the_tags_of_a_source_do_not_travel_with_the_state():
    drill = small_drill()
    drill.until("restore")
    drill.clock.pause(10 * MINUTE)
    drill.azure.passed()
    many = {f"company-tag-{number}": "x" * 200 for number in range(50)}
    drill.azure.things = {
        name: replace(thing, tags=Tags.of(dict(thing.tags) | many))
        for name, thing in drill.azure.things.items()
    }
    drill.azure.disks = {
        name: replace(disk, tags=Tags.of(many)) for name, disk in drill.azure.disks.items()
    }
    drill.until("remove container")

    assert "company-tag" not in json.dumps(to_json(drill.state))


def test_the_largest_machine_with_the_longest_scripts_stays_within_what_its_stores_hold():
    lengths = [16_384] * 12
    checks = tuple(GuestCheck(f"c{n}", "linux", "x" * one) for n, one in enumerate(lengths))
    drill = small_drill(needed=Rung.CHECKS, checks=checks, power_on=4 * HOUR)
    drill.azure.data_disks = 32
    largest = 0
    while drill.state.cleaning.recorded is None:
        turn = drill.turn()
        assert turn is not None
        largest = max(largest, len(json.dumps(to_json(drill.state))))
        if isinstance(turn.then, Wait):
            drill.clock.move_to(turn.then.until)

    (row,) = drill.rows.list("run")
    check_row(row)
    assert len(drill.state.restoring.disks or ()) == 33
    assert 200_000 < largest < 400_000


def test_reasons_that_are_never_the_same_do_not_grow_for_ever():
    drill = small_drill()
    drill.azure.always["remove"] = Answer.DENIED

    record = drill.run()

    assert len(record.because) <= 20
