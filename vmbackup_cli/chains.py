"""
Evidence chains, checked link by link, wherever their records lie.

A chain is a folder `kind/yyyy-mm` of records `NNNNNNNN.json`. Checking one needs a copy of it, the
standard library and domain/evidence.py: no service, no key, no network.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from vmbackup_core.domain.evidence import Break, find_break
from vmbackup_core.ports import Blobs

_NAME = re.compile(
    r"(?:.*/)?(?P<chain>(?P<kind>[a-z]+)/(?P<month>\d{4}-\d{2}))/(?P<seq>\d{8,})\.json"
)


@dataclass(frozen=True, slots=True)
class Link:
    """One record as it lies there; `content` is None where it is gone since it was listed."""

    name: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Chain:
    """
    What checking one chain found; `head` is the hash of the last record that holds.

    `noted` has the hashes of those records whose numbers were asked for.
    """

    name: str
    records: int
    head: str
    broken: Break | None
    noted: Mapping[int, str] = field(default_factory=dict)


def in_folder(folder: Path) -> Iterator[Link]:
    """Yield the records below `folder`, at any depth, in the order of their names."""
    root = folder.resolve()
    for path in sorted(root.rglob("*.json")):
        below = path.relative_to(root).as_posix()
        if _NAME.fullmatch(below):
            yield Link(below, path.read_bytes())
        elif found := _NAME.fullmatch(path.as_posix()):  # The folder is a chain, or inside one.
            yield Link(f"{found['chain']}/{path.name}", path.read_bytes())


def in_store(blobs: Blobs) -> Iterator[Link]:
    """Yield the records of an evidence store, in the order of their names."""
    for name in sorted(name for name in blobs.names("") if _NAME.fullmatch(name)):
        blob = blobs.read(name)
        yield Link(name, blob.content if blob else None)


def check(links: Iterable[Link], note: Container[int] = ()) -> list[Chain]:
    """
    Check every chain among `links`, which come in the order of their names.

    The hashes of records with numbers in `note` are kept.
    """
    return [
        _check_chain(folder, members, note)
        for folder, members in groupby(links, key=lambda link: link.name.rpartition("/")[0])
    ]


def _check_chain(folder: str, links: Iterable[Link], note: Container[int]) -> Chain:
    records = 0
    noted = dict[int, str]()
    head = ""
    first: Break | None = None

    def follow() -> Iterator[Mapping[str, Any]]:
        """Yield records until one cannot be what its name says."""
        nonlocal records, head, first
        for link in links:
            record, why = _read(link)
            if record is None:
                first = Break(_seq(link), why)
                return
            yield record
            records, head = records + 1, str(record["hash"])
            if records in note:
                noted[records] = head

    broken = find_break(follow())
    return Chain(folder, records, head, broken or first, noted)


def _read(link: Link) -> tuple[Mapping[str, Any] | None, str]:
    """Return the record, or why there is none to follow."""
    found = _NAME.fullmatch(link.name)
    if found is None or link.content is None:
        return None, "is gone"
    try:
        record = json.loads(link.content)
    except ValueError:
        return None, "is not JSON"
    if not isinstance(record, dict):
        return None, "is no record"
    said = (record.get("kind"), str(record.get("at", ""))[:7], record.get("seq"))
    if said != (found["kind"], found["month"], int(found["seq"])):
        return None, f"lies in the wrong place: it says it is {said[0]}/{said[1]} number {said[2]}"
    return record, ""


def _seq(link: Link) -> int:
    found = _NAME.fullmatch(link.name)
    return int(found["seq"]) if found else 0
