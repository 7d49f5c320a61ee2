// SPDX-License-Identifier: Apache-2.0
// How common a value is among all users: counts that everybody adds to, read as they were when an epoch
// began.
#ifndef RISK_POPULATION_H
#define RISK_POPULATION_H

#include "base/buf.h"

#define POPULATION_EPOCH_MS (INT64_C(5) * 60 * 1000)

// A blocked count-min sketch of 2^18 counters, 1 MiB, and two more for what was added in the current epoch
// and in the one before. What is read is all that was added up to the last but one, so that every worker, and
// every replay, reads the same, however far each has come. All counts halve every 30 days.
struct population;

MUST_USE enum pdp_err population_new(struct population **out);
void population_free(struct population **population);
// As it was made, at the cost of what was added. Nobody else may be using it.
void population_clear(struct population *population);

// Goes on to the epoch of a time: before a scoring. A comparison, but for the first in an epoch, which takes
// up to 0.2 ms under a lock for which the others wait. A clock that steps back stays where it was.
void population_turn(struct population *population, int64_t now_ms);
// One more sighting of a value, which counts from the epoch after the next. Any thread; no lock.
void population_add(struct population *population, uint64_t key);
// How often a value was seen: never too few, seldom too many. One cache line. Any thread; no lock.
uint32_t population_count(const struct population *population, uint64_t key);

// All of it as bytes of this machine, and back. What is added while it is saved is in it or not; while it is
// loaded nobody adds. A turn waits meanwhile.
#define POPULATION_SECTION "population"
#define POPULATION_VERSION 1
void population_save(struct population *population, struct buf *out);
// CORRUPT, with nothing changed: not what population_save wrote.
MUST_USE enum pdp_err population_load(struct population *population, struct str bytes);

#endif
