#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Counters end to end: the real daemon counts until the rule bites, tells of it, and goes on over a reload; eval
# and replay count as it does.
set -eu
. tests/system/expect.sh

mkdir "$work/live"
cat >"$work/live/volume.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Counter
metadata: {name: rows_1h}
key: [subject.id]
window: 1h
add: context.activity.rows
when: action.name == "export"
---
apiVersion: pdp/v1
kind: Policy
metadata: {name: volume}
rules:
  - {id: anybody, effect: allow}
  - {id: too-much, effect: deny, actions: [export], when: counters.rows_1h > 100}
YAML
question() { # SUBJECT ACTION ACTIVITY
    printf '{"subject":{"type":"user","id":"%s"},"action":{"name":"%s"},"resource":{"type":"table","id":"accounts"},"context":{"activity":%s}}' \
        "$1" "$2" "$3"
}
question alice export '{"rows":40}' >"$work/alice.json"
question bob export '{"rows":100}' >"$work/bob.json"
question carol export '{"rows":101}' >"$work/much.json"
question dave export '{}' >"$work/silent.json"
question alice view '{}' >"$work/view.json"

# Here: one question alone, then a day's in order. What has left the window no longer counts.
expect 0 "allow" "$ctl" eval --policies "$work/live" --request "$work/bob.json"
expect 1 "too-much" "$ctl" eval --policies "$work/live" --request "$work/much.json"
expect 1 "context.activity.rows" "$ctl" eval --policies "$work/live" --request "$work/silent.json"
expect 1 "unsure" "$ctl" eval --policies "$work/live" --request "$work/silent.json"
line() { # MILLISECONDS FILE
    printf '{"at": %s, "request": %s}\n' "$1" "$(cat "$work/$2.json")"
}
{
    line 1795370000000 alice
    line 1795370001000 alice
    line 1795370002000 alice # 120: refused, so not counted
    line 1795370003000 bob   # another key
    line 1795370004000 view  # no export
    line 1795370005000 silent
    line 1795376000000 alice # the window is over
} >"$work/day.jsonl"
"$ctl" replay --policies "$work/live" --events "$work/day.jsonl" >"$work/one.jsonl"
"$ctl" replay --policies "$work/live" --events "$work/day.jsonl" >"$work/two.jsonl"
checks=$((checks + 2))
cmp "$work/one.jsonl" "$work/two.jsonl" || { echo "FAIL: two replays differ"; exit 1; }
effects=$(sed 's/.*"effect": *"\([a-z_]*\)".*"code": *"\([a-z-]*\)".*/\1:\2/' "$work/one.jsonl" | tr '\n' ' ')
want="allow:policy allow:policy deny:policy allow:policy allow:policy deny:unsure allow:policy "
[ "$effects" = "$want" ] || { cat "$work/one.jsonl"; echo "FAIL: replay: $effects"; exit 1; }

# The daemon, with room for few keys.
cat >"$work/pdpd.yaml" <<YAML
policies: $work/live
decide: [{url: "ipc://$work/decide.sock"}]
admin: {url: "ipc://$work/admin.sock"}
counter_entries: 1000
YAML
"$PDP_BIN/pdpd" --config "$work/pdpd.yaml" 2>"$work/pdpd.log" &
daemon=$!
tries=0
until [ -S "$work/admin.sock" ] && [ -S "$work/decide.sock" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 400 ] && kill -0 "$daemon" || { cat "$work/pdpd.log"; echo "FAIL: the daemon does not listen"; exit 1; }
    sleep 0.05
done
admin="--connect ipc://$work/admin.sock"
decide="--connect ipc://$work/decide.sock"
# shellcheck disable=SC2086
{
    expect 0 '"counters":[{"name":"rows_1h","window_s":3600,"served":true,"keys":0,"room":1024,' "$ctl" status $admin --json
    expect 0 "allow" "$ctl" decide $decide --request "$work/alice.json"
    expect 0 "allow" "$ctl" decide $decide --request "$work/view.json"
    expect 0 "allow" "$ctl" decide $decide --request "$work/alice.json"
    expect 1 "too-much" "$ctl" decide $decide --request "$work/alice.json"
    expect 0 "allow" "$ctl" decide $decide --request "$work/view.json"
    expect 0 "allow" "$ctl" decide $decide --request "$work/bob.json"
    expect 1 "too-much" "$ctl" decide $decide --request "$work/bob.json"
    expect 1 "unsure" "$ctl" decide $decide --request "$work/silent.json"
    expect 0 '"served":true,"keys":2,"room":1024,"displaced":0,' "$ctl" status $admin --json
    expect 0 "rows_1h" "$ctl" status $admin

    # Another limit and another counter: the first goes on counting, the other begins at nothing.
    sed 's/> 100/> 110/' "$work/live/volume.yaml" >"$work/next.yaml"
    printf -- '---\napiVersion: pdp/v1\nkind: Counter\nmetadata: {name: calls_1m}\nkey: [subject.id]\nwindow: 1m\n' >>"$work/next.yaml"
    cp "$work/next.yaml" "$work/live/volume.yaml"
    expect 0 "" "$ctl" reload $admin
    expect 0 '"name":"rows_1h","window_s":3600,"served":true,"keys":2,' "$ctl" status $admin --json
    expect 0 '"name":"calls_1m","window_s":60,"served":true,"keys":0,' "$ctl" status $admin --json
    expect 1 "too-much" "$ctl" decide $decide --request "$work/alice.json"
    # A reload that is refused takes nothing away.
    sed 's/rows_1h >/rows_1d >/' "$work/next.yaml" >"$work/live/volume.yaml"
    expect 1 "volume.yaml:14:" "$ctl" reload $admin
    expect 1 "too-much" "$ctl" decide $decide --request "$work/alice.json"
    # Another window is another counter.
    sed 's/window: 1h/window: 2h/' "$work/next.yaml" >"$work/live/volume.yaml"
    expect 0 "" "$ctl" reload $admin
    expect 0 "allow" "$ctl" decide $decide --request "$work/alice.json"
}
kill "$daemon"
wait "$daemon" || { cat "$work/pdpd.log"; echo "FAIL: the daemon did not end well"; exit 1; }
daemon=

# More than the configuration may ask for is refused by name.
sed 's/: 1000/: 16777217/' "$work/pdpd.yaml" >"$work/many.yaml"
expect 2 "counter_entries" "$PDP_BIN/pdpd" --config "$work/many.yaml"
echo "ok: $checks checks"
