"""Microsoft.Compute/virtualMachines/extensions: a look at what was added to a machine."""

from azsim.extensions import KIND, resources
from azsim.groups import resource_not_found
from azsim.http import Response
from azsim.router import Call, Route
from azsim.routes.compute import found

_EXTENSIONS = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
    "/virtualMachines/{machine}/extensions"
)


def _list(call: Call) -> Response:
    return Response(200, {"value": resources(found(call))})


def _get(call: Call) -> Response:
    """Return one extension; 404 where the machine has none of that name."""
    wanted = call["extension"].lower()
    for shown in resources(found(call)):
        if shown["name"].lower() == wanted:
            return Response(200, shown)
    raise resource_not_found(KIND, f"{call['machine']}/{call['extension']}", call["group"])


ROUTES: tuple[Route, ...] = (
    Route("extensions.list", "GET", _EXTENSIONS, _list, action=f"{KIND}/read"),
    Route("extensions.get", "GET", f"{_EXTENSIONS}/{{extension}}", _get, action=f"{KIND}/read"),
)
