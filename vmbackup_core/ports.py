"""
What the core needs from the world: small, by capability, never by SDK.

Obligations of every implementation: each method raises only the errors of domain/errors.py (or lets
a bug crash); reads never change anything; a write sends one request and never repeats it by itself,
because whether to repeat is a decision that is made after looking again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vmbackup_core.domain.drill.points import PointFacts
from vmbackup_core.domain.facts import DiskExclusion, Estate, ItemFacts, VaultFacts, VmFacts
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.operations import JobFacts, OperationFacts
from vmbackup_core.domain.policies import PolicySpec
from vmbackup_core.domain.rules import Scope


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the current time, in UTC and aware of it."""

    def pause(self, duration: timedelta) -> None:
        """
        Wait for `duration`, at most 10 s: for a quota that refills at once.

        Longer waits belong to the workflow engine, or to a command line with a person before it.
        """


class Inventory(Protocol):
    def observe_vm(self, vm: VmId) -> VmFacts:
        """Return what is true of `vm` now, by a direct read. Raises Gone where there is none."""

    def observe_estate(self, scope: Scope) -> Estate:
        """
        Return all VMs in scope with all their items, vaults and policies, from Resource Graph.

        Complete or not at all: a short page or a count that does not add up raises Retryable, so
        that a missing row never reads as a missing VM.
        """


class Vaults(Protocol):
    def observe_vaults(self, subscription: str, location: str) -> tuple[VaultFacts, ...]:
        """Return the vaults of a subscription and location, with their VM policies."""

    def observe_items(
        self, vm: VmId, location: str, likely: VaultId | None
    ) -> tuple[ItemFacts, ...]:
        """
        Return the protected items of `vm`: the one that the service names for it, wherever it is,
        else the one in the vault `likely`, where a stopped or soft-deleted item would be in the
        way.
        """

    def find_vault(self, vm: VmId, location: str) -> VaultId | None:
        """Return the vault that the service names for `vm`, None where it names none."""

    def list_items(self, vault: VaultId) -> tuple[ItemFacts, ...]:
        """Return the items of all VMs in `vault`: dear for one, cheap for many."""

    def create_vault(self, vault: VaultId, location: str, redundancy: str) -> None:
        """Create the vault and its resource group. Done twice is done once; it takes a while."""

    def create_policy(self, vault: VaultId, policy: PolicySpec) -> None:
        """Create the policy. Never called for one that the vault has."""

    def refresh_containers(self, vault: VaultId) -> str:
        """Let the vault discover new VMs; return the operation's URL."""

    def set_protection(
        self, vm: VmId, vault: VaultId, policy: str, exclusion: DiskExclusion | None
    ) -> str:
        """
        Protect `vm` with `policy`: enables, changes the policy or resumes, by what is there.

        Return the operation's URL; 202 is no evidence. An `exclusion` that the item has is sent
        back, because a PUT without it would drop it.
        """

    def undelete(self, vm: VmId, vault: VaultId) -> str:
        """Take the item out of soft delete; return the operation's URL."""


class Restores(Protocol):
    def observe_points(self, vm: VmId, vault: VaultId) -> tuple[PointFacts, ...]:
        """
        Return the recovery points of `vm` in `vault`, of whatever kind and in no promised order.

        Raises Stale where the vault has no item of it.
        """


class Jobs(Protocol):
    def observe_jobs(self, vault: VaultId, since: datetime) -> tuple[JobFacts, ...]:
        """Return the configuration jobs of `vault` that began at or after `since`, in one list."""

    def observe_operation(self, operation: str) -> OperationFacts:
        """Return how far the operation at this URL (as a write returned it) is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ledger; `etag` is what the store said at the last read, "" for a new one."""

    partition: str
    key: str
    values: Mapping[str, str]
    etag: str = ""


class Rows(Protocol):
    """
    Small rows with optimistic concurrency: hints, memories, budgets, the pause.

    Values are texts of at most 32 kB each; keys are `[a-z0-9-]`.
    """

    def get(self, partition: str, key: str) -> Row | None:
        """Return the row, None where there is none."""

    def put(self, row: Row) -> Row:
        """
        Write the row: only if new where its etag is "", else only if unchanged since that etag.

        Raises Stale for the loser of a race, who reads again. Returns the row with its new etag.
        """

    def list(self, partition: str, *, changed_since: datetime | None = None) -> Iterator[Row]:
        """Yield the partition's rows by key, on request only those written since."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One document with its bytes and etag."""

    name: str
    content: bytes
    etag: str


class Blobs(Protocol):
    """Documents with optimistic concurrency: snapshots, verdicts, approvals, kept inputs."""

    def read(self, name: str) -> Blob | None:
        """Return the document, None where there is none."""

    def create(self, name: str, content: bytes) -> Blob:
        """Write a new document. Raises Stale where one of that name exists."""

    def replace(self, blob: Blob, content: bytes) -> Blob:
        """Write over `blob`. Raises Stale where it has changed since it was read."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, in order."""


class Journal(Protocol):
    """One structured line for each decision: never a whole event, never a secret."""

    def note(
        self, kind: str, key: str, text: str, *, vm: VmId | None = None, **more: object
    ) -> None:
        """
        Write one line; `kind` is event, intent, facts, plan, step, outcome or evidence, or alarm
        for what a person must see.

        `more` holds what belongs to the kind, as JSON values.
        """
