#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The plain interpreter against the compiled program for SECONDS, conditions on one core and rule sets on the other. use: diff.sh [SECONDS]
# Goes on where the last run stopped: build/diff keeps the next seed and the sums; remove it to begin anew, at other seeds than those of the
# tests. Ends with a table over all runs, and fails on a difference.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-300}
state=build/diff
mkdir -p "$state"
cmake --preset release -DPDP_TESTS=ON >/dev/null
cmake --build --preset release --target diff_cel diff_rules >/dev/null

one() { # program
    seed=10000000
    [ ! -e "$state/$1.next" ] || seed=$(cat "$state/$1.next")
    status=0
    PDP_DIFF_SEED=$seed PDP_DIFF_SECONDS=$seconds build/release/tests/$1 >"$state/$1.log" 2>&1 || status=$?
    cases=$(sed -n 's/^\([0-9]*\) cases.*/\1/p' "$state/$1.log")
    differences=$(sed -n 's/.* \([0-9]*\) differences$/\1/p' "$state/$1.log")
    sed -n 's/^next seed //p' "$state/$1.log" >"$state/$1.next"
    echo "${cases:-0} $seconds ${differences:-1} $status" >>"$state/$1.runs"
    [ "$status" -eq 0 ] || cp "$state/$1.log" "$state/$1.failed.$seed"
}

one diff_cel &
other=$!
one diff_rules
wait "$other"

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
echo
echo "| What | Cases | A second | Differences | Hours for 100,000,000 | Next seed |"
echo "|---|---|---|---|---|---|"
failed=0
for program in diff_cel diff_rules; do
    awk -v name=$program -v next_seed="$(cat $state/$program.next)" '{c += $1; s += $2; d += $3; bad += $4 != 0}
        END {printf "| %s | %d | %d | %d | %.1f | %s |\n", name, c, c / s, d, 1e8 / (c / s) / 3600, next_seed; exit bad > 0}' "$state/$program.runs" || failed=1
done
exit $failed
