#!/bin/sh
# Makes .venv from the locked, hashed requirements. Needs Python 3.13.
set -eu
found=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
if [ "$found" != 3.13 ]; then
    echo "vmbackup needs Python 3.13 (found: $found). Name one: make PYTHON=/path/to/python3.13 env" >&2
    exit 1
fi
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
