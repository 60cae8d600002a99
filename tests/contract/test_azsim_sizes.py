"""Sizes, quotas and what Compute says where one of them does not do."""

from typing import Any

import pytest
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient

from azsim.disks import Disk
from azsim.http import Response
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.arm_calls import GROUP, SUBSCRIPTION, VM, ask, code

WEST = "westeurope"
COMPUTE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute"
USAGES = f"{COMPUTE}/locations/{WEST}/usages"
SKUS = f"{COMPUTE}/skus?$filter=location eq '{WEST}'"


@pytest.fixture
def azure(world: World) -> World:
    world.groups.add_subscription(SUBSCRIPTION)
    world.groups.create(SUBSCRIPTION, "rg", WEST)
    return world


@pytest.fixture
def compute(azure: World, credential: TokenCredential) -> ComputeManagementClient:
    return ComputeManagementClient(
        credential,
        SUBSCRIPTION,
        base_url="https://management.azure.com",
        transport=SimTransport(azure),
    )


def place(azure: World, name: str, size: str, **more: Any) -> str:
    return azure.machines.create(
        subscription=SUBSCRIPTION, group="rg", name=name, location=WEST, size=size, **more
    ).id


def system_disk(azure: World, **more: Any) -> Disk:
    """Place a disk with a system on it that no machine holds."""
    disk = azure.machines.disks.create(
        subscription=SUBSCRIPTION,
        group="rg",
        name="system",
        location=WEST,
        os_type="Linux",
        sku="StandardSSD_LRS",
    )
    for name, value in more.items():
        setattr(disk, name, value)
    return disk


def data_disk(azure: World, sku: str, name: str = "data") -> dict[str, Any]:
    disk = azure.machines.disks.create(
        subscription=SUBSCRIPTION, group="rg", name=name, location=WEST, sku=sku
    )
    return {"createOption": "Attach", "managedDisk": {"id": disk.id}}


def put(
    azure: World,
    size: str,
    system: Disk | None = None,
    *,
    data: tuple[dict[str, Any], ...] = (),
    zones: tuple[str, ...] = (),
    security: str = "",
    controller: str = "",
    ultra: bool = False,
) -> Response:
    """Ask for a machine of a disk, of `size`."""
    disk = system or system_disk(azure)
    storage: dict[str, Any] = {
        "osDisk": {
            "createOption": "Attach",
            "osType": disk.os_type,
            "managedDisk": {"id": disk.id},
        },
        "dataDisks": [one | {"lun": lun} for lun, one in enumerate(data)],
    }
    properties: dict[str, Any] = {
        "hardwareProfile": {"vmSize": size},
        "storageProfile": storage | ({"diskControllerType": controller} if controller else {}),
        "networkProfile": {"networkInterfaces": [{"id": f"{GROUP}/nic"}]},
        "additionalCapabilities": {"ultraSSDEnabled": ultra},
    }
    if security:
        properties["securityProfile"] = {"securityType": security}
    body = {"location": "West Europe", "properties": properties}
    return ask(azure, "PUT", VM, body | ({"zones": list(zones)} if zones else {}))


def message(answer: Response) -> str:
    return str(answer.body["error"]["message"])


def used(azure: World, name: str) -> tuple[int, int]:
    answer = ask(azure, "GET", USAGES)
    line = next(q for q in answer.body["value"] if q["name"]["value"] == name)
    return line["currentValue"], line["limit"]


def test_the_list_of_skus_tells_sizes_as_the_real_one_does(
    compute: ComputeManagementClient,
) -> None:
    skus = {sku.name: sku for sku in compute.resource_skus.list(filter=f"location eq '{WEST}'")}

    small = skus["Standard_D2s_v5"]
    told = {one.name: one.value for one in small.capabilities}
    assert (small.resource_type, small.family) == ("virtualMachines", "standardDSv5Family")
    assert (told["vCPUs"], told["MemoryGB"], told["MaxDataDiskCount"]) == ("2", "8", "4")
    assert (told["HyperVGenerations"], told["CpuArchitectureType"]) == ("V1,V2", "x64")
    assert told["PremiumIO"] == "True"
    assert sorted(small.location_info[0].zones) == ["1", "2", "3"]
    assert small.location_info[0].zone_details[0].capabilities[0].name == "UltraSSDAvailable"
    assert small.restrictions == []
    assert skus["Premium_LRS"].resource_type == "disks"


def test_what_only_some_sizes_have_is_told_of_those_alone(
    compute: ComputeManagementClient,
) -> None:
    told = {
        sku.name: {one.name: one.value for one in sku.capabilities}
        for sku in compute.resource_skus.list(filter=f"location eq '{WEST}'")
    }

    assert told["Standard_D2s_v6"]["DiskControllerTypes"] == "NVMe"
    assert told["Standard_D2ps_v5"]["TrustedLaunchDisabled"] == "True"
    assert told["Standard_DC2as_v5"]["ConfidentialComputingType"] == "SNP"
    assert "DiskControllerTypes" not in told["Standard_D2s_v5"]
    assert "TrustedLaunchDisabled" not in told["Standard_D2s_v5"]


