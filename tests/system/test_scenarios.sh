#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# policies/scenarios: what the library promises of its files, that nothing stops its attacks by chance, and at which step
# policies/baseline reacts, word for word. policies/baseline: its own tests, and that they leave nothing out.
set -eu
ctl=$PDP_BIN/pdpctl
[ -x "$ctl" ] || { echo "pdpctl is not built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
fail() {
    echo "FAIL: $*"
    wrong=1
}
run() { # EXPECTED-STATUS ARGUMENT...: what it said is in $work/said
    expected=$1 status=0
    shift
    "$ctl" "$@" >"$work/said" 2>&1 || status=$?
    [ "$status" = "$expected" ] || { fail "pdpctl $*: exit $status, not $expected"; cat "$work/said"; }
}

# ---- Its files -------------------------------------------------------------------------------------
# What a folder with other names lays its own over: the same fixtures in all files.
shared='^[0-9]+:  ((staff|hr|admin|sales|service): \{subject:|((one_)?(page|change|service_page)|payroll|export|admin_page|admin_change): \{action: \{name: [A-Z]+\}, resource:)'
for file in policies/scenarios/*; do
    name=$(basename "$file" .yaml)
    [ "$file" = "policies/scenarios/$name.yaml" ] || fail "$file is no .yaml"
    grep -qx "  name: $name" "$file" || fail "$file: its scenario has another name"
    [ "$(grep -c '^kind: Scenario$' "$file")" = 1 ] || fail "$file: not one Scenario"
    grep -q '^places:' "$file" || fail "$file: needs databases"
    grep -q '^ordinary:' "$file" || fail "$file: does not say what its owner may do"
    ! grep -nE 'roles:|type: (user|service|route)' "$file" | grep -vE "$shared" || fail "$file: says roles and types beside the fixtures that folders can give"
    ! grep -nE 'expect:.*(rule|level|risk|signals)' "$file" || fail "$file: expects what is the policies' matter"
    case $(grep 'labels:' "$file") in
    *"{class: attack}") says='^# What happens: |^# Seen: |^# Should speak: |^stops: ' lines=4 ;;
    *"{class: innocent}") says='^# Looks like: ' lines=1 ;;
    *) fail "$file: neither attack nor innocent" && continue ;;
    esac
    [ "$(grep -cE "$says" "$file")" = "$lines" ] || fail "$file: does not say what, where, and what should speak"
done
[ "$(grep -l 'class: attack' policies/scenarios/* | wc -l)" -ge 12 ] || fail "fewer than twelve attacks"
[ "$(grep -l 'class: innocent' policies/scenarios/* | wc -l)" -ge 12 ] || fail "fewer than twelve innocents"
addresses='[^0-9.](192\.0\.2|198\.51\.100|203\.0\.113|10)\.|2001:db8:'
! grep -nE '(ip: "?|^  )[0-9a-f]+[.:]' policies/scenarios/* | grep -vE "$addresses" || fail "addresses of somebody"

# ---- Against everything that is allowed, and against the baseline -----------------------------------
mkdir "$work/open"
cat >"$work/open/open.yaml" <<'OPEN'
apiVersion: pdp/v1
kind: Policy
metadata: {name: open}
rules:
  - {id: all, effect: allow}
OPEN
run 1 test --scenarios policies/scenarios "$work/open"
[ "$(grep -c 'NOT STOPPED$' "$work/said")" = 14 ] || { fail "what sessions themselves do not stop, something stopped by chance"; cat "$work/said"; }
[ "$(grep -c 'let be$' "$work/said")" = "$(grep -l 'class: innocent' policies/scenarios/* | wc -l)" ] || { fail "an innocent was not let be"; cat "$work/said"; }

run 0 test --scenarios policies/scenarios policies/baseline
diff tests/cases/scenarios.txt "$work/said" || fail "the baseline reacts at other steps; where that is meant, write tests/cases/scenarios.txt anew"

# Against other roles nothing counts as stopped, until the folder says its own.
mkdir "$work/other"
cat >"$work/other/other.yaml" <<'OTHER'
apiVersion: pdp/v1
kind: Policy
metadata: {name: other}
rules:
  - {id: all, effect: allow, when: subject.grade >= 1}
OTHER
run 1 test --scenarios policies/scenarios "$work/other"
attacks=$(grep -l 'class: attack' policies/scenarios/* | wc -l) innocents=$(grep -l 'class: innocent' policies/scenarios/* | wc -l)
grep -qx "0 of $attacks attacks stopped in time, $attacks not applicable; of $innocents innocents 0 terminated, 0 denied, 0 stepped up, $innocents not applicable" "$work/said" ||
    { fail "where the owner is denied, an attack counts"; cat "$work/said"; }
cat >"$work/given.yaml" <<'GIVEN'
apiVersion: pdp/v1
kind: Given
metadata: {name: other}
given:
  staff: {subject: {properties: {grade: 1}}}
  hr: {subject: {properties: {grade: 2}}}
  admin: {subject: {properties: {grade: 3}}}
  sales: {subject: {properties: {grade: 1}}}
  service: {subject: {properties: {grade: 1}}}
GIVEN
run 1 test --scenarios policies/scenarios --given "$work/given.yaml" "$work/other"
[ "$(grep -c 'NOT STOPPED$' "$work/said")" = 14 ] || { fail "with names of its own the folder is not as open as the open one"; cat "$work/said"; }

# Each of these holds an attack up: without it, one goes through.
without() { # FILE RULE
    rm -rf "$work/less"
    cp -r policies/baseline "$work/less"
    rm "$work/less"/*_test.yaml
    awk -v rule="  - id: $2" '$0 == rule {skip = 1; next} /^  - id: / {skip = 0} !skip' "policies/baseline/$1" >"$work/less/$1"
    cmp -s "policies/baseline/$1" "$work/less/$1" && fail "there is no $2 in $1"
    run 1 test --scenarios policies/scenarios "$work/less"
}
without guards.yaml prove-it-at-medium-risk
without guards.yaml prove-it-at-high-risk
without workforce.yaml export-after-hours
without volume.yaml much-in-a-day

# ---- The baseline's own tests -----------------------------------------------------------------------
run 0 test policies/baseline
run 0 test policies/baseline --coverage --coverage-least 100
run 0 test policies/baseline --mutate
grep -qE '^mutants +([0-9]+) of \1 noticed$' "$work/said" || { fail "the baseline's tests do not notice a mistake"; cat "$work/said"; }
run 0 lint policies/baseline
grep -qE '^no finding' "$work/said" || { fail "there are findings"; cat "$work/said"; }

[ "$wrong" = 0 ] || exit 1
echo "ok: $(find policies/scenarios -type f | wc -l) scenarios"
