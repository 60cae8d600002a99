#!/bin/sh
# Deploys everything by plain az: templates, app, events. What azd does in `azd up`, for who has no azd.
# Run again to upgrade. Usage: infra/deploy.sh NAME REGION PARAMETERS.json
set -eu
name=$1
location=$2
parameters=$(cd "$(dirname "$3")" && pwd)/$(basename "$3")
cd "$(dirname "$0")/.."

az deployment sub create --name "vmbackup-$name" --location "$location" --output none \
    --template-file infra/main.bicep \
    --parameters "@$parameters" environmentName="$name" location="$location"

# Resource Manager does not keep the case of outputs' names.
outputs=$(az deployment sub show --name "vmbackup-$name" --query properties.outputs --output json)
output() {
    printf '%s' "$outputs" | python3 -c '
import json, sys
name = sys.argv[1].lower()
print(next(out["value"] for key, out in json.load(sys.stdin).items() if key.lower() == name))
' "$1"
}

python3 tools/package.py build/app.zip
app=$(output AZURE_FUNCTION_NAME)
drills=$(output AZURE_DRILL_FUNCTION_NAME)
for each in "$app" $([ "$drills" = "$app" ] || echo "$drills"); do
    az functionapp deployment source config-zip --output none \
        --resource-group "$(output AZURE_RESOURCE_GROUP)" --name "$each" \
        --src build/app.zip --build-remote true
done

AZURE_ENV_NAME=$name
AZURE_LOCATION=$location
AZURE_SUBSCRIPTION_ID=$(az account show --query id --output tsv)
AZURE_RESOURCE_GROUP=$(output AZURE_RESOURCE_GROUP)
EVENTS_FUNCTION_ID=$(output EVENTS_FUNCTION_ID)
EVENTS_REPORTS_FUNCTION_ID=$(output EVENTS_REPORTS_FUNCTION_ID)
EVENTS_MAIL_SERVICE_ID=$(output EVENTS_MAIL_SERVICE_ID)
EVENTS_EXISTING_TOPICS=$(output EVENTS_EXISTING_TOPICS)
EVENTS_IDENTITY_ID=$(output EVENTS_IDENTITY_ID)
EVENTS_STATE_ACCOUNT_ID=$(output EVENTS_STATE_ACCOUNT_ID)
EVENTS_ACTION_GROUP_ID=$(output EVENTS_ACTION_GROUP_ID)
EVENTS_SUBSCRIPTIONS=$(output EVENTS_SUBSCRIPTIONS)
export AZURE_ENV_NAME AZURE_LOCATION AZURE_SUBSCRIPTION_ID AZURE_RESOURCE_GROUP
export EVENTS_FUNCTION_ID EVENTS_REPORTS_FUNCTION_ID EVENTS_MAIL_SERVICE_ID EVENTS_IDENTITY_ID
export EVENTS_EXISTING_TOPICS
export EVENTS_STATE_ACCOUNT_ID EVENTS_ACTION_GROUP_ID EVENTS_SUBSCRIPTIONS
infra/hooks/subscribe.sh
