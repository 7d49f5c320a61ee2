// SPDX-License-Identifier: Apache-2.0
#include "cli/change/solve.h"

#include "cel/func.h"
#include "cel/regex.h"
#include "cel/within.h"
#include "cli/values.h"

#include <stdlib.h>

#define POOL_MOST 64

static void want(struct solver *s, uint32_t id, bool yes);

static const struct cel_program *program_of(const struct solver *s)
{
    return s->side->parts.program;
}

static const struct node *node_at(const struct solver *s, uint32_t id)
{
    return &program_of(s)->nodes[id];
}

static const struct value *const_at(const struct solver *s, uint32_t id)
{
    const struct node *node = node_at(s, id);
    return node->op == OP_CONST ? &program_of(s)->consts[node->a] : NULL;
}

// ---- Values ----------------------------------------------------------------------------------------------

static struct value text_value(const char *text)
{
    return value_str(str_of(text));
}

// ---- Tests, one an operator ----------------------------------------------------------------------------

// Whatever stands below gets a value out of what stands there.
static void want_anything(struct solver *s, uint32_t id, bool yes)
{
    (void)yes;
    uint32_t slots[POOL_MOST];
    const struct value *consts[POOL_MOST];
    struct solve_walk walk = {.program = program_of(s),
                              .slots = slots,
                              .slot_most = POOL_MOST,
                              .consts = consts,
                              .const_most = POOL_MOST,
                              .list = UINT32_MAX,
                              .left = 500};
    solve_walk_node(&walk, id);
    if (walk.slot_count == 0) {
        return;
    }
    const struct cel_slot_info *info =
        &program_of(s)->slots[slots[luck_below(s->luck, (uint32_t)walk.slot_count)]].info;
    struct value value = solve_sample(s, info);
    if (walk.const_count > 0 && !luck_one_in(s->luck, 4)) {
        value = *consts[luck_below(s->luck, (uint32_t)walk.const_count)];
        if (value.kind == VALUE_LIST && value.n > 0 && info->type != CEL_LIST_STRING) {
            value = value.as.list[luck_below(s->luck, value.n)];
        } else if (value.kind == VALUE_DURATION) {
            value = value_time_ms(s->trial->now_ms - value.as.i * 1000);
        }
        value = solve_moved(s, &value, (int)luck_below(s->luck, 3) - 1);
    }
    solve_put(s, info->path, value);
}

static void want_slot(struct solver *s, uint32_t id, bool yes)
{
    struct str path = solve_name(s, id);
    if (path.len > 0) {
        solve_put(s, path, value_bool(yes));
    }
}

static void want_has(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    if (node->op == OP_HAS_SLOT) {
        const struct cel_slot_info *info = &program_of(s)->slots[node->a].info;
        if (!yes) {
            trial_drop(s->trial, info->path);
        } else if (trial_get(s->trial, info->path) == NULL) {
            solve_put(s, info->path, solve_sample(s, info));
        }
        return;
    }
    struct str base = solve_name(s, node->a);
    const struct value *name = &program_of(s)->consts[node->b];
    if (base.len == 0 || name->kind != VALUE_STRING) {
        return;
    }
    struct str path =
        arena_printf(s->trial->arena, STR_FMT "." STR_FMT, STR_ARG(base), STR_ARG(value_text(name)));
    if (!yes) {
        trial_drop(s->trial, path);
    } else if (trial_get(s->trial, path) == NULL) {
        solve_put(s, path, text_value("a"));
    }
}

static void want_all(struct solver *s, const struct node *node, bool yes)
{
    uint32_t from = luck_below(s->luck, node->b); // any order: what is put last stands
    for (uint32_t i = 0; i < node->b; i++) {
        want(s, program_operand(program_of(s), node, (from + i) % node->b), yes);
    }
}

static void want_join(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    if (yes == (node->op == OP_AND)) {
        want_all(s, node, yes);
    } else if (node->b > 0) {
        want(s, program_operand(program_of(s), node, luck_below(s->luck, node->b)), yes);
    }
}

static void want_not(struct solver *s, uint32_t id, bool yes)
{
    want(s, node_at(s, id)->a, !yes);
}

static void want_cond(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    bool first = luck_one_in(s->luck, 2);
    want(s, node->a, first);
    want(s, first ? node->b : node->c, yes);
}

static bool is_now(struct str path)
{
    return str_eq(path, STR("now"));
}

