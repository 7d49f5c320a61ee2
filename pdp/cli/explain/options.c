// SPDX-License-Identifier: Apache-2.0
// What conditions test: a walk over the graph of the program.
#include "cli/explain/options.h"

#include "base/num.h"
#include "base/time.h"
#include "cel/frame.h"
#include "cel/func.h"
#include "cel/regex.h"
#include "cel/within.h"
#include "engine/attrs.h"

bool options_init(struct options *options, struct whatif_world *world, struct arena *arena)
{
    *options = (struct options){.world = world, .arena = arena};
    options->list = ARENA_ARRAY(arena, struct attribute, OPTIONS_ATTRIBUTES_MOST);
    options->stamps = ARENA_ARRAY(arena, uint32_t, world->parts.program->node_count + 1);
    options->marked = ARENA_ARRAY(arena, uint8_t, world->parts.program->node_count + 1);
    options->reads = ARENA_ARRAY(arena, uint8_t, world->parts.program->slot_count + 1);
    return options->list != NULL && options->stamps != NULL && options->marked != NULL &&
           options->reads != NULL;
}

// ---- Attributes --------------------------------------------------------------------------------

static bool says_who(const struct cel_slot_info *info)
{
    return info->id == ATTR_SUBJECT_TYPE || info->id == ATTR_SUBJECT_ID || info->id == ATTR_ACTION_NAME ||
           info->id == ATTR_RESOURCE_TYPE || info->id == ATTR_RESOURCE_ID || info->id == ATTR_RESOURCE_PATH ||
           info->id == ATTR_TENANT || info->id == ATTR_GATEWAY;
}

static struct attribute *find(struct options *o, struct str path, enum whatif_kind kind)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (o->list[i].kind == kind && str_eq(o->list[i].path, path)) {
            return &o->list[i];
        }
    }
    if (o->count == OPTIONS_ATTRIBUTES_MOST) {
        o->cut = true;
        return NULL;
    }
    struct attribute *made = &o->list[o->count++];
    *made = (struct attribute){.path = path, .kind = kind, .slot = UINT32_MAX};
    return made;
}

static struct attribute *of_slot(struct options *o, uint32_t slot)
{
    const struct cel_slot_info *info = cel_slot_at(o->world->parts.program, slot);
    bool risk = info->id == ATTR_RISK_SCORE || info->id == ATTR_RISK_LEVEL;
    struct attribute *at =
        find(o, risk ? STR("risk.score") : whatif_path(o->world, info), risk ? WHATIF_RISK : WHATIF_VALUE);
    if (at != NULL && at->slot == UINT32_MAX) {
        at->slot = slot;
        at->type = risk ? CEL_DOUBLE : info->type;
        at->who = says_who(info);
        at->is = risk ? value_double(o->world->seen->risk->score) : cel_attr(o->world->seen->frame, slot);
    }
    return at;
}

static bool same(const struct options *o, const struct value *a, const struct value *b)
{
    return a->kind == b->kind && a->kind != VALUE_ERROR && cmp_equal(o->world->seen->frame, a, b);
}

static uint64_t note(struct options *o, struct attribute *at, struct option_test test)
{
    if (at == NULL) {
        return 0;
    }
    uint64_t bit = UINT64_C(1) << (at - o->list);
    for (uint32_t i = 0; i < at->test_count; i++) {
        const struct option_test *known = &at->tests[i];
        bool valued = test.value.kind != VALUE_ERROR;
        if (known->kind == test.kind && known->set == test.set &&
            (!valued || same(o, &known->value, &test.value))) {
            return bit;
        }
    }
    if (at->test_count == OPTIONS_TESTS_MOST) {
        o->cut = true;
    } else {
        at->tests[at->test_count++] = test;
    }
    return bit;
}

