"""
Azure Tables: what a table holds, and what the service refuses.

Entities are ordered by their keys; an ETag is the tick of the last write; a transaction happens as
a whole or not at all. Wire shapes are in routes/tables.py. Source of rules and limits:
"Understanding the Table service data model" and "Performing entity group transactions" of the REST
reference.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from azsim.http import ArmError
from azsim.table_filter import Edm, Properties, Test, Value
from azsim.ticks import Ticks, entity_etag, when_of

PAGE = 1000
# models table-model
KEY_BYTES = 1024
STRING_BYTES = 64 * 1024
ENTITY_BYTES = 1024 * 1024
PROPERTIES = 252
# models table-names
DELETION_TAKES = timedelta(seconds=40)  # "at least 40 seconds": the Delete Table page.

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_NOT_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")

Key = tuple[str, str]


class Effect(Enum):
    """What a write does to the entity that is there, or is not."""

    INSERT = "insert"
    REPLACE = "replace"
    MERGE = "merge"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Entity:
    key: Key
    ticks: int
    properties: Mapping[str, Value]

    @property
    def etag(self) -> str:
        return entity_etag(self.ticks)

    def visible(self) -> Properties:
        """Return the properties as a filter sees them: with both keys and the time of writing."""
        return {
            "PartitionKey": Value(Edm.STRING, self.key[0]),
            "RowKey": Value(Edm.STRING, self.key[1]),
            "Timestamp": Value(Edm.DATETIME, when_of(self.ticks)),
            **self.properties,
        }


@dataclass(frozen=True, slots=True)
class Write:
    """One change; `if_match` is an ETag, `*` (must exist), or None (insert, or upsert)."""

    effect: Effect
    key: Key
    properties: Mapping[str, Value] = field(default_factory=dict)
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    entities: tuple[Entity, ...]
    next_key: Key | None


class TransactionFailed(Exception):
    """A transaction was refused as a whole because of its write number `index`."""

    def __init__(self, index: int, error: ArmError) -> None:
        super().__init__(f"{index}: {error}")
        self.index, self.error = index, error


class Table:
    """The entities of one table."""

    def __init__(self, name: str, ticks: Ticks) -> None:
        self.name = name
        self._ticks = ticks
        self._entities: dict[Key, Entity] = {}
        self._order: list[Key] = []

    def __iter__(self) -> Iterator[Entity]:
        return (self._entities[key] for key in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def get(self, key: Key) -> Entity:
        if (found := self._entities.get(key)) is None:
            raise not_found()
        return found

    def query(self, test: Test | None, *, start: Key | None = None, top: int = PAGE) -> Page:
        """Return up to `top` (at most 1,000) entities that pass, from `start` on, in key order."""
        first = bisect_left(self._order, start) if start else 0
        chosen: list[Entity] = []
        for key in self._order[first:]:
            entity = self._entities[key]
            if test is None or test(entity.visible()):
                if len(chosen) == min(top, PAGE):
                    return Page(tuple(chosen), key)
                chosen.append(entity)
        return Page(tuple(chosen), None)

    def write(self, write: Write) -> Entity | None:
        """Apply one change and return what is there now; None after a deletion."""
        after = self._outcome(write)
        self._put(write.key, after)
        return after

    # models table-transactions
    def transact(self, writes: list[Write]) -> list[Entity | None]:
        """Apply all or none; raises TransactionFailed with the index of the write that failed."""
        _check_transaction(writes)
        outcomes: list[Entity | None] = []
        for index, write in enumerate(writes):
            try:
                outcomes.append(self._outcome(write))
            except ArmError as error:
                raise TransactionFailed(index, error) from error
        for write, outcome in zip(writes, outcomes, strict=True):
            self._put(write.key, outcome)
        return outcomes

    # models table-conditions
    def _outcome(self, write: Write) -> Entity | None:
        _check_key(write.key)
        present = self._entities.get(write.key)
        if write.effect is Effect.INSERT and present is not None:
            raise ArmError(409, "EntityAlreadyExists", "The specified entity already exists.")
        if write.if_match is not None:
            if present is None:
                raise not_found()
            if write.if_match not in ("*", present.etag):
                raise ArmError(
                    412,
                    "UpdateConditionNotSatisfied",
                    "The update condition specified in the request was not satisfied.",
                )
        if write.effect is Effect.DELETE:
            return None
        kept = present.properties if present and write.effect is Effect.MERGE else {}
        properties = {**kept, **write.properties}
        _check_size(write.key, properties)
        return Entity(write.key, self._ticks.next(), properties)

    def _put(self, key: Key, entity: Entity | None) -> None:
        at = bisect_left(self._order, key)
        there = key in self._entities
        if entity is None:
            if there:
                del self._order[at], self._entities[key]
            return
        if not there:
            self._order.insert(at, key)
        self._entities[key] = entity


class Tables:
    """The tables of one account; names compare without case."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._tables: dict[str, Table] = {}
        self._going: dict[str, datetime] = {}

    def __iter__(self) -> Iterator[Table]:
        return (self._tables[name] for name in sorted(self._tables))

    def create(self, name: str, now: datetime) -> Table:
        if not _NAME.fullmatch(name):
            # The service's own spelling.
            message = "The specifed resource name contains invalid characters."
            raise ArmError(400, "InvalidResourceName", message)
        if name.lower() in self._tables:
            raise ArmError(409, "TableAlreadyExists", "The table specified already exists.")
        if self._going.get(name.lower(), now) > now:
            raise ArmError(
                409,
                "TableBeingDeleted",
                "The specified table is being deleted. Try operation later.",
            )
        return self._tables.setdefault(name.lower(), Table(name, self._ticks))

    def get(self, name: str) -> Table:
        if (found := self._tables.get(name.lower())) is None:
            raise ArmError(404, "TableNotFound", "The table specified does not exist.")
        return found

    def delete(self, name: str, now: datetime) -> None:
        if self._tables.pop(name.lower(), None) is None:
            raise not_found()
        self._going[name.lower()] = now + DELETION_TAKES


