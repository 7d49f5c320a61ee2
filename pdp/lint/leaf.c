// SPDX-License-Identifier: Apache-2.0
// Leaves of conditions: what their truth says of the terms that they compare.
#include "lint/facts.h"

enum {
    NEED_DEPTH = 16,
    NEED_MOST = 64
};

// ---- Applying what a leaf says ------------------------------------------------------------------------

static void narrow(struct fact *fact, const struct view *view, bool yes)
{
    struct spans spans = view->yes;
    if (!yes && !spans_not(view->group, &view->yes, &spans)) {
        return;
    }
    facts_narrow(fact, view->group, &spans);
}

static void keep_compared(struct reason *r, struct fact *fact, const struct view *view, unsigned may)
{
    unsigned certain = may & (MAY_YES | MAY_NO);
    if (view->vague && (may & MAY_UNSURE) != 0) {
        return;
    }
    if (view->group == SPAN_NUMBER) {
        fact->nan = fact->nan && (view->nan & may) != 0;
    }
    if (certain == 0) {
        fact->kinds &= ~view->kinds;
        fact->nan = false;
        return;
    }
    if (certain == (MAY_YES | MAY_NO)) {
        return;
    }
    if (view->group != SPAN_NONE) {
        narrow(fact, view, certain == MAY_YES);
    }
    if (view->claims) {
        struct claim claim = view->claim;
        claim.yes = certain == MAY_YES;
        facts_claim(r, fact, &claim);
    }
}

void view_apply(struct reason *r, const struct view *view, unsigned may)
{
    struct fact *fact = view->term != FACTS_NONE ? facts_change(r, view->term) : NULL;
    if (fact == NULL) {
        return;
    }
    fact->missing = fact->missing && (view->missing & may) != 0;
    fact->bad = fact->bad && (view->bad & may) != 0;
    if ((view->other & may) == 0) {
        fact->kinds &= view->kinds | view->free;
    }
    keep_compared(r, fact, view, may);
    facts_settle(r, fact);
}

// The value is there: what is said cannot be unsure, and would be.
static void need(struct reason *r, uint32_t id, unsigned depth, unsigned *left)
{
    // How many of a and b are nodes whose error is the node's own.
    static const uint8_t STRICT[OP_COUNT] = {
        [OP_EQ] = 2,       [OP_NE] = 2,     [OP_ORDER] = 2,  [OP_ORDER_NOW] = 2, [OP_IN] = 2,
        [OP_IN_TEXTS] = 1, [OP_IN_SET] = 1, [OP_FIELD] = 1,  [OP_HAS] = 1,       [OP_OPT_FIELD] = 1,
        [OP_MATCH] = 1,    [OP_WITHIN] = 1, [OP_OR_OPT] = 1, [OP_OR_VALUE] = 1,
    };
    const struct node *node = &r->p->nodes[id & ~NODE_OPTIONAL];
    if (depth == NEED_DEPTH || r->refuted || *left == 0) {
        return; // parts may be shared: what is beyond is not known to be there
    }
    --*left;
    if (node->op == OP_SLOT || node->op == OP_EQ_TEXT) {
        struct view there = {.term = node->a, .other = MAY_YES, .kinds = 0};
        view_apply(r, &there, MAY_YES);
        return;
    }
    for (uint32_t i = 0; i < STRICT[node->op]; i++) {
        need(r, i == 0 ? node->a : node->b, depth + 1, left);
    }
    uint32_t args = node->op == OP_CALL ? node->b : node->op == OP_COMP ? 1 : 0;
    for (uint32_t i = 0; i < args; i++) {
        need(r, r->p->args[node->a + i], depth + 1, left);
    }
}

// ---- Comparisons with a constant ----------------------------------------------------------------------

// Where all but the right kind is unsure.
static struct view strict_view(uint32_t term)
{
    return (struct view){
        .term = term, .missing = MAY_UNSURE, .bad = MAY_UNSURE, .other = MAY_UNSURE, .nan = MAY_NO};
}

