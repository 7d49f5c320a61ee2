// SPDX-License-Identifier: Apache-2.0
// How recent questions scored: what a budget of step-ups comes to as a threshold.
#ifndef RISK_RECENT_H
#define RISK_RECENT_H

#include "base/buf.h"

struct risk_model;

#define RECENT_EPOCH_MS (INT64_C(5) * 60 * 1000)
#define RECENT_LEAST 1000 // below so many questions nothing is measured

// Counts by half a point of score, and two more for what was added in the current epoch and in the one
// before. What is read is all that was added up to the last but one, so that every worker, and every replay,
// reads the same. All counts halve every day.
struct recent;

MUST_USE enum pdp_err recent_new(struct recent **out);
void recent_free(struct recent **recent);

// Goes on to the epoch of a time: before a scoring. A comparison, but for the first in an epoch. A clock that
// steps back stays where it was.
void recent_turn(struct recent *recent, int64_t now_ms);
// When the next epoch begins: until then nothing that is read changes.
int64_t recent_until(int64_t now_ms);
// One more score, which counts from the epoch after the next. Any thread; no lock.
void recent_add(struct recent *recent, double score);
// The lowest score, in half points, at or above which there is no more than a share of what is known: 100
// where the highest are too many. NaN: RECENT_LEAST were not seen. Any thread; no lock.
double recent_edge(const struct recent *recent, double share);
// The score at which a model's medium begins now; 0: where the model says, it has no budget.
double recent_medium(const struct recent *recent, const struct risk_model *model);

// All of it as bytes of this machine, and back. What is added while it is saved is in it or not; while it is
// loaded nobody adds.
#define RECENT_SECTION "scores"
#define RECENT_VERSION 1
void recent_save(struct recent *recent, struct buf *out);
// CORRUPT, with nothing changed: not what recent_save wrote.
MUST_USE enum pdp_err recent_load(struct recent *recent, struct str bytes);

#endif
