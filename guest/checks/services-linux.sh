#!/bin/sh
# Succeed when these systemd units run. Example: write your own into `units`.
set -u
units='ssh.service cron.service'

bad=0
for unit in $units; do
    state=$(systemctl is-active "$unit")
    if [ "$state" != active ]; then
        echo "$unit is $state"
        bad=1
    fi
done
exit $bad
