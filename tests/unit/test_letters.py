import uuid
from dataclasses import replace

from vmbackup_core.domain.telling.letters import (
    Attachment,
    Letter,
    address_letters,
    letter_key,
    operation_id,
)

LETTER = Letter("mail-1", ("a@example.com",), (), "s", "p", "<p>p</p>")


def addresses(count: int, at: str = "x") -> tuple[str, ...]:
    return tuple(f"{number}@{at}.example" for number in range(count))


def test_a_letter_made_again_has_the_same_key_and_operation():
    assert address_letters(LETTER) == address_letters(LETTER)
    assert operation_id("letter-1") == operation_id("letter-1")


def test_each_telling_and_each_part_has_a_key_and_an_operation_of_its_own():
    keys = [letter_key("mail-1"), letter_key("mail-1", 2), letter_key("mail-2")]

    assert len({operation_id(key) for key in keys}) == 3


def test_an_operation_id_is_a_guid_like_any_drawn_one():
    made = uuid.UUID(operation_id("letter-1"))

    assert (made.version, made.variant) == (4, uuid.RFC_4122)
    assert str(made) == operation_id("letter-1")


def test_a_key_tells_no_address():
    (part,) = address_letters(replace(LETTER, to=("person@example.com",)))

    assert part.key == letter_key("mail-1")


def test_up_to_fifty_people_get_one_mail():
    (part,) = address_letters(replace(LETTER, to=addresses(30), copy=addresses(20, "y")))

    assert (len(part.to), len(part.copy)) == (30, 20)


def test_more_people_get_more_mails_and_nobody_is_left_out():
    many = replace(LETTER, to=addresses(60), copy=addresses(50, "y"), urgent=True)

    parts = address_letters(replace(many, attachments=(Attachment("a.csv", "text/csv", b"a"),)))

    assert [(len(part.to), len(part.copy)) for part in parts] == [(50, 0), (10, 40), (10, 0)]
    assert {one for part in parts for one in (*part.to, *part.copy)} == {*many.to, *many.copy}
    assert len({part.key for part in parts}) == 3
    assert [part.urgent for part in parts] == [True] * 3
    assert [len(part.attachments) for part in parts] == [1] * 3


def test_who_is_both_recipient_and_copy_is_written_to_once_in_one_mail():
    (part,) = address_letters(replace(LETTER, to=("a@x.example",), copy=("a@x.example",)))

    assert (part.to, part.copy) == (("a@x.example",), ())
