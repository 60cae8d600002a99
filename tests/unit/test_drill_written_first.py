"""What a restore test makes is in the ledger by the time that Azure hears of it."""

from dataclasses import dataclass, field, replace
from typing import Any

from tests.small_drill import SmallDrill, small_drill
from vmbackup_core.domain.drill.runs import Run


@dataclass
class Listening:
    """Stands before a port, and keeps the run's page of the ledger as it was at each asking."""

    port: Any
    drill: SmallDrill
    pages: list[Run | None] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)

    def start_restore(self, order: Any) -> Any:
        self.pages.append(self.drill.runs.get(self.drill.order.run))
        return self.port.start_restore(order)

    def create_copy(self, spec: Any) -> Any:
        self.pages.append(self.drill.runs.get(self.drill.order.run))
        return self.port.create_copy(spec)


def listening() -> tuple[SmallDrill, Listening]:
    drill = small_drill()
    ear = Listening(drill.azure, drill)
    acts = replace(drill.prove.acts, restoring=ear, copies=ear)
    drill.prove = replace(drill.prove, acts=acts)
    return drill, ear


def test_a_restore_is_written_down_before_it_is_asked_for():
    drill, ear = listening()

    drill.until("restore")

    (page,) = ear.pages
    assert page is not None
    assert len(page.restores_asked) == 1


def test_a_copy_is_written_down_before_it_is_asked_for():
    drill, ear = listening()

    drill.until("create")

    page = ear.pages[-1]
    assert page is not None
    assert page.copy_asked is not None
    assert page.slot.number == 1
