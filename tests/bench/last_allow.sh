#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From an order to the last allow of 50 gateways, 10,000 times or as often as is said: `last_allow.sh [TERMINATIONS]`. Ten
# minutes for 10,000 on a machine that does nothing else.
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
echo "$(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
"$build/bench/bench_kill" "${1:-10000}" | sed 's/^ROW //'
echo "load at the end: $(cut -d ' ' -f 1 /proc/loadavg)"
