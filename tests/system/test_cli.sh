#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command of pdpctl as people and programs use it: what it prints and how it exits.
set -eu
. tests/system/expect.sh
export LIST="$work/list"

# Help is everywhere, with an example; mistakes name what is meant.
expect 0 "pdpctl check" "$ctl" --help
expect 2 "session terminate" "$ctl"
for command in check compile build sign verify eval decide replay "session list" "session show" "session terminate" "control pending" "control approve" "lock add" "lock list" "lock rm" "mute add" "mute list" "mute rm" "pardon add" "pardon list" "pardon rm" "breaker reset" "cutoff add" "cutoff list" status reload; do
    # shellcheck disable=SC2086
    expect 0 "example:" "$ctl" $command --help
    expect 0 "$command" "$ctl" --help
done
# The man page names every flag and every command.
for command in check compile build sign verify eval decide replay "session list" "session show" "session terminate" "control pending" "control approve" "lock add" "lock list" "lock rm" "mute add" "mute list" "mute rm" "pardon add" "pardon list" "pardon rm" "breaker reset" "cutoff add" "cutoff list" status reload; do
    # shellcheck disable=SC2086
    for flag in $("$ctl" $command --help | sed -n 's/^  --\([a-z]*\).*/\1/p'); do
        checks=$((checks + 1))
        sed 's/\\-/-/g' docs/man/pdpctl.1 | grep -qF -- "--$flag" || { echo "FAIL: the man page lacks --$flag"; exit 1; }
    done
    sed 's/\\-/-/g' docs/man/pdpctl.1 | grep -qF ".B $command" || { echo "FAIL: the man page lacks $command"; exit 1; }
done
expect 2 "did you mean \`pdpctl check\`" "$ctl" chek policies
expect 2 "did you mean \`--policies\`" "$ctl" eval --polices x
expect 2 "--policies" "$ctl" eval
expect 2 "--reason" "$ctl" session terminate --connect ipc:///x --session s
expect 2 "list, show, export or terminate" "$ctl" session
expect 0 "session terminate" "$ctl" session --help
expect 0 "pdpctl 0." "$ctl" --version
if [ -c /dev/full ]; then
    for about in --help --version "check --help"; do
        # shellcheck disable=SC2086
        expect 2 "standard output" sh -c '"$0" "$@" >/dev/full' "$ctl" $about
    done
fi

mkdir "$work/good" "$work/bad" "$work/empty"
cat >"$work/good/policy.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: example, owner: docs}
target: resource.type == "route"
combine: most-restrictive
rules:
  - id: read
    effect: allow
    actions: [GET]
    when: subject.id == "alice"
    reason: alice may read
YAML
sed 's/alice"/alice/; s/effect: allow/effect: alow/' "$work/good/policy.yaml" >"$work/bad/policy.yaml"

expect 0 "1" "$ctl" check "$work/good"
expect 0 "\"ok\":" "$ctl" check "$work/good" --json
expect 2 "policy.yaml:8:" "$ctl" check "$work/bad"
expect 2 "\"message\":" "$ctl" check "$work/bad" --json
expect 2 "" "$ctl" check "$work/empty"
expect 2 "$work/none" "$ctl" check "$work/none"

question() {
    printf '{"subject":{"type":"user","id":"%s"},"action":{"name":"GET"},"resource":{"type":"route","id":"/x"},"context":{"session":{"id":"%s","auth_time":%s}}}' \
        "$1" "$2" "$3"
}
now=$(date +%s)
question alice cli-session "$now" >"$work/alice.json"
question mallory other "$now" >"$work/mallory.json"
expect 0 "    when " "$ctl" compile "$work/good" --print
expect 0 "good:" "$ctl" compile "$work/good"
expect 2 "compile" "$ctl" compile --print
expect 0 "allow" "$ctl" eval --policies "$work/good" --request "$work/alice.json"
expect 1 "no-rule" "$ctl" eval --policies "$work/good" --request "$work/mallory.json"
expect 0 '"decision":' "$ctl" eval --policies "$work/good" --request "$work/alice.json" --json
expect 0 "allow" "$ctl" eval --policies "$work/good" --request "$work/alice.json" --now "${now}000"
expect 2 "" "$ctl" eval --policies "$work/good" --request "$work/alice.json" --now "$now"
expect 2 "" "$ctl" eval --policies "$work/good" --request "$work/none.json"
echo '{"subject": ' >"$work/torn.json"
expect 2 "" "$ctl" eval --policies "$work/good" --request "$work/torn.json"
expect 2 "policy.yaml:8:" "$ctl" eval --policies "$work/bad" --request "$work/alice.json"

