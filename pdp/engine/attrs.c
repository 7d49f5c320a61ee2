// SPDX-License-Identifier: Apache-2.0
#include "engine/attrs.h"

#include "base/arena.h"

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct cel_root_decl ROOTS[] = {
#define X(word, text, is_open) {.name = TEXT(text), .open = is_open, .id = ROOT_##word},
    ROOT_LIST(X)
#undef X
};

static const struct cel_attr_decl ATTRS[] = {
#define X(word, dotted, kind) {.path = TEXT(dotted), .type = CEL_##kind, .id = ATTR_##word},
    ATTR_LIST(X)
#undef X
};

void attrs_declare(struct cel_env *env)
{
    env->roots = ROOTS;
    env->root_count = COUNT_OF(ROOTS);
    env->attrs = ATTRS;
    env->attr_count = COUNT_OF(ATTRS);
    env->levels = RISK_LEVEL_NAMES;
    env->level_count = RISK_LEVEL_COUNT;
}

enum pdp_err attrs_declare_all(struct cel_env *env, const struct str *counters, size_t count,
                               struct arena *arena)
{
    attrs_declare(env);
    struct cel_attr_decl *all = ARENA_ARRAY(arena, struct cel_attr_decl, COUNT_OF(ATTRS) + count);
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    memcpy(all, ATTRS, sizeof ATTRS);
    for (size_t i = 0; i < count; i++) {
        struct str path = arena_printf(arena, "counters." STR_FMT, STR_ARG(counters[i]));
        if (path.at == NULL) {
            return PDP_ERR_NOMEM;
        }
        all[COUNT_OF(ATTRS) + i] =
            (struct cel_attr_decl){.path = path, .type = CEL_DOUBLE, .id = ATTR_COUNTERS + (uint32_t)i};
    }
    env->attrs = all;
    env->attr_count = COUNT_OF(ATTRS) + count;
    return PDP_ERR_OK;
}
