"""
A mail as it is sent: recipients, subject, both bodies and attachments, under a key of its own.

The key is derived from what the mail tells (an incident or group, and how far it has come), and the
mail service's operation id from the key. So whoever makes a letter again after a crash makes the
same one, and a mail that left twice can be seen to be one.
"""

import hashlib
import uuid
from dataclasses import dataclass, replace

from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.telling.routing import split_recipients

CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a mail; `kind` is its media type."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """
    One mail to at most MOST_RECIPIENTS people, `to` and `copy` together.

    `plain` and `html` say the same. `urgent` ones go first where not all can go now.
    """

    key: str
    to: tuple[str, ...]
    copy: tuple[str, ...]
    subject: str
    plain: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    urgent: bool = False


def letter_key(told: str, part: int = 1) -> str:
    """
    Return the key of the `part`th letter (from 1) that tells what the key `told` stands for.

    `told` is a notice's key, or that of a digest. The key holds no address: it may be written where
    nothing can be forgotten.
    """
    return derive_key("letter", told, str(part))


def operation_id(key: str) -> str:
    """
    Return the GUID under which the letter `key` is sent, the same in every try.

    Looks like a drawn one (version 4), because the service's pages ask for no other kind.
    """
    digest = hashlib.sha256(f"operation of {key}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def address_letters(letter: Letter) -> tuple[Letter, ...]:
    """
    Return the letter in as many parts as its recipients need, each with a key of its own.

    `letter.key` is what they tell. Everybody is in one part, once; a part for copies alone has them
    as recipients, because a mail has to have one.
    """
    known = {address.lower() for address in letter.to}
    copies = tuple(one for one in letter.copy if one.lower() not in known)
    parts, before = [], 0
    for number, group in enumerate(split_recipients((*letter.to, *copies)), start=1):
        direct = max(len(letter.to) - before, 0) or len(group)
        before += len(group)
        key = letter_key(letter.key, number)
        parts.append(replace(letter, key=key, to=group[:direct], copy=group[direct:]))
    return tuple(parts)
