from datetime import timedelta

from tests.incidents import Looks, bad, good, held
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.tellings import Folding, State

GATHERING = Folding(at_least=3, window=timedelta(hours=12), gather=timedelta(minutes=30))
NAMES = ("web", "db", "app", "mail")


def all_bad(hours, cause=RootCause.AGENT, names=NAMES, **more):
    return [bad(hours, cause, name=name, **more) for name in names]


def test_many_vms_with_one_cause_are_one_mail():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0))

    assert looks.notices == [(0, "opened", 1, 4)]


def test_too_few_are_told_alone_once_they_have_waited_for_others():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0, names=("web", "db"))).look(0.5)

    assert looks.notices == [(0.5, "opened", 1, 1), (0.5, "opened", 1, 1)]


def test_a_failure_that_heals_while_it_waits_is_told_to_nobody():
    assert Looks(folding=GATHERING).look(0, bad(0)).look(0.4, good(0.3)).look(1).notices == []


def test_who_fails_for_another_cause_is_told_alone():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0), bad(0, RootCause.VSS, name="odd"))

    assert looks.look(1).notices == [(0, "opened", 1, 4), (1, "opened", 1, 1)]


def test_codes_that_nobody_knows_are_not_one_cause():
    seen = [bad(0, RootCause.UNKNOWN, name=name, code=f"Code{name}") for name in NAMES]

    assert len(Looks(folding=GATHERING).look(0, *seen).look(1).notices) == 4


def test_others_join_a_young_group_silently():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0)).look(3, bad(3, name="late")).look(4)

    assert looks.notices == [(0, "opened", 1, 4)]
    assert len(looks.book.groups[0].members) == 5


def test_nobody_joins_an_old_group():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0)).look(13, bad(13, name="late")).look(14)

    assert looks.notices == [(0, "opened", 1, 4), (14, "opened", 1, 1)]


def test_who_was_told_alone_a_while_ago_counts_and_is_told_by_the_group_from_then_on():
    looks = Looks(folding=GATHERING)

    looks.look(0, *all_bad(0, names=("web", "db"))).look(1)
    looks.look(2, *all_bad(2, names=("app",))).look(30)

    assert looks.notices == [
        (1, "opened", 1, 1),
        (1, "opened", 1, 1),
        (2, "opened", 1, 3),
        (30, "reminder", 1, 3),
    ]


def test_a_group_recovers_when_all_of_it_are_well():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0))

    looks.look(10, *[good(10, name=name) for name in NAMES[:3]])
    assert looks.book.state(looks.book.groups[0]) is State.OPEN

    looks.look(20, good(20, name=NAMES[3]))
    assert looks.notices == [(0, "opened", 1, 4), (20, "recovered", 1, 4)]
    assert looks.book.state(looks.book.groups[0]) is State.RECOVERED


def test_a_group_is_reminded_of_while_one_of_it_is_unwell():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0))

    looks.look(10, *[good(10, name=name) for name in NAMES[:3]]).look(24)

    assert looks.notices == [(0, "opened", 1, 4), (24, "reminder", 1, 4)]


def test_a_member_that_fails_anew_is_another_incident():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0)).look(5, good(5)).look(6, bad(6))

    assert len(looks.book.incidents) == 5
    assert len(looks.book.groups[0].members) == 5


def test_a_muted_vm_does_not_join_until_its_mute_ends():
    looks = Looks(folding=GATHERING)
    looks.muted = {"web"}

    looks.look(0, *all_bad(0))
    assert looks.notices == [(0, "opened", 1, 3)]

    looks.muted = set()
    looks.look(1)
    assert len(looks.book.groups[0].members) == 4


def test_who_was_told_alone_and_is_muted_now_is_left_out():
    looks = Looks(folding=GATHERING).look(0, bad(0)).look(1)
    looks.muted = {"web"}

    looks.look(2, *all_bad(2, names=("db", "app"))).look(3)
    assert looks.notices == [(1, "opened", 1, 1), (3, "opened", 1, 1), (3, "opened", 1, 1)]


def test_a_group_of_muted_vms_says_nothing():
    looks = Looks(folding=GATHERING).look(0, *all_bad(0))
    looks.muted = set(NAMES)

    looks.look(30).look(40, *[good(40, name=name) for name in NAMES])
    assert looks.notices == [(0, "opened", 1, 4)]

    looks.muted = set()
    assert looks.look(50).notices[-1] == (50, "recovered", 1, 4)


def test_states_of_many_vms_fold_too():
    seen = [held(0, RootCause.ITEM_ERROR, name=name) for name in NAMES]

    assert Looks(folding=GATHERING).look(0, *seen).notices == [(0, "opened", 1, 4)]


def test_members_are_found_in_the_book():
    book = Looks(folding=GATHERING).look(0, *all_bad(0)).book

    assert {one.subject.name for one in book.members(book.groups[0])} == set(NAMES)
    assert book.incident(book.incidents[0].id) == book.incidents[0]
