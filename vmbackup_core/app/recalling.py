"""
Remember again what a lost ledger knew, from the evidence that survived it.

The evidence says of each VM which machine vmbackup protected, where, and with which policy that it
had set; and whether everything was paused. The rest is seen in Azure, or begins anew.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.errors import Malformed, Stale
from vmbackup_core.domain.evidence import Break, Kind, find_break
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.ports import Blob, Blobs, Journal

DOCUMENT = "sweeps/recalled.json"
PAUSED = "it was paused when the ledger was lost"
_TOLD = ("vm", "machine", "vault", "policy")


@dataclass(frozen=True, slots=True)
class Recalling:
    """`blobs` keep how far it came: one that is cut off goes on with the next chain."""

    evidence: EvidenceLog
    notebook: Notebook
    blobs: Blobs
    journal: Journal

    def recall(self) -> int:
        """
        Write what the evidence knows and the ledger does not; return of how many VMs.

        Only for a ledger that knows of no sweep. What stands in the ledger already stays, and of a
        chain that does not hold, only the records before the break count.
        """
        self._recall_pause()
        done, blob = self._done()
        found = 0
        for chain in self._chains(Kind.PROTECTION):
            if chain in done:
                continue
            memories = _memories(self._records(chain))
            found += sum(self._fill(vm, memory) for vm, memory in memories.items())
            done = (*done, chain)
            blob = self._note(done, blob)
        if found:
            self.journal.note("facts", "sweep", f"{found} VMs remembered from the evidence")
        return found

    def _recall_pause(self) -> None:
        """Pause again where the last thing that people did was to pause: nothing is known since."""
        if self.notebook.knows_of_a_pause():
            return
        said = (
            record["body"].get("did")
            for chain in self._chains(Kind.CONTROL)
            for record in reversed(self._records(chain))
            if record["key"] == "pause" and isinstance(record["body"], Mapping)
        )
        if next(said, None) == "paused":
            self.notebook.set_pause(PAUSED)
            self.journal.note("alarm", "sweep", f"{PAUSED}: nothing is changed until it ends")

    def _chains(self, kind: Kind) -> list[str]:
        """Return the chains of a kind, the newest first: what is newer counts."""
        names = self.evidence.blobs.names(f"{kind}/")
        return sorted({name.rpartition("/")[0] for name in names}, reverse=True)

    def _records(self, chain: str) -> list[Mapping[str, Any]]:
        """Return the records of a chain, as far as it holds."""
        records: list[Mapping[str, Any]] = []
        unread: Break | None = None
        try:
            for _, record in self.evidence.chain(f"{chain}/"):
                records.append({**record})
        except (ValueError, TypeError):
            unread = Break(len(records) + 1, "is no record")
        broken = find_break(records) or unread
        if broken is None:
            return records
        text = f"evidence {chain} does not hold from {broken.seq} on: {broken.why}"
        self.journal.note("alarm", "sweep", text)
        return records[: broken.seq - 1]

    def _fill(self, vm: VmId, known: Memory) -> bool:
        """Fill in what is remembered of `vm`, where the ledger has nothing of it."""
        before = self.notebook.memory(vm)
        return self.notebook.amend(vm, partial(_filled, known=known)) != before

    def _done(self) -> tuple[tuple[str, ...], Blob | None]:
        blob = self.blobs.read(DOCUMENT)
        return (tuple(json.loads(blob.content)), blob) if blob else ((), None)

    def _note(self, done: tuple[str, ...], over: Blob | None) -> Blob | None:
        content = json.dumps(done).encode()
        with suppress(Stale):  # Another one reads the same.
            return (
                self.blobs.replace(over, content) if over else self.blobs.create(DOCUMENT, content)
            )
        return over


def _memories(records: list[Mapping[str, Any]]) -> dict[VmId, Memory]:
    """
    Return what records of one chain say of each VM; records of other forms say nothing.

    A policy that we set is never forgotten by a ledger, so one that is not in the newest record was
    not known to the ledger of that record: the one before counts.
    """
    found: dict[VmId, Memory] = {}
    for record in records:
        body = record["body"]
        told = [body.get(name) for name in _TOLD] if isinstance(body, Mapping) else []
        match told:
            case [str(name), str(machine), str(vault), str(policy)]:
                with suppress(Malformed):
                    vm, memory = VmId.parse(name), Memory(machine, vault, policy)
                    found[vm] = _filled(memory, found.get(vm, Memory()))
    return {vm: memory for vm, memory in found.items() if memory != Memory()}


def _filled(memory: Memory, known: Memory) -> Memory:
    """Return a memory with what an older one knows beside it."""
    memory = replace(memory, machine=memory.machine or known.machine)
    if memory.policy or memory.asked_at:
        return memory
    return replace(memory, vault=known.vault or memory.vault, policy=known.policy)
