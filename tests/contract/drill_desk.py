"""A protected machine, a slot and a staging account on a simulated Azure, and the ports on it."""

from typing import Any

from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

from azsim.networks import Subnet
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.azure_desk import ENDPOINT, SUB, VAULT, WEST, Desk
from tests.credentials import StaticCredential
from vmbackup_core.adapters.consoles import Consoles
from vmbackup_core.adapters.copies import AzureCopies
from vmbackup_core.adapters.deed_forms import Identity
from vmbackup_core.adapters.restoring import AzureRestoring
from vmbackup_core.adapters.staging import AzureStaging
from vmbackup_core.adapters.wire_restores import restore_body
from vmbackup_core.domain.drill.facts import AttachedDisk, CopySpec, RestoreFacts, RestoreOrder
from vmbackup_core.domain.drill.slots import (
    EXPIRES_TAG,
    MADE_BY,
    MADE_BY_TAG,
    NETWORK,
    RUN_TAG,
    Place,
    Slot,
)
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.ids import VmId

PLACE = Place(SUB, WEST)
SLOT = Slot(PLACE, 1)
NAME = "drill-0123456789"
OURS = Tags.of({RUN_TAG: "0123456789", EXPIRES_TAG: "2030-01-01T00:00:00Z", MADE_BY_TAG: MADE_BY})


class DrillDesk(Desk):
    """`vm` is protected and was backed up last night; its disks can be restored into SLOT."""

    def __init__(self, world: World, **vm: Any) -> None:
        super().__init__(world)
        vault = world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
        self.vm = world.machines.create(
            subscription=SUB, group="rg-app", name="web-01", location=WEST, **vm
        )
        self.source = VmId.parse(self.vm.id)
        world.groups.create(SUB, SLOT.group, WEST)
        subnets = [Subnet("slot-1", "10.0.1.0/24"), Subnet("slot-2", "10.0.2.0/24")]
        world.networks.create(SUB, PLACE.group, NETWORK, WEST, subnets=subnets)
        world.networks.parts.security_group(SUB, PLACE.group, "slot-1", WEST, [])
        self.account = world.storage_accounts.create(SUB, PLACE.group, "stage", WEST).id
        self.wait()
        world.vaults.protect(self.vm.id, vault)
        self.later(days=1)
        self.transport = SimTransport(world)
        self.credential = StaticCredential(Identity.RESTORER)
        reader, restorer = self.arm(Identity.READER), self.arm(Identity.RESTORER)
        self.reader, self.restorer = reader, restorer
        self.restoring = AzureRestoring(reader, restorer, self.clock)
        self.staging = AzureStaging(
            reader, self.credential, "core.windows.net", transport=self.transport
        )
        consoles = Consoles("core.windows.net", "storage.azure.net", transport=self.transport)
        self.copies = AzureCopies(reader, restorer, consoles)

    def order(self, **changes: Any) -> RestoreOrder:
        points = self.restores.observe_points(self.source, VAULT)
        asked = {
            "vm": self.source,
            "vault": VAULT,
            "point": points[0].id,
            "location": WEST,
            "slot": SLOT,
            "staging": self.account,
        }
        return RestoreOrder(**(asked | changes))

    def restored(self) -> RestoreFacts:
        """Restore the disks, and return the job when it has ended."""
        job = self.restoring.start_restore(self.order())
        self.later(hours=3)
        return self.restoring.observe_restore(VAULT, job)

    def spec(self, **changes: Any) -> CopySpec:
        """Return the machine to be made of the disks that were restored."""
        disks = sorted(self.copies.list_disks(SLOT), key=lambda disk: disk.name)
        system, data = disks[-1], disks[:-1]
        wanted = {
            "slot": SLOT,
            "name": NAME,
            "location": WEST,
            "size": "Standard_D2s_v5",
            "os_type": system.os_type,
            "os_disk": AttachedDisk(system.id, None, "ReadWrite"),
            "data_disks": tuple(AttachedDisk(d.id, n, "None") for n, d in enumerate(data)),
            "tags": OURS,
        }
        return CopySpec(**(wanted | changes))

    def copied(self, **changes: Any) -> None:
        """Restore the disks and start a machine made of them."""
        self.restored()
        self.copies.create_copy(self.spec(**changes))
        self.later(minutes=5)

    def restored_by_a_person(self, **changes: Any) -> str:
        """Start a restore with the SDK's own client, as a person would; return the job's id."""
        client = RecoveryServicesBackupClient(
            StaticCredential("a person"),
            SUB,
            base_url=ENDPOINT,
            transport=self.transport,
            retry_total=0,
        )
        order = self.order()
        body = restore_body(order)
        body["properties"] |= changes
        names = (VAULT.name, VAULT.group, "Azure", self.source.container, self.source.item)
        client.restores.begin_trigger(*names, order.point, body, polling=False)
        newest = client.backup_jobs.list(*names[:2], filter="operation eq 'Restore'").next()
        return str(newest.name)
