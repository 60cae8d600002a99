"""
What a restore test may cost, by prices that the user has configured: Azure's are not asked for.

A copy costs what its vCPUs and its disks do while it is there. The restore itself, the snapshots
and the little that it leaves in the staging account are not counted.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

MONTH = timedelta(hours=730)  # As Azure's price lists reckon it.


@dataclass(frozen=True, slots=True)
class Prices:
    """What one vCPU costs an hour and one GB of disk a month, in the user's own currency."""

    vcpu_hour: Decimal
    gb_month: Decimal
    currency: str = ""


def estimate(vcpus: int, lasts: timedelta, gigabytes: int, prices: Prices | None) -> Decimal | None:
    """Return what a copy costs that is there for `lasts`; None where no prices are configured."""
    if prices is None:
        return None
    hours = _ratio(lasts, timedelta(hours=1))
    months = _ratio(lasts, MONTH)
    return vcpus * hours * prices.vcpu_hour + gigabytes * months * prices.gb_month


def _ratio(span: timedelta, unit: timedelta) -> Decimal:
    return Decimal(str(span.total_seconds())) / Decimal(str(unit.total_seconds()))