def test_a_restriction_is_told_to_the_subscription_that_it_is_for(azure: World) -> None:
    azure.sizes.restrict(SUBSCRIPTION, WEST, "Standard_D2s_v5", reason="QuotaId")
    azure.sizes.restrict(SUBSCRIPTION, WEST, "Standard_D4s_v5", zones=("2",))
    azure.sizes.restrict(SUBSCRIPTION, "northeurope", "Standard_D8s_v5")

    answer = ask(azure, "GET", SKUS, version="2021-07-01")
    told = {sku["name"]: sku["restrictions"] for sku in answer.body["value"] if sku["restrictions"]}

    assert told == {
        "Standard_D2s_v5": [
            {
                "type": "Location",
                "values": [WEST],
                "restrictionInfo": {"locations": [WEST]},
                "reasonCode": "QuotaId",
            }
        ],
        "Standard_D4s_v5": [
            {
                "type": "Zone",
                "values": [WEST],
                "restrictionInfo": {"locations": [WEST], "zones": ["2"]},
                "reasonCode": "NotAvailableForSubscription",
            }
        ],
    }


@pytest.mark.asks_in_vain
def test_skus_of_all_locations_are_not_simulated(azure: World) -> None:
    assert ask(azure, "GET", f"{COMPUTE}/skus").status == 501


def test_usages_follow_the_machines_that_exist(
    azure: World, compute: ComputeManagementClient
) -> None:
    place(azure, "one", "Standard_D4s_v5")
    place(azure, "off", "Standard_D2s_v5", power="deallocated")
    gone = place(azure, "gone", "Standard_E8s_v5")
    place(azure, "strange", "Standard_Unknown")
    azure.machines.create(subscription=SUBSCRIPTION, group="rg", name="far", location="uksouth")
    before = used(azure, "standardESv5Family")[0]
    azure.machines.delete(gone)

    lines = {line.name.value: line for line in compute.usage.list(WEST)}

    assert before == 8
    assert lines["cores"].current_value == 6
    assert lines["cores"].name.localized_value == "Total Regional vCPUs"
    assert lines["standardDSv5Family"].current_value == 6
    assert lines["standardDSv5Family"].name.localized_value == "Standard DSv5 Family vCPUs"
    assert lines["standardESv5Family"].current_value == 0
    assert lines["virtualMachines"].current_value == 3


def test_a_machine_counts_from_its_put(azure: World) -> None:
    put(azure, "Standard_D2s_v5")

    assert used(azure, "standardDSv5Family")[0] == 2


def test_a_put_within_the_quotas_succeeds(azure: World) -> None:
    azure.sizes.quota(SUBSCRIPTION, WEST, "cores", 2)
    azure.sizes.quota(SUBSCRIPTION, "West Europe", "standarddsv5family", 2)

    assert used(azure, "cores") == (0, 2)
    assert put(azure, "Standard_D2s_v5").status == 201


@pytest.mark.parametrize(
    ("quota", "words", "page"),
    [
        ("cores", "Total Regional Cores quota", "regional-quota-requests"),
        ("standardDSv5Family", "standardDSv5Family Cores quota", "per-vm-quota-requests"),
    ],
)
def test_a_put_beyond_a_quota_is_refused(azure: World, quota: str, words: str, page: str) -> None:
    place(azure, "one", "Standard_D2s_v5")
    azure.sizes.quota(SUBSCRIPTION, WEST, quota, 3)

    answer = put(azure, "Standard_D2s_v5")

    assert (answer.status, code(answer)) == (409, "OperationNotAllowed")
    assert message(answer).startswith(
        f"Operation could not be completed as it results in exceeding approved {words}. Additional "
        "details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: 3, "
        "Current Usage: 2, Additional Required: 2, (Minimum) New Limit Required: 4."
    )
    assert message(answer).endswith(page)
    assert azure.machines.find(VM) is None


def test_a_resize_needs_only_what_it_adds(azure: World) -> None:
    place(azure, "web", "Standard_D2s_v5")
    azure.sizes.quota(SUBSCRIPTION, WEST, "cores", 4)

    grown = ask(
        azure, "PATCH", VM, {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}
    )
    beyond = ask(
        azure, "PATCH", VM, {"properties": {"hardwareProfile": {"vmSize": "Standard_E8s_v5"}}}
    )

    assert grown.status == 200
    assert code(beyond) == "OperationNotAllowed"
    assert used(azure, "cores")[0] == 4


def test_a_restricted_size_is_refused(azure: World, compute: ComputeManagementClient) -> None:
    azure.sizes.restrict(SUBSCRIPTION, WEST, "standard_d2s_v5")

    answer = put(azure, "Standard_D2s_v5")

    assert (answer.status, code(answer)) == (409, "SkuNotAvailable")
    assert message(answer) == (
        f"The requested size for resource '{VM}' is currently not available in location "
        f"'westeurope' zones '' for subscription '{SUBSCRIPTION}'. Please try another size or "
        "deploy to a different location or zones. See https://aka.ms/azureskunotavailable for "
        "details."
    )


