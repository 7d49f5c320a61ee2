#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pdpd serves signed bundles: what it refuses, what it remembers across restarts, kills and full disks, and that the
# last good one serves on under load.
set -u
command -v openssl >/dev/null || { echo "no openssl"; exit 77; }
. tests/system/checks.sh
stop() {
    kill -TERM "$pid"
    ends "it" 0
}
status() {
    "$bin/pdpctl" status --connect "ipc://$dir/admin" --json >"$dir/status"
}
shows() { # WORDS: the status holds them
    status && grep -qF -- "$1" "$dir/status"
}
reload() {
    "$bin/pdpctl" reload --connect "ipc://$dir/admin" --deadline 20000
}
asked() {
    "$bin/pdpctl" decide --connect "ipc://$dir/decide" --request "$dir/question.json"
}
later=2100-01-01T00:00:00Z
make() { # OUT VERSION EFFECT EXPIRES NAME KEY…: a signed bundle
    out=$1 version=$2 effect=$3 expires=$4 called=$5
    shift 5
    sed "s/EFFECT/$effect/" "$dir/web.in" >"$dir/policies/web.yaml"
    "$bin/pdpctl" build "$dir/policies" -o "$dir/$out" --version "$version" --expires "$expires" --name "$called" >/dev/null 2>&1 || exit 1
    for key; do
        "$bin/pdpctl" sign "$dir/$out" --key "$dir/$key.pem" >/dev/null || exit 1
    done
}
put() { # FILE: in the place of what is served, at once
    cp "$dir/$1" "$dir/now.bundle.part"
    mv "$dir/now.bundle.part" "$dir/now.bundle"
}

mkdir "$dir/policies" "$dir/state"
cat >"$dir/web.in" <<'END'
apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: EFFECT, actions: [GET], when: 'subject.id in lists.staff'}
---
apiVersion: pdp/v1
kind: List
metadata: {name: staff}
type: string
file: staff.txt
END
echo alice >"$dir/policies/staff.txt"
cat >"$dir/question.json" <<'END'
{"subject": {"type": "user", "id": "alice"}, "action": {"name": "GET"}, "resource": {"type": "route", "id": "/a"}}
END
for key in a b c d; do
    openssl genpkey -algorithm ed25519 -out "$dir/$key.pem" 2>/dev/null
    openssl pkey -in "$dir/$key.pem" -pubout -out "$dir/$key.pub"
    chmod 600 "$dir/$key.pem"
done
make v5 5 allow $later web a b
make v5other 5 deny $later web a b
make v4 4 deny $later web a b
make v6 6 allow $later web a b
make v7 7 allow $later web b c
make one 8 deny $later web a
make strangers 8 deny $later web a d
make expired 8 deny 2001-01-01T00:00:00Z web a b
make other 8 deny $later shop a b
head -c 200 "$dir/v6" >"$dir/torn"
bit=$(wc -c <"$dir/policies/staff.txt")
sed "s/alice/mally/" "$dir/v6" >"$dir/changed"
check "the changed one is as long ($bit)" test "$(wc -c <"$dir/changed")" -eq "$(wc -c <"$dir/v6")"
keys="--bundle-key $dir/a.pub --bundle-key $dir/b.pub --bundle-key $dir/c.pub --bundle-threshold 2"
ends="--decide ipc://$dir/decide --admin ipc://$dir/admin --workers 2"
# shellcheck disable=SC2086
set -- --bundle "$dir/now.bundle" $keys --state "$dir/state" $ends
put v5

# ---- Refused at the start ---------------------------------------------------------------------------------
# shellcheck disable=SC2086
{
    expect "no state folder" 2 "a bundle needs a state folder" "$bin/pdpd" --bundle "$dir/v5" $keys $ends
    expect "no keys" 2 "needs the keys" "$bin/pdpd" --bundle "$dir/v5" --state "$dir/state" $ends
    expect "folder and bundle" 2 "a policy folder and a bundle are given" "$bin/pdpd" "$@" --policies "$dir/policies"
    expect "keys and none" 2 "and that no signature is looked at" "$bin/pdpd" "$@" --bundle-unsigned
    expect "a threshold that cannot be" 2 "more signatures are asked for" "$bin/pdpd" "$@" --bundle-threshold 4
    expect "keys without a bundle" 2 "and no bundle" "$bin/pdpd" --policies "$dir/policies" $keys $ends
    expect "no such state folder" 2 "cannot be used" "$bin/pdpd" "$@" --state "$dir/none"
    expect "unsigned, without a threshold all must" 2 "2 of 3 keys signed it, and 3 must have" "$bin/pdpd" --bundle "$dir/v5" \
        --bundle-key "$dir/a.pub" --bundle-key "$dir/b.pub" --bundle-key "$dir/c.pub" --state "$dir/state" $ends
    expect "a key twice" 2 "are the same key" "$bin/pdpd" --bundle "$dir/v5" --bundle-key "$dir/a.pub" --bundle-key "$dir/a.pub" --state "$dir/state" $ends
    expect "a private key" 2 "this is a private key" "$bin/pdpd" --bundle "$dir/v5" --bundle-key "$dir/a.pem" --state "$dir/state" $ends
}
for case in "torn:malformed" "changed:signatures" "one:signatures" "strangers:signatures" "expired:expired"; do
    put "${case%%:*}"
    expect "at the start: $case" 2 "reason=${case##*:}" "$bin/pdpd" "$@"
    expect "it is refused as a whole: $case" 2 "event=start_refused" "$bin/pdpd" "$@"
