"""The use cases put together over a tiny Azure and a ledger in memory, driven a turn at a time."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.blobs import MemoryBlobs
from tests.builders import NOW, WEB, book, vm
from tests.clocks import HandClock
from tests.rows import MemoryRows
from tests.tiny_azure import TinyAzure
from vmbackup_core.app.approvals import Approvals
from vmbackup_core.app.brakes import Brakes, Limits
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.intake import Intake
from vmbackup_core.app.looking import Looker
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.protect import ProtectVm
from vmbackup_core.app.recalling import Recalling
from vmbackup_core.app.records import Records
from vmbackup_core.app.sending import Sender
from vmbackup_core.app.shelf import Shelf
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.app.sweep import Sweep
from vmbackup_core.app.workflows import Workflows
from vmbackup_core.domain.facts import VmFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.protection import Rulebook

MANY = 300  # Turns after which a workflow is one that never ends.


def no_restore_tests() -> Any:
    raise AssertionError("nothing here is about restore tests")


class Killed(Exception):
    """The process died here."""


@dataclass(slots=True)
class Fuse:
    """Lets a number of calls pass and kills the process at the next one, once."""

    left: int | None = None
    passed: int = 0

    def burn(self) -> None:
        self.passed += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Killed


@dataclass(slots=True)
class Lines:
    """A journal that is kept."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def note(
        self, kind: str, key: str, text: str, *, vm: VmId | None = None, **more: object
    ) -> None:
        json.dumps(more)
        self.lines.append((kind, text))


@dataclass(slots=True)
class SmallApp:
    azure: TinyAzure
    clock: HandClock
    rows: MemoryRows
    blobs: MemoryBlobs
    evidence_blobs: MemoryBlobs
    fuse: Fuse
    protect: ProtectVm
    sweep: Sweep
    intake: Intake
    approvals: Approvals
    notebook: Notebook
    evidence: EvidenceLog
    journal: Lines

    @property
    def workflows(self) -> Workflows:
        return Workflows(self.protect, no_restore_tests, self.clock)

    def memory(self, vm: VmId = WEB) -> Memory:
        return self.notebook.memory(vm)

    def begin(self, vm: VmId = WEB) -> Any:
        return self.workflows.first(vm)

    def turn(self, given: Any) -> Any:
        """Take one turn as an engine does: JSON in and out, and again if the process dies."""
        given = json.loads(json.dumps(given))
        try:
            return self.workflows.turn(given)
        except Killed:
            return self.workflows.turn(given)

    def run(self, given: Any = None) -> str:
        """Take turns, each at its time, until one is the last; return its reason."""
        given = self.begin() if given is None else given
        for _ in range(MANY):
            given = self.turn(given)
            if given["until"] is None:
                return str(given["reason"])
            self.clock.move_to(datetime.fromisoformat(given["until"]))
        raise AssertionError(f"{MANY} turns, and no end: {given}")

    def sweep_and_run(self) -> list[str]:
        """Sweep, run what the sweep names, and return how each ended."""
        return [self.run(self.begin(intent.vm)) for intent in self.sweep.run().intents]

    def wrote(self) -> list[str]:
        """Return what Azure was asked to do, in order."""
        return [write.what for write in self.azure.received]


def small_app(
    *vms: VmFacts,
    rulebook: Rulebook | None = None,
    limits: Limits | None = None,
    max_shrink: float = 0.2,
) -> SmallApp:
    """Return an app over one vault with the policy `gold`, and the VM `web` or the `vms` given."""
    clock, fuse = HandClock(NOW), Fuse()
    azure = TinyAzure(clock, {v.id: v for v in vms or (vm(),)})
    rows, blobs, evidence_blobs = MemoryRows(clock), MemoryBlobs(), MemoryBlobs()
    azure.before_call = azure.after_write = fuse.burn
    rows.before_write = blobs.before_write = evidence_blobs.before_write = fuse.burn
    rulebook, journal = rulebook or book(), Lines()
    notebook, approvals = Notebook(rows, clock), Approvals(blobs, clock)
    evidence = EvidenceLog(evidence_blobs, clock)
    shelf = Shelf(Snapshots(blobs, clock), azure, azure, clock)
    protect = ProtectVm(
        inventory=azure,
        looker=Looker(azure, shelf, notebook, clock, rulebook),
        jobs=azure,
        shelf=shelf,
        notebook=notebook,
        brakes=Brakes(rulebook.rules.scope, limits or Limits(), notebook, approvals, clock),
        sender=Sender(azure),
        records=Records(notebook, evidence, journal, clock, "digest"),
        journal=journal,
        clock=clock,
        book=rulebook,
    )
    sweep = Sweep(
        inventory=azure,
        notebook=notebook,
        approvals=approvals,
        recalling=Recalling(evidence, notebook, blobs, journal),
        evidence=evidence,
        journal=journal,
        blobs=blobs,
        clock=clock,
        book=rulebook,
        max_shrink=max_shrink,
        config_digest="digest",
    )
    intake = Intake(notebook, blobs, journal, clock, rulebook.rules.scope)
    return SmallApp(
        azure, clock, rows, blobs, evidence_blobs, fuse, protect, sweep, intake, approvals,
        notebook, evidence, journal,
    )  # fmt: skip
