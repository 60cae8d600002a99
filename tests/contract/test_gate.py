"""The last gate: what this app may do passes, and nothing else does, however it is dressed."""

import json
from typing import Any

import pytest
from azure.core.rest import HttpRequest

from azsim.transport import SimTransport
from azsim.world import World
from tests.clocks import HandClock
from tests.credentials import StaticCredential
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.deeds import CAN_DO
from vmbackup_core.adapters.gate import Gate
from vmbackup_core.adapters.wire_items import protection_body, undelete_body, vault_body
from vmbackup_core.domain.errors import Denied
from vmbackup_core.domain.facts import DiskExclusion
from vmbackup_core.domain.ids import VaultId, VmId

SUB = "11111111-2222-3333-4444-555555555555"
VM = VmId(SUB, "rg-app", "web")
VAULT = VaultId(SUB, "rg-backup", "rsv-1")
ARM = "https://management.azure.com"
GROUP = f"{ARM}/subscriptions/{SUB}/resourceGroups/rg-backup"
RSV = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-1"
ITEM = (
    f"{RSV}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;web"
    "/protectedItems/VM;iaasvmcontainerv2;rg-app;web"
)
MACHINE = f"{ARM}{VM}"
V = "?api-version=2024-04-01"
TABLES = "https://ledger.table.core.windows.net"
BLOBS = "https://ledger.blob.core.windows.net"
CONFIG = "https://config.blob.core.windows.net/config"
PLACES = {ARM: Host.ARM, TABLES: Host.TABLES, BLOBS: Host.BLOBS, CONFIG: Host.READ_ONLY}
JSON = {"Content-Type": "application/json"}
PROTECT = protection_body(VM, VAULT, "gold", None)
UNDELETE = undelete_body(VM)


class Answer:
    def __init__(self, status: int) -> None:
        self.status_code = status


class Wire:
    """Counts what got through; `missing` are the URLs that it answers with 404."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.missing: set[str] = set()

    def send(self, request: Any, **options: Any) -> Answer:
        self.sent.append((request.method, request.url))
        return Answer(404 if request.url in self.missing else 200)


@pytest.fixture
def wire() -> Wire:
    return Wire()


class Gates:
    """One gate for each place, as the adapters have them; a URL of none is tried at ARM's."""

    def __init__(self, wire: Wire, identity: Identity = Identity.PROTECTOR) -> None:
        self._gates = {url: Gate(url, host, wire, identity) for url, host in PLACES.items()}

    def send(self, request: HttpRequest) -> Any:
        places = (place for place in PLACES if request.url.startswith(place))
        return self._gates[next(places, ARM)].send(request)


@pytest.fixture
def gate(wire: Wire) -> Gates:
    return Gates(wire)


def request(
    method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
) -> HttpRequest:
    content = json.dumps(body) if isinstance(body, dict) else body
    named = {**(JSON if content is not None else {}), **(headers or {})}
    return HttpRequest(method, url, content=content, headers=named)


