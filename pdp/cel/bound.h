// SPDX-License-Identifier: Apache-2.0
// What a bound of steps is made of: how large values can be, and what working on them costs.
#ifndef CEL_BOUND_H
#define CEL_BOUND_H

#include "cel/program.h"

// The largest that a value can be. All sums saturate.
struct shape {
    uint64_t len;   // elements or entries of its own
    uint64_t inner; // most of any list or map in it
    uint64_t parts; // elements and entries at all depths together
    uint64_t bytes; // of the longest text in it, or its own
    uint64_t text;  // of all texts in it together
    uint8_t is;     // enum shape_is
    uint16_t root;  // the comprehension variable whose part it is; NODE_CLOSED: none
};

enum shape_is {
    SHAPE_ANY,
    SHAPE_TEXT,  // no list and no map
    SHAPE_PARTS, // no text
};

static inline uint64_t bound_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t bound_mul(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static inline uint64_t bound_most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t bound_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct shape shape_plain(void); // a number, a truth, a time
struct shape shape_text(uint64_t bytes);
struct shape shape_of_const(const struct value *value);
struct shape shape_of_slot(const struct cel_program *p, uint32_t slot, const struct cel_sizes *sizes);
struct shape shape_elem(const struct shape *of); // any part of a list, a map, an optional
struct shape shape_some(const struct shape *of); // optional.of
struct shape shape_join(const struct shape *a, const struct shape *b); // either of them
// Puts `elem`, `times` over, into a list or map that has `into->len` elements already or will have.
void shape_hold(struct shape *into, const struct shape *elem, uint64_t times);
// Bytes where it is a text, elements where it is a list or map.
uint64_t shape_bytes(const struct shape *s);
uint64_t shape_len(const struct shape *s);

// A library function's own steps, without its arguments', and what it gives.
struct shape bound_call(const struct cel_program *p, const struct node *node, const struct shape *args,
                        uint64_t *steps);

#endif
