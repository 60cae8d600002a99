#!/bin/sh
# Publishes the package to function apps by plain az, built there from the locked requirements.
# Usage: infra/hooks/publish.sh GROUP APP...
set -eu
cd "$(dirname "$0")/../.."
group=$1
shift

python3 tools/package.py build/app.zip
for app in "$@"; do
    az functionapp deployment source config-zip --output none \
        --resource-group "$group" --name "$app" --src build/app.zip --build-remote true
done
