# Succeed when these volumes are there and healthy. Example: write your own into $letters.
$letters = 'C'

$bad = 0
foreach ($letter in $letters) {
    $volume = Get-Volume -DriveLetter $letter -ErrorAction SilentlyContinue
    if (-not $volume) {
        Write-Output "${letter}: is not there"
        $bad = 1
    } elseif ($volume.HealthStatus -ne 'Healthy') {
        Write-Output "${letter}: is $($volume.HealthStatus)"
        $bad = 1
    }
}
exit $bad
