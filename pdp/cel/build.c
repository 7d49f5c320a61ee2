// SPDX-License-Identifier: Apache-2.0
// The checked tree to nodes.
#include "cel/check.h"
#include "cel/frame.h"

struct builder {
    struct cel_program *p;
    struct unit *unit;
    uint32_t scope[CHECK_SCOPE_MAX]; // what each variable in scope stands for
    uint32_t scope_count;
    uint32_t level; // of comprehension variables
};

static enum pdp_err build(struct builder *b, struct ast *ast, uint32_t *out);

static enum value_kind kind_of(const struct ast *ast)
{
    return ast->type != NULL ? types_value_kind(ast->type) : VALUE_ERROR;
}

static enum pdp_err build_error(struct builder *b, enum cel_error kind, int64_t detail, uint32_t *out)
{
    struct value error = frame_error(kind, detail);
    return node_const(b->p, &error, out);
}

static enum pdp_err build_ref(struct builder *b, const struct ast *ast, uint32_t *out)
{
    bool test = (ast->flags & AST_TEST) != 0;
    switch ((enum ref_kind)ast->ref_kind) {
    case REF_LOCAL:
        *out = b->scope[ast->ref];
        return PDP_ERR_OK;
    case REF_EXPR:
        *out = ast->ref;
        return PDP_ERR_OK;
    case REF_NOW:
        return build_node(b->p, OP_NOW, 0, 0, 0, VALUE_TIMESTAMP, out);
    case REF_SLOT:
        return build_node(b->p, test ? OP_HAS_SLOT : OP_SLOT, ast->ref, 0, 0,
                          test ? VALUE_BOOL : types_value_kind(b->p->slots[ast->ref].type), out);
    case REF_TYPE: {
        struct value type = {.kind = VALUE_TYPE, .as.i = (int64_t)ast->ref};
        return node_const(b->p, &type, out);
    }
    default:
        return build_error(b, CEL_ERROR_OTHER, 0, out);
    }
}

static enum pdp_err build_select(struct builder *b, struct ast *ast, uint32_t *out)
{
    if (ast->ref_kind != REF_NONE) {
        return build_ref(b, ast, out);
    }
    uint32_t target = 0, name = 0;
    TRY(build(b, ast->args[0], &target));
    struct value text = value_str(ast->name);
    TRY(program_const(b->p, &text, &name));
    enum op op = (ast->flags & AST_TEST) != 0       ? OP_HAS
                 : (ast->flags & AST_OPTIONAL) != 0 ? OP_OPT_FIELD
                                                    : OP_FIELD;
    return build_node(b->p, op, target, name, 0, op == OP_HAS ? VALUE_BOOL : kind_of(ast), out);
}

// Flattens a && (b && c); drops what does not matter.
static enum pdp_err build_logic(struct builder *b, enum op op, struct ast *const *list, size_t count,
                                uint32_t *out)
{
    uint32_t *args = ARENA_ARRAY(b->unit->arena, uint32_t, count);
    if (args == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        TRY(build(b, list[i], &args[i]));
    }
    return build_join(b->p, op, args, count, out);
}

static enum pdp_err build_match(struct builder *b, struct ast *ast, const uint32_t *args, uint32_t *out)
{
    const struct node *pattern = &b->p->nodes[args[1]];
    uint32_t regex = 0;
    if (pattern->op != OP_CONST) {
        unit_error(b->unit, PDP_ERR_TYPE, ast->args[1]->at, ast->args[1]->len,
                   "the pattern must be a text that is known when the policy is loaded");
        return PDP_ERR_TYPE;
    }
    struct value text = b->p->consts[pattern->a];
    struct str why = {NULL, 0};
    size_t at = 0;
    if (text.kind != VALUE_STRING) {
        *out = args[1];
        return text.kind == VALUE_ERROR ? PDP_ERR_OK : build_error(b, CEL_ERROR_NO_OVERLOAD, F_MATCHES, out);
    }
    enum pdp_err err = program_regex(b->p, value_text(&text), &regex, &why, &at);
    if (err != PDP_ERR_OK && err != PDP_ERR_NOMEM) {
        unit_error(b->unit, err, ast->args[1]->at, ast->args[1]->len, "the pattern is refused: " STR_FMT,
                   STR_ARG(why));
    }
    TRY(err);
    return build_node(b->p, OP_MATCH, args[0], regex, 0, VALUE_BOOL, out);
}

