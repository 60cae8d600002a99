"""(being built)"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azsim.world import World


class EventGrid:
    def __init__(self, world: "World") -> None:
        self.world = world
