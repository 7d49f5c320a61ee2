#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pdpctl store: looked at and copied while pdpd runs and after a kill; damaged, refused, brought back.
set -u
. tests/system/checks.sh

begin() { # NAME
    start "$1" --policies policies/baseline --state "$dir/state" --decide "ipc://$dir/decide.sock" --admin "ipc://$dir/admin.sock"
}

# A question of a session, so that there is one.
ask() {
    printf '{"request_id": "%s", "subject": {"type": "user", "id": "alice"}, "action": {"name": "GET"},
             "resource": {"type": "route", "id": "/a"},
             "context": {"session": {"id": "%s", "auth_time": %s}, "network": {"ip": "203.0.113.7"}}}' \
        "$2" "$1" "$(date +%s)" >"$dir/question.json"
    "$bin/pdpctl" decide --connect "ipc://$dir/decide.sock" --request "$dir/question.json"
}

terminate() {
    "$bin/pdpctl" session terminate --connect "ipc://$dir/admin.sock" --session "$1" --reason "a test"
}

mkdir "$dir/state"
expect "no folder" 2 "there is no file" "$bin/pdpctl" store check "$dir/nowhere"
expect "nothing there yet" 2 "as \`--state\`" "$bin/pdpctl" store stats "$dir/state"
begin first
ask one r1 >/dev/null
expect "ends a session" 0 "" terminate one
expect "ends one that never was" 0 "" terminate two
expect "looked at while it runs" 0 "good: every row of" "$bin/pdpctl" store check "$dir/state"
expect "as JSON" 0 '"ok":true' "$bin/pdpctl" store check "$dir/state" --json
expect "figures" 0 "sessions     2" "$bin/pdpctl" store stats "$dir/state"
expect "figures as JSON" 0 '"sessions":2' "$bin/pdpctl" store stats "$dir/state" --json
expect "copied while it runs" 0 "checked" "$bin/pdpctl" store backup "$dir/state" "$dir/copy.db"
expect "not over itself" 2 "the store itself" "$bin/pdpctl" store backup "$dir/state" "$dir/state/sessions.db"
expect "not into a folder" 2 "no plain file" "$bin/pdpctl" store backup "$dir/state" "$dir"
expect "of mode 0600" 0 "600" stat -c %a "$dir/copy.db"
expect "not brought back while it runs" 2 "in use" "$bin/pdpctl" store restore "$dir/state" "$dir/copy.db"
expect "ends another" 0 "" terminate three
kill -9 "$pid"
wait "$pid" 2>/dev/null

expect "looked at after a kill" 0 "sessions     3" "$bin/pdpctl" store check "$dir/state"
expect "copied after a kill" 0 "checked" "$bin/pdpctl" store backup "$dir/state" "$dir/later.db"
mkdir "$dir/apart"
cp "$dir/later.db" "$dir/apart/sessions.db"
expect "the copy has all" 0 "sessions     3" "$bin/pdpctl" store stats "$dir/apart"

# Damaged: every page but the first is overwritten.
begin clean
kill "$pid"
wait "$pid" 2>/dev/null
cp "$dir/state/sessions.db" "$dir/whole.db"
size=$(stat -c %s "$dir/state/sessions.db")
dd if=/dev/zero of="$dir/state/sessions.db" bs=4096 seek=1 count=$((size / 4096 - 1)) conv=notrunc 2>/dev/null
expect "damage is told" 1 "pdpctl store restore" "$bin/pdpctl" store check "$dir/state"
expect "and not copied" 1 "refused" "$bin/pdpctl" store backup "$dir/state" "$dir/bad.db"
expect "nor left half made" 2 "No such file" ls "$dir/bad.db.new" "$dir/bad.db"
expect "pdpd does not start" 2 "sessions.db" "$bin/pdpd" --policies policies/baseline --state "$dir/state" --decide "ipc://$dir/decide.sock"
expect "a bad backup is refused" 1 "refused" "$bin/pdpctl" store restore "$dir/state" "$dir/question.json"
expect "brought back" 0 "give a cut-off" "$bin/pdpctl" store restore "$dir/state" "$dir/later.db"
expect "the damaged one is kept" 0 "" ls "$dir/state/sessions.db.old"
expect "good again" 0 "sessions     3" "$bin/pdpctl" store check "$dir/state"
begin again
expect "it serves" 0 "event=ready" cat "$dir/again.log"
expect "an ended session stays ended" 1 "the session was ended" ask one r9
kill "$pid"
wait "$pid" 2>/dev/null

# A flipped bit in a row, which SQLite itself does not see.
cp "$dir/later.db" "$dir/state/sessions.db"
python3 - "$dir/state/sessions.db" <<'PY' || failed=$((failed + 1))
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
key, value = db.execute("SELECT key, value FROM sessions LIMIT 1").fetchone()
db.execute("UPDATE sessions SET value=? WHERE key=?", (bytes([value[0]]) + bytes([value[1] ^ 1]) + value[2:], key))
db.commit()
PY
expect "a changed row is told" 1 "does not hold its checksum" "$bin/pdpctl" store check "$dir/state"
expect "as JSON" 1 '"ok":false' "$bin/pdpctl" store check "$dir/state" --json

tally
