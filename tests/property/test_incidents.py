"""Each real incident is told once per state, none is invented, and nothing depends on the order."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.incidents import RHYTHM, bad, good, hour
from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.domain.telling.incident_groups import Book, advance
from vmbackup_core.domain.telling.tellings import Folding, Telling

some = settings(max_examples=60, deadline=None)
NAMES = ("web", "db", "app", "mail")
NIGHTS = 10
FOLDING = Folding(at_least=3)
# What each VM's backup of each night came to.
stories = st.fixed_dictionaries(
    {name: st.lists(st.booleans(), min_size=NIGHTS, max_size=NIGHTS) for name in NAMES}
)
mutings = st.lists(st.sets(st.sampled_from(NAMES)), min_size=NIGHTS, max_size=NIGHTS)


def seen_by(story, night, first=0):
    """Return all that a look in the morning after `night` sees, from the night `first` on."""
    return [
        (good if nights[n] else bad)(24 * n, name=name)
        for name, nights in story.items()
        for n in range(first, night + 1)
    ]


def play(story, *, shuffle=list, muted=None, restart=lambda book: book, folding=FOLDING):
    """Return the book and the notices of all nights, with a second look an hour after each."""
    book, notices = Book(), []
    for night in range(NIGHTS):
        hushed = muted[night] if muted else set()
        for hours in (1, 2):
            book, told = advance(
                restart(book),
                shuffle(seen_by(story, night)),
                hour(24 * night + hours),
                rhythm=RHYTHM,
                folding=folding,
                muted=lambda one, hushed=hushed: one.subject.name in hushed,
            )
            notices += told
    return book, notices


def real_incidents(nights):
    """Return the nights in which a run of failures begins."""
    return [n for n, well in enumerate(nights) if not well and (n == 0 or nights[n - 1])]


def told_by(book, notices, telling):
    """Count for each incident how often it was told so, alone or first by its group."""
    times = Counter()
    groups = {group.id for group in book.groups}
    for notice in notices:
        if notice.told.telling is not telling:
            continue
        for id in notice.members:
            before = book.incident(id).told[0].at < notice.told.at
            if notice.about in groups and telling is Telling.OPENED and before:
                continue  # It had been told alone: the group only lists it.
            times[id] += 1
    return times


@some
@given(stories)
def test_each_real_incident_is_one_and_none_is_invented(story):
    book, _ = play(story)

    found = Counter((one.subject.name, one.first) for one in book.incidents)
    assert found == Counter(
        (name, hour(24 * night))
        for name, nights in story.items()
        for night in real_incidents(nights)
    )


@some
@given(stories)
def test_each_incident_is_told_once_as_opened_and_at_most_once_as_recovered(story):
    book, notices = play(story)
    joined = {id for group in book.groups for id in group.members}
    opened = told_by(book, notices, Telling.OPENED)
    recovered = told_by(book, notices, Telling.RECOVERED)

    assert len({notice.key for notice in notices}) == len(notices)
    assert all(opened[one.id] == 1 for one in book.incidents if one.id not in joined)
    assert all(opened[one.id] <= 1 for one in book.incidents)
    assert all(recovered[one.id] == one.over for one in book.incidents if one.id not in joined)
    assert all(recovered[one.id] <= one.over for one in book.incidents)


@some
@given(stories)
def test_folding_loses_nobody_and_holds_nobody_twice(story):
    book, notices = play(story)
    members = Counter(id for group in book.groups for id in group.members)
    grouped = {one.id for one in book.incidents if one.group}

    assert set(members) == grouped
    assert all(times == 1 for times in members.values())
    assert all(one.told for one in book.incidents)
    ended = {notice.about for notice in notices if notice.told.telling is Telling.RECOVERED}
    assert ended == {one.id for one in book.incidents if one.over and not one.group} | {
        group.id for group in book.groups if all(one.over for one in book.members(group))
    }


@some
@given(stories, st.randoms(use_true_random=False))
def test_order_and_repetition_within_a_look_do_not_matter(story, random):
    def shuffled(seen):
        again = [*seen, *random.sample(seen, len(seen) // 2)]
        random.shuffle(again)
        return again

    assert play(story, shuffle=shuffled) == play(story)


@some
@given(stories)
def test_a_restart_before_any_look_changes_nothing(story):
    assert play(story, restart=lambda book: from_json(to_json(book), Book)) == play(story)


@some
@given(stories, mutings)
def test_who_is_muted_is_never_told_alone(story, muted):
    book, notices = play(story, muted=muted, folding=Folding(at_least=100, gather=timedelta(0)))
    names = {one.id: one.subject.name for one in book.incidents}

    for notice in notices:
        night = (notice.told.at - hour(0)).days
        assert names[notice.about] not in muted[night]


@some
@given(stories)
def test_tellings_follow_each_other_in_order(story):
    book, _ = play(story)

    for told in [one.told for one in (*book.incidents, *book.groups)]:
        assert all(before.at <= after.at for before, after in pairwise(told))
        assert [one.telling for one in told].count(Telling.OPENED) == 1
