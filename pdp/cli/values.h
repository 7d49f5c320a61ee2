// SPDX-License-Identifier: Apache-2.0
// Values by which a test of an attribute turns, made from what it is tested against: for the smallest change
// of `explain` and for the examples of `diff`. Here stands what both know of tests; which of these is tried,
// in which order, and how it is told is theirs. Nothing is drawn here: the same arguments give the same.
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include "base/arena.h"
#include "base/ip.h"
#include "cel/cel.h"

bool values_numeric(uint8_t kind);
bool values_ordered(uint8_t kind); // numbers, times, durations, levels, strengths

// What stands at a bound (side 0), or next to it: below (-1) or above (1), by the least that counts. A number
// comes as the `kind` that the attribute has; anything else as the bound is. false, with *out unspecified:
// there is none, because a kind has no order, a level is the last one, or a number has no such neighbour.
MUST_USE bool values_near(const struct cel_env *env, uint8_t kind, const struct value *bound, int side,
                          struct value *out);

enum values_part {
    VALUES_STARTS,
    VALUES_ENDS,
    VALUES_HOLDS,
};
// A text that begins with, ends with or holds `with`; `head` and `tail` are put around it where that leaves
// this true. Of a path (`route`) it begins with a slash. Empty where memory is out.
struct str values_text(struct arena *arena, enum values_part part, struct str with, struct str head,
                       struct str tail, bool route);

// What is likely in no list of a kind, by `n`, which may be any number; 0 is what nobody has at all. Of texts
// there is but one.
struct value values_stranger(enum cel_set_kind kind, uint32_t n);

// Addresses of networks that are for documents alone: no test but one of them holds; n < VALUES_ADDRESSES.
#define VALUES_ADDRESSES 4
struct ip values_address(uint32_t n);
// An address of a network: behind its prefix stand the bits of `host`. All zero: its first, all one: its
// last.
struct ip values_inside(const struct cidr *network, const unsigned char host[16]);

#endif
