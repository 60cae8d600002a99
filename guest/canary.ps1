<#
A canary for restore tests: proves that what was written before a backup is in it.

    canary.ps1 Write     write the canary anew (a scheduled task does so)
    canary.ps1 Boot      keep, and try to say on COM1, what the canary is after this start
    canary.ps1 Show      say it on standard output
    canary.ps1 Install   install this script with its two scheduled tasks
    canary.ps1 Remove    take all of that away again

It asks no network and reads nothing but its own file. docs/canary.md tells what it proves, and what
of this script was never tried.
#>
param(
    [Parameter(Mandatory = $true, Position = 0)]
    [ValidateSet('Write', 'Boot', 'Show', 'Install', 'Remove')]
    [string] $Mode,
    [ValidateRange(1, 59)]
    [int] $EveryMinutes = 15
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$Folder = Join-Path $env:ProgramData 'vmbackup-canary'
$File = Join-Path $Folder 'canary'
$Program = Join-Path $env:ProgramFiles 'vmbackup-canary'
$Script = Join-Path $Program 'canary.ps1'
$Key = 'SOFTWARE\vmbackup-canary-boot'
$Ascii = [System.Text.Encoding]::ASCII

function Get-Digest([byte[]] $Bytes) {
    $sha = [System.Security.Cryptography.SHA256]::Create()
    try { $hash = $sha.ComputeHash($Bytes) } finally { $sha.Dispose() }
    -join ($hash | ForEach-Object { $_.ToString('x2') })
}

# Say what the canary is. A file that is cut short or changed has another digest than it says.
function Get-Line {
    if (-not (Test-Path $File)) {
        $said = 'vmbackup-canary v1 - sha256=- missing'
    } else {
        $bytes = [System.IO.File]::ReadAllBytes($File)
        $text = $Ascii.GetString($bytes)
        $end = $text.TrimEnd("`n").LastIndexOf("`n") + 1 # Where the last line begins.
        $body = New-Object byte[] $end
        [Array]::Copy($bytes, $body, $end)
        $is = Get-Digest $body
        $at = '-'
        if ($text -cmatch '^[^\n]*\nat (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n') { $at = $Matches[1] }
        $whole = $text.Substring($end) -ceq "sha256 $is`n"
        $state = if ($whole -and $at -ne '-') { 'ok' } else { 'damaged' }
        $said = "vmbackup-canary v1 $at sha256=$is $state"
    }
    "$said line=$((Get-Digest ($Ascii.GetBytes($said))).Substring(0, 8))"
}

# What the canary was at this start. A restored copy runs this script as well, and a canary that it
# wrote itself proves nothing: so nothing is written before this is kept. The key is volatile:
# Windows forgets it when it stops.
function Get-LineAtBoot {
    $kept = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($Key)
    if (-not $kept) {
        $line = Get-Line
        $kept = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey(
            $Key,
            [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree,
            [Microsoft.Win32.RegistryOptions]::Volatile)
        if (-not $kept.GetValue('Line')) { $kept.SetValue('Line', $line) }
    }
    $told = $kept.GetValue('Line')
    $kept.Dispose()
    $told
}

function Write-Canary {
    Get-LineAtBoot | Out-Null
    New-Item -ItemType Directory -Force -Path $Folder | Out-Null
    $random = New-Object byte[] 16384
    $source = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    try { $source.GetBytes($random) } finally { $source.Dispose() }
    $at = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ',
        [System.Globalization.CultureInfo]::InvariantCulture)
    $body = "vmbackup-canary v1`nat $at`n" + [Convert]::ToBase64String($random) + "`n"
    $bytes = $Ascii.GetBytes("${body}sha256 $(Get-Digest ($Ascii.GetBytes($body)))`n")
    $stream = New-Object System.IO.FileStream "$File.new", 'Create', 'Write'
    try {
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Flush($true) # To the disk.
    } finally { $stream.Dispose() }
    Move-Item -Force "$File.new" $File
}

# Windows' own emergency console usually holds COM1, and then nobody else may write to it. The check
# that reads the canary over the agent does without.
function Write-Console([string] $Line) {
    $port = New-Object System.IO.Ports.SerialPort 'COM1', 115200
    try {
        $port.WriteTimeout = 5000
        $port.Open()
        $port.Write("`r`n$Line`r`n")
    } catch {
        Write-Output "COM1 cannot be written to: $($_.Exception.Message)"
    } finally { $port.Dispose() }
}

function Install-Canary {
    New-Item -ItemType Directory -Force -Path $Program | Out-Null
    if ($PSCommandPath -ne $Script) { Copy-Item -Force $PSCommandPath $Script }
    $who = New-ScheduledTaskPrincipal -UserId 'SYSTEM' -LogonType ServiceAccount
    $runs = @{
        Boot  = New-ScheduledTaskTrigger -AtStartup
        Write = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (
            New-TimeSpan -Minutes $EveryMinutes)
    }
    foreach ($name in $runs.Keys) {
        $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument (
            "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$Script`" $name")
        Register-ScheduledTask -Force -TaskName "vmbackup-canary-$($name.ToLower())" `
            -Trigger $runs[$name] -Action $action -Principal $who | Out-Null
    }
    Write-Canary
}

function Remove-Canary {
    Get-ScheduledTask -TaskName 'vmbackup-canary-*' | Unregister-ScheduledTask -Confirm:$false
    [Microsoft.Win32.Registry]::LocalMachine.DeleteSubKey($Key, $false)
    Remove-Item -Recurse -Force -ErrorAction SilentlyContinue -Path $Folder, $Program
}

switch ($Mode) {
    'Write' { Write-Canary }
    'Boot' { Write-Console (Get-LineAtBoot) }
    'Show' { Get-Line }
    'Install' { Install-Canary }
    'Remove' { Remove-Canary }
}
