"""
How much importing the app costs above the bare frameworks.

Prints user + system CPU of `import function_app` as a ratio to
`import azure.functions, azure.durable_functions`: interleaved pairs, the minimum of each, because
medians of wall time swing on a busy machine. Aim: at most 1.25.
"""

import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAIRS = 10
BARE = "import azure.functions, azure.durable_functions"
APP = "import function_app"


def cpu_seconds(code: str) -> float:
    """Return user + system CPU seconds of a fresh interpreter that runs `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def main() -> None:
    for code in (BARE, APP):  # Bytecode is compiled once, as it is in a deployed package.
        cpu_seconds(code)
    pairs = [(cpu_seconds(BARE), cpu_seconds(APP)) for _ in range(PAIRS)]
    bare, app = (min(pair[i] for pair in pairs) for i in (0, 1))
    print(f"import of the frameworks: {bare:.3f} s CPU")
    print(f"import of function_app:   {app:.3f} s CPU")
    print(f"ratio: {app / bare:.2f} (aim: at most 1.25)")


if __name__ == "__main__":
    main()
