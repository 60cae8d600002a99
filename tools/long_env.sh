#!/bin/sh
# Makes what `make check-long` needs besides .venv: az in .envs/az, checkov in .envs/checkov, Azurite
# in .envs/azurite, Microsoft's parser of KQL in .envs/kusto, and Chromium, which is installed where
# this may install; else the pictures of mails are skipped.
# The first four are locked; a folder is made anew only when its lock has changed.
set -eu
python=.venv/bin/python
wanted() { cat "$@" | cksum; }

# Each of them pins what clashes with the project's own lock.
for tool in az checkov; do
    lock=tests/long/$tool/requirements.txt
    if [ "$(cat ".envs/$tool/locked" 2>/dev/null)" != "$(wanted "$lock")" ]; then
        echo "installing $tool into .envs/$tool (a few minutes, once)"
        rm -rf ".envs/$tool"
        "$python" -m venv ".envs/$tool"
        ".envs/$tool/bin/python" -m pip install --quiet --quiet --disable-pip-version-check \
            --require-hashes -r "$lock"
        wanted "$lock" >".envs/$tool/locked"
    fi
done

browsers="chromium chromium-browser google-chrome google-chrome-stable"
if ! for browser in $browsers; do command -v "$browser"; done | grep -q .; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing Chromium (a minute, once)"
        { apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core; } \
            >/dev/null 2>&1 || echo "Chromium cannot be installed: no pictures of mails" >&2
    else
        echo "no Chromium (apt-get install chromium): no pictures of mails" >&2
    fi
fi

if [ "${VMBACKUP_NO_NODE:-}" = 1 ]; then
    echo "VMBACKUP_NO_NODE=1: what needs node (Azurite, the parser of KQL) is left out" >&2
    exit 0
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "check-long needs node and npm (for Azurite and the parser of KQL); VMBACKUP_NO_NODE=1 leaves that out" >&2
    exit 1
fi
# The parser of KQL has no dependencies, Azurite has hundreds.
for tool in azurite kusto; do
    lock=tests/long/$tool
    if [ "$(cat ".envs/$tool/locked" 2>/dev/null)" != "$(wanted "$lock"/*.json)" ]; then
        echo "installing $tool into .envs/$tool (a minute, once)"
        rm -rf ".envs/$tool"
        mkdir -p ".envs/$tool"
        cp "$lock/package.json" "$lock/package-lock.json" ".envs/$tool/"
        (cd ".envs/$tool" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
        wanted "$lock"/*.json >".envs/$tool/locked"
    fi
done
