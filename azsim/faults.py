"""(being built)"""

from typing import TYPE_CHECKING

from azsim.http import Response
from azsim.router import Call

if TYPE_CHECKING:
    from azsim.world import World


class Faults:
    def __init__(self, world: "World", seed: int) -> None:
        self.world = world

    def before(self, call: Call) -> None:
        """Raise ArmError or ConnectionLost in the handler's place, where planned."""

    def after(self, call: Call, response: Response) -> Response:
        """Change or lose the answer of a call that has taken effect, where planned."""
        return response

    def agent_never_ready(self, vm_id: str) -> bool:
        """Whether the guest agent of this machine is to stay silent for good."""
        return False
