#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# policies/baseline against ordinary questions and against the doors beside each door: effect and rule, at one instant.
set -eu
ctl=$PDP_BIN/pdpctl
[ -x "$ctl" ] || { echo "pdpctl is not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
perl tests/data/make_mmdb.pl "$work" >/dev/null 2>&1 || { echo "the geo databases cannot be made"; exit 77; }
checks=0
device='{"fingerprint": "f", "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "managed": true}'
wrong=0
ask() { # EFFECT RULE-OR-CODE ADDRESS ACTION TYPE ID ROLES [DEVICE [SUBJECT [AMR]]]
    checks=$((checks + 1))
    network=${3:+, \"network\": {\"ip\": \"$3\"\}}
    printf '{"tenant": "acme", "subject": {"type": "%s", "id": "nina", "properties": {"roles": [%s]}},
        "action": {"name": "%s"}, "resource": {"type": "%s", "id": "%s"}, "context": {"device": %s,
        "session": {"id": "s", "auth_time": "2026-11-23T09:00:00Z", "amr": [%s]}%s}}' "${9:-user}" "$7" "$4" "$5" "$6" \
        "${8:-$device}" "${10:-\"pwd\"}" "$network" >"$work/question"
    # shellcheck disable=SC2086
    "$ctl" eval --policies policies/baseline $geo --request "$work/question" --now 2026-11-23T09:05:00Z >"$work/answer" || [ $? -eq 1 ]
    { [ "$(head -n 1 "$work/answer")" = "$1" ] && grep -qE "^  (code|rule) +$2\$" "$work/answer"; } || {
        echo "FAIL: $3 $4 $6 as ${9:-user} with $7: expected $1 by $2, got"
        cat "$work/answer"
        wrong=1
    }
}
staff='"staff"' admin='"staff", "admin"' hr='"staff", "hr"'
places="--geo $work/city.mmdb --geo $work/asn.mmdb"
geo="$places --geo $work/anonymous.mmdb"

# A new employee's first morning: nothing is known yet, and not every gateway sends a device.
for address in 203.0.113.7 2001:db8:1::5 10.1.2.3 192.168.1.2 127.0.0.1 ::1 fd00::1 fe80::1; do
    ask allow workforce/staff-read "$address" GET route / "$staff" '{}'
done
for action in GET HEAD OPTIONS; do ask allow workforce/staff-read 203.0.113.7 $action route / "$staff"; done
for action in POST PUT PATCH DELETE; do
    ask allow workforce/staff-write 203.0.113.7 $action route /notes "$staff"
    ask deny no-rule 203.0.113.7 $action route /notes "$staff" '{"managed": false}'
done
ask deny no-rule 203.0.113.7 BREW route / "$staff"
ask deny no-rule 203.0.113.7 read document d "$staff"

# An address that is not known, or not placed, is not a safe one; where no database tells Tor, nothing is said of it.
ask deny unsure "" GET route / "$staff"
ask deny unsure 8.8.8.8 GET route / "$staff"
ask deny guards/tor 203.0.113.250 GET route / "$staff"
geo=$places
ask allow workforce/staff-read 203.0.113.7 GET route / "$staff"
geo=
ask deny unsure 203.0.113.7 GET route / "$staff"
ask allow workforce/staff-read 10.1.2.3 GET route / "$staff"
geo="$places --geo $work/anonymous.mmdb"

# Consoles, with and without the slash.
for path in /admin /admin/ /admin/users; do
    ask deny administration/deny-unless-allow 203.0.113.7 GET route $path "$staff"
    ask step_up administration/security-key 203.0.113.7 GET route $path "$admin"
    ask deny administration/from-our-networks 198.51.100.7 GET route $path "$admin"
    ask allow administration/administrators 203.0.113.7 GET route $path "$admin" "" "" '"hwk"'
done
ask allow workforce/staff-read 203.0.113.7 GET route /administration "$staff"

# Payroll and exports.
for path in /payroll /payroll/ /payroll/42; do
    ask deny workforce/payroll-is-for-hr 203.0.113.7 GET route $path "$staff"
    ask step_up workforce/fresh-mfa-for-payroll 203.0.113.7 GET route $path "$hr"
    ask allow workforce/staff-read 203.0.113.7 GET route $path "$hr" "" "" '"otp"'
done
for path in /export /reports/export /reports/export/; do
    ask step_up workforce/export 203.0.113.7 GET route $path "$staff"
    ask allow workforce/staff-read 203.0.113.7 GET route $path "$staff" "" "" '"otp", "pwd"'
done

# Services come from their networks, to what is theirs.
ask allow services/from-listed-networks 10.40.3.9 GET route /api/invoices '' '{}' service
ask allow services/from-listed-networks 10.40.3.9 read invoices i-7 '' '{}' service
ask deny services/deny-unless-allow 10.99.3.9 GET route /api/invoices '' '{}' service
for path in / /ui /ui/home /payroll/42 /export; do
    ask deny services/not-interactive 10.40.3.9 GET route $path '' '{}' service
done
ask deny administration/from-our-networks 10.40.3.9 GET route /admin '' '{}' service

[ "$wrong" = 0 ] || exit 1
echo "ok: $checks questions"
