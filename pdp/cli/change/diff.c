// SPDX-License-Identifier: Apache-2.0
#include "cli/change/diff.h"

#define TRIES_ALL 300000u // in all
#define TRIES_MOST 3000u  // for one change
#define TRIES_LEAST 200u

enum pdp_err diff_find(const struct snapshot *was, const struct snapshot *is, struct diff *out)
{
    *out = (struct diff){0};
    arena_init(&out->arena, 0, 0);
    TRY(side_init(&out->was, was));
    TRY(side_init(&out->is, is));
    TRY(changes_find(&out->was, &out->is, &out->changes));
    out->examples = ARENA_ARRAY(&out->arena, struct example, out->changes.count + 1);
    return out->examples != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static enum pdp_err search_all(struct diff *diff, struct searcher *searcher)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        search_example(searcher, &diff->changes.list[i], &diff->examples[i]);
        diff->tries += diff->examples[i].tries;
    }
    return PDP_ERR_OK;
}

enum pdp_err diff_search(struct diff *diff, const struct snapshot *was, const struct snapshot *is)
{
    struct searcher searcher;
    uint32_t share =
        TRIES_ALL / (uint32_t)(diff->changes.count < TRIES_ALL ? diff->changes.count + 1 : TRIES_ALL);
    share = share > TRIES_MOST ? TRIES_MOST : share < TRIES_LEAST ? TRIES_LEAST : share;
    enum pdp_err err =
        searcher_init(&searcher, &diff->was, &diff->is, was, is, &diff->changes, share, &diff->arena);
    err = err == PDP_ERR_OK ? search_all(diff, &searcher) : err;
    searcher_fini(&searcher);
    return err;
}

void diff_fini(struct diff *diff)
{
    changes_fini(&diff->changes);
    side_fini(&diff->was);
    side_fini(&diff->is);
    arena_fini(&diff->arena);
}

// In no answer: what the audit log keeps, and what a Scope lets others write.
bool diff_is_beside(const struct change *change)
{
    bool beside = change->what == CHANGE_CHANGED;
    for (uint32_t i = 0; beside && i < change->part_count; i++) {
        const struct fact *fact = change->parts[i].was != NULL ? change->parts[i].was : change->parts[i].is;
        beside = strcmp(fact->aspect, "audit") == 0 || strcmp(fact->aspect, "effects below") == 0;
    }
    return beside;
}

bool diff_is_same(const struct diff *diff)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        const struct example *example = &diff->examples[i];
        bool nothing = example->unread || diff_is_beside(&diff->changes.list[i]);
        if (!nothing || example->grade != TWIN_SAME) {
            return false;
        }
    }
    return true;
}
