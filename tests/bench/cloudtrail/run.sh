#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Asks a recorded attack again and tells which access keys rise, why, and how soon: `run.sh FILE` prints, and draws docs/cloudtrail.svg.
set -eu
cd "$(dirname "$0")/../../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target pdpctl >/dev/null
exec python3 -B tests/bench/cloudtrail/cloudtrail.py --pdpctl "$build/bin/pdpctl" --svg docs/cloudtrail.svg --events "$@"