def assert_refused(gate: Gates, wire: Wire, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(Denied) as refused:
        gate.send(request(*args, **kwargs))

    assert refused.value.code == "LastGate"
    assert wire.sent == []


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", f"{MACHINE}?api-version=2024-07-01", None),
        ("HEAD", f"{GROUP}?api-version=2022-09-01", None),
        ("GET", "https://management.azure.com:443/subscriptions?api-version=2022-12-01", None),
        ("GET", f"{ITEM}/operationsStatus/1?api-version=2019-05-13-preview&t=1&s=x", None),
        ("GET", "https://config.blob.core.windows.net/config/vmbackup.toml", None),
        (
            "POST",
            f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
            {"query": "resources"},
        ),
        (
            "POST",
            f"{ARM}/subscriptions/{SUB}/providers/Microsoft.RecoveryServices/locations/westeurope"
            f"/backupStatus{V}",
            {"resourceType": "VM", "resourceId": str(VM)},
        ),
        ("POST", f"{RSV}/backupFabrics/Azure/refreshContainers{V}", None),
        ("PUT", f"{ITEM}{V}", PROTECT),
        ("PUT", f"{ITEM}{V}".replace(";", "%3B"), PROTECT),
        ("PUT", f"{ITEM}{V}".replace(";", "%3b").replace("vaults", "VAULTS"), PROTECT),
        ("PUT", f"{ITEM}{V}", protection_body(VM, VAULT, "gold", DiskExclusion((1, 2), False))),
        ("PUT", f"{ITEM}{V}", UNDELETE),
        ("POST", f"{TABLES}/Tables", {"TableName": "vmbackup"}),
        ("POST", f"{TABLES}/vmbackup", {"PartitionKey": "vm"}),
        ("PUT", f"{TABLES}/vmbackup(PartitionKey='vm',RowKey='a-1')", {"number": "2"}),
        ("PATCH", f"{TABLES}/vmbackup(PartitionKey='vm',RowKey='a-1')", {"number": "2"}),
        ("PUT", f"{BLOBS}/evidence?restype=container", None),
        ("PUT", f"{BLOBS}/evidence/protection/2026-03/000001.json", b"{}"),
        ("PUT", f"{BLOBS}/snapshots/a.json?comp=block&blockid=AAAA%3D%3D", b"{}"),
        ("PUT", f"{BLOBS}/snapshots/a.json?comp=blocklist", b"<BlockList/>"),
    ],
)
def test_what_the_app_does_passes(
    gate: Gates, wire: Wire, method: str, url: str, body: Any
) -> None:
    gate.send(request(method, url, body))

    assert wire.sent == [(method, url)]


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("DELETE", f"{ITEM}{V}"),
        ("DELETE", f"{RSV}{V}"),
        ("DELETE", f"{RSV}/backupPolicies/gold{V}"),
        ("DELETE", f"{GROUP}?api-version=2022-09-01"),
        ("DELETE", f"{MACHINE}?api-version=2024-07-01"),
        ("DELETE", f"{TABLES}/vmbackup(PartitionKey='vm',RowKey='a')"),
        ("DELETE", f"{TABLES}/Tables('vmbackup')"),
        ("DELETE", f"{BLOBS}/evidence/1.json"),
        ("DELETE", f"{BLOBS}/evidence?restype=container"),
        ("PUT", f"{MACHINE}?api-version=2024-07-01"),
        ("PATCH", f"{MACHINE}?api-version=2024-07-01"),
        ("POST", f"{MACHINE}/deallocate?api-version=2024-07-01"),
        ("POST", f"{MACHINE}/runCommand?api-version=2024-07-01"),
        ("PUT", f"{MACHINE}/extensions/x?api-version=2024-07-01"),
        ("PATCH", f"{RSV}{V}"),
        ("PATCH", f"{ITEM}{V}"),
        ("PUT", f"{RSV}/backupconfig/vaultconfig{V}"),
        ("PATCH", f"{RSV}/backupconfig/vaultconfig{V}"),
        ("PUT", f"{RSV}/backupstorageconfig/vaultstorageconfig{V}"),
        ("PUT", f"{RSV}/backupEncryptionConfigs/backupResourceEncryptionConfig{V}"),
        ("PUT", f"{RSV}/backupResourceGuardProxies/VaultProxy{V}"),
        ("POST", f"{RSV}/backupResourceGuardProxies/VaultProxy/unlockDelete{V}"),
        ("POST", f"{RSV}/backupSecurityPIN{V}"),
        ("POST", f"{RSV}/backupJobs/1/cancel{V}"),
        ("POST", f"{ITEM}/backup{V}"),
        ("POST", f"{ITEM}/recoveryPoints/1/restore{V}"),
        ("POST", f"{ITEM}/recoveryPoints/1/move{V}"),
        ("PUT", f"{RSV}/backupFabrics/Azure/backupProtectionIntent/x{V}"),
        ("PUT", f"{RSV}/providers/Microsoft.Authorization/locks/x?api-version=2020-05-01"),
        ("PUT", f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/x{V}"),
        ("POST", f"{ARM}/batch?api-version=2020-06-01"),
        ("POST", f"{ARM}/subscriptions/{SUB}/providers/Microsoft.RecoveryServices/register{V}"),
        ("POST", f"{GROUP}/moveResources{V}"),
        ("PUT", f"{GROUP}/providers/Microsoft.Resources/deployments/x{V}"),
        ("PUT", f"{GROUP}/providers/Microsoft.Resources/tags/default{V}"),
        ("POST", f"{TABLES}/$batch"),
        ("PUT", f"{TABLES}/vmbackup?comp=acl"),
        ("POST", f"{BLOBS}/?comp=batch"),
        ("PUT", f"{BLOBS}/evidence?restype=container&comp=acl"),
        ("PUT", f"{BLOBS}/evidence?restype=container&comp=lease"),
        ("PUT", f"{BLOBS}/evidence/1.json?comp=immutabilityPolicies"),
        ("PUT", f"{BLOBS}/evidence/1.json?comp=legalhold"),
        ("PUT", f"{BLOBS}/evidence/1.json?comp=tier"),
        ("PUT", f"{BLOBS}/evidence/1.json?comp=undelete"),
        ("PUT", f"{BLOBS}/?restype=service&comp=properties"),
        ("PUT", f"{BLOBS}/evidence"),
        ("OPTIONS", f"{RSV}{V}"),
        ("MERGE", f"{ITEM}{V}"),
        ("TRACE", f"{RSV}{V}"),
        ("put", f"{ITEM}{V}"),
        ("DELETE ", f"{ITEM}{V}"),
        ("", f"{ITEM}{V}"),
    ],
)
def test_what_is_not_in_the_list_does_not_pass(
    gate: Gates, wire: Wire, method: str, url: str
) -> None:
    assert_refused(gate, wire, method, url, PROTECT)


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"policyId": ""}, id="no-policy"),
        pytest.param({"policyId": None}, id="null-policy"),
        pytest.param({"policyId": " "}, id="blank-policy"),
        pytest.param({"policyId": [f"{VAULT}/backuppolicies/gold"]}, id="list-for-policy"),
        pytest.param({"policyId": f"{VAULT}/backupPolicies/"}, id="nameless-policy"),
        pytest.param({"policyId": f"{VAULT}/backupPolicies/../../v"}, id="climbing-policy"),
        pytest.param(
            {"policyId": f"{VaultId(SUB, 'rg-backup', 'other')}/backupPolicies/gold"},
            id="policy-of-another-vault",
        ),
        pytest.param({"policyId": "", "protectionState": "ProtectionStopped"}, id="stop"),
        pytest.param({"protectionState": "ProtectionStopped"}, id="stop-with-policy"),
        pytest.param({"ProtectionState": "ProtectionStopped"}, id="stop-in-other-case"),
        pytest.param({"PROTECTIONSTATE": "BackupsSuspended"}, id="suspend"),
        pytest.param({"protectionState": "Protected"}, id="any-state"),
        pytest.param({"protection\u017ftate": "ProtectionStopped"}, id="long-s"),
        pytest.param({" protectionState": "ProtectionStopped"}, id="blank-in-the-key"),
        pytest.param({"existingBasicVMProtection": "DisableWithDeleteRPsNow"}, id="delete-now"),
        pytest.param({"isScheduledForDeferredDelete": True}, id="schedule-deletion"),
        pytest.param({"resourceGuardOperationRequests": ["/x"]}, id="ask-the-guard"),
        pytest.param({"isRehydrate": True}, id="undelete-with-policy"),
        pytest.param({"isRehydrate": False, "protectionState": "ProtectionStopped"}, id="stop-1"),
        pytest.param({"extendedProperties": {"linuxVmApplicationName": "x"}}, id="odd-extension"),
        pytest.param(
            {"extendedProperties": {"diskExclusionProperties": {"diskLunList": "all"}}},
            id="odd-exclusion",
        ),
        pytest.param({"properties": {"protectionState": "ProtectionStopped"}}, id="nested"),
        pytest.param({"protectedItemType": "AzureFileShareProtectedItem"}, id="another-kind"),
        pytest.param({"sourceResourceId": f"{VM}2"}, id="another-vm"),
        pytest.param({"sourceResourceId": [str(VM)]}, id="list-for-vm"),
    ],
)
def test_an_item_can_be_protected_and_nothing_else(
    gate: Gates, wire: Wire, properties: dict[str, Any]
) -> None:
    body = {"properties": {**PROTECT["properties"], **properties}}

    assert_refused(gate, wire, "PUT", f"{ITEM}{V}", body)


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"isRehydrate": 1}, id="one-for-true"),
        pytest.param({"isRehydrate": "true"}, id="text-for-true"),
        pytest.param({"isRehydrate": False}, id="stop"),
        pytest.param({"protectionState": "BackupsSuspended"}, id="suspend"),
        pytest.param({"policyId": f"{VAULT}/backupPolicies/gold"}, id="with-policy"),
        pytest.param({"existingBasicVMProtection": "DisableWithDeleteRPsNow"}, id="delete-now"),
    ],
)
def test_an_undelete_is_exactly_an_undelete(
    gate: Gates, wire: Wire, properties: dict[str, Any]
) -> None:
    body = {"properties": {**UNDELETE["properties"], **properties}}

    assert_refused(gate, wire, "PUT", f"{ITEM}{V}", body)


