#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, runs every test, ends with `N passed, N failed`.
#   sh tests/run.sh            all: release, address and undefined sanitizers, threads, gcc against clang, fuzzing
#   sh tests/run.sh release    one part only (release, asan, tsan, bytes, fuzz)
set -u
cd "$(dirname "$0")/.."
. pdp/packages.sh

parts=${*:-release asan tsan bytes fuzz}
passed=0
failed=0
logs=build/logs
mkdir -p "$logs"

need_packages $BUILD_PACKAGES $TEST_PACKAGES || {
    echo "0 passed, 1 failed"
    exit 1
}
# Only the third voter of tests/diff, the suites of tests/foreign and tests/schema need them; without them those are skipped.
{ command -v node && command -v npm; } >/dev/null 2>&1 || need_packages nodejs npm || echo "skipped: no node, so no comparison with Cedar, no foreign suites and no validator of schemas"
[ -d ../shared ] || echo "skipped: ../shared is not here, so its public tests and data are not used"

count() { # ok|bad name
    if [ "$1" = ok ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2"
    fi
}

build() { # preset [target]
    echo "== $1: building"
    if cmake --preset "$1" -DPDP_TESTS=ON >"$logs/$1.build" 2>&1 &&
        cmake --build --preset "$1" --target "${2:-all}" >>"$logs/$1.build" 2>&1; then
        return 0
    fi
    tail -n 60 "$logs/$1.build"
    count bad "build of preset $1"
    return 1
}

run_ctest() { # preset
    echo "== $1: testing"
    ctest --preset "$1" -j2 --output-on-failure >"$logs/$1.test" 2>&1
    code=$?
    grep -E '(Passed|Skipped)|\*\*\*' "$logs/$1.test" | grep -E '^ *[0-9]+/' | grep -v Passed || true
    good=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* +Passed ' "$logs/$1.test")
    bad=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*(Failed|Timeout|Exception|Not Run)' "$logs/$1.test")
    passed=$((passed + good))
    failed=$((failed + bad))
    [ "$bad" -eq 0 ] || sed -n '/\*\*\*/,$p' "$logs/$1.test" | tail -n 300
    # What ctest itself could not do is a failure too, and so is a run of no test.
    if { [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; } || [ "$good" -eq 0 ]; then
        tail -n 20 "$logs/$1.test"
        count bad "ctest of preset $1 (exit $code, $good passed)"
    fi
    echo "   $good passed, $bad failed, log: $logs/$1.test"
}

# The same recordings must give the same bytes, whichever compiler and optimiser made the program.
same_bytes() {
    geo=build/geo
    mkdir -p "$geo"
    perl tests/data/make_mmdb.pl "$geo" >/dev/null || {
        count bad "making geo databases"
        return
    }
    cat policies/recorded/*.jsonl >"$logs/events.jsonl"
    rm -f "$logs/cloudtrail.jsonl"
    attacks=../shared/data/attacks/cloudtrail-invictus.jsonl.gz
    [ ! -e $attacks ] || python3 tests/system/cloudtrail.py $attacks >"$logs/cloudtrail.jsonl"
    first=""
    for preset in release gcc-O0 clang clang-O0; do
        extra=""
        [ "$preset" = release ] || extra="-DPDP_TESTS=OFF"
        echo "== $preset: replaying"
        if ! { cmake --preset "$preset" $extra >"$logs/$preset.build" 2>&1 &&
            cmake --build --preset "$preset" --target pdpctl >>"$logs/$preset.build" 2>&1; }; then
            tail -n 40 "$logs/$preset.build"
            count bad "build of preset $preset"
            continue
        fi
        build/$preset/bin/pdpctl replay --policies policies/baseline --geo "$geo/city.mmdb" --geo "$geo/asn.mmdb" \
            --geo "$geo/anonymous.mmdb" --events "$logs/events.jsonl" >"$logs/$preset.replay" 2>"$logs/$preset.err"
        if [ -s "$logs/cloudtrail.jsonl" ]; then
            build/$preset/bin/pdpctl replay --policies tests/cases/cloudtrail --events "$logs/cloudtrail.jsonl" \
                >>"$logs/$preset.replay" 2>>"$logs/$preset.err"
        fi
        sum=$(sha256sum <"$logs/$preset.replay")
        lines=$(wc -l <"$logs/$preset.replay")
        if [ "$lines" -lt 40 ]; then
            cat "$logs/$preset.err"
            count bad "replay by $preset gave $lines answers"
        elif [ -n "$first" ] && [ "$sum" != "$first" ]; then
            count bad "replay by $preset differs from the release's; see $logs/*.replay"
        else
            first=$sum
            count ok "replay by $preset"
        fi
    done
}

# Each parser is fuzzed for a short while, two at a time; hours are for a bench (`sh tests/bench/fuzz.sh 3600`). With sanitizers an input
# takes five to ten times as long and more memory: five seconds there stand for the one that an input may take. What was found is
# replayed by the release build, which holds each to a second and 64 MiB.
fuzz_one() { # target
    name=$(basename "$1")
    corpus=tests/fuzz/corpus/${name#fuzz_}
    dict=tests/fuzz/dict/${name#fuzz_}.dict
    mkdir -p "$logs/corpus-$name"
    "$1" -max_total_time="${PDP_FUZZ_SECONDS:-20}" -timeout=5 -rss_limit_mb=2048 -malloc_limit_mb=256 \
        $([ ! -e "$dict" ] || echo "-dict=$dict") -artifact_prefix="$logs/$name-" "$logs/corpus-$name" "$corpus" \
        >"$logs/$name.log" 2>&1 || return 1
    [ ! -x "build/release/tests/$name" ] || "build/release/tests/$name" "$logs/corpus-$name" "$corpus" >"$logs/$name.replay" 2>&1
}

fuzz_told() { # target status
    name=$(basename "$1")
    if [ "$2" -eq 0 ]; then
        count ok "$name"
        tail -n 1 "$logs/$name.log" | sed "s/^/   $name: /"
        [ ! -e "$logs/$name.replay" ] || tail -n 1 "$logs/$name.replay" | sed "s/^/   $name: /"
    else
        tail -n 40 "$logs/$name.log"
        [ ! -e "$logs/$name.replay" ] || tail -n 5 "$logs/$name.replay"
        count bad "$name"
    fi
}

fuzz() {
    build fuzz fuzzers || return
    rm -f "$logs"/fuzz_*.replay
    set -- build/fuzz/tests/fuzz_*
    while [ $# -gt 0 ]; do
        fuzz_one "$1" &
        other=$!
        second=${2:-}
        if [ -n "$second" ]; then
            fuzz_one "$second"
            fuzz_told "$second" $?
        fi
        wait "$other"
        fuzz_told "$1" $?
        shift
        [ -z "$second" ] || shift
    done
}

for part in $parts; do
    case "$part" in
    release | asan | tsan)
        build "$part" && run_ctest "$part"
        ;;
    bytes) same_bytes ;;
    fuzz) fuzz ;;
    *)
        echo "error: unknown part \`$part\`, expected release, asan, tsan, bytes or fuzz" >&2
        exit 2
        ;;
    esac
done

# The first of the two commands that a newcomer runs, as it stands in the README.
case " $parts " in
*" release "*)
    echo "== sh pdp/run.sh --exit"
    if sh pdp/run.sh --exit >"$logs/run.out" 2>&1; then
        count ok "pdp/run.sh --exit"
    else
        tail -n 40 "$logs/run.out"
        count bad "pdp/run.sh --exit"
    fi
    ;;
esac

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
