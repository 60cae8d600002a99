"""
One virtual machine, and how it changes with time: provisioning, power, the guest agent, deletion.

What a machine is at an instant is a function of the clock, so ten thousand machines cost no timers.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId
from azsim.disks import Disk
from azsim.extensions import Extension
from azsim.guests import Guest

if TYPE_CHECKING:
    from azsim.world import World

KIND = "Microsoft.Compute/virtualMachines"
NEVER = datetime.max.replace(tzinfo=UTC)
NOW = timedelta(0)
# models vm-power-states
ON_THE_WAY = {"running": "starting", "deallocated": "deallocating", "stopped": "stopping"}


@dataclass(slots=True)
class Machine:
    """
    One virtual machine. A machine re-created under the same name has another `vm_id`.

    `power` and `provisioning` are what they are now; the underscored fields say what they become
    and when. `model` keeps the properties azsim stores and echoes but does not interpret.
    """

    world: "World" = field(repr=False)
    id: str
    vm_id: str
    location: str
    tags: dict[str, str]
    size: str
    os_type: str
    security_type: str
    created: datetime
    os_disk: Disk
    disks: list[Disk]
    agent_after: timedelta | None
    guest: Guest
    zones: tuple[str, ...] = ()
    identity: dict[str, Any] | None = None
    model: dict[str, Any] = field(default_factory=dict)
    etag: int = 1
    maintenance: dict[str, Any] | None = None
    extensions: list[Extension] = field(default_factory=list)
    changed_at: datetime | None = None
    _outcome: str = "Succeeded"
    _doing: str = "Creating"
    _done_at: datetime = NEVER
    _power: str = "running"
    _power_at: datetime = NEVER
    _agent_from: datetime = NEVER

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def subscription(self) -> str:
        return ArmId.parse(self.id).subscription

    @property
    def group(self) -> str:
        return ArmId.parse(self.id).group

    def extension(self, name: str) -> Extension | None:
        """Return the extension of that name; names compare without case."""
        return next((e for e in self.extensions if e.name.lower() == name.lower()), None)

    @property
    def provisioning(self) -> str:
        """`Creating`, `Updating` or `Deleting` until done, then `Succeeded` or `Failed`."""
        # models vm-provisioning
        return self._doing if self.world.clock.now() < self._done_at else self._outcome

    @property
    def settled_at(self) -> datetime:
        """When the present or last change of the machine ends or ended."""
        return self._done_at

    @property
    def power(self) -> str:
        """`running`, `deallocated` or `stopped`, or the word for being on the way there."""
        on_the_way = self.world.clock.now() < self._power_at
        return ON_THE_WAY[self._power] if on_the_way else self._power

    @property
    def agent_ready(self) -> bool:
        """Whether the guest agent reports Ready; never while the machine does not run."""
        return (
            self.world.clock.now() >= self._agent_from
            and self.power == "running"
            and not self.world.faults.agent_never_ready(self.id)
        )

    def begin(self, doing: str, done_at: datetime, *, failed: bool = False) -> None:
        """Start `Creating`, `Updating` or `Deleting`; a new machine runs and reports afterwards."""
        self._doing, self._done_at = doing, done_at
        self._outcome = "Failed" if failed else "Deleted" if doing == "Deleting" else "Succeeded"
        if doing == "Creating":
            self._power_at = done_at
            after = None if failed else self.agent_after
            self._agent_from = NEVER if after is None else done_at + after

    @property
    def booted_at(self) -> datetime | None:
        """When the machine was last started; None while it does not run."""
        return self._power_at if self.power == "running" else None

    @property
    def agent_from(self) -> datetime:
        """When the agent (last) became or will become ready, faults aside."""
        return self._agent_from


def gone(machine: Machine) -> bool:
    """Whether the machine's deletion is done."""
    return machine.provisioning == "Deleted"
