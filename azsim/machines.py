"""
Virtual machines and how they change with time: provisioning, power, the guest agent, deletion.

What a machine is at an instant is a function of the clock, so ten thousand machines cost no timers.
Only an asynchronous write that must raise an event at its end asks the clock for one action.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.disks import Disk, Disks, disk_name
from azsim.groups import RESOURCES_ACTION, RESOURCES_DELETE, RESOURCES_WRITE
from azsim.machine_shapes import graph_row

if TYPE_CHECKING:
    from azsim.world import World

KIND = "Microsoft.Compute/virtualMachines"
PAST = "past"
NEVER = datetime.max.replace(tzinfo=UTC)
NOW = timedelta(0)
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
    zones: tuple[str, ...] = ()
    identity: dict[str, Any] | None = None
    model: dict[str, Any] = field(default_factory=dict)
    etag: int = 1
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

    @property
    def provisioning(self) -> str:
        """`Creating`, `Updating` or `Deleting` until done, then `Succeeded` or `Failed`."""
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

    @property
    def agent_from(self) -> datetime:
        """When the agent (last) became or will become ready, faults aside."""
        return self._agent_from


class Machines:
    """
    Every machine of the world.

    Calls here set the stage or act as another client of ARM would: each write raises its event
    unless the machine is from the `past`. `version` rises with each change that somebody made.
    """

    def __init__(self, world: "World") -> None:
        self.world = world
        self.version = 0
        self.disks = Disks(world)
        self._by_subscription: dict[str, dict[str, Machine]] = {}

    def create(
        self,
        *,
        subscription: str,
        group: str,
        name: str,
        location: str,
        tags: Mapping[str, str] | None = None,
        size: str = "Standard_D2s_v5",
        os_type: str = "Linux",
        security_type: str = "",
        agent_after: timedelta | None = NOW,
        data_disks: int = 0,
        provisioning_takes: timedelta = NOW,
        power: str = "running",
        os_disk_tags: Mapping[str, str] | None = None,
        zones: tuple[str, ...] = (),
        model: Mapping[str, Any] | None = None,
        created_by: str = "api",
        created: datetime | None = None,
    ) -> Machine:
        """
        Create a machine, or a new one in the place of one that is gone.

        `agent_after` counts from the end of provisioning (None: the agent never comes up).
        `created_by="past"` stands for a machine that was there before the story: it is ready and
        raises no event; `created` is then when it was born. Adds subscription and group if missing.
        """
        now = self.world.clock.now()
        past = created_by == PAST
        subscription = self.world.groups.ensure(subscription, group, location).subscription
        vm_id = self.world.new_id()
        done_at = now if past else now + provisioning_takes
        machine = Machine(
            world=self.world,
            id=resource_id(subscription, group, KIND, name),
            vm_id=vm_id,
            location=location,
            tags=dict(tags or {}),
            size=size,
            os_type=os_type,
            security_type=security_type,
            created=created or now,
            os_disk=self._disk(subscription, group, name, vm_id, location, os_type, os_disk_tags),
            disks=[
                self._disk(subscription, group, name, vm_id, location, "", None, lun)
                for lun in range(data_disks)
            ],
            agent_after=agent_after,
            zones=zones,
            model=dict(model or {}),
            _done_at=done_at,
            _power=power,
            _power_at=now if power != "running" else done_at,
            _agent_from=NEVER if agent_after is None else done_at + (NOW if past else agent_after),
        )
        return self.add(machine, announce=not past)

    def add(self, machine: Machine, *, announce: bool = True) -> Machine:
        """Let a machine stand in the estate, with its disks attached to it."""
        known = self._by_subscription.setdefault(machine.subscription.lower(), {})
        known[machine.id.lower()] = machine
        for disk in (machine.os_disk, *machine.disks):
            disk.managed_by = machine.id
            self.disks.add(disk)
        self.version += 1
        if announce:
            self._announce_when_done(machine, RESOURCES_WRITE, f"{KIND}/write")
        return machine

    def find(self, vm_id: str) -> Machine | None:
        """Return the machine with this ARM id (any case), or None; one deleted is gone."""
        parts = vm_id.lower().split("/", 3)
        if len(parts) < 4:
            return None
        known = self._by_subscription.get(parts[2], {})
        machine = known.get(vm_id.lower())
        if machine is not None and _gone(machine):
            self._remove(machine)
            return None
        return machine

    def in_subscription(self, subscription: str) -> list[Machine]:
        known = self._by_subscription.get(subscription.lower(), {})
        return [machine for machine in known.values() if not _gone(machine)]

    def everywhere(self) -> Iterator[Machine]:
        for known in self._by_subscription.values():
            yield from (machine for machine in known.values() if not _gone(machine))

    def tag(self, vm_id: str, tags: Mapping[str, str], *, by_tags_api: bool = False) -> Machine:
        """Replace a machine's tags, as a PATCH of the machine or as a PUT on its tags would."""
        machine = self._existing(vm_id)
        machine.tags = dict(tags)
        subject, operation = (
            (
                f"{machine.id}/providers/Microsoft.Resources/tags/default",
                "Microsoft.Resources/tags/write",
            )
            if by_tags_api
            else (machine.id, f"{KIND}/write")
        )
        self.changed(machine)
        self.world.events.publish(machine.subscription, RESOURCES_WRITE, subject, operation)
        return machine

    def deallocate(self, vm_id: str, *, takes: timedelta = NOW) -> Machine:
        return self._power(vm_id, "deallocated", "deallocate", takes)

    def power_off(self, vm_id: str, *, takes: timedelta = NOW) -> Machine:
        return self._power(vm_id, "stopped", "powerOff", takes)

    def start(self, vm_id: str, *, takes: timedelta = NOW) -> Machine:
        """Start a machine; its agent needs its time again."""
        machine = self._power(vm_id, "running", "start", takes)
        if machine.agent_after is not None:
            machine._agent_from = machine._power_at + machine.agent_after
        return machine

    def fail(self, vm_id: str) -> Machine:
        """Let the machine's provisioning state be Failed from now on."""
        machine = self._existing(vm_id)
        machine._outcome, machine._done_at = "Failed", self.world.clock.now()
        self.changed(machine)
        return machine

    def update(self, machine: Machine, *, takes: timedelta = NOW) -> None:
        """Record that the machine was written to; raises its event when the write is done."""
        machine._doing, machine._outcome = "Updating", "Succeeded"
        machine._done_at = self.world.clock.now() + takes
        self.changed(machine)
        self._announce_when_done(machine, RESOURCES_WRITE, f"{KIND}/write")

    def delete(self, vm_id: str, *, takes: timedelta = NOW) -> None:
        """Delete a machine; its disks stay unless their deleteOption is Delete."""
        machine = self._existing(vm_id)
        machine._doing, machine._outcome = "Deleting", "Deleted"
        machine._done_at = self.world.clock.now() + takes
        self.changed(machine)
        if takes == NOW:
            self._remove(machine)
        else:
            self.world.clock.at(machine._done_at, lambda: self._remove(machine))
        self._announce_when_done(machine, RESOURCES_DELETE, f"{KIND}/delete")

    def move(self, vm_id: str, group: str) -> Machine:
        """Move a machine and its disks to another group; it keeps its vmId (events: a guess)."""
        machine = self._existing(vm_id)
        sub, old = machine.subscription, ArmId.parse(machine.id).group
        self.world.groups.ensure(sub, group, machine.location)
        del self._by_subscription[sub.lower()][machine.id.lower()]
        machine.id = resource_id(sub, group, KIND, machine.name)
        for disk in (machine.os_disk, *machine.disks):
            self.disks.rename(disk, resource_id(sub, group, "Microsoft.Compute/disks", disk.name))
        self.add(machine, announce=False)
        self.world.events.publish(
            sub,
            RESOURCES_ACTION,
            f"/subscriptions/{sub}/resourceGroups/{old}",
            "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action",
        )
        return machine

    def drop_group(self, subscription: str, group: str) -> None:
        """Remove what is in a group that is deleted, each with its event."""
        for machine in self.in_subscription(subscription):
            if machine.group.lower() == group.lower():
                self.delete(machine.id)
        for disk in self.disks.in_subscription(subscription):
            if disk.group.lower() == group.lower():
                self.disks.delete(disk.id)

    def changed(self, machine: Machine) -> None:
        machine.etag += 1
        self.version += 1

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """Yield Resource Graph's rows of machines and disks."""
        for machine in self.everywhere():
            yield graph_row(machine)
        yield from self.disks.graph_rows()

    def _existing(self, vm_id: str) -> Machine:
        if (machine := self.find(vm_id)) is None:
            raise KeyError(f"no machine {vm_id}")
        return machine

    def _remove(self, machine: Machine) -> None:
        known = self._by_subscription[machine.subscription.lower()]
        if known.get(machine.id.lower()) is not machine:
            return  # Gone already, perhaps with another of its name in its place.
        del known[machine.id.lower()]
        self.version += 1
        for disk in (machine.os_disk, *machine.disks):
            disk.managed_by, disk.lun = "", None
            if disk.delete_option == "Delete":
                self.disks.delete(disk.id)

    def _power(self, vm_id: str, state: str, verb: str, takes: timedelta) -> Machine:
        machine = self._existing(vm_id)
        machine._power, machine._power_at = state, self.world.clock.now() + takes
        self.version += 1
        self.world.events.publish(
            machine.subscription, RESOURCES_ACTION, machine.id, f"{KIND}/{verb}/action"
        )
        return machine

    def _announce_when_done(self, machine: Machine, event_type: str, operation: str) -> None:
        def publish() -> None:
            self.world.events.publish(machine.subscription, event_type, machine.id, operation)

        if machine._done_at <= self.world.clock.now():
            publish()
        else:
            self.world.clock.at(machine._done_at, publish)

    def _disk(
        self,
        subscription: str,
        group: str,
        vm: str,
        vm_id: str,
        location: str,
        os_type: str,
        tags: Mapping[str, str] | None,
        lun: int | None = None,
    ) -> Disk:
        index = 0 if lun is None else lun + 1
        name = disk_name(vm, vm_id, index)
        return Disk(
            resource_id(subscription, group, "Microsoft.Compute/disks", name),
            location,
            self.world.clock.now(),
            size_gb=127 if os_type == "Windows" else 30 if lun is None else 64,
            os_type=os_type,
            lun=lun,
            tags=dict(tags or {}),
            create_option="FromImage" if lun is None else "Empty",
        )


def _gone(machine: Machine) -> bool:
    return machine.provisioning == "Deleted"