STOP = '"policyId": "", "protectionState": "ProtectionStopped"'
GOOD = json.dumps(PROTECT["properties"])[1:-1]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f'{{"properties": {{{GOOD}}}, "properties": {{{STOP}}}}}', id="two-bodies"),
        pytest.param(f'{{"properties": {{{STOP}}}, "properties": {{{GOOD}}}}}', id="two-bodies-2"),
        pytest.param(f'{{"properties": {{{GOOD}}}, "Properties": {{{STOP}}}}}', id="two-cases"),
        pytest.param(f'{{"properties": {{{GOOD}, "policyId": ""}}}}', id="two-policies"),
        pytest.param(f'{{"properties": {{{GOOD}, "POLICYID": ""}}}}', id="two-policies-in-case"),
        pytest.param(f'{{"properties": {{{GOOD}}}}} {{"properties": {{{STOP}}}}}', id="two-texts"),
        pytest.param(f'{{"properties": [{{{GOOD}}}]}}', id="a-list"),
        pytest.param(f'{{"properties": {{{GOOD}}}, "location": "x"}}', id="more-around"),
        pytest.param(f'\ufeff{{"properties": {{{GOOD}}}}}', id="byte-order-mark"),
        pytest.param(f'{{"properties": {{{GOOD}}}}}'.encode("utf-16"), id="utf-16"),
        pytest.param(f'{{"properties": {{{GOOD}, "x": NaN}}}}', id="no-number"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("properties=1", id="form"),
        pytest.param("null", id="null"),
        pytest.param("", id="empty"),
        pytest.param(None, id="nothing"),
        pytest.param(iter([json.dumps(PROTECT).encode()]), id="a-stream"),
    ],
)
def test_a_body_that_two_could_read_differently_is_refused(
    gate: Gates, wire: Wire, body: Any
) -> None:
    assert_refused(gate, wire, "PUT", f"{ITEM}{V}", body)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"x-http-method": "DELETE"},
        {"X-Method-Override": "DELETE"},
        {"X-Original-URL": "/x"},
        {"X-Rewrite-URL": "/x"},
        {"X-Forwarded-Host": "x"},
        {"Content-Encoding": "gzip"},
        {"Transfer-Encoding": "chunked"},
        {"Host": "elsewhere"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/merge-patch+json"},
        {"x-ms-authorization-auxiliary": "Bearer x"},
        {"x-ms-copy-source": "https://x"},
    ],
)
def test_a_header_cannot_change_what_a_write_means(
    gate: Gates, wire: Wire, headers: dict[str, str]
) -> None:
    assert_refused(gate, wire, "PUT", f"{ITEM}{V}", PROTECT, headers)


