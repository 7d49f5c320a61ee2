// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/remote.h"

static const struct {
    const char *title, *name;
    int width;
} COLUMNS[] = {{"KEY", "key", 5}, {"NEW", "new", 7}, {"SESSIONS", "sessions", 10}};

static void print_keys(const struct value *root, struct buf *out)
{
    const struct value *keys = value_get(root, STR("keys"));
    for (size_t i = 0; i < COUNT_OF(COLUMNS); i++) {
        buf_printf(out, "%-*s ", COLUMNS[i].width, COLUMNS[i].title);
    }
    buf_byte(out, '\n');
    for (uint32_t row = 0; keys != NULL && keys->kind == VALUE_LIST && row < keys->n; row++) {
        for (size_t i = 0; i < COUNT_OF(COLUMNS); i++) {
            remote_cell(value_get(&keys->as.list[row], str_of(COLUMNS[i].name)), COLUMNS[i].width, out);
        }
        buf_byte(out, '\n');
    }
}

static void print_rotated(const struct value *root, struct buf *out)
{
    const struct value *key = value_get(root, STR("key"));
    buf_str(out, STR("new session ids are hashed under key "));
    remote_cell(key, 0, out);
    buf_str(out, STR("from now on; those that are known keep theirs\n"));
}

int cmd_key_list(const struct cli_args *args)
{
    return remote_simple(args, "key.list", print_keys);
}

int cmd_key_rotate(const struct cli_args *args)
{
    return args->reason != NULL ? remote_simple(args, "key.rotate", print_rotated)
                                : cli_bad("why, for the record", "`--reason TEXT` is missing");
}
