"""The templates before a third judge, and the locked set on a clean Python."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".envs/checkov/bin/checkov"
# What checkov would have otherwise, and why it is as it is.
ACCEPTED = {
    "CKV_AZURE_35": "storage is reached by Entra alone; checkov cannot work out isPrivate",
    "CKV_AZURE_59": "as above; no blob is public and no key opens anything",
    "CKV_AZURE_43": "the name is made of a token that checkov cannot work out; a test measures it",
    "CKV_AZURE_206": "redundancy is a parameter; nobody would miss what host and staging hold",
    "CKV_AZURE_225": "Flex Consumption; what a lost zone delays, the next sweep finds",
    "CKV_AZURE_222": "Event Grid delivers to the app's public endpoint",
    "CKV_AZURE_17": "no client of the app has a certificate",
    "CKV_AZURE_212": "Flex Consumption scales to zero: the app works in bursts",
    "CKV_AZURE_213": "alarms tell of a missing sweep, which says more than a page that answers",
    "CKV_AZURE_63": "App Service's own logs do not exist on Flex Consumption",
    "CKV_AZURE_65": "as above",
    "CKV_AZURE_66": "as above",
    "CKV_AZURE_80": "no .NET in it",
    "CKV_AZURE_13": "by a key, or by Entra, in a kind of settings that it does not know",
    "CKV_AZURE_88": "nothing is mounted",
}
OPEN_TO_ALL = """
resource account 'Microsoft.Storage/storageAccounts@2023-01-01' = {
  name: 'careless'
  location: 'westeurope'
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: true
    supportsHttpsTrafficOnly: false
  }
}
"""

pytestmark = [pytest.mark.long, pytest.mark.enable_socket]


def judged(folder: Path) -> dict[str, Any]:
    """Return what checkov says of the templates in a folder; it asks nobody on the network."""
    command = (str(CHECKOV), "-d", str(folder), "--framework", "bicep", "--skip-download")
    told = subprocess.run(
        (*command, "--quiet", "--compact", "--output", "json"),
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_checkov_reads_every_template_and_finds_only_what_we_mean() -> None:
    found = judged(ROOT / "infra")

    assert found["summary"]["parsing_errors"] == 0
    assert {one["check_id"] for one in found["results"]["failed_checks"]} == set(ACCEPTED)


def test_checkov_tells_of_a_template_that_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "broken.bicep").write_text(OPEN_TO_ALL.replace("properties: {", "properties:"))

    assert judged(tmp_path)["summary"]["parsing_errors"] == 1


def test_checkov_tells_of_an_account_that_is_open(tmp_path: Path) -> None:
    (tmp_path / "open.bicep").write_text(OPEN_TO_ALL)

    found = {one["check_id"] for one in judged(tmp_path)["results"]["failed_checks"]}

    assert found >= {"CKV_AZURE_3", "CKV_AZURE_44"}


def test_the_locked_set_installs_on_a_clean_python_and_the_app_loads(tmp_path: Path) -> None:
    python = tmp_path / "clean" / "bin" / "python"
    lock = str(ROOT / "requirements.txt")

    subprocess.run((sys.executable, "-m", "venv", str(tmp_path / "clean")), check=True)
    pip = (str(python), "-m", "pip", "install", "--quiet", "--quiet", "--no-deps")
    subprocess.run((*pip, "--require-hashes", "-r", lock), check=True)
    subprocess.run((str(python), "-m", "pip", "check"), check=True)
    loaded = subprocess.run((str(python), "-c", "import function_app"), cwd=ROOT, check=False)

    assert loaded.returncode == 0
