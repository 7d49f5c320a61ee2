// SPDX-License-Identifier: Apache-2.0
// What was expected of an order against what the admin endpoint said.
#include "cli/test/judge.h"

bool judge_order_ok(const struct value *answer)
{
    const struct value *ok = value_get(answer, STR("ok"));
    return ok != NULL && ok->kind == VALUE_BOOL && ok->as.b;
}

static struct str error_of(const struct value *answer)
{
    const struct value *error = value_get(answer, STR("error"));
    return error != NULL && error->kind == VALUE_STRING ? value_text(error) : STR("");
}

static struct str shown(struct str text, struct arena *arena)
{
    AUTO(buf_fini) struct buf out = {0};
    buf_escaped(&out, text);
    return out.len > 0 ? arena_str(arena, buf_view(&out), NULL) : STR("none");
}

static bool holds(const struct suite_claim *claim, const struct value *answer)
{
    if (claim->kind == SUITE_OK) {
        return claim->truth == judge_order_ok(answer);
    }
    bool all = error_of(answer).len > 0;
    for (size_t i = 0; i < claim->text_count; i++) {
        all = all && str_find(error_of(answer), claim->texts[i], 0) != SIZE_MAX;
    }
    return all;
}

bool judge_order(const struct suite_play *play, const struct value *answer, struct arena *arena,
                 const struct suite_miss **misses, size_t *count)
{
    struct suite_miss *list = ARENA_ARRAY(arena, struct suite_miss, play->claim_count + 1);
    *misses = list;
    *count = 0;
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < play->claim_count; i++) {
        const struct suite_claim *claim = &play->claims[i];
        if (!holds(claim, answer)) {
            struct str got = claim->kind == SUITE_OK ? judge_order_ok(answer) ? STR("true") : STR("false")
                                                     : shown(error_of(answer), arena);
            list[(*count)++] = (struct suite_miss){claim, got};
        }
    }
    if (play->claim_count == 0 && !judge_order_ok(answer)) {
        struct str why = shown(error_of(answer), arena);
        list[(*count)++] =
            (struct suite_miss){NULL, arena_printf(arena, "the order was refused: " STR_FMT, STR_ARG(why))};
    }
    return true;
}
