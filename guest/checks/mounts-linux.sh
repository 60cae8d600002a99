#!/bin/sh
# Succeed when all that /etc/fstab mounts at boot is mounted, and nothing of it read-only by accident.
set -u
fstab=${FSTAB:-/etc/fstab}
mounts=${MOUNTS:-/proc/mounts}

bad=0
while read -r device place type options _; do
    case $device in '' | '#'*) continue ;; esac
    case $type in swap | none) continue ;; esac
    case ",$options," in *,noauto,*) continue ;; esac
    is=$(awk -v place="$place" '$2 == place { options = $4 } END { print options }' "$mounts")
    case ",$is,:,$options," in
        ,,:*) echo "$place is not mounted" && bad=1 ;;
        *,ro,*:*,ro,*) ;;
        *,ro,*:*) echo "$place is mounted read-only" && bad=1 ;;
    esac
done <"$fstab"
exit $bad