static void want_equal(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    bool equal = yes == (node->op != OP_NE);
    const struct value *a = const_at(s, node->a), *b = const_at(s, node->b);
    struct str path = solve_name(s, a == NULL ? node->a : node->b), other = solve_name(s, node->b);
    const struct value *value = a != NULL ? a : b;
    if (path.len > 0 && value != NULL) {
        solve_put(s, path, equal ? *value : solve_other(s, value));
    } else if (path.len > 0 && other.len > 0 && (is_now(path) || is_now(other))) {
        struct value time = value_time_ms(s->trial->now_ms);
        time.as.i += equal ? 0 : 60;
        solve_put(s, is_now(path) ? other : path, time);
    } else if (path.len > 0 && other.len > 0) {
        const struct value *there = trial_get(s->trial, other);
        struct value same = there != NULL ? *there : text_value("a");
        solve_put(s, other, same);
        solve_put(s, path, equal ? same : solve_other(s, &same));
    } else {
        want_anything(s, id, yes);
    }
}

static void want_text(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    const struct value *value = &program_of(s)->consts[node->b];
    solve_put(s, program_of(s)->slots[node->a].info.path, yes ? *value : solve_other(s, value));
}

// A time by which the difference of a span is just reached, or not.
static void want_age(struct solver *s, uint32_t id)
{
    const struct value *consts[POOL_MOST];
    uint32_t slots[POOL_MOST];
    struct solve_walk walk = {.program = program_of(s),
                              .slots = slots,
                              .slot_most = POOL_MOST,
                              .consts = consts,
                              .const_most = POOL_MOST,
                              .list = UINT32_MAX,
                              .left = 200};
    solve_walk_node(&walk, id);
    for (size_t i = 0; i < walk.slot_count; i++) {
        const struct cel_slot_info *info = &program_of(s)->slots[slots[i]].info;
        const struct value *span =
            walk.const_count > 0 ? consts[luck_below(s->luck, (uint32_t)walk.const_count)] : NULL;
        if (span != NULL && span->kind == VALUE_DURATION && info->type == CEL_TIMESTAMP) {
            int64_t age = span->as.i + (int64_t)luck_below(s->luck, 3) - 1;
            solve_put(s, info->path, value_time_ms(s->trial->now_ms - age * 1000));
            return;
        }
    }
    want_anything(s, id, true);
}

static void want_order(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    uint32_t func = node->c & 0xff;
    const struct value *a = const_at(s, node->a), *b = const_at(s, node->b);
    struct str path = solve_name(s, a == NULL ? node->a : node->b);
    const struct value *value = a != NULL ? a : b;
    if (path.len == 0 || value == NULL) {
        want_age(s, id);
        return;
    }
    bool less = func == F_LT || func == F_LE; // slot below the constant, where that stands on the right
    bool below = (less == (b != NULL)) == yes;
    bool equals = (func == F_LE || func == F_GE) == yes;
    bool on_edge = equals && luck_one_in(s->luck, 2);
    solve_put(s, path, on_edge ? *value : solve_moved(s, value, below ? -1 : 1));
}

// The list at a path with a value in it, or without.
static void put_element(struct solver *s, struct str path, struct value element, bool in)
{
    const struct value *there = trial_get(s->trial, path);
    uint32_t count = there != NULL && there->kind == VALUE_LIST ? there->n : 0;
    struct value *list = ARENA_ARRAY(s->trial->arena, struct value, count + (size_t)1);
    uint32_t kept = 0;
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        bool same = element.kind == VALUE_STRING && there->as.list[i].kind == VALUE_STRING &&
                    str_eq(value_text(&there->as.list[i]), value_text(&element));
        if (!same) {
            list[kept++] = there->as.list[i];
        }
    }
    if (list != NULL && in) {
        list[kept++] = element;
    }
    solve_put(s, path, (struct value){.kind = VALUE_LIST, .n = kept, .as.list = list});
}

static void want_in(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    const struct value *element = const_at(s, node->a), *list = const_at(s, node->b);
    struct str path = solve_name(s, node->b), own = solve_name(s, node->a);
    if (element != NULL && path.len > 0) {
        put_element(s, path, *element, yes);
    } else if (list != NULL && list->kind == VALUE_LIST && list->n > 0 && own.len > 0) {
        const struct value *one = &list->as.list[luck_below(s->luck, list->n)];
        solve_put(s, own, yes ? *one : solve_other(s, one));
    } else if (path.len > 0 && own.len > 0) {
        const struct value *there = trial_get(s->trial, own);
        struct value same = there != NULL ? *there : text_value("a");
        solve_put(s, own, same);
        put_element(s, path, same, yes);
    } else {
        want_anything(s, id, yes);
    }
}

static void want_in_texts(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    const struct value *list = &program_of(s)->consts[node->b];
    struct str own = solve_name(s, node->a);
    if (own.len > 0 && list->n > 0) {
        const struct value *one = &list->as.list[luck_below(s->luck, list->n)];
        solve_put(s, own, yes ? *one : solve_other(s, one));
    }
}