static bool claim_values(struct view *view, const struct value *values, uint32_t count)
{
    view->kinds = 1U << VALUE_STRING;
    view->claims = true;
    view->claim =
        (struct claim){.kind = CLAIM_VALUES, .about = VALUE_STRING, .count = count, .as.values = values};
    return true;
}

static bool equals(struct view *view, const struct value *value)
{
    struct span_key key;
    if (value->kind == VALUE_NULL) {
        view->kinds = 1U << VALUE_NULL;
        return true;
    }
    view->group = span_group_of(value->kind);
    if (view->group != SPAN_NONE) {
        view->kinds = SPAN_KINDS[view->group];
        if (!span_key_of(value, &key)) {
            return false;
        }
        spans_point(key, &view->yes);
        return true;
    }
    if (value->kind == VALUE_STRING) {
        return claim_values(view, value, 1);
    }
    if (value->kind == VALUE_IP) {
        view->kinds = 1U << VALUE_IP;
        view->claims = true;
        view->claim = (struct claim){.kind = CLAIM_IP, .about = VALUE_IP, .as.ip = value->as.ip};
        return true;
    }
    return false;
}

// A constant on the right of the term, or on its left.
static bool sides(const struct reason *r, const struct node *node, uint32_t *term, const struct value **value,
                  bool *turned)
{
    const struct value *left = facts_constant(r, node->a), *right = facts_constant(r, node->b);
    *turned = left != NULL;
    *value = left != NULL ? left : right;
    *term = left != NULL ? node->b : node->a;
    return (left != NULL) != (right != NULL) && (*value)->kind != VALUE_ERROR;
}

static void leaf_equal(struct reason *r, const struct node *node, bool equal, unsigned may)
{
    uint32_t term = 0;
    const struct value *value = NULL;
    bool turned = false;
    if (!sides(r, node, &term, &value, &turned)) {
        return;
    }
    struct view view = strict_view(facts_node(r, term));
    view.other = node->strict && value->kind != VALUE_NULL ? MAY_UNSURE : MAY_NO;
    if (equals(&view, value)) {
        view_apply(r, &view, equal ? may : facts_turned(may));
    }
}

static void leaf_order(struct reason *r, const struct node *node, enum func_id func, unsigned may)
{
    static const enum func_id TURNED[] = {F_GT, F_GE, F_LT, F_LE}; // of LT, LE, GT, GE
    uint32_t term = 0;
    const struct value *value = NULL;
    bool turned = false;
    struct span_key key;
    if (!sides(r, node, &term, &value, &turned) || span_group_of(value->kind) == SPAN_NONE ||
        !span_key_of(value, &key)) {
        return;
    }
    struct view view = strict_view(facts_node(r, term));
    view.group = span_group_of(value->kind);
    view.kinds = SPAN_KINDS[view.group];
    func = turned ? TURNED[func - F_LT] : func;
    if (func == F_LT || func == F_LE) {
        spans_below(view.group, key, func == F_LE, &view.yes);
    } else {
        spans_above(view.group, key, func == F_GE, &view.yes);
    }
    view_apply(r, &view, may);
}

// A constant in a list that a question has: unsure where that is no list and no map.
static void leaf_has_element(struct reason *r, const struct node *node, unsigned may)
{
    struct view view = strict_view(facts_node(r, node->b));
    view.kinds = 1U << VALUE_LIST | 1U << VALUE_MAP;
    view_apply(r, &view, may);
}

static bool are_addresses(const struct value *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->as.list[i].kind != VALUE_IP) {
            return false;
        }
    }
    return true;
}

