"""Entries of the lists of SKUs and usages, also such as Azure is not known to write."""

from typing import Any

import pytest

from vmbackup_core.adapters.wire_sizes import parse_size, parse_usage
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage

WEST = "westeurope"


def sku(*, restrictions: Any = (), info: Any = None, **capabilities: str) -> dict[str, Any]:
    told = {"vCPUs": "2", "MemoryGB": "3.5"} | capabilities
    return {
        "resourceType": "virtualMachines",
        "name": "Standard_X",
        "family": "standardXFamily",
        "locations": [WEST],
        "locationInfo": info or [{"location": WEST, "zones": ["2", "1"], "zoneDetails": []}],
        "capabilities": [{"name": name, "value": value} for name, value in told.items()],
        "restrictions": list(restrictions),
    }


def parsed(**more: Any) -> SizeFacts:
    size = parse_size(sku(**more), WEST)
    assert size is not None
    return size


def test_an_entry_that_says_little_is_taken_to_have_little() -> None:
    assert parsed() == SizeFacts(
        "Standard_X",
        "standardXFamily",
        2,
        3.5,
        generations=(),
        premium=False,
        zones=("1", "2"),
    )


@pytest.mark.parametrize(
    "odd",
    [
        {},
        None,
        "text",
        {"resourceType": "virtualMachines"},
        sku() | {"resourceType": "disks"},
        sku() | {"name": None},
        sku(vCPUs="many"),
        sku(MemoryGB=""),
        sku() | {"capabilities": None},
    ],
)
def test_what_is_no_size_is_none(odd: Any) -> None:
    assert parse_size(odd, WEST) is None


def test_lists_are_read_with_and_without_blanks() -> None:
    size = parsed(HyperVGenerations="V1, V2", DiskControllerTypes="SCSI,NVMe")

    assert (size.generations, size.controllers) == (("V1", "V2"), ("SCSI", "NVMe"))


@pytest.mark.parametrize(("kind", "confidential"), [("SNP", True), ("TDX", True), ("SGX", False)])
def test_a_confidential_vm_is_not_an_enclave(kind: str, confidential: bool) -> None:
    assert parsed(ConfidentialComputingType=kind).confidential is confidential


def test_ultra_disks_are_told_by_zone_or_for_all() -> None:
    able = [{"name": "UltraSSDAvailable", "value": "True"}]
    info = [
        {"location": "northeurope", "zones": ["9"], "zoneDetails": []},
        {
            "location": "WestEurope",
            "zones": ["1", "2"],
            "zoneDetails": [{"Name": ["2"], "name": None, "capabilities": able}],
        },
    ]

    assert parsed(info=info).ultra_zones == ("2",)
    assert parsed(UltraSSDAvailable="True").ultra


def restriction(kind: str, **told: Any) -> dict[str, Any]:
    return {"type": kind, "reasonCode": "QuotaId", "restrictionInfo": told, "values": []}


def test_a_restriction_elsewhere_does_not_count() -> None:
    assert parsed(restrictions=[restriction("Location", locations=["eastus"])]).restricted == ""


def test_a_restriction_of_the_location_names_its_reason() -> None:
    size = parsed(restrictions=[restriction("Location", locations=["West Europe"])])

    assert size.restricted == "this subscription may not use it here (QuotaId)"


def test_a_restriction_that_says_no_place_or_an_unknown_kind_bars_the_size() -> None:
    assert parsed(restrictions=[restriction("Location")]).restricted != ""
    assert parsed(restrictions=[restriction("Edge", locations=[WEST])]).restricted != ""


def test_restricted_zones_are_taken_away() -> None:
    zones = restriction("Zone", locations=[WEST], zones=["1"])

    assert parsed(restrictions=[zones]).zones == ("2",)


def line(name: str, used: Any = 4, limit: Any = 10) -> dict[str, Any]:
    return {"name": {"value": name}, "currentValue": used, "limit": limit, "unit": "Count"}


def test_quotas_of_vcpus_are_read() -> None:
    assert parse_usage(line("cores")) == Usage("cores", 4, 10)
    assert parse_usage(line("StandardDsv6Family")) == Usage("StandardDsv6Family", 4, 10)


@pytest.mark.parametrize(
    "other", [line("virtualMachines"), line("lowPriorityCores"), line("cores", "4"), {}, None]
)
def test_other_lines_are_none(other: Any) -> None:
    assert parse_usage(other) is None
