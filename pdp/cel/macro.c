// SPDX-License-Identifier: Apache-2.0
// Macros: calls that bind variables or test presence are replaced while the tree is built.
#include "cel/ast.h"

static const struct macro {
    const char *name;
    uint8_t least, most; // arguments, variables included
    uint8_t vars;
    uint8_t comp;
} COMPS[] = {
    {"all", 2, 2, 1, COMP_ALL},          {"all", 3, 3, 2, COMP_ALL},
    {"exists", 2, 2, 1, COMP_EXISTS},    {"exists", 3, 3, 2, COMP_EXISTS},
    {"exists_one", 2, 2, 1, COMP_ONE},   {"existsOne", 2, 2, 1, COMP_ONE},
    {"existsOne", 3, 3, 2, COMP_ONE},    {"filter", 2, 2, 1, COMP_LIST},
    {"map", 2, 3, 1, COMP_LIST},         {"transformList", 3, 4, 2, COMP_LIST},
    {"transformMap", 3, 4, 2, COMP_MAP}, {"transformMapEntry", 3, 4, 2, COMP_ENTRIES},
    {"optMap", 2, 2, 1, COMP_OPT_MAP},   {"optFlatMap", 2, 2, 1, COMP_OPT_FLAT},
};

static bool complain(struct unit *unit, const struct ast *at, const char *what)
{
    unit_error(unit, PDP_ERR_SYNTAX, at->at, at->len, "%s", what);
    return false;
}

static bool is_variable(const struct ast *ast)
{
    return ast->kind == AST_IDENT && (ast->flags & AST_ROOTED) == 0;
}

static struct ast *lit_bool(struct unit *unit, bool b, const struct ast *at)
{
    struct ast *ast = ast_new(unit, AST_LIT, at->at, at->at + at->len);
    if (ast != NULL) {
        ast->lit = value_bool(b);
    }
    return ast;
}

// filter(x, p) keeps x; map(x, e) and transformX(…, e) keep all that there is.
static bool comp_parts(struct unit *unit, struct ast *call, const struct macro *macro, struct ast **parts)
{
    struct ast **rest = call->args + 1 + macro->vars;
    uint32_t count = call->count - 1 - macro->vars;
    parts[0] = call->args[0];
    if (macro->comp < COMP_LIST || macro->comp >= COMP_OPT_MAP) {
        parts[1] = rest[0];
        return true;
    }
    bool filter = str_eq(call->name, STR("filter"));
    parts[1] = count == 2 || filter ? rest[0] : lit_bool(unit, true, call);
    parts[2] = filter ? call->args[1] : rest[count - 1];
    return parts[1] != NULL;
}

static bool expand_comp(struct unit *unit, struct ast **call, const struct macro *macro)
{
    struct ast *from = *call;
    for (uint32_t i = 1; i <= macro->vars; i++) {
        if (!is_variable(from->args[i])) {
            return complain(unit, from->args[i], "the name of a variable is expected");
        }
    }
    if (macro->vars == 2 && str_eq(from->args[1]->name, from->args[2]->name)) {
        return complain(unit, from->args[2], "the two variables need different names");
    }
    struct ast *parts[3] = {NULL, NULL, NULL};
    struct ast *comp = ast_new(unit, AST_COMP, from->at, from->at + from->len);
    if (comp == NULL || !comp_parts(unit, from, macro, parts)) {
        return false;
    }
    comp->comp = macro->comp;
    comp->name = from->name;
    comp->name_at = from->name_at;
    comp->name_len = from->name_len;
    comp->var = from->args[1]->name;
    comp->var2 = macro->vars == 2 ? from->args[2]->name : (struct str){NULL, 0};
    *call = comp;
    return ast_children(unit, comp, parts, parts[2] != NULL ? 3 : 2);
}

static bool wrong_count(struct unit *unit, const struct ast *call, const struct macro *macro)
{
    unit_error(unit, PDP_ERR_SYNTAX, call->at, call->len, "`%s` takes %s and what to do with %s", macro->name,
               macro->vars == 1 ? "the name of a variable" : "the names of two variables",
               macro->vars == 1 ? "it" : "them");
    unit_hint(unit, "write `list.%s(%s, …)`", macro->name, macro->vars == 1 ? "x" : "i, x");
    return false;
}

static bool expand_member(struct unit *unit, struct ast **call)
{
    uint32_t count = (*call)->count - 1;
    const struct macro *named = NULL;
    for (size_t i = 0; i < COUNT_OF(COMPS); i++) {
        const struct macro *macro = &COMPS[i];
        if (!str_eq((*call)->name, str_of(macro->name))) {
            continue;
        }
        if (count >= macro->least && count <= macro->most) {
            return expand_comp(unit, call, macro);
        }
        named = named != NULL ? named : macro;
    }
    return named == NULL || wrong_count(unit, *call, named);
}