// Of a network one of its addresses; anything else is as it stands.
static struct str entry_of(struct solver *s, struct str entry)
{
    struct cidr cidr;
    return cidr_parse(entry, false, &cidr) ? solve_inside(s, &cidr) : entry;
}

static void want_in_set(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    uint32_t list = program_of(s)->env->sets[node->b].id;
    struct str own = solve_name(s, node->a);
    const struct fact *fact = NULL;
    for (size_t i = 0; i < s->side->count && fact == NULL; i++) {
        const struct fact *one = &s->side->facts[i];
        fact = one->kind == FACT_LIST && one->number == list && one->form == FACT_SET ? one : NULL;
    }
    bool focused = list == s->focus_list && s->focus_count > 0;
    const struct str *members = focused ? s->focus : fact != NULL ? fact->members : NULL;
    uint32_t count = focused ? s->focus_count : fact != NULL ? fact->member_count : 0;
    if (own.len == 0 || members == NULL || count == 0 || (!yes && !focused)) {
        if (own.len > 0) {
            enum cel_set_kind kind = program_of(s)->env->sets[node->b].kind;
            bool drawn = kind == CEL_SET_CIDR || kind == CEL_SET_COUNTRY;
            solve_put(s, own, values_stranger(kind, 1 + (drawn ? luck_below(s->luck, 2) : 0)));
        }
        return;
    }
    struct str entry = entry_of(s, members[luck_below(s->luck, count)]);
    uint32_t asn = 0;
    bool number = program_of(s)->env->sets[node->b].kind == CEL_SET_ASN && lists_asn(entry, &asn);
    solve_put(s, own, number ? value_int(asn) : value_str(entry));
}

static void want_text_call(struct solver *s, const struct node *node, bool yes)
{
    struct str path = solve_name(s, program_operand(program_of(s), node, 0));
    const struct value *part = const_at(s, program_operand(program_of(s), node, 1));
    if (path.len == 0 || part == NULL || part->kind != VALUE_STRING) {
        return;
    }
    static const uint8_t FUNCS_OF[] = {
        [VALUES_STARTS] = F_STARTS, [VALUES_ENDS] = F_ENDS, [VALUES_HOLDS] = F_CONTAINS};
    bool route = str_eq(path, STR("resource.path"));
    enum values_part kind = VALUES_STARTS;
    while (FUNCS_OF[kind] != node->c) {
        kind++;
    }
    struct str tail = luck_one_in(s->luck, 2) ? STR("z") : STR("");
    struct str head = !luck_one_in(s->luck, 2) ? STR("") : route ? STR("/a") : STR("a");
    struct str made = values_text(s->trial->arena, kind, value_text(part), head, tail, route);
    solve_put(s, path, yes ? value_str(made) : text_value(route ? "/none" : "none-of-these"));
}

static void want_call(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    if ((node->c == F_STARTS || node->c == F_ENDS || node->c == F_CONTAINS) && node->b == 2) {
        want_text_call(s, node, yes);
        return;
    }
    if (node->c == F_CONTAINS_IP && node->b == 2) {
        const struct value *cidr = const_at(s, program_operand(program_of(s), node, 0));
        struct str path = solve_name(s, program_operand(program_of(s), node, 1));
        if (cidr != NULL && cidr->kind == VALUE_CIDR && path.len > 0 && yes) {
            solve_put(s, path, (struct value){.kind = VALUE_IP, .as.ip = &cidr->as.cidr->base});
            return;
        }
    }
    if (solve_name(s, id).len > 0) {
        want_slot(s, id, yes);
        return;
    }
    want_anything(s, id, yes);
}

static void want_match(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    const struct regex_gate *gate = regex_gate_of(program_of(s)->regexes[node->b]);
    struct str path = solve_name(s, node->a);
    if (path.len == 0 || gate == NULL) {
        want_anything(s, id, yes);
        return;
    }
    bool route = str_eq(path, STR("resource.path")) && gate->prefix.len == 0;
    struct arena *arena = s->trial->arena;
    static const char *const MIDDLES[] = {"", "", "a", "1", "42", "a.b"};
    struct str made = arena_printf(arena, STR_FMT "%s" STR_FMT "%s" STR_FMT, STR_ARG(gate->prefix),
                                   MIDDLES[luck_below(s->luck, COUNT_OF(MIDDLES))], STR_ARG(gate->part),
                                   MIDDLES[luck_below(s->luck, COUNT_OF(MIDDLES))], STR_ARG(gate->suffix));
    struct str pattern = same_pattern(program_of(s), node);
    if (pattern.len > 0 && luck_below(s->luck, 8) > 0) {
        made = solve_text(arena, s->luck, pattern);
    }
    bool slash = route && !(made.len > 0 && made.at[0] == '/');
    made = slash ? arena_printf(arena, "/" STR_FMT, STR_ARG(made)) : made;
    bool near = pattern.len > 0 && luck_one_in(s->luck, 2); // of many draws one does not match
    solve_put(s, path, yes || near ? value_str(made) : text_value(route ? "/none" : "none-of-these"));
}

