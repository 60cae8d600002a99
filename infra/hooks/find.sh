#!/bin/sh
# Before azd provisions: writes down which subscriptions lie under the management groups that
# AZURE_MANAGEMENT_GROUPS names (with blanks between), so that the templates watch them too.
set -eu
cd "$(dirname "$0")/../.."

found=
if [ -n "${AZURE_MANAGEMENT_GROUPS:-}" ]; then
    # shellcheck disable=SC2086 # One word for each group.
    found=$(infra/hooks/subscriptions.sh $AZURE_MANAGEMENT_GROUPS)
fi
azd env set AZURE_FOUND_SUBSCRIPTIONS "$found"
