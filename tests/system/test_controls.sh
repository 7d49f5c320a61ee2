#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Cut-offs and locks as an analyst gives them: each kind and effect, what asks again, and a kill and a restart after which
# all of it holds.
set -eu
. tests/system/expect.sh
start() {
    rm -f "$work"/*.sock
    "$PDP_BIN/pdpd" --config "$work/pdpd.yaml" 2>>"$work/pdpd.log" &
    daemon=$!
    tries=0
    until [ -S "$work/admin.sock" ] && [ -S "$work/decide.sock" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || { cat "$work/pdpd.log"; echo "FAIL: the daemon does not listen"; exit 1; }
        sleep 0.05
    done
}
question() { # SUBJECT SESSION ADDRESS ROLE AUTH_TIME
    printf '{"subject": {"type": "user", "id": "%s", "properties": {"roles": ["%s"]}}, "action": {"name": "GET"},
 "resource": {"type": "route", "id": "/a"}, "context": {"session": {"id": "%s", "auth_time": %s, "amr": ["pwd"]},
 "network": {"ip": "%s"}}}' "$1" "$4" "$2" "$5" "$3" >"$work/question.json"
}
decides() { # EXIT TEXT SUBJECT SESSION ADDRESS ROLE [AUTH_TIME]
    code=$1 text=$2
    question "$3" "$4" "$5" "$6" "${7:-$before}"
    expect "$code" "$text" "$ctl" decide --connect "ipc://$work/decide.sock" --request "$work/question.json"
}

mkdir "$work/policies" "$work/state"
cat >"$work/policies/web.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
  - {id: write, effect: allow, actions: [PUT], when: device.remembered}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: devices}
devices: {remember: 30d}
---
apiVersion: pdp/v1
kind: Definitions
metadata: {name: roles}
roles: {root: [sre]}
---
apiVersion: pdp/v1
kind: Strengths
metadata: {name: levels}
levels:
  - {name: mfa, proves: '"otp" in session.amr', ask: {acr_values: [aal2]}}
YAML
cat >"$work/pdpd.yaml" <<YAML
policies: $work/policies
state: $work/state
decide: ipc://$work/decide.sock
admin:
  - ipc://$work/admin.sock
  - {url: ipc://$work/second.sock, name: second}
  - {url: ipc://$work/reads.sock, name: reads}
peers:
  - {listener: ipc://$work/second.sock, name: second, roles: [analyst]}
  - {listener: ipc://$work/reads.sock, name: reads, roles: [auditor]}
controls_confirm: 4
controls_two_persons: 6
administrators: {subjects: [ann], roles: [root], addresses: [9.9.9.200, 198.51.100.192/28]}
breaker_share: 1
breaker_least: 2
YAML
before=$(($(date +%s) - 60))
admin="--connect ipc://$work/admin.sock"
start
# shellcheck disable=SC2086
{
    decides 0 "allow" alice s-alice 203.0.113.7 staff
    decides 0 "allow" bob s-bob 198.51.100.9 staff
    # What is wrong is said before anything is done.
    expect 2 "nobody is named" "$ctl" lock add $admin --for 1h --reason x
    expect 2 "more than one target" "$ctl" lock add $admin --subject a --address 192.0.2.1 --for 1h --reason x
    expect 2 "until when" "$ctl" lock add $admin --subject a --reason x
    expect 2 "no time span" "$ctl" lock add $admin --subject a --for long --reason x
    expect 2 "--reason" "$ctl" lock add $admin --subject a --for 1h
    expect 1 "an address is such as" "$ctl" lock add $admin --address 203.0.113.700 --for 1h --reason x
    expect 1 "at most 400 days" "$ctl" lock add $admin --subject a --for 9999h --for 99999h --reason x
    expect 1 "none of those that are served" "$ctl" lock add $admin --subject a --effect step_up --strength x --for 1h --reason x
    expect 1 "effect is deny, step_up or terminate" "$ctl" lock add $admin --subject a --effect allow --for 1h --reason x
    expect 1 "in the future" "$ctl" cutoff add $admin --subject a --before 2999-01-01T00:00:00Z --reason x
    # Whoever may be locked out with the others is asked again.
    for wide in "--address 127.0.0.1" "--prefix 10.0.0.0/8" "--prefix 0.0.0.0/0" "--all"; do
        expect 1 "--yes-lock-out" "$ctl" lock add $admin $wide --for 1h --reason x
    done
    expect 1 "--yes-lock-out" "$ctl" cutoff add $admin --all --reason x
    expect 1 "no geo database" "$ctl" lock add $admin --country DE --for 1h --reason x
    # So is whoever names an administrator, or themselves.
    decides 0 "allow" ann s-ann 192.0.2.99 staff
    for named in "--subject ann" "--role root" "--role sre" "--address 9.9.9.200" "--prefix 198.51.100.200/32" \
        "--prefix 9.9.9.0/24" "--session s-ann"; do
        expect 1 "names an administrator" "$ctl" lock add $admin $named --for 1h --reason x
        expect 1 "names an administrator" "$ctl" cutoff add $admin $named --reason x
    done
    expect 1 "names an administrator" "$ctl" session terminate $admin --subject ann --reason x
    expect 1 "names an administrator" "$ctl" lock add $admin --subject ann --tenant acme --for 1h --reason x
    expect 1 "names you" "$ctl" lock add $admin --gateway "uid:$(id -u)" --for 1h --reason x
    expect 1 "names you" "$ctl" lock add --connect "ipc://$work/second.sock" --gateway second --for 1h --reason x
    expect 1 "sessions of administrators are among them" "$ctl" session terminate $admin --address 192.0.2.99 --reason x
    expect 0 "1 sessions would end, 1 of them of administrators" "$ctl" session terminate $admin --address 192.0.2.99 --dry-run
    decides 0 "allow" ann s-ann 192.0.2.99 staff
    expect 0 "1 sessions ended" "$ctl" session terminate $admin --address 192.0.2.99 --reason x --yes-lock-out
    expect 0 "holds until" "$ctl" lock add $admin --subject ann --for 1h --reason x --yes-lock-out
    id=$("$ctl" lock list $admin | sed -n 's/^\(lock.[0-9]*\) .*/\1/p')
    expect 0 "is lifted" "$ctl" lock rm "$id" $admin --reason "false alarm"
    for other in "--subject anna" "--role staff" "--prefix 9.9.9.0/26" "--gateway edge"; do
        expect 0 "holds until" "$ctl" lock add $admin $other --for 1h --reason x
        id=$("$ctl" lock list $admin | sed -n 's/^\(lock.[0-9]*\) .*/\1/p')
        expect 0 "is lifted" "$ctl" lock rm "$id" $admin --reason "false alarm"
    done

    # A remembered device is stolen.
    printf '{"request_id": "r1", "event": {"type": "login", "subject": {"type": "user", "id": "dave"}, "context": {"session": {"id": "s-dave"},
 "device": {"fingerprint": "fp-1"}, "network": {"ip": "198.51.100.9"}}, "properties": {"amr": ["pwd"], "remember_device": true}}}' >"$work/login.json"
    writes() { # EXIT TEXT: does dave write, whose device may be remembered?
        printf '{"subject": {"type": "user", "id": "dave"}, "action": {"name": "PUT"}, "resource": {"type": "route", "id": "/a"},
 "context": {"session": {"id": "s-dave"}, "device": {"fingerprint": "fp-1"}, "network": {"ip": "198.51.100.9"}}}' >"$work/question.json"
        expect "$1" "$2" "$ctl" decide --connect "ipc://$work/decide.sock" --request "$work/question.json"
    }
    "$ctl" decide --connect "ipc://$work/decide.sock" --request "$work/login.json" --json >"$work/out" 2>&1 || true
    grep -q '"remembered_until"' "$work/out" || { cat "$work/out"; echo "FAIL: no device is remembered"; exit 1; }
    writes 0 "allow"
    expect 2 "subject" "$ctl" user forget-devices $admin --reason "phone stolen"
    expect 2 "reason" "$ctl" user forget-devices $admin --subject dave
    expect 1 "nothing is known of this subject" "$ctl" user forget-devices $admin --subject nobody --reason "phone stolen"
    expect 1 "nothing is known of this subject" "$ctl" user forget-devices $admin --subject dave --tenant acme --reason "phone stolen"
    writes 0 "allow"
    expect 0 "1 devices of dave are remembered no longer" "$ctl" user forget-devices $admin --subject dave --reason "phone stolen"
    writes 1 "deny"
    expect 0 "0 devices of dave" "$ctl" user forget-devices $admin --subject dave --reason "again"

    # What is known of somebody is shown, and forgotten; what ended stays ended.
    expect 2 "subject" "$ctl" user show $admin
    expect 1 "nothing is known of this subject" "$ctl" user show $admin --subject dave --tenant acme
    expect 0 "dave, user" "$ctl" user show $admin --subject dave
    for line in "sessions     1 live" "devices      1 seen" "from 198.51.100.9" "learned      from"; do
        grep -qF "$line" "$work/out" || { cat "$work/out"; echo "FAIL: no \`$line\`"; exit 1; }
    done
    expect 0 '"profile":{"contexts":' "$ctl" user show $admin --subject dave --json
    expect 2 "subject" "$ctl" user forget $admin --reason "asked to be"
    expect 2 "reason" "$ctl" user forget $admin --subject dave
    expect 1 "nothing is known of this subject" "$ctl" user forget $admin --subject dave --type service --reason "asked to be"
    expect 1 "needs the role" "$ctl" user forget --connect "ipc://$work/reads.sock" --subject dave --reason "asked to be"
    expect 0 "dave, user" "$ctl" user show --connect "ipc://$work/reads.sock" --subject dave
    expect 0 "of dave are forgotten" "$ctl" user forget $admin --subject dave --reason "asked to be"
    expect 0 "devices      1 seen" "$ctl" user show $admin --subject dave
    grep -q "last seen.*Z$" "$work/out" || { cat "$work/out"; echo "FAIL: a last place is known"; exit 1; }
    expect 0 " and 1 devices of dave are forgotten" "$ctl" user forget $admin --subject dave --devices --reason "asked to be"
    expect 0 "devices      0 seen" "$ctl" user show $admin --subject dave
    for op in user.forget_devices user.show user.forget; do
        "$ctl" audit query --state "$work/state" --json >"$work/audit"
        grep -q "\"op\":\"$op\"" "$work/audit" || { tail -n 3 "$work/audit"; echo "FAIL: $op is not in the audit log"; exit 1; }
    done

    expect 0 "holds until" "$ctl" lock add $admin --prefix 203.0.113.0/24 --for 1h --reason "incident 7" --message "closed"
    decides 1 "incident 7" alice s-alice 203.0.113.7 staff
    decides 0 "allow" bob s-bob 198.51.100.9 staff
    id=$("$ctl" lock list $admin | sed -n 's/^\(lock.[0-9]*\) .*/\1/p')
    expect 0 "is lifted" "$ctl" lock rm "$id" $admin --reason "false alarm"
    expect 1 "no lock of this" "$ctl" lock rm "$id" $admin --reason "false alarm"
    decides 0 "allow" alice s-alice 203.0.113.7 staff
    expect 0 "holds until" "$ctl" lock add $admin --role hr --effect step_up --strength mfa --max-age 10m --for 1h --reason payroll
    decides 1 "step_up" alice s-alice 203.0.113.7 hr
    expect 0 "holds until" "$ctl" lock add $admin --session s-bob --effect terminate --for 1h --reason "stolen"
    expect 0 "holds until" "$ctl" cutoff add $admin --subject alice --reason "password stolen"
    decides 1 "terminated" alice s-alice 203.0.113.7 staff
    decides 1 "terminated" alice s-never-seen 203.0.113.7 staff
    expect 0 "forgotten" "$ctl" user forget $admin --subject alice --devices --reason "asked to be"
    decides 1 "terminated" alice s-alice 203.0.113.7 staff
    decides 1 "terminated" alice s-never-seen 203.0.113.7 staff
    expect 0 "controls     cutoff/" "$ctl" user show $admin --subject alice
    expect 0 "cutoff/" "$ctl" cutoff list $admin
    expect 0 '"kind":"subject"' "$ctl" cutoff list $admin --json
    cut=$("$ctl" cutoff list $admin | sed -n 's/^cutoff.\([0-9]*\) .*/\1/p' | tail -n 1)
    expect 1 "no undo" "$ctl" lock rm "$cut" $admin --reason "please"

    # All sessions of a target: counted first, confirmed where they are many, by two where they are very many.
    n=0
    while [ $n -lt 8 ]; do
        decides 0 "allow" "many-$n" "s-many-$n" 192.0.2.44 staff
        n=$((n + 1))
    done
    expect 0 "8 sessions would end" "$ctl" session terminate $admin --address 192.0.2.44 --dry-run
    expect 0 "many-3" "$ctl" session terminate $admin --address 192.0.2.44 --dry-run
    decides 0 "allow" many-0 s-many-0 192.0.2.44 staff
    expect 1 "--confirm N" "$ctl" session terminate $admin --address 192.0.2.44 --reason "botnet"
    expect 1 "--confirm N" "$ctl" session terminate $admin --address 192.0.2.44 --reason "botnet" --confirm 7
    expect 0 "a second analyst has to agree" "$ctl" session terminate $admin --address 192.0.2.44 --reason "botnet" --confirm 8
    decides 0 "allow" many-0 s-many-0 192.0.2.44 staff
    expect 0 "botnet" "$ctl" control pending $admin
    expect 1 "another analyst" "$ctl" control approve 1 $admin
    expect 1 "no order of this" "$ctl" control approve 2 $admin
    expect 0 "8 sessions ended" "$ctl" control approve 1 --connect "ipc://$work/second.sock"
    expect 1 "no order of this" "$ctl" control approve 1 --connect "ipc://$work/second.sock"
    n=0
    while [ $n -lt 8 ]; do
        decides 1 "terminated" "many-$n" "s-many-$n" 198.51.100.77 staff # wherever it comes from now
        n=$((n + 1))
    done
    decides 1 "terminated" many-9 s-many-9 192.0.2.44 staff              # never seen, authenticated before
    decides 0 "allow" many-9 s-many-later 192.0.2.44 staff "$(($(date +%s) + 1))"
    expect 0 "0 sessions ended" "$ctl" session terminate $admin --role nobody --reason "records do not tell roles"

    # A bad rule is muted, by its name, over a reload too; what nobody knows is not.
    cat >"$work/policies/bad.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: bad}
