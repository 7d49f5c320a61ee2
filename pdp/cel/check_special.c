// SPDX-License-Identifier: Apache-2.0
// Functions whose constant arguments are resolved when the policy is loaded.
#include "cel/check.h"

#include "base/time.h"
#include "cel/regex.h"

static bool is_text(const struct ast *ast)
{
    return ast->kind == AST_LIT && ast->lit.kind == VALUE_STRING;
}

static void must_be_constant(struct checker *c, const struct ast *arg, const char *what)
{
    unit_error(c->unit, PDP_ERR_TYPE, arg->at, arg->len, "%s must be a text written out here", what);
}

// level("high"), strength("mfa"): the call becomes the constant.
static const struct type *check_ordered(struct checker *c, struct ast *ast, const struct str *names,
                                        size_t count, enum value_kind kind)
{
    const struct ast *arg = ast->args[0];
    const char *what = kind == VALUE_LEVEL ? "level" : "strength";
    if (!is_text(arg)) {
        must_be_constant(c, arg, kind == VALUE_LEVEL ? "the level" : "the strength");
        return types_of(T_ERROR);
    }
    for (size_t i = 0; i < count; i++) {
        if (str_eq(value_text(&arg->lit), names[i])) {
            ast->kind = AST_LIT;
            ast->lit = (struct value){.kind = (uint8_t)kind, .as.i = (int64_t)i};
            ast->count = 0;
            return types_of(kind == VALUE_LEVEL ? T_LEVEL : T_STRENGTH);
        }
    }
    unit_error(c->unit, PDP_ERR_UNKNOWN, arg->at, arg->len, "there is no %s `%s`", what,
               unit_quote_str(c->unit, value_text(&arg->lit)));
    int near = str_nearest(value_text(&arg->lit), names, count);
    if (near >= 0) {
        unit_hint(c->unit, "did you mean `" STR_FMT "`?", STR_ARG(names[near]));
    } else if (count > 0) {
        struct buf list = {0};
        for (size_t i = 0; i < count && i < 8; i++) {
            buf_printf(&list, "%s" STR_FMT, i > 0 ? ", " : "", STR_ARG(names[i]));
        }
        unit_hint(c->unit, "one of " STR_FMT, STR_ARG(buf_view(&list)));
        buf_fini(&list);
    }
    return types_of(T_ERROR);
}

// Where byte `at` of a literal's value stands in the text; the whole literal where escapes blur it.
static void point_into(struct checker *c, const struct ast *lit, size_t at, uint32_t *from, uint32_t *len)
{
    struct str text = str_sub(c->unit->text->text, lit->at, lit->len);
    size_t value_len = lit->lit.n;
    *from = lit->at;
    *len = lit->len;
    size_t open = 0;
    while (open < text.len && text.at[open] != '"' && text.at[open] != '\'') {
        open++;
    }
    size_t marks =
        text.len > open + 5 && text.at[open] == text.at[open + 1] && text.at[open + 1] == text.at[open + 2]
            ? 3
            : 1;
    if (open + 2 * marks + value_len == text.len && at <= value_len) {
        *from = lit->at + (uint32_t)(open + marks + (at < value_len ? at : value_len - (value_len > 0)));
        *len = 1;
    }
}

static void check_pattern(struct checker *c, const struct ast *lit)
{
    uint32_t regex = 0, from = 0, len = 0;
    struct str why = {NULL, 0};
    size_t at = 0;
    enum pdp_err err = program_regex(c->p, value_text(&lit->lit), &regex, &why, &at);
    if (err == PDP_ERR_NOMEM) {
        c->unify.failed = true;
    } else if (err != PDP_ERR_OK) {
        point_into(c, lit, at, &from, &len);
        unit_error(c->unit, err, from, len, "the pattern is refused: " STR_FMT, STR_ARG(why));
    }
}

static void check_zone(struct checker *c, const struct ast *arg)
{
    const struct tz *zone = NULL;
    if (!is_text(arg)) {
        return; // found when run, among those that are loaded
    }
    enum pdp_err err = program_zone(c->p, value_text(&arg->lit), &zone);
    if (err == PDP_ERR_NOMEM) {
        c->unify.failed = true;
    } else if (err != PDP_ERR_OK && !c->untyped) {
        unit_error(c->unit, err, arg->at, arg->len, "there is no time zone `%s`",
                   unit_quote_str(c->unit, value_text(&arg->lit)));
        unit_hint(c->unit, "a name such as Europe/Berlin, UTC, or +01:00");
    }
}

