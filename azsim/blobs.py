"""
Azure Blobs: containers and block blobs, their conditions, and what immutability forbids.

Wire shapes are in routes/blobs.py. Sources: the Blob service's REST reference (conditional headers,
Put Block List, List Blobs) and "Immutable storage for Azure Blob Storage". Where an overwrite is
barred by both `If-None-Match: *` and a retention policy, the condition is answered first (guessed).
"""

import base64
import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

from azsim.http import ArmError
from azsim.ticks import Ticks, blob_etag, when_of

_NAME = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
# models container-names
DELETION_TAKES = timedelta(seconds=30)  # "at least 30 seconds": the Delete Container page.


@dataclass(frozen=True, slots=True)
class Blob:
    name: str
    content: bytes
    ticks: int
    created: int
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return blob_etag(self.ticks)

    @property
    def modified(self) -> datetime:
        return when_of(self.ticks)

    @property
    def md5(self) -> str:
        return md5_of(self.content)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditional headers of one request; tags of an `If-…Match` as sent."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None

    def check_read(self, blob: Blob) -> None:
        """Raise 412 ConditionNotMet, or 304 where the reader's copy is the present one."""
        self._check_match(blob)
        if self.if_none_match in ("*", blob.etag) or not self._newer(blob):
            raise ArmError(304, "ConditionNotMet", _NOT_MET)

    # models blob-conditions
    def check_write(self, blob: Blob | None) -> None:
        """Raise 412 ConditionNotMet, or 409 BlobAlreadyExists where only creation was asked for."""
        if blob is not None and self.if_none_match == "*":
            raise ArmError(409, "BlobAlreadyExists", "The specified blob already exists.")
        if blob is None:
            if self.if_match is not None:
                raise ArmError(412, "ConditionNotMet", _NOT_MET)
            return
        self._check_match(blob)
        if self.if_none_match == blob.etag or not self._newer(blob):
            raise ArmError(412, "ConditionNotMet", _NOT_MET)

    def _check_match(self, blob: Blob) -> None:
        changed = self.if_unmodified_since is not None and blob.modified > self.if_unmodified_since
        if changed or self.if_match not in (None, "*", blob.etag):
            raise ArmError(412, "ConditionNotMet", _NOT_MET)

    def _newer(self, blob: Blob) -> bool:
        return self.if_modified_since is None or blob.modified > self.if_modified_since


_NOT_MET = "The condition specified using HTTP conditional header(s) is not met."
ALWAYS = Conditions()


@dataclass(frozen=True, slots=True)
class Listing:
    """One page: blobs and, where a delimiter was given, the prefixes that stand for the rest."""

    blobs: tuple[Blob, ...]
    prefixes: tuple[str, ...]
    next_marker: str = ""


