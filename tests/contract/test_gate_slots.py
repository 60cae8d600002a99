"""The last gate and restore tests: the restorer's deeds pass in slots, and nowhere else."""

import json
from dataclasses import replace
from typing import Any

import pytest
from azure.core.rest import HttpRequest

from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.deeds import CAN_DO
from vmbackup_core.adapters.gate import Gate
from vmbackup_core.adapters.wire_copies import check_body, copy_body
from vmbackup_core.adapters.wire_items import protection_body
from vmbackup_core.adapters.wire_restores import item_path, restore_body, validation_body
from vmbackup_core.domain.drill.facts import AttachedDisk, CopySpec, GuestCheck, RestoreOrder
from vmbackup_core.domain.drill.slots import EXPIRES_TAG, MADE_BY_TAG, RUN_TAG, Place, Slot
from vmbackup_core.domain.errors import Denied
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.ids import VaultId, VmId

SUB = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
ARM = "https://management.azure.com"
STAGE = "https://stage.blob.core.windows.net"
PLACE = Place(SUB, "westeurope")
SLOT = Slot(PLACE, 1)
IN_SLOT = f"{ARM}{SLOT.id}/providers"
COMPUTE = f"{IN_SLOT}/Microsoft.Compute"
COPY = f"{COMPUTE}/virtualMachines/drill-0123456789"
NIC = f"{IN_SLOT}/Microsoft.Network/networkInterfaces/drill-0123456789-nic"
DISK = f"{COMPUTE}/disks/web01-osdisk-20260302-100000"
V = "?api-version=2024-07-01"
DISKS = "?api-version=2024-03-02"
NICS = "?api-version=2024-03-01"
BACKUP = "?api-version=2024-04-01"
ORDER = RestoreOrder(
    vm=VmId(SUB, "rg-app", "web"),
    vault=VaultId(SUB, "rg-backup", "rsv-1"),
    point="123456",
    location="westeurope",
    slot=SLOT,
    staging=f"{PLACE.group_id}/providers/microsoft.storage/storageaccounts/stage",
)
POINT = f"{ARM}{item_path(ORDER)}/recoveryPoints/123456"
RSV = f"{ARM}{ORDER.vault}"
JOB = "427fc8cf-cc9c-4216-a7a6-32ae8e81d4dd"
OURS = {RUN_TAG: "0123456789", EXPIRES_TAG: "2026-03-02T10:00:00Z", MADE_BY_TAG: "vmbackup"}
SPEC = CopySpec(
    slot=SLOT,
    name="drill-0123456789",
    location="westeurope",
    size="Standard_B2s",
    os_type="Linux",
    os_disk=AttachedDisk(f"{SLOT.id}/providers/microsoft.compute/disks/os", None, "ReadWrite"),
    data_disks=(AttachedDisk(f"{SLOT.id}/providers/microsoft.compute/disks/d0", 0),),
    tags=Tags.of(OURS),
    security="TrustedLaunch",
    zones=("1",),
    network_security_group=(
        f"{PLACE.group_id}/providers/microsoft.network/networksecuritygroups/slot-1"
    ),
)
MADE = copy_body(SPEC)
RESTORE = restore_body(ORDER)
CHECK = check_body("westeurope", GuestCheck("shop", "Linux", "true"))
ONCE = {"If-None-Match": "*"}
BACK = "a-" + "0" * 32


class Answer:
    status_code = 200