static void check_within(struct checker *c, const struct ast *ast)
{
    if (!is_text(ast->args[1])) {
        must_be_constant(c, ast->args[1], "the hours");
        return;
    }
    if (ast->count == 3 && !is_text(ast->args[2])) {
        must_be_constant(c, ast->args[2], "the time zone");
        return;
    }
    uint32_t window = 0;
    struct str why = {NULL, 0};
    if (ast->count == 3) {
        check_zone(c, ast->args[2]);
    }
    struct str zone = ast->count == 3 ? value_text(&ast->args[2]->lit) : STR("UTC");
    enum pdp_err err = program_window(c->p, value_text(&ast->args[1]->lit), zone, &window, &why);
    if (err == PDP_ERR_NOMEM) {
        c->unify.failed = true;
    } else if (err != PDP_ERR_OK && why.len > 0) {
        unit_error(c->unit, err, ast->args[1]->at, ast->args[1]->len, STR_FMT, STR_ARG(why));
        unit_hint(c->unit, "hours look like \"Mon-Fri 07:00-19:00, Sat 09:00-12:00\"");
    }
}

static void check_network(struct checker *c, const struct ast *ast)
{
    const struct ast *arg = ast->args[0];
    if (!is_text(arg) || c->p->extra != NULL) {
        return;
    }
    struct ip ip;
    struct cidr cidr;
    struct str text = value_text(&arg->lit);
    if (ast->func == F_IP && !ip_parse_unmapped(text, &ip)) {
        unit_error(c->unit, PDP_ERR_TYPE, arg->at, arg->len, "`%s` is no IP address",
                   unit_quote_str(c->unit, text));
    } else if (ast->func == F_CIDR && !cidr_parse(text, true, &cidr)) {
        unit_error(c->unit, PDP_ERR_TYPE, arg->at, arg->len, "`%s` is no network",
                   unit_quote_str(c->unit, text));
        unit_hint(c->unit, "a network looks like 10.0.0.0/8 or 2001:db8::/32");
    }
}

// timestamp("…"), duration("…"): a text that can never be read would be unsure for ever.
static void check_time(struct checker *c, const struct ast *ast)
{
    const struct ast *arg = ast->args[0];
    int64_t seconds = 0;
    uint32_t part = 0;
    int32_t rest = 0;
    if (!is_text(arg) || c->p->extra != NULL) {
        return;
    }
    struct str text = value_text(&arg->lit);
    if (ast->func == F_TIMESTAMP && !time_parse(text, &seconds, &part)) {
        unit_error(c->unit, PDP_ERR_TYPE, arg->at, arg->len, "`%s` is no point in time",
                   unit_quote_str(c->unit, text));
        unit_hint(c->unit, "a point in time looks like 2026-11-22T20:33:00Z");
    } else if (ast->func == F_DURATION && !time_duration_parse(text, &seconds, &rest)) {
        unit_error(c->unit, PDP_ERR_TYPE, arg->at, arg->len, "`%s` is no duration",
                   unit_quote_str(c->unit, text));
        unit_hint(c->unit, "a duration looks like 90s, 15m or 1h30m");
    }
}

const struct type *check_special(struct checker *c, struct ast *ast, const struct type *type)
{
    const struct cel_env *env = c->p->env;
    if (type->kind == T_ERROR) {
        return type;
    }
    switch (ast->func) {
    case F_LEVEL:
        return check_ordered(c, ast, env->levels, env->level_count, VALUE_LEVEL);
    case F_STRENGTH:
        return check_ordered(c, ast, env->strengths, env->strength_count, VALUE_STRENGTH);
    case F_MATCHES:
    case F_MATCHES_OF:
        if (is_text(ast->args[1])) {
            check_pattern(c, ast->args[1]);
        }
        break;
    case F_WITHIN:
        check_within(c, ast);
        break;
    case F_IP:
    case F_CIDR:
        check_network(c, ast);
        break;
    case F_TIMESTAMP:
    case F_DURATION:
        check_time(c, ast);
        break;
    default:
        if (ast->func >= F_YEAR && ast->func <= F_MILLIS && ast->count == 2) {
            check_zone(c, ast->args[1]);
        }
        break;
    }
    return type;
}
