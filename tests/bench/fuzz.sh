#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each parser for SECONDS, two at a time, and prints a table. use: fuzz.sh [SECONDS [TARGET…]]   (3600: hours in all)
# Corpora grow in build/fuzz-corpus and are kept, so that the next run goes on where this one stopped. Afterwards each is replayed
# by a release build, without sanitizers: from there are the slowest input and the memory, and there the limits are held
# (a second, 64 MiB an input).
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
cmake --preset fuzz -DPDP_TESTS=ON >/dev/null
cmake --build --preset fuzz --target fuzzers >/dev/null
cmake --preset release -DPDP_TESTS=ON >/dev/null
out=build/fuzz-corpus
mkdir -p "$out"
[ $# -gt 0 ] || set -- $(cd build/fuzz/tests && ls -d fuzz_* | sed 's/^fuzz_//')
for name in "$@"; do
    cmake --build --preset release --target "fuzz_$name" >/dev/null
done

one() { # name
    mkdir -p "$out/$1"
    dict=tests/fuzz/dict/$1.dict
    build/fuzz/tests/fuzz_$1 -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 -print_final_stats=1 \
        $([ ! -e "$dict" ] || echo "-dict=$dict") -artifact_prefix="$out/crash-$1-" "$out/$1" "tests/fuzz/corpus/$1" >"$out/$1.log" 2>&1 ||
        echo "crash" >"$out/$1.crash"
    build/release/tests/fuzz_$1 "$out/$1" "tests/fuzz/corpus/$1" >"$out/$1.replay" 2>&1 || echo "limit" >>"$out/$1.crash"
}

rm -f "$out"/*.crash
while [ $# -gt 0 ]; do
    one "$1" &
    first=$!
    shift
    if [ $# -gt 0 ]; then
        one "$1"
        shift
    fi
    wait "$first"
done

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg); $seconds s a target, two at a time"
echo
echo "| Target | Executions | A second | Corpus | Crashes | Slowest input | Memory of an input | Peak |"
echo "|---|---|---|---|---|---|---|---|"
failed=0
for log in "$out"/*.log; do
    name=$(basename "$log" .log)
    [ -e "$out/$name.replay" ] || continue
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    crashes=$(ls "$out" | grep -c "^crash-$name-" || true)
    [ ! -e "$out/$name.crash" ] || failed=1
    sed -n 's/.*slowest \([0-9.]* ms\).*most memory \([0-9]*\) KiB.*peak \([0-9]*\) KiB/\1|\2 KiB|\3 KiB/p' "$out/$name.replay" | {
        IFS='|' read -r slowest grown peak
        echo "| $name | $(stat number_of_executed_units) | $(stat average_exec_per_sec) | $(ls "$out/$name" | wc -l) | $crashes | $slowest | $grown | $peak |"
    }
done
exit $failed
