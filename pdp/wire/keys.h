// SPDX-License-Identifier: Apache-2.0
// The order of a map's keys: shorter first, then by bytes (the core deterministic order of RFC 8949).
#ifndef WIRE_KEYS_H
#define WIRE_KEYS_H

#include "model/value.h"

// Negative, zero or positive.
int keys_order(const struct value_entry *a, const struct value_entry *b);
// In place, n log n comparisons in every case, allocates nothing.
void keys_sort(const struct value_entry **entries, size_t count);

#endif
