"""Which VM sizes there are and how much quota is left: the port Sizes on ARM."""

from collections.abc import Mapping

from vmbackup_core.adapters.api_versions import SKUS, USAGES
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.wire_sizes import parse_size, parse_usage
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage
from vmbackup_core.domain.drill.slots import Place

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_sizes": ("Microsoft.Compute/skus/read",),
    "observe_usages": ("Microsoft.Compute/locations/usages/read",),
}


class AzureSizes:
    """The port Sizes. The list of SKUs is megabytes of JSON: ask for it through the shelf."""

    def __init__(self, reader: Arm) -> None:
        self._reader = reader

    def observe_sizes(self, place: Place) -> tuple[SizeFacts, ...]:
        """List the region's sizes in one call, those too that the subscription may not use."""
        listed = self._reader.pages(
            f"/subscriptions/{place.subscription}/providers/Microsoft.Compute/skus",
            SKUS,
            f"listing the VM sizes of {place.location}",
            {"$filter": f"location eq '{place.location}'"},
        )
        sizes = (parse_size(sku, place.location) for sku in listed)
        return tuple(size for size in sizes if size is not None)

    def observe_usages(self, place: Place) -> tuple[Usage, ...]:
        listed = self._reader.pages(
            f"/subscriptions/{place.subscription}/providers/Microsoft.Compute"
            f"/locations/{place.location}/usages",
            USAGES,
            f"reading the vCPU quotas of {place.location}",
        )
        usages = (parse_usage(line) for line in listed)
        return tuple(usage for usage in usages if usage is not None)