done
rm "$dir/now.bundle"
expect "at the start: no file" 2 "reason=unreadable" "$bin/pdpd" "$@"
check "nothing was remembered of all that" test ! -e "$dir/state/served-bundle"

# ---- Served -------------------------------------------------------------------------------------------------
put v5
expect "check: good" 0 "good: 1 policies" "$bin/pdpd" --check "$@"
check "a check remembers nothing" test ! -e "$dir/state/served-bundle"
start one "$@" || exit 1
check "the first one is told" grep -q event=bundle_first "$dir/one.log"
check "what is served is told" grep -q 'event=bundle_served bundle=web bundle_version=5 .*signers=2' "$dir/one.log"
expect "a question" 0 "allow" asked
check "the state is there" grep -qx "version 5" "$dir/state/served-bundle"
check "for its owner alone" test "$(stat -c %a "$dir/state/served-bundle")" = 600
id=$(openssl pkey -pubin -in "$dir/a.pub" -outform DER | tail -c 32 | sha256sum | cut -d' ' -f1)
for words in '"kind":"bundle"' '"name":"web","version":5' "\"expires\":\"$later\"" "\"ed25519:$id\"" '"alarms":[]' "$dir/now.bundle"; do
    check "the status has $words" shows "$words"
done
snapshot=$("$bin/pdpctl" check "$dir/now.bundle" | grep ^sha256:)
check "the snapshot is the one that pdpctl tells" shows "\"snapshot\":\"$snapshot\""
expect "a second daemon on the state folder" 2 "another process holds it" "$bin/pdpd" "$@"
expect "a check beside it" 0 "good" "$bin/pdpd" --check "$@"

refused() { # FILE REASON: a reload refuses it, by both ways, and what served before serves on
    put "$1"
    expect "a reload of $1" 1 "($2)" reload
    check "$1 is logged" grep -q "event=bundle_refused reason=$2 " "$log"
    check "an alarm of $1" shows '"alarms":[{"alarm":"reload_refused"'
    check "with its reason, $2" shows "refused ($2)"
    check "the last good one serves beside $1" shows "\"snapshot\":\"$snapshot\""
    expect "and answers beside $1" 0 "allow" asked
}
for case in "v4:rollback" "v5other:other-content" "one:signatures" "strangers:signatures" "expired:expired" "other:other-name" \
    "torn:malformed" "changed:signatures" "question.json:malformed"; do
    refused "${case%%:*}" "${case##*:}"
done
check "a refusal is one line" test "$(grep -c 'event=bundle_refused reason=rollback' "$dir/one.log")" -eq 1
rm "$dir/now.bundle"
expect "a reload without the file" 1 "(unreadable)" reload
sed 's/EFFECT/alow/' "$dir/web.in" >"$dir/policies/web.yaml"
expect "an analyst's order to read lists" 1 "lists are part of the bundle" "$bin/pdpctl" reload --lists --connect "ipc://$dir/admin"
put v5
expect "the same again" 0 "" reload
check "takes the alarm back" shows '"alarms":[]'
put v6
kill -HUP "$pid"
check "SIGHUP serves the next one" until_true shows '"version":6'
check "and it is remembered" grep -qx "version 6" "$dir/state/served-bundle"
put v7
expect "2 of 3, others than before" 0 "" reload
check "version 7" shows '"version":7'
put v6
expect "no way back" 1 "(rollback)" reload
stop

# ---- Across restarts ----------------------------------------------------------------------------------------
expect "a restart remembers" 2 "its version is 6, and version 7 was served before" "$bin/pdpd" "$@"
put v7
start two "$@" || exit 1
check "it is not the first" sh -c "! grep -q bundle_first '$dir/two.log'"
kill -9 "$pid"
wait "$pid" 2>/dev/null
start three "$@" || exit 1
expect "after a kill" 0 "allow" asked
stop
cp "$dir/state/served-bundle" "$dir/saved"
for bad in 's/^version 7/version 6/' 's/^name web/name wob/' '$d' 's/$/ /'; do
    sed "$bad" "$dir/saved" >"$dir/state/served-bundle"
    expect "a state that was changed: $bad" 2 "served-bundle\`, which remembers what was served last, is refused" "$bin/pdpd" "$@"
    check "and is not reset: $bad" sh -c "sed '$bad' '$dir/saved' | cmp - '$dir/state/served-bundle'"
done
: >"$dir/state/served-bundle"
expect "an empty state" 2 "is refused" "$bin/pdpd" "$@"
rm "$dir/state/served-bundle"
mkdir "$dir/state/served-bundle"
expect "a state that is no file" 2 "not a file" "$bin/pdpd" "$@"
rmdir "$dir/state/served-bundle"
cp "$dir/saved" "$dir/state/served-bundle"

