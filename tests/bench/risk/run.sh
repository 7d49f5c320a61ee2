#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the risk model against eight attackers, thirteen kinds of innocents and the methods of others, with everything drawn
# from one seed: `run.sh [--seed N] [--users N] [--sessions N] [--innocents N] [--calm] [--bare] [--full] [--geo FILE] [--overlay FILE] [--out DIR]`. docs/BENCHMARKS.md.
set -eu
cd "$(dirname "$0")/../../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target pdpd pdpctl >/dev/null
exec python3 -B tests/bench/risk/bench.py --pdpctl "$build/bin/pdpctl" "$@"
