"""
What ARM does before a resource provider sees a call: identity, api-version, subscription, group.

Also the headers that every answer of ARM carries. Their ids come from a randomness of their own, so
that one poll more or less does not change what happens in the world.
"""

import random
from email.utils import format_datetime

from azsim.http import ArmError
from azsim.router import ARM, Call

OPEN = "identity."  # Routes that stand before authentication: those that hand out tokens.


class FrontDoor:
    """The part of ARM that all providers share."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"front door {seed}")

    def guards(self, call: Call) -> bool:
        return call.route.host == ARM and not call.route.name.startswith(OPEN)

    def headers(self, call: Call) -> dict[str, str]:
        """Return the headers of every answer, also of an error."""
        if not self.guards(call):
            return {}
        now = call.world.clock.now()
        request_id = self.new_id()
        correlation = call.request.header("x-ms-correlation-request-id") or self.new_id()
        # models answer-ids
        shared = {
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Expires": "-1",
            "Date": format_datetime(now, usegmt=True),
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
            "x-ms-request-id": request_id,
            "x-ms-correlation-request-id": correlation,
            "x-ms-routing-request-id": f"WESTEUROPE:{now:%Y%m%dT%H%M%SZ}:{request_id}",
        }
        if (call.request.header("x-ms-return-client-request-id") or "").lower() == "true":
            shared["x-ms-client-request-id"] = call.request.header("x-ms-client-request-id") or ""
        return shared

    def check(self, call: Call) -> None:
        """Raise ArmError where ARM would refuse before any provider is asked."""
        if not self.guards(call):
            return
        call.world.identity.authenticate(call.request)
        # models api-version-required
        if "api-version" not in call.request.query:
            raise ArmError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        call.world.groups.check(call.request)

    def new_id(self) -> str:
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
