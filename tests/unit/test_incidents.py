from dataclasses import replace

from tests.incidents import DAY, RHYTHM, Looks, bad, good, held, hour, mended
from vmbackup_core.domain.telling.incidents import open_incident, take_in
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.tellings import Rhythm, State
from vmbackup_core.domain.telling.troubles import Ending


def test_a_failure_that_the_next_backup_heals_in_time_is_told_to_nobody():
    looks = Looks().look(1, bad(0, quiet=30)).look(25, good(25))

    assert looks.notices == []
    assert looks.book.incidents[0].state is State.RECOVERED


def test_a_failure_that_puts_the_rpo_at_risk_is_told_at_once():
    assert Looks().look(1, bad(0)).notices == [(1, "opened", 1, 1)]


def test_a_second_failure_in_a_row_is_told():
    looks = Looks().look(1, bad(0, quiet=30)).look(25, bad(24, quiet=30))

    assert looks.notices == [(25, "opened", 1, 1)]


def test_a_failure_that_is_not_made_up_for_when_it_should_be_is_told():
    assert Looks().look(1, bad(0, quiet=30)).look(31).notices == [(31, "opened", 1, 1)]


def test_three_nights_are_one_mail_one_reminder_and_one_recovery():
    looks = Looks()

    looks.look(1, bad(0)).look(25, bad(24)).look(49, bad(48)).look(73, good(73))

    assert looks.notices == [
        (1, "opened", 1, 1),
        (25, "reminder", 1, 1),
        (49, "reminder", 2, 1),
        (73, "recovered", 1, 1),
    ]


def test_what_lasts_is_told_to_more_people_once_and_reminded_of_then():
    looks = Looks(Rhythm(2 * DAY, DAY))

    for hours in (0, 23, 24, 48, 72, 96):
        looks.look(hours, bad(0))

    assert looks.notices == [
        (0, "opened", 1, 1),
        (24, "escalated", 1, 1),
        (72, "reminder", 1, 1),
    ]


def test_after_days_without_a_look_there_is_one_mail_and_not_all_that_were_due():
    assert Looks(Rhythm(DAY, None)).look(0, bad(0)).look(120, bad(0)).look(121).notices == [
        (0, "opened", 1, 1),
        (120, "reminder", 1, 1),
    ]


def test_a_rhythm_without_reminders_is_silent_in_between():
    looks = Looks(Rhythm(None, None)).look(0, bad(0)).look(240).look(250, good(249))

    assert [telling for _, telling, *_ in looks.notices] == ["opened", "recovered"]


def test_a_trouble_that_comes_back_is_another_incident():
    looks = Looks().look(0, bad(0)).look(24, good(24)).look(48, bad(48))

    assert [telling for _, telling, *_ in looks.notices] == ["opened", "recovered", "opened"]
    assert len({one.id for one in looks.book.incidents}) == 2


def test_bad_and_good_and_bad_news_in_one_look_are_two_incidents():
    after = take_in((), [bad(48), good(24), bad(0)])

    assert [(one.since, one.over) for one in after] == [(hour(0), True), (hour(48), False)]


def test_what_is_bad_and_good_at_one_moment_is_not_over():
    assert not take_in((), [held(5), mended(5, RootCause.STOPPED)])[0].over


def test_an_incident_ended_when_the_subject_was_first_well_again():
    (after,) = take_in(take_in((), [bad(0), good(24)]), [good(48)])

    assert after.well == hour(24)


def test_a_late_failure_from_before_the_recovery_opens_nothing():
    looks = Looks().look(0, bad(0)).look(24, good(24)).look(26, bad(12))

    assert [telling for _, telling, *_ in looks.notices] == ["opened", "recovered"]
    assert len(looks.book.incidents) == 1


def test_a_late_good_backup_in_between_moves_since_when_it_fails():
    (after,) = take_in(take_in((), [bad(0), bad(48)]), [good(24)])

    assert not after.over
    assert after.since == hour(48)
    assert [one.id for one in after.current] == ["job-48"]


def test_one_vm_with_two_causes_is_two_incidents_and_one_good_backup_ends_both():
    looks = Looks().look(25, bad(0), bad(24, RootCause.VSS)).look(49, good(48))

    assert looks.notices == [
        (25, "opened", 1, 1),
        (25, "opened", 1, 1),
        (49, "recovered", 1, 1),
        (49, "recovered", 1, 1),
    ]


def test_a_cause_that_is_known_later_is_the_same_incident():
    looks = Looks().look(1, bad(0, RootCause.UNKNOWN)).look(2, bad(0, code="UserErrorX"))

    (incident,) = looks.book.incidents
    assert looks.notices == [(1, "opened", 1, 1)]
    assert incident.cause is RootCause.AGENT
    assert incident.words.code == "UserErrorX"
    assert incident.id == open_incident(bad(0, RootCause.UNKNOWN)).id


