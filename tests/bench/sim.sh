#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The node under deterministic simulation, for as long as one likes. use: sim.sh [STEPS [FIRST]]   (1000000000 from seed 1000000)
# Two processes at a time, each with seeds of its own; what fails prints its seed, which
# `build/release/tests/sim_worlds --seed N --steps 1` plays again.
set -eu
cd "$(dirname "$0")/../.."
steps=${1:-1000000000}
first=${2:-1000000}
cmake --preset release -DPDP_TESTS=ON >/dev/null
cmake --build --preset release --target sim_worlds >/dev/null
half=$((steps / 2))
build/release/tests/sim_worlds --steps "$half" --seed "$first" &
other=$!
wrong=0
build/release/tests/sim_worlds --steps $((steps - half)) --seed $((first + 100000000)) || wrong=1
wait $other || wrong=1
exit $wrong
