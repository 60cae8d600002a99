"""
One table of routes: which handler answers which method and path, and how the call is charged.

Literal path segments compare without case, as ARM does; any api-version is accepted on a known
route; a path that no route matches answers 501, so that nothing is ever guessed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azsim.http import ArmError, Request, Response

if TYPE_CHECKING:
    from azsim.world import World

ARM = "arm"


@dataclass(frozen=True)
class Call:
    """One request on its way through a route: what a handler gets."""

    world: "World"
    request: Request
    route: "Route"
    params: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.params[name]


Handler = Callable[[Call], Response]
ErrorShape = Callable[[Call, ArmError], Response]


def arm_error(_call: Call, error: ArmError) -> Response:
    """Say an error as ARM does; data planes have shapes of their own."""
    return error.response()


@dataclass(frozen=True)
class Route:
    """
    `name` is unique and speaks (`vaults.get`): faults, throttles and counts refer to it.

    `path` has `{named}` segments and may end in `{*rest}`. `host` is `arm` or the suffix of a
    data-plane host (`.blob.core.windows.net`). `action` is the RBAC action, which is also the
    provider's throttling unit (`Microsoft.RecoveryServices/vaults/backupJobs/read`). `errors`
    writes every error of the route, those of throttles and faults as well.
    """

    name: str
    method: str
    path: str
    handler: Handler
    host: str = ARM
    action: str = ""
    errors: ErrorShape = arm_error


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        names = [route.name for route in self.routes]
        if len(set(names)) != len(names):
            raise ValueError(
                f"route names repeat: {sorted(n for n in names if names.count(n) > 1)}"
            )
        self._data_hosts = sorted({r.host for r in self.routes if r.host != ARM})
        self._table: dict[tuple[str, str, int], list[tuple[list[str], Route]]] = {}
        for route in self.routes:
            parts = route.path.strip("/").split("/") if route.path.strip("/") else []
            length = -1 if parts and parts[-1].startswith("{*") else len(parts)
            self._table.setdefault((route.host, route.method, length), []).append((parts, route))
        for candidates in self._table.values():  # Literal segments win over named ones.
            candidates.sort(key=lambda entry: sum(part.startswith("{") for part in entry[0]))

    def find(self, request: Request) -> tuple[Route, dict[str, str]]:
        """Return the route and its named segments; raises ArmError 501 where there is none."""
        bare = request.host.split(":")[0].lower()
        host = next((h for h in self._data_hosts if bare.endswith(h)), ARM)
        segments = [s for s in request.path.split("/") if s]
        for length in (len(segments), -1):
            for parts, route in self._table.get((host, request.method, length), ()):
                if (params := _match(parts, segments)) is not None:
                    return route, params
        raise ArmError(
            501,
            "RouteNotSimulated",
            f"azsim has no route for {request.method} {bare}{request.path}",
        )


def _match(parts: list[str], segments: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part.startswith("{*"):
            params[part[2:-1]] = "/".join(segments[index:])
            return params
        if index >= len(segments):
            return None
        if part.startswith("{"):
            params[part[1:-1]] = segments[index]
        # models names-without-case
        elif part.lower() != segments[index].lower():
            return None
    return params
