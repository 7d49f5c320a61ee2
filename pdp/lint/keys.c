// SPDX-License-Identifier: Apache-2.0
#include "lint/keys.h"

#include "lint/graph.h"

enum key_of {
    KEY_NODE,
    KEY_TERM,
    KEY_TEXT,
    KEY_ACTION,
    KEY_PATH
};

static uint64_t hash_of(enum key_of of, uint64_t number, struct str text)
{
    static const struct hash_key KEY = {UINT64_C(0x6c696e74), UINT64_C(0x636f766572)};
    return hash_64(KEY, text.at, text.len) ^ (number * 8 + of) * UINT64_C(0x9E3779B97F4A7C15);
}

static void put_key(struct keys *k, size_t most, uint64_t key, bool strong)
{
    if (k->count >= most) {
        return;
    }
    if (strong) {
        k->at[k->count] = k->at[k->strong];
        k->at[k->strong++] = key;
    } else {
        k->at[k->count] = key;
    }
    k->count++;
}

static void add_key(struct keys *k, size_t most, enum key_of of, uint64_t number, struct str text)
{
    uint64_t key = hash_of(of, number, text);
    put_key(k, most, key, of != KEY_TERM);
    if (of == KEY_TERM) { // many rules test one attribute: those of the same target come first
        put_key(k, most, key ^ (k->target + 1) * UINT64_C(0xD6E8FEB86659FD93), true);
    }
}

static struct str text_of(const struct value *v)
{
    return v->n > 0 ? value_text(v) : STR("");
}

// The first attribute that a leaf reads, as a number; 0: none.
static uint64_t term_of(const struct cel_program *p, uint32_t id, unsigned depth)
{
    const struct node *node = &p->nodes[id & ~NODE_OPTIONAL];
    if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT) {
        return 1 + node->a;
    }
    if (node->op == OP_CONST || node->op == OP_NOW || node->op == OP_LOCAL || depth == 0) {
        return 0;
    }
    struct graph_operands operands;
    uint64_t term = 0;
    graph_operands(p, node, &operands);
    for (uint32_t i = 0; term == 0 && i < operands.count; i++) {
        term = term_of(p, operands.at[i], depth - 1);
    }
    return term;
}

// The keys of one conjunct. `finds`: all by which others may be found; else those under which it is found
// itself.
static void leaf_keys(struct keys *k, uint32_t id, bool finds, size_t most, unsigned depth)
{
    const struct cel_program *p = k->l->program;
    const struct node *node = &p->nodes[id];
    if ((node->op == OP_OR || node->op == OP_AND) && depth > 0) {
        add_key(k, most, KEY_NODE, id, STR(""));
        for (uint32_t i = 0; i < node->b && (finds || node->op == OP_OR || i == 0); i++) {
            leaf_keys(k, p->args[node->a + i], finds, most, depth - 1);
        }
        return;
    }
    if (node->op == OP_NOT && depth > 0) {
        leaf_keys(k, node->a, finds, most, depth - 1);
        finds = true;
    }
    uint64_t term = term_of(p, id, 8);
    bool texts = node->op == OP_IN_TEXTS && p->nodes[node->a].op == OP_SLOT;
    if (node->op == OP_EQ_TEXT) {
        add_key(k, most, KEY_TEXT, term, text_of(&p->consts[node->b]));
    }
    for (uint32_t i = 0; texts && i < p->consts[node->b].n; i++) {
        add_key(k, most, KEY_TEXT, term, text_of(&p->consts[node->b].as.list[i]));
    }
    bool exact = node->op == OP_EQ_TEXT || texts;
    // What follows from nothing but itself.
    bool alone = node->op == OP_IN && p->nodes[node->a].op == OP_CONST;
    if (node->op == OP_WITHIN) {
        term = UINT64_MAX;
    }
    if (alone) {
        add_key(k, most, KEY_NODE, id, STR(""));
    } else if (!exact || finds) {
        add_key(k, most, term != 0 ? KEY_TERM : KEY_NODE, term != 0 ? term : id, STR(""));
    }
}

static void path_keys(struct keys *k, const struct set_rule *rule, bool finds, size_t most)
{
    for (uint32_t i = 0; i < rule->resource_count; i++) {
        struct str text = rule->resources[i].text, fixed = str_sub(text, 0, rule->resources[i].fixed);
        add_key(k, most, KEY_PATH, 0, fixed);
        bool all = str_eq(str_sub(text, fixed.len, SIZE_MAX), STR("**"));
        if (!finds && all && fixed.len > 0) {
            add_key(k, most, KEY_PATH, 0, str_sub(fixed, 0, fixed.len - 1));
        }
        for (size_t at = 0; finds && at < fixed.len; at++) {
            if (fixed.at[at] == '/' && at + 1 < fixed.len) {
                add_key(k, most, KEY_PATH, 0, str_sub(fixed, 0, at + 1));
            }
        }
    }
}

