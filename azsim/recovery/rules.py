"""Limits of Azure Backup and behaviours that changed over the years, adjustable per world."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SECURE_BY_DEFAULT = datetime(2025, 11, 1, tzinfo=UTC)
TRUSTED_LAUNCH_WITH_STANDARD = datetime(2025, 5, 1, tzinfo=UTC)
# models restore-template-key
TEMPLATE_RENAMED = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Rules:
    """
    What Azure Backup allows (AZURE_FACTS 3 unless said otherwise).

    `undiscovered_for`: a VM younger than this can be protected only after a refresh. Whether such a
    time exists is unknown, so it is none unless a test asks for it.
    """

    most_vaults: int = 500
    # models vms-at-most
    most_vms: int = 1000
    # models configures-at-most
    configures_a_day: int = 1000
    on_demand_a_day: int = 9
    restores_a_day: int = 10
    # models list-pages
    page: int = 200  # Recorded for protectable items, assumed for items and jobs.
    # models young-vms-need-no-refresh
    undiscovered_for: timedelta = timedelta()
    soft_delete_always_on: bool = True
    standard_policy_for_trusted_launch: bool = True
    template_key: str = "Create VM Template Blob Uri"
    default_policy_minutes: tuple[int, ...] = (16 * 60 + 30, 17 * 60 + 30, 20 * 60)

    @classmethod
    def of(cls, date: datetime) -> "Rules":
        """Return the rules as they were at `date` (recordings are older than today's defaults)."""
        return cls(
            soft_delete_always_on=date >= SECURE_BY_DEFAULT,
            standard_policy_for_trusted_launch=date >= TRUSTED_LAUNCH_WITH_STANDARD,
            template_key="Create VM Template Blob Uri"
            if date >= TEMPLATE_RENAMED
            else "Template Blob Uri",
        )