static enum pdp_err build_within(struct builder *b, struct ast *ast, uint32_t time, uint32_t *out)
{
    uint32_t window = 0;
    struct str why = {NULL, 0};
    bool text = ast->args[1]->kind == AST_LIT && (ast->count == 2 || ast->args[2]->kind == AST_LIT);
    if (!text) {
        return build_error(b, CEL_ERROR_NO_OVERLOAD, F_WITHIN, out);
    }
    struct str zone = ast->count == 3 ? value_text(&ast->args[2]->lit) : STR("UTC");
    enum pdp_err err = program_window(b->p, value_text(&ast->args[1]->lit), zone, &window, &why);
    if (err != PDP_ERR_OK && err != PDP_ERR_NOMEM) {
        return build_error(b, CEL_ERROR_CONVERT, F_WITHIN, out);
    }
    TRY(err);
    return build_node(b->p, OP_WITHIN, time, window, 0, VALUE_BOOL, out);
}

// Only possible without the checker: a call with a number of arguments that no overload takes.
static bool takes(const struct ast *ast)
{
    const char *sig = FUNCS[ast->func].sigs;
    for (uint32_t n = 0;; sig++) {
        if (*sig == '\0') {
            return false;
        }
        if (*sig == ':') {
            if (n == ast->count) {
                return true;
            }
            sig = strchr(sig, ' ');
            if (sig == NULL) {
                return false;
            }
            n = 0;
        } else if (*sig == 'M') {
            n--; // two types follow, one argument
        } else if (strchr("LOY", *sig) == NULL) {
            n++;
        }
    }
}

static const uint8_t BINARY_OPS[F_COUNT] = {
    [F_EQ] = OP_EQ,    [F_NE] = OP_NE,         [F_LT] = OP_ORDER,
    [F_LE] = OP_ORDER, [F_GT] = OP_ORDER,      [F_GE] = OP_ORDER,
    [F_IN] = OP_IN,    [F_OPT_OR] = OP_OR_OPT, [F_OPT_OR_VALUE] = OP_OR_VALUE,
};

static enum pdp_err build_plain_call(struct builder *b, struct ast *ast, uint32_t *out)
{
    enum {
        ARGS_MAX = 8
    };
    uint32_t args[ARGS_MAX];
    for (uint32_t i = 0; i < ast->count; i++) {
        TRY(build(b, ast->args[i], &args[i]));
    }
    if (BINARY_OPS[ast->func] != 0) {
        return build_node(b->p, (enum op)BINARY_OPS[ast->func], args[0], args[1], ast->func, kind_of(ast),
                          out);
    }
    switch (ast->func) {
    case F_NOT:
        return build_node(b->p, OP_NOT, args[0], 0, 0, VALUE_BOOL, out);
    case F_COND:
        return build_node(b->p, OP_COND, args[0], args[1], args[2], kind_of(ast), out);
    case F_MATCHES:
    case F_MATCHES_OF:
        return build_match(b, ast, args, out);
    case F_WITHIN:
        return build_within(b, ast, args[0], out);
    default:
        return build_nary(b->p, OP_CALL, args, ast->count, ast->func, kind_of(ast), out);
    }
}

static enum pdp_err build_call(struct builder *b, struct ast *ast, uint32_t *out)
{
    if (ast->func == F_AND || ast->func == F_OR) {
        return build_logic(b, ast->func == F_AND ? OP_AND : OP_OR, ast->args, ast->count, out);
    }
    if (ast->func == F_NONE || !takes(ast)) {
        return build_error(b, CEL_ERROR_NO_OVERLOAD, ast->func, out);
    }
    if (ast->func == F_IN && ast->args[1]->ref_kind == REF_SET) {
        uint32_t left = 0;
        TRY(build(b, ast->args[0], &left));
        return build_node(b->p, OP_IN_SET, left, ast->args[1]->ref, 0, VALUE_BOOL, out);
    }
    return build_plain_call(b, ast, out);
}