# ---- Kills and full disks -------------------------------------------------------------------------------------
make v9 9 allow $later web a b
make v10 10 allow $later web a b
if [ -n "${PDP_AT_RENAME:-}" ]; then
    put v7
    LD_PRELOAD=$PDP_AT_RENAME AT_RENAME=kill
    export LD_PRELOAD AT_RENAME
    "$bin/pdpd" "$@" 2>"$dir/killed.log" &
    pid=$!
    unset LD_PRELOAD AT_RENAME
    daemons="$daemons $pid"
    check "starts with what is remembered" until_true grep -q event=ready "$dir/killed.log"
    put v9
    kill -HUP "$pid"
    gone() { ! kill -0 "$pid" 2>/dev/null || grep -q 'State:.Z' "/proc/$pid/status"; }
    check "it is killed at the rename" until_true gone
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    check "killed between state and publishing" grep -qx "version 9" "$dir/state/served-bundle"
    check "before it was served" sh -c "! grep -q bundle_version=9 '$dir/killed.log'"
    put v7
    expect "the older one is over" 2 "version 9 was served before" "$bin/pdpd" "$@"
    put v9
    start after "$@" || exit 1
    expect "the newer one serves" 0 "allow" asked
    stop

    LD_PRELOAD=$PDP_AT_RENAME AT_RENAME=full
    export LD_PRELOAD AT_RENAME
    start full "$@" || exit 1
    unset LD_PRELOAD AT_RENAME
    put v10
    expect "a full disk" 1 "No space left on device" reload
    check "is told" grep -q "event=bundle_refused reason=state " "$dir/full.log"
    check "serves on" shows '"version":9'
    check "and is an alarm" shows '"alarm":"reload_refused"'
    check "the state is whole" grep -qx "version 9" "$dir/state/served-bundle"
    check "nothing is left lying" test ! -e "$dir/state/served-bundle.new"
    stop
fi
put v9
start limit "$@" || exit 1
mkdir "$dir/state/served-bundle.new" # in the way of the file
put v10
expect "what cannot be remembered is not served" 1 "(state)" reload
expect "and the last one answers" 0 "allow" asked
stop
rmdir "$dir/state/served-bundle.new"

# ---- Expiry while it serves -------------------------------------------------------------------------------------
make v20 20 allow "$(date -u -d '+6 seconds' +%Y-%m-%dT%H:%M:%SZ)" web a b
put v20
start expiry "$@" || exit 1
expect "before it expires" 0 "allow" asked
check "it expires" until_true grep -q 'event=bundle_expired bundle=web bundle_version=20 .*on_expiry=serve' "$dir/expiry.log"
expect "serves on" 0 "allow" asked
check "with an alarm" shows '"alarm":"bundle_expired"'
make v21 21 allow $later web a b
put v21
expect "the next one" 0 "" reload
check "takes the alarm back" until_true shows '"alarms":[]'
stop
make v22 22 allow "$(date -u -d '+6 seconds' +%Y-%m-%dT%H:%M:%SZ)" web a b
put v22
cat >"$dir/pdpd.yaml" <<END
bundle: $dir/now.bundle
bundle_keys: [$dir/a.pub, $dir/b.pub, $dir/c.pub]
bundle_threshold: 2
bundle_on_expiry: deny
state: $dir/state
decide: ipc://$dir/decide
admin: ipc://$dir/admin
workers: 2
END
start deny --config "$dir/pdpd.yaml" || exit 1
expect "before it expires" 0 "allow" asked
denied() { asked | grep -q stale; }
check "then everything is denied" until_true denied
check "with an alarm" until_true shows 'everything is denied'
stop
expect "a restart with an expired one" 2 "reason=expired" "$bin/pdpd" --config "$dir/pdpd.yaml"

# ---- Unsigned, by express wish ------------------------------------------------------------------------------------
mkdir "$dir/state2"
make bare 1 allow $later web
# shellcheck disable=SC2086
start bare --bundle "$dir/bare" --bundle-unsigned --state "$dir/state2" $ends || exit 1
check "it says so" grep -q "level=warn event=bundle_unsigned" "$dir/bare.log"
expect "answers" 0 "allow" asked
stop

# ---- Under load -----------------------------------------------------------------------------------------------------
make v30 30 allow $later web a b
put v30
start load "$@" || exit 1
(
    while [ ! -e "$dir/enough" ]; do
        asked >/dev/null 2>&1 || echo failed >>"$dir/lost"
        echo asked >>"$dir/done"
    done
) &
asker=$!
version=31
while [ $version -lt 43 ]; do
    make next $version allow $later web a b
    put next
    expect "version $version under load" 0 "" reload
    put v30
    expect "not back to 30 from $version" 1 "(rollback)" reload
    put next
    version=$((version + 1))
done
: >"$dir/enough"
wait $asker
check "every question was answered: $(wc -l <"$dir/done" | tr -d ' ') of them" test ! -e "$dir/lost"
check "version 42 serves" shows '"version":42'
stop

tally
