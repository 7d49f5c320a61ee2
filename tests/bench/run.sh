#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds a release, runs every bench, and ends with one table: budget, measured, met? `BUILD=DIR` builds elsewhere than in
# build/release. Takes about two minutes; other work on the machine disturbs absolute figures, ratios less.
# What other engines take on the same conditions: `sh tests/bench/peers.sh`, which installs them.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target benches >/dev/null

PDP_BIN=$(cd "$build/bin" && pwd)
PDP_BENCH_DIR=$(mktemp -d)
export PDP_BIN PDP_BENCH_DIR
trap 'rm -rf "$PDP_BENCH_DIR"' EXIT
trap 'exit 130' INT TERM
perl tests/data/make_mmdb.pl "$PDP_BENCH_DIR/geo" city asn anonymous >/dev/null

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
rows=$PDP_BENCH_DIR/rows
: >"$rows"
for bench in bench_decide bench_wire bench_loop bench_control bench_session bench_risk bench_lists bench_networks bench_store bench_kill bench_audit bench_takeover; do
    echo
    echo "== $bench"
    "$build/bench/$bench" >"$PDP_BENCH_DIR/out"
    grep -v '^ROW ' "$PDP_BENCH_DIR/out" || true
    sed -n 's/^ROW //p' "$PDP_BENCH_DIR/out" >>"$rows"
done
echo
echo "| What | Budget | Measured | Met |"
echo "|---|---|---|---|"
cat "$rows"
echo
echo "load at the end: $(cut -d ' ' -f 1 /proc/loadavg)"
