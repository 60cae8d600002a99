#!/bin/sh
# Makes .venv from the locked, hashed requirements, with the command `vmbackup`. Needs Python 3.13.
set -eu
found=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
if [ "$found" != 3.13 ]; then
    echo "vmbackup needs Python 3.13 (found: $found). Name one: make PYTHON=/path/to/python3.13 env" >&2
    exit 1
fi
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt

# The project is run where it lies, not installed: its command is a line that says where that is.
cat > .venv/bin/vmbackup <<SCRIPT
#!/bin/sh
PYTHONPATH="$PWD\${PYTHONPATH:+:\$PYTHONPATH}" exec "$PWD/.venv/bin/python" -m vmbackup_cli "\$@"
SCRIPT
chmod +x .venv/bin/vmbackup
