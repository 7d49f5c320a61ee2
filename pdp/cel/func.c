// SPDX-License-Identifier: Apache-2.0
#include "cel/func.h"

#include "cel/lib.h"

const struct func FUNCS[F_COUNT] = {[F_NONE] = {"", false, "", NULL},
#define X(id, name, member, sigs, code) [F_##id] = {name, member, sigs, code},
                                    FUNC_LIST(X)
#undef X
};

enum func_id func_find(struct str name, bool member)
{
    for (size_t i = 1; i < F_COUNT; i++) {
        const struct func *func = &FUNCS[i];
        if (func->member == member && func->name[0] == name.at[0] && strlen(func->name) == name.len &&
            memcmp(func->name, name.at, name.len) == 0) {
            return (enum func_id)i;
        }
    }
    return F_NONE;
}

struct str func_nearest(struct str name, bool member)
{
    struct str names[F_COUNT];
    size_t count = 0;
    for (size_t i = F_SIZE; i < F_COUNT; i++) {
        if (FUNCS[i].member == member) {
            names[count++] = str_of(FUNCS[i].name);
        }
    }
    int at = str_nearest(name, names, count);
    return at < 0 ? (struct str){NULL, 0} : names[at];
}