def test_a_header_cannot_turn_a_read_into_a_write(gate: Gates, wire: Wire) -> None:
    assert_refused(gate, wire, "GET", f"{ITEM}{V}", None, {"X-HTTP-Method-Override": "DELETE"})


@pytest.mark.parametrize(
    "url",
    [
        f"{ITEM}",
        f"{ITEM}?api-version=2026-10-01",
        f"{ITEM}?api-version=2016-12-01",
        f"{ITEM}{V}&api-version=2016-12-01",
        f"{ITEM}{V}&API-VERSION=2016-12-01",
        f"{ITEM}{V}&$filter=x",
        f"{ITEM}{V}&x-http-method=DELETE",
        f"{ITEM}{V}#x",
        f"{ITEM}/{V}",
        f"{ITEM}//{V}",
        f"{ITEM}/.{V}",
        f"{ITEM}/../x{V}",
        f"{ITEM}%2F..{V}",
        f"{ITEM}%2fbackup{V}",
        f"{ITEM}%5C..{V}",
        f"{ITEM}\\..{V}",
        f"{ITEM}%00{V}",
        f"{ITEM}%253B{V}",
        f"{ITEM}%3Fapi-version=1{V}",
        f"{ITEM};x{V}",
        f"{ITEM}%20{V}",
        f"{ITEM}.{V}",
        f"{ITEM}/backup{V}",
        f"{ITEM}%FF{V}",
        ITEM.replace("/vaults/", "//vaults/") + V,
        ITEM.replace("/vaults/", "/%2e%2e/vaults/") + V,
        ITEM.replace("web/protectedItems", "other/protectedItems") + V,
        ITEM.replace("Azure/", "Other/", 1).replace("backupFabrics/Azure", "backupFabrics/x") + V,
        ITEM.replace(SUB, "not-a-subscription") + V,
        ITEM.replace("https://", "http://") + V,
        ITEM.replace("https://", "HTTPS://user@") + V,
        ITEM.replace("management.azure.com", "management.azure.com@evil.example") + V,
        ITEM.replace("management.azure.com", "evil.example") + V,
        ITEM.replace("management.azure.com", "management.azure.com.evil.example") + V,
        ITEM.replace("management.azure.com", "management.azure.com.") + V,
        ITEM.replace("management.azure.com", "management.azure.com:8443") + V,
        ITEM.replace("management.azure.com", "ledger.table.core.windows.net") + V,
        ITEM.replace("https://management.azure.com", "") + V,
        ITEM.replace("IaasVMContainer", "Iaa\u017fVMContainer") + V,
        ITEM + V + "\r\nX-HTTP-Method-Override: DELETE",
    ],
)
def test_a_url_cannot_pretend_to_be_an_item(gate: Gates, wire: Wire, url: str) -> None:
    assert_refused(gate, wire, "PUT", url, PROTECT)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/subscriptions",
        "http://management.azure.com/subscriptions",
        "https://management.azure.com@evil.example/",
        "https://other.blob.core.windows.net/config/vmbackup.toml",
    ],
)
def test_a_read_does_not_take_our_token_elsewhere(gate: Gates, wire: Wire, url: str) -> None:
    assert_refused(gate, wire, "GET", url)


