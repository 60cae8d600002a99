"""Microsoft.Compute: which sizes there are, and how much of its quotas a subscription uses."""

import re
from typing import Any

from azsim.http import ArmError, Response
from azsim.router import Call, Route
from azsim.size_list import SIZES
from azsim.sizes import Quota, place, shown_size

_COMPUTE = "/subscriptions/{subscription}/providers/Microsoft.Compute"
_DISKS = (("Standard_LRS", "S10"), ("StandardSSD_LRS", "E10"), ("Premium_LRS", "P10"))
_ONE_LOCATION = re.compile(r"location eq '([^']+)'")


def _list_skus(call: Call) -> Response:
    """List the SKUs of one location; the real one lists all where it is not asked for one."""
    asked = _ONE_LOCATION.fullmatch(call.request.query.get("$filter", "").strip())
    if asked is None:
        raise ArmError(501, "FilterNotSimulated", "azsim lists the SKUs of one location only")
    sizes, location = call.world.sizes, place(asked[1])
    zones = sizes.zones(location)
    return Response(
        200,
        {
            "value": [
                *(_disk(name, kind, location, zones) for name, kind in _DISKS),
                *(
                    shown_size(
                        size,
                        location,
                        zones,
                        sizes.restrictions(call["subscription"], location, size.name),
                    )
                    for size in SIZES.values()
                ),
            ]
        },
    )


# models sku-of-disks
def _disk(name: str, kind: str, location: str, zones: tuple[str, ...]) -> Any:
    return {
        "resourceType": "disks",
        "name": name,
        "tier": name.split("_")[0],
        "size": kind,
        "locations": [location],
        "locationInfo": [{"location": location, "zones": list(zones), "zoneDetails": []}],
        "capabilities": [{"name": "MaxSizeGiB", "value": "128"}],
        "restrictions": [],
    }


# models usages-shape
def _list_usages(call: Call) -> Response:
    quotas = call.world.sizes.usages(call["subscription"], call["location"])
    return Response(200, {"value": [_usage(quota) for quota in quotas]})


def _usage(quota: Quota) -> Any:
    return {
        "limit": quota.limit,
        "unit": "Count",
        "currentValue": quota.used,
        "name": {"value": quota.name, "localizedValue": quota.shown},
    }


ROUTES: tuple[Route, ...] = (
    Route("skus.list", "GET", f"{_COMPUTE}/skus", _list_skus, action="Microsoft.Compute/skus/read"),
    Route(
        "usages.list",
        "GET",
        f"{_COMPUTE}/locations/{{location}}/usages",
        _list_usages,
        action="Microsoft.Compute/locations/usages/read",
    ),
)
