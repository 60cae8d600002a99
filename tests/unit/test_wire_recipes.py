"""What is read from the blobs that a restore leaves, however odd they are."""

import json
from typing import Any

import pytest

from vmbackup_core.adapters.wire_recipes import parse_recipe
from vmbackup_core.domain.drill.facts import Plan, Recipe, RecipeDisk

DISK = "/subscriptions/S/resourceGroups/vmbackup-drill-westeurope-1/providers/x/disks"
CONFIG = {
    "name": "web",
    "zones": ["1"],
    "plan": {"publisher": "p", "product": "o", "name": "n"},
    "properties.hardwareProfile": {"vmSize": "Standard_D2s_v5"},
    "properties.licenseType": "Windows_Server",
    "properties.hyperVGeneration": "V2",
    "properties.securityProfile": {
        "securityType": "TrustedLaunch",
        "uefiSettings": {"secureBootEnabled": True},
    },
    "properties.storageProfile": {
        "osDisk": {
            "osType": "Windows",
            "caching": "ReadWrite",
            "diskSizeGB": 127,
            "managedDisk": {"id": f"{DISK}/OS", "diskEncryptionSet": {"id": "/S/Set"}},
        },
        "dataDisks": [
            {"lun": 3, "caching": "None", "diskSizeGB": 64, "managedDisk": {"id": f"{DISK}/D3"}},
            {"lun": 0, "caching": "ReadOnly", "diskSizeGB": 32, "name": "d0"},
        ],
    },
}
WHOLE = Recipe(
    size="Standard_D2s_v5",
    os_type="Windows",
    os_caching="ReadWrite",
    os_disk_id=f"{DISK}/OS".lower(),
    os_size_gb=127,
    os_encryption_set="/s/set",
    disks=(
        RecipeDisk(0, 32, "ReadOnly", "", "d0"),
        RecipeDisk(3, 64, "None", f"{DISK}/D3".lower()),
    ),
    generation="V2",
    security="TrustedLaunch",
    license="Windows_Server",
    plan=Plan("p", "o", "n"),
    zones=("1",),
    secure_boot=True,
)
TEMPLATE = {
    "parameters": {},
    "resources": [
        {"type": "Microsoft.Network/networkInterfaces", "properties": {}},
        {
            "type": "Microsoft.Compute/virtualMachines",
            "zones": "[parameters('zones')]",
            "properties": {
                "hardwareProfile": {"vmSize": "[parameters('size')]"},
                "licenseType": "RHEL_BYOS",
                "storageProfile": {
                    "osDisk": {"osType": "Linux", "managedDisk": {"id": "[variables('disk')]"}},
                    "dataDisks": [
                        {"lun": 0, "diskSizeGB": 99, "managedDisk": {"id": f"{DISK}/D0"}}
                    ],
                },
            },
        },
    ],
}


def written(config: Any) -> bytes:
    """Write it as the service does: UTF-16 with a mark, NULs at its end."""
    return b"\xff\xfe" + json.dumps(config).encode("utf-16-le") + b"\x00\x00\x00\x00"


def test_a_configuration_is_read_as_a_whole() -> None:
    assert parse_recipe(written(CONFIG), None) == WHOLE


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param(json.dumps(CONFIG).encode(), id="utf-8"),
        pytest.param(json.dumps(CONFIG).encode("utf-8-sig"), id="utf-8-with-mark"),
        pytest.param(json.dumps(CONFIG).encode("utf-16-le"), id="utf-16-without-mark"),
        pytest.param(b"\xfe\xff" + json.dumps(CONFIG).encode("utf-16-be"), id="other-order"),
        pytest.param(written(CONFIG) + b"\x00", id="one-nul-too-many"),
        pytest.param(json.dumps(CONFIG).encode() + b"\x00\x00\x00", id="utf-8-with-nuls"),
        pytest.param(json.dumps(CONFIG).lower().replace("/os", "/OS").encode(), id="small-keys"),
    ],
)
def test_its_encoding_and_case_do_not_matter(blob: bytes) -> None:
    found = parse_recipe(blob, None)

    assert found.os_disk_id == WHOLE.os_disk_id
    assert [disk.lun for disk in found.disks] == [0, 3]