rules:
  - {id: everybody, effect: terminate, when: 'action.name == "GET"', reason: "a bad rule"}
YAML
    "$ctl" reload $admin >/dev/null
    expect 1 "nothing that is served" "$ctl" mute add $admin --rule bad/nobody --for 1h --reason x
    expect 1 "nothing that is served" "$ctl" mute add $admin --signal nothing --for 1h --reason x
    expect 2 "takes no flag" "$ctl" mute add $admin --address 192.0.2.1 --for 1h --reason x
    expect 0 "holds until" "$ctl" mute add $admin --rule bad/everybody --for 1h --reason "ends everybody"
    decides 0 "allow" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    "$ctl" reload $admin >/dev/null
    decides 0 "allow" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    expect 0 "bad/everybody" "$ctl" mute list $admin

    # Where policies end too many, they deny, and it is said aloud.
    expect 0 "did not hold" "$ctl" breaker reset $admin --reason "a test"
    n=0
    while [ $n -lt 4 ]; do
        decides 0 "allow" "ended-$n" "s-ended-$n" 198.51.100.9 staff "$(($(date +%s) + 1))"
        n=$((n + 1))
    done
    id=$("$ctl" mute list $admin | sed -n 's/^\(mute.[0-9]*\) .*/\1/p')
    expect 0 "is lifted" "$ctl" mute rm "$id" $admin --reason "see what it does"
    decides 1 "terminate" ended-0 s-ended-0 198.51.100.9 staff
    decides 1 "terminate" ended-1 s-ended-1 198.51.100.9 staff
    decides 1 "the breaker holds" ended-2 s-ended-2 198.51.100.9 staff
    decides 1 "the breaker holds" ended-3 s-ended-3 198.51.100.9 staff
    tries=0
    until "$ctl" status $admin --json | grep -q '"alarm":"breaker"'; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || { echo "FAIL: no alarm"; exit 1; }
        sleep 0.05
    done
    expect 0 "mute/" "$ctl" mute add $admin --rule bad --for 1h --reason "ends everybody"
    expect 0 "held, and is reset" "$ctl" breaker reset $admin --reason "the rule is muted"
    decides 0 "allow" ended-2 s-ended-2 198.51.100.9 staff

    # What is remembered of somebody is set aside, and counts again without the pardon.
    at=$(date +%s)
    printf '{"request_id": "sig-1", "event": {"type": "signal", "subject": {"type": "user", "id": "dora"}, "context": {"session":
 {"id": "s-dora"}}, "properties": {"evidence": 5}}}' >"$work/signal.json"
    expect 0 '"recorded":true' "$ctl" decide --connect "ipc://$work/decide.sock" --request "$work/signal.json" --json
    decides 0 '+5.00  external' dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    expect 1 "no signal has this id" "$ctl" pardon add $admin --subject dora --signal nothing --reason x
    expect 1 "--yes-lock-out" "$ctl" pardon add $admin --all --reason x
    expect 2 "--reason" "$ctl" pardon add $admin --subject dora
    tries=0
    until [ "$(date +%s)" -gt "$((at + 1))" ]; do # times of evidence are rounded up to whole seconds
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || { echo "FAIL: no time passes"; exit 1; }
        sleep 0.05
    done
    expect 0 "holds until" "$ctl" pardon add $admin --family s-dora --signal external --signal asn-change --reason "false alarm"
    decides 0 "sets evidence from before it aside" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    pardon=$("$ctl" pardon list $admin | sed -n 's/^pardon.\([0-9]*\) .*/\1/p')
    expect 0 "external asn-change" "$ctl" pardon list $admin
    expect 1 "this is a pardon" "$ctl" lock rm "$pardon" $admin --reason x
    family=$("$ctl" session show $admin --session s-dora --json | sed -n 's/.*"family":"\(f_[0-9a-f]*\)".*/\1/p')
    expect 0 "holds until" "$ctl" lock add $admin --family "$family" --for 1h --reason "the family"
    decides 1 "the family" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    expect 0 "1 sessions would end" "$ctl" session terminate $admin --family "$family" --dry-run
    lock=$("$ctl" lock list $admin | sed -n 's/^lock.\([0-9]*\) *family.*/\1/p')
    expect 0 "is lifted" "$ctl" lock rm "$lock" $admin --reason "seen"

    # Locks by a condition: mistakes are told with their place; a reload that would not understand one is refused.
    expect 1 '--where:1:1: error:' "$ctl" lock add $admin --where 'session.nope == 1' --for 1h --reason x
    grep -q '\^~*' "$work/out" || { cat "$work/out"; echo "FAIL: no caret"; exit 1; }
    expect 1 "--yes-lock-out" "$ctl" lock add $admin --where 'true' --for 1h --reason x
    expect 2 "go with" "$ctl" session terminate $admin --address 192.0.2.9 --for 1h --reason x
    expect 0 "holds until" "$ctl" lock add $admin --where 'subject.id == "dora" && "staff" in subject.roles' --for 1h --reason "by condition" --message "call us"
    decides 1 "by condition" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    decides 0 "allow" dora s-dora 198.51.100.9 hr2 "$(($(date +%s) + 1))"
    expect 0 'subject.id == "dora"' "$ctl" lock list $admin
    cat >"$work/policies/schema.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Schema