# What is no question is said to be none, whoever is asked.
: >"$work/nothing"
expect 2 "\`$work/nothing\` is empty" "$ctl" eval --policies "$work/good" --request "$work/nothing"
expect 2 "\`standard input\` is empty" "$ctl" eval --policies "$work/good"
expect 2 "does not begin with" "$ctl" eval --policies "$work/good" --request "$work/good/policy.yaml"
expect 2 "s a directory" "$ctl" eval --policies "$work/good" --request "$work"
expect 2 "s a directory" "$ctl" replay --policies "$work/good" --events "$work"
expect 0 "holds no line" "$ctl" replay --policies "$work/good" --events "$work/nothing"
printf '\n{"at": 1795370020, "request": {}}\r\n{"at": 1795370020000, "request": {}}\r\n' >"$work/seconds.jsonl"
expect 0 "1 of 2 lines are no request and no event with a time, the first is line 2" "$ctl" replay --policies "$work/good" --events "$work/seconds.jsonl"

# A replay answers every line, the bad ones too, and always with the same bytes.
{
    printf '{"at": 1795370000000, "request": %s}\n' "$(question alice r1 1795370000)"
    printf '{"at": "2026-11-22T20:00:10Z", "request": %s}\n' "$(question mallory r2 1795370000)"
    printf '{"at": 1795370020, "request": %s}\n' "$(question alice r1 1795370000)"
    printf 'no json\n'
    printf '{"at": 1795370030000, "event": {"type": "logout", "subject": {"type": "user", "id": "alice"}, "context": {"session": {"id": "r1"}}}, "request_id": "e1"}\n'
    printf '{"at": 1795370040000, "request": %s}\n' "$(question alice r1 1795370000)"
} >"$work/events.jsonl"
"$ctl" replay --policies "$work/good" --events "$work/events.jsonl" >"$work/one.jsonl"
"$ctl" replay --policies "$work/good" --events - <"$work/events.jsonl" >"$work/two.jsonl"
cmp "$work/one.jsonl" "$work/two.jsonl" || { echo "FAIL: two replays differ"; exit 1; }
effects=$(sed 's/.*"effect": *"\([a-z_]*\)".*"code": *"\([a-z-]*\)".*/\1:\2/' "$work/one.jsonl" | tr '\n' ' ')
want="allow:policy deny:no-rule deny:malformed deny:malformed "
case $effects in
"$want"*) ;;
*) cat "$work/one.jsonl"; echo "FAIL: replay: $effects"; exit 1 ;;
esac
[ "$(wc -l <"$work/one.jsonl")" = 6 ] || { echo "FAIL: not an answer a line"; exit 1; }
sed -n 6p "$work/one.jsonl" | grep -qF terminate || { cat "$work/one.jsonl"; echo "FAIL: allowed after a logout"; exit 1; }

# For people: the time of day however `at` is written, and half an address is never shown for a whole one.
long='"context":{"network":{"ip":"2001:db8:1234:5678:9abc:def0:1234:5678"}}}'
{
    printf '{"at": 1795370400000, "request": {"subject":{"type":"user","id":"\303\244\303\266\303\274\303\244\303\266\303\274\303\244\303\266\303\274"},"action":{"name":"GET"},"resource":{"type":"route","id":"/"},%s}\n' "$long"
    printf '{"at": "2026-11-22T19:00:00.250+01:00", "request": {"subject":{"type":"user","id":"alice"},"action":{"name":"GET"},"resource":{"type":"route","id":"/"},%s}\n' "$long"
} >"$work/people.jsonl"
expect 0 "$(printf '18:00:00 \303\244\303\266\303\274\303\244\303\266\303\274\303\244~ GET /                      2001:db8:1234:5678:9abc:def0:1234:5678 deny')" \
    "$ctl" replay --policies "$work/good" --events "$work/people.jsonl" --people
