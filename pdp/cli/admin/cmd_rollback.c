// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"
#include "cli/admin/remote.h"
#include "cli/admin/taking.h"

#include <stdio.h>

static const size_t DIGITS = 12; // of a digest, in the table

static struct str text_of(const struct value *map, const char *name)
{
    const struct value *found = value_get(map, str_of(name));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

static void print_row(uint32_t row, const struct value *one, struct buf *out)
{
    struct str digest = str_sub(text_of(one, "snapshot"), sizeof "sha256:" - 1, DIGITS);
    const struct value *kept = value_get(one, STR("kept"));
    buf_printf(out, "%-3u ", row);
    remote_cell(value_get(one, STR("since")), 24, out);
    remote_cell(value_get(one, STR("until")), 24, out);
    buf_printf(out, STR_FMT " ", STR_ARG(digest));
    remote_cell(value_get(one, STR("version")), 7, out);
    remote_cell(value_get(one, STR("by")), 12, out);
    if (kept != NULL && kept->kind == VALUE_BOOL && !kept->as.b) {
        buf_str(out, STR("not kept "));
    }
    buf_escaped(out, text_of(one, "reason"));
    while (out->len > 0 && out->at[out->len - 1] == ' ') {
        out->len--;
    }
    buf_byte(out, '\n');
}

static void print_served(const struct value *root, struct buf *out)
{
    const struct value *served = value_get(root, STR("served"));
    buf_printf(out, "%-3s %-24s %-24s %-12s %-7s %-12s %s\n", "TO", "SINCE", "UNTIL", "SNAPSHOT", "VERSION",
               "BY", "REASON");
    for (uint32_t row = 0; served != NULL && served->kind == VALUE_LIST && row < served->n; row++) {
        print_row(row, &served->as.list[row], out);
    }
}

static void print_rolled(const struct value *root, struct buf *out)
{
    buf_printf(out, "serves " STR_FMT " again, until `pdpctl reload`\n", STR_ARG(text_of(root, "snapshot")));
}

int cmd_rollback(const struct cli_args *args)
{
    if (args->served == (args->to != NULL)) {
        return cli_bad("`pdpctl rollback --list` shows what was served, `--to 1` goes back to the one before",
                       args->served ? "`--list` and `--to` exclude each other" : "`--to WHICH` is missing");
    }
    if (args->served) {
        return remote_simple(args, "served", print_served);
    }
    if (args->reason == NULL && !args->preview) {
        return cli_bad("why, for the record", "`--reason TEXT` is missing");
    }
    struct buf message = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, EMIT_FEW);
    emit_key_str(&emit, "op", STR("rollback"));
    emit_key_str(&emit, "to", str_of(args->to));
    if (args->reason != NULL) {
        emit_key_str(&emit, "reason", str_of(args->reason));
    }
    taking_put(args, &emit);
    emit_end(&emit);
    int code = remote_operate(args, &message, args->preview ? taking_print : print_rolled);
    buf_fini(&message);
    return code;
}
