#!/bin/sh
# Lets the watched subscriptions tell the app of their VMs, and the mail service of its mails, once
# the functions that take such events are there. azd gives the outputs of main.bicep as variables; so may anybody else (docs/deploy.md).
set -eu
cd "$(dirname "$0")/../.."

# A deployed function shows up after some seconds, when the platform has asked the app for its list.
tries=20
until az resource show --ids "$EVENTS_FUNCTION_ID" --output none 2>/dev/null; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
        echo "the function vm_events is not there: is the app published? $EVENTS_FUNCTION_ID" >&2
        exit 1
    fi
    sleep 15
done

az deployment sub create \
    --subscription "$AZURE_SUBSCRIPTION_ID" \
    --name "vmbackup-events-$AZURE_ENV_NAME" \
    --location "$AZURE_LOCATION" \
    --template-file infra/events.bicep \
    --parameters \
    location="$AZURE_LOCATION" \
    subscriptions="$EVENTS_SUBSCRIPTIONS" \
    existingTopics="$EVENTS_EXISTING_TOPICS" \
    functionId="$EVENTS_FUNCTION_ID" \
    reportsFunctionId="$EVENTS_REPORTS_FUNCTION_ID" \
    mailServiceId="$EVENTS_MAIL_SERVICE_ID" \
    appGroup="$AZURE_RESOURCE_GROUP" \
    identityId="$EVENTS_IDENTITY_ID" \
    stateAccountId="$EVENTS_STATE_ACCOUNT_ID" \
    actionGroupId="$EVENTS_ACTION_GROUP_ID" \
    --output none
