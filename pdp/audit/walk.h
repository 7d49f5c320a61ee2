// SPDX-License-Identifier: Apache-2.0
// All frames of a log in order, across its segments.
#ifndef AUDIT_WALK_H
#define AUDIT_WALK_H

#include "audit/files.h"

struct walk;

struct walk_item {
    struct frame frame;
    uint64_t record; // its number; of a checkpoint: how many records stand before it
    char segment[SEGMENT_NAME_BYTES];
    bool begins; // the first frame of its segment
};

// Begins with the segment that holds record `from`. The source is borrowed. MISSING: there are no segments.
MUST_USE enum pdp_err walk_open(const struct audit_source *source, uint64_t from, struct walk **out);
void walk_close(struct walk **walk);
// The next frame. CLOSED at the end; CORRUPT, MISSING, MALFORMED as segment_open and segment_next have it, or
// where a segment does not begin where the one before ended, with the place in *out.
MUST_USE enum pdp_err walk_next(struct walk *walk, struct walk_item *out);
// Is the segment at hand the last one?
bool walk_last(const struct walk *walk);
uint64_t walk_first(const struct walk *walk); // the oldest record that is there
const struct audit_segments *walk_segments(const struct walk *walk);

#endif