@pytest.mark.parametrize(
    "url", [f"{BLOBS}/below/x", f"{TABLES}/vmbackup", f"{TABLES}/below2/vmbackup", TABLES]
)
def test_a_gate_leads_to_its_own_place_only(wire: Wire, url: str) -> None:
    below = Gate(f"{TABLES}/below", Host.TABLES, wire)

    with pytest.raises(Denied, match="none of ours"):
        below.send(request("GET", url))


def test_a_place_may_lie_below_another(wire: Wire) -> None:
    url = f"{TABLES}/below/vmbackup"

    Gate(f"{TABLES}/below", Host.TABLES, wire).send(request("POST", url, {"PartitionKey": "vm"}))

    assert wire.sent == [("POST", url)]


def test_a_place_to_read_from_is_not_written_to(gate: Gates, wire: Wire) -> None:
    assert_refused(gate, wire, "PUT", "https://config.blob.core.windows.net/config/x.toml", b"x")


CREATED = [
    (f"{RSV}{V}", vault_body("westeurope", "GeoRedundant")),
    (f"{GROUP}?api-version=2022-09-01", {"location": "westeurope", "tags": {}}),
    (f"{RSV}/backupPolicies/gold{V}", {"properties": {"backupManagementType": "AzureIaasVM"}}),
]