static enum pdp_err build_elems(struct builder *b, struct ast *ast, enum op op, uint32_t *out)
{
    uint32_t *args = ARENA_ARRAY(b->unit->arena, uint32_t, ast->count + 1);
    if (args == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < ast->count; i++) {
        TRY(build(b, ast->args[i], &args[i]));
        args[i] |= (ast->args[i]->flags & AST_ELEM) != 0 ? NODE_OPTIONAL : 0;
    }
    return build_nary(b->p, op, args, ast->count, 0, op == OP_LIST ? VALUE_LIST : VALUE_MAP, out);
}

static enum pdp_err build_bind(struct builder *b, struct ast *ast, uint32_t *out)
{
    uint32_t bound = 0;
    TRY(build(b, ast->args[0], &bound));
    b->scope[b->scope_count++] = bound;
    enum pdp_err err = build(b, ast->args[1], out);
    b->scope_count--;
    return err;
}

static enum pdp_err build_comp(struct builder *b, struct ast *ast, uint32_t *out)
{
    uint32_t args[4] = {0, 0, 0, b->level};
    uint32_t vars = ast->var2.len > 0 ? 2 : 1;
    TRY(build(b, ast->args[0], &args[0]));
    uint32_t mark = b->scope_count;
    for (uint32_t i = 0; i < vars; i++) {
        TRY(build_node(b->p, OP_LOCAL, b->level + i, 0, 0, VALUE_ERROR, &b->scope[b->scope_count]));
        b->scope_count++;
    }
    b->level += 2;
    b->p->level_count = b->level > b->p->level_count ? b->level : b->p->level_count;
    enum pdp_err err = PDP_ERR_OK;
    for (uint32_t i = 1; err == PDP_ERR_OK && i < ast->count; i++) {
        err = build(b, ast->args[i], &args[i]);
    }
    b->level -= 2;
    b->scope_count = mark;
    TRY(err);
    args[2] = ast->count == 3 ? args[2] : args[1];
    TRY(build_nary(b->p, OP_COMP, args, 3, (uint32_t)ast->comp | vars << 8, kind_of(ast), out));
    const struct cel_text *text = b->unit->text;
    if (b->p->nodes[*out].op != OP_COMP || text->locate == NULL) {
        return PDP_ERR_OK;
    }
    return program_place(b->p, *out, text->locate(text->user, ast->at, ast->len));
}

static enum pdp_err build(struct builder *b, struct ast *ast, uint32_t *out)
{
    *out = NODE_NONE;
    switch ((enum ast_kind)ast->kind) {
    case AST_LIT:
        return node_const(b->p, &ast->lit, out);
    case AST_IDENT:
        return build_ref(b, ast, out);
    case AST_SELECT:
        return build_select(b, ast, out);
    case AST_CALL:
        return build_call(b, ast, out);
    case AST_LIST:
        return build_elems(b, ast, OP_LIST, out);
    case AST_MAP:
        return build_elems(b, ast, OP_MAP, out);
    case AST_COMP:
        return build_comp(b, ast, out);
    case AST_BIND:
        return build_bind(b, ast, out);
    }
    return PDP_ERR_STATE;
}

enum pdp_err build_unit(struct cel_program *p, struct unit *unit, uint32_t *out)
{
    *out = NODE_NONE;
    struct builder *b = ARENA_NEW(unit->arena, struct builder);
    if (b == NULL) {
        return PDP_ERR_NOMEM;
    }
    b->p = p;
    b->unit = unit;
    enum pdp_err err = build(b, unit->root, out);
    if (err != PDP_ERR_OK && unit->err == PDP_ERR_OK) {
        unit_error(unit, err, 0, (uint32_t)unit->text->text.len, "%s",
                   err == PDP_ERR_DEPTH   ? "the expression, with what it refers to, is nested too deeply"
                   : err == PDP_ERR_LIMIT ? "the policies are too large"
                                          : pdp_err_text(err));
    }
    return err;
}
