#!/bin/sh
# Prints the subscriptions under management groups, at any depth, with commas between. Whoever asks
# needs the right to read the groups. Usage: infra/hooks/subscriptions.sh MANAGEMENT_GROUP...
set -eu

trees=$(for group in "$@"; do
    az account management-group show --name "$group" --expand --recurse --output json || exit 1
done)
printf '%s' "$trees" | python3 -c '
import json, sys

def below(node):
    for child in node.get("children") or []:
        if child["type"].lower().endswith("subscriptions"):
            yield child["name"].lower()
        else:
            yield from below(child)

text, found, decoder = sys.stdin.read().strip(), set(), json.JSONDecoder()
while text:
    tree, end = decoder.raw_decode(text)
    found.update(below(tree))
    text = text[end:].lstrip()
print(",".join(sorted(found)))
'
