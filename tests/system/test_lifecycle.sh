#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The life of pdpd as an administrator sees it: what is refused at the start, bad and good reloads, lost logs, kills,
# sockets that are somebody else's.
set -u
. tests/system/checks.sh

field() { # of the status, as JSON
    "$bin/pdpctl" status --connect "ipc://$dir/admin" --json | sed -n "s/.*\"$1\" *: *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -1
}

asked() {
    "$bin/pdpctl" decide --connect "ipc://$dir/decide" --request "$dir/question.json"
}

mkdir "$dir/policies"
cat >"$dir/policies/web.yaml" <<'END'
apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
END
cat >"$dir/question.json" <<'END'
{"subject": {"type": "user", "id": "alice"}, "action": {"name": "GET"}, "resource": {"type": "route", "id": "/a"}}
END
echo "this is no database" >"$dir/bad.mmdb"
set -- --policies "$dir/policies" --decide "ipc://$dir/decide" --admin "ipc://$dir/admin" --workers 2

# ---- Refused at the start ---------------------------------------------------------------------------------
expect "a folder as configuration" 2 "cannot read" "$bin/pdpd" --config "$dir"
expect "a policy folder that is a file" 2 "web.yaml" "$bin/pdpd" --policies "$dir/policies/web.yaml" --decide "ipc://$dir/decide"
expect "an empty folder" 2 "" sh -c "mkdir '$dir/empty' && exec '$bin/pdpd' --policies '$dir/empty' --decide 'ipc://$dir/decide'"
expect "check: a bad database" 2 "bad.mmdb" "$bin/pdpd" --check --policies "$dir/policies" --geo "$dir/bad.mmdb"
expect "check: good" 0 "good: 1 policies, 1 rules" "$bin/pdpd" --check --policies "$dir/policies"
expect "a socket in no folder" 1 "No such file or directory" "$bin/pdpd" --policies "$dir/policies" --decide "ipc://$dir/none/decide"
printf 'policies: %s\ndecide: ipc://%s/decide\nworkers: many\n' "$dir/policies" "$dir" >"$dir/pdpd.yaml"
expect "a bad value in the configuration" 2 "pdpd.yaml:3:10: error" "$bin/pdpd" --config "$dir/pdpd.yaml"
printf 'policies: x\0y\n' >"$dir/pdpd.yaml"
expect "a NUL in the configuration" 2 "pdpd.yaml" "$bin/pdpd" --config "$dir/pdpd.yaml"
head -c 2000000 /dev/zero | tr '\0' '#' >"$dir/pdpd.yaml"
expect "a configuration of 2 MB" 2 "pdpd.yaml" "$bin/pdpd" --config "$dir/pdpd.yaml"

# ---- Reloads ----------------------------------------------------------------------------------------------
start one "$@" || exit 1
expect "a question" 0 "" asked
digest=$(field snapshot)
check "a digest is told" test -n "$digest"
printf 'apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: more}\nrulez: []\n' >"$dir/policies/more.yaml"
kill -HUP "$pid"
check "a bad reload is logged" until_true grep -q event=reload_failed "$dir/one.log"
check "with file and line" grep -q 'event=policy_refused .*more.yaml line=4' "$dir/one.log"
check "the last good one serves" test "$(field snapshot)" = "$digest"
expect "the status says why" 0 "error in the policies" "$bin/pdpctl" status --connect "ipc://$dir/admin" --json
expect "pdpctl reload says where" 1 "more.yaml:4" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
expect "and what" 1 "rulez" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
check "the last good one serves still" test "$(field snapshot)" = "$digest"
expect "a question after bad reloads" 0 "" asked
rm "$dir/policies/more.yaml"
mv "$dir/policies" "$dir/away"
expect "a reload without a folder" 1 "No such file or directory" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
expect "a question after it" 0 "" asked
mv "$dir/away" "$dir/policies"
expect "a good reload" 0 "" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
check "the same folder has the same digest" test "$(field snapshot)" = "$digest"
sed -i 's/effect: allow/effect: deny/' "$dir/policies/web.yaml"
expect "a reload that changes an answer" 0 "" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
expect "is heard at once" 1 "" asked
sed -i 's/effect: deny/effect: allow/' "$dir/policies/web.yaml"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    kill -HUP "$pid"
done
check "after many reloads the last one holds" until_true asked

# ---- One socket, one daemon ---------------------------------------------------------------------------------
expect "a second daemon on the socket" 1 "another process is listening there" "$bin/pdpd" "$@"
expect "the first one answers on" 0 "" asked
kill -9 "$pid"
wait "$pid" 2>/dev/null
check "a kill leaves the socket" test -S "$dir/decide"
expect "nobody there" 2 "no answer" "$bin/pdpctl" decide --connect "ipc://$dir/decide" --request "$dir/question.json" --deadline 500
start two "$@" || exit 1
expect "the stale socket is replaced" 0 "" asked

