"""Looks for failed and missing backups: what is found, told once, and asked of Azure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import VAULT
from tests.tiny_backups import BEGIN, DAILY, DAY, HOUR, MAIL, Nights, vm_id
from vmbackup_core.app.telling.incident_book import DOCUMENT, IncidentBook
from vmbackup_core.domain.errors import Denied, Malformed, Retryable
from vmbackup_core.domain.facts import ItemState, Tags
from vmbackup_core.domain.policies import Retention
from vmbackup_core.domain.telling.backup_runs import RunStatus
from vmbackup_core.domain.telling.incident_groups import Folding
from vmbackup_core.domain.telling.mutes import Mute
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.troubles import Ending
from vmbackup_core.domain.telling.watching import Report, Watched

BAD, GOOD, RUNNING = RunStatus.FAILED, RunStatus.COMPLETED, RunStatus.RUNNING


@pytest.fixture
def nights() -> Nights:
    nights = Nights()
    nights.azure.protect()
    nights.look()
    nights.night()
    return nights


def test_good_nights_tell_nothing(nights: Nights) -> None:
    nights.night()
    nights.night()

    assert nights.told == []
    assert nights.causes == []


def test_one_bad_night_heals_and_is_told_to_nobody(nights: Nights) -> None:
    nights.night(web=BAD)
    nights.night()

    assert nights.told == []
    assert nights.causes == ["AGENT"]


def test_three_bad_nights_are_one_mail_reminders_and_one_recovery(nights: Nights) -> None:
    for _ in range(3):
        nights.night(web=BAD)
    nights.night()
    nights.night()

    assert nights.tellings == ["opened", "reminder", "recovered"]
    assert len({one.about for one in nights.told}) == 1


def test_a_schedule_that_does_not_run_is_missed(nights: Nights) -> None:
    nights.night(web=None)
    nights.night(web=None)
    nights.night()

    assert nights.causes == ["MISSED"]
    assert nights.tellings == ["opened", "recovered"]


def test_a_vm_is_not_missing_what_was_due_before_it_was_protected() -> None:
    nights = Nights()
    nights.pass_time(11 * HOUR)  # 23:00.
    nights.azure.protect()
    nights.pass_time(20 * HOUR)

    assert nights.causes == []


def test_a_backup_that_runs_for_long_is_not_missed(nights: Nights) -> None:
    nights.night(web=RUNNING)

    assert nights.causes == []


def test_a_backup_without_a_point_is_lost(nights: Nights) -> None:
    nights.pass_time(12 * HOUR)
    nights.azure.run("web", nights.clock.now() - HOUR, GOOD, lost=True)
    nights.pass_time(12 * HOUR)

    assert nights.causes == ["LOST"]


def test_the_same_failure_from_two_sources_is_one_incident(nights: Nights) -> None:
    nights.azure.log_late = 5 * HOUR
    nights.night(web=BAD)

    (incident,) = nights.watch.book.read().incidents
    assert len(incident.attempts) == 1


@pytest.mark.parametrize("late", [HOUR, 26 * HOUR])
def test_a_late_log_changes_nothing_of_what_is_told(late: timedelta) -> None:
    nights = Nights()
    nights.azure.protect()
    nights.azure.log_late = late
    nights.look()
    nights.night()
    for _ in range(3):
        nights.night(web=BAD)
    nights.night()
    nights.night()

    assert nights.tellings == ["opened", "reminder", "recovered"]
    assert nights.causes == ["AGENT"]


def test_without_a_log_failures_are_found_all_the_same() -> None:
    nights = Nights(with_log=False)
    nights.azure.protect()
    nights.look()
    nights.night()
    nights.night(web=BAD)
    nights.night(web=BAD)

    assert nights.tellings == ["opened"]


def test_a_log_that_cannot_be_read_is_noted_and_holds_nothing_up(nights: Nights) -> None:
    nights.azure.log_error = Denied("no right")
    nights.night(web=BAD)
    nights.night(web=BAD)
    known, _ = nights.watch.book.load()

    assert nights.tellings == ["opened"]
    assert known.log_failing is not None


def test_a_log_that_answers_again_is_read_from_where_it_was_left(nights: Nights) -> None:
    before, _ = nights.watch.book.load()
    nights.azure.log_error = Retryable("busy")
    nights.night()
    nights.azure.log_error = None
    nights.night()
    after, _ = nights.watch.book.load()

    assert before.log_until is not None
    assert after.log_until == before.log_until + 2 * DAY
    assert after.log_failing is None


def test_a_failure_without_words_costs_one_call_and_no_good_backup_costs_any() -> None:
    nights = Nights(with_log=False)
    nights.azure.tells_words = False
    nights.azure.protect()
    nights.azure.protect("db")
    nights.look()
    nights.night()
    nights.night(web=BAD)
    nights.night()

    asked = [one for one in nights.azure.asked if one.startswith("failure")]
    assert asked == ["failure web-0108-2230"]
    assert nights.causes == ["AGENT"]


def test_words_of_many_failures_are_asked_for_a_few_at_a_time() -> None:
    nights = Nights(with_log=False, mail=replace(MAIL, folding=Folding(gather=2 * HOUR)))
    nights.azure.tells_words = False
    names = [f"vm-{number}" for number in range(20)]
    for name in names:
        nights.azure.protect(name)
    nights.look()
    nights.night()
    nights.night(**dict.fromkeys(names, BAD))
    so_far = len([one for one in nights.azure.asked if one.startswith("failure")])

    assert so_far == 20
    assert nights.causes == ["AGENT"] * 20


def test_an_outage_of_a_vault_is_one_mail() -> None:
    nights = Nights(mail=replace(MAIL, folding=Folding(gather=2 * HOUR)))
    names = [f"vm-{number}" for number in range(12)]
    for name in names:
        nights.azure.protect(name)
    nights.look()
    nights.night()
    for _ in range(2):
        nights.night(**dict.fromkeys(names, BAD))
    nights.night()

    assert nights.tellings == ["opened", "recovered"]
    assert [len(one.members) for one in nights.told] == [12, 12]


def test_a_stopped_item_is_told_and_one_that_was_opted_out_is_not(nights: Nights) -> None:
    nights.azure.protect("meant", tags=Tags.of({"Backup": "off"}), state=ItemState.STOPPED)
    nights.azure.change("web", state=ItemState.STOPPED)
    nights.pass_time(HOUR)

    assert nights.causes == ["STOPPED"]
    assert nights.tellings == ["opened"]


def test_a_vm_that_is_gone_is_told_when_that_is_sure(nights: Nights) -> None:
    nights.azure.change("web", machine="")
    nights.look()
    before = nights.causes
    nights.pass_time(4 * HOUR)

    assert before == []
    assert nights.causes == ["VM_GONE"]


def test_an_item_that_is_not_seen_for_a_moment_ends_no_incident(nights: Nights) -> None:
    nights.night(web=BAD)
    nights.night(web=BAD)
    (hidden,) = nights.azure.items.values()
    nights.azure.items.clear()
    nights.look()
    nights.azure.items["web"] = hidden
    nights.look()

    assert nights.tellings == ["opened"]


def test_a_vm_whose_item_is_gone_for_good_is_forgotten(nights: Nights) -> None:
    nights.night(web=BAD)
    nights.night(web=BAD)
    nights.azure.items.clear()
    nights.pass_time(4 * HOUR)
    known, _ = nights.watch.book.load()

    assert nights.tellings == ["opened", "recovered"]
    assert known.vms == {}


def test_a_weakened_policy_is_the_vaults_trouble(nights: Nights) -> None:
    weaker = replace(DAILY, retention=Retention(daily_days=7))
    nights.azure.vault = replace(nights.azure.vault, policies=(weaker,))
    nights.look()
    nights.azure.vault = replace(nights.azure.vault, policies=(DAILY,))
    nights.pass_time(2 * HOUR)

    assert nights.causes == ["POLICY_WEAKENED"]
    assert nights.tellings == ["opened", "recovered"]


def test_a_vm_that_moves_to_a_weaker_policy_is_told(nights: Nights) -> None:
    weaker = replace(DAILY, name="weak", retention=Retention(daily_days=7))
    nights.azure.vault = replace(nights.azure.vault, policies=(DAILY, weaker))
    nights.azure.change("web", policy="weak")
    nights.pass_time(2 * HOUR)

    assert nights.causes == ["POLICY_WEAKENED"]


def test_what_was_accepted_is_over_and_is_the_promise_from_then_on(nights: Nights) -> None:
    weaker = replace(DAILY, retention=Retention(daily_days=7))
    nights.azure.vault = replace(nights.azure.vault, policies=(weaker,))
    nights.look()
    nights.watch.book.accept([str(VAULT)])
    nights.pass_time(4 * HOUR)
    weakest = replace(DAILY, retention=Retention(daily_days=3))
    nights.azure.vault = replace(nights.azure.vault, policies=(weakest,))
    nights.pass_time(2 * HOUR)

    first, second = nights.watch.book.read().incidents
    assert nights.tellings == ["opened", "recovered", "opened"]
    assert (first.ending, second.over) == (Ending.ACCEPTED, False)
    assert second.words.message == "daily keeps daily backups for 3 instead of 7 days"


def test_a_vms_weaker_policy_can_be_accepted(nights: Nights) -> None:
    weaker = replace(DAILY, name="weak", retention=Retention(daily_days=7))
    nights.azure.vault = replace(nights.azure.vault, policies=(DAILY, weaker))
    nights.azure.change("web", policy="weak")
    nights.look()
    nights.watch.book.accept([str(vm_id())])
    nights.pass_time(4 * HOUR)

    (one,) = nights.watch.book.read().incidents
    assert one.ending is Ending.ACCEPTED


def test_a_vault_that_holds_none_of_our_vms_any_more_is_no_trouble(nights: Nights) -> None:
    weaker = replace(DAILY, retention=Retention(daily_days=7))
    nights.azure.vault = replace(nights.azure.vault, policies=(weaker,))
    nights.look()
    nights.azure.items.clear()
    nights.pass_time(4 * HOUR)

    (one,) = nights.watch.book.read().incidents
    assert one.ending is Ending.UNUSED


@pytest.mark.parametrize(("address", "over"), [("gone@x.example", True), ("ops@x.example", False)])
def test_a_mailbox_to_which_nobody_writes_any_more_is_no_trouble(
    nights: Nights, address: str, over: bool
) -> None:
    bounced = Report(address, "Bounced", nights.clock.now())
    nights.watch.book.amend(lambda known: replace(known, reports=(bounced,)))
    nights.pass_time(4 * HOUR)

    (one,) = nights.watch.book.read().incidents
    assert one.over is over


def test_a_muted_incident_is_in_the_book_and_told_to_nobody(nights: Nights) -> None:
    mute = Mute(str(vm_id()), BEGIN + 60 * DAY, "ada", "known")
    nights.watch.book.mute(mute, nights.clock.now())
    nights.night(web=BAD)
    nights.night(web=BAD)
    muted = list(nights.told)
    nights.watch.book.unmute(str(vm_id()), nights.clock.now())
    nights.look()

    assert muted == []
    assert nights.tellings == ["opened"]


def test_a_mail_that_did_not_arrive_is_an_incident_of_its_own(nights: Nights) -> None:
    bounced = Report("ops@x.example", "Bounced", nights.clock.now())
    nights.watch.book.amend(lambda known: replace(known, reports=(bounced,)))
    nights.look()
    known, _ = nights.watch.book.load()

    assert [one.cause for one in known.book.incidents] == [RootCause.MAIL_UNDELIVERED]
    assert known.reports == ()


def test_of_two_looks_at_once_one_tells(nights: Nights) -> None:
    nights.night(web=BAD)
    nights.clock.move_to(nights.clock.now() + 10 * HOUR)
    nights.azure.run("web", nights.clock.now(), BAD)
    nights.clock.move_to(nights.clock.now() + 2 * HOUR)
    nights.azure.before_call = nested = Nested(nights)
    nights.look()

    assert nested.told + nights.tellings == ["opened"]


class Nested:
    """Takes a whole look of another instance within the first call of one."""

    def __init__(self, nights: Nights) -> None:
        self.nights, self.told = nights, list[str]()

    def __call__(self) -> None:
        self.nights.azure.before_call = lambda: None
        self.told += [str(one.told.telling) for one in self.nights.watch.look()]


def test_what_is_owed_stays_owed_until_somebody_pays(nights: Nights) -> None:
    nights.night(web=BAD)
    nights.night(web=BAD)
    nights.night()
    known, _ = nights.watch.book.load()

    assert [str(one.told.telling) for one in known.owed] == ["opened", "recovered"]


def test_a_look_that_sees_nothing_new_writes_little(nights: Nights) -> None:
    size = len(nights.blobs.content[DOCUMENT][0])
    for _ in range(20):
        nights.night()

    assert len(nights.blobs.content[DOCUMENT][0]) < size * 1.2


def test_a_book_of_another_version_is_not_begun_anew() -> None:
    blobs = MemoryBlobs()
    blobs.create(DOCUMENT, b'{"schema": 99, "new": true}')

    with pytest.raises(Malformed):
        IncidentBook(blobs).read()


def test_what_is_known_survives_its_document(nights: Nights) -> None:
    nights.night(web=BAD)
    nights.night(web=None)
    known, _ = nights.watch.book.load()
    again = IncidentBook(MemoryBlobs())
    again.save(known, None)

    assert again.load()[0] == known
    assert known != Watched()


def test_an_item_in_error_because_a_backup_failed_is_one_trouble(nights: Nights) -> None:
    nights.pass_time(12 * HOUR)
    nights.azure.run("web", nights.clock.now() - HOUR, BAD)
    nights.azure.change("web", state=ItemState.ERROR)
    nights.pass_time(12 * HOUR)

    assert nights.causes == ["AGENT"]


def test_an_item_in_error_without_a_reason_is_told_after_a_while(nights: Nights) -> None:
    nights.azure.change("web", state=ItemState.ERROR)
    nights.pass_time(2 * HOUR)
    before = nights.causes
    nights.pass_time(6 * HOUR)

    assert before == []
    assert nights.causes == ["ITEM_ERROR"]
