// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/taking.h"

#include "cli/local.h"
#include "cli/admin/remote.h"

void taking_put(const struct cli_args *args, struct emit *emit)
{
    if (args->preview) {
        emit_key_bool(emit, "preview", true);
    }
    if (args->confirm >= 0) {
        emit_key_int(emit, "confirm", args->confirm);
    }
}

static long long count_of(const struct value *map, const char *name)
{
    const struct value *found = map != NULL ? value_get(map, str_of(name)) : NULL;
    return found != NULL && found->kind == VALUE_INT ? (long long)found->as.i : 0;
}

static void print_groups(const struct value *trial, const char *list, const char *key, struct buf *out)
{
    const struct value *groups = value_get(trial, str_of(list));
    if (groups == NULL || groups->kind != VALUE_LIST || groups->n == 0) {
        return;
    }
    buf_printf(out, "\n%8s %9s  %s\n", "ENDS", "TIGHTENS", key);
    for (uint32_t i = 0; i < groups->n; i++) {
        const struct value *one = &groups->as.list[i];
        buf_printf(out, "%8lld %9lld  ", count_of(one, "ends"), count_of(one, "tightens"));
        remote_cell(value_get(one, str_of(key)), 1, out);
        buf_byte(out, '\n');
    }
}

static void print_examples(const struct value *trial, struct buf *out)
{
    static const char *const COLUMNS[] = {"ref", "effect", "rule", "gateway", "type", "subject"};
    const struct value *sessions = value_get(trial, STR("sessions"));
    for (uint32_t i = 0; sessions != NULL && sessions->kind == VALUE_LIST && i < sessions->n; i++) {
        buf_str(out, i == 0 ? STR("\nsuch as\n") : STR(""));
        for (size_t k = 0; k < COUNT_OF(COLUMNS); k++) {
            const struct value *cell = value_get(&sessions->as.list[i], str_of(COLUMNS[k]));
            if (cell != NULL) {
                remote_cell(cell, k == 0 ? 26 : k == 1 ? 9 : 1, out);
            }
        }
        buf_byte(out, '\n');
    }
}

void taking_print(const struct value *root, struct buf *out)
{
    const struct value *trial = value_get(root, STR("trial"));
    if (trial == NULL) {
        buf_str(out, STR("no session was tried\n"));
        return;
    }
    long long live = count_of(trial, "live"), looked = count_of(trial, "looked");
    buf_printf(out, "%lld of %lld live sessions would end", count_of(trial, "ends"), live);
    if (count_of(trial, "administrators_end") > 0) {
        buf_printf(out, ", %lld of them of administrators", count_of(trial, "administrators_end"));
    }
    buf_byte(out, '\n');
    buf_printf(out, "%lld would be denied what they are allowed now, %lld asked for more, %lld given more\n",
               count_of(trial, "denies"), count_of(trial, "steps_up"), count_of(trial, "loosens"));
    buf_printf(out, "%lld cannot be told: their records do not say enough\n", count_of(trial, "unsure"));
    buf_printf(out, "each as last seen, with %lld questions of late%s\n", count_of(trial, "questions"),
               looked < live ? "; ends are reckoned from those that were looked at" : "");
    print_groups(trial, "rules", "rule", out);
    print_groups(trial, "gateways", "gateway", out);
    print_groups(trial, "tenants", "tenant", out);
    print_groups(trial, "types", "type", out);
    print_examples(trial, out);
}
