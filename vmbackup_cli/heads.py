"""
Heads of evidence that were kept elsewhere, compared with the chains as they are now.

A chain whose tail was cut off holds link by link; only a head that left the house before shows it.
Heads stand in the operators' daily mail and in what `vmbackup evidence verify --json` wrote.
"""

import email
import email.policy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from vmbackup_cli.chains import Chain
from vmbackup_cli.desk import Misused

# As a mail has it (`sweep/2026-03 no. 1,204: 5f3a…`), and as our own JSON does.
_SAID = re.compile(
    r"(?P<chain>[a-z]+/\d{4}-\d{2})\s+no\.\s*(?P<seq>\d[\d,]*)\W+(?P<hash>[0-9a-f]{64})\b"
)
_WRITTEN = re.compile(
    r'"chain":\s*"(?:[^"]*/)?(?P<chain>[a-z]+/\d{4}-\d{2})",\s*"records":\s*(?P<seq>\d+),'
    r'\s*"head":\s*"(?P<hash>[0-9a-f]{64})"'
)


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The newest record of a chain as it was when somebody wrote it down."""

    chain: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a head: `why` is "" where the chain still has it, else what is wrong."""

    head: Head
    why: str


def read_heads(path: Path) -> tuple[Head, ...]:
    """Return the heads in a mail or in saved output; raises Misused where there is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Misused(f"--heads: {path} cannot be read: {error.strerror}") from None
    text = _text_of(raw)
    found = [one for form in (_SAID, _WRITTEN) for one in form.finditer(text)]
    if not found:
        raise Misused(
            f"--heads: {path} names no head of evidence; it takes the operators' daily mail, or"
            " what `vmbackup evidence verify --json` wrote"
        )
    heads = {Head(one["chain"], int(one["seq"].replace(",", "")), one["hash"]) for one in found}
    return tuple(sorted(heads))


def compare(heads: Iterable[Head], chains: Iterable[Chain]) -> tuple[Compared, ...]:
    """Return what became of each head; `chains` were checked with the heads' numbers noted."""
    known = {"/".join(chain.name.split("/")[-2:]): chain for chain in chains}
    return tuple(Compared(head, _why_not(head, known.get(head.chain))) for head in heads)


def _why_not(head: Head, chain: Chain | None) -> str:
    if chain is None:
        return f"the whole chain is missing: it had {head.seq:,} records"
    if head.seq > chain.records:
        if chain.broken:
            return f"it is broken at {chain.broken.seq}, before record {head.seq:,}"
        cut = head.seq - chain.records
        return f"its last {cut:,} of {head.seq:,} records, at least, were cut off"
    if chain.noted.get(head.seq) != head.hash:
        return f"record {head.seq:,} is another one: the chain was written anew"
    return ""


def _text_of(raw: bytes) -> str:
    """Return the plain text of a saved mail; of anything else its own."""
    text = raw.decode(errors="replace")
    if re.match(r"[A-Za-z-]+:\s", text) is None:
        return text
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return "\n".join((text, *_plain(message)))


def _plain(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            yield str(part.get_content())