expect 0 "18:00:00 alice    GET" "$ctl" replay --policies "$work/good" --events "$work/people.jsonl" --people

# A batch is a yes only where every item is.
batch() {
    printf '{"subject":{"type":"user","id":"alice"},"action":{"name":"GET"},"resource":{"type":"route","id":"/x"},"evaluations":[{},{"subject":{"type":"user","id":"%s"}}]}' "$1"
}
batch alice >"$work/both.json"
batch mallory >"$work/one.json"
expect 0 "2 of 2: allow" "$ctl" eval --policies "$work/good" --request "$work/both.json"
expect 1 "2 of 2: deny" "$ctl" eval --policies "$work/good" --request "$work/one.json"

# Nobody there: said within the deadline, and never a yes.
for command in "decide --request $work/alice.json" status reload "session list" "session show --session s"; do
    got=0
    checks=$((checks + 1))
    # shellcheck disable=SC2086
    timeout 10 "$ctl" $command --connect "ipc://$work/none.sock" --deadline 200 >"$work/out" 2>&1 || got=$?
    { [ "$got" = 1 ] || [ "$got" = 2 ]; } && grep -qF "none.sock" "$work/out" || { cat "$work/out"; echo "FAIL: $command: $got"; exit 1; }
done

[ -x "$PDP_BIN/pdpd" ] || { echo "ok: $checks checks, without a daemon"; exit 0; }
cp -r "$work/good" "$work/live"
"$PDP_BIN/pdpd" --policies "$work/live" --decide "ipc://$work/decide.sock" --admin "ipc://$work/admin.sock" 2>"$work/pdpd.log" &
daemon=$!
tries=0
until [ -S "$work/admin.sock" ] && [ -S "$work/decide.sock" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 400 ] || { cat "$work/pdpd.log"; echo "FAIL: the daemon does not listen"; exit 1; }
    sleep 0.05
