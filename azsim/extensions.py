"""Extensions of machines: what was added, and how a machine shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azsim.machine import Machine

KIND = "Microsoft.Compute/virtualMachines/extensions"
_WELL = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready"}
_RUN_COMMANDS = "Microsoft.CPlat.Core.RunCommandHandler"


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension; `publisher` and `type` name its handler."""

    name: str
    publisher: str
    type: str
    version: str = "1.0"

    @property
    def handler(self) -> str:
        return f"{self.publisher}.{self.type}"


MONITOR = Extension(
    "AzureMonitorLinuxAgent", "Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent", "1.33"
)


# models extension-resources
def resources(machine: "Machine") -> list[dict[str, Any]]:
    """Write the extensions as the machine's own resources."""
    return [
        {
            "name": extension.name,
            "id": f"{machine.id}/extensions/{extension.name}",
            "type": KIND,
            "location": machine.location,
            "properties": {
                "autoUpgradeMinorVersion": True,
                "provisioningState": "Succeeded",
                "publisher": extension.publisher,
                "type": extension.type,
                "typeHandlerVersion": extension.version,
            },
        }
        for extension in machine.extensions
    ]


# models extension-handlers-view
def handlers(machine: "Machine") -> Iterator[dict[str, Any]]:
    """Yield what the agent reports of the handlers that it runs."""
    for extension in machine.extensions:
        yield {
            "type": extension.handler,
            "typeHandlerVersion": f"{extension.version}.0.0",
            "status": _WELL,
        }
    # models run-command-handler
    if machine.world.machines.run_commands.of(machine):
        kind = f"{_RUN_COMMANDS}{machine.os_type}"
        yield {"type": kind, "typeHandlerVersion": "1.3.9", "status": _WELL}


def views(machine: "Machine") -> list[dict[str, Any]]:
    """Write the extensions as the machine's instance view has them."""
    status = {"code": "ProvisioningState/succeeded", "level": "Info"}
    return [
        {
            "name": extension.name,
            "type": extension.handler,
            "typeHandlerVersion": extension.version,
            "statuses": [status | {"displayStatus": "Provisioning succeeded"}],
        }
        for extension in machine.extensions
    ]