static void leaf_in(struct reason *r, const struct node *node, unsigned may)
{
    const struct value *of = facts_constant(r, node->a), *list = facts_constant(r, node->b);
    struct view view = strict_view(facts_node(r, node->a));
    if (of != NULL && of->kind != VALUE_ERROR && list == NULL) {
        leaf_has_element(r, node, may);
        return;
    }
    if (of != NULL || list == NULL || list->kind != VALUE_LIST || list->n == 0) {
        return;
    }
    view.other = node->strict ? MAY_UNSURE : MAY_NO;
    if (are_addresses(list)) {
        view.kinds = 1U << VALUE_IP;
        view.claims = true;
        view.claim = (struct claim){.kind = CLAIM_IPS, .about = VALUE_IP, .count = list->n};
        view.claim.as.values = list->as.list;
        view_apply(r, &view, may);
        return;
    }
    view.group = span_group_of(list->as.list[0].kind);
    view.kinds = SPAN_KINDS[view.group];
    for (uint32_t i = 0; i < list->n; i++) {
        struct span_key key;
        if (view.group == SPAN_NONE || span_group_of(list->as.list[i].kind) != view.group ||
            !span_key_of(&list->as.list[i], &key) || !spans_add(&view.yes, key)) {
            return;
        }
    }
    view_apply(r, &view, may);
}

static void leaf_in_set(struct reason *r, const struct node *node, unsigned may)
{
    const struct cel_set_decl *set = &r->p->env->sets[node->b];
    struct view view = strict_view(facts_node(r, node->a));
    if (facts_constant(r, node->a) != NULL) {
        return;
    }
    view.claims = set->kind != CEL_SET_ASN;
    view.claim = (struct claim){.kind = CLAIM_LIST};
    bool known = r->input.lists != NULL && set->id < r->input.lists->count;
    const struct lists_set *list = known ? r->input.lists->at[set->id] : NULL;
    // A file is read anew, apart from the policies.
    view.claim.as.list = list != NULL && list->head.file.len == 0 && !list->missing ? list : NULL;
    // It may be stale, or be asked for what is no country.
    bool plain = set->kind == CEL_SET_STRING || set->kind == CEL_SET_CIDR;
    view.vague = view.claim.as.list == NULL || list->head.max_age_ms > 0 || !plain;
    switch (set->kind) {
    case CEL_SET_STRING:
    case CEL_SET_COUNTRY:
        view.kinds = 1U << VALUE_STRING;
        view.claim.about = VALUE_STRING;
        break;
    case CEL_SET_CIDR:
        view.kinds = 1U << VALUE_IP;
        view.claim.about = VALUE_IP;
        view.free = 1U << VALUE_STRING;
        break;
    case CEL_SET_ASN:
        view.kinds = 1U << VALUE_INT | 1U << VALUE_UINT;
        break;
    }
    view_apply(r, &view, may);
}

// ---- Calls --------------------------------------------------------------------------------------------

static bool text_claim(enum func_id func, const struct value *part, struct view *view)
{
    static const struct {
        enum func_id func;
        enum claim_kind kind;
    } KINDS[] = {{F_STARTS, CLAIM_PREFIX}, {F_ENDS, CLAIM_SUFFIX}, {F_CONTAINS, CLAIM_PART}};
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (KINDS[i].func == func && part->kind == VALUE_STRING) {
            view->kinds = 1U << VALUE_STRING;
            view->claims = true;
            view->claim = (struct claim){.kind = KINDS[i].kind, .about = VALUE_STRING};
            view->claim.as.text = part->n > 0 ? value_text(part) : STR("");
            return true;
        }
    }
    return false;
}

static void leaf_call(struct reason *r, const struct node *node, unsigned may)
{
    const uint32_t *args = &r->p->args[node->a];
    if (node->b != 2) {
        return;
    }
    const struct value *left = facts_constant(r, args[0]), *right = facts_constant(r, args[1]);
    if (left == NULL && right != NULL) {
        struct view view = strict_view(facts_node(r, args[0]));
        if (text_claim((enum func_id)node->c, right, &view)) {
            view_apply(r, &view, may);
        }
    } else if (left != NULL && right == NULL && node->c == F_CONTAINS_IP && left->kind == VALUE_CIDR) {
        struct view view = strict_view(facts_node(r, args[1]));
        view.kinds = 1U << VALUE_IP;
        view.free = 1U << VALUE_STRING;
        view.claims = true;
        view.claim = (struct claim){.kind = CLAIM_CIDR, .about = VALUE_IP, .as.cidr = left->as.cidr};
        view_apply(r, &view, may);
    }
}

