"""How a row of the ledger is changed: as it is at that moment, whoever else writes it."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vmbackup_core.domain.errors import Malformed, Retryable, Stale
from vmbackup_core.ports import Row, Rows

_RACES = 8  # A row that is lost more often than this is a storm, and worth waiting out.
_PIECE = 30_000  # Characters of one value: a row's value holds 32 K.


def amend_row(
    rows: Rows, partition: str, key: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]
) -> Mapping[str, str]:
    """
    Change a row's values, those of a new one from nothing, and return what it holds then.

    `change` may be called again with newer values, where somebody else was faster; what it leaves
    as it is, is not written. Raises Retryable in a storm of writers.
    """
    for _ in range(_RACES):
        row = rows.get(partition, key)
        values = change(row.values if row else {})
        if row and dict(values) == dict(row.values):
            return values
        try:
            return rows.put(Row(partition, key, values, row.etag if row else "")).values
        except Stale:
            continue
    raise Retryable(f"the ledger row {partition}/{key} is being written by many")


def write_long(value: Any) -> Mapping[str, str]:
    """Return JSON as values of a row, in as many pieces as it needs."""
    text = json.dumps(value, separators=(",", ":"))
    return dict(_pieces(text))


def read_long(values: Mapping[str, str]) -> Any:
    """Return the JSON that `write_long` wrote; raises Malformed for anything else."""
    text, number = "", 0
    while (piece := values.get(f"json_{number}")) is not None:
        text, number = text + piece, number + 1
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("a row of the ledger holds no JSON") from error


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    for number, start in enumerate(range(0, len(text), _PIECE)):
        yield f"json_{number}", text[start : start + _PIECE]
