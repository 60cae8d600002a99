"""What all of Azure's answers have in common: how to walk them, how they write times and places."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from vmbackup_core.domain.errors import Malformed

Json = Any

# Azure's ways of saying "not yet": the first where there was no backup, the second for an end.
_NEVER = datetime(2001, 1, 1, tzinfo=UTC)


def at(node: Json, *path: str) -> Json | None:
    """Return what lies at `path` below `node`, None where any part of the way is missing."""
    for name in path:
        if not isinstance(node, Mapping):
            return None
        node = node.get(name)
    return node


def text(node: Json, *path: str) -> str:
    """Return the text at `path`, "" where there is none."""
    found = at(node, *path)
    return found if isinstance(found, str) else ""


def needed(node: Json, *path: str) -> str:
    """Return the text at `path`; raises Malformed where there is none."""
    if not (found := text(node, *path)):
        raise Malformed(f"an answer without {'.'.join(path)}")
    return found


def entries(node: Json, *path: str) -> list[Json]:
    """Return the list at `path`, empty where there is none."""
    found = at(node, *path)
    return found if isinstance(found, list) else []


def time_at(node: Json, *path: str) -> datetime | None:
    """
    Return the time at `path`, None where there is none or it stands for "never".

    Azure writes up to seven decimals, of which six are kept; a time without a zone is in UTC.
    """
    if not (written := text(node, *path)):
        return None
    try:
        moment = datetime.fromisoformat(written)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Malformed(f"{'.'.join(path)} is no time: {written!r}") from None
    return moment if moment > _NEVER else None


def place(written: str) -> str:
    """Return a location's name as ARM compares it ("West Europe" is "westeurope")."""
    return written.replace(" ", "").lower()


def tags(node: Json) -> dict[str, str]:
    """Return a resource's tags; Resource Graph writes null where there are none."""
    found = at(node, "tags")
    pairs: Iterable[tuple[Any, Any]] = found.items() if isinstance(found, Mapping) else ()
    return {str(name): str(value) for name, value in pairs}