static void leaf_match(struct reason *r, const struct node *node, unsigned may)
{
    struct view view = strict_view(facts_node(r, node->a));
    view.kinds = 1U << VALUE_STRING;
    view.vague = true;
    view.claims = true;
    view.claim =
        (struct claim){.kind = CLAIM_REGEX, .about = VALUE_STRING, .as.regex = r->p->regexes[node->b]};
    view_apply(r, &view, may);
}

static void leaf_within(struct reason *r, const struct node *node, unsigned may)
{
    struct view view = strict_view(facts_node(r, node->a));
    view.kinds = 1U << VALUE_TIMESTAMP;
    view.claims = true;
    view.claim =
        (struct claim){.kind = CLAIM_WEEK, .about = VALUE_TIMESTAMP, .as.window = r->p->windows[node->b]};
    view_apply(r, &view, may);
}

static void leaf_compare(struct reason *r, const struct node *node, unsigned may)
{
    enum func_id func = (enum func_id)(node->op == OP_ORDER_NOW ? node->c & 0xff : node->c);
    bool left = facts_constant(r, node->a) != NULL, right = facts_constant(r, node->b) != NULL;
    if (func == F_EQ || func == F_NE) {
        leaf_equal(r, node, func == F_EQ, may);
    } else {
        leaf_order(r, node, func, may);
    }
    if (!left && !right) {
        leaf_pair(r, node, func, may);
    }
    leaf_difference(r, node, func, may);
}

// ---- All ----------------------------------------------------------------------------------------------

static void leaf_has(struct reason *r, const struct node *node, unsigned may)
{
    struct view view = {.term = node->a, .missing = MAY_NO, .bad = MAY_UNSURE, .other = MAY_YES};
    view_apply(r, &view, may);
}

static void leaf_value(struct reason *r, uint32_t id, unsigned may)
{
    struct view view = strict_view(facts_node(r, id));
    struct value yes = value_bool(true);
    if (equals(&view, &yes)) {
        view_apply(r, &view, may);
    }
}

static void leaf_text(struct reason *r, const struct value *values, uint32_t count, bool strict,
                      uint32_t term, unsigned may)
{
    struct view view = strict_view(term);
    view.other = strict ? MAY_UNSURE : MAY_NO;
    (void)claim_values(&view, values, count);
    view_apply(r, &view, may);
}

void leaf_assume(struct reason *r, uint32_t id, unsigned may)
{
    const struct node *node = &r->p->nodes[id];
    const struct value *value = facts_constant(r, id);
    switch ((enum op)node->op) {
    case OP_CONST: {
        unsigned is = value->kind != VALUE_BOOL ? MAY_UNSURE : value->as.b ? MAY_YES : MAY_NO;
        r->refuted = r->refuted || (is & may) == 0;
        return;
    }
    case OP_SLOT:
        leaf_value(r, id, may);
        break;
    case OP_HAS_SLOT:
        leaf_has(r, node, may);
        return;
    case OP_EQ_TEXT:
        leaf_text(r, &r->p->consts[node->b], 1, true, node->a, may);
        break;
    case OP_IN_TEXTS: {
        const struct value *list = &r->p->consts[node->b];
        leaf_text(r, list->as.list, list->n, node->strict, facts_node(r, node->a), may);
        break;
    }
    case OP_EQ:
    case OP_NE:
    case OP_ORDER:
    case OP_ORDER_NOW:
        leaf_compare(r, node, may);
        break;
    case OP_IN:
        leaf_in(r, node, may);
        break;
    case OP_IN_SET:
        leaf_in_set(r, node, may);
        break;
    case OP_MATCH:
        leaf_match(r, node, may);
        break;
    case OP_WITHIN:
        leaf_within(r, node, may);
        break;
    case OP_CALL:
        leaf_call(r, node, may);
        break;
    default:
        break;
    }
    if ((may & MAY_UNSURE) == 0 && node->op != OP_SLOT) {
        unsigned left = NEED_MOST;
        need(r, id, 0, &left);
    }
}
