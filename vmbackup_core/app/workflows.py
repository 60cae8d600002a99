"""
The workflows that a durable engine carries, behind one door: JSON in, JSON out.

The engine knows nothing of what a workflow does: it takes a turn, waits until the time that the
turn named, and takes the next. So domain code may change while workflows are in flight.
"""

from dataclasses import dataclass
from typing import Any

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.protect import ProtectVm
from vmbackup_core.domain.enabling import SCHEMA, Done, Enabling
from vmbackup_core.domain.ids import VmId

Json = dict[str, Any]

PROTECT = "protect"


@dataclass(frozen=True, slots=True)
class Workflows:
    protect: ProtectVm

    def first(self, vm: VmId) -> Json:
        """Return the input of a new workflow that protects `vm`."""
        return {"kind": PROTECT, "state": to_json(self.protect.begin(vm))}

    def turn(self, given: Json) -> Json:
        """
        Take one turn of the workflow whose input or last answer is `given`.

        Answers `{kind, state, until, reason, because}`: `until` is when the next turn is due (ISO
        8601, UTC), None at the end.
        """
        if given["kind"] != PROTECT:
            raise ValueError(f"no workflow of kind {given['kind']!r}")
        turn = self.protect.turn(from_json(upgrade(given["state"]), Enabling))
        return {
            "kind": PROTECT,
            "state": to_json(turn.state),
            "until": None if isinstance(turn.then, Done) else turn.then.until.isoformat(),
            "reason": turn.then.reason.name,
            "because": list(turn.then.because),
        }


def upgrade(state: Json) -> Json:
    """
    Return a state as the present code reads it, whichever version wrote it.

    Raises ValueError for a state from the future: a deployment was rolled back under a workflow.
    """
    if (schema := state.get("schema")) != SCHEMA:
        raise ValueError(f"the workflow's state has schema {schema}, this code reads {SCHEMA}")
    return state
