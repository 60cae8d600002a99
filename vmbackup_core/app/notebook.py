"""
What we write down between looks: hints, memories, budgets, claims and the pause.

Small rows of the ledger, each with one reader's meaning. A row is changed by reading it and writing
it back with its etag; the loser of a race reads again, so that no hint and no spending is lost.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.app.ledger import amend_row
from vmbackup_core.domain.errors import Stale
from vmbackup_core.domain.ids import VaultId, VmId, derive_key
from vmbackup_core.domain.intents import EnsureProtected
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.ports import Clock, Row, Rows


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when and why nothing is changed."""

    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Notebook:
    rows: Rows
    clock: Clock

    # Hints: how often somebody has asked to look at a VM.

    def raise_hint(self, vm: VmId) -> int:
        """Count one more hint about `vm` and return the number."""

        def one_more(values: Mapping[str, str]) -> Mapping[str, str]:
            return {"vm": str(vm), "number": str(int(values.get("number", "0")) + 1)}

        return int(self._update("hint", EnsureProtected(vm).key, one_more)["number"])

    def hint(self, vm: VmId) -> int:
        row = self.rows.get("hint", EnsureProtected(vm).key)
        return int(row.values["number"]) if row else 0

    # Memories: what we did to a VM.

    def memory(self, vm: VmId) -> Memory:
        row = self.rows.get("vm", EnsureProtected(vm).key)
        return _read_memory(row.values if row else {})

    def remember(self, vm: VmId, memory: Memory) -> None:
        """Write the memory of `vm` over the one that is there."""
        self.amend(vm, lambda _: memory)

    def amend(self, vm: VmId, change: Callable[[Memory], Memory]) -> Memory:
        """Change what is remembered of `vm`, as it is at that moment, and return it."""

        def changed(values: Mapping[str, str]) -> Mapping[str, str]:
            before = _read_memory(values)
            after = change(before)
            return values if after == before and values else _written_memory(vm, after)

        return _read_memory(self._update("vm", EnsureProtected(vm).key, changed))

    def memories(self, changed_since: datetime | None) -> Iterator[tuple[VmId, Memory]]:
        """Yield what we remember, on request only what was written since."""
        for row in self.rows.list("vm", changed_since=changed_since):
            yield VmId.parse(row.values["vm"]), _read_memory(row.values)

    # Budgets and claims.

    def spend(self, budget: str, limit: int, window: timedelta) -> bool:
        """
        Take one from `budget` in the present `window`, for all who share the ledger.

        False where `limit` are spent already; nothing is given back, so a write that failed counts.
        """
        window_start = int(self.clock.now().timestamp() // window.total_seconds())
        key = derive_key("budget", budget, str(window_start))
        spent = False

        def one_more(values: Mapping[str, str]) -> Mapping[str, str]:
            nonlocal spent
            so_far = int(values.get("spent", "0"))
            spent = so_far < limit
            return {"budget": budget, "spent": str(so_far + spent)}

        self._update("budget", key, one_more)
        return spent

    def claim(self, *what: str, lasting: timedelta) -> bool:
        """Claim a thing to do for `lasting`; False where somebody else holds the claim."""
        key, now = derive_key("claim", *what), self.clock.now()
        row = self.rows.get("claim", key)
        if row and datetime.fromisoformat(row.values["until"]) > now:
            return False
        values = {"what": " ".join(what), "until": (now + lasting).isoformat()}
        try:
            self.rows.put(Row("claim", key, values, row.etag if row else ""))
        except Stale:
            return False
        return True

    # Counters.

    def tally(self, what: str) -> None:
        """Count one more of a kind, for good."""

        def one_more(values: Mapping[str, str]) -> Mapping[str, str]:
            return {"what": what, "number": str(int(values.get("number", "0")) + 1)}

        self._update("tally", derive_key("tally", what), one_more)

    def tallied(self, what: str) -> int:
        row = self.rows.get("tally", derive_key("tally", what))
        return int(row.values["number"]) if row else 0

    # What the service asked us to leave alone.

    def rest(self, what: str, until: datetime) -> None:
        """Leave a kind of call alone until then: all who share the ledger do."""
        self._update("rest", derive_key("rest", what), lambda _: {"until": until.isoformat()})

    def resting(self, what: str) -> bool:
        row = self.rows.get("rest", derive_key("rest", what))
        return row is not None and datetime.fromisoformat(row.values["until"]) > self.clock.now()

    # The pause.

    def pause(self) -> Pause | None:
        """Return the pause that holds, None where changes may be made."""
        row = self.rows.get("control", "pause")
        if row is None or not row.values.get("since"):
            return None
        return Pause(datetime.fromisoformat(row.values["since"]), row.values.get("why", ""))

    def knows_of_a_pause(self) -> bool:
        """Whether anybody ever began or ended a pause, as far as this ledger knows."""
        return self.rows.get("control", "pause") is not None

    def set_pause(self, why: str | None) -> None:
        """Begin a pause for a reason, or end it (None)."""
        since = self.clock.now().isoformat() if why is not None else ""
        self._update("control", "pause", lambda _: {"since": since, "why": why or ""})

    def _update(
        self, partition: str, key: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        return amend_row(self.rows, partition, key, change)


def _read_memory(values: Mapping[str, str]) -> Memory:
    return Memory(
        machine=values.get("machine", ""),
        vault=values.get("vault", ""),
        policy=values.get("policy", ""),
        undeleted=bool(values.get("undeleted")),
        asked=values.get("asked", ""),
        asked_at=_read(values.get("asked_at")),
        reason=Reason.__members__.get(values.get("reason", "")),
        reason_at=_read(values.get("reason_at")),
    )


def _written_memory(vm: VmId, memory: Memory) -> Mapping[str, str]:
    return {
        "vm": str(vm),
        "machine": memory.machine,
        "vault": memory.vault,
        "policy": memory.policy,
        "undeleted": "yes" if memory.undeleted else "",
        "asked": memory.asked,
        "asked_at": _written(memory.asked_at),
        "reason": memory.reason.name if memory.reason else "",
        "reason_at": _written(memory.reason_at),
    }


def _written(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def configures(vault: VaultId) -> str:
    """Return the name of the budget of a vault's daily configurations."""
    return f"configures {vault}"
