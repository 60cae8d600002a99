"""
Every machine of the world, and what others do to them: create, tag, move, stop, delete.

Only a write that must raise an event at its end asks the clock for one action.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.compute_operations import ComputeOperations
from azsim.disks import Disk, Disks, disk_name
from azsim.groups import (
    RESOURCES_ACTION,
    RESOURCES_DELETE,
    RESOURCES_WRITE,
    RESOURCES_WRITE_FAILED,
)
from azsim.guests import Guest, guest_of
from azsim.machine import KIND, NEVER, NOW, Machine, gone
from azsim.machine_shapes import graph_row
from azsim.run_commands import RunCommands

if TYPE_CHECKING:
    from azsim.world import World

PAST = "past"


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
        self.operations = ComputeOperations(world)
        self.run_commands = RunCommands(world)
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
        guest: Guest | None = None,
        maintenance: Mapping[str, Any] | None = None,
    ) -> Machine:
        """
        Create a machine, or a new one in the place of one that is gone.

        `agent_after` counts from the end of provisioning (None: the agent never comes up).
        `created_by="past"` stands for a machine that was there before the story: it is there at
        once and raises no event; `created` is then when it was born. `guest` is what runs in it
        where the image does not tell, `maintenance` its last redeployment. Adds subscription and
        group where they are missing.
        """
        now = self.world.clock.now()
        past = created_by == PAST
        subscription = self.world.groups.ensure(subscription, group, location).subscription
        # models vm-recreated
        vm_id = self.world.new_id()
        done_at = now if past else now + provisioning_takes
        guest = guest or guest_of(os_type, (model or {}).get("imageReference"))
        agent_after = guest.agent_after(agent_after)
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
            guest=guest,
            maintenance=None if maintenance is None else dict(maintenance),
            zones=zones,
            model=dict(model or {}),
            _done_at=done_at,
            _power=power,
            _power_at=now if power != "running" else done_at,
            _agent_from=NEVER if agent_after is None else done_at + agent_after,
        )
        return self.add(machine, announce=not past)

    def add(self, machine: Machine, *, announce: bool = True) -> Machine:
        """Let a machine stand in the estate, with its disks attached to it."""
        known = self._by_subscription.setdefault(machine.subscription.lower(), {})
        known[machine.id.lower()] = machine
        if machine.os_disk.create_option == "FromImage":
            machine.os_disk.hyper_v = machine.guest.generation
            if machine.security_type not in ("", "Standard"):
                machine.os_disk.security_type = machine.security_type
        machine.os_disk.guest = machine.guest
        for disk in (machine.os_disk, *machine.disks):
            disk.managed_by = machine.id
            self.disks.add(disk)
        self.world.networks.interfaces.take(machine)
        self.version += 1
        if announce:
            self.world.policies.written(machine)
            self._announce_when_done(machine, RESOURCES_WRITE, f"{KIND}/write")
        return machine

    def find(self, vm_id: str) -> Machine | None:
        """Return the machine with this ARM id (any case), or None; one deleted is gone."""
        parts = vm_id.lower().split("/", 3)
        if len(parts) < 4:
            return None
        known = self._by_subscription.get(parts[2], {})
        machine = known.get(vm_id.lower())
        if machine is not None and gone(machine):
            self._remove(machine)
            return None
        return machine

    def in_subscription(self, subscription: str) -> list[Machine]:
        known = self._by_subscription.get(subscription.lower(), {})
        return [machine for machine in known.values() if not gone(machine)]

    def everywhere(self) -> Iterator[Machine]:
        for known in self._by_subscription.values():
            yield from (machine for machine in known.values() if not gone(machine))

    # models tags-event, tags-event-subject
    def tag(self, vm_id: str, tags: Mapping[str, str], *, by_tags_api: bool = False) -> Machine:
        """Replace a machine's tags, as a PATCH of the machine or as a PUT on its tags would."""
        machine = self._existing(vm_id)
        self.world.vaults.settle(vm_id)
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

    # models agent-after-start
    def start(self, vm_id: str, *, takes: timedelta = NOW) -> Machine:
        """Start a machine; its agent needs its time again."""
        machine = self._power(vm_id, "running", "start", takes)
        if machine.agent_after is not None:
            machine._agent_from = machine._power_at + machine.agent_after
        return machine

    def fail(self, vm_id: str) -> Machine:
        """Let the machine's provisioning state be Failed from now on."""
        machine = self._existing(vm_id)
        self.world.vaults.settle(vm_id)
        machine._outcome, machine._done_at = "Failed", self.world.clock.now()
        self.changed(machine)
        return machine

    def attach(self, machine: Machine, disks: list[Disk]) -> None:
        """Let these be the machine's data disks; others that it held are detached."""
        for disk in machine.disks:
            if disk not in disks:
                disk.let_go()
        for disk in disks:
            disk.managed_by = machine.id
            self.disks.add(disk)
        machine.disks = disks

    # models vm-patch-event
    def update(self, machine: Machine, *, takes: timedelta = NOW, failed: bool = False) -> None:
        """Record that the machine was written to; raises its event when the write is done."""
        machine.begin("Updating", self.world.clock.now() + takes, failed=failed)
        self.world.policies.written(machine)
        self.changed(machine)
        self._announce_when_done(machine, RESOURCES_WRITE, f"{KIND}/write")

    def delete(self, vm_id: str, *, takes: timedelta = NOW) -> None:
        """Delete a machine; its disks stay unless their deleteOption is Delete."""
        machine = self._existing(vm_id)
        self.world.vaults.settle(vm_id)
        machine.begin("Deleting", self.world.clock.now() + takes)
        self.changed(machine)
        if takes == NOW:
            self._remove(machine)
        else:
            self.world.clock.at(machine._done_at, lambda: self._remove(machine))
        self._announce_when_done(machine, RESOURCES_DELETE, f"{KIND}/delete")

    # models vm-move-keeps-vm-id, vm-move-event
    def move(self, vm_id: str, group: str) -> Machine:
        """Move a machine and its disks to another group; it keeps its vmId (events: a guess)."""
        machine = self._existing(vm_id)
        self.world.vaults.settle(vm_id)
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
        machine.changed_at = self.world.clock.now()
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
        self.world.graph.removed(graph_row(machine))
        for disk in (machine.os_disk, *machine.disks):
            goes_along = disk.delete_option == "Delete"
            disk.let_go()
            # models vm-delete-leaves-disks
            if goes_along:
                self.disks.delete(disk.id)
        self.world.networks.interfaces.let_go(machine)

    # models power-event
    def _power(self, vm_id: str, state: str, verb: str, takes: timedelta) -> Machine:
        machine = self._existing(vm_id)
        self.world.vaults.settle(vm_id)
        machine._power, machine._power_at = state, self.world.clock.now() + takes
        self.version += 1
        self.world.events.publish(
            machine.subscription, RESOURCES_ACTION, machine.id, f"{KIND}/{verb}/action"
        )
        return machine

    # models write-event-at-end
    def _announce_when_done(self, machine: Machine, event_type: str, operation: str) -> None:
        failed = machine._outcome == "Failed"

        def publish() -> None:
            # models write-failure-event
            outcome = RESOURCES_WRITE_FAILED if failed else event_type
            self.world.events.publish(
                machine.subscription,
                outcome,
                machine.id,
                operation,
                status="Failed" if failed else "Succeeded",
            )

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


__all__ = ["KIND", "PAST", "Machine", "Machines"]
