# SPDX-License-Identifier: Apache-2.0
# An incident, played to a daemon that serves `shop` and keeps its audit log.
# Its clock is told, so that the page shows the same each time.
STATE_DIR=$(mktemp -d "$PWD/state.XXXXXX") # a new one for each block of the page
rm -f ./*.sock
pdpd --policies "$PWD/shop" --state "$STATE_DIR" --decide "ipc://$PWD/decide.sock" --admin "ipc://$PWD/admin.sock" --workers 1 \
    --simulate >/dev/null 2>pdpd.log &
daemon=$!
tries=0
until [ -S admin.sock ] && [ -S decide.sock ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 400 ] || { cat pdpd.log; exit 1; }
    sleep 0.05
done
LAPTOP='"device": {"fingerprint": "alices-laptop", "managed": true}, "network": {"ip": "192.0.2.7"}'
OTHER='"device": {"fingerprint": "alices-laptop"}, "network": {"ip": "198.51.100.9"}'
tell() { printf '%s' "$1" >message.json && pdpctl decide --connect "ipc://$PWD/decide.sock" --request message.json --json >answer.json; }
event() {
    tell '{"at": "2026-11-23T'"$1"'Z", "tenant": "acme", "request_id": "'"$1"'", "event": {"type": "'"$2"'", "subject": {"type": "user",
"id": "alice"}, "context": {"session": {"id": "a secret"}, '"$3"'}, "properties": '"$4"'}}'
}
get() {
    tell '{"at": "2026-11-23T'"$1"'Z", "request": {"tenant": "acme", "request_id": "'"$1"'", "subject": {"type": "user", "id": "alice",
"properties": {"roles": ["staff"]}}, "action": {"name": "GET"}, "resource": {"type": "route", "id": "'"$2"'"}, "context": {"session":
{"id": "a secret"}, '"$3"'}}}'
}
event 09:00:00 login "$LAPTOP" '{"acr": "aal2", "amr": ["pwd", "otp"]}'
get 09:00:05 /news "$LAPTOP"
get 09:02:00 /orders "$LAPTOP"
event 09:04:30 signal "$LAPTOP" '{"evidence": 4}' # the endpoint's protection found something
get 09:05:00 /orders/1 "$OTHER"
get 09:05:02 /orders/2 "$OTHER"
REF=$(grep -o 's_[0-9a-f]*' answer.json)
STATE="--state $STATE_DIR"
pdpctl session terminate --connect "ipc://$PWD/admin.sock" --session "$REF" --reason "stolen cookie" >/dev/null
# What is in the log is there once the daemon has ended.
kill "$daemon"
wait "$daemon" 2>/dev/null || true
# Two bundles of one folder; the second was made where summer time begins on another Sunday.
pdpctl build hours -o old.bundle --name hours --version 1 --expires 2040-01-01T00:00:00Z >/dev/null
LC_ALL=C sed 's/CEST,M3.5.0,/CEST,M3.2.0,/' old.bundle >new.bundle
