#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Requests a second, p50 and p99 through nginx and HAProxy: without a check, and with each way to ask, in one run, as ratios.
# `BUILD=DIR` builds elsewhere than in build/release; PDP_GATEWAYS_ROUNDS (5), PDP_GATEWAYS_SECONDS (2) of each turn,
# PDP_GATEWAYS_CONNECTIONS (32) and PDP_GATEWAYS_ONLY (names of ways, the default is all) make it longer or shorter.
set -eu
cd "$(dirname "$0")/../../.."
. pdp/packages.sh
need_packages nginx-light haproxy wrk
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" >/dev/null
PDP_BIN=$(cd "$build/bin" && pwd) PDP_BUILD=$(cd "$build" && pwd) exec python3 -B tests/bench/gateways/bench.py