// Whether an address is a private one is read off the address: these are the networks that are.
static uint64_t note_private(struct options *o)
{
    static const struct str NETWORKS[] = {
        {"10.0.0.0/8", 10},  {"172.16.0.0/12", 13},  {"192.168.0.0/16", 14}, {"100.64.0.0/10", 13},
        {"127.0.0.0/8", 11}, {"169.254.0.0/16", 14}, {"0.0.0.0/8", 9},       {"fc00::/7", 8},
        {"fe80::/10", 9},    {"::1/128", 7},         {"::/128", 6}};
    static const struct cel_slot_info ADDRESS = {
        .path = {"network.ip", 10}, .id = ATTR_NETWORK_IP, .type = CEL_IP};
    struct attribute *at = find(o, ADDRESS.path, WHATIF_VALUE);
    uint64_t mask = 0;
    if (at != NULL && at->slot == UINT32_MAX && at->test_count == 0) {
        at->type = CEL_IP;
        if (!o->world->seen->cel_host->resolve(o->world->seen->cel_host->user, &ADDRESS, &at->is)) {
            at->is = (struct value){0};
        }
    }
    for (size_t i = 0; i < COUNT_OF(NETWORKS); i++) {
        struct cidr *network = ARENA_NEW(o->arena, struct cidr);
        if (network != NULL && cidr_parse(NETWORKS[i], true, network)) {
            struct value value = {.kind = VALUE_CIDR, .as.cidr = network};
            mask |= note(o, at, (struct option_test){.kind = TEST_INSIDE, .value = value});
        }
    }
    return mask;
}

static uint64_t note_slot(struct options *o, uint32_t slot, enum test_kind kind, struct value value)
{
    if (cel_slot_at(o->world->parts.program, slot)->id == ATTR_NETWORK_PRIVATE) {
        return note_private(o);
    }
    return note(o, of_slot(o, slot), (struct option_test){.kind = kind, .value = value});
}

uint64_t options_text(struct options *o, struct str path, struct str text)
{
    struct attribute *at = find(o, path, WHATIF_VALUE);
    if (at != NULL && at->slot == UINT32_MAX && at->test_count == 0) {
        const struct policy_question *question = o->world->seen->question;
        bool action = str_eq(path, STR("action.name"));
        struct str is = action ? question->action : question->path;
        at->type = CEL_STRING;
        at->who = true;
        at->is = is.at != NULL ? value_str(is) : (struct value){0};
    }
    return note(o, at, (struct option_test){.kind = TEST_IS, .value = value_str(text)});
}

uint64_t options_proof(struct options *o, uint32_t strength)
{
    if (!o->world->has_session) {
        return 0; // there is no session that would have proved anything
    }
    struct attribute *at = find(o, STR("step_up"), WHATIF_PROOF);
    return note(o, at, (struct option_test){.kind = TEST_IS, .value = value_int(strength)});
}

uint64_t options_time(struct options *o, int64_t at_ms)
{
    struct attribute *at = find(o, STR("now"), WHATIF_NOW);
    if (at != NULL && at->test_count == 0) {
        at->is = value_time_ms(o->world->seen->now_ms);
    }
    if (at_ms <= o->world->seen->now_ms || at_ms >= TIME_MAX_S * TIME_MS_PER_S) {
        return at != NULL ? UINT64_C(1) << (at - o->list) : 0; // it has turned, or never does
    }
    return note(o, at, (struct option_test){.kind = TEST_AT, .value = value_time_ms(at_ms)});
}

// ---- What is read in other ways ----------------------------------------------------------------

static void mark(struct options *o, uint32_t id, unsigned bits)
{
    const struct cel_program *p = o->world->parts.program;
    id &= ~NODE_OPTIONAL;
    if ((o->marked[id] & bits) == bits) {
        return;
    }
    const struct node *node = &p->nodes[id];
    o->marked[id] |= (uint8_t)bits;
    if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT) {
        o->reads[node->a] |= (uint8_t)bits;
        return;
    }
    for (uint32_t i = 0, part; (part = program_operand(p, node, i)) != NODE_NONE; i++) {
        mark(o, part, bits);
    }
}

static bool only_now(const struct options *o, uint32_t id, unsigned depth)
{
    const struct cel_program *p = o->world->parts.program;
    const struct node *node = &p->nodes[id];
    if (node->op == OP_NOW || (node->flags & (NODE_VARIES | NODE_NOW)) == 0) {
        return true;
    }
    return node->op == OP_CALL && node->b == 2 && depth > 0 && only_now(o, p->args[node->a], depth - 1) &&
           only_now(o, p->args[node->a + 1], depth - 1);
}