static void want_within(struct solver *s, uint32_t id, bool yes)
{
    const struct window *window = program_of(s)->windows[node_at(s, id)->b];
    if (s->fixed_now) {
        return;
    }
    int64_t from = s->trial->now_ms / 1000 - s->trial->now_ms / 1000 % 3600;
    uint32_t first = luck_below(s->luck, 168);
    for (uint32_t i = 0; i < 168; i++) {
        int64_t at = from + (int64_t)((first + i) % 168) * 3600 + (int64_t)luck_below(s->luck, 2) * 1800;
        if (within_holds(window, at) == yes) {
            s->trial->now_ms = at * 1000;
            return;
        }
    }
}

// A walk over a list: one element that the test wants, of what was put for its variable.
static void want_walk(struct solver *s, uint32_t id, bool yes)
{
    const struct node *node = node_at(s, id);
    struct str range = solve_name(s, program_operand(program_of(s), node, 0));
    struct str variable = arena_printf(s->trial->arena, SOLVE_LOCAL "%u", node->c);
    if (range.len == 0) {
        want_anything(s, id, yes);
        return;
    }
    want(s, program_operand(program_of(s), node, 1), yes);
    struct value element = text_value("a");
    for (uint32_t i = s->trial->count; i-- > 0;) {
        struct trial_value *one = &s->trial->list[i];
        if (str_starts(one->path, variable)) {
            if (one->path.len > variable.len) { // a field of it
                struct value_entry *entry = ARENA_NEW(s->trial->arena, struct value_entry);
                if (entry != NULL) {
                    entry->key = value_str(str_sub(one->path, variable.len + 1, one->path.len));
                    entry->value = one->value;
                    element = (struct value){.kind = VALUE_MAP, .n = 1, .as.map = entry};
                }
            } else {
                element = one->value;
            }
            trial_drop(s->trial, one->path);
        }
    }
    put_element(s, range, element, true);
}

static void (*const WANT[OP_COUNT])(struct solver *s, uint32_t id, bool yes) = {
    [OP_SLOT] = want_slot,         [OP_LOCAL] = want_slot,      [OP_FIELD] = want_slot,
    [OP_HAS_SLOT] = want_has,      [OP_HAS] = want_has,         [OP_AND] = want_join,
    [OP_OR] = want_join,           [OP_NOT] = want_not,         [OP_COND] = want_cond,
    [OP_EQ] = want_equal,          [OP_NE] = want_equal,        [OP_EQ_TEXT] = want_text,
    [OP_ORDER] = want_order,       [OP_ORDER_NOW] = want_order, [OP_IN] = want_in,
    [OP_IN_TEXTS] = want_in_texts, [OP_IN_SET] = want_in_set,   [OP_CALL] = want_call,
    [OP_MATCH] = want_match,       [OP_WITHIN] = want_within,   [OP_COMP] = want_walk,
    [OP_OR_VALUE] = want_slot,
};

static void want(struct solver *s, uint32_t id, bool yes)
{
    if (s->budget == 0) {
        return;
    }
    s->budget--;
    uint8_t op = node_at(s, id)->op;
    if (WANT[op] != NULL) {
        WANT[op](s, id, yes);
    } else if (op != OP_CONST) {
        want_anything(s, id, yes);
    }
}

void solve_meet(struct solver *solver, const struct solve_test *test)
{
    if (test->element) {
        put_element(solver, test->path, test->value, true);
    } else {
        solve_put(solver, test->path,
                  solve_moved(solver, &test->value, (int)luck_below(solver->luck, 3) - 1));
    }
}

void solve(struct solver *solver, uint32_t expr, bool yes)
{
    solver->budget = SOLVE_NODES_MOST;
    if (expr < program_of(solver)->node_count) {
        want(solver, expr, yes);
    }
}

struct str solve_path(struct solver *solver, struct str pattern)
{
    static const char *const SEGMENTS[] = {"a", "42", "x"};
    AUTO(buf_fini) struct buf text = {0};
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.at[i] != '*') {
            buf_byte(&text, (unsigned char)pattern.at[i]);
            continue;
        }
        bool deep = i + 1 < pattern.len && pattern.at[i + 1] == '*';
        buf_printf(&text, "%s", SEGMENTS[luck_below(solver->luck, COUNT_OF(SEGMENTS))]);
        buf_printf(&text, "%s", deep && luck_one_in(solver->luck, 2) ? "/b" : "");
        i += deep;
    }
    return arena_str(solver->trial->arena, buf_view(&text), NULL);
}
