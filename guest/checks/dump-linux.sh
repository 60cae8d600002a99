#!/bin/sh
# Succeed when the newest compressed database dump can be read to its end.
# Example: write your own folder, name and last words.
set -u
folder=${FOLDER:-/var/backups/db}
ends='-- Dump completed' # mysqldump; pg_dump writes "-- PostgreSQL database dump complete".

newest=
for dump in "$folder"/*.sql.gz; do
    if [ -f "$dump" ] && { [ -z "$newest" ] || [ "$dump" -nt "$newest" ]; }; then newest=$dump; fi
done
if [ -z "$newest" ]; then
    echo "there is no dump in $folder"
    exit 1
fi
if ! gzip -t "$newest"; then
    exit 1
fi
if ! gzip -dc "$newest" | tail -n 5 | grep -q -e "$ends"; then
    echo "$newest does not end as a whole dump does"
    exit 1
fi
echo "$newest is whole"