static unsigned joins(const struct options *o, uint32_t other)
{
    enum {
        DEEP = 4
    };
    bool varies = (o->world->parts.program->nodes[other].flags & (NODE_VARIES | NODE_NOW)) != 0;
    return !varies ? 0 : only_now(o, other, DEEP) ? OPTIONS_JOINED_NOW : OPTIONS_JOINED;
}

static void join(struct options *o, uint32_t left, uint32_t right)
{
    mark(o, left, joins(o, right));
    mark(o, right, joins(o, left));
}

static bool is_below(struct str whole, struct str path)
{
    return str_starts(whole, path) && (whole.len == path.len || whole.at[path.len] == '.');
}

unsigned options_reads(const struct options *o, const struct attribute *at)
{
    const struct cel_program *p = o->world->parts.program;
    const struct str whole = STR(".properties");
    unsigned bits = 0;
    for (uint32_t i = 0; i < p->slot_count; i++) {
        const struct cel_slot_info *info = cel_slot_at(p, i);
        bool risk = info->id == ATTR_RISK_SCORE || info->id == ATTR_RISK_LEVEL;
        struct str path = o->reads[i] == 0                   ? (struct str){0}
                          : risk                             ? STR("risk.score")
                          : info->id == ATTR_NETWORK_PRIVATE ? STR("network.ip")
                                                             : whatif_path(o->world, info);
        path = str_ends(path, whole) ? str_sub(path, 0, path.len - whole.len) : path;
        bits |= path.len > 0 && (is_below(path, at->path) || is_below(at->path, path)) ? o->reads[i] : 0;
    }
    return bits;
}

// ---- What a side of a comparison would have to be ----------------------------------------------

static struct value run(struct options *o, uint32_t node)
{
    if (o->world->parts.program->nodes[node].low != NODE_CLOSED) {
        return (struct value){0}; // needs a variable of a macro
    }
    return run_node(o->world->seen->frame, node);
}

static struct value call(struct options *o, enum func_id func, struct value a, struct value b)
{
    struct value args[] = {a, b};
    bool texts =
        a.kind == VALUE_STRING || a.kind == VALUE_LIST || a.kind == VALUE_ERROR || b.kind == VALUE_ERROR;
    return texts ? (struct value){0} : FUNCS[func].code(o->world->seen->frame, args, 2);
}

static uint64_t solve(struct options *o, uint32_t id, struct value target, enum test_kind kind);

// a + b or a - b is to be `target`: each side by what the other is.
static uint64_t solve_sum(struct options *o, const struct node *node, struct value target,
                          enum test_kind kind)
{
    const uint32_t *args = &o->world->parts.program->args[node->a];
    struct value left = run(o, args[0]), right = run(o, args[1]);
    bool adds = node->c == F_ADD;
    join(o, args[0], args[1]);
    return solve(o, args[0], call(o, adds ? F_SUB : F_ADD, target, right), kind) |
           solve(o, args[1], adds ? call(o, F_SUB, target, left) : call(o, F_SUB, left, target), kind);
}

static uint64_t solve(struct options *o, uint32_t id, struct value target, enum test_kind kind)
{
    const struct cel_program *p = o->world->parts.program;
    const struct node *node = &p->nodes[id];
    bool known = target.kind != VALUE_ERROR && target.kind != VALUE_NULL;
    if (!known || (node->op != OP_SLOT && node->op != OP_CALL)) {
        mark(o, id, OPTIONS_OPAQUE);
        return 0;
    }
    if (node->op == OP_SLOT) {
        return note_slot(o, node->a, kind, target);
    }
    if ((node->c == F_ADD || node->c == F_SUB) && node->b == 2) {
        return solve_sum(o, node, target, kind);
    }
    bool through = node->b == 1 && (node->c == F_DOUBLE || node->c == F_INT || node->c == F_DYN ||
                                    node->c == F_LOWER || node->c == F_UPPER);
    if (!through || (node->c != F_DOUBLE && node->c != F_DYN)) {
        mark(o, id, OPTIONS_OPAQUE); // others give the same
    }
    return through ? solve(o, p->args[node->a], target, kind) : 0;
}

static uint64_t walk(struct options *o, uint32_t id, bool truth);