def test_a_cause_that_a_poorer_source_does_not_know_stays_known():
    (incident,) = take_in(take_in((), [bad(0)]), [bad(0, RootCause.UNKNOWN)])

    assert incident.cause is RootCause.AGENT


def test_a_missing_backup_while_the_agent_is_dead_is_no_second_incident():
    (incident,) = take_in((), [bad(0), bad(24, RootCause.MISSED), bad(48)])

    assert incident.cause is RootCause.AGENT
    assert len(incident.attempts) == 3


def test_a_missing_backup_does_not_take_the_words_of_a_failure():
    looks = Looks().look(1, bad(0, code="Xy")).look(25, bad(24, RootCause.MISSED))

    (incident,) = looks.book.incidents
    assert (incident.cause, incident.words.code) == (RootCause.AGENT, "Xy")


def test_a_failure_that_nobody_knows_does_not_take_the_words_of_one_with_a_cause():
    looks = Looks().look(1, bad(0, code="Xy")).look(25, bad(24, RootCause.UNKNOWN, code="New"))

    (incident,) = looks.book.incidents
    assert (incident.cause, incident.words.code) == (RootCause.AGENT, "Xy")


def test_a_failure_gives_its_words_to_what_was_missing_before():
    looks = Looks().look(1, bad(0, RootCause.MISSED)).look(25, bad(24, RootCause.UNKNOWN, code="X"))

    (incident,) = looks.book.incidents
    assert (incident.cause, incident.words.code) == (RootCause.UNKNOWN, "X")


def test_a_missing_backup_after_a_failure_that_nobody_knows_is_no_second_incident():
    looks = Looks().look(1, bad(0, RootCause.UNKNOWN, code="X")).look(25, bad(24, RootCause.MISSED))

    (incident,) = looks.book.incidents
    assert (incident.cause, incident.words.code) == (RootCause.UNKNOWN, "X")


def test_a_state_is_told_at_once_and_ends_when_it_is_mended():
    looks = Looks().look(0, held(0)).look(1, held(1)).look(2, mended(2, RootCause.STOPPED))

    assert [telling for _, telling, *_ in looks.notices] == ["opened", "recovered"]
    assert looks.book.incidents[0].ending is Ending.MENDED


def test_a_good_backup_does_not_end_a_state():
    assert not take_in((), [held(0), good(24)])[0].over


def test_a_vault_and_a_vm_of_one_name_are_two_subjects():
    vault = replace(held(0), subject=replace(held(0).subject, kind="vault"))

    assert len(take_in((), [held(0), vault])) == 2


def test_a_muted_incident_is_told_when_the_mute_ends_if_it_lasts():
    looks = Looks()
    looks.muted = {"web"}
    looks.look(0, bad(0)).look(24, bad(24))
    looks.muted = set()

    assert looks.look(48, bad(48)).notices == [(48, "opened", 1, 1)]


def test_a_muted_incident_that_ends_is_never_told():
    looks = Looks()
    looks.muted = {"web"}
    looks.look(0, bad(0)).look(24, good(24))
    looks.muted = set()

    assert looks.look(48).notices == []


def test_who_was_told_of_the_beginning_is_told_of_the_end_after_the_mute():
    looks = Looks().look(0, bad(0))
    looks.muted = {"web"}
    looks.look(24, good(24))
    looks.muted = set()

    assert looks.look(48).notices == [(0, "opened", 1, 1), (48, "recovered", 1, 1)]


def test_the_keys_of_notices_say_which_incident_and_which_telling():
    first, again = Looks(), Looks()
    first.look(0, bad(0))
    again.look(3, bad(0), bad(0))

    assert first.book.incidents[0].id == again.book.incidents[0].id


def test_how_far_an_incident_has_come_is_its_state():
    looks = Looks(RHYTHM)
    states = []

    for hours in (0, 1, 25, 72):
        looks.look(hours, bad(0, quiet=1))
        states.append(looks.book.incidents[0].state)

    assert states == [State.QUIET, State.OPEN, State.REMINDED, State.REMINDED]
    assert looks.look(80).book.incidents[0].state is State.ESCALATED


def test_of_reminders_the_last_are_kept_and_their_numbers_go_on() -> None:
    looks = Looks().look(0, bad(0), bad(1))
    for day in range(1, 41):
        looks.look(24 * day + 1)

    (incident,) = looks.book.incidents
    kinds = [str(one.telling) for one in incident.told]
    assert (kinds[0], kinds.count("reminder"), "escalated" in kinds) == ("opened", 30, True)
    assert incident.told[-1].number == 39
