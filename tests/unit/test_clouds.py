"""Everything that differs from cloud to cloud stands in one table, and is taken from there."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from azure.core import AzureClouds
from azure.identity import AzureAuthorityHosts
from azure.mgmt.core.tools import get_arm_endpoints

from vmbackup_core.bootstrap import build
from vmbackup_core.settings import load
from vmbackup_core.settings.clouds import CLOUDS, Cloud, CloudEndpoints

CORE = Path(__file__).parents[2] / "vmbackup_core"
OF_A_CLOUD = re.compile(
    r"(windows\.net|azure\.(com|us|cn|net)|usgovcloudapi|chinacloudapi|microsoftonline|loganalytics\.)"
)
# Why a module may spell a cloud's name by itself.
EXCEPT = {
    "settings/clouds.py": "the table",
    "domain/telling/mail_words.py": "the portals, which the table takes from here",
}
THE_SDKS = {
    Cloud.PUBLIC: (AzureClouds.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
    Cloud.USGOV: (AzureClouds.AZURE_US_GOVERNMENT, AzureAuthorityHosts.AZURE_GOVERNMENT),
    Cloud.CHINA: (AzureClouds.AZURE_CHINA_CLOUD, AzureAuthorityHosts.AZURE_CHINA),
}


def test_every_cloud_is_in_the_table() -> None:
    assert set(CLOUDS) == set(Cloud)


@pytest.mark.parametrize("cloud", Cloud)
def test_resource_manager_and_sign_in_are_where_the_sdks_have_them(cloud: Cloud) -> None:
    sdks, authority = THE_SDKS[cloud]
    known, row = get_arm_endpoints(sdks), CLOUDS[cloud]

    assert f"{row.arm}/" == known["resource_manager"]
    assert [row.arm_scope] == known["credential_scopes"]
    assert row.authority == f"https://{authority}"


@pytest.mark.parametrize("field", [one.name for one in fields(CloudEndpoints)])
def test_no_two_clouds_share_a_place(field: str) -> None:
    assert len({getattr(row, field) for row in CLOUDS.values()}) == len(CLOUDS)


@pytest.mark.parametrize("cloud", Cloud)
def test_an_app_of_a_cloud_knows_no_other_ones_places(cloud: Cloud) -> None:
    environment = {"VMBACKUP_STORAGE_ACCOUNT": "stvmbackup", "VMBACKUP_CLOUD": cloud.value}
    toml = (CORE.parent / "vmbackup.toml").read_text()

    deployment = build(load(toml, environment, source="x")).settings.deployment

    row = CLOUDS[cloud]
    assert deployment.endpoints == row
    assert deployment.arm_endpoint == row.arm
    assert deployment.blob_url == f"https://stvmbackup.blob.{row.storage_suffix}"
    assert deployment.table_url == f"https://stvmbackup.table.{row.storage_suffix}"


def spelled(path: Path) -> Iterator[str]:
    """Yield the strings of a module that name a cloud's place, its docstrings left out."""
    tree = ast.parse(path.read_text())
    explained = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in explained and OF_A_CLOUD.search(text):
            yield text


def test_no_module_but_the_table_spells_a_clouds_place() -> None:
    found = {
        str(path.relative_to(CORE)): list(spelled(path))
        for path in CORE.rglob("*.py")
        if str(path.relative_to(CORE)) not in EXCEPT
    }

    assert {name: texts for name, texts in found.items() if texts} == {}
