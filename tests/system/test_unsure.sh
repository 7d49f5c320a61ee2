#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a gateway learns when the daemon cannot say: not there, silent, stopped in the middle, without its databases,
# without good policies. It never learns an allow, and no session ends.
set -eu
ctl=$PDP_BIN/pdpctl
[ -x "$ctl" ] && [ -x "$PDP_BIN/pdpd" ] || { echo "pdpctl or pdpd is not built"; exit 77; }
work=$(mktemp -d)
daemon=
peer=
clean() {
    [ -z "$daemon" ] || { kill -CONT "$daemon"; kill "$daemon"; } 2>/dev/null || true
    [ -z "$peer" ] || kill "$peer" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
url=ipc://$work/decide.ipc
admin=ipc://$work/admin.ipc
checks=0
: >"$work/log"
fail() {
    cat "$work/out" "$work/log" 2>/dev/null || true
    echo "FAIL: $*"
    exit 1
}
# ask CODE TEXT NUMBER ACTION [FLAGS]: asks for session s1; the exit code, and a text in the answer
ask() {
    code=$1 text=$2 number=$3 action=$4
    shift 4
    checks=$((checks + 1))
    got=0
    printf '{"request_id":"%s","subject":{"type":"user","id":"alice"},"action":{"name":"%s"},"resource":{"type":"route","id":"/a"},"context":{"session":{"id":"s1","auth_time":%s},"network":{"ip":"203.0.113.7"}}}' \
        "$number" "$action" "$now" |
        "$ctl" decide --connect "$url" --request - --json --deadline 700 "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" = "$code" ] || fail "$text: exit $got, not $code"
    grep -qF -- "$text" "$work/out" || fail "no \`$text\`"
    [ "$code" = 0 ] || ! grep -q '"decision": *true' "$work/out" || fail "$text: allowed"
}
# Waits for a line of the daemon's log.
await() {
    tries=0
    while ! grep -q "$1" "$work/log"; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || fail "the daemon never said $1"
        sleep 0.05
    done
}
now=$(date +%s)
mkdir "$work/policies"
cat >"$work/policies/p.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: p}
rules:
  - {id: all, effect: allow}
  - {id: from, effect: terminate, when: 'action.name == "GEO" && geo.country == "KP"'}
  - {id: left, effect: terminate, when: 'action.name == "LIST" && subject.id in lists.leavers'}
---
apiVersion: pdp/v1
kind: List
metadata: {name: leavers}
type: string
file: leavers.txt
YAML

# No daemon: nothing listens, then something that is no daemon.
ask 2 'no answer' r1 GET
if command -v nngcat >/dev/null; then
    nngcat --rep --listen "$url" --recv-timeout 20 >/dev/null 2>&1 &
    peer=$!
    tries=0
    while [ ! -S "$work/decide.ipc" ] && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    # Late: the question arrives, no answer ever does.
    ask 2 'no answer' r2 GET
    kill "$peer" 2>/dev/null || true
    wait "$peer" 2>/dev/null || true
    peer=
    rm -f "$work/decide.ipc"
fi

# A daemon whose database and list file are lost starts, and says so.
start() {
    "$PDP_BIN/pdpd" --policies "$work/policies" --decide "$url" --admin "$admin" --workers 1 "$@" >"$work/log" 2>&1 &
    daemon=$!
    await event=ready
}
stop() {
    kill "$daemon"
    wait "$daemon" || fail "the daemon ended badly"
    daemon=
}
start --geo "$work/lost.mmdb"
grep -q 'lost.mmdb' "$work/log" || fail "the lost database is not named"
grep -q 'leavers.txt' "$work/log" || fail "the lost list is not named"
ask 0 '"allow"' r3 GET
ask 1 '`geo.country` is missing' r4 GEO
ask 1 '`lists.leavers` is stale or missing' r5 LIST
ask 0 '"allow"' r6 GET

# A daemon that was stopped in the middle is late, and the session is alive when it goes on.
kill -STOP "$daemon"
ask 2 'no answer' r7 GET
kill -CONT "$daemon"
ask 0 '"allow"' r8 GET

stop
ask 2 'no answer' r9 GET

start
# Bad policies change nothing: same answers, same digest.
"$ctl" status --connect "$admin" --json >"$work/out" 2>&1 || fail "no status"
before=$(grep -o 'sha256:[0-9a-f]*' "$work/out" | head -n 1)
[ -n "$before" ] || fail "no digest in the status"
for bad in 'kind: [' 'apiVersion: pdp/v1' ''; do
    cp "$work/policies/p.yaml" "$work/good.yaml"
    printf '%s\n' "$bad" >"$work/policies/p.yaml"
    got=0
    "$ctl" reload --connect "$admin" >"$work/out" 2>&1 || got=$?
    [ "$got" != 0 ] || fail "bad policies were loaded: $bad"
    mv "$work/good.yaml" "$work/policies/p.yaml"
    ask 0 '"allow"' "r10-$checks" GET
    "$ctl" status --connect "$admin" --json >"$work/out" 2>&1 || fail "no status"
    [ "$(grep -o 'sha256:[0-9a-f]*' "$work/out" | head -n 1)" = "$before" ] || fail "the digest changed"
done
# The folder itself is gone.
mv "$work/policies" "$work/away"
got=0
"$ctl" reload --connect "$admin" >"$work/out" 2>&1 || got=$?
[ "$got" != 0 ] || fail "a folder that is not there was loaded"
ask 0 '"allow"' r20 GET
mv "$work/away" "$work/policies"
# And with its list again, what was unsure is known.
echo mallory >"$work/policies/leavers.txt"
"$ctl" reload --connect "$admin" >"$work/out" 2>&1 || fail "good policies were refused"
ask 0 '"allow"' r21 LIST
stop
ask 2 'no answer' r22 GET
echo "$checks questions"
