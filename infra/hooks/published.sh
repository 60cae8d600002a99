#!/bin/sh
# What follows once azd has published the app: the same package goes to the app that runs restore
# tests, where they have one of their own, and then events may come.
#
# That app is no service of azure.yaml, because azd fails on a service that was not made, and which
# of its versions can leave one out by a condition differs.
set -eu
cd "$(dirname "$0")/../.."

if [ "$AZURE_DRILL_FUNCTION_NAME" != "$AZURE_FUNCTION_NAME" ]; then
    infra/hooks/publish.sh "$AZURE_RESOURCE_GROUP" "$AZURE_DRILL_FUNCTION_NAME"
fi
infra/hooks/subscribe.sh
