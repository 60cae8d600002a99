#!/bin/sh
# Deploys everything by plain az: templates, app, events. What azd does in `azd up`, for who has no azd.
# Run again to upgrade. Usage: infra/deploy.sh NAME REGION PARAMETERS.json
#
# AZURE_MANAGEMENT_GROUPS names management groups (with blanks between) whose subscriptions are
# watched beside those in PARAMETERS.json.
set -eu
name=$1
location=$2
parameters=$(cd "$(dirname "$3")" && pwd)/$(basename "$3")
cd "$(dirname "$0")/.."

found=
if [ -n "${AZURE_MANAGEMENT_GROUPS:-}" ]; then
    # shellcheck disable=SC2086 # One word for each group.
    found=$(infra/hooks/subscriptions.sh $AZURE_MANAGEMENT_GROUPS)
fi
az deployment sub create --name "vmbackup-$name" --location "$location" --output none \
    --template-file infra/main.bicep \
    --parameters "@$parameters" environmentName="$name" location="$location" \
    foundSubscriptions="$found"

# Resource Manager does not keep the case of outputs' names.
outputs=$(az deployment sub show --name "vmbackup-$name" --query properties.outputs --output json)
output() {
    printf '%s' "$outputs" | python3 -c '
import json, sys
name = sys.argv[1].lower()
print(next(out["value"] for key, out in json.load(sys.stdin).items() if key.lower() == name))
' "$1"
}

AZURE_ENV_NAME=$name
AZURE_LOCATION=$location
AZURE_SUBSCRIPTION_ID=$(az account show --query id --output tsv)
AZURE_RESOURCE_GROUP=$(output AZURE_RESOURCE_GROUP)
AZURE_FUNCTION_NAME=$(output AZURE_FUNCTION_NAME)
AZURE_DRILL_FUNCTION_NAME=$(output AZURE_DRILL_FUNCTION_NAME)
EVENTS_FUNCTION_ID=$(output EVENTS_FUNCTION_ID)
EVENTS_REPORTS_FUNCTION_ID=$(output EVENTS_REPORTS_FUNCTION_ID)
EVENTS_MAIL_SERVICE_ID=$(output EVENTS_MAIL_SERVICE_ID)
EVENTS_IDENTITY_ID=$(output EVENTS_IDENTITY_ID)
EVENTS_STATE_ACCOUNT_ID=$(output EVENTS_STATE_ACCOUNT_ID)
EVENTS_ACTION_GROUP_ID=$(output EVENTS_ACTION_GROUP_ID)
EVENTS_SUBSCRIPTIONS=$(output EVENTS_SUBSCRIPTIONS)
EVENTS_EXISTING_TOPICS=$(output EVENTS_EXISTING_TOPICS)
export AZURE_ENV_NAME AZURE_LOCATION AZURE_SUBSCRIPTION_ID AZURE_RESOURCE_GROUP
export AZURE_FUNCTION_NAME AZURE_DRILL_FUNCTION_NAME
export EVENTS_FUNCTION_ID EVENTS_REPORTS_FUNCTION_ID EVENTS_MAIL_SERVICE_ID EVENTS_IDENTITY_ID
export EVENTS_STATE_ACCOUNT_ID EVENTS_ACTION_GROUP_ID EVENTS_SUBSCRIPTIONS EVENTS_EXISTING_TOPICS

infra/hooks/publish.sh "$AZURE_RESOURCE_GROUP" "$AZURE_FUNCTION_NAME"
infra/hooks/published.sh