// A side that is a test itself, as in `(a > 3) == (b > 1)`.
static bool is_test(const struct options *o, uint32_t id)
{
    const struct node *node = &o->world->parts.program->nodes[id];
    return node->kind == VALUE_BOOL && node->op != OP_SLOT && (node->flags & (NODE_VARIES | NODE_NOW)) != 0;
}

static uint64_t compare_side(struct options *o, uint32_t id, struct value other, enum test_kind kind)
{
    return is_test(o, id) ? walk(o, id, true) : solve(o, id, other, kind);
}

static uint64_t compare(struct options *o, const struct node *node, enum test_kind kind)
{
    struct value left = run(o, node->a), right = run(o, node->b);
    join(o, node->a, node->b);
    return compare_side(o, node->a, right, kind) | compare_side(o, node->b, left, kind);
}

// ---- Tests by their operation ------------------------------------------------------------------

static uint64_t test_now(struct options *o, const struct node *node)
{
    struct value left = run(o, node->a), right = run(o, node->b);
    enum func_id func = (enum func_id)(node->c & 0xff);
    int64_t turn = time_crossing(&left, &right, func, (int)(node->c >> 8) - 1);
    enum test_kind kind = func == F_EQ || func == F_NE ? TEST_IS : TEST_BOUND;
    int64_t at_ms = turn == INT64_MAX ? INT64_MAX : num_add_sat(o->world->seen->now_ms, turn);
    return compare(o, node, kind) | options_time(o, at_ms);
}

static uint64_t test_within(struct options *o, const struct node *node)
{
    const struct cel_program *p = o->world->parts.program;
    int64_t now_s = o->world->seen->now_ms / TIME_MS_PER_S;
    if (p->nodes[node->a].op != OP_NOW) {
        mark(o, node->a, OPTIONS_OPAQUE);
        return 0;
    }
    int64_t first = within_edge(p->windows[node->b], now_s);
    return options_time(o, first * TIME_MS_PER_S) |
           options_time(o, within_edge(p->windows[node->b], first) * TIME_MS_PER_S);
}

static uint64_t test_texts(struct options *o, uint32_t id, const struct value *list)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        mask |= solve(o, id, list->as.list[i], TEST_IS);
    }
    return mask;
}

static uint64_t test_in(struct options *o, const struct node *node)
{
    const struct cel_program *p = o->world->parts.program;
    struct value element = run(o, node->a), list = run(o, node->b);
    uint64_t mask = list.kind == VALUE_LIST ? test_texts(o, node->a, &list) : 0;
    join(o, node->a, node->b);
    mark(o, node->a, list.kind == VALUE_LIST ? 0 : OPTIONS_OPAQUE);
    if (p->nodes[node->b].op == OP_SLOT && element.kind != VALUE_ERROR) {
        mask |= note_slot(o, p->nodes[node->b].a, TEST_HAS, element);
    }
    return mask;
}

static uint64_t test_match(struct options *o, const struct node *node)
{
    const struct cel_program *p = o->world->parts.program;
    const struct regex_gate *gate = regex_gate_of(p->regexes[node->b]);
    if (p->nodes[node->a].op != OP_SLOT || gate->form == REGEX_FORM_ANY || gate->form == REGEX_FORM_LINE) {
        mark(o, node->a, OPTIONS_OPAQUE);
    }
    if (p->nodes[node->a].op != OP_SLOT) {
        return 0;
    }
    uint32_t slot = p->nodes[node->a].a;
    switch ((enum regex_form)gate->form) {
    case REGEX_FORM_WHOLE:
        return note_slot(o, slot, TEST_IS, value_str(gate->prefix));
    case REGEX_FORM_PREFIX:
    case REGEX_FORM_LINE:
        return note_slot(o, slot, TEST_STARTS, value_str(gate->prefix));
    case REGEX_FORM_SUFFIX:
        return note_slot(o, slot, TEST_ENDS, value_str(gate->suffix));
    case REGEX_FORM_PART:
        return note_slot(o, slot, TEST_PART, value_str(gate->part));
    case REGEX_FORM_ANY:
        break;
    }
    // Which text matches is not worked out; that another one does not is.
    return note_slot(o, slot, TEST_IS, cel_attr(o->world->seen->frame, slot));
}

