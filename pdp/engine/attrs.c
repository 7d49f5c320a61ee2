// SPDX-License-Identifier: Apache-2.0
#include "engine/attrs.h"

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
