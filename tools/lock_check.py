"""Tell whether the locks still say what pyproject.toml asks for; `--write` locks anew."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"requirements.txt": (), "requirements-dev.txt": ("--all-extras",)}
COMPILE = (
    "pip", "compile", "--quiet", "--universal", "--python-version", "3.13",
    "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url",
)  # fmt: skip


def lock(name: str, extra: tuple[str, ...], into: Path) -> None:
    """Write the lock `name` into the folder `into`, keeping the versions that are pinned there."""
    target = into / name
    constraint = ("-c", str(into / "requirements.txt")) if extra else ()
    uv = Path(sys.executable).parent / "uv"
    command = (str(uv), *COMPILE, *extra, *constraint, "pyproject.toml", "-o", str(target))
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Return 0 where the locks hold, 1 where they drifted."""
    if "--write" in sys.argv:
        for name, extra in LOCKS.items():
            lock(name, extra, ROOT)
        return 0
    drifted = []
    with tempfile.TemporaryDirectory() as folder:
        for name, extra in LOCKS.items():
            present = (ROOT / name).read_text()
            (Path(folder) / name).write_text(present)  # Pinned versions stay where they fit.
            lock(name, extra, Path(folder))
            if (Path(folder) / name).read_text() != present:
                drifted.append(name)
    if drifted:
        print(f"{', '.join(drifted)} do not match pyproject.toml: run `make lock`", file=sys.stderr)
    return bool(drifted)


if __name__ == "__main__":
    sys.exit(main())
