// SPDX-License-Identifier: Apache-2.0
// A bounded queue of byte strings from one thread to one other: no lock, no allocation after ring_new.
#ifndef BASE_RING_H
#define BASE_RING_H

#include "base/str.h"

struct ring;

// Room for `bytes` (a power of two, at least 4096), heads of items included.
MUST_USE enum pdp_err ring_new(size_t bytes, struct ring **out);
void ring_free(struct ring **ring);

// The writer's side. Could an item of `len` bytes be put now? What could be put can be put: the reader only
// makes room.
bool ring_fits(struct ring *ring, size_t len);
// Puts one item made of parts. false, with nothing put, where there is no room; a longer one than a quarter
// of the ring never has any.
MUST_USE bool ring_put(struct ring *ring, const struct str *parts, size_t count);

// The reader's side. The oldest item, until ring_drop; false: there is none.
bool ring_peek(struct ring *ring, struct str *out);
void ring_drop(struct ring *ring);

#endif
