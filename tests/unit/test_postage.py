"""Which letter leaves now: important first, within the limits, nothing dropped."""

from datetime import timedelta

import pytest

from tests.builders import NOW, at
from vmbackup_core.domain.telling.letters import Letter
from vmbackup_core.domain.telling.postage import (
    CLAIM,
    KEPT,
    Box,
    Budget,
    Fold,
    Mark,
    Posted,
    Send,
    budget_of,
    claim,
    forget_old,
    next_posting,
    put_off,
    room_of,
    split_letter,
)

SMALL = Budget(2, 3)
OPS = ("ops@x.example",)
MINUTE = timedelta(minutes=1)


def posted(key: str = "a", **more: object) -> Posted:
    given = {"posted": NOW, "to": OPS, "subject": f"about {key}", **more}
    return Posted(key, **given)  # type: ignore[arg-type]


def letter(key: str = "a", *to: str) -> Letter:
    return Letter(key, to or OPS, (), f"about {key}", f"plain {key}", f"<p>{key}</p>")


def key_of(action: object) -> str:
    assert isinstance(action, Send)
    return action.letter.key


def test_an_empty_box_has_nothing_to_send() -> None:
    assert next_posting(Box(), NOW, SMALL) is None


def test_important_ones_go_first_then_the_oldest() -> None:
    box = Box(
        (posted("new", posted=at(2)), posted("old"), posted("now", urgent=True, posted=at(3)))
    )

    assert key_of(next_posting(box, at(4), Budget(9, 9))) == "now"
    assert key_of(next_posting(Box(box.letters[:2]), at(4), Budget(9, 9))) == "old"


def test_nothing_leaves_beyond_the_limit_of_a_minute_or_an_hour() -> None:
    soon, later = at(0.5), at(30)

    assert next_posting(Box((posted(),), (NOW, NOW)), soon, SMALL) is None
    assert next_posting(Box((posted(),), (NOW, NOW, at(10))), later, SMALL) is None
    assert next_posting(Box((posted(),), (NOW, NOW, at(10))), at(61), SMALL) is not None


def test_nothing_leaves_while_the_service_wants_to_rest() -> None:
    box = Box((posted(),), rests_until=at(5))

    assert next_posting(box, at(4), SMALL) is None
    assert next_posting(box, at(5), SMALL) is not None


def test_where_there_is_not_room_for_all_what_can_wait_becomes_one() -> None:
    waiting = tuple(posted(f"r{n}") for n in range(4))
    urgent = posted("now", urgent=True)

    action = next_posting(Box((*waiting, urgent)), NOW, SMALL)

    assert action == Fold(waiting)


def test_letters_to_different_people_stay_apart() -> None:
    waiting = tuple(posted(f"r{n}", to=(f"{n}@x.example",)) for n in range(4))

    assert key_of(next_posting(Box(waiting), NOW, SMALL)) == "r0"


def test_what_was_tried_or_is_important_is_never_folded() -> None:
    waiting = (posted("a", tries=1), posted("b", tries=1), posted("c", urgent=True), posted("d"))

    assert key_of(next_posting(Box(waiting), NOW, SMALL)) == "c"


def test_a_claimed_letter_is_left_alone_until_its_sender_must_be_dead() -> None:
    box = claim(Box((posted(),)), Send(posted(), look_first=False), NOW)

    assert next_posting(box, NOW + CLAIM - MINUTE, SMALL) is None
    assert next_posting(box, NOW + CLAIM, SMALL) == Send(box.letters[0], look_first=True)


def test_a_claim_counts_its_requests() -> None:
    once = claim(Box((posted(),)), Send(posted(), look_first=False), NOW)
    twice = claim(Box((posted(),)), Send(posted(), look_first=True), NOW)

    assert (room_of(once, NOW, SMALL), room_of(twice, NOW, SMALL)) == (1, 0)


@pytest.mark.parametrize(("tries", "minutes"), [(0, 1), (1, 2), (3, 8), (20, 60)])
def test_each_failure_waits_longer_and_never_for_good(tries: int, minutes: int) -> None:
    waits = put_off(posted(tries=tries), NOW, "busy", maybe_sent=False)

    assert (waits.mark, waits.until) == (Mark.WAITING, at(minutes))


def test_what_may_have_left_is_looked_for_first() -> None:
    waits = put_off(posted(), NOW, "no answer", maybe_sent=True)

    assert next_posting(Box((waits,)), at(2), SMALL) == Send(waits, look_first=True)


def test_only_what_is_done_is_forgotten() -> None:
    old = (posted("sent", mark=Mark.SENT), posted("waits"))

    kept = forget_old(Box(old), NOW + KEPT)

    assert [one.key for one in kept.letters] == ["waits"]


def test_what_would_be_cut_off_or_be_too_large_becomes_several() -> None:
    long = tuple(posted(f"h{n}", html=40_000, posted=at(n)) for n in range(5))
    large = tuple(posted(f"f{n}", files=4_000_000, posted=at(n)) for n in range(5))

    assert next_posting(Box(long), at(9), SMALL) == Fold(long[:2])
    assert key_of(next_posting(Box(large), at(9), SMALL)) == "f0"


def test_a_letter_made_of_others_has_them_as_its_parts() -> None:
    inside = tuple(posted(f"p{n}", mark=Mark.FOLDED, within="all") for n in range(2))
    box = Box((*inside, posted("all"), posted("other")))

    assert box.parts(posted("all")) == inside
    assert box.parts(posted("other")) == (posted("other"),)


def test_a_refused_letter_is_split_so_that_each_has_his_own() -> None:
    parts = split_letter(letter("a", "one@x.example", "two@x.example"))

    assert [part.to for part in parts] == [("one@x.example",), ("two@x.example",)]
    assert len({part.key for part in parts}) == 2


def test_a_domain_that_azure_manages_has_a_tenth() -> None:
    assert budget_of("DoNotReply@1234.azurecomm.net") == Budget(5, 10)
    assert budget_of("backup@contoso.example") == Budget(30, 100)
