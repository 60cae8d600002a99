"""
The workflows that a durable engine carries, behind one door: JSON in, JSON out.

The engine knows nothing of what a workflow does: it takes a turn, waits until the time that the
turn named, and takes the next. So domain code may change while workflows are in flight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.protect import ProtectVm
from vmbackup_core.domain import enabling
from vmbackup_core.domain.drill.lanes import paced
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.enabling import Done, Enabling
from vmbackup_core.domain.errors import Malformed, Retryable, Stale
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.intents import EnsureProtected
from vmbackup_core.ports import Clock

Json = dict[str, Any]

PROTECT, DRILL, JANITOR = "protect", "drill", "janitor"

LATER = timedelta(minutes=5)  # When a night looks at the estate again: soon enough, and not often.
SOON = timedelta(minutes=1)  # How long a removal mostly takes.
LONGEST, MOST = 500, 8  # Characters and words of a reason: the engine shows 16 KB of a workflow.
MOST_ROUNDS = 10  # Of the janitor in a row: its next timer goes on.


class RestoreTests(Protocol):
    """Restore tests, built at the first call: what only protects never loads them."""

    def begin(self, order: DrillOrder) -> Json: ...

    def turn(self, state: Json) -> tuple[Json, datetime | None, str, tuple[str, ...]]:
        """Take a turn; return the state, when the next is due, and a code with its words."""

    def tidy(self) -> tuple[bool, tuple[str, ...]]:
        """Clean up once; return whether to look again in a moment, and what is being waited for."""

    def tonight(self) -> tuple[tuple[datetime, tuple[DrillOrder, ...]], ...]:
        """Return tonight's lanes: when the first of its tests begins, and all in their order."""


@dataclass(frozen=True, slots=True)
class Workflows:
    protect: ProtectVm
    tests: Callable[[], RestoreTests]
    clock: Clock

    def first(self, vm: VmId) -> Json:
        """Return the input of a new workflow that protects `vm`."""
        return {"kind": PROTECT, "state": to_json(self.protect.begin(vm))}

    def first_drill(self, order: DrillOrder) -> Json:
        """Return the input of a new workflow that proves a restore."""
        return {"kind": DRILL, "state": self.tests().begin(order)}

    def first_cleaning(self) -> Json:
        """Return the input of a new workflow that cleans up until nothing more goes away."""
        return {"kind": JANITOR, "state": {"rounds": 0}}

    def turn(self, given: Json) -> Json:
        """
        Take one turn of the workflow whose input or last answer is `given`.

        Answers `{kind, began, state, until, reason, because}`: `until` is when the next turn is due
        (ISO 8601, UTC), None at the end; `began` is when the workflow did, None where it is short.
        """
        kinds: Mapping[str, Callable[[Json], Json]] = {
            PROTECT: self._protect,
            DRILL: self._drill,
            JANITOR: self._clean,
        }
        if given["kind"] not in kinds:
            raise ValueError(f"no workflow of kind {given['kind']!r}")
        answer = kinds[given["kind"]](given["state"])
        return {"kind": given["kind"], "began": answer["state"].get("began"), **answer}

    def plan_night(self) -> Json:
        """
        Return tonight's tests as `{lanes: [{starts, tests: [{run, given, after}]}], until}`.

        `until` is when to ask again, where the estate could not be looked at; else None.
        """
        try:
            found = self.tests().tonight()
        except (Retryable, Stale) as error:
            asked = error.after if isinstance(error, Retryable) else None
            return {
                "lanes": [],
                "until": (self.clock.now() + max(asked or LATER, LATER)).isoformat(),
            }
        begins = paced([(starts, [one.place for one in orders]) for starts, orders in found])
        lanes = [
            {
                "starts": starts.isoformat(),
                "tests": [
                    {"run": one.run, "given": self.first_drill(one), "after": after.isoformat()}
                    for one, after in zip(orders, afters, strict=True)
                ],
            }
            for (starts, orders), afters in zip(found, begins, strict=True)
        ]
        return {"lanes": lanes, "until": None}

    def _protect(self, state: Json) -> Json:
        turn = self.protect.turn(self._enabling(state))
        until = None if isinstance(turn.then, Done) else turn.then.until
        return _answer(to_json(turn.state), until, turn.then.reason.name, turn.then.because)

    def _enabling(self, state: Json) -> Enabling:
        """
        Return the state; where another version wrote it, the workflow begins anew.

        Nothing is lost by that: what was sent stands in the ledger, and the rest is looked at.
        """
        try:
            return read_state(state, Enabling, enabling.SCHEMA)
        except Malformed as error:
            fresh = self.protect.begin(VmId.parse(state["vm"]))
            key = EnsureProtected(fresh.vm).key
            self.protect.journal.note("outcome", key, f"begins anew: {error}", vm=fresh.vm)
            return fresh

    def _drill(self, state: Json) -> Json:
        return _answer(*self.tests().turn(state))

    def _clean(self, state: Json) -> Json:
        again, because = self.tests().tidy()
        rounds = state["rounds"] + 1
        goes_on = again and rounds < MOST_ROUNDS
        until = self.clock.now() + SOON if goes_on else None
        return _answer({"rounds": rounds}, until, "CLEANING" if goes_on else "CLEANED", because)


def read_state[T](state: Json, as_type: type[T], schema: int) -> T:
    """Return a workflow's state; raises Malformed for one that another version wrote."""
    if (found := state.get("schema")) != schema:
        raise Malformed(f"its state has schema {found}, this version reads {schema}")
    return from_json(state, as_type)


def _answer(state: Json, until: datetime | None, reason: str, because: tuple[str, ...]) -> Json:
    return {
        "state": state,
        "until": until.isoformat() if until else None,
        "reason": reason,
        "because": [words[:LONGEST] for words in because[:MOST]],
    }
