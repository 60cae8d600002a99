"""
One simulated Azure: an estate and its rules on a clock that is handed in.

There are no globals: two worlds share nothing, and the same seed and the same calls give the same
world. Clients reach it through `handle`, in process (transport.py) or over HTTPS (server.py).
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from azsim.clock import Clock
from azsim.email import Email
from azsim.event_grid import EventGrid
from azsim.fault_kinds import Fault, Kind
from azsim.faults import Faults
from azsim.front_door import FrontDoor
from azsim.graph import ResourceGraph
from azsim.groups import Groups
from azsim.http import ArmError, ConnectionLost, Request, Response
from azsim.identity import Identity
from azsim.log_analytics import LogAnalytics
from azsim.machines import Machines
from azsim.networks import Networks
from azsim.policies import Policies
from azsim.router import Call, Route, Router
from azsim.routes import every_route
from azsim.sizes import Sizes
from azsim.storage import Storage
from azsim.storage_accounts import StorageAccounts
from azsim.throttle import Throttle
from azsim.vaults import Vaults

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # A Monday morning.
TENANT = "7f3c1a52-9a41-4f6e-8a57-2f5f0c1d9b10"


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    One call as the world saw it: what counts and observers work on.

    `fault` is what went wrong with it on purpose; a lost connection leaves status 0.
    """

    at: datetime
    route: str
    request: Request
    response: Response
    fault: Fault | None = None


Observer = Callable[[Exchange], None]


class World:
    """
    The simulated Azure.

    `exchanges` holds every call in order (also those answered with an error); `unknown` those that
    no route matched, which a test must end with none of. Observers see each whole answer as it
    happens (not one that a fault lost or cut).
    """

    def __init__(self, *, seed: int = 0, clock: Clock | None = None, tenant: str = TENANT) -> None:
        self.clock = clock or Clock(START)
        self.rng = random.Random(seed)
        self.tenant = tenant
        self.identity = Identity(self, seed)
        self.front_door = FrontDoor(seed)
        self.groups = Groups(self)
        self.policies = Policies(self)
        self.machines = Machines(self)
        self.sizes = Sizes(self)
        self.networks = Networks(self)
        self.vaults = Vaults(self)
        self.graph = ResourceGraph(self)
        self.logs = LogAnalytics(self)
        self.events = EventGrid(self)
        self.email = Email(self, seed)
        self.storage = Storage(self)
        self.storage_accounts = StorageAccounts(self)
        self.throttle = Throttle(self)
        self.faults = Faults(self, seed)
        self.router = Router(every_route())
        self.exchanges: list[Exchange] = []
        self.unknown: list[Request] = []
        self.observers: list[Observer] = []

    def new_id(self) -> str:
        """Return a GUID from the world's own randomness, so that a seed repeats it."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def handle(self, request: Request) -> Response:
        """Answer `request`; raises ConnectionLost where a fault breaks the connection."""
        try:
            route, params = self.router.find(request)
        except ArmError as error:
            self.unknown.append(request)
            return self._seen("unknown", request, error.response())
        call = Call(self, request, route, params)
        fault = self.faults.strike(call)
        try:
            response = self._answer(call, fault)
        except ConnectionLost:
            self._seen(route.name, request, Response(0), fault)
            raise
        return self._seen(route.name, request, response, fault)

    def _answer(self, call: Call, fault: Fault | None) -> Response:
        headers = self.front_door.headers(call)
        try:
            self.front_door.check(call)
            headers |= self.throttle.admit(call)
            response = self.faults.before(fault, call) or call.route.handler(call)
        except ArmError as error:
            if error.status == 501:  # A known route met something that it does not model.
                self.unknown.append(call.request)
            response = call.route.errors(call, error)
        response = Response(response.status, response.body, {**headers, **response.headers})
        return self.faults.after(fault, call, response)

    def _seen(
        self, route: str, request: Request, response: Response, fault: Fault | None = None
    ) -> Response:
        exchange = Exchange(self.clock.now(), route, request, response, fault)
        self.exchanges.append(exchange)
        if response.status and not (fault and fault.kind is Kind.TRUNCATED):
            for observer in self.observers:
                observer(exchange)
        return response


__all__ = ["Call", "Exchange", "Route", "World"]
