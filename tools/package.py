"""
What is shipped to Azure: every file that .funcignore does not name.

`tools/package.py app.zip` packs it, for who publishes without azd, which reads the same file.
"""

import os
import sys
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def is_ignored(path: Path, patterns: list[str]) -> bool:
    """Tell whether a pattern names the file, or a folder above it; folders end in a slash."""
    return any(
        fnmatch(part, pattern.rstrip("/"))
        for pattern in patterns
        for part in (path.parts[:-1] if pattern.endswith("/") else path.parts)
    )


def shipped(root: Path = ROOT) -> Iterator[Path]:
    """Yield every shipped file of the folder as it is now, whatever work has left in it."""
    patterns = [line for line in (root / ".funcignore").read_text().splitlines() if line]
    for folder, below, files in os.walk(root):
        here = Path(folder).relative_to(root)
        below[:] = sorted(name for name in below if not is_ignored(here / name / "any", patterns))
        yield from (here / name for name in sorted(files) if not is_ignored(here / name, patterns))


def main() -> int:
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in shipped():
            if (ROOT / path).resolve() != target.resolve():
                packed.write(ROOT / path, str(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
