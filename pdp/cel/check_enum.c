// SPDX-License-Identifier: Apache-2.0
// Texts that stand beside an attribute whose texts a Schema lists.
#include "cel/check.h"

const struct slot *check_slot_of(const struct checker *c, const struct ast *ast)
{
    const struct cel_program *p = c->p;
    if ((ast->flags & AST_TEST) != 0) {
        return NULL;
    }
    if (ast->ref_kind == REF_SLOT) {
        return &p->slots[ast->ref];
    }
    bool is = ast->ref_kind == REF_EXPR && p->nodes[ast->ref].op == OP_SLOT;
    return is ? &p->slots[p->nodes[ast->ref].a] : NULL;
}

static void hint_values(struct checker *c, struct str given, const struct cel_schema *schema)
{
    if (c->unit->diags == NULL || !diag_wants_hint(c->unit->diags)) {
        return;
    }
    int near = str_nearest(given, schema->values, schema->value_count);
    if (near >= 0) {
        unit_hint(c->unit, "did you mean `" STR_FMT "`?", STR_ARG(schema->values[near]));
        return;
    }
    AUTO(buf_fini) struct buf list = {0};
    for (uint32_t i = 0; i < schema->value_count && i < 8; i++) {
        buf_printf(&list, "%s`" STR_FMT "`", i > 0 ? ", " : "", STR_ARG(schema->values[i]));
    }
    unit_hint(c->unit, "one of " STR_FMT "%s", STR_ARG(buf_view(&list)),
              schema->value_count > 8 ? ", …" : "");
}

static void check_text(struct checker *c, const struct cel_slot_info *info, const struct ast *text)
{
    const struct cel_schema *schema = info->schema;
    if (text->kind != AST_LIT || text->lit.kind != VALUE_STRING) {
        return;
    }
    struct str given = value_text(&text->lit);
    for (uint32_t i = 0; i < schema->value_count; i++) {
        if (str_eq(schema->values[i], given)) {
            return;
        }
    }
    unit_error(c->unit, PDP_ERR_UNKNOWN, text->at, text->len, "`" STR_FMT "` is never `%s`",
               STR_ARG(info->path), unit_quote_str(c->unit, given));
    hint_values(c, given, schema);
}

void check_enum(struct checker *c, const struct ast *call)
{
    if (call->func != F_EQ && call->func != F_NE && call->func != F_IN) {
        return;
    }
    for (uint32_t i = 0; i < 2; i++) {
        const struct slot *slot = check_slot_of(c, call->args[i]);
        const struct ast *other = call->args[1 - i];
        if (slot == NULL || slot->info.schema == NULL || slot->info.schema->value_count == 0) {
            continue;
        }
        if (call->func != F_IN) {
            check_text(c, &slot->info, other);
        }
        for (uint32_t k = 0; i == 0 && call->func == F_IN && other->kind == AST_LIST && k < other->count;
             k++) {
            check_text(c, &slot->info, other->args[k]);
        }
    }
}
