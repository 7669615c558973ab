#!/bin/sh
# keep.sh OWNER PID_FILE COMMAND [ARGUMENT...]
#
# Runs COMMAND until it ends, or until the process OWNER has ended, however that came about: a test
# run that is killed leaves no server behind. OWNER 0: nobody, it runs until somebody ends it.
set -u
owner=$1
pid_file=$2
shift 2

"$@" &
child=$!
echo "$child" >"$pid_file.draft" && mv "$pid_file.draft" "$pid_file"
trap 'kill -TERM "$child" 2>/dev/null' TERM INT HUP

while kill -0 "$child" 2>/dev/null; do
  if [ "$owner" -ne 0 ] && ! kill -0 "$owner" 2>/dev/null; then
    kill -TERM "$child" 2>/dev/null
    tries=0
    while [ "$tries" -lt 30 ] && kill -0 "$child" 2>/dev/null; do
      tries=$((tries + 1))
      sleep 0.2
    done
    kill -KILL "$child" 2>/dev/null
  fi
  sleep 0.3
done
wait "$child"
