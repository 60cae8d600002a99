# Succeed when these services run. Example: write your own into $names.
$names = 'EventLog', 'LanmanServer'

$bad = @(Get-Service -Name $names -ErrorAction Continue | Where-Object Status -ne 'Running')
$bad | ForEach-Object { Write-Output "$($_.Name) is $($_.Status)" }
$found = @(Get-Service -Name $names -ErrorAction SilentlyContinue).Count
if ($bad.Count -gt 0 -or $found -lt $names.Count) { exit 1 }
exit 0
