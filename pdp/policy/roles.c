// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/roles.h"

#include "policy/set.h"

enum pdp_err roles_init(struct roles *roles, size_t most, struct hash_key seed, struct arena *arena)
{
    *roles = (struct roles){0};
    if (most == 0) {
        return PDP_ERR_OK;
    }
    roles->room = most < ROLES_MOST ? (uint32_t)most : ROLES_MOST;
    roles->words = (roles->room + 63) / 64;
    TRY(table_init(&roles->numbers, roles->room, seed, arena));
    roles->names = ARENA_ARRAY(arena, struct str, roles->room);
    roles->implied = ARENA_ARRAY(arena, uint64_t, roles->room * roles->words);
    return roles->names != NULL && roles->implied != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

uint32_t roles_add(struct roles *roles, struct str name)
{
    const uint32_t *known = table_get(&roles->numbers, name);
    uint32_t old = 0;
    if (known != NULL) {
        return *known;
    }
    if (roles->count >= roles->room || !table_put(&roles->numbers, name, roles->count, &old)) {
        return UINT32_MAX;
    }
    roles->names[roles->count] = name;
    return roles->count++;
}

void roles_imply(struct roles *roles, uint32_t role, uint32_t implied)
{
    roles->implied[role * roles->words + implied / 64] |= UINT64_C(1) << implied % 64;
}

bool roles_implies(const struct roles *roles, uint32_t role, uint32_t implied)
{
    return (roles->implied[role * roles->words + implied / 64] >> implied % 64 & 1) != 0;
}

static void unite(uint64_t *to, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        to[i] |= from[i];
    }
}

// Warshall's: whoever leads to `by` also leads to what that leads to.
void roles_close(struct roles *roles)
{
    for (uint32_t by = 0; by < roles->count; by++) {
        for (uint32_t role = 0; role < roles->count; role++) {
            if (roles_implies(roles, role, by)) {
                unite(&roles->implied[role * roles->words], &roles->implied[by * roles->words], roles->words);
            }
        }
    }
}

// What the roles of a list bring along that is not in the list itself, as bits; how many.
static size_t brought(const struct roles *roles, const struct value *list, uint64_t *bits, uint64_t *given)
{
    size_t count = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct value *item = &list->as.list[i];
        const uint32_t *role =
            item->kind == VALUE_STRING ? table_get(&roles->numbers, value_text(item)) : NULL;
        if (role != NULL) {
            given[*role / 64] |= UINT64_C(1) << *role % 64;
            unite(bits, &roles->implied[*role * roles->words], roles->words);
        }
    }
    for (size_t i = 0; i < roles->words; i++) {
        bits[i] &= ~given[i];
        count += (size_t)__builtin_popcountll(bits[i]);
    }
    return count;
}

bool policy_roles_expand(const struct policy_set *set, struct value *value, struct arena *arena)
{
    const struct roles *roles = &set->roles;
    if (roles->count == 0 || value->kind != VALUE_LIST) {
        return true;
    }
    uint64_t *bits = ARENA_ARRAY(arena, uint64_t, 2 * roles->words);
    if (bits == NULL) {
        return false;
    }
    size_t count = brought(roles, value, bits, bits + roles->words);
    if (count == 0) {
        return true;
    }
    struct value *items = ARENA_ARRAY(arena, struct value, value->n + count);
    if (items == NULL || count > UINT32_MAX - value->n) {
        return false;
    }
    for (uint32_t i = 0; i < value->n; i++) {
        items[i] = value->as.list[i];
    }
    for (uint32_t role = 0; role < roles->count; role++) {
        if ((bits[role / 64] >> role % 64 & 1) != 0) {
            items[value->n++] = value_str(roles->names[role]);
        }
    }
    value->as.list = items;
    return true;
}