static uint64_t test_call(struct options *o, const struct node *node)
{
    const struct cel_program *p = o->world->parts.program;
    static const struct {
        enum func_id func;
        enum test_kind kind;
        uint32_t target; // which argument the attribute is
    } TESTS[] = {{F_STARTS, TEST_STARTS, 0},
                 {F_ENDS, TEST_ENDS, 0},
                 {F_CONTAINS, TEST_PART, 0},
                 {F_CONTAINS_IP, TEST_INSIDE, 1}};
    for (size_t i = 0; i < COUNT_OF(TESTS) && node->b == 2; i++) {
        const uint32_t *args = &p->args[node->a];
        if (node->c == TESTS[i].func && p->nodes[args[TESTS[i].target]].op == OP_SLOT) {
            struct value with = run(o, args[1 - TESTS[i].target]);
            bool good = with.kind == VALUE_STRING || with.kind == VALUE_CIDR;
            join(o, args[0], args[1]);
            mark(o, args[1 - TESTS[i].target], OPTIONS_OPAQUE);
            mark(o, args[TESTS[i].target], good ? 0 : OPTIONS_OPAQUE);
            return good ? note_slot(o, p->nodes[args[TESTS[i].target]].a, TESTS[i].kind, with) : 0;
        }
    }
    for (uint32_t i = 0; i < node->b; i++) {
        mark(o, p->args[node->a + i], OPTIONS_OPAQUE);
    }
    return 0;
}

static uint64_t walk_args(struct options *o, const struct node *node, bool truth)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < node->b; i++) {
        mask |= walk(o, o->world->parts.program->args[node->a + i] & ~NODE_OPTIONAL, truth);
    }
    return mask;
}

static uint64_t test_set(struct options *o, const struct node *node)
{
    const struct cel_program *p = o->world->parts.program;
    struct option_test test = {.kind = TEST_SET, .set = p->env->sets[node->b].id};
    return p->nodes[node->a].op == OP_SLOT ? note(o, of_slot(o, p->nodes[node->a].a), test)
                                           : walk(o, node->a, false);
}

static uint64_t walk_node(struct options *o, uint32_t id, bool truth)
{
    const struct cel_program *p = o->world->parts.program;
    const struct node *node = &p->nodes[id];
    switch ((enum op)node->op) {
    case OP_SLOT:
        mark(o, id, truth ? 0 : OPTIONS_OPAQUE);
        return truth ? note_slot(o, node->a, TEST_TRUTH, (struct value){0}) : 0;
    case OP_HAS_SLOT:
        return note_slot(o, node->a, TEST_THERE, (struct value){0});
    case OP_AND:
    case OP_OR:
        return walk_args(o, node, true);
    case OP_NOT:
        return walk(o, node->a, true);
    case OP_COND:
        return walk(o, node->a, true) | walk(o, node->b, truth) | walk(o, node->c, truth);
    case OP_EQ:
    case OP_NE:
        return compare(o, node, TEST_IS);
    case OP_EQ_TEXT:
        return note_slot(o, node->a, TEST_IS, p->consts[node->b]);
    case OP_ORDER:
        return compare(o, node, TEST_BOUND);
    case OP_ORDER_NOW:
        return test_now(o, node);
    case OP_IN:
        return test_in(o, node);
    case OP_IN_TEXTS:
        return test_texts(o, node->a, &p->consts[node->b]);
    case OP_IN_SET:
        return test_set(o, node);
    case OP_CALL:
        return test_call(o, node);
    case OP_MATCH:
        return test_match(o, node);
    case OP_WITHIN:
        return test_within(o, node);
    default: // what a macro walks over, or computes, is not tried
        mark(o, id, OPTIONS_OPAQUE);
        return 0;
    }
}

static uint64_t walk(struct options *o, uint32_t id, bool truth)
{
    if (o->stamps[id] == o->stamp) {
        return 0;
    }
    o->stamps[id] = o->stamp;
    return walk_node(o, id, truth);
}

uint64_t options_walk(struct options *o, uint32_t expr)
{
    if (expr >= o->world->parts.program->node_count) {
        return 0;
    }
    o->stamp++;
    whatif_look(o->world, o->arena);
    return walk(o, expr, true);
}
