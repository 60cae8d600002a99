# Say which canary was on the disk when this copy started (see docs/canary.md).
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