@pytest.mark.parametrize(("url", "body"), CREATED)
def test_what_was_seen_to_be_missing_may_be_created(
    gate: Gates, wire: Wire, url: str, body: Any
) -> None:
    wire.missing.add(url)

    gate.send(request("GET", url))
    gate.send(request("PUT", url, body))

    assert wire.sent == [("GET", url), ("PUT", url)]


@pytest.mark.parametrize(("url", "body"), CREATED)
def test_what_was_not_looked_for_may_not_be_created(
    gate: Gates, wire: Wire, url: str, body: Any
) -> None:
    assert_refused(gate, wire, "PUT", url, body)


@pytest.mark.parametrize(("url", "body"), CREATED)
def test_what_is_there_may_not_be_written_over(
    gate: Gates, wire: Wire, url: str, body: Any
) -> None:
    gate.send(request("GET", url))

    with pytest.raises(Denied, match="not seen to be missing"):
        gate.send(request("PUT", url, body))


@pytest.mark.parametrize(("url", "body"), CREATED)
def test_having_seen_that_it_is_missing_is_good_for_one_try(
    gate: Gates, wire: Wire, url: str, body: Any
) -> None:
    wire.missing.add(url)
    gate.send(request("GET", url))
    gate.send(request("PUT", url, body))

    with pytest.raises(Denied, match="not seen to be missing"):
        gate.send(request("PUT", url, body))


@pytest.mark.parametrize(
    "properties",
    [
        {"securitySettings": {"softDeleteSettings": {"softDeleteState": "Disabled"}}},
        {"SecuritySettings": {"immutabilitySettings": {"state": "Disabled"}}},
        {"encryption": {}},
        {"restoreSettings": {}},
        {"moveState": "x"},
    ],
)
def test_a_new_vault_cannot_be_an_unsafe_one(
    gate: Gates, wire: Wire, properties: dict[str, Any]
) -> None:
    url, body = f"{RSV}{V}", vault_body("westeurope", "GeoRedundant")
    wire.missing.add(url)
    gate.send(request("GET", url))

    with pytest.raises(Denied, match="properties holds"):
        gate.send(request("PUT", url, {**body, "properties": properties}))


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("PUT", f"{ITEM}{V}", PROTECT),
        ("POST", f"{RSV}/backupFabrics/Azure/refreshContainers{V}", None),
        ("PUT", f"{BLOBS}/evidence/1.json", b"{}"),
    ],
)
def test_the_readers_gate_lets_no_write_through(
    wire: Wire, method: str, url: str, body: Any
) -> None:
    assert_refused(Gates(wire, Identity.READER), wire, method, url, body)


def test_the_readers_gate_lets_it_ask(wire: Wire) -> None:
    url = f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"

    Gates(wire, Identity.READER).send(request("POST", url, {"query": "resources"}))

    assert len(wire.sent) == 1


def test_only_the_restorer_has_deeds_that_delete() -> None:
    deleting = [deed for deed in CAN_DO if "DELETE" in deed.methods]

    assert {deed.who for deed in deleting} == {Identity.RESTORER}
    assert {deed.host for deed in CAN_DO if "PATCH" in deed.methods} == {Host.TABLES}
    assert {method for deed in CAN_DO for method in deed.methods} == {
        "DELETE",
        "POST",
        "PUT",
        "PATCH",
        "MERGE",
    }


def test_the_sdks_own_clients_cannot_get_past_the_gate(world: World) -> None:
    arm = Arm(
        endpoint=ARM,
        scope=f"{ARM}/.default",
        credential=StaticCredential(),
        clock=HandClock(world.clock.now()),
        transport=SimTransport(world),
        identity=Identity.PROTECTOR,
    )

    with pytest.raises(Denied, match="last gate"):
        arm.backup(SUB).protected_items.delete("rsv-1", "rg-backup", "Azure", VM.container, VM.item)
    with pytest.raises(Denied, match="last gate"):
        arm.vaults(SUB).vaults.begin_delete("rg-backup", "rsv-1", polling=False)

    assert world.exchanges == []
