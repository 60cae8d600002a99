#!/bin/sh
# A canary for restore tests: proves that what was written before a backup is in it.
#
#   canary.sh write     write the canary anew (by timer or cron)
#   canary.sh boot      say on the serial console what the canary is after this start (at boot)
#   canary.sh show      say it on standard output
#   canary.sh install   install this script with a systemd timer, or with cron where there is none
#   canary.sh remove    take all of that away again
#
# It asks no network and reads nothing but its own file. docs/canary.md tells what it proves.
set -eu
umask 022
LC_ALL=C
export LC_ALL

ROOT=${CANARY_ROOT:-}                                 # Where `install` puts things; "" is this system.
KEPT=${CANARY_DIR:-$ROOT/var/lib/vmbackup-canary}     # Lies on the disk that is backed up.
RUN=${CANARY_RUN:-$ROOT/run/vmbackup-canary}          # Is empty after a start.
BOOT_ID=${CANARY_BOOT_ID:-/proc/sys/kernel/random/boot_id}
FILE=$KEPT/canary
SCRIPT=$ROOT/usr/local/sbin/vmbackup-canary
UNITS=$ROOT/etc/systemd/system
CRON=$ROOT/etc/cron.d/vmbackup-canary
EVERY=${CANARY_EVERY:-15}                             # Minutes.

die() {
    echo "vmbackup-canary: $1" >&2
    exit "${2:-1}"
}

digest() { sha256sum | cut -c 1-64; }

# All but the last line, which holds the digest of what is before it.
body() { sed '$d' "$FILE"; }

# Say what the canary is. A file that is cut short or changed has another digest than it says.
line() {
    if [ ! -f "$FILE" ]; then
        said="vmbackup-canary v1 - sha256=- missing"
    else
        at=$(sed -n '2s/^at \([0-9-]\{10\}T[0-9:]\{8\}Z\)$/\1/p' "$FILE")
        was=$(sed -n '$s/^sha256 \([0-9a-f]\{64\}\)$/\1/p' "$FILE")
        is=$(body | digest)
        state=damaged
        if [ -n "$at" ] && [ "$is" = "$was" ]; then state=ok; fi
        said="vmbackup-canary v1 ${at:--} sha256=$is $state"
    fi
    echo "$said line=$(printf %s "$said" | digest | cut -c 1-8)"
}

# What the canary was at this start. A restored copy runs this script as well, and a canary that it
# wrote itself proves nothing: so nothing is written before this is kept, and it is kept once.
at_boot() {
    kept=$RUN/at-boot-$(cat "$BOOT_ID")
    if [ ! -f "$kept" ]; then
        mkdir -p "$RUN"
        line >"$RUN/new.$$"
        ln "$RUN/new.$$" "$kept" 2>/dev/null || [ -f "$kept" ] # Another may have been first.
        rm -f "$RUN/new.$$"
    fi
    cat "$kept"
}

console() {
    for port in ${CANARY_CONSOLE:-/dev/ttyS0 /dev/ttyAMA0 /dev/console}; do
        # The device of a port that is not there may exist all the same.
        if [ -w "$port" ] && printf '\r\n%s\r\n' "$1" 2>/dev/null >"$port"; then return; fi
    done
    die "no serial console can be written to" 3
}

boot() {
    told=$(at_boot)
    console "$told"
}

write() {
    at_boot >/dev/null
    mkdir -p "$KEPT"
    # What a machine left that stopped while it wrote; not what another is writing now.
    find "$KEPT" -name 'canary.new.*' -mmin +60 -exec rm -f {} + 2>/dev/null || true
    new=$FILE.new.$$
    {
        echo "vmbackup-canary v1"
        echo "at $(date -u +%Y-%m-%dT%H:%M:%SZ)"
        # Random, so that no two are alike and a part of an older one would show.
        od -An -v -tx1 -N 16384 /dev/urandom
    } >"$new"
    sum=$(digest <"$new")
    echo "sha256 $sum" >>"$new"
    sync "$new" 2>/dev/null || sync
    mv "$new" "$FILE"
    sync "$KEPT" 2>/dev/null || sync
}

install_systemd() {
    mkdir -p "$UNITS"
    cat >"$UNITS/vmbackup-canary-boot.service" <<EOF
[Unit]
Description=Say on the serial console which canary is on the disk
After=local-fs.target
Before=vmbackup-canary.service getty-pre.target
Wants=getty-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=30
ExecStart=/usr/local/sbin/vmbackup-canary boot

[Install]
WantedBy=multi-user.target
EOF
    cat >"$UNITS/vmbackup-canary.service" <<EOF
[Unit]
Description=Write the canary that a restore test looks for
After=local-fs.target

[Service]
Type=oneshot
Nice=19
ExecStart=/usr/local/sbin/vmbackup-canary write
EOF
    cat >"$UNITS/vmbackup-canary.timer" <<EOF
[Unit]
Description=Write the canary that a restore test looks for

[Timer]
OnCalendar=*:0/$EVERY
AccuracySec=10s

[Install]
WantedBy=timers.target
EOF
    if [ -n "$ROOT" ]; then return; fi
    systemctl daemon-reload
    systemctl enable vmbackup-canary-boot.service
    systemctl enable --now vmbackup-canary.timer
}

install_cron() {
    mkdir -p "${CRON%/*}"
    cat >"$CRON" <<EOF
# The canary that a restore test looks for; \`vmbackup-canary remove\` takes it away.
@reboot root /usr/local/sbin/vmbackup-canary boot
*/$EVERY * * * * root /usr/local/sbin/vmbackup-canary write
EOF
}

install() {
    how=${1:-}
    if [ -z "$how" ]; then
        how=cron
        if [ -d /run/systemd/system ]; then how=systemd; fi
    fi
    mkdir -p "${SCRIPT%/*}"
    cmp -s "$0" "$SCRIPT" || cp "$0" "$SCRIPT"
    chmod 755 "$SCRIPT"
    case $how in
        systemd) install_systemd ;;
        cron) install_cron ;;
        *) die "install takes systemd or cron, not $how" 2 ;;
    esac
    write
}

remove() {
    if [ -z "$ROOT" ] && [ -d /run/systemd/system ] && [ -f "$UNITS/vmbackup-canary.timer" ]; then
        systemctl disable --now vmbackup-canary.timer vmbackup-canary-boot.service
    fi
    rm -f "$CRON" "$SCRIPT" "$UNITS/vmbackup-canary.timer" "$UNITS/vmbackup-canary.service" \
        "$UNITS/vmbackup-canary-boot.service"
    rm -f "$FILE" "$FILE".new.* "$RUN"/at-boot-*
    rmdir "$KEPT" "$RUN" 2>/dev/null || true
}

case ${1:-} in
    write) write ;;
    boot) boot ;;
    show) line ;;
    install) install "${2:-}" ;;
    remove) remove ;;
    *) die "usage: $0 write|boot|show|install [systemd|cron]|remove" 2 ;;
esac
