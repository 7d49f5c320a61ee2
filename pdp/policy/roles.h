// SPDX-License-Identifier: Apache-2.0
// Roles that bring others along: closed over at load time, a row of bits each.
#ifndef POLICY_ROLES_H
#define POLICY_ROLES_H

#include "policy/table.h"

#define ROLES_MOST 4096u // names in all; so rows take 2 MiB at most

struct roles {
    struct table numbers; // by name
    struct str *names;
    uint32_t count, room;
    size_t words;      // of a row
    uint64_t *implied; // row of a, bit of b: who has a has b
};

// Room for `most` names (more than ROLES_MOST: for those).
MUST_USE enum pdp_err roles_init(struct roles *roles, size_t most, struct hash_key seed, struct arena *arena);
// The number of a name, which is borrowed; UINT32_MAX where there is no room.
uint32_t roles_add(struct roles *roles, struct str name);
void roles_imply(struct roles *roles, uint32_t role, uint32_t implied);
bool roles_implies(const struct roles *roles, uint32_t role, uint32_t implied);
// From what each brings to what those bring in turn.
void roles_close(struct roles *roles);

#endif
