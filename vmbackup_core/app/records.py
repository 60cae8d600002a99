"""
What one workflow writes down about its VM, so that the next turn, or another process, can go on.

The order is what makes it safe: the note stands before the write is sent, and is crossed out only
when the end of the write is known.
"""

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
        memory = replace(sight.memory, vault=str(step.vault), asked="", asked_at=now)
        match step:
            case Undelete():
                memory = replace(memory, undeleted=True)
            case ConfirmProtection():
                pass
            case _:
                memory = replace(memory, asked=step.policy)
        self.notebook.remember(sight.vm.id, memory)

    def refused(self, vm: VmId, step: str) -> None:
        """Cross out what we asked for: `step` was refused."""
        memory = self.notebook.memory(vm)
        if memory.asked_at is not None:
            owed = memory.undeleted and step != Undelete.__name__
            self.notebook.remember(vm, replace(memory, asked="", asked_at=None, undeleted=owed))

    def ended(self, sight: Sight) -> None:
        """
        Cross out what we asked for; a policy that is in force now because of it is ours.

        What is protected again is owed no resume any more, whoever resumed it.
        """
        memory = self.notebook.memory(sight.vm.id)
        in_force = _policy_of(sight)
        ours = bool(memory.asked) and memory.asked.lower() == in_force.lower()
        now = replace(
            memory,
            policy=in_force if ours else memory.policy,
            asked="",
            asked_at=None,
            undeleted=memory.undeleted and not in_force,
        )
        if now != memory:
            self.notebook.remember(sight.vm.id, now)

    def machine(self, sight: Sight) -> Memory:
        """Remember which machine bears the VM's name now."""
        memory = self.notebook.memory(sight.vm.id)
        if memory.machine != sight.vm.machine:
            memory = replace(memory, machine=sight.vm.machine)
            self.notebook.remember(sight.vm.id, memory)
        return memory

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
            self.notebook.remember(state.vm, replace(memory, reason=done.reason, reason_at=at))

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
