import re

import pytest

from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import VaultId, VmId, derive_key
from vmbackup_core.domain.intents import EnsureProtected

WEB = "/subscriptions/S-1/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/Web"
VAULT = "/subscriptions/S-1/resourceGroups/RG/providers/Microsoft.RecoveryServices/vaults/Vault-One"


def test_an_arm_id_reads_in_any_case() -> None:
    assert VmId.parse(WEB) == VmId.parse(WEB.upper()) == VmId("s-1", "rg-app", "web")


def test_an_arm_id_reads_back_from_what_it_is_written_as() -> None:
    assert VmId.parse(str(VmId.parse(WEB))) == VmId.parse(WEB)
    assert VaultId.parse(str(VaultId.parse(VAULT))) == VaultId.parse(VAULT)


def test_a_vault_reads_from_the_url_that_azure_writes_in_an_ids_place() -> None:
    assert VaultId.parse(f"https://management.azure.com{VAULT}") == VaultId.parse(VAULT)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "web",
        "/subscriptions/s/resourceGroups/rg",
        f"{WEB}/extensions/agent",
        WEB.replace("virtualMachines", "disks"),
        WEB.replace("Compute", "ComputeX"),
        WEB.replace("Microsoft.Compute", "MicrosoftXCompute"),
        VAULT,
        f"https://management.azure.com{WEB}",
    ],
)
def test_what_is_no_vm_is_malformed(raw: str) -> None:
    with pytest.raises(Malformed):
        VmId.parse(raw)


@pytest.mark.parametrize("raw", ["", WEB, f"{VAULT}/backupPolicies/gold", "https://x"])
def test_what_is_no_vault_is_malformed(raw: str) -> None:
    with pytest.raises(Malformed):
        VaultId.parse(raw)


def test_the_names_of_container_and_item_are_as_recorded() -> None:
    web = VmId.parse(WEB)

    assert web.container == "IaasVMContainer;iaasvmcontainerv2;rg-app;web"
    assert web.item == "VM;iaasvmcontainerv2;rg-app;web"


def test_a_policys_name_keeps_its_case_in_its_id() -> None:
    assert VaultId.parse(VAULT).policy("Gold").endswith("/vaults/vault-one/backuppolicies/Gold")


def test_the_same_ids_give_the_same_key_in_any_case() -> None:
    assert derive_key("protect", WEB) == derive_key("protect", WEB.lower())


def test_ids_that_differ_in_where_one_ends_give_different_keys() -> None:
    assert derive_key("k", "ab", "c") != derive_key("k", "a", "bc")


def test_a_key_is_fit_for_an_instance_id_and_for_a_rows_key() -> None:
    key = EnsureProtected(VmId.parse(WEB)).key

    assert re.fullmatch(r"protect-[0-9a-f]{32}", key)
    assert len(derive_key("k" * 60, WEB)) <= 100


@pytest.mark.parametrize("kind", ["", "Protect", "a/b", "a b", "k" * 61])
def test_a_kind_that_would_make_a_bad_key_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="not a kind"):
        derive_key(kind, WEB)
