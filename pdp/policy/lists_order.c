// SPDX-License-Identifier: Apache-2.0
// Strings of a list in order, for those that walk them.
#include "policy/lists.h"

#include "policy/entities.h"

#include <stdlib.h>

static struct str text_at(const unsigned char *entry)
{
    return (struct str){(const char *)entry + 2, (size_t)entry[0] | (size_t)entry[1] << 8};
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(text_at(*(const unsigned char *const *)a), text_at(*(const unsigned char *const *)b));
}

enum pdp_err lists_order(struct lists_set *set)
{
    const struct lists_strings *strings = &set->strings;
    set->head.ordered = true;
    set->ordered = NULL;
    set->ordered_count = 0;
    if (strings->block_len == 0) {
        return PDP_ERR_OK;
    }
    set->ordered = ARENA_ARRAY(&set->arena, const unsigned char *, set->entries + 1);
    if (set->ordered == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t at = 0; at < strings->block_len;) {
        size_t len = text_at(strings->block + at).len;
        if (len > 0 && len <= ENTITIES_ID_MOST) {
            set->ordered[set->ordered_count++] = strings->block + at;
        }
        at += 2 + len;
    }
    qsort(set->ordered, set->ordered_count, sizeof *set->ordered, by_text);
    return PDP_ERR_OK;
}

struct str lists_ordered_at(const struct lists_set *set, uint32_t place)
{
    return text_at(set->ordered[place]);
}