class Container:
    """
    One container. Where `immutable_for` is set (a locked time-based policy on the container), a
    blob can be neither overwritten nor deleted until that long after it was created.
    `policy_before_condition` chooses what is told of a write that both the policy and a condition
    bar: nobody says which.
    """

    def __init__(self, name: str, ticks: Ticks, immutable_for: timedelta | None = None) -> None:
        self.name = name
        self.immutable_for = immutable_for
        self.policy_before_condition = False
        self._ticks = ticks
        self.ticks = ticks.next()
        self._blobs: dict[str, Blob] = {}
        self._order: list[str] = []
        self._staged: dict[str, dict[str, bytes]] = {}
        self._committed: dict[str, dict[str, bytes]] = {}

    def __iter__(self) -> Iterator[Blob]:
        return (self._blobs[name] for name in self._order)

    def find(self, name: str) -> Blob | None:
        return self._blobs.get(name)

    def get(self, name: str) -> Blob:
        if (found := self._blobs.get(name)) is None:
            raise ArmError(404, "BlobNotFound", "The specified blob does not exist.")
        return found

    # models blob-condition-before-policy
    def put(self, blob: Blob, now: datetime, conditions: Conditions = ALWAYS) -> Blob:
        """Write the whole blob; its ticks are set here."""
        present = self._blobs.get(blob.name)
        if self.policy_before_condition:
            self._check_mutable(present, now)
        conditions.check_write(present)
        self._check_mutable(present, now)
        ticks = self._ticks.next()
        created = present.created if present else ticks
        written = replace(blob, ticks=ticks, created=created)
        self._blobs[blob.name] = written
        if present is None:
            self._order.insert(bisect_left(self._order, blob.name), blob.name)
        self._staged.pop(blob.name, None)
        self._committed.pop(blob.name, None)
        return written

    def write(self, name: str, content: bytes, now: datetime, **properties: str) -> Blob:
        """Put a blob from inside the world, with no conditions."""
        return self.put(Blob(name, content, 0, 0, **properties), now)  # type: ignore[arg-type]

    def stage(self, name: str, block_id: str, content: bytes) -> None:
        self._staged.setdefault(name, {})[block_id] = content

    def commit(
        self, blob: Blob, block_ids: Sequence[str], now: datetime, conditions: Conditions
    ) -> Blob:
        """Join staged (or already committed) blocks into the blob."""
        blocks = {**self._committed.get(blob.name, {}), **self._staged.get(blob.name, {})}
        if any(block_id not in blocks for block_id in block_ids):
            raise ArmError(400, "InvalidBlockList", "The specified block list is invalid.")
        chosen = {block_id: blocks[block_id] for block_id in block_ids}
        content = b"".join(blocks[block_id] for block_id in block_ids)
        written = self.put(replace(blob, content=content), now, conditions)
        self._committed[blob.name] = chosen
        return written

    def delete(self, name: str, now: datetime, conditions: Conditions = ALWAYS) -> None:
        blob = self.get(name)
        conditions.check_write(blob)
        self._check_mutable(blob, now)
        del self._blobs[name]
        self._order.remove(name)
        self._committed.pop(name, None)

    def list(self, prefix: str, delimiter: str, marker: str, limit: int) -> Listing:
        """Return a page in name order, beginning at `marker`."""
        blobs: list[Blob] = []
        prefixes: list[str] = []
        for name in self._order[bisect_left(self._order, max(prefix, marker)) :]:
            if not name.startswith(prefix):
                break
            head, cut, _ = name[len(prefix) :].partition(delimiter or "\0")
            folder = prefix + head + delimiter if delimiter and cut else None
            if folder is not None and folder in prefixes[-1:]:
                continue
            if len(blobs) + len(prefixes) == limit:
                return Listing(tuple(blobs), tuple(prefixes), name)
            if folder is None:
                blobs.append(self._blobs[name])
            else:
                prefixes.append(folder)
        return Listing(tuple(blobs), tuple(prefixes))

    # models container-immutability
    def check_removable(self, now: datetime) -> None:
        for blob in self:
            self._check_mutable(blob, now)

    # models blob-immutability
    def _check_mutable(self, blob: Blob | None, now: datetime) -> None:
        if blob is None or self.immutable_for is None:
            return
        if now < when_of(blob.created) + self.immutable_for:
            raise ArmError(
                409,
                "BlobImmutableDueToPolicy",
                "This operation is not permitted as the blob is immutable due to a policy.",
            )


class Containers:
    """The blob containers of one account."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._containers: dict[str, Container] = {}
        self._going: dict[str, datetime] = {}

    def __iter__(self) -> Iterator[Container]:
        return (self._containers[name] for name in sorted(self._containers))

    def create(
        self, name: str, now: datetime, *, immutable_for: timedelta | None = None
    ) -> Container:
        if not _NAME.fullmatch(name):
            # The service's own spelling.
            message = "The specifed resource name contains invalid characters."
            raise ArmError(400, "InvalidResourceName", message)
        if name in self._containers:
            raise ArmError(409, "ContainerAlreadyExists", "The specified container already exists.")
        if self._going.get(name, now) > now:
            raise ArmError(
                409,
                "ContainerBeingDeleted",
                "The specified container is being deleted. Try operation later.",
            )
        return self._containers.setdefault(name, Container(name, self._ticks, immutable_for))

    def get(self, name: str) -> Container:
        if (found := self._containers.get(name)) is None:
            raise ArmError(404, "ContainerNotFound", "The specified container does not exist.")
        return found

    def ensure(self, name: str, now: datetime) -> Container:
        """Return the container, made where it is missing."""
        return self._containers.get(name) or self.create(name, now)

    def delete(self, name: str, now: datetime) -> None:
        self.get(name).check_removable(now)
        del self._containers[name]
        self._going[name] = now + DELETION_TAKES


@lru_cache(maxsize=64)  # A large blob is read more often than it is written.
def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
