"""(being built)"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from azsim.router import Call

if TYPE_CHECKING:
    from azsim.world import World


class Throttle:
    def __init__(self, world: "World") -> None:
        self.world = world

    def admit(self, call: Call) -> Mapping[str, str]:
        """Charge the call; return rate-limit headers, or raise ArmError 429."""
        return {}
