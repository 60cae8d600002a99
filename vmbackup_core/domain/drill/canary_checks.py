"""
The scripts that show a copy's canary over its agent: those of guest/checks, as the app sends them.

A test keeps the two alike: what people read there is what is run.
"""

LINUX = r"""#!/bin/sh
# Say which canary was on the disk when this copy started (see docs/canary.md).
set -u
run=${CANARY_RUN:-/run/vmbackup-canary}
script=${CANARY_SCRIPT:-/usr/local/sbin/vmbackup-canary}
kept=$run/at-boot-$(cat "${CANARY_BOOT_ID:-/proc/sys/kernel/random/boot_id}")

if [ -f "$kept" ]; then
    cat "$kept"
elif [ -x "$script" ]; then
    "$script" show # Nothing was written since the start, or the old one would have been kept.
else
    echo "no canary is installed in this VM"
    exit 1
fi
"""

WINDOWS = r"""# Say which canary was on the disk when this copy started (see docs/canary.md).
$kept = Get-ItemProperty -Path 'HKLM:\SOFTWARE\vmbackup-canary-boot' -ErrorAction SilentlyContinue
$script = Join-Path $env:ProgramFiles 'vmbackup-canary\canary.ps1'
if ($kept) {
    Write-Output $kept.Line
} elseif (Test-Path $script) {
    & $script Show # Nothing was written since the start, or the old one would have been kept.
} else {
    Write-Output 'no canary is installed in this VM'
    exit 1
}
"""
