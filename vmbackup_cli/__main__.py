"""`python -m vmbackup_cli` is `vmbackup`."""

import sys

from vmbackup_cli.main import run

if __name__ == "__main__":
    sys.exit(run())
