#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How long an author waits for what an editor says of a keystroke; see lsp.py. `BUILD=DIR` builds elsewhere than in build/release.
set -eu
cd "$(dirname "$0")/../../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target pdpctl >/dev/null
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
exec python3 -B tests/bench/authoring/lsp.py "$build/bin/pdpctl"