def not_found() -> ArmError:
    return ArmError(404, "ResourceNotFound", "The specified resource does not exist.")


def _check_key(key: Key) -> None:
    for name, value in zip(("PartitionKey", "RowKey"), key, strict=True):
        if _NOT_IN_KEYS.search(value):
            raise ArmError(
                400,
                "OutOfRangeInput",
                f"The '{name}' parameter of value '{value}' is out of range.",
            )
        if len(value.encode("utf-16-le")) > KEY_BYTES:
            raise ArmError(
                400,
                "KeyValueTooLarge",
                "The key property is larger than the maximum size permitted.",
            )


def _check_size(key: Key, properties: Mapping[str, Value]) -> None:
    if len(properties) > PROPERTIES:
        raise ArmError(
            400, "TooManyProperties", "The entity contains more properties than allowed."
        )
    sizes = [_size(value) for value in properties.values()]
    if max(sizes, default=0) > STRING_BYTES:
        raise ArmError(
            400,
            "PropertyValueTooLarge",
            "The property value exceeds the maximum allowed size (64KB). If the property value is "
            "a string, it is UTF-16 encoded and the maximum number of characters should be 32K or "
            "less.",
        )
    names = sum(8 + 2 * len(name) for name in properties)
    if 4 + 2 * len("".join(key)) + names + sum(sizes) > ENTITY_BYTES:
        raise ArmError(
            400, "EntityTooLarge", "The entity is larger than the maximum allowed size (1MB)."
        )


def _size(value: Value) -> int:
    match value.value:
        case str(text):
            return len(text.encode("utf-16-le"))
        case bytes(content):
            return len(content)
    return 8


def _check_transaction(writes: list[Write]) -> None:
    if len(writes) > 100:
        raise TransactionFailed(
            100,
            ArmError(
                400,
                "InvalidInput",
                "The batch request operation exceeds the maximum 100 changes per change set.",
            ),
        )
    seen: set[Key] = set()
    for index, write in enumerate(writes):
        if write.key[0] != writes[0].key[0]:
            raise TransactionFailed(
                index,
                ArmError(
                    400,
                    "CommandsInBatchActOnDifferentPartitions",
                    "All commands in a batch must operate on same entity group.",
                ),
            )
        if write.key in seen:
            raise TransactionFailed(
                index,
                ArmError(
                    400,
                    "InvalidDuplicateRow",
                    "The batch request contains multiple changes with same row key. An entity can "
                    "appear only once in a batch request.",
                ),
            )
        seen.add(write.key)