def test_properties_may_be_nested_as_everywhere_else() -> None:
    nested = {"properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}}

    assert parse_recipe(written(nested), None).size == "Standard_B1s"


def test_the_template_is_read_where_there_is_no_configuration() -> None:
    found = parse_recipe(None, json.dumps(TEMPLATE).encode())

    assert (found.os_type, found.license) == ("Linux", "RHEL_BYOS")
    assert found.disks == (RecipeDisk(0, 99, "", f"{DISK}/D0".lower()),)


def test_an_expression_of_the_template_says_nothing() -> None:
    found = parse_recipe(None, json.dumps(TEMPLATE).encode())

    assert (found.size, found.os_disk_id, found.zones) == ("", "", ())


def test_the_configuration_counts_and_the_template_fills_its_gaps() -> None:
    silent = {key: CONFIG[key] for key in CONFIG if key != "properties.licenseType"}

    found = parse_recipe(written(silent), json.dumps(TEMPLATE).encode())

    assert (found.license, found.os_type) == ("RHEL_BYOS", "Windows")
    assert found.disks == (
        RecipeDisk(0, 32, "ReadOnly", f"{DISK}/D0".lower(), "d0"),
        RecipeDisk(3, 64, "None", f"{DISK}/D3".lower()),
    )


@pytest.mark.parametrize("word", ["None", "Standard", ""])
def test_a_security_type_that_is_none_is_empty(word: str) -> None:
    config = {"properties.securityProfile": {"securityType": word}}

    assert parse_recipe(written(config), None).security == ""


@pytest.mark.parametrize(
    "blob",
    [
        None,
        b"",
        b"\x00",
        b"\xff\xfe",
        b"\xff\xfe\x00\xd8",
        b"<xml/>",
        b"null",
        b"[1, 2]",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        written({"properties": [1], "plan": "x", "zones": {"a": 1}}),
        written({"properties.storageProfile": {"dataDisks": {"lun": 0}, "osDisk": []}}),
        written({"properties.storageProfile": {"dataDisks": [1, None, {"lun": "0"}]}}),
        written({"properties.storageProfile": {"dataDisks": [{"lun": True}]}}),
        written({"resources": [None, 1, {"type": 7}]}),
    ],
)
def test_what_makes_no_sense_says_nothing(blob: bytes | None) -> None:
    assert parse_recipe(blob, blob) == Recipe(disks_told=False)


# Whether the data disks are told at all.


def with_disks(disks: Any) -> bytes:
    """Return a configuration with these data disks, or with none said."""
    storage = {"osDisk": {"osType": "Linux"}} | ({} if disks is None else {"dataDisks": disks})
    return json.dumps({"properties.storageProfile": storage}).encode()


@pytest.mark.parametrize("disks", [None, "[parameters('disks')]", [{"diskSizeGB": 4}], [7]])
def test_data_disks_that_are_not_listed_with_their_places_are_not_told(disks: Any) -> None:
    assert parse_recipe(with_disks(disks), None).disks_told is False


@pytest.mark.parametrize("disks", [[], [{"lun": 0}]])
def test_a_list_of_data_disks_is_told_also_an_empty_one(disks: Any) -> None:
    assert parse_recipe(with_disks(disks), None).disks_told is True


def test_a_template_tells_the_disks_that_the_configuration_does_not() -> None:
    found = parse_recipe(with_disks([{"diskSizeGB": 4}, {"lun": 1}]), json.dumps(TEMPLATE).encode())

    assert found.disks_told is True
    assert [disk.lun for disk in found.disks] == [0]
