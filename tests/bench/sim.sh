#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The node under deterministic simulation, for as long as one likes, in parts of ten million steps. use: sim.sh [STEPS [FIRST
# [JOBS]]]   (1000000000 from seed 1000000, two at a time)
# What a part said is kept in the build folder, so that the same call goes on where it was stopped; `rm -r build/release/sim`
# begins anew. A part that fails names its seed, which `build/release/tests/sim_worlds --seed N --steps 1` plays again.
set -eu
cd "$(dirname "$0")/../.."
steps=${1:-1000000000}
first=${2:-1000000}
jobs=${3:-2}
worlds=500 # of 20,000 steps each
part_steps=$((worlds * 20000))
parts=$(((steps + part_steps - 1) / part_steps))
cmake --preset release -DPDP_TESTS=ON >/dev/null
cmake --build --preset release --target sim_worlds >/dev/null
kept=build/release/sim/$(git rev-parse --short HEAD 2>/dev/null || echo none)
mkdir -p "$kept"
cp build/release/tests/sim_worlds "$kept/sim_worlds"

# one JOB: every JOBS-th part from JOB on, those that are kept left out.
one() {
    part=$1
    while [ "$part" -lt "$parts" ]; do
        seed=$((first + part * worlds))
        if [ ! -f "$kept/$seed" ]; then
            ended=0
            "$kept/sim_worlds" --seed "$seed" --steps "$part_steps" --brief >"$kept/$seed.new" 2>&1 || ended=$?
            [ "$ended" -gt 1 ] || mv "$kept/$seed.new" "$kept/$seed" # else it was stopped
        fi
        part=$((part + jobs))
    done
}

job=0
while [ "$job" -lt "$jobs" ]; do
    one "$job" &
    job=$((job + 1))
done
wait

part=0
while [ "$part" -lt "$parts" ]; do
    cat "$kept/$((first + part * worlds))" || echo "part $part is missing"
    part=$((part + 1))
done | awk '
    $2 == "steps" { steps += $1; worlds += $4; took += $6; answers += $10; allowed += $12; ends += $14; crashes += $16; next }
    { print; wrong++ }
    END {
        printf "%d steps in %d worlds, %.0f s of processors (%.0f steps a second each): %d answers, %d allowed, %d ends, %d crashes; %d lines of what went wrong\n",
               steps, worlds, took, steps / took, answers, allowed, ends, crashes, wrong
        exit wrong > 0
    }'