class Wire:
    """Counts what got through."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, request: Any, **options: Any) -> Answer:
        self.sent.append((request.method, request.url))
        return Answer()


@pytest.fixture
def wire() -> Wire:
    return Wire()


class Gates:
    """The gates of one identity, for ARM and for one staging account."""

    def __init__(self, wire: Wire, identity: Identity = Identity.RESTORER) -> None:
        self._arm = Gate(ARM, Host.ARM, wire, identity)
        self._stage = Gate(STAGE, Host.STAGING, wire, identity)

    def send(self, method: str, url: str, body: Any = None, more: Any = None) -> None:
        content = json.dumps(body) if isinstance(body, dict) else body
        headers = {"Content-Type": "application/json"} if content is not None else {}
        request = HttpRequest(method, url, content=content, headers={**headers, **(more or {})})
        (self._stage if url.startswith(STAGE) else self._arm).send(request)


@pytest.fixture
def gate(wire: Wire) -> Gates:
    return Gates(wire)


def assert_refused(gate: Gates, wire: Wire, *args: Any) -> None:
    with pytest.raises(Denied) as refused:
        gate.send(*args)

    assert refused.value.code == "LastGate"
    assert wire.sent == []


DEEDS = [
    pytest.param("POST", f"{POINT}/restore{BACKUP}", RESTORE, None, id="restore"),
    pytest.param(
        "POST",
        f"{RSV}/backupTriggerValidateOperation{BACKUP}",
        validation_body(ORDER),
        None,
        id="validate",
    ),
    pytest.param("POST", f"{RSV}/backupJobs/{JOB}/cancel{BACKUP}", None, None, id="cancel"),
    pytest.param("PUT", f"{COPY}{V}", MADE, ONCE, id="make"),
    pytest.param("POST", f"{COPY}/deallocate{V}", None, None, id="stop"),
    pytest.param("PUT", f"{COPY}/runCommands/shop-is-up{V}", CHECK, None, id="check"),
    pytest.param("POST", f"{COPY}/retrieveBootDiagnosticsData{V}", None, None, id="console"),
    pytest.param("DELETE", f"{COPY}{V}", None, None, id="remove-machine"),
    pytest.param("DELETE", f"{DISK}{DISKS}", None, None, id="remove-disk"),
    pytest.param("DELETE", f"{NIC}{NICS}", None, None, id="remove-interface"),
    pytest.param("DELETE", f"{STAGE}/{BACK}?restype=container", None, None, id="remove-blobs"),
]


@pytest.mark.parametrize(("method", "url", "body", "headers"), DEEDS)
def test_what_the_restorer_does_passes(
    gate: Gates, wire: Wire, method: str, url: str, body: Any, headers: Any
) -> None:
    gate.send(method, url, body, headers)

    assert wire.sent == [(method, url)]


@pytest.mark.parametrize("identity", [Identity.PROTECTOR, Identity.READER])
@pytest.mark.parametrize(("method", "url", "body", "headers"), DEEDS)
def test_nobody_else_does_it(
    wire: Wire, identity: Identity, method: str, url: str, body: Any, headers: Any
) -> None:
    assert_refused(Gates(wire, identity), wire, method, url, body, headers)


def test_the_restorers_deeds_touch_arm_and_staging_alone() -> None:
    hosts = {deed.host for deed in CAN_DO if deed.who is Identity.RESTORER}

    assert hosts == {Host.ARM, Host.STAGING}


def test_the_restorer_protects_nothing(gate: Gates, wire: Wire) -> None:
    protect = protection_body(ORDER.vm, ORDER.vault, "gold", None)

    assert_refused(gate, wire, "PUT", f"{ARM}{item_path(ORDER)}{BACKUP}", protect)


WRONG_GROUPS = [
    "rg-app",
    "vmbackup-drill",
    "vmbackup-drill-westeurope",
    "vmbackup-drill-westeurope-",
    "vmbackup-drill-westeurope-0",
    "vmbackup-drill-westeurope-01",
    "vmbackup-drill-westeurope-100",
    "vmbackup-drill-westeurope-1-evil",
    "vmbackup-drill-westeurope-1.evil",
    "vmbackup-drill-west-europe-1",
    "vmbackup-drill--1",
    "vmbackup-drill-westeurope-x",
    "evil-vmbackup-drill-westeurope-1",
    "vmbackup-drill-westeurope-1%20",
    "vmbackup-drill-westeurope-1%2Fx",
    "vmbackup-drill-westeurope-1%00",
    "vmbackup-drill-westeurope-%D9%A1",
    "vmbac%E2%84%AAup-drill-westeurope-1",
    "vmbackup-drill-westeurope-1/../rg-app",
    "vmbackup-drill-westeurope-1/%2e%2e/rg-app",
    "vmbackup-drill-westeurope-1;rg-app",
]


@pytest.mark.parametrize("group", WRONG_GROUPS)
@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("PUT", f"{COPY}{V}", MADE),
        ("POST", f"{COPY}/deallocate{V}", None),
        ("PUT", f"{COPY}/runCommands/shop{V}", CHECK),
        ("POST", f"{COPY}/retrieveBootDiagnosticsData{V}", None),
        ("DELETE", f"{COPY}{V}", None),
        ("DELETE", f"{DISK}{DISKS}", None),
        ("DELETE", f"{NIC}{NICS}", None),
    ],
)
def test_nothing_is_done_outside_a_slot(
    gate: Gates, wire: Wire, method: str, url: str, body: Any, group: str
) -> None:
    assert_refused(gate, wire, method, url.replace(SLOT.group, group), body, ONCE)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("DELETE", f"{ARM}{SLOT.id}?api-version=2022-09-01"),
        ("DELETE", f"{ARM}{PLACE.group_id}?api-version=2022-09-01"),
        ("DELETE", f"{ARM}{PLACE.network_id}{NICS}"),
        ("DELETE", f"{ARM}{PLACE.network_id}/subnets/slot-1{NICS}"),
        ("DELETE", f"{IN_SLOT}/Microsoft.Network/networkSecurityGroups/x{NICS}"),
        ("DELETE", f"{IN_SLOT}/Microsoft.Network/publicIPAddresses/x{NICS}"),
        ("DELETE", f"{IN_SLOT}/Microsoft.Storage/storageAccounts/x{V}"),
        ("DELETE", f"{COMPUTE}/snapshots/x{DISKS}"),
        ("DELETE", f"{COPY}/extensions/x{V}"),
        ("DELETE", f"{COPY}/runCommands/x{V}"),
        ("DELETE", f"{COPY}{V}&forceDeletion=true"),
        ("DELETE", f"{COPY}/providers/Microsoft.Authorization/locks/x?api-version=2020-05-01"),
        ("DELETE", f"{COPY}?api-version=2016-01-01"),
        ("DELETE", COPY),
        ("DELETE", f"{DISK}{V}"),
        ("POST", f"{COPY}/deallocate{V}&hibernate=true"),
        ("POST", f"{COPY}/start{V}"),
        ("POST", f"{COPY}/restart{V}"),
        ("POST", f"{COPY}/runCommand{V}"),
        ("POST", f"{COPY}/capture{V}"),
        ("POST", f"{COPY}/generalize{V}"),
        ("POST", f"{COPY}/retrieveBootDiagnosticsData{V}&sasUriExpirationTimeInMinutes=1440"),
        ("POST", f"{DISK}/beginGetAccess{DISKS}"),
        ("PATCH", f"{COPY}{V}"),
        ("PUT", f"{COPY}/extensions/x{V}"),
        ("PUT", f"{DISK}{DISKS}"),
        ("PUT", f"{NIC}{NICS}"),
        ("PUT", f"{ARM}{PLACE.network_id}{NICS}"),
        ("PUT", f"{ARM}{SLOT.id}?api-version=2022-09-01"),
        ("PUT", f"{ARM}{PLACE.group_id}?api-version=2022-09-01"),
        ("PUT", f"{COPY.replace('drill-0123456789', 'web')}{V}"),
        ("PUT", f"{COPY.replace('drill-0123456789', 'drill-0123456789a')}{V}"),
        ("POST", f"{RSV}/backupJobs/{JOB}x/cancel{BACKUP}"),
        ("POST", f"{RSV}/backupJobs/cancel{BACKUP}"),
        ("POST", f"{POINT}/move{BACKUP}"),
        ("POST", f"{POINT}/provisionInstantItemRecovery{BACKUP}"),
        ("DELETE", f"{POINT}{BACKUP}"),
        ("DELETE", f"{ARM}{item_path(ORDER)}{BACKUP}"),
        ("DELETE", f"{STAGE}/{BACK}"),
        ("DELETE", f"{STAGE}/{BACK}/config.json"),
        ("DELETE", f"{STAGE}/evidence?restype=container"),
        ("DELETE", f"{STAGE}/$logs?restype=container"),
        ("DELETE", f"{STAGE}/{'0' * 33}g?restype=container"),
        ("DELETE", f"{STAGE}/{BACK}?restype=service"),
        ("DELETE", f"{STAGE}/{BACK}?restype=container&comp=lease"),
        ("PUT", f"{STAGE}/{BACK}?restype=container"),
        ("PUT", f"{STAGE}/{BACK}?restype=container&comp=acl"),
        ("PUT", f"{STAGE}/{BACK}/config.json"),
        ("POST", f"{STAGE}/?comp=batch"),
        ("POST", f"{STAGE}/?restype=service&comp=userdelegationkey"),
    ],
)
def test_what_is_not_in_the_list_does_not_pass(
    gate: Gates, wire: Wire, method: str, url: str
) -> None:
    assert_refused(gate, wire, method, url, None, ONCE)


def test_containers_of_another_account_are_not_removed(wire: Wire) -> None:
    own = Gate(STAGE, Host.STAGING, wire, Identity.RESTORER)

    with pytest.raises(Denied, match="none of ours"):
        own.send(
            HttpRequest("DELETE", f"{STAGE.replace('stage', 'prod')}/{BACK}?restype=container")
        )


@pytest.mark.parametrize("host", [Host.BLOBS, Host.READ_ONLY, Host.ARM, Host.TABLES])
def test_containers_are_removed_from_staging_accounts_alone(wire: Wire, host: Host) -> None:
    gate = Gate(STAGE, host, wire, Identity.RESTORER)

    with pytest.raises(Denied, match="last gate"):
        gate.send(HttpRequest("DELETE", f"{STAGE}/{BACK}?restype=container"))


def slot_id(subscription: str = SUB, group: str = SLOT.group) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def account(subscription: str = SUB, group: str = PLACE.group, name: str = "stage") -> str:
    return f"{slot_id(subscription, group)}/providers/Microsoft.Storage/storageAccounts/{name}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"recoveryType": "OriginalLocation"},
        {"recoveryType": "AlternateLocation"},
        {"recoveryType": "Offline"},
        {"recoveryType": "restoredisks"},
        {"objectType": "AzureWorkloadRestoreRequest"},
        {"originalStorageAccountOption": True},
        {"originalStorageAccountOption": 0},
        {"createNewCloudService": True},
        {"region": "northeurope"},
        {"region": ""},
        {"targetResourceGroupId": None},
        {"targetResourceGroupId": ""},
        {"targetResourceGroupId": [slot_id()]},
        {"targetResourceGroupId": slot_id(OTHER)},
        {"targetResourceGroupId": slot_id(group="rg-app")},
        {"targetResourceGroupId": slot_id(group=PLACE.group)},
        {"targetResourceGroupId": slot_id(group="vmbackup-drill-northeurope-1")},
        {"targetResourceGroupId": slot_id(group="vmbackup-drill-westeurope-1-evil")},
        {"targetResourceGroupId": slot_id(group="vmbac\u212aup-drill-westeurope-1")},
        {"targetResourceGroupId": slot_id(group="vmbackup-drill-westeurope-\u0661")},
        {"targetResourceGroupId": f"{slot_id()}/"},
        {"targetResourceGroupId": f"{slot_id()}\n"},
        {"targetResourceGroupId": f" {slot_id()}"},
        {"storageAccountId": account(OTHER)},
        {"storageAccountId": account(group="rg-app")},
        {"storageAccountId": account(group=SLOT.group)},
        {"storageAccountId": account(group="vmbackup-drill-northeurope")},
        {"storageAccountId": account(name="stage/x")},
        {"storageAccountId": ""},
        {"targetVirtualMachineId": "/x"},
        {"virtualNetworkId": "/x"},
        {"subnetId": "/x"},
        {"identityInfo": {"isSystemAssignedIdentity": True}},
        {"identityBasedRestoreDetails": {}},
        {"resourceGuardOperationRequests": ["/x"]},
        {"securedVMDetails": {}},
        {"diskEncryptionSetId": "/x"},
        {"zones": ["1"]},
        {"TARGETRESOURCEGROUPID": slot_id(group="rg-app")},
    ],
)
def test_a_restore_is_one_of_disks_into_a_slot(gate: Gates, wire: Wire, wrong: Any) -> None:
    asked = {**RESTORE["properties"], **wrong}

    assert_refused(gate, wire, "POST", f"{POINT}/restore{BACKUP}", {"properties": asked})
    question = {**validation_body(ORDER)}
    question["properties"] = {**question["properties"], "restoreRequest": asked}
    assert_refused(gate, wire, "POST", f"{RSV}/backupTriggerValidateOperation{BACKUP}", question)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sourceResourceId": f"{ORDER.vm}2"},
        {"sourceResourceId": str(VmId(OTHER, "rg-app", "web"))},
        {"sourceResourceId": ""},
        {"recoveryPointId": "654321"},
        {"recoveryPointId": 123456},
    ],
)
def test_a_restore_is_of_the_point_that_its_path_names(gate: Gates, wire: Wire, wrong: Any) -> None:
    asked = {**RESTORE["properties"], **wrong}

    assert_refused(gate, wire, "POST", f"{POINT}/restore{BACKUP}", {"properties": asked})


def test_a_restore_from_a_vault_of_another_subscription_is_refused(gate: Gates, wire: Wire) -> None:
    url = f"{POINT}/restore{BACKUP}".replace(SUB, OTHER)

    assert_refused(gate, wire, "POST", url, RESTORE)


def changed(path: str, value: Any) -> Any:
    """Return the body of a copy with the value at a dotted path replaced, or added."""
    body = json.loads(json.dumps(MADE))
    *way, last = path.split(".")
    node = body
    for name in way:
        node = node[int(name)] if name.isdigit() else node[name]
    node[last] = value
    return body


NICS_AT = "properties.networkProfile.networkInterfaceConfigurations"
NIC_AT = f"{NICS_AT}.0.properties"
IP_AT = f"{NIC_AT}.ipConfigurations.0.properties"
OS_AT = "properties.storageProfile.osDisk"
NETWORK = f"{PLACE.group_id}/providers/Microsoft.Network/virtualNetworks"
ONE_NIC = MADE["properties"]["networkProfile"]["networkInterfaceConfigurations"][0]
ONE_IP = ONE_NIC["properties"]["ipConfigurations"][0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("identity", {"type": "SystemAssigned"}),
        ("identity", None),
        ("IDENTITY", {"type": "SystemAssigned"}),
        ("resources", []),
        ("extendedLocation", {}),
        ("location", "northeurope"),
        ("location", None),
        ("tags", {}),
        ("tags", None),
        ("tags.backup", "gold"),
        ("plan", {"promotionCode": "x"}),
        ("properties.osProfile", {}),
        ("properties.osprofile", {"customData": "x"}),
        ("properties.userData", "x"),
        ("properties.extensionsTimeBudget", "PT1H"),
        ("properties.applicationProfile", {}),
        ("properties.additionalCapabilities", {}),
        ("properties.additionalCapabilities", {"hibernationEnabled": True}),
        (
            "properties.additionalCapabilities",
            {"ultraSSDEnabled": True, "hibernationEnabled": True},
        ),
        ("properties.availabilitySet", {"id": "/x"}),
        ("properties.virtualMachineScaleSet", {"id": "/x"}),
        ("properties.host", {"id": "/x"}),
        ("properties.diagnosticsProfile", None),
        ("properties.diagnosticsProfile", {"bootDiagnostics": {"enabled": False}}),
        ("properties.diagnosticsProfile.bootDiagnostics.storageUri", "https://evil.example"),
        ("properties.securityProfile.securityType", "ConfidentialVM"),
        ("properties.securityProfile.encryptionAtHost", True),
        ("properties.securityProfile.encryptionIdentity", {}),
        ("properties.hardwareProfile.vmSizeProperties", {}),
        ("properties.storageProfile.imageReference", {"id": "/x"}),
        ("properties.storageProfile.osDisk", None),
        ("properties.storageProfile.dataDisks", {"0": {}}),
        (f"{OS_AT}.createOption", "FromImage"),
        (f"{OS_AT}.createOption", "Copy"),
        (f"{OS_AT}.deleteOption", "Detach"),
        (f"{OS_AT}.image", {"uri": "https://evil.example"}),
        (f"{OS_AT}.vhd", {"uri": "https://evil.example"}),
        (f"{OS_AT}.encryptionSettings", {}),
        (f"{OS_AT}.managedDisk", None),
        (f"{OS_AT}.managedDisk.diskEncryptionSet", {"id": "/x"}),
        (f"{OS_AT}.managedDisk.id", f"{Slot(PLACE, 2).id}/providers/microsoft.compute/disks/os"),
        (f"{OS_AT}.managedDisk.id", f"{SLOT.id}-evil/providers/microsoft.compute/disks/os"),
        (f"{OS_AT}.managedDisk.id", f"{slot_id(OTHER)}/providers/microsoft.compute/disks/os"),
        (f"{OS_AT}.managedDisk.id", f"{SLOT.id}/providers/microsoft.compute/snapshots/os"),
        (f"{OS_AT}.managedDisk.id", f"{SLOT.id}/providers/microsoft.compute/disks/x/../../os"),
        (f"{OS_AT}.managedDisk.id", f"{slot_id(group='rg-app')}/providers/x/disks/os"),
        ("properties.storageProfile.dataDisks.0.createOption", "Empty"),
        ("properties.storageProfile.dataDisks.0.toBeDetached", True),
        ("properties.storageProfile.dataDisks.0.sourceResource", {"id": "/x"}),
        (
            "properties.storageProfile.dataDisks.0.managedDisk.id",
            f"{slot_id(group='rg-app')}/providers/Microsoft.Compute/disks/prod",
        ),
        ("properties.networkProfile", None),
        ("properties.networkProfile.networkInterfaces", [{"id": "/x"}]),
        (NICS_AT, []),
        (NICS_AT, [ONE_NIC, ONE_NIC]),
        (f"{NICS_AT}.0.tags", {}),
        (f"{NIC_AT}.deleteOption", "Detach"),
        (f"{NIC_AT}.enableIPForwarding", True),
        (f"{NIC_AT}.dnsSettings", {"dnsServers": ["10.0.0.1"]}),
        (f"{NIC_AT}.networkSecurityGroup", None),
        (f"{NIC_AT}.networkSecurityGroup.id", f"{slot_id()}/providers/Microsoft.Network/x/y"),
        (f"{NIC_AT}.ipConfigurations", [ONE_IP, ONE_IP]),
        (f"{IP_AT}.publicIPAddressConfiguration", {"name": "x"}),
        (f"{IP_AT}.publicIPAddressConfiguration", None),
        (f"{IP_AT}.applicationSecurityGroups", []),
        (f"{IP_AT}.loadBalancerBackendAddressPools", []),
        (f"{IP_AT}.subnet", None),
        (f"{IP_AT}.subnet.id", f"{NETWORK}/vmbackup-drill/subnets/slot-2"),
        (f"{IP_AT}.subnet.id", f"{NETWORK}/vmbackup-drill/subnets/slot-11"),
        (f"{IP_AT}.subnet.id", f"{NETWORK}/vmbackup-drill/subnets/default"),
        (f"{IP_AT}.subnet.id", f"{NETWORK}/prod/subnets/slot-1"),
        (f"{IP_AT}.subnet.id", f"{NETWORK}/vmbackup-drill/subnets/slot-1".replace(SUB, OTHER)),
        (f"{IP_AT}.subnet.id", f"{NETWORK}/vmbackup-drill/subnets/\u017flot-1"),
    ],
)
def test_a_copy_is_nobody_and_alone(gate: Gates, wire: Wire, path: str, value: Any) -> None:
    assert_refused(gate, wire, "PUT", f"{COPY}{V}", changed(path, value), ONCE)


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": '"1"'}, {"If-Match": "*"}])
def test_a_copy_is_written_over_nothing(gate: Gates, wire: Wire, headers: Any) -> None:
    assert_refused(gate, wire, "PUT", f"{COPY}{V}", MADE, headers)


def test_a_machine_may_go_without_what_it_does_not_need(gate: Gates, wire: Wire) -> None:
    plain = copy_body(SPEC)
    del plain["properties"]["securityProfile"], plain["zones"]

    gate.send("PUT", f"{COPY}{V}", plain, ONCE)

    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"runAsUser": "root"},
        {"runAsPassword": "x"},
        {"outputBlobUri": "https://evil.example"},
        {"errorBlobUri": "https://evil.example"},
        {"parameters": []},
        {"treatFailureAsDeploymentFailure": True},
        {"source": {"scriptUri": "https://evil.example"}},
        {"source": {"commandId": "RunShellScript"}},
        {"source": {"script": "true", "scriptUri": "https://evil.example"}},
        {"source": None},
    ],
)
def test_a_check_is_a_script_and_nothing_more(gate: Gates, wire: Wire, wrong: Any) -> None:
    body = {**CHECK, "properties": {**CHECK["properties"], **wrong}}

    assert_refused(gate, wire, "PUT", f"{COPY}/runCommands/shop{V}", body)


@pytest.mark.parametrize("group", [SLOT.group, PLACE.group, "VMBACKUP-DRILL-westeurope-1"])
def test_what_lies_in_slots_is_never_protected(wire: Wire, group: str) -> None:
    copy = VmId(SUB, group, "web")
    url = f"{ARM}{item_path(replace(ORDER, vm=copy))}{BACKUP}"
    body = protection_body(copy, ORDER.vault, "gold", None)

    assert_refused(Gates(wire, Identity.PROTECTOR), wire, "PUT", url, body)
