"""A protected machine with a backup, a place to restore it to, and the real clients to do it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.mgmt.compute import ComputeManagementClient

from azsim.http import Request, Response
from azsim.machines import Machine
from azsim.networks import Network
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.operator_desk import REGION, SUBSCRIPTION, Desk
from tests.credentials import StaticCredential

TARGET = "rg-drill"
ACCOUNT = "stage"


@dataclass
class RestoreDesk:
    """What a restore needs; `vm` is protected and was backed up last night."""

    desk: Desk
    vm: Machine
    network: Network
    compute: ComputeManagementClient

    @classmethod
    def open(cls, world: World, **vm: Any) -> "RestoreDesk":
        desk = Desk.open(world)
        machine = desk.vm("web-01", **vm)
        world.groups.create(SUBSCRIPTION, TARGET, REGION)
        world.storage_accounts.create(SUBSCRIPTION, machine.group, ACCOUNT, REGION)
        network = world.networks.create(SUBSCRIPTION, TARGET, "apart", REGION)
        compute = ComputeManagementClient(
            StaticCredential(),
            SUBSCRIPTION,
            base_url="https://management.azure.com",
            transport=SimTransport(world),
            retry_total=0,
        )
        desk.enable(machine)
        desk.later(days=1)
        return cls(desk, machine, network, compute)

    @property
    def world(self) -> World:
        return self.desk.world

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{TARGET}"

    @property
    def subnet_id(self) -> str:
        return f"{self.network.id}/subnets/default"

    def restore(self, *, group: bool = True, **properties: Any) -> None:
        """Restore the newest point as the request says, into the target group."""
        point = self.desk.points(self.vm)[0]["name"]
        target = {"targetResourceGroupId": self.group_id} if group else {}
        self.desk.restore(self.vm, point, **(target | properties))

    def restore_to(self, name: str, **properties: Any) -> None:
        """Restore to a new machine of that name."""
        asked = {
            "recoveryType": "AlternateLocation",
            "targetVirtualMachineId": (
                f"{self.group_id}/providers/Microsoft.Compute/virtualMachines/{name}"
            ),
            "virtualNetworkId": self.network.id,
            "subnetId": self.subnet_id,
        }
        self.restore(**(asked | properties))

    def restored(self, **properties: Any) -> None:
        self.restore(**properties)
        self.desk.later(minutes=5)

    def disks(self) -> list[Any]:
        return sorted(self.compute.disks.list_by_resource_group(TARGET), key=lambda d: d.name)

    def job(self) -> dict[str, Any]:
        """Return the newest restore job with its details."""
        desk = self.desk
        newest = desk.client.backup_jobs.list(*desk.at, filter="operation eq 'Restore'").next()
        found = desk.client.job_details.get(*desk.at, newest.name).as_dict()
        return {"name": newest.name, **found["properties"]}

    def copy(self, name: str = "copy", **changes: Any) -> Any:
        """Create a machine from the restored disks; returns it once the operation is done."""
        data, system = self.disks()[:-1], self.disks()[-1]
        body = {
            "location": REGION,
            "properties": {
                "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                "storageProfile": {
                    "osDisk": {**attached(system), "osType": system.properties.os_type},
                    "dataDisks": [{**attached(d), "lun": n} for n, d in enumerate(data)],
                },
                "networkProfile": self.nics(),
                "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
                **changes,
            },
        }
        return self.compute.virtual_machines.begin_create_or_update(
            TARGET, name, body, headers={"If-None-Match": "*"}
        ).result()

    def nics(self, subnet: str = "") -> dict[str, Any]:
        address = {"name": "ip", "properties": {"subnet": {"id": subnet or self.subnet_id}}}
        properties = {"primary": True, "deleteOption": "Delete", "ipConfigurations": [address]}
        return {
            "networkApiVersion": "2020-11-01",
            "networkInterfaceConfigurations": [{"name": "nic", "properties": properties}],
        }

    def ask(self, method: str, url: str) -> Response:
        """Make one bare call; a path goes to ARM."""
        if url.startswith("/"):
            url = f"https://management.azure.com{url}?api-version=2024-05-01"
        return self.world.handle(Request(method, url, {"authorization": "Bearer t"}))

    def console(self, name: str = "copy") -> str:
        """Return the machine's serial log."""
        links = self.compute.virtual_machines.retrieve_boot_diagnostics_data(TARGET, name)
        answer = self.ask("GET", links.serial_console_log_blob_uri)
        body = answer.body
        return body.decode() if isinstance(body, bytes) and answer.status == 200 else ""

    def run(self, script: str = "true", **properties: Any) -> Any:
        """Start a managed run command on the copy; the poller comes back."""
        body = {
            "location": REGION,
            "properties": {"source": {"script": script}, **properties},
        }
        return self.compute.virtual_machine_run_commands.begin_create_or_update(
            TARGET, "copy", "check", body, polling=False
        )

    def ran(self) -> Any:
        """Return the run command's instance view."""
        found = self.compute.virtual_machine_run_commands.get_by_virtual_machine(
            TARGET, "copy", "check", expand="instanceView"
        )
        return found.properties.instance_view

    def left(self) -> list[str]:
        """Return the types of what lies in the target group."""
        answer = self.ask("GET", f"{self.group_id}/resources")
        return sorted(row["type"].rsplit("/", 1)[-1] for row in answer.body["value"])  # type: ignore[index,call-overload]

    def later(self, **span: float) -> None:
        self.world.clock.advance(timedelta(**span))


def attached(disk: Any) -> dict[str, Any]:
    return {
        "createOption": "Attach",
        "deleteOption": "Delete",
        "managedDisk": {"id": disk.id},
    }
