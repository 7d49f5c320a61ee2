// SPDX-License-Identifier: Apache-2.0
// What is well-typed, compiles, and is hardly what was meant: it would be no for everybody, or yes, and
// nothing else would ever tell. Warnings only, and none of what somebody may mean.
#include "cel/check.h"

#include "base/country.h"
#include "base/ip.h"

static bool is_text(const struct ast *ast)
{
    return ast->kind == AST_LIT && ast->lit.kind == VALUE_STRING;
}

static bool is_attribute(const struct checker *c, const struct ast *ast, struct str path)
{
    const struct slot *slot = check_slot_of(c, ast);
    return slot != NULL && str_eq(slot->info.path, path);
}

// ---- Countries -----------------------------------------------------------------------------------------

static void doubt_country(struct checker *c, const struct ast *ast)
{
    struct str meant;
    const char *hint;
    if (!is_text(ast) || !country_mistaken(value_text(&ast->lit), &meant, &hint) ||
        value_text(&ast->lit).at[0] >= 'a' || value_text(&ast->lit).at[1] >= 'a') {
        return; // small letters are a mistake of their own (check_known.c)
    }
    unit_warning(c->unit, ast->at, ast->len, "`%s` is no country of ISO 3166",
                 unit_quote_str(c->unit, value_text(&ast->lit)));
    if (meant.len > 0) {
        unit_hint(c->unit, "did you mean `" STR_FMT "`?", STR_ARG(meant));
    } else {
        unit_hint(c->unit, "%s", hint);
    }
}

static void doubt_countries(struct checker *c, const struct ast *call)
{
    const struct ast *other = call->args[1];
    bool left = is_attribute(c, call->args[0], STR("geo.country"));
    if (call->func != F_IN) {
        bool right = is_attribute(c, other, STR("geo.country"));
        doubt_country(c, right ? call->args[0] : left ? other : call);
        return;
    }
    for (uint32_t i = 0; left && other->kind == AST_LIST && i < other->count; i++) {
        doubt_country(c, other->args[i]);
    }
}

// ---- The score -----------------------------------------------------------------------------------------

// `risk.score > 0.8`. Not of less: `risk.score < 0.5` may stand for none at all.
static void doubt_score(struct checker *c, const struct ast *call)
{
    bool more = call->func == F_GT || call->func == F_GE;
    const struct ast *score = call->args[more ? 0 : 1], *limit = call->args[more ? 1 : 0];
    bool is_double = limit->kind == AST_LIT && limit->lit.kind == VALUE_DOUBLE;
    if (is_double && limit->lit.as.d >= 0.1 && limit->lit.as.d < 1 &&
        is_attribute(c, score, STR("risk.score"))) {
        unit_warning(c->unit, limit->at, limit->len, "`risk.score` goes from 0 to 100, not to 1");
        unit_hint(c->unit, "did you mean `%g`?", limit->lit.as.d * 100);
    }
}

// ---- Networks ------------------------------------------------------------------------------------------

// Only where a network is asked what it contains: cidr(…).ip() may be asked of any.
static void doubt_network(struct checker *c, const struct ast *call)
{
    const struct ast *made = call->args[0];
    bool written = made->kind == AST_CALL && made->func == F_CIDR && made->count == 1;
    struct cidr cidr;
    if (!written || !is_text(made->args[0]) || cidr_parse(value_text(&made->args[0]->lit), false, &cidr) ||
        !cidr_parse(value_text(&made->args[0]->lit), true, &cidr)) {
        return;
    }
    AUTO(buf_fini) struct buf fixed = {0};
    cidr_print(&fixed, &cidr);
    unit_warning(c->unit, made->args[0]->at, made->args[0]->len, "`%s` has bits set below its prefix",
                 unit_quote_str(c->unit, value_text(&made->args[0]->lit)));
    unit_hint(c->unit, "did you mean `" STR_FMT "`?", STR_ARG(buf_view(&fixed)));
}

// ---- All -----------------------------------------------------------------------------------------------

static const struct {
    uint8_t func;
    void (*doubt)(struct checker *c, const struct ast *call);
} DOUBTS[] = {
    {F_EQ, doubt_countries},
    {F_NE, doubt_countries},
    {F_IN, doubt_countries},
    {F_LT, doubt_score},
    {F_LE, doubt_score},
    {F_GT, doubt_score},
    {F_GE, doubt_score},
    {F_CONTAINS_IP, doubt_network},
    {F_CONTAINS_CIDR, doubt_network},
};

void check_doubt(struct checker *c, const struct ast *call)
{
    for (size_t i = 0; c->p->extra == NULL && call->count == 2 && i < COUNT_OF(DOUBTS); i++) {
        if (DOUBTS[i].func == call->func) {
            DOUBTS[i].doubt(c, call);
        }
    }
}

void check_doubt_field(struct checker *c, const struct ast *ast, const struct slot *slot)
{
    static const char *const LENGTHS[] = {"length", "size", "len", "count"};
    struct str path = slot->info.path;
    if (ast->kind != AST_SELECT || slot->info.schema != NULL || path.len <= ast->name.len) {
        return;
    }
    struct str list = str_sub(path, 0, path.len - ast->name.len - 1);
    for (size_t i = 0; check_is_list(list) && i < COUNT_OF(LENGTHS); i++) {
        if (str_eq(ast->name, str_of(LENGTHS[i]))) {
            unit_warning(c->unit, ast->at, ast->len, "`" STR_FMT "` is a list, which has no field `%s`",
                         STR_ARG(list), LENGTHS[i]);
            unit_hint(c->unit, "write `size(" STR_FMT ")`", STR_ARG(list));
        }
    }
}
