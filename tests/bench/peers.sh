#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ours beside cedar-wasm, two CEL libraries and Cerbos, in one run, as tables. Needs node 20 and npm; installs the others into
# build/peers, which nothing else looks at. `BUILD=DIR` builds elsewhere than in build/release; PDP_PEERS_ROUNDS (7),
# PDP_PEERS_TURN_MS (40), PDP_PEERS_COUNTS ("1 20 200 2000 10000") and PDP_PEERS_PARTS ("conditions process servers") make it longer
# or shorter.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target bench_peers pdpd >/dev/null
mkdir -p build/peers
[ -e build/peers/package.json ] || echo '{"private": true}' >build/peers/package.json
npm install --prefix build/peers --no-audit --no-fund --ignore-scripts --silent @cedar-policy/cedar-wasm@4.13.0 \
    @marcbachmann/cel-js@8.0.0 @bufbuild/cel@0.6.1 @bufbuild/protobuf@2 @cerbos/cerbos-linux-x64@0.55.0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
node tests/bench/peers.mjs build/peers "$build" "$scratch"
echo
echo "load at the end: $(cut -d ' ' -f 1 /proc/loadavg)"
