// SPDX-License-Identifier: Apache-2.0
// One world from one seed.
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/sim.h"

struct sim_result {
    bool failed;
    uint64_t hash, steps, ends, allows, crashes, answers;
};

// Runs a world for so many steps, or until something is wrong, which it tells on stderr.
void sim_world(uint64_t seed, uint64_t steps, bool loud, struct sim_result *out);

#endif
