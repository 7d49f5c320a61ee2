#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an author waits for: 1,000 tests, their coverage, and a full run of mutants of `policies/baseline`; see tests.py.
# `BUILD=DIR` builds elsewhere than in build/release. Takes about half a minute.
set -eu
cd "$(dirname "$0")/../../.."
build=${BUILD:-build/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target pdpctl >/dev/null
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
exec python3 -B tests/bench/authoring/tests.py "$build/bin/pdpctl"
