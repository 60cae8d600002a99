"""A restore test that a person asks for: what is asked, and whether it may be."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from vmbackup_core.domain.drill.ordering import order_now
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import DrillRules
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.turns import NotPlanned
from vmbackup_core.domain.errors import BackupError, Gone, Malformed
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.rules import Rules
from vmbackup_core.ports import Clock, Inventory, Journal, Restores, Vaults

LARGEST = 16 * 1024  # Bytes; a wish has some hundred.
MOST_KEPT = timedelta(hours=24)
_FIELDS = ("vm", "point", "rung", "keep")
_KEEP = re.compile(r"(\d{1,4})\s*(m|h)")
_ODD = re.compile(r"[%?#\\\s\x00-\x1f\x7f]")  # In no name; in a URL they would mean something.
_POINT = re.compile(r"[0-9A-Za-z_.-]{1,100}")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1)}
_RUNGS = {name: rung for rung in Rung for name in (str(int(rung)), rung.name.lower())}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What a person asks for; None where the plan or the service shall choose.

    Without a `point`, the `strategy` chooses one.
    """

    vm: VmId
    point: str = ""
    strategy: Strategy = Strategy.LATEST
    rung: Rung | None = None
    keep: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Faults:
    """Why it is not done: everything at once, in words."""

    faults: tuple[str, ...]

    @property
    def wrong_call(self) -> bool:
        """Whether it is the wish that is wrong: each fault begins with one of its fields."""
        return all(fault.partition(":")[0] in _FIELDS for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Asking:
    inventory: Inventory
    vaults: Vaults
    restores: Restores
    journal: Journal
    clock: Clock
    rules: Rules
    drills: DrillRules

    def take(self, raw: bytes) -> tuple[tuple[str, ...], DrillOrder | None]:
        """Return the order of the test that is asked for, or every fault. Starts nothing."""
        wish = parse_wish(raw)
        try:
            order = wish if isinstance(wish, Faults) else self.order(wish)
        except BackupError as error:  # Azure cannot be asked: who wishes is told so.
            return (str(error),), None
        return (order.faults, None) if isinstance(order, Faults) else ((), order)

    def order(self, wish: Wish) -> DrillOrder | Faults:
        """
        Return the order of the test, or why this VM is not to be tested. Starts nothing.

        A VM that is out of scope is not read, so that nobody learns by asking what there is.
        """
        if why := self.rules.scope.leaves_out(wish.vm):
            return Faults((f"{wish.vm.name}: {NotPlanned.OUT_OF_SCOPE.text}: {why}",))
        now = self.clock.now()
        try:
            vm = self.inventory.observe_vm(wish.vm)
        except Gone:
            return Faults((f"there is no VM {wish.vm}",))
        items = self.vaults.observe_items(vm.id, vm.location, None)
        order = order_now(
            vm,
            items,
            self.rules,
            self.drills,
            now,
            point=wish.point,
            strategy=wish.strategy,
            rung=wish.rung,
            keep=wish.keep,
        )
        if not isinstance(order, DrillOrder):
            return Faults((f"{vm.name}: {order.text}",))
        if order.point and (fault := self._why_not_point(order, now)):
            return Faults((fault,))
        text = f"restore test of {vm.name} to {order.needed.name.lower()}, asked for by a person"
        self.journal.note("intent", order.run, text, vm=vm.id)
        return order

    def _why_not_point(self, order: DrillOrder, now: datetime) -> str:
        """Return what is wrong with the point that was named, "" where it can be restored."""
        points = self.restores.observe_points(order.vm, order.vault)
        offered = sorted((p for p in points if p.offered(now)), key=lambda p: p.taken)
        if any(point.id.lower() == order.point.lower() for point in offered):
            return ""
        newest = (f"{p.id} (taken {p.taken:%Y-%m-%d %H:%M} UTC)" for p in offered[:-4:-1])
        there = f"; its newest are {', '.join(newest)}" if offered else ""
        return f"point: {order.vm.name} has none called {order.point} that can be restored{there}"


def parse_wish(raw: bytes) -> Wish | Faults:
    """
    Read what a person asks for: `{vm, point?, rung?, keep?}`; every fault at once.

    `point` is a recovery point's name or a strategy, `rung` its number or name, `keep` like "4h".
    """
    try:
        body = json.loads(raw) if len(raw) <= LARGEST else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return Faults((f"the body is no JSON object of {', '.join(_FIELDS)}",))
    faults = [f"{name}: unknown; known are {', '.join(_FIELDS)}" for name in body.keys() - _FIELDS]
    vm = _vm(body, faults)
    (point, strategy), rung = _point(body, faults), _rung(body, faults)
    keep = _keep(body, faults)
    if faults or vm is None:
        return Faults(tuple(sorted(faults)))
    return Wish(vm, point, strategy, rung, keep)


def _vm(body: Mapping[str, Any], faults: list[str]) -> VmId | None:
    given = body.get("vm")
    if given is None:
        faults.append("vm: missing")
        return None
    try:
        found = VmId.parse(str(given))
    except Malformed:
        found = None
    if found is None or _ODD.search(str(found)):
        faults.append("vm: not the ARM id of a virtual machine")
        return None
    return found


def _point(body: Mapping[str, Any], faults: list[str]) -> tuple[str, Strategy]:
    given = body.get("point")
    if given is None:
        return "", Strategy.LATEST
    if isinstance(given, str) and given.lower() in set(Strategy):
        return "", Strategy(given.lower())
    if not isinstance(given, str) or _POINT.fullmatch(given) is None:
        faults.append(f"point: not the name of a recovery point, nor {', '.join(Strategy)}")
        return "", Strategy.LATEST
    if near := get_close_matches(given.lower(), list(Strategy), n=1, cutoff=0.7):
        faults.append(f'point: no strategy is called {given}; did you mean "{near[0]}"?')
    return given, Strategy.LATEST


def _rung(body: Mapping[str, Any], faults: list[str]) -> Rung | None:
    given = body.get("rung")
    if given is None:
        return None
    found = _RUNGS.get(str(given).lower())
    if found is None:
        faults.append(f"rung: not one of {', '.join(rung.name.lower() for rung in Rung)}")
    return found


def _keep(body: Mapping[str, Any], faults: list[str]) -> timedelta | None:
    given = body.get("keep")
    if given is None:
        return None
    found = _KEEP.fullmatch(str(given).strip().lower())
    span = int(found[1]) * _UNITS[found[2]] if found else timedelta(0)
    if timedelta(0) < span <= MOST_KEPT:
        return span
    faults.append('keep: not a time like "4h" or "30m", of at most 24 hours')
    return None
