// SPDX-License-Identifier: Apache-2.0
#include "model/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(struct str path, struct arena *arena)
{
    struct str again;
    const char *why = NULL;
    enum pdp_err err = path_canonical(path, arena, &again, &why);
    invariant(err == PDP_ERR_OK && str_eq(path, again));
    invariant(path.len >= 1 && path.at[0] == '/');
    invariant(str_find(path, STR("//"), 0) == SIZE_MAX && str_find(path, STR("/../"), 0) == SIZE_MAX);
    invariant(!str_ends(path, STR("/..")) && !str_ends(path, STR("/.")));
    for (size_t i = 0; i < path.len; i++) {
        char c = path.at[i];
        invariant(c > ' ' && c < 0x7f && c != ';' && c != '\\' && c != '?' && c != '#');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena;
    struct str out;
    const char *why = NULL;
    arena_init(&arena, 0, 0);
    if (path_canonical((struct str){(const char *)bytes, len}, &arena, &out, &why) == PDP_ERR_OK) {
        check(out, &arena);
    } else {
        invariant(out.len == 0 && why[0] != '\0');
    }
    arena_fini(&arena);
    return 0;
}
