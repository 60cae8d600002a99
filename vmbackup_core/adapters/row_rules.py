"""What a row of the ledger may be, whichever store keeps it: the narrowest of them decides."""

import re

from vmbackup_core.ports import Row

_KEY = re.compile(r"[a-z0-9-]{1,200}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,200}")
_RESERVED = frozenset({"partitionkey", "rowkey", "timestamp", "etag"})
LONGEST_VALUE = 32_000  # A table's text property holds 32 K characters of UTF-16.
LARGEST_ROW = 500_000  # A table's entity holds 1 MiB, keys and names among it, in UTF-16.


def check_key(key: str) -> None:
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"not a key for a row: {key!r}")


def check_row(row: Row) -> None:
    """Raise ValueError where a store could not keep `row`: that is a bug of ours."""
    check_key(row.partition)
    check_key(row.key)
    for name, value in row.values.items():
        if _NAME.fullmatch(name) is None or name.lower() in _RESERVED:
            raise ValueError(f"not a name for a row's value: {name!r}")
        if _characters(value) > LONGEST_VALUE:
            raise ValueError(f"value {name} of row {row.key} is too long for a table")
    if sum(_characters(name) + _characters(value) for name, value in row.values.items()) > (
        LARGEST_ROW
    ):
        raise ValueError(f"row {row.key} is too large for a table")


def _characters(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
