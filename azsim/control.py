"""
The control surface of a served world, `/_azsim/…`: what happened, what is to go wrong, the time.

It is azsim's own and speaks plain JSON; docs/azsim/server.md describes it.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from azsim.clock import ScaledClock
from azsim.fault_kinds import Fault, Kind
from azsim.http import Json, Request, Response
from azsim.world import Exchange, World

PREFIX = "/_azsim"
_LAST = 200


class BadOrder(Exception):
    """The control surface was asked for something that it cannot do."""


def answer(world: World, request: Request, reset: Callable[[], None]) -> Response:
    """Answer one request of the control surface; faulty ones get 400 with the reason."""
    key = (request.method, request.path.removeprefix(PREFIX).strip("/"))
    handlers: Mapping[tuple[str, str], Callable[[], Json]] = {
        ("GET", ""): lambda: state(world),
        ("GET", "state"): lambda: state(world),
        ("GET", "calls"): lambda: calls(world, request.query),
        ("GET", "faults"): lambda: faults(world),
        ("POST", "faults"): lambda: add_faults(world, _body(request)),
        ("DELETE", "faults"): lambda: clear_faults(world),
        ("GET", "clock"): lambda: {"now": world.clock.now().isoformat()},
        ("POST", "clock"): lambda: advance(world, _body(request)),
        ("GET", "events"): lambda: events(world),
        ("POST", "events"): lambda: disturb(world, _body(request)),
        ("POST", "reset"): lambda: _reset(reset),
    }
    handler = handlers.get(key)
    if handler is None:
        return Response(404, {"error": f"no such control: {key[0]} {PREFIX}/{key[1]}"})
    try:
        return Response(200, handler())
    except BadOrder as bad:
        return Response(400, {"error": str(bad)})


def state(world: World) -> Json:
    return {
        "now": world.clock.now().isoformat(),
        "tenant": world.tenant,
        "subscriptions": [
            {
                "id": sub.id,
                "name": sub.name,
                "groups": len(world.groups.in_subscription(sub.id)),
                "machines": len(world.machines.in_subscription(sub.id)),
                "vaults": len(world.vaults.in_subscription(sub.id)),
            }
            for sub in world.groups.subscriptions.values()
        ],
        "calls": len(world.exchanges),
        "unknown": [f"{request.method} {request.url}" for request in world.unknown],
    }


def calls(world: World, query: Mapping[str, str]) -> Json:
    """Count calls by client and route; `last=N` lists the latest as well."""
    by_client: dict[str, Counter[str]] = {}
    for exchange in world.exchanges:
        by_client.setdefault(exchange.request.client, Counter())[exchange.route] += 1
    try:
        last = min(int(query.get("last", "0")), _LAST)
    except ValueError:
        raise BadOrder("last is a number") from None
    return {
        "total": len(world.exchanges),
        "by_client": {client: dict(routes) for client, routes in by_client.items()},
        "last": [_call(exchange) for exchange in world.exchanges[-last:]] if last else [],
    }


def _call(exchange: Exchange) -> Json:
    return {
        "at": exchange.at.isoformat(),
        "client": exchange.request.client,
        "route": exchange.route,
        "method": exchange.request.method,
        "url": exchange.request.url,
        "status": exchange.response.status or None,
        "fault": exchange.fault.kind.value if exchange.fault else None,
    }


def faults(world: World) -> Json:
    return {
        "kinds": [kind.value for kind in Kind],
        "routes": sorted(route.name for route in world.router.routes),
        "unused": [_fault(fault) for fault in world.faults.unused()],
        "struck": [
            _fault(strike.fault)
            | {"at": strike.at.isoformat(), "struck": strike.route, "target": strike.target}
            for strike in world.faults.struck[-_LAST:]
        ],
    }


def add_faults(world: World, body: dict[str, Any]) -> Json:
    """Arm `{"faults": [{kind, route, nth, times, …}]}` or `{"random": {rate, kinds, routes}}`."""
    scripted = [_read_fault(entry) for entry in body.get("faults", ())]
    if chance := body.get("random"):
        kinds = [_kind(name) for name in chance.get("kinds", ())]
        if not kinds:
            raise BadOrder("random faults need kinds")
        world.faults.random(float(chance.get("rate", 0)), kinds, chance.get("routes", "*"))
    elif not scripted:
        raise BadOrder("pass faults or random")
    world.faults.add(*scripted)
    return faults(world)


def clear_faults(world: World) -> Json:
    world.faults.clear()
    return faults(world)


def advance(world: World, body: dict[str, Any]) -> Json:
    """Move the clock on by `{"seconds": N}`; what falls due on the way happens."""
    by = timedelta(seconds=float(body.get("seconds", 0)))
    if by < timedelta(0):
        raise BadOrder("time does not run backwards")
    if isinstance(world.clock, ScaledClock):
        world.clock.skip(by)
    else:
        world.clock.advance(by)
    return {"now": world.clock.now().isoformat()}


def events(world: World) -> Json:
    grid = world.events.counts
    return {
        "sent": grid.sent,
        "lost": grid.lost,
        "duplicated": grid.duplicated,
        "delivered": grid.delivered,
        "dead_lettered": grid.dead_lettered,
    }


def disturb(world: World, body: dict[str, Any]) -> Json:
    """Lose, double and shuffle events at the given rates."""
    world.events.disturb(
        lost=float(body.get("lost", 0)),
        doubled=float(body.get("doubled", 0)),
        shuffled=bool(body.get("shuffled", False)),
    )
    return events(world)


def _reset(reset: Callable[[], None]) -> Json:
    reset()
    return {"reset": True}


def _read_fault(entry: dict[str, Any]) -> Fault:
    fields = dict(entry)
    fields["kind"] = _kind(fields.get("kind"))
    for name in ("retry_after", "takes"):
        if name in fields:
            fields[name] = timedelta(seconds=float(fields[name]))
    try:
        return Fault(**fields)
    except (TypeError, ValueError) as wrong:
        raise BadOrder(str(wrong)) from None


def _kind(name: object) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        known = ", ".join(kind.value for kind in Kind)
        raise BadOrder(f"unknown kind {name!r}; known are {known}") from None


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind.value,
        "route": fault.route,
        "nth": fault.nth,
        "times": fault.times,
        "resource": fault.resource,
        "after_effect": fault.after_effect,
    }


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise BadOrder("the body is no JSON") from None
    if not isinstance(body, dict):
        raise BadOrder("the body is no JSON object")
    return body
