"""What host.json says under extensions.durableTask, with the extension's defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# models durable-hub-name
DEFAULT_HUB = "TestHubName"


@dataclass(frozen=True, slots=True)
class DurableSettings:
    """
    The settings that this double obeys; the others change nothing here.

    `keeps_unclaimed_events` is not a setting of the real one: it chooses what becomes of events
    that nobody waited for when an orchestration continues as new. The extension drops them.
    """

    hub: str = DEFAULT_HUB
    most_activities: int = 10
    any_state_overridable: bool = False
    keeps_unclaimed_events: bool = False

    @classmethod
    def read(cls, section: Mapping[str, Any], resolve: Callable[[str], str]) -> "DurableSettings":
        return cls(
            hub=resolve(section.get("hubName", DEFAULT_HUB)),
            most_activities=int(section.get("maxConcurrentActivityFunctions", 10)),
            any_state_overridable=section.get("overridableExistingInstanceStates") == "AnyState",
        )
