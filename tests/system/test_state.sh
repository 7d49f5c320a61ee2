#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The state folder as an administrator meets it: what is refused at the start and with which words, kills, and keys that are rotated.
set -u
. tests/system/checks.sh

begin() {
    start pdpd --policies "$dir/policies" --decide "ipc://$dir/decide" --admin "ipc://$dir/admin" --state "$dir/state"
}

stop() { # SIGNAL STATUS
    kill "-$1" "$pid"
    ends "at $1 it" "$2"
}

# refused WHAT WORDS…: it does not start, says why on one line, and ends with 2.
refused() {
    what=$1
    shift
    timeout 20 "$bin/pdpd" --policies "$dir/policies" --decide "ipc://$dir/decide2" --state "$dir/state" 2>"$dir/refused.log"
    status=$?
    check "$what: ends with 2, not $status" test "$status" -eq 2
    check "$what: one line" test "$(wc -l <"$dir/refused.log")" -eq 1
    for words in "$@"; do
        check "$what: says $words, not $(cat "$dir/refused.log")" grep -qF -- "$words" "$dir/refused.log"
    done
}

pdpctl() {
    command=$1
    shift
    "$bin/pdpctl" $command --connect "ipc://$dir/admin" "$@"
}

ask() { # SESSION REQUEST_ID: the effect
    printf '{"request_id":"%s","subject":{"type":"user","id":"alice"},"action":{"name":"GET"},"resource":{"type":"route","id":"/a"},"context":{"session":{"id":"%s","auth_time":%s}}}' \
        "$2" "$1" "$(date +%s)" | "$bin/pdpctl" decide --connect "ipc://$dir/decide" --json 2>&1 | sed -n 's/.*"effect":"\([a-z_]*\)".*/\1/p'
}

check_effect() { # WHAT WANTED SESSION REQUEST_ID
    got=$(ask "$3" "$4")
    check "$1: $got, wanted $2" test "$got" = "$2"
}

mkdir "$dir/policies" "$dir/state"
cat >"$dir/policies/p.yaml" <<'END'
apiVersion: pdp/v1
kind: Policy
metadata: {name: p}
rules:
  - {id: all, effect: allow}
END

# ---- Kills -----------------------------------------------------------------------------------------
check "starts" begin
check_effect "a session begins" allow one r1
check_effect "another" allow two r2
check "an end is confirmed" pdpctl "session terminate" --session one --reason test
check "an id that was never seen" pdpctl "session terminate" --session never --reason test
stop KILL 137
check "starts again" begin
check "says what it loaded" grep -q "event=state_loaded .*tombstones=2" "$dir/pdpd.log"
check_effect "the repeat of an allow is none" terminate one r1
check_effect "nor a new question" terminate one r3
check_effect "what never was cannot begin" terminate never r4
check_effect "the other goes on" allow two r5

# ---- Keys ------------------------------------------------------------------------------------------
check "a rotation needs a reason" sh -c "! '$bin/pdpctl' key rotate --connect 'ipc://$dir/admin'"
check "a key is rotated" pdpctl "key rotate" --reason yearly
check_effect "a session of the new key" allow three r6
check_effect "one of the old key goes on" allow two r7
check_effect "the ended stay ended" terminate one r8
check "an end under the new key" pdpctl "session terminate" --session three --reason test
pdpctl "key list" >"$dir/keys.out"
check "both are listed" test "$(grep -c . "$dir/keys.out")" -eq 3
stop TERM 0
check "starts with both keys" begin
check_effect "ended under the old key" terminate one r9
check_effect "ended under the new key" terminate three r10
check_effect "live under the old key" allow two r11
until_true sh -c "'$bin/pdpctl' status --connect 'ipc://$dir/admin' --json | grep -q '\"sessions\":4'" || true
check "the status tells of the state" sh -c "'$bin/pdpctl' status --connect 'ipc://$dir/admin' --json | grep -q '\"state\":{\"path\":\"$dir/state\"'"

# ---- What is refused -------------------------------------------------------------------------------
refused "a second one" "is in use" "each pdpd has a state folder of its own"
stop TERM 0
cp -r "$dir/state" "$dir/good"
again() {
    rm -rf "$dir/state"
    cp -r "$dir/good" "$dir/state"
}
printf 'x' | dd of="$dir/state/keys" bs=1 seek=40 conv=notrunc 2>/dev/null
refused "a changed key" "$dir/state/keys" "it is not what was written" "backup"
again
rm "$dir/state/keys"
refused "no keys beside a store" "is missing" "bring the file"
again
chmod 644 "$dir/state/keys"
refused "keys for all to read" "others may read it" "chmod 600"
again
: >"$dir/state/sessions.db"
refused "an empty store" "$dir/state/sessions.db"
again
rm -rf "$dir/state"
refused "no folder" "cannot be used" "make it once"
again
check "the good one starts" begin
check_effect "and knows what ended" terminate one r12

# ---- Sketches --------------------------------------------------------------------------------------
tell() { # TYPE USER IP
    printf '{"request_id":"%s-%s","event":{"type":"%s","subject":{"type":"user","id":"%s"},"context":{"session":{"id":"s-%s"},"network":{"ip":"%s"}}}}\n' \
        "$1" "$2" "$1" "$2" "$2" "$3" | "$bin/pdpctl" decide --connect "ipc://$dir/decide" --json >/dev/null 2>&1
}
score() { # USER: the score of a probe from the source that failed
    printf '{"subject":{"type":"user","id":"%s"},"action":{"name":"GET"},"resource":{"type":"route","id":"/a"},"context":{"purpose":"probe","session":{"id":"p-%s","auth_time":%s},"network":{"ip":"203.0.113.77"}}}' \
        "$1" "$1" "$(date +%s)" | "$bin/pdpctl" decide --connect "ipc://$dir/decide" --json 2>&1 | sed -n 's/.*"score":\([0-9.]*\).*/\1/p'
}
rises() { score carol | grep -q '^34\.'; } # as bad as a source can be by failed logins
says() { test "$(score carol)" = "$1"; }
calm=$(score carol)
for n in $(seq 25); do
    tell login_failed "u$n" 203.0.113.9
done
check "the source speaks once its part of time is over" until_true rises
bad=$(score carol)
stop TERM 0
check "a file of sketches is there" test -s "$dir/state/sketches"
check "nobody else may read it" test "$(stat -c %a "$dir/state/sketches")" = 600
check "starts with it" begin
check "says nothing of it" sh -c "! grep -q sketches '$dir/pdpd.log'"
check "the source is known as before: $bad, not $(score carol)" says "$bad"
stop TERM 0
cp "$dir/state/sketches" "$dir/sketches"
printf 'x' | dd of="$dir/state/sketches" bs=1 seek=30 conv=notrunc 2>/dev/null
check "a damaged one stops nothing" begin
check "and is told" grep -q 'level=error event=sketches_refused error=.*it is cut short or damaged; it is now `sketches.bad`' "$dir/pdpd.log"
check "it was set aside" test -s "$dir/state/sketches.bad"
check "what it held begins anew: $calm, not $(score carol)" says "$calm"
stop KILL 137
cp "$dir/sketches" "$dir/state/sketches"
check "starts after a kill" begin
check "with what was written last: $bad, not $(score carol)" says "$bad"
stop TERM 0
truncate -s 100 "$dir/state/sketches"
check "nor does one that is cut short" begin
check "it is told too" grep -q 'event=sketches_refused' "$dir/pdpd.log"
stop TERM 0

tally