done
admin="--connect ipc://$work/admin.sock"
decide="--connect ipc://$work/decide.sock"
# shellcheck disable=SC2086
{
    expect 0 "allow" "$ctl" decide $decide --request "$work/alice.json"
    expect 1 "no-rule" "$ctl" decide $decide --request "$work/mallory.json"
    expect 0 "sha256:" "$ctl" status $admin
    expect 0 '"ok":' "$ctl" status $admin --json
    expect 0 "alice" "$ctl" session list $admin
    expect 0 '"sessions":' "$ctl" session list $admin --json
    expect 0 "alice" "$ctl" session show $admin --session cli-session
    expect 0 "" "$ctl" session terminate $admin --session cli-session --reason "a test"
    expect 1 "terminate" "$ctl" decide $decide --request "$work/alice.json"
    expect 1 "terminate" "$ctl" decide $decide --request "$work/alice.json"
    expect 0 "" "$ctl" reload $admin
    # What is in shadow is told and counted, and decides nothing.
    cat >"$work/live/shadow.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: tried}
shadow: true
rules:
  - {id: nobody, effect: deny}
YAML
    expect 0 "" "$ctl" reload $admin
    sed 's/cli-session/shadow-session/' "$work/alice.json" >"$work/again.json"
    expect 0 '"effect": "deny"' "$ctl" decide $decide --request "$work/again.json"
    expect 0 'allow_to_deny' "$ctl" status $admin
    expect 0 '"changed":1' "$ctl" status $admin --json
    rm "$work/live/shadow.yaml"
    printf 'apiVersion: pdp/v1\nkind: List\nmetadata: {name: leavers}\ntype: string\nfile: leavers.txt\n' >"$work/live/list.yaml"
    printf '# version: 7\neve\n' >"$work/live/leavers.txt"
    expect 1 "no list is called" "$ctl" reload $admin --list leavers
    expect 0 "" "$ctl" reload $admin
    expect 0 "leavers              string   1         7 " "$ctl" status $admin --lists
    expect 0 '"version":"7"' "$ctl" status $admin --lists --json
    printf '# version: 8\neve\nmallory\n' >"$work/live/leavers.txt"
    expect 0 "policy_epoch" "$ctl" reload $admin --list leavers
    expect 0 "leavers              string   2         8 " "$ctl" status $admin --lists
    printf '# version:\n' >"$work/live/leavers.txt"
    expect 1 "leavers.txt:1:1: error: \`\` is no version" "$ctl" reload $admin --lists
    expect 0 " good, refused 20" "$ctl" status $admin --lists
    expect 2 "exclude each other" "$ctl" reload $admin --lists --list leavers
    rm "$work/live/list.yaml" "$work/live/leavers.txt"
    expect 0 "" "$ctl" reload $admin
    cp "$work/bad/policy.yaml" "$work/live/"
    expect 1 "policy.yaml:8:" "$ctl" reload $admin
    expect 1 "no-rule" "$ctl" decide $decide --request "$work/mallory.json"
    printf 'one\ntwo\n' | "$ctl" session terminate $admin --session - --reason "a test" >"$work/out" || true
    # Of a list, the one that is not known keeps none of the others alive, and is told.
    printf 'three\ns_000000000000000000000000\nfour\n' >"$work/list"
    expect 1 "s_000000000000000000000000 not ended: no session" sh -c '"$0" session terminate "$@" <"$LIST"' \
        "$ctl" $admin --session - --reason "a test"
    [ "$(grep -c ' was not known; ' "$work/out")" = 2 ] || { cat "$work/out"; echo "FAIL: not two were ended"; exit 1; }
    # A torn ref is no id: it must not be taken for one and said to be over.
    for torn in s_ s_5f0c1d s_5f0c... S_5F0C1D s_000000000000000000000000a S_000000000000000000000000; do
        expect 2 "is no whole ref" "$ctl" session terminate $admin --session "$torn" --reason "a test"
    done
    printf 'five\ns_5f0c1d\n' >"$work/list"
    expect 2 "no session was ended" sh -c '"$0" session terminate "$@" <"$LIST"' "$ctl" $admin --session - --reason "a test"
    expect 1 "not known" "$ctl" session show $admin --session five
    expect 0 "can never begin" "$ctl" session terminate $admin --session s_not-hex --reason "a test"
    expect 2 "names no session" "$ctl" session terminate $admin --session "" --reason "a test"
    # More than one message holds, in ids that JSON writes six times as long; and a listing of more than one page.
    awk 'BEGIN { for (i = 0; i < 1500; i++) printf "%s%d\n", "leaked-session-with-a-long-name-and-\001\001\001\001-control-bytes-", i }' >"$work/list"
    expect 0 "can never begin now" sh -c '"$0" session terminate "$@" <"$LIST"' "$ctl" $admin --session - --reason "a test"
    [ "$(grep -c 'can never begin now' "$work/out")" = 1500 ] || { echo "FAIL: not 1500 were ended"; exit 1; }
    expect 0 "REF" "$ctl" session list $admin --limit 1400
    [ "$(grep -c '^s_' "$work/out")" = 1400 ] && grep -q '^more: --after ' "$work/out" || { echo "FAIL: not 1400 rows and a rest"; exit 1; }
    expect 0 "REF" "$ctl" session list $admin --limit 10000
    [ "$(grep -c '^s_' "$work/out")" -gt 1500 ] && ! grep -q '^more' "$work/out" || { echo "FAIL: not all rows"; exit 1; }
    expect 0 '"next"' "$ctl" session list $admin --limit 10 --json
    # The wrong one of the two endpoints.
    expect 2 "is an admin endpoint" "$ctl" decide $admin --request "$work/alice.json"
    expect 2 "is no admin endpoint" "$ctl" status $decide
    expect 2 "is no admin endpoint" "$ctl" session list $decide --json
}
echo "ok: $checks checks"
