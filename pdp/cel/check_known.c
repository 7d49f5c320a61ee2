// SPDX-License-Identifier: Apache-2.0
// Attributes of which more is known than their type says: what they are compared with must be able to be it.
// A text that an attribute never is, or a list that is asked as if it were text, would be unsure or no for
// everybody, and a deny would never speak.
#include "cel/check.h"

#include "base/country.h"

enum known {
    KNOWN_NOTHING,
    KNOWN_COUNTRY, // two capital letters
    KNOWN_LIST,    // a list of text, though any property may be anything
};

static const struct {
    struct str path;
    enum known known;
} KNOWN[] = {
    {{"geo.country", 11}, KNOWN_COUNTRY},
    {{"subject.roles", 13}, KNOWN_LIST},
    {{"subject.properties.roles", 24}, KNOWN_LIST},
};

static enum known known_of(const struct checker *c, const struct ast *ast)
{
    const struct slot *slot = check_slot_of(c, ast);
    // Where a Schema declares it, its type says what it is.
    bool typed = slot == NULL || slot->info.schema != NULL;
    for (size_t i = 0; !typed && i < COUNT_OF(KNOWN); i++) {
        if (str_eq(slot->info.path, KNOWN[i].path)) {
            return KNOWN[i].known == KNOWN_LIST && slot->type->kind != T_DYN ? KNOWN_NOTHING : KNOWN[i].known;
        }
    }
    return KNOWN_NOTHING;
}

bool check_is_list(struct str path)
{
    bool is = false;
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        is = is || (KNOWN[i].known == KNOWN_LIST && str_eq(path, KNOWN[i].path));
    }
    return is;
}

static bool is_text(const struct ast *ast)
{
    return ast->kind == AST_LIT && ast->lit.kind == VALUE_STRING;
}

// ---- Countries -----------------------------------------------------------------------------------------

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static void check_country(struct checker *c, const struct ast *country, const struct ast *ast)
{
    if (!is_text(ast)) {
        return;
    }
    struct str text = value_text(&ast->lit);
    if (text.len == 2 && is_capital(text.at[0]) && is_capital(text.at[1])) {
        return;
    }
    unit_error(c->unit, PDP_ERR_UNKNOWN, ast->at, ast->len, "`%s` is never `%s`", say_ast(c, country),
               unit_quote_str(c->unit, text));
    struct str meant;
    const char *hint;
    if (country_mistaken(text, &meant, &hint) && meant.len > 0) {
        unit_hint(c->unit, "did you mean `" STR_FMT "`?", STR_ARG(meant));
    } else if (text.len == 2 && is_letter(text.at[0]) && is_letter(text.at[1])) {
        unit_hint(c->unit, "did you mean `%c%c`?", text.at[0] & ~0x20, text.at[1] & ~0x20);
    } else {
        unit_hint(c->unit, "two capital letters of ISO 3166, such as `DE`");
    }
}

// ---- Lists ---------------------------------------------------------------------------------------------

static bool check_list_beside(struct checker *c, const struct ast *list, const struct ast *other)
{
    if (!is_text(other)) {
        return true;
    }
    unit_error(c->unit, PDP_ERR_TYPE, other->at, other->len, "`%s` is a list, but `%s` is a string",
               say_ast(c, list), say_ast(c, other));
    unit_hint(c->unit, "a list is asked by `%s in %s`", say_ast(c, other), say_ast(c, list));
    return false;
}

static bool check_list_in(struct checker *c, const struct ast *list, const struct ast *texts)
{
    bool all = texts->kind == AST_LIST && texts->count > 0;
    for (uint32_t i = 0; all && i < texts->count; i++) {
        all = is_text(texts->args[i]);
    }
    if (!all) {
        return true;
    }
    unit_error(c->unit, PDP_ERR_TYPE, list->at, list->len, "`%s` is a list, but `%s` holds strings",
               say_ast(c, list), say_ast(c, texts));
    unit_hint(c->unit, "write `%s.exists(x, x in %s)`", say_ast(c, list), say_ast(c, texts));
    return false;
}

// Do all overloads of the function take text first?
static bool wants_text(const struct func *func)
{
    bool wants = func->sigs[0] == 's';
    for (const char *at = func->sigs; wants && (at = strchr(at, ' ')) != NULL; at++) {
        wants = at[1] == 's';
    }
    return wants;
}

static bool check_list_call(struct checker *c, const struct ast *call)
{
    const struct ast *list = call->args[0];
    if (!wants_text(&FUNCS[call->func])) {
        return true;
    }
    unit_error(c->unit, PDP_ERR_TYPE, call->at, call->len, "`%s` is asked of a string, but `%s` is a list",
               FUNCS[call->func].name, say_ast(c, list));
    if (call->func == F_CONTAINS) {
        unit_hint(c->unit, "a list is asked by `%s in %s`", say_ast(c, call->args[1]), say_ast(c, list));
    } else {
        unit_hint(c->unit, "write `%s.exists(x, …)` about what is in it", say_ast(c, list));
    }
    return false;
}

// ---- Calls ---------------------------------------------------------------------------------------------

static bool check_equal(struct checker *c, const struct ast *call)
{
    bool good = true;
    for (uint32_t i = 0; i < 2; i++) {
        const struct ast *one = call->args[i], *other = call->args[1 - i];
        enum known known = known_of(c, one);
        if (known == KNOWN_COUNTRY) {
            check_country(c, one, other);
        }
        good = (known != KNOWN_LIST || check_list_beside(c, one, other)) && good;
    }
    return good;
}

static bool check_in(struct checker *c, const struct ast *call)
{
    const struct ast *one = call->args[0], *list = call->args[1];
    enum known known = known_of(c, one);
    for (uint32_t i = 0; known == KNOWN_COUNTRY && list->kind == AST_LIST && i < list->count; i++) {
        check_country(c, one, list->args[i]);
    }
    return known != KNOWN_LIST || check_list_in(c, one, list);
}

bool check_known(struct checker *c, const struct ast *call)
{
    if (c->p->extra != NULL || call->count == 0) {
        return true;
    }
    if (call->func == F_EQ || call->func == F_NE) {
        return check_equal(c, call);
    }
    if (call->func == F_IN) {
        return check_in(c, call);
    }
    return known_of(c, call->args[0]) != KNOWN_LIST || check_list_call(c, call);
}