def test_a_size_that_is_restricted_in_zones_is_there_without_one(azure: World) -> None:
    azure.sizes.restrict(SUBSCRIPTION, WEST, "Standard_D2s_v5", zones=("1", "2"))
    disk = system_disk(azure)

    refused = put(azure, "Standard_D2s_v5", disk, zones=("2",))
    other_zone = put(azure, "Standard_D2s_v5", disk, zones=("3",))

    assert code(refused) == "SkuNotAvailable"
    assert "zones '2'" in message(refused)
    assert other_zone.status == 201


def test_a_size_that_is_restricted_in_zones_serves_where_no_zone_is_asked_for(
    azure: World,
) -> None:
    azure.sizes.restrict(SUBSCRIPTION, WEST, "Standard_D2s_v5", zones=("1", "2", "3"))

    assert put(azure, "Standard_D2s_v5").status == 201


def test_a_size_that_is_sold_out_is_in_the_list_and_refused(azure: World) -> None:
    azure.sizes.sell_out(WEST, "Standard_D2s_v5")

    answer = put(azure, "Standard_D2s_v5")

    assert (answer.status, code(answer)) == (409, "SkuNotAvailable")
    assert "failed for Capacity Restrictions: Standard_D2s_v5'" in message(answer)


MISFITS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("Standard_D2s_v6", {"hyper_v": "V1"}, {}, "BadRequest", "cannot boot Hypervisor Generation"),
    (
        "Standard_D2ps_v5",
        {"security_type": "TrustedLaunch"},
        {"security": "TrustedLaunch"},
        "BadRequest",
        "'TrustedLaunch' security type",
    ),
    ("Standard_D2ps_v5", {}, {}, "BadRequest", "only supports a CPU Architecture of 'Arm64'"),
    ("Standard_D2s_v6", {}, {}, "InvalidParameter", "cannot boot with OS image or disk"),
    (
        "Standard_D2s_v5",
        {},
        {"controller": "NVMe"},
        "InvalidParameter",
        "cannot boot with DiskControllerType 'NVMe'",
    ),
    (
        "Standard_A2_v2",
        {"sku": "Premium_LRS", "hyper_v": "V1"},
        {},
        "InvalidParameter",
        "does not support the storage account type Premium_LRS of disk 'system'",
    ),
]


@pytest.mark.parametrize(
    ("size", "disk", "asked", "error", "words"), MISFITS, ids=lambda part: str(part)[:30]
)
def test_a_size_that_cannot_run_the_disk_is_refused(
    azure: World,
    size: str,
    disk: dict[str, Any],
    asked: dict[str, Any],
    error: str,
    words: str,
) -> None:
    answer = put(azure, size, system_disk(azure, **disk), **asked)

    assert (answer.status, code(answer)) == (400, error)
    assert words in message(answer)
    assert azure.machines.find(VM) is None


@pytest.mark.parametrize(
    ("size", "able"),
    [
        ("Standard_D2s_v6", {"diskControllerTypes": "SCSI, NVMe"}),
        ("Standard_D2ps_v5", {"architecture": "Arm64"}),
    ],
)
def test_a_size_that_can_run_the_disk_does(azure: World, size: str, able: dict[str, str]) -> None:
    disk = system_disk(azure, model={"supportedCapabilities": able})

    assert put(azure, size, disk).status == 201


def test_data_disks_are_counted(azure: World) -> None:
    disks = tuple(data_disk(azure, "StandardSSD_LRS", f"d{n}") for n in range(5))

    answer = put(azure, "Standard_D2s_v5", data=disks)

    assert (answer.status, code(answer)) == (409, "OperationNotAllowed")
    assert message(answer).endswith("attached to a VM of this size is 4.")
    assert answer.body["error"]["target"] == "dataDisks"


def test_an_ultra_disk_needs_its_machine_to_allow_it(azure: World) -> None:
    disk, ultra = system_disk(azure), data_disk(azure, "UltraSSD_LRS")

    refused = put(azure, "Standard_D2s_v5", disk, data=(ultra,))
    allowed = put(azure, "Standard_D2s_v5", disk, data=(ultra,), ultra=True)

    assert code(refused) == "InvalidParameter"
    assert allowed.status == 201


@pytest.mark.asks_in_vain
def test_a_size_that_azsim_lacks_is_not_simulated(azure: World) -> None:
    assert put(azure, "Standard_NC24ads_A100_v4").status == 501


def test_a_client_meets_the_refusal_as_it_would(
    azure: World, compute: ComputeManagementClient
) -> None:
    azure.sizes.quota(SUBSCRIPTION, WEST, "cores", 0)
    system = system_disk(azure)
    body = {
        "location": WEST,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {
                    "createOption": "Attach",
                    "osType": "Linux",
                    "managedDisk": {"id": system.id},
                }
            },
        },
    }

    with pytest.raises(HttpResponseError, match="Total Regional Cores quota") as refused:
        compute.virtual_machines.begin_create_or_update("rg", "web", body)

    assert refused.value.error is not None
    assert refused.value.error.code == "OperationNotAllowed"
