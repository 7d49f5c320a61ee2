#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ids end to end: a daemon makes one, another one replaces it, the daemon is killed, and what was answered holds: the
# old id leads to the session in its time, ends it later, and all is over after the next kill as well.
set -eu
ctl=$PDP_BIN/pdpctl
{ [ -x "$ctl" ] && [ -x "$PDP_BIN/pdpd" ]; } || { echo "pdpctl or pdpd is not built"; exit 77; }
work=$(mktemp -d)
daemon=
clean() {
    [ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
mkdir "$work/live" "$work/state"
cat >"$work/live/all.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: all}
rules:
  - {id: all, effect: allow}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: renewal}
renewal: {overlap: 3s}
YAML
up() {
    "$PDP_BIN/pdpd" --policies "$work/live" --decide "ipc://$work/decide" --admin "ipc://$work/admin" --state "$work/state" \
        >>"$work/log" 2>&1 &
    daemon=$!
    tries=0
    until "$ctl" status --connect "ipc://$work/admin" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || { cat "$work/log"; echo "FAIL: the daemon does not come up"; exit 1; }
    done
}
down() {
    kill -9 "$daemon"
    wait "$daemon" 2>/dev/null || true
    daemon=
}
checks=0
ask() { # MESSAGE: the answer in $answer
    answer=$(printf '%s' "$1" | "$ctl" decide --connect "ipc://$work/decide" --json 2>&1 || true)
}
expect() { # TEXT MESSAGE
    checks=$((checks + 1))
    ask "$2"
    case $answer in *"$1"*) ;; *) echo "FAIL: $2: $answer: no \`$1\`"; exit 1 ;; esac
}
event() { # REQUEST TYPE SESSION PROPERTIES
    printf '{"request_id":"%s","event":{"type":"%s","subject":{"type":"user","id":"alice"},"context":{"session":{%s}},"properties":{%s}}}' \
        "$1" "$2" "$3" "$4"
}
question() { # ID
    printf '{"subject":{"type":"user","id":"alice"},"action":{"name":"GET"},"resource":{"type":"route","id":"/"},"context":{"session":{"id":"%s"}}}' "$1"
}

up
expect '"set_cookie":"__Host-session=' "$(event r1 start '' '"mint":true')"
id=$(printf '%s' "$answer" | sed 's/.*"id":"\([^"]*\)".*/\1/')
[ ${#id} = 43 ] || { echo "FAIL: \`$id\` has not 43 characters"; exit 1; }
expect 'is told once' "$(event r1 start '' '"mint":true')"
expect '"replaces":"s_' "$(event r2 rotate "\"id\":\"$id\"" '"new_id":"the-next-one"')"
down
up
expect 'is told once' "$(event r1 start '' '"mint":true')"
expect '"repeated":true' "$(event r2 rotate "\"id\":\"$id\"" '"new_id":"the-next-one"')"
expect '"code":"fixation"' "$(event r3 rotate '"id":"the-next-one"' "\"new_id\":\"$id\"")"
expect '"decision":true' "$(question the-next-one)"
# By the old id: the same session until its overlap is over, and its end then. The next question of the new one tells.
tries=0
until ask "$(question "$id")" && [ "${answer#*\"code\":\"reused\"}" != "$answer" ]; do
    tries=$((tries + 1))
    case $answer in *'"decision":true'*) ;; *) echo "FAIL: in the overlap: $answer"; exit 1 ;; esac
    [ $tries -lt 5000 ] || { echo "FAIL: the overlap does not end: $answer"; exit 1; }
done
expect '"effect":"terminate"' "$(question the-next-one)"
down
up
expect '"effect":"terminate"' "$(question the-next-one)"
expect '"effect":"terminate"' "$(question "$id")"
expect '"code":"terminated"' "$(event r4 login "\"id\":\"$id\"" '"amr":["pwd"]')"
"$ctl" session show --connect "ipc://$work/admin" --session "$id" >"$work/show"
grep -q 'end_code *reused' "$work/show" || { cat "$work/show"; echo "FAIL: no end_code"; exit 1; }
down
# Ids are secrets: neither a log nor a file of the state holds one.
if grep -rqF -e "$id" -e the-next-one "$work/log" "$work/state"; then
    echo "FAIL: an id stands in a log or in a file"
    exit 1
fi
echo "$checks checks"