metadata: {name: numbers}
attributes:
  subject.roles: {type: int}
YAML
    expect 1 "error:" "$ctl" reload $admin
    grep -q 'lock/[0-9]*:1:[0-9]*: error:' "$work/out" || { cat "$work/out"; echo "FAIL: the lock is not named"; exit 1; }
    grep -q 'lift the lock' "$work/out" || { cat "$work/out"; echo "FAIL: no way out is told"; exit 1; }
    decides 1 "by condition" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    rm "$work/policies/schema.yaml"

    # Ending by a condition: what records do not tell ends nothing, and is counted.
    n=0
    while [ $n -lt 3 ]; do
        decides 0 "allow" "cond-$n" "s-cond-$n" 192.0.2.88 staff
        n=$((n + 1))
    done
    within='cidr("192.0.2.88/32").containsIP(network.ip)'
    expect 0 "3 sessions would end" "$ctl" session terminate $admin --where "$within" --dry-run
    expect 0 "0 sessions would end" "$ctl" session terminate $admin --where "$within && !has(subject.nobody)" --dry-run
    grep -q "of 3 their records do not tell" "$work/out" || { cat "$work/out"; echo "FAIL: unsure is not counted"; exit 1; }
    expect 1 "error:" "$ctl" session terminate $admin --where 'nope(' --reason x
    decides 0 "allow" cond-0 s-cond-0 192.0.2.88 staff
    expect 0 "3 sessions ended; lock/" "$ctl" session terminate $admin --where "$within" --reason "botnet" --for 2h
    decides 1 "terminated" cond-0 s-cond-0 198.51.100.9 staff "$(($(date +%s) + 1))"
    decides 1 "botnet" cond-9 s-cond-9 192.0.2.88 staff
    decides 0 "allow" cond-9 s-cond-later 192.0.2.88 staff "$(($(date +%s) + 5))"

    # All of it was on the disk before it was acknowledged.
    kill -9 "$daemon"
    wait "$daemon" 2>/dev/null || true
    start
    decides 1 "terminated" alice s-alice 203.0.113.7 staff
    decides 1 "terminated" alice s-never-seen 203.0.113.7 staff
    expect 0 "devices      0 seen" "$ctl" user show $admin --subject dave
    writes 1 "deny"
    decides 0 "allow" alice s-later 203.0.113.7 staff "$(($(date +%s) + 1))"
    decides 1 "locked" bob s-bob 198.51.100.9 staff
    decides 1 "by condition" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    cond=$("$ctl" lock list $admin | sed -n 's/^lock.\([0-9]*\) *where *subject.*/\1/p')
    expect 0 "is lifted" "$ctl" lock rm "$cond" $admin --reason "seen"
    decides 0 "pardon/$pardon sets" dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    expect 0 "is lifted" "$ctl" pardon rm "pardon/$pardon" $admin --reason "it was no false alarm"
    decides 0 '+5.00  external' dora s-dora 198.51.100.9 staff "$(($(date +%s) + 1))"
    decides 1 "step_up" carol s-carol 198.51.100.9 hr
    expect 0 "role" "$ctl" lock list $admin
    expect 0 "holds until" "$ctl" lock add $admin --country DE --for 1h --reason "numbers go on" --yes-lock-out
    [ "$("$ctl" lock list $admin | sed -n 's/^lock.\([0-9]*\) *country.*/\1/p')" -gt "$cut" ] || { echo "FAIL: a number twice"; exit 1; }
}
grep -q 'event=controlled order=cutoff.add .*reason="password stolen"' "$work/pdpd.log" || { echo "FAIL: not in the log"; exit 1; }
echo "ok: $checks checks"
