"""
What goes wrong, on purpose: by script (`add`) and by seed (`random`).

A fault strikes a call at one of two points: in the handler's place, so that nothing has happened,
or after it, so that the service has acted and only the client does not know. Faults that struck
nothing can be listed, so that a test can tell that it tested something.
"""

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from azsim.fault_answers import error_of
from azsim.fault_kinds import Fault, Kind, Strike
from azsim.http import ConnectionLost, Response
from azsim.router import Call

if TYPE_CHECKING:
    from azsim.world import World


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Count one matching call; tell whether this one is struck."""
        self.seen += 1
        times = self.fault.times
        hit = self.seen >= self.fault.nth and (times is None or self.seen < self.fault.nth + times)
        self.struck += hit
        return hit


@dataclass(frozen=True, slots=True)
class _Chance:
    """Faults by seed: each matching call is struck with probability `rate`."""

    rate: float
    kinds: tuple[Kind, ...]
    routes: str
    template: Fault


_AFTER = {Kind.RESET_AFTER, Kind.TRUNCATED, Kind.SLOW}
_ASKED_FOR = {Kind.LATE_FAILURE, Kind.AGENT_NEVER_READY}  # Not of a call: the estate asks for them.
_OF_ONE_PROVIDER = {
    Kind.PROVIDER_THROTTLED: "microsoft.recoveryservices/",
    Kind.COMPUTE_THROTTLED: "microsoft.compute/",
    Kind.GRAPH_THROTTLED: "microsoft.resourcegraph/",
}


class Faults:
    """What goes wrong in one world."""

    def __init__(self, world: "World", seed: int) -> None:
        self.world, self._seed = world, seed
        self._rng = random.Random(f"faults {seed}")
        self._armed: list[_Armed] = []
        self._chances: list[_Chance] = []
        self.struck: list[Strike] = []

    def add(self, *faults: Fault) -> None:
        """Arm faults; of several that match a call the first strikes, the rest do not count it."""
        self._armed.extend(_Armed(fault) for fault in faults)

    def random(
        self,
        rate: float,
        kinds: Iterable[Kind],
        routes: str = "*",
        **template: object,
    ) -> None:
        """
        Strike each call of `routes` with probability `rate`, with one of `kinds` that fits it.

        The rest sets other fields of the faults (`retry_after=…`). The same seed and the same calls
        are struck alike.
        """
        base = Fault(Kind.INTERNAL, routes, **template)  # type: ignore[arg-type]
        self._chances.append(_Chance(rate, tuple(kinds), routes, base))

    def clear(self) -> None:
        """Let nothing go wrong from now on; what struck stays listed."""
        self._armed.clear()
        self._chances.clear()

    def unused(self) -> list[Fault]:
        """Return the scripted faults that struck nothing yet."""
        return [armed.fault for armed in self._armed if not armed.struck]

    def strike(self, call: Call) -> Fault | None:
        """Decide what goes wrong with this call, if anything, and remember it."""
        if not self._armed and not self._chances:
            return None
        path = call.request.path
        principal = self.world.identity.principal_of(call.request)
        chosen: Fault | None = None
        for armed in self._armed:
            fault = armed.fault
            if fault.kind in _ASKED_FOR or not _matches(fault, call.route.name, path, principal):
                continue
            if fault.kind is Kind.STALE and self._earlier(call) is None:
                continue
            if chosen is None and armed.strikes():
                chosen = fault
        chosen = chosen or self._by_chance(call)
        if chosen is not None:
            self._note(chosen, call.route.name, path)
        return chosen

    def before(self, fault: Fault | None, call: Call) -> Response | None:
        """
        Act in the handler's place: raise the fault's error, or return an older answer.

        Returns None where the handler is to do its work.
        """
        if fault is None or fault.after_effect or fault.kind in _AFTER:
            return None
        if fault.kind is Kind.RESET_BEFORE:
            raise ConnectionLost(after_effect=False)
        if fault.kind is Kind.STALE:
            return self._earlier(call)
        raise error_of(fault, call)

    def after(self, fault: Fault | None, call: Call, response: Response) -> Response:
        """Change, delay or lose the answer of a call that has taken effect."""
        if fault is None:
            return response
        match fault.kind:
            case Kind.RESET_AFTER:
                raise ConnectionLost(after_effect=True)
            case Kind.TRUNCATED:
                headers, payload = response.encoded()
                return Response(response.status, payload[: len(payload) // 2], headers)
            case Kind.SLOW:
                self.world.clock.advance(fault.takes)
                return response
        if not fault.after_effect:
            return response
        return call.route.errors(call, error_of(fault, call))

    def late_failure(self, route_name: str, resource_id: str) -> tuple[str, str] | None:
        """Return code and message where the operation that this route starts is to fail later."""
        found = self._asked(Kind.LATE_FAILURE, route_name, resource_id)
        if found is None:
            return None
        return (
            found.code or "CloudInternalError",
            found.message or "Microsoft Azure Backup encountered an internal error.",
        )

    def agent_never_ready(self, vm_id: str) -> bool:
        """Whether the guest agent of this machine is to stay silent for good."""
        for armed in self._armed:
            fault = armed.fault
            if fault.kind is Kind.AGENT_NEVER_READY and fault.resource.lower() in vm_id.lower():
                if not armed.struck:
                    self._note(fault, "", vm_id)
                armed.struck = 1
                return True
        drawn = hashlib.sha256(f"{self._seed}{vm_id.lower()}".encode()).digest()[0] / 256
        return any(
            drawn < chance.rate
            for chance in self._chances
            if Kind.AGENT_NEVER_READY in chance.kinds
        )

    def _asked(self, kind: Kind, route_name: str, resource_id: str) -> Fault | None:
        for armed in self._armed:
            fault = armed.fault
            matches = _matches(fault, route_name, resource_id, fault.principal)
            if fault.kind is kind and matches and armed.strikes():
                self._note(fault, route_name, resource_id)
                return fault
        for chance in self._chances:
            matches = kind in chance.kinds and fnmatchcase(route_name, chance.routes)
            if matches and self._rng.random() < chance.rate:
                fault = replace(chance.template, kind=kind)
                self._note(fault, route_name, resource_id)
                return fault
        return None

    def _by_chance(self, call: Call) -> Fault | None:
        for chance in self._chances:
            if not fnmatchcase(call.route.name, chance.routes):
                continue
            fitting = [kind for kind in chance.kinds if self._fits(kind, call)]
            if fitting and self._rng.random() < chance.rate:
                return replace(chance.template, kind=self._rng.choice(fitting))
        return None

    def _fits(self, kind: Kind, call: Call) -> bool:
        if kind in _ASKED_FOR:
            return False
        if kind is Kind.STALE:
            return self._earlier(call) is not None
        if kind is Kind.ARM_THROTTLED:
            return self.world.front_door.guards(call)
        return call.route.action.lower().startswith(_OF_ONE_PROVIDER.get(kind, ""))

    def _earlier(self, call: Call) -> Response | None:
        """Return what the last good reading of this very URL answered."""
        if call.request.method != "GET":
            return None
        for exchange in reversed(self.world.exchanges):
            same = exchange.request.method == "GET" and exchange.request.url == call.request.url
            if same and exchange.response.status == 200 and exchange.fault is None:
                return exchange.response
        return None

    def _note(self, fault: Fault, route: str, target: str) -> None:
        self.struck.append(Strike(self.world.clock.now(), fault, route, target))


def _matches(fault: Fault, route: str, target: str, principal: str) -> bool:
    return (
        fnmatchcase(route, fault.route)
        and fault.resource.lower() in target.lower()
        and (not fault.principal or fault.principal == principal)
    )


__all__ = ["Fault", "Faults", "Kind", "Strike"]
