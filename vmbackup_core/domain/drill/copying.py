"""
The copy of a restore test: made of the restored disks, read back, and never let run too long.

Isolation is read before it is powered on, and both it and the network are read back before anything
more is asked of it; a breach stops it at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.facts import CopyFacts, CopySpec
from vmbackup_core.domain.drill.isolation import find_copy_breaches
from vmbackup_core.domain.drill.outcomes import (
    Done,
    Exists,
    Lost,
    Missing,
    Refused,
)
from vmbackup_core.domain.drill.proof_caps import reason_of_refusal
from vmbackup_core.domain.drill.proof_disks import Attachment, plan_attachment
from vmbackup_core.domain.drill.ready import Absorb, refused, sizes_of
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.drill.sizes import needs_of
from vmbackup_core.domain.drill.slots import EXPIRES_TAG, MADE_BY, MADE_BY_TAG, RUN_TAG, Slot
from vmbackup_core.domain.drill.state import Drill
from vmbackup_core.domain.drill.steps import (
    ChooseSize,
    CreateCopy,
    ReadCopy,
    ReadNetwork,
    Step,
)
from vmbackup_core.domain.facts import Tags

NETWORK_FRESH = timedelta(minutes=10)  # So old may a look at the network be that is relied on.
COPY_FRESH = timedelta(minutes=3)
FIRST_LOOK = timedelta(minutes=2)  # A machine is made within one, and boots within another.
MOST_TRIES = 3


def next_copying(state: Drill, now: datetime) -> Step | None:
    """Return what is to be done until there is a copy, None where one was sent."""
    climbing = state.climbing
    if climbing.created:
        return None
    if not climbing.size:
        return ChooseSize(state.order.place, sizes_of(state))
    if (read := read_again(state, now, copy=False)) is not None:
        return read
    return CreateCopy(climbing.spec or _spec(state, now))


def read_again(state: Drill, now: datetime, *, copy: bool = True) -> Step | None:
    """Return the look at copy or network that is too old to go on by, None where both are fresh."""
    climbing, slot = state.climbing, slot_of(state)
    if copy and (climbing.closely is None or now - climbing.closely > COPY_FRESH):
        return ReadCopy(slot, state.copy_name, closely=True)
    read = state.ready.network_read
    if read is None or now - read > NETWORK_FRESH:
        return ReadNetwork(slot, closely=not climbing.created)
    return None


def slot_of(state: Drill) -> Slot:
    if state.ready.slot is None:
        raise AssertionError("no slot is leased")
    return state.ready.slot


def tags_of(state: Drill, now: datetime) -> Tags:
    """Return all the tags that a copy bears: never one of its source."""
    expires = now + state.order.power_on + state.order.keep
    return Tags.of(
        {
            RUN_TAG: state.mark,
            EXPIRES_TAG: f"{expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            MADE_BY_TAG: MADE_BY,
        }
    )


def _spec(state: Drill, now: datetime) -> CopySpec:
    recipe, disks = state.restoring.recipe, state.restoring.disks
    if recipe is None or disks is None:
        raise AssertionError("a copy is made before its disks are known")
    match plan_attachment(recipe, disks, exclusion=state.order.exclusion):
        case Attachment() as attached:
            pass
        case _:
            raise AssertionError("rung 1 has passed, so it is known which disk goes where")
    needs = needs_of(disks)
    system = next(disk for disk in disks if disk.id == attached.os_disk.disk_id)
    needs = needs_of(disks)
    return CopySpec(
        slot=slot_of(state),
        name=state.copy_name,
        location=state.order.location,
        size=state.climbing.size,
        os_type=os_type_of(state),
        os_disk=attached.os_disk,
        data_disks=attached.data_disks,
        tags=tags_of(state, now),
        security=system.security or recipe.security,
        license=recipe.license,
        plan=system.plan or recipe.plan,
        zones=needs.zones,
        ultra=needs.ultra,
        secure_boot=bool(recipe.secure_boot),
        controller=state.climbing.controller,
        network_security_group=state.ready.security_group,
    )


def os_type_of(state: Drill) -> str:
    """Return the copy's system as its disk tells, else as the point did."""
    recipe, point = state.restoring.recipe, state.ready.point
    disks = (disk.os_type for disk in state.restoring.disks or ())
    told = next((kind for kind in disks if kind), "")
    return told or (recipe.os_type if recipe else "") or (point.os_type if point else "")


