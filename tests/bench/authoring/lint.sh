#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `pdpctl lint` costs beside `pdpctl check` of the same folders of 1,000 rules; see lint.py. `BUILD=DIR` builds elsewhere than in build/release.
set -eu
cd "$(dirname "$0")/../../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target pdpctl >/dev/null
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
exec python3 -B tests/bench/authoring/lint.py "$build/bin/pdpctl"
