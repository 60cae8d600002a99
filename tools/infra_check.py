"""
Tell whether what is deployed is sound, as far as that can be told without Azure and Bicep itself.

Each check prints what it finds; one whose tool or types are not at hand says so. Roles must match
the adapters, Bicep must parse, fit Azure's published types, and workflows must be safe and valid.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from pycep import BicepParser

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TYPES = ROOT.parent / "shared" / "bicep-types"
# Templates of which the published types at hand know nothing, and whose types they are.
UNTYPED = {
    "budget.bicep": "Microsoft.Consumption/budgets",
    "zones.bicep": "Microsoft.Network/privateDnsZones",
}
TYPE_CHECK = ROOT.parent / "shared" / "tools" / "bicep_check.py"


def templates() -> list[Path]:
    return sorted((ROOT / "infra").rglob("*.bicep"))


def workflows() -> list[Path]:
    return sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def syntax(files: Iterable[Path]) -> list[str]:
    """Return what a second parser finds wrong; it knows an older, smaller Bicep, on purpose."""
    found = []
    for file in files:
        try:
            BicepParser().parse(text=file.read_text())
        except Exception as error:  # noqa: BLE001 - The parser raises errors of several libraries.
            found.append(f"{file}: {error}")
    return found


def types(files: Iterable[Path]) -> list[str]:
    """Return what does not fit Azure's published types, or names that nothing declares."""
    if not TYPE_CHECK.exists():
        print(f"types: not checked, {TYPE_CHECK.name} is not at hand")
        return []
    known = (str(file) for file in files if file.name not in UNTYPED)
    return _run(str(BIN / "python"), str(TYPE_CHECK), "--types", str(TYPES), *known)


def workflow_schema(files: Iterable[Path]) -> list[str]:
    """Return what is no workflow or no dependabot configuration, by the schemas that ship along."""
    dependabot = str(ROOT / ".github" / "dependabot.yml")
    checker = str(BIN / "check-jsonschema")
    return [
        *_run(checker, "--builtin-schema", "vendor.github-workflows", *map(str, files)),
        *_run(checker, "--builtin-schema", "vendor.dependabot", dependabot),
    ]


def workflow_safety(files: Iterable[Path]) -> list[str]:
    """Return what somebody could misuse in a workflow."""
    return _run(str(BIN / "zizmor"), "--offline", "--quiet", "--no-progress", *map(str, files))


def roles() -> list[str]:
    return _run(str(BIN / "python"), str(ROOT / "tools" / "roles.py"))


def _run(*command: str) -> list[str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def main() -> int:
    """Return 0 where nothing was found."""
    checks: tuple[tuple[str, Callable[[], list[str]]], ...] = (
        ("roles", roles),
        ("syntax", lambda: syntax(templates())),
        ("types", lambda: types(templates())),
        ("workflow schema", lambda: workflow_schema(workflows())),
        ("workflow safety", lambda: workflow_safety(workflows())),
    )
    found = {name: check() for name, check in checks}
    for name, problems in found.items():
        for problem in problems:
            print(f"{name}: {problem}", file=sys.stderr)
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
