"""One restore test from its order to its record, on an Azure that does what it is told."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.builders import NOW
from tests.small_drill import result, small_drill
from tests.tiny_drills import PANIC, Answer, others_restore, point
from vmbackup_core.domain.drill.facts import GuestCheck, RestoreProgress, Thing
from vmbackup_core.domain.drill.isolation import NetworkFacts
from vmbackup_core.domain.drill.orders import Isolation, Targets
from vmbackup_core.domain.drill.ownership import DISK
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, Verdict
from vmbackup_core.domain.drill.slots import MADE_BY_TAG, RUN_TAG, Place, Slot, run_mark
from vmbackup_core.domain.drill.steps import (
    BUDGET,
    CREATING,
    EFFECTS,
    FOR_A_DISK,
)
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.rules import Mode

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
APP = GuestCheck("app", "linux", "systemctl is-active app")
SLOT = Slot(Place("11111111-2222-3333-4444-555555555555", "westeurope"), 1)


def effects(drill):
    return [what.split("/")[-1] for _, what in drill.azure.did]


def assert_nothing_is_left(drill, record):
    assert record.clean
    assert record.left == ()
    assert drill.azure.things == {}
    assert drill.azure.containers == set()
    assert drill.slots.leases() == ()


# All goes well.


def test_a_backup_that_boots_is_proven_and_nothing_is_left():
    drill = small_drill()

    record = drill.run()

    assert record.verdict is Verdict.PROVEN
    assert record.ending is Ending.COMPLETED
    assert record.isolation is Isolation.PROVEN
    assert_nothing_is_left(drill, record)


def test_rungs_that_nobody_asked_for_are_not_run_and_say_so():
    record = small_drill(needed=Rung.DISKS).run()

    assert [one.mark for one in record.results] == [
        Mark.PASS,
        Mark.PASS,
        Mark.NOT_RUN,
        Mark.NOT_RUN,
        Mark.NOT_RUN,
    ]
    assert result(record, Rung.BOOT).reason is ProofReason.NOT_ASKED


def test_where_only_disks_are_asked_for_no_copy_is_made():
    drill = small_drill(needed=Rung.DISKS)

    drill.run()

    assert "create" not in effects(drill)


def test_a_copy_bears_our_tags_alone():
    drill = small_drill()
    drill.until("create")

    (machine,) = drill.azure.machines.values()

    assert machine.spec.tags.get(RUN_TAG) == run_mark(drill.order.run)
    assert {name for name, _ in machine.spec.tags} == {
        RUN_TAG,
        MADE_BY_TAG,
        "vmbackup-expires",
    }


def test_checks_and_control_are_run_in_the_copy():
    record = small_drill(needed=Rung.CHECKS, checks=(APP,), control=True).run()

    assert record.verdict is Verdict.PROVEN
    assert record.control is Control.HELD


def test_clocks_are_told_on_the_services_own_times():
    clocks = small_drill().run().clocks

    assert clocks.restore == timedelta(seconds=90)
    assert clocks.queue == timedelta(0)
    assert clocks.rto == 4 * MINUTE
    assert clocks.rpo == 6 * HOUR


def test_a_screenshot_and_its_digest_are_kept():
    drill = small_drill()

    record = drill.run()

    assert set(record.digests) == {"log", "screenshot"}
    assert drill.blobs.read(f"drills/{drill.order.run}/screenshot").content == b"picture"


def test_its_record_is_written_once():
    drill = small_drill()

    record = drill.run()

    assert drill.records.body(drill.order.run)["verdict"] == record.verdict.name


# What it costs.


@pytest.mark.parametrize("boots", [70 * MINUTE / 60, 9 * MINUTE, 25 * MINUTE, 50 * MINUTE])
def test_it_stays_within_its_calls_however_long_the_boot_takes(boots):
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,))
    drill.azure.boots_after = boots

    assert drill.run().verdict is Verdict.PROVEN
    assert drill.state.calls <= BUDGET + FOR_A_DISK


def test_a_boot_is_seen_before_twice_its_time_is_over():
    drill = small_drill()
    drill.azure.boots_after = 9 * MINUTE

    assert drill.run().clocks.boot < 18 * MINUTE


@pytest.mark.parametrize("takes", [90 * MINUTE / 60, 89 * MINUTE, 6 * HOUR])
def test_it_stays_within_its_calls_however_long_the_restore_takes(takes):
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,))
    drill.azure.takes = takes

    assert drill.run().verdict is Verdict.PROVEN
    assert drill.state.calls <= BUDGET


def test_a_copy_that_hangs_costs_no_more_calls():
    drill = small_drill(power_on=4 * HOUR)
    drill.azure.log = "booting"
    drill.azure.agent = False

    assert drill.run().verdict is Verdict.FAILED
    assert drill.state.calls <= BUDGET + FOR_A_DISK


def test_restores_of_a_vault_are_listed_every_five_minutes_at_most():
    drill = small_drill()
    drill.azure.takes = 2 * HOUR

    drill.run()

    assert drill.azure.calls.count("list restores") <= 26


# It fails.


def test_a_kernel_panic_fails_the_backup_and_is_cleaned_up():
    drill = small_drill()
    drill.azure.log = PANIC

    record = drill.run()

    assert record.verdict is Verdict.FAILED
    assert result(record, Rung.BOOT).reason is ProofReason.KERNEL_PANIC
    assert_nothing_is_left(drill, record)


def test_a_check_that_fails_fails_the_backup():
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,))
    drill.azure.codes = {"app": 3}

    assert drill.run().verdict is Verdict.FAILED


def test_a_check_that_never_answers_proves_nothing_and_fails_nothing():
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,))
    drill.azure.codes = {"app": None}

    record = drill.run()

    assert record.verdict is Verdict.NOT_PROVEN
    assert result(record, Rung.CHECKS).reason is ProofReason.CHECK_UNREACHABLE


def test_an_agent_that_never_reports_leaves_the_checks_not_run():
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,))
    drill.azure.agent = False

    record = drill.run()

    assert result(record, Rung.CHECKS).reason is ProofReason.AGENT_SILENT
    assert "check app" not in effects(drill)


def test_a_control_that_passes_lets_nothing_count_as_proven():
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,), control=True)
    drill.azure.codes = {"vmbackup-control": 0}

    record = drill.run()

    assert record.control is Control.BROKEN
    assert record.verdict is Verdict.NOT_PROVEN


def test_a_failed_restore_fails_the_backup():
    drill = small_drill()
    drill.azure.progress = RestoreProgress.FAILED
    drill.azure.code = "UserErrorInstantRpNotFound"

    record = drill.run()

    assert record.verdict is Verdict.FAILED
    assert result(record, Rung.DISKS).reason is ProofReason.RESTORE_FAILED
    assert result(record, Rung.BOOT).reason is ProofReason.BELOW_FAILED


def test_a_restore_that_somebodys_policy_forbade_fails_nothing():
    drill = small_drill()
    drill.azure.progress = RestoreProgress.FAILED
    drill.azure.code = "UserErrorRequestDisallowedByPolicy"

    assert drill.run().verdict is Verdict.NOT_PROVEN


def test_a_backup_that_is_too_old_fails_before_anything_is_made():
    drill = small_drill(targets=Targets(rpo=4 * HOUR))

    record = drill.run()

    assert record.verdict is Verdict.FAILED
    assert result(record, Rung.POINT).reason is ProofReason.POINT_TOO_OLD
    assert effects(drill) == []


def test_a_vm_without_a_point_fails_before_anything_is_made():
    drill = small_drill()
    drill.azure.points = []

    assert drill.run().verdict is Verdict.FAILED
    assert effects(drill) == []


def test_a_named_point_that_is_gone_is_not_replaced_by_another():
    drill = small_drill(point="another")

    record = drill.run()

    assert result(record, Rung.POINT).because == ("another is not among those on offer",)
    assert result(record, Rung.POINT).reason is ProofReason.POINT_UNKNOWN
    assert record.verdict is Verdict.NOT_PROVEN


def test_a_named_point_is_taken_even_if_it_is_old():
    drill = small_drill(point="old", targets=Targets(rpo=7 * HOUR))
    drill.azure.points += [point(30 * HOUR, "old")]

    assert drill.run().point == point(30 * HOUR, "old")


# It cannot begin, which costs nothing.


def no_group(drill):
    drill.azure.group_is_there = False


def no_account(drill):
    drill.azure.account = None


def open_network(drill):
    drill.azure.network = NetworkFacts("subnet", 10, "", default_outbound=True)


def full_subnet(drill):
    network = drill.azure.network
    drill.azure.network = NetworkFacts(
        "subnet",
        0,
        network.network_security_group,
        network.prefixes,
        network.rules,
        default_outbound=False,
    )


def spent_quota(drill):
    drill.azure.used_cores = 79


def bad_validation(drill):
    drill.azure.faults = ("UserErrorCoreCountSubscriptionQuotaReached",)


def foreign_restore(drill):
    drill.azure.restores.append(others_restore(NOW - HOUR, ended=False))


def ten_restores(drill):
    drill.azure.restores += [
        others_restore(NOW - number * HOUR, ended=True) for number in range(1, 11)
    ]


def filled_slot(drill):
    thing = Thing(f"{SLOT.id}/providers/{DISK}/theirs", DISK)
    drill.azure.things[thing.id] = thing


def paused(drill):
    drill.notebook.set_pause("maintenance")


@pytest.mark.parametrize(
    ("lacking", "ending"),
    [
        (no_group, Ending.NO_PLACE),
        (no_account, Ending.NO_PLACE),
        (open_network, Ending.ISOLATION_UNPROVEN),
        (full_subnet, Ending.QUOTA_SHORT),
        (spent_quota, Ending.QUOTA_SHORT),
        (bad_validation, Ending.NOT_VALID),
        (foreign_restore, Ending.RESTORING),
        (ten_restores, Ending.RESTORE_LIMIT),
        (filled_slot, Ending.LEAK),
        (paused, Ending.PAUSED),
    ],
)
def test_what_is_lacking_ends_it_before_anything_is_made(lacking, ending):
    drill = small_drill()
    lacking(drill)

    record = drill.run()

    assert record.ending is ending
    assert record.verdict is Verdict.NOT_PROVEN
    assert effects(drill) == []
    assert drill.slots.leases() == ()


def test_in_observe_mode_nothing_is_made():
    drill = small_drill(mode=Mode.OBSERVE)

    assert drill.run().ending is Ending.OBSERVING
    assert effects(drill) == []


def test_a_slot_that_was_not_empty_is_quarantined_and_left_as_it_is():
    drill = small_drill()
    filled_slot(drill)

    record = drill.run()

    assert record.left == (f"{SLOT.id}/providers/{DISK}/theirs",)
    assert not record.clean
    assert [lease.slot for lease in drill.slots.quarantined()] == [SLOT]
    assert list(drill.azure.things) == list(record.left)


def test_it_waits_for_a_slot_until_the_night_is_over():
    drill = small_drill(by=NOW + HOUR)
    drill.slots.lease(drill.order.place, 1, "another", NOW + 9 * HOUR)

    record = drill.run()

    assert record.ending is Ending.NIGHT_OVER
    assert record.ended >= NOW + HOUR


def test_a_slot_that_gets_free_is_taken():
    drill = small_drill()
    drill.slots.lease(drill.order.place, 1, "another", NOW + 9 * HOUR)
    drill.turn()
    drill.slots.release(SLOT, "another")
    drill.clock.pause(10 * MINUTE)

    record = drill.run()

    assert record.verdict is Verdict.PROVEN
    assert record.clocks.queue == 10 * MINUTE


# Isolation breaks.


def test_a_copy_that_is_given_an_identity_is_stopped_at_once():
    drill = small_drill()
    drill.azure.identities = ("SystemAssigned",)

    record = drill.run()

    assert record.ending is Ending.ISOLATION_BROKEN
    assert record.isolation is Isolation.BROKEN
    assert record.verdict is Verdict.NOT_PROVEN
    assert effects(drill)[2] == "stop"
    assert_nothing_is_left(drill, record)


def test_a_breach_that_comes_before_the_checks_keeps_them_from_running():
    drill = small_drill(needed=Rung.CHECKS, checks=(APP,))
    drill.azure.identities = ("SystemAssigned",)
    drill.azure.breach_after = 4 * MINUTE
    drill.azure.boots_after = 5 * MINUTE

    record = drill.run()

    assert record.ending is Ending.ISOLATION_BROKEN
    assert "check app" not in effects(drill)


def test_a_backup_of_the_copy_is_told_and_nothing_is_attested():
    drill = small_drill()
    drill.azure.protected_in = "/subscriptions/s/vaults/theirs"

    record = drill.run()

    assert record.ending is Ending.ISOLATION_BROKEN
    assert not record.clean
    assert record.left == ("/subscriptions/s/vaults/theirs",)


def test_a_network_that_opens_while_the_restore_runs_lets_no_copy_be_made():
    drill = small_drill()
    drill.azure.takes = HOUR
    drill.until("restore")
    open_network(drill)

    record = drill.run()

    assert record.ending is Ending.ISOLATION_UNPROVEN
    assert "create" not in effects(drill)
    assert_nothing_is_left(drill, record)


# Its time is over.


def test_a_copy_is_off_when_its_time_is_over_whatever_azure_answers():
    drill = small_drill(power_on=30 * MINUTE)
    drill.until("create")
    made = drill.clock.now()
    drill.azure.answers.extend([Answer.THROTTLED] * 1)

    record = drill.run()

    (gone,) = [at for at, what in drill.azure.did if what == "stop"]
    assert gone <= made + 30 * MINUTE
    assert result(record, Rung.BOOT).reason is ProofReason.OUT_OF_TIME
    assert_nothing_is_left(drill, record)


# A person wants to look.


def test_a_failed_copy_is_kept_powered_off_for_a_person():
    drill = small_drill(keep=4 * HOUR)
    drill.azure.log = PANIC

    record = drill.run()

    assert record.verdict is Verdict.FAILED
    assert record.kept_until == record.ended + 4 * HOUR
    assert effects(drill)[-1] == "stop"
    assert set(record.left) == set(drill.azure.things)
    assert drill.runs.get(drill.order.run).kept_until == record.kept_until
    assert drill.slots.leases()[0].until >= record.kept_until


def test_a_copy_that_passed_is_kept_only_where_a_person_asked():
    drill = small_drill(keep=4 * HOUR)

    assert_nothing_is_left(drill, drill.run())


def test_a_copy_that_passed_is_kept_where_a_person_asked():
    record = small_drill(keep=4 * HOUR, keep_passed=True).run()

    assert record.verdict is Verdict.PROVEN
    assert record.kept_until is not None


# Cleaning up.


def test_a_restore_that_runs_on_is_cancelled_and_waited_for():
    drill = small_drill()
    drill.azure.takes = 3 * HOUR
    drill.until("restore")
    drill.azure.answers.extend([Answer.DENIED])

    record = drill.run()

    assert record.ending is Ending.REFUSED
    assert "cancel job-0" in effects(drill)
    assert_nothing_is_left(drill, record)


def test_a_restore_that_cannot_be_cancelled_is_waited_for_and_cleaned_up_after():
    drill = small_drill()
    drill.azure.takes = 3 * HOUR
    drill.azure.cancellable = False
    drill.until("restore")
    drill.azure.answers.extend([Answer.DENIED])

    record = drill.run()

    assert record.ended >= NOW + 3 * HOUR
    assert_nothing_is_left(drill, record)


def test_a_slot_that_the_ledger_gives_to_another_run_is_not_cleaned():
    drill = small_drill()
    drill.until("create")
    drill.slots.release(SLOT, drill.order.run)
    drill.slots.lease(drill.order.place, 1, "another", NOW + 99 * HOUR)

    record = drill.run()

    assert not any(what.startswith("remove /") for _, what in drill.azure.did)
    assert not record.clean


def test_what_somebody_puts_into_the_slot_meanwhile_is_reported_and_left():
    drill = small_drill()
    drill.until("create")
    filled_slot(drill)

    record = drill.run()

    assert record.ending is Ending.LEAK
    assert record.verdict is Verdict.PROVEN
    assert record.left == (f"{SLOT.id}/providers/{DISK}/theirs",)
    assert list(drill.azure.things) == list(record.left)
    assert drill.slots.quarantined()[0].slot == SLOT


def test_a_thing_that_bears_our_mark_in_another_group_is_nobodys_business():
    drill = small_drill()
    elsewhere = Thing(
        f"/subscriptions/s/resourcegroups/prod/providers/{DISK}/data",
        DISK,
        Tags.of({RUN_TAG: run_mark(drill.order.run)}),
    )
    drill.azure.things[elsewhere.id] = elsewhere

    drill.run()

    assert list(drill.azure.things) == [elsewhere.id]


def test_a_pause_does_not_hold_cleaning_up_back():
    drill = small_drill()
    drill.until("create")
    paused(drill)

    assert_nothing_is_left(drill, drill.run())


def test_a_pause_after_the_restore_keeps_a_copy_from_being_made():
    drill = small_drill()
    drill.until("restore")
    paused(drill)

    record = drill.run()

    assert record.ending is Ending.PAUSED
    assert "create" not in effects(drill)
    assert_nothing_is_left(drill, record)


def test_what_cannot_be_removed_for_a_day_is_left_to_the_janitor():
    drill = small_drill()
    drill.until("create")
    drill.azure.answers.extend([Answer.GOOD] * 3 + [Answer.DENIED] * 500)

    record = drill.run()

    assert not record.clean
    assert record.left
    assert record.ended > NOW + 24 * HOUR
    assert drill.slots.quarantined()[0].slot == SLOT
    assert drill.slots.leases()[0].run == drill.order.run


def test_what_the_janitor_has_taken_over_is_not_touched_any_more():
    drill = small_drill()
    drill.until("create")
    drill.runs.take_over(drill.order.run)
    before = effects(drill)

    record = drill.run()

    assert record.ending is Ending.OVERDUE
    assert effects(drill) == before


# The answer is lost, or the process dies.


@pytest.mark.parametrize("lost", [Answer.LOST_AFTER, Answer.DEATH_AFTER])
def test_a_restore_whose_answer_was_lost_is_found_and_not_sent_again(lost):
    drill = small_drill()
    drill.azure.answers.extend([Answer.GOOD] * 9 + [lost])

    record = drill.run()

    assert effects(drill).count("restore") == 1
    assert record.job == "job-0"
    assert record.verdict is Verdict.PROVEN
    assert_nothing_is_left(drill, record)


@pytest.mark.parametrize("lost", [Answer.LOST_BEFORE, Answer.DEATH_BEFORE])
def test_a_restore_that_never_arrived_is_sent_again_after_two_looks(lost):
    drill = small_drill()
    drill.azure.answers.extend([Answer.GOOD] * 9 + [lost])

    record = drill.run()

    assert effects(drill).count("restore") == 1
    (sent,) = [at for at, what in drill.azure.did if what == "restore"]
    assert sent >= NOW + 6 * MINUTE
    assert record.verdict is Verdict.PROVEN
    assert_nothing_is_left(drill, record)


def test_a_restore_that_is_listed_late_is_not_sent_again():
    drill = small_drill()
    drill.azure.answers.extend([Answer.GOOD] * 9 + [Answer.LOST_AFTER])
    drill.azure.list_lag = 12 * MINUTE

    record = drill.run()

    assert effects(drill).count("restore") == 1
    assert record.verdict is Verdict.PROVEN


def test_somebody_elses_restore_at_the_same_time_is_not_taken_for_ours():
    drill = small_drill()
    drill.azure.answers.extend([Answer.GOOD] * 9 + [Answer.LOST_AFTER])
    drill.until("restore")
    drill.azure.restores.insert(0, others_restore(drill.clock.now(), ended=True))

    assert drill.run().job == "job-0"


@pytest.mark.parametrize("lost", [Answer.LOST_AFTER, Answer.DEATH_AFTER])
def test_a_copy_whose_answer_was_lost_is_not_made_twice(lost):
    drill = small_drill()
    drill.until("restore")
    drill.azure.answers.extend([Answer.GOOD] * 3 + [lost])

    record = drill.run()

    assert effects(drill).count("create") == 1
    assert record.verdict is Verdict.PROVEN
    assert_nothing_is_left(drill, record)


def test_a_run_that_has_ended_does_not_begin_again():
    drill = small_drill()
    drill.run()
    before = effects(drill)
    drill.state = drill.prove.begin(drill.order)

    drill.run()

    assert effects(drill) == before
    assert drill.slots.leases() == ()


def test_a_run_that_begins_anew_finds_what_it_had_asked_for():
    drill = small_drill()
    drill.until("create")
    drill.state = drill.prove.begin(drill.order)

    record = drill.run()

    assert effects(drill).count("restore") == 1
    assert effects(drill).count("create") == 1
    assert record.verdict is Verdict.PROVEN
    assert_nothing_is_left(drill, record)


def test_an_azure_that_does_not_answer_for_hours_ends_it():
    drill = small_drill()
    drill.azure.answers.extend([Answer.BUSY] * 60)

    record = drill.run()

    assert record.ending is Ending.UNREACHABLE
    assert effects(drill) == []


def test_a_turn_changes_at_most_one_thing():
    drill = small_drill()
    drill.azure.identities = ("SystemAssigned",)
    counts = [0]
    drill.prove = replace(drill.prove, journal=Counting(drill.azure.did, counts))

    drill.run()

    assert max(later - sooner for sooner, later in pairwise(counts)) == 1


@dataclass(frozen=True)
class Counting:
    """A journal that counts, at the end of each turn, what has been done so far."""

    did: list
    counts: list

    def note(self, kind, key, text, **more):
        if kind == "outcome":
            self.counts.append(len(self.did))


def test_all_that_makes_something_ends_a_turn():
    assert set(CREATING) <= set(EFFECTS)
