#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kills pdpd under load a thousand times, or as often as is said, and holds it to all that it acknowledged: `kill.sh [CYCLES
# [SEED]]`. About half a second a cycle.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target pdpd pdpctl >/dev/null
exec python3 tests/system/kill.py "$build/bin/pdpd" "$build/bin/pdpctl" "${1:-1000}" ${2:+"$2"}
