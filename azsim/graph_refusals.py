"""How Resource Graph says no: 400 BadRequest, with what is wrong in `details`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azsim.http import ArmError
from azsim.ticks import iso, ticks_of


class Refused(Exception):
    """What Resource Graph would not take, with the details of its answer."""

    def __init__(self, *details: Mapping[str, Any]) -> None:
        super().__init__(details)
        self.details = details


# models graph-refusal
def refusal(refused: Refused, now: datetime, correlation: str) -> ArmError:
    """Return the answer 400 in Resource Graph's own form."""
    return ArmError(
        400,
        "BadRequest",
        "Please provide below info when asking for support: "
        f"timestamp = {iso(ticks_of(now))}, correlationId = {correlation}.",
        details=refused.details,
    )


def invalid(*details: Mapping[str, Any]) -> Refused:
    """Refuse a query as such, with what is known of the place."""
    first = {
        "code": "InvalidQuery",
        "message": "Query is invalid. Please refer to the documentation for the Azure Resource "
        "Graph service and fix the error before retrying.",
    }
    return Refused(first, *details)
