// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "cli/edit/schema.h"

static int unknown_kind(const struct shapes *shapes, const char *given)
{
    AUTO(buf_fini) struct buf hint = {0};
    struct str names[SHAPES_MOST];
    for (size_t i = 0; i < shapes->count; i++) {
        names[i] = str_of(shapes->list[i]->name);
    }
    int nearest = str_nearest(str_of(given), names, shapes->count);
    if (nearest >= 0) {
        buf_printf(&hint, "did you mean `" STR_FMT "`?", STR_ARG(names[nearest]));
    } else {
        buf_printf(&hint, "known kinds are ");
        for (size_t i = 0; i < shapes->count; i++) {
            const char *before = i == 0 ? "" : i + 1 < shapes->count ? ", " : " and ";
            buf_printf(&hint, "%s`" STR_FMT "`", before, STR_ARG(names[i]));
        }
    }
    buf_byte(&hint, '\0');
    return cli_bad(hint.failed ? NULL : (const char *)hint.at, "unknown kind `%s`", given);
}

int cmd_schema(const struct cli_args *args)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(buf_fini) struct buf out = {0};
    struct shapes shapes;
    arena_init(&arena, 0, 0);
    if (shapes_all(&arena, &shapes) != PDP_ERR_OK) {
        return cli_bad(NULL, "out of memory");
    }
    const char *kind = args->positional_count > 0 ? args->positional[0] : NULL;
    const struct conf_shape *one = kind != NULL ? shape_named(shapes.list, shapes.count, str_of(kind)) : NULL;
    if (kind != NULL && one == NULL) {
        return unknown_kind(&shapes, kind);
    }
    schema_print(&shapes, one, &out);
    return cli_write(&out, CLI_DONE);
}
