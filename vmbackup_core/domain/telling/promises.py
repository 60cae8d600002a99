"""
What a vault and its policies promised once, and whether they still do.

Compared with the best that was ever seen, not with the look before: otherwise a weakening would be
well again as soon as it was seen twice. Somebody who means it accepts what is now (`vmbackup alerts
accept`): then that is the promise from there on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.policies import PolicyFacts, weakenings
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.troubles import Ending, Sighting, Subject, Wellness, Words

WEAKER = (RootCause.SOFT_DELETE_OFF, RootCause.IMMUTABILITY_OFF, RootCause.POLICY_WEAKENED)


class SoftDelete(IntEnum):
    """How deleted backups are kept (`softDeleteFeatureState`; AZURE: vault security)."""

    OFF = 0
    ON = 1
    ALWAYS_ON = 2


class Immutability(IntEnum):
    """Whether recovery points can be removed before their time; LOCKED is for good."""

    OFF = 0
    UNLOCKED = 1
    LOCKED = 2


@dataclass(frozen=True, slots=True)
class VaultPromise:
    """
    What one vault promises; None for what a look did not tell.

    `kept_deleted` is for how long deleted backups can be had back.
    """

    vault: VaultId
    location: str
    soft_delete: SoftDelete | None = None
    kept_deleted: timedelta | None = None
    immutability: Immutability | None = None
    policies: tuple[PolicyFacts, ...] = ()


def compare_promises(
    best: VaultPromise | None, seen: VaultPromise, at: datetime
) -> tuple[VaultPromise, tuple[Sighting | Wellness, ...]]:
    """Return the best that was promised so far, and what is worse than that at `at`."""
    best = seen if best is None else best
    subject = Subject.of_vault(seen.vault)
    found: list[Sighting | Wellness] = []
    for cause, worse in (
        (RootCause.SOFT_DELETE_OFF, _soft_delete(best, seen)),
        (RootCause.IMMUTABILITY_OFF, _immutability(best, seen)),
        (RootCause.POLICY_WEAKENED, _policies(best, seen)),
    ):
        if worse:
            words = Words(message="; ".join(worse))
            found.append(
                Sighting(
                    subject,
                    cause,
                    at,
                    at,
                    vault=str(seen.vault),
                    location=seen.location,
                    words=words,
                )
            )
        else:
            found.append(Wellness(subject, at, Ending.MENDED, frozenset({cause})))
    return _better(best, seen), tuple(found)


def compare_moved_vm(
    subject: Subject, best: PolicyFacts, seen: PolicyFacts, at: datetime
) -> Sighting | Wellness:
    """
    Return whether a VM's present policy promises less than another one that it had.

    Not for a policy that changed itself: that is its vault's trouble, once for all its VMs.
    """
    worse = weakenings(best, seen)
    if not worse:
        return Wellness(subject, at, Ending.MENDED, frozenset({RootCause.POLICY_WEAKENED}))
    words = Words(message=f"{seen.name} instead of {best.name}: {'; '.join(worse)}")
    return Sighting(subject, RootCause.POLICY_WEAKENED, at, at, words=words)


def _soft_delete(best: VaultPromise, seen: VaultPromise) -> list[str]:
    worse = []
    if _less(seen.soft_delete, best.soft_delete):
        worse.append(f"soft delete is {_word(seen.soft_delete)}, not {_word(best.soft_delete)}")
    if _less(seen.kept_deleted, best.kept_deleted):
        worse.append(
            f"deleted backups are kept for {_days(seen.kept_deleted)} instead of"
            f" {_days(best.kept_deleted)} days"
        )
    return worse


def _immutability(best: VaultPromise, seen: VaultPromise) -> list[str]:
    if not _less(seen.immutability, best.immutability):
        return []
    return [f"immutability is {_word(seen.immutability)}, not {_word(best.immutability)}"]


def _policies(best: VaultPromise, seen: VaultPromise) -> list[str]:
    before = {policy.name.lower(): policy for policy in best.policies}
    return [
        f"{policy.name} {worse}"
        for policy in sorted(seen.policies, key=lambda policy: policy.name)
        if policy.name.lower() in before
        for worse in weakenings(before[policy.name.lower()], policy)
    ]


def _better(best: VaultPromise, seen: VaultPromise) -> VaultPromise:
    return replace(
        seen,
        soft_delete=_most(best.soft_delete, seen.soft_delete),
        kept_deleted=_most(best.kept_deleted, seen.kept_deleted),
        immutability=_most(best.immutability, seen.immutability),
        policies=tuple(_best_policies(best.policies, seen.policies)),
    )


def _best_policies(
    best: Iterable[PolicyFacts], seen: Iterable[PolicyFacts]
) -> Iterable[PolicyFacts]:
    """Keep the better one of each name; a policy that was deleted promises nothing any more."""
    before = {policy.name.lower(): policy for policy in best}
    for policy in seen:
        old = before.get(policy.name.lower())
        yield old if old is not None and weakenings(old, policy) else policy


def _less[T: (SoftDelete, Immutability, timedelta)](seen: T | None, best: T | None) -> bool:
    return seen is not None and best is not None and seen < best


def _most[T: (SoftDelete, Immutability, timedelta)](one: T | None, other: T | None) -> T | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _word(state: IntEnum | None) -> str:
    return "" if state is None else state.name.lower().replace("_", " ")


def _days(span: timedelta | None) -> int:
    return 0 if span is None else span.days