# Somebody takes the files away, and another daemon makes its own: the first one's end leaves those alone.
first=$pid
rm "$dir/decide" "$dir/admin"
start three "$@" || exit 1
second=$pid
pid=$first
kill -TERM "$first"
ends "the first one" 0
check "the other's socket is still there" test -S "$dir/decide"
expect "and answers" 0 "" asked
pid=$second
kill -TERM "$second"
ends "the other one" 0
check "its own sockets go with it" test ! -e "$dir/decide" -a ! -e "$dir/admin"

# Two that start at once where a kill left the file: one serves, and it is the one that is reached.
i=0
while [ $i -lt 15 ]; do
    start left "$@" || exit 1
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    rm -f "$dir/a.log" "$dir/b.log" # else what the last two said would do
    "$bin/pdpd" "$@" 2>"$dir/a.log" &
    first=$!
    "$bin/pdpd" "$@" 2>"$dir/b.log" &
    pid=$!
    daemons="$daemons $first $pid"
    for log in a b; do
        until_true grep -qE 'event=(ready|listen_failed)' "$dir/$log.log"
    done
    ready=$(cat "$dir/a.log" "$dir/b.log" | grep -c event=ready)
    check "one of two serves, not $ready" test "$ready" -eq 1
    expect "and answers" 0 "" asked
    kill -TERM "$first" "$pid" 2>/dev/null
    wait "$first" "$pid" 2>/dev/null
    i=$((i + 1))
done

# ---- A port in use --------------------------------------------------------------------------------------------
start port --policies "$dir/policies" --decide tcp://127.0.0.1:0 --admin "ipc://$dir/admin" || exit 1
url=$(sed -n 's/.*decide=\(tcp:[^ ]*\).*/\1/p' "$dir/port.log")
expect "a port in use" 1 "Address already in use" "$bin/pdpd" --policies "$dir/policies" --decide "$url"
kill -INT "$pid"
ends "SIGINT" 0

# ---- Databases --------------------------------------------------------------------------------------------------
start geo "$@" --geo "$dir/bad.mmdb" || exit 1
check "a bad database is a warning at the start" grep -q 'bad.mmdb.*warning' "$dir/geo.log"
expect "what needs no place is answered" 0 "" asked
expect "what was lost at the start does not hold a reload up" 0 "" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
kill -TERM "$pid"
ends "with a bad database" 0

perl tests/data/make_mmdb.pl "$dir" city >/dev/null
start geo2 "$@" --geo "$dir/city.mmdb" || exit 1
digest=$(field snapshot)
cp "$dir/bad.mmdb" "$dir/city.mmdb"
expect "a reload refuses a database that went bad" 1 "city.mmdb" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
check "and serves on" test "$(field snapshot)" = "$digest"
kill -TERM "$pid"
ends "with a database that went bad" 0

# ---- Nobody reads the log -----------------------------------------------------------------------------------------
if [ -e /dev/full ]; then
    "$bin/pdpd" "$@" 2>/dev/full &
    pid=$!
    daemons="$daemons $pid"
    check "a log on a full disk: answers" until_true asked
    expect "reloads" 0 "" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
    expect "ends sessions" 0 "" "$bin/pdpctl" session terminate --connect "ipc://$dir/admin" --session lost --reason test
    kill -HUP "$pid"
    expect "answers on" 0 "" asked
    kill -TERM "$pid"
    ends "a log on a full disk" 0
fi

# Without the three descriptors that every program has: no socket may take their place, or the log would go there.
"$bin/pdpd" "$@" <&- >&- 2>&- &
pid=$!
daemons="$daemons $pid"
check "without standard descriptors: answers" until_true asked
if [ -e "/proc/$pid/fd/2" ]; then
    for fd in 0 1 2; do
        check "descriptor $fd is nothing else" test "$(readlink "/proc/$pid/fd/$fd")" = /dev/null
    done
fi
expect "reloads" 0 "" "$bin/pdpctl" reload --connect "ipc://$dir/admin"
expect "answers on" 0 "" asked
kill -TERM "$pid"
ends "without standard descriptors" 0

# A pipe that nobody reads and that is full: neither a reload nor an order waits for it.
mkfifo "$dir/pipe"
sleep 1000 <>"$dir/pipe" &
holder=$!
daemons="$daemons $holder"
"$bin/pdpd" "$@" 2>"$dir/pipe" &
pid=$!
daemons="$daemons $pid"
check "a log that nobody reads: answers" until_true asked
reason=$(head -c 490 /dev/zero | tr '\0' x)
i=0
while [ $i -lt 6 ]; do
    # More than the pipe holds: 6 times 40 lines of 600 bytes.
    seq -f "s-$i-%g" 40 >"$dir/ids"
    expect "orders are carried out, $i" 0 "" "$bin/pdpctl" session terminate --connect "ipc://$dir/admin" --session - \
        --reason "$reason" --deadline 10000 <"$dir/ids"
    i=$((i + 1))
done
expect "reloads" 0 "" "$bin/pdpctl" reload --connect "ipc://$dir/admin" --deadline 10000
expect "answers on" 0 "" asked
kill -TERM "$pid"
gone() { ! kill -0 "$pid" 2>/dev/null; }
check "SIGTERM is heard" until_true gone
gone || kill -9 "$pid"
ends "a log that nobody reads" 0
kill "$holder"

tally
