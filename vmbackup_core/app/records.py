"""
What one workflow writes down about its VM, so that the next turn, or another process, can go on.

The order is what makes it safe: the note stands before the write is sent, and is crossed out only
when the end of the write is known.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.enabling import Done, Enabling
from vmbackup_core.domain.evidence import Kind
from vmbackup_core.domain.facts import ItemState
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.intents import EnsureProtected
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.plans import Change, ConfirmProtection, EnableProtection, Undelete
from vmbackup_core.domain.protection import Sight
from vmbackup_core.domain.verdicts import HELD
from vmbackup_core.ports import Clock, Journal


@dataclass(frozen=True, slots=True)
class Records:
    notebook: Notebook
    evidence: EvidenceLog
    journal: Journal
    clock: Clock
    config_digest: str

    def before_asking(self, sight: Sight, step: EnableProtection | Change, now: datetime) -> None:
        """
        Write down what we are about to ask for.

        A policy that is only confirmed does not become ours by that: who set it stays who set it.
        """

        def asking(memory: Memory) -> Memory:
            memory = replace(memory, vault=str(step.vault), asked="", asked_at=now)
            match step:
                case Undelete():
                    return replace(memory, undeleted=True)
                case ConfirmProtection():
                    return memory
                case _:
                    return replace(memory, asked=step.policy)

        self.notebook.amend(sight.vm.id, asking)

    def refused(self, vm: VmId, step: str) -> None:
        """Cross out what we asked for: `step` was refused."""

        def crossed_out(memory: Memory) -> Memory:
            owed = memory.undeleted and step != Undelete.__name__
            return replace(memory, asked="", asked_at=None, undeleted=owed)

        if self.notebook.memory(vm).asked_at is not None:
            self.notebook.amend(vm, crossed_out)

    def ended(self, sight: Sight) -> None:
        """
        Cross out what we asked for; a policy that is in force now because of it is ours.

        What is protected again is owed no resume any more, whoever resumed it.
        """
        in_force = _policy_of(sight)

        def known(memory: Memory) -> Memory:
            ours = bool(memory.asked) and memory.asked.lower() == in_force.lower()
            return replace(
                memory,
                policy=in_force if ours else memory.policy,
                asked="",
                asked_at=None,
                undeleted=memory.undeleted and not in_force,
            )

        self._amend(sight.vm.id, known)

    def machine(self, sight: Sight) -> Memory:
        """Remember which machine bears the VM's name now."""
        return self._amend(sight.vm.id, lambda m: replace(m, machine=sight.vm.machine or m.machine))

    def _amend(self, vm: VmId, change: Callable[[Memory], Memory]) -> Memory:
        """Change what is remembered, and write nothing for a VM of which there is nothing to."""
        memory = self.notebook.memory(vm)
        return self.notebook.amend(vm, change) if change(memory) != memory else memory

    def verdict(self, state: Enabling, done: Done) -> None:
        """
        Record how the workflow ended.

        Evidence is written where something was done or the verdict is another than the last one:
        an event about a VM that stays as it is leaves none. Done twice is two records.
        """
        memory = self.notebook.memory(state.vm)
        told = bool(state.log) or memory.reason is not done.reason
        if told:
            key = EnsureProtected(state.vm).key
            record = self.evidence.append(Kind.PROTECTION, key, self._body(state, memory, done))
            text = f"{done.reason.name}: {done.reason.text}"
            self.journal.note("evidence", key, text, vm=state.vm, seq=record.seq, hash=record.hash)
        if told or done.reason in HELD:
            at = self.clock.now()
            self.notebook.amend(state.vm, lambda m: replace(m, reason=done.reason, reason_at=at))

    def _body(self, state: Enabling, memory: Memory, done: Done) -> dict[str, object]:
        return {
            "vm": str(state.vm),
            "machine": memory.machine,
            "reason": done.reason.name,
            "standing": str(done.reason.standing),
            "because": list(done.because),
            "vault": memory.vault,
            "policy": memory.policy,
            "began": state.began.isoformat(),
            "did": [{"at": e.at.isoformat(), "text": e.text} for e in state.log],
            "config": self.config_digest,
        }


def _policy_of(sight: Sight) -> str:
    """Return the policy that is in force for a VM, "" where none is."""
    live = (item.policy for item in sight.items if item.state is ItemState.PROTECTED)
    return next(live, "")
