"""
The managed suppression list: addresses that bounced get nothing for a while, then longer.

Source: "Improve sender reputation in Azure Communication Services email": 24 hours after a hard
bounce, 48 when a mail comes within them, then 96, 7 days, at most 14 days; forgotten when the time
is over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# models email-suppression
_LEASES = (
    timedelta(hours=24),
    timedelta(hours=48),
    timedelta(hours=96),
    timedelta(days=7),
    timedelta(days=14),
)


@dataclass(slots=True)
class _Lease:
    step: int
    until: datetime


class SuppressionList:
    """Who gets nothing, and until when; addresses compare without case."""

    def __init__(self) -> None:
        self._leases: dict[str, _Lease] = {}

    def bounced(self, address: str, now: datetime) -> None:
        """Begin a lease."""
        self._leases[address.lower()] = _Lease(0, now + _LEASES[0])

    def suppresses(self, address: str, now: datetime) -> bool:
        """Tell whether the address is on the list; being asked about one makes its time longer."""
        lease = self._leases.get(address.lower())
        if lease is None or lease.until <= now:
            self._leases.pop(address.lower(), None)
            return False
        lease.step = min(lease.step + 1, len(_LEASES) - 1)
        lease.until = now + _LEASES[lease.step]
        return True

    def until(self, address: str) -> datetime | None:
        lease = self._leases.get(address.lower())
        return lease.until if lease else None

    def remove(self, address: str) -> None:
        """Take an address off the list, as support does when asked."""
        self._leases.pop(address.lower(), None)
