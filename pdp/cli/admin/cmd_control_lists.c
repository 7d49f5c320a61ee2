// SPDX-License-Identifier: Apache-2.0
// Tables of what analysts have ordered: one row a listing, one way to print them.
#include "cli/admin/remote.h"
#include "wire/wire.h"

struct column {
    const char *title, *name;
    int width;
};
#define COLUMNS_MOST 8

static const struct listing {
    const char *op, *rows; // the operation, and where its answer holds them
    struct column columns[COLUMNS_MOST];
} LOCKS = {"lock.list",
           "locks",
           {{"ID", "name", 12},
            {"KIND", "kind", 8},
            {"VALUE", "value", 24},
            {"EFFECT", "effect", 9},
            {"UNTIL", "expires", 24},
            {"BY", "author", 12},
            {"REASON", "reason", 1}}},
  CUT_OFFS = {"cutoff.list",
              "cutoffs",
              {{"ID", "name", 12},
               {"KIND", "kind", 8},
               {"VALUE", "value", 24},
               {"BEFORE", "before", 24},
               {"UNTIL", "expires", 24},
               {"BY", "author", 12},
               {"REASON", "reason", 1}}},
  MUTES = {"mute.list",
           "mutes",
           {{"ID", "name", 12},
            {"KIND", "kind", 8},
            {"VALUE", "value", 24},
            {"UNTIL", "expires", 24},
            {"BY", "author", 12},
            {"REASON", "reason", 1}}},
  PARDONS = {"pardon.list",
             "pardons",
             {{"ID", "name", 12},
              {"KIND", "kind", 8},
              {"VALUE", "value", 24},
              {"SIGNALS", "signals", 16},
              {"MADE", "created", 24},
              {"UNTIL", "expires", 24},
              {"BY", "author", 12},
              {"REASON", "reason", 1}}},
  PENDING = {"control.pending",
             "pending",
             {{"ID", "id", 4},
              {"KIND", "kind", 8},
              {"VALUE", "value", 24},
              {"SESSIONS", "counted", 9},
              {"UNTIL", "expires", 24},
              {"BY", "author", 12},
              {"REASON", "reason", 1}}};

static void print_table(const struct listing *listing, const struct value *root, struct buf *out)
{
    const struct column *columns = listing->columns;
    const struct value *all = value_get(root, str_of(listing->rows));
    const struct value *next = value_get(root, STR("next"));
    for (size_t i = 0; i < COLUMNS_MOST && columns[i].title != NULL; i++) {
        buf_printf(out, "%-*s ", columns[i].width, columns[i].title);
    }
    buf_byte(out, '\n');
    for (uint32_t row = 0; all != NULL && all->kind == VALUE_LIST && row < all->n; row++) {
        for (size_t i = 0; i < COLUMNS_MOST && columns[i].title != NULL; i++) {
            remote_cell(value_get(&all->as.list[row], str_of(columns[i].name)), columns[i].width, out);
        }
        buf_byte(out, '\n');
    }
    if (next != NULL && next->kind == VALUE_STRING) {
        buf_printf(out, "more: --after " STR_FMT "\n", STR_ARG(value_text(next)));
    }
}

// A reply says which listing it is by where its rows are.
static void print(const struct value *root, struct buf *out)
{
    static const struct listing *const ALL[] = {&LOCKS, &CUT_OFFS, &MUTES, &PARDONS, &PENDING};
    for (size_t i = 0; i < COUNT_OF(ALL); i++) {
        if (value_get(root, str_of(ALL[i]->rows)) != NULL) {
            print_table(ALL[i], root, out);
            return;
        }
    }
}

static int list(const struct cli_args *args, const struct listing *listing)
{
    struct buf message = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", str_of(listing->op));
    emit_key_int(&emit, "limit", args->limit);
    if (args->after != NULL) {
        emit_key_str(&emit, "after", str_of(args->after));
    }
    emit_end(&emit);
    int code = remote_operate(args, &message, print);
    buf_fini(&message);
    return code;
}

int cmd_lock_list(const struct cli_args *args)
{
    return list(args, &LOCKS);
}

int cmd_cutoff_list(const struct cli_args *args)
{
    return list(args, &CUT_OFFS);
}

int cmd_mute_list(const struct cli_args *args)
{
    return list(args, &MUTES);
}

int cmd_pardon_list(const struct cli_args *args)
{
    return list(args, &PARDONS);
}

int cmd_control_pending(const struct cli_args *args)
{
    return list(args, &PENDING);
}
