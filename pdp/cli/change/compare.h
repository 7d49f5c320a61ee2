// SPDX-License-Identifier: Apache-2.0
// Two sides' facts, side by side: what was added, removed, changed or only renamed.
#ifndef CLI_CHANGE_COMPARE_H
#define CLI_CHANGE_COMPARE_H

#include "cli/change/fact.h"

enum change_what {
    CHANGE_ADDED,
    CHANGE_REMOVED,
    CHANGE_CHANGED,
    CHANGE_RENAMED
};

#define CHANGE_NONE UINT32_MAX

// One aspect that is not the same. A side without the fact has NULL.
struct change_part {
    const struct fact *was, *is;
    const struct str *added, *removed; // of a set: members of one side alone
    uint32_t added_count, removed_count;
    const uint32_t *places; // of FACT_ORDER: where a member of `was` stands in `is`; CHANGE_NONE: nowhere
};

struct change {
    enum fact_kind kind;
    enum change_what what;
    struct str name, new_name; // of a renamed one both; else the same
    uint32_t was, is;          // numbers in the sides' own tables; CHANGE_NONE: it is not there
    bool words;                // no question gets another effect by it
    const struct change_part *parts;
    uint32_t part_count;
    const int64_t *moments; // of FACT_ZONE: the second that each part speaks of
};

struct changes {
    struct arena arena;
    struct change *list; // by kind, then name
    size_t count, cap;
    bool failed;
};

MUST_USE enum pdp_err changes_find(struct side *was, struct side *is, struct changes *out);
// Adds one, whose parts live in the arena.
void changes_add(struct changes *changes, struct change change);
// zones.c: time zones that both name and whose clocks differ, from now to 2100 or else before; with the first
// second at which each window that both ask holds in one alone. Data that say the same in other bytes are
// none.
void changes_of_zones(const struct side *was, const struct side *is, struct changes *changes);
void changes_fini(struct changes *changes);
// The part about an aspect; NULL: it did not change.
const struct change_part *change_part_of(const struct change *change, const char *aspect);

#endif
