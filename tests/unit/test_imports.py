"""Cold start is a feature: what importing the app may load, checked in a process of its own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("azure.core", "azure.identity", "azure.mgmt", "azure.data", "azure.storage", "jinja2")

LOADED_BY = """
import sys
import {module}
heavy = {heavy!r}
print(sorted(m for m in sys.modules if m in heavy or m.startswith(tuple(h + "." for h in heavy))))
"""


@pytest.mark.parametrize("module", ["function_app", "vmbackup_core.bootstrap"])
def test_importing_the_app_loads_no_azure_sdk(module):
    code = LOADED_BY.format(module=module, heavy=HEAVY)

    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"


def test_importing_the_app_reads_no_configuration(tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); os.environ.clear(); import function_app"
    )

    imported = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)], cwd=tmp_path, capture_output=True, text=True
    )

    assert imported.returncode == 0, imported.stderr


def test_the_triggers_know_the_core_only_through_its_bootstrap_and_its_words():
    tree = ast.parse((ROOT / "function_app.py").read_text())

    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}

    ours = {name for name in imported if name and name.startswith(("vmbackup", "azsim"))}
    assert ours == {"vmbackup_core", "vmbackup_core.domain.intents"}