static void action_keys(struct keys *k, const struct set_rule *rule, size_t most)
{
    for (uint32_t i = 0; i < rule->action_count; i++) {
        add_key(k, most, KEY_ACTION, 0, rule->actions[i]);
    }
}

struct conjuncts keys_conjuncts(const struct cel_program *p, uint32_t expr)
{
    struct conjuncts all = {.one = expr};
    if (expr == SET_NO_EXPR) {
        return all;
    }
    const struct node *node = &p->nodes[expr];
    bool joined = node->op == OP_AND;
    all.at = joined ? &p->args[node->a] : NULL;
    all.count = joined ? node->b : 1;
    return all;
}

uint32_t keys_conjunct(const struct conjuncts *all, uint32_t i)
{
    return all->at != NULL ? all->at[i] : all->one;
}

// All by which others are found that this rule may imply.
void keys_to_find(struct keys *k, const struct set_rule *rule)
{
    const struct cel_program *p = k->l->program;
    uint32_t exprs[] = {rule->when, k->l->set->policies[rule->policy].target};
    k->count = k->strong = 0;
    k->target = lint_policy_of(k->l, rule)->target;
    path_keys(k, rule, true, KEYS_MOST);
    action_keys(k, rule, KEYS_MOST);
    for (size_t i = 0; i < COUNT_OF(exprs); i++) {
        struct conjuncts all = keys_conjuncts(p, exprs[i]);
        for (uint32_t n = 0; n < all.count; n++) {
            add_key(k, KEYS_MOST, KEY_NODE, keys_conjunct(&all, n), STR(""));
            leaf_keys(k, keys_conjunct(&all, n), true, KEYS_MOST, 3);
        }
    }
}

// ---- What tells a rule apart best ---------------------------------------------------------------------

enum {
    OPTION_ACTIONS,
    OPTION_RESOURCES,
    OPTION_FIRST_CONJUNCT
};

// The keys of one of the things that a rule tests; false: there are no more.
static bool option(struct keys *k, const struct set_rule *rule, uint32_t number)
{
    const struct cel_program *p = k->l->program;
    struct conjuncts when = keys_conjuncts(p, rule->when);
    struct conjuncts target = keys_conjuncts(p, lint_policy_of(k->l, rule)->target);
    k->count = k->strong = 0;
    k->target = lint_policy_of(k->l, rule)->target;
    if (number == OPTION_ACTIONS) {
        action_keys(k, rule, KEYS_SAME_MOST);
        return true;
    }
    if (number == OPTION_RESOURCES) {
        path_keys(k, rule, false, KEYS_SAME_MOST);
        return true;
    }
    number -= OPTION_FIRST_CONJUNCT;
    if (number >= when.count + target.count) {
        return false;
    }
    uint32_t id =
        number < when.count ? keys_conjunct(&when, number) : keys_conjunct(&target, number - when.count);
    if (p->nodes[id].op != OP_CONST) {
        leaf_keys(k, id, false, KEYS_SAME_MOST, 2);
    }
    return true;
}

static uint32_t *counted(const struct keys *k, uint64_t key)
{
    return &k->census[(key * UINT64_C(0x9E3779B97F4A7C15)) >> 51];
}

void keys_count(struct keys *k, const struct set_rule *rule)
{
    for (uint32_t number = 0; option(k, rule, number); number++) {
        for (size_t i = 0; i < k->count; i++) {
            ++*counted(k, k->at[i]);
        }
    }
}

void keys_to_be_found(struct keys *k, const struct set_rule *rule)
{
    uint32_t best = UINT32_MAX, rarest = UINT32_MAX;
    for (uint32_t number = 0; option(k, rule, number); number++) {
        uint32_t sum = 0;
        // Where the weak ones are not alone, it is by the strong ones that others come.
        for (size_t i = 0; i < (k->strong > 0 ? k->strong : k->count); i++) {
            sum += *counted(k, k->at[i]);
        }
        bool whole = k->count > 0 && k->count < KEYS_SAME_MOST; // else some may be left out
        if (whole && sum < rarest) {
            rarest = sum;
            best = number;
        }
    }
    k->count = k->strong = 0;
    (void)(best != UINT32_MAX && option(k, rule, best));
}
