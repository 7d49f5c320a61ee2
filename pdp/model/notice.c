// SPDX-License-Identifier: Apache-2.0
#include "model/notice.h"

static const char *const NAMES[] = {
#define X(name, text, meaning) text,
    NOTICE_KIND_LIST(X)
#undef X
};

const char *notice_kind_name(enum notice_kind kind)
{
    return (size_t)kind < NOTICE_KIND_COUNT ? NAMES[kind] : "unknown";
}

bool notice_kind_of(struct str word, enum notice_kind *out)
{
    *out = NOTICE_RESYNC;
    for (size_t i = 0; i < NOTICE_KIND_COUNT; i++) {
        if (str_eq(word, str_of(NAMES[i]))) {
            *out = (enum notice_kind)i;
            return true;
        }
    }
    return false;
}
