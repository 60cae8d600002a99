"""Plan restore tests: look at the estate and say what the coming nights are for. Runs none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.size_shelf import SizeShelf
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.domain.drill.choice import DrillPlan, plan_drills
from vmbackup_core.domain.drill.history import Histories
from vmbackup_core.domain.drill.points import PointChoice, choose_point
from vmbackup_core.domain.drill.reckoning import Room
from vmbackup_core.domain.drill.restores import with_restores
from vmbackup_core.domain.drill.rules import DrillRules, Past
from vmbackup_core.domain.drill.sizes import room_for
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.drill.turns import Drill, Night
from vmbackup_core.domain.errors import BackupError
from vmbackup_core.domain.facts import Estate
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.rules import Rules
from vmbackup_core.ports import Clock, Inventory, Restores
from vmbackup_core.ports_drills import RestoreHistory

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sight:
    """The estate with all that decides whose turn it is."""

    estate: Estate
    histories: Histories
    pasts: Mapping[VmId, Past]
    rooms: Mapping[Place, Room]


@dataclass(frozen=True, slots=True)
class Drilling:
    """What can be said before a restore test runs."""

    inventory: Inventory
    restores: Restores
    history: RestoreHistory
    shelf: SizeShelf
    slots: SlotBook
    runs: RunBook
    records: DrillRecords
    clock: Clock
    rules: Rules
    drills: DrillRules

    def look(self, *, keep: bool) -> Sight:
        """
        Look at the estate, at the evidence so far, and at everybody's restores of the last day.

        With `keep` what was read need not be read again; without, nothing is written anywhere.
        What cannot be read of sizes and quotas is not reckoned with: each test looks at them again
        before it begins.
        """
        now = self.clock.now()
        estate = self.inventory.observe_estate(self.rules.scope)
        longest = max(tier.max_age for tier in self.drills.tiers)
        histories = self.records.histories(longest, keep=keep)
        restores = self.history.observe_all_restores(self.rules.scope, now - DAY)
        runs = (self.runs.glance(lease.run) for lease in self.slots.leases())
        ours = {job for run in runs if run is not None for job in run.jobs}
        pasts = with_restores(histories.pasts(), restores, ours, now)
        return Sight(estate, histories, pasts, self._rooms(estate, keep=keep))

    def plan(self, nights: int) -> DrillPlan:
        """Look, and plan the next nights. Changes nothing in Azure, and writes no evidence."""
        return self.plan_from(self.look(keep=False), self.clock.now(), nights)

    def plan_from(self, sight: Sight, at: datetime, nights: int) -> DrillPlan:
        """Return the plan of the nights that begin at `at` or after it."""
        return plan_drills(
            sight.estate, self.rules, self.drills, sight.pasts, at, nights, sight.rooms
        )

    def choose_points(self, night: Night) -> tuple[tuple[Drill, PointChoice], ...]:
        """
        Return the recovery point that each test of `night` would take of those there are now.

        One read for each test, of an action that Azure allows at least 150 times an hour. By then
        there may be newer points, and snapshots that have aged out.
        """
        begins = self.drills.start_of(night.date)
        return tuple(
            (
                drill,
                choose_point(
                    self.restores.observe_points(drill.vm.id, drill.vault),
                    drill.strategy,
                    key=str(drill.vm.id),
                    now=begins,
                    rpo=drill.tier.rpo,
                ),
            )
            for drill in night.drills
        )

    def _rooms(self, estate: Estate, *, keep: bool) -> Mapping[Place, Room]:
        sizes: dict[Place, set[str]] = {}
        for vm in estate.vms:
            if vm.size and not self.rules.scope.why_not(vm):
                sizes.setdefault(Place(vm.id.subscription, vm.location), set()).add(vm.size)
        rooms = {place: self._room(place, names, keep) for place, names in sizes.items()}
        return {place: room for place, room in rooms.items() if room is not None}

    def _room(self, place: Place, names: set[str], keep: bool) -> Room | None:
        direct = self.shelf.sizes
        try:
            sizes = self.shelf.sizes_in(place, names) if keep else direct.observe_sizes(place)
            usages = self.shelf.usages_in(place) if keep else direct.observe_usages(place)
        except BackupError:
            return None
        if sizes is None or usages is None:
            return None
        vcpus = {size.name.lower(): size.vcpus for size in sizes}
        return Room(vcpus, room_for(usages, self.drills.free_quota))