static bool expand_has(struct unit *unit, struct ast **call)
{
    struct ast *field = (*call)->count > 0 ? (*call)->args[0] : *call;
    if ((*call)->count != 1 || field->kind != AST_SELECT || (field->flags & AST_TEST) != 0) {
        complain(unit, field, "has() takes a field, such as has(subject.email)");
        return false;
    }
    struct ast *test = ast_new(unit, AST_SELECT, (*call)->at, (*call)->at + (*call)->len);
    if (test == NULL) {
        return false;
    }
    struct ast keep = *test;
    *test = *field;
    test->at = keep.at;
    test->len = keep.len;
    test->flags |= AST_TEST;
    *call = test;
    return true;
}

static bool expand_bind(struct unit *unit, struct ast **call)
{
    struct ast *from = *call;
    if (!is_variable(from->args[0])) {
        return complain(unit, from->args[0], "the name of a variable is expected");
    }
    struct ast *bind = ast_new(unit, AST_BIND, from->at, from->at + from->len);
    if (bind == NULL) {
        return false;
    }
    bind->var = from->args[0]->name;
    *call = bind;
    return ast_children(unit, bind, from->args + 1, 2);
}

static struct ast *named(struct unit *unit, struct str name, const struct ast *at)
{
    struct ast *ast = ast_new(unit, AST_IDENT, at->at, at->at + at->len);
    if (ast != NULL) {
        ast->name = name;
    }
    return ast;
}

// cel.block([a, b], body): nested bindings of `@index0`, `@index1`, …
static bool expand_block(struct unit *unit, struct ast **call)
{
    struct ast *list = (*call)->args[0];
    struct ast *body = (*call)->args[1];
    if (list->kind != AST_LIST) {
        return complain(unit, list, "cel.block() takes a list of what is bound");
    }
    for (uint32_t i = list->count; i-- > 0;) {
        struct ast *bind = ast_new(unit, AST_BIND, (*call)->at, (*call)->at + (*call)->len);
        struct ast *parts[] = {list->args[i], body};
        if (bind == NULL || !ast_children(unit, bind, parts, 2)) {
            return false;
        }
        bind->var = arena_printf(unit->arena, "@index%u", i);
        body = bind;
    }
    *call = body;
    return true;
}

static bool small_number(const struct ast *ast)
{
    return ast->kind == AST_LIT && ast->lit.kind == VALUE_INT && ast->lit.as.i >= 0 && ast->lit.as.i < 10000;
}

static bool expand_index(struct unit *unit, struct ast **call)
{
    const struct ast *index = (*call)->args[0];
    if (!small_number(index)) {
        return complain(unit, index, "a small number is expected");
    }
    struct ast *name = named(unit, arena_printf(unit->arena, "@index%d", (int)index->lit.as.i), *call);
    *call = name;
    return name != NULL;
}

static bool expand_iter_var(struct unit *unit, struct ast **call)
{
    const struct ast *const *args = (const struct ast *const *)(*call)->args;
    if (!small_number(args[0]) || !small_number(args[1])) {
        return complain(unit, args[0], "a small number is expected");
    }
    struct str text = arena_printf(unit->arena, "@it:%d:%d", (int)args[0]->lit.as.i, (int)args[1]->lit.as.i);
    struct ast *name = named(unit, text, *call);
    *call = name;
    return name != NULL;
}

// math.greatest(a, b, …) is math.greatest([a, b, …]).
static bool expand_variadic(struct unit *unit, struct ast **call)
{
    struct ast *from = *call;
    if (from->count < 2) {
        return true;
    }
    struct ast *list = ast_new(unit, AST_LIST, from->args[0]->at, from->at + from->len);
    if (list == NULL || !ast_children(unit, list, from->args, from->count)) {
        return false;
    }
    return ast_children(unit, from, &list, 1);
}

static const struct {
    const char *name;
    uint8_t args; // 0: any
    bool (*expand)(struct unit *unit, struct ast **call);
} PLAIN[] = {
    {"has", 0, expand_has},
    {"cel.bind", 3, expand_bind},
    {"cel.block", 2, expand_block},
    {"cel.index", 1, expand_index},
    {"cel.iterVar", 2, expand_iter_var},
    {"math.greatest", 0, expand_variadic},
    {"math.least", 0, expand_variadic},
};

bool macro_expand(struct unit *unit, struct ast **call)
{
    if (((*call)->flags & AST_MEMBER) != 0) {
        return expand_member(unit, call);
    }
    for (size_t i = 0; i < COUNT_OF(PLAIN); i++) {
        if (str_eq((*call)->name, str_of(PLAIN[i].name)) &&
            (PLAIN[i].args == 0 || PLAIN[i].args == (*call)->count)) {
            return PLAIN[i].expand(unit, call);
        }
    }
    return true;
}