def _after_create(state: Drill, step: CreateCopy, outcome: Any, now: datetime) -> Drill:
    climbing = replace(state.climbing, spec=step.spec)
    match outcome:
        case Done(at) | Exists(at) | Lost(at, _):
            first = min(at, climbing.asked or at)
            climbing = replace(
                climbing,
                created=True,
                found=isinstance(outcome, Exists),
                asked=first,
                sent=climbing.sent + 1,
            )
            words = {Done: "asked for", Lost: "asked for, and the answer lost"}.get(
                type(outcome), "was there already"
            )
            state = replace(state, climbing=climbing).noting(now, f"copy {step.spec.name} {words}")
            return state.pausing(now + FIRST_LOOK, "the copy boots")
        case Refused(code, _):
            told = RungResult(Rung.BOOT, Mark.NOT_RUN, reason_of_refusal(code), (str(outcome),))
            return refused(replace(state, climbing=climbing).told(told, now), outcome, now)
        case _:
            return refused(replace(state, climbing=climbing), outcome, now)


def after_copy(state: Drill, step: ReadCopy, outcome: Any, now: datetime) -> Drill:
    climbing = state.climbing
    match outcome:
        case CopyFacts() as copy if not _is_ours(state, copy):
            state = replace(state, climbing=replace(climbing, foreign=True))
            words = (f"a machine {step.name} was there which this run did not make",)
            return _tell(state, Ending.LEAK, now, words)
        case CopyFacts() as copy if step.closely:
            return _judge(
                replace(state, climbing=replace(climbing, copy=copy, closely=now, seen=now)),
                copy,
                now,
            )
        case CopyFacts() as copy:
            before = climbing.copy.interfaces if climbing.copy else ()
            copy = replace(copy, interfaces=before)
            state = replace(state, climbing=replace(climbing, copy=copy, seen=now))
            return _judge(state, copy, now) if before else state  # As far as such a look shows it.
        case Missing():
            return _gone(state, now)
        case _ if state.ending is None:
            return refused(state, outcome, now)
        case _:
            return _looked(state).noting(now, f"copy could not be read: {outcome}")


def _is_ours(state: Drill, copy: CopyFacts) -> bool:
    """Whether the machine is this run's; one that was there already must bear its mark."""
    mark = copy.tags.get(RUN_TAG)
    return mark == state.mark or (mark is None and not state.climbing.found)


def _judge(state: Drill, copy: CopyFacts, now: datetime) -> Drill:
    """Stop a copy that is less isolated than it was made."""
    spec = state.climbing.spec
    # When it expires was said when it was made, perhaps by a turn of which nothing else is known.
    said = copy.tags.get(EXPIRES_TAG)
    tags = Tags.of(dict(tags_of(state, now)) | ({EXPIRES_TAG: said} if said else {}))
    group = spec.network_security_group if spec else state.ready.security_group
    if copy.protected_in:
        state = replace(state, cleaning=replace(state.cleaning, backed_up=copy.protected_in))
    breaches = find_copy_breaches(copy, slot_of(state), tags=tags, security_group=group)
    if breaches:
        words = tuple(str(breach) for breach in breaches)
        return _tell(state, Ending.ISOLATION_BROKEN, now, words)
    return _looked(state)


def _tell(state: Drill, ending: Ending, now: datetime, words: tuple[str, ...]) -> Drill:
    """End the proof so; what is seen only while cleaning up counts no less."""
    if state.ending is None:
        return state.ends(ending, now, words)
    return _looked(replace(state, ending=ending, because=(*state.because, *words)))


def _looked(state: Drill) -> Drill:
    """Take in that a look was the last one: a copy that it saw running must not be kept."""
    if state.ending is None:
        return state
    cleaning, copy = state.cleaning, state.climbing.copy
    on = cleaning.stopped and copy is not None and not copy.power.off
    return replace(
        state, cleaning=replace(cleaning, looked=True, unstopped=cleaning.unstopped or on)
    )


def _gone(state: Drill, now: datetime) -> Drill:
    """Take in that there is no copy: where the answer was lost, it may never have been sent."""
    climbing = state.climbing
    if state.ending is not None:
        return _looked(state)
    if climbing.copy is None and climbing.sent < MOST_TRIES:
        return replace(state, climbing=replace(climbing, created=False))
    words = ("somebody or something has removed the copy",)
    told = RungResult(Rung.BOOT, Mark.NOT_RUN, ProofReason.ABORTED, words)
    state = state if state.mark_of(Rung.BOOT) else state.told(told, now)
    return state.ends(Ending.REFUSED, now, words)


ABSORB: Mapping[type[Step], Absorb] = {CreateCopy: _after_create}
