// SPDX-License-Identifier: Apache-2.0
// What is known of terms before anything is assumed, and how it grows.
#include "lint/facts.h"

#include "lint/graph.h"
#include "risk/model.h"

#include <stdlib.h>

#define ALL_KINDS ((1U << VALUE_KIND_COUNT) - 1 - (1U << VALUE_ERROR))

bool facts_room(void **list, uint32_t *cap, uint32_t count, size_t item)
{
    if (count < *cap) {
        return true;
    }
    uint32_t more = *cap == 0 ? 64 : *cap * 2;
    void *grown = realloc(*list, more * item);
    if (grown == NULL) {
        return false;
    }
    *list = grown;
    *cap = more;
    return true;
}

// ---- Terms ------------------------------------------------------------------------------------------

uint32_t facts_node(const struct reason *r, uint32_t node)
{
    return r->p->nodes[node].op == OP_SLOT ? r->p->nodes[node].a : r->p->slot_count + node;
}

uint32_t facts_pair(struct reason *r, enum pair_kind kind, uint32_t first, uint32_t second)
{
    uint32_t base = r->p->slot_count + r->p->node_count + 2; // two are the action and the path
    for (uint32_t i = 0; i < r->pair_count; i++) {
        const struct pair *pair = &r->pairs[i];
        if (pair->kind == kind && pair->first == first && pair->second == second) {
            return base + i;
        }
    }
    if (r->pair_count == FACTS_PAIRS_MOST) {
        return FACTS_NONE;
    }
    r->pairs[r->pair_count] = (struct pair){kind, first, second};
    return base + r->pair_count++;
}

// ---- What is known at first -------------------------------------------------------------------------

#define BOUNDLESS 1e300

// Attributes whose values the engine makes itself.
static const struct {
    struct str path;
    double least, most;
} RANGES[] = {
    {{"risk.score", 10}, 0, 100},       {{"session.requests", 16}, 0, BOUNDLESS},
    {{"geo.asn", 7}, 0, BOUNDLESS},     {{"travel.km", 9}, 0, BOUNDLESS},
    {{"travel.kmh", 10}, 0, BOUNDLESS},
};

// What functions of a time can give.
static const struct {
    enum func_id func;
    int64_t least, most;
} PARTS[] = {
    {F_HOURS, 0, 23},        {F_MINUTES, 0, 59},    {F_SECONDS, 0, 59},
    {F_MILLIS, 0, 999},      {F_MONTH, 0, 11},      {F_DATE, 1, 31},
    {F_DAY_OF_MONTH, 0, 30}, {F_DAY_OF_WEEK, 0, 6}, {F_DAY_OF_YEAR, 0, 365},
};

static void between(struct fact *fact, const struct value *least, const struct value *most)
{
    enum span_group group = span_group_of(least->kind);
    struct span_key key;
    struct spans spans;
    if (span_key_of(least, &key)) {
        spans_above(group, key, true, &spans);
        facts_narrow(fact, group, &spans);
    }
    if (span_key_of(most, &key)) {
        spans_below(group, key, true, &spans);
        facts_narrow(fact, group, &spans);
    }
}

static void no_more_than(struct fact *fact, double most)
{
    struct value least = value_double(-BOUNDLESS), value = value_double(most);
    between(fact, &least, &value);
}

static void know_signal(const struct reason *r, const struct node *node, struct fact *fact)
{
    struct str name = {0};
    double most = 0;
    if (r->input.scored && graph_signal(r->p, node, &name) && node->op != OP_IN && node->op != OP_HAS &&
        model_signal_most(r->input.risk, name, &most)) {
        no_more_than(fact, most);
        fact->nan = false;
    }
}

static void know_engine(struct reason *r, const struct cel_slot_info *info, struct fact *fact)
{
    for (size_t i = 0; i < COUNT_OF(RANGES); i++) {
        if (str_eq(info->path, RANGES[i].path)) {
            struct value least = value_double(RANGES[i].least), most = value_double(RANGES[i].most);
            between(fact, &least, &most);
        }
    }
    if (str_eq(info->path, STR("resource.path"))) {
        fact->has_first = true;
        fact->first = (struct claim){.kind = CLAIM_PATH, .about = VALUE_STRING, .yes = true};
    }
    if (r->input.scored && str_eq(info->path, STR("risk.score"))) {
        no_more_than(fact, r->input.score_most);
    }
    if (r->input.scored && str_eq(info->path, STR("risk.hard"))) {
        no_more_than(fact, r->input.hard_most);
    }
}

static void know_levels(struct fact *fact, enum value_kind kind, size_t count)
{
    struct value least = {.kind = (uint8_t)kind}, most = {.kind = (uint8_t)kind, .as.i = (int64_t)count - 1};
    between(fact, &least, &most);
}

static void know_slot(struct reason *r, uint32_t slot, struct fact *fact)
{
    const struct cel_slot_info *info = &r->p->slots[slot].info;
    enum value_kind kind = types_value_kind(r->p->slots[slot].type);
    fact->kinds = kind != VALUE_ERROR ? 1U << kind : ALL_KINDS & ~(1U << VALUE_NULL);
    fact->missing = fact->bad = true;
    fact->nan = kind != VALUE_DOUBLE || info->schema != NULL;
    if (info->schema != NULL && info->schema->value_count > 0) {
        fact->has_first = true;
        fact->first = (struct claim){.kind = CLAIM_TEXTS, .about = VALUE_STRING, .yes = true};
        fact->first.as.texts = info->schema->values;
        fact->first.count = info->schema->value_count;
    }
    if (kind == VALUE_LEVEL) {
        size_t most = r->input.scored ? r->input.level_most + 1 : r->p->env->level_count;
        know_levels(fact, kind, most);
    } else if (kind == VALUE_STRENGTH) {
        know_levels(fact, kind, r->p->env->strength_count);
    }
    know_engine(r, info, fact);
}

static void know_call(struct reason *r, const struct node *node, struct fact *fact)
{
    const struct node *of = node->op == OP_CALL && node->b > 0 ? &r->p->nodes[r->p->args[node->a]] : NULL;
    for (size_t i = 0; of != NULL && of->kind == VALUE_TIMESTAMP && i < COUNT_OF(PARTS); i++) {
        if (node->c == PARTS[i].func) {
            struct value least = value_int(PARTS[i].least), most = value_int(PARTS[i].most);
            between(fact, &least, &most);
        }
    }
    if (of != NULL && (node->c == F_SIZE || node->c == F_SIZE_OF)) {
        struct value least = value_int(0), most = value_int(INT64_C(1) << 40);
        between(fact, &least, &most);
    }
}

// A part of the time of the question, in a zone that is there: it is always known.
static bool is_part_of_now(const struct cel_program *p, const struct node *node)
{
    const uint32_t *args = &p->args[node->a];
    uint64_t zone = 0;
    bool part = false;
    if (node->op != OP_CALL || node->b == 0 || node->b > 2 || p->nodes[args[0]].op != OP_NOW) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        part = part || node->c == PARTS[i].func;
    }
    const struct node *named = node->b == 2 ? &p->nodes[args[1]] : NULL;
    const struct value *name = named != NULL && named->op == OP_CONST ? &p->consts[named->a] : NULL;
    bool known = name != NULL && name->kind == VALUE_STRING && name->n > 0 &&
                 map_get(&p->zone_map, value_text(name), &zone);
    return part && (named == NULL || known);
}

// Does the node give what its type says whenever it gives something? A null may stand for a value where a
// type was found for several, and in what holds others.
static bool is_of_its_kind(const struct node *node)
{
    static const bool PASSES[OP_COUNT] = {
        [OP_COND] = true,  [OP_FIELD] = true,    [OP_OPT_FIELD] = true, [OP_OR_OPT] = true,
        [OP_LOCAL] = true, [OP_OR_VALUE] = true, [OP_COMP] = true,
    };
    static const enum func_id HANDS_ON[] = {F_INDEX, F_OPT_INDEX, F_DYN, F_OPT_VALUE, F_MATH_MAX, F_MATH_MIN};
    bool passes = PASSES[node->op] || node->kind == VALUE_NULL || node->kind == VALUE_ERROR;
    for (size_t i = 0; node->op == OP_CALL && i < COUNT_OF(HANDS_ON); i++) {
        passes = passes || node->c == HANDS_ON[i];
    }
    return !passes;
}

static void know_node(struct reason *r, uint32_t id, struct fact *fact)
{
    const struct node *node = &r->p->nodes[id];
    fact->kinds = is_of_its_kind(node) ? 1U << node->kind : ALL_KINDS;
    fact->bad = node->op != OP_NOW && !is_part_of_now(r->p, node);
    fact->nan = true;
    know_call(r, node, fact);
    know_signal(r, node, fact);
}

// The text that a rule's list of actions or resources is held against.
static void know_asked(struct fact *fact)
{
    fact->kinds = 1U << VALUE_STRING;
    fact->missing = true;
}

static void know(struct reason *r, uint32_t term, struct fact *fact)
{
    uint32_t nodes = r->p->slot_count, asked = nodes + r->p->node_count;
    *fact = (struct fact){.claims = FACTS_NONE, .spans = SPANS_ALL};
    if (term < nodes) {
        know_slot(r, term, fact);
    } else if (term < asked) {
        know_node(r, term - nodes, fact);
    } else if (term < asked + 2) {
        know_asked(fact);
    } else if (r->pairs[term - asked - 2].kind == PAIR_DIFFERENCE) {
        fact->kinds = 1U << VALUE_DURATION;
        fact->bad = true;
    } else {
        fact->kinds = UINT32_MAX;
    }
}

// ---- Changing it ------------------------------------------------------------------------------------

static struct fact *fact_at(struct reason *r, uint32_t term)
{
    if (r->fact_of[term] != FACTS_NONE) {
        return &r->facts[r->fact_of[term]];
    }
    void *list = r->facts;
    bool room = facts_room(&list, &r->fact_cap, r->fact_count, sizeof *r->facts);
    r->facts = list;
    if (!room) {
        r->failed = true;
        return NULL;
    }
    struct fact fact;
    know(r, term, &fact);
    r->facts[r->fact_count] = fact;
    r->fact_of[term] = r->fact_count;
    return &r->facts[r->fact_count++];
}

const struct fact *facts_of(struct reason *r, uint32_t term)
{
    return fact_at(r, term);
}

struct fact *facts_change(struct reason *r, uint32_t term)
{
    struct fact *fact = fact_at(r, term);
    void *saved = r->saved, *trail = r->trail;
    bool room = fact != NULL && facts_room(&saved, &r->saved_cap, r->saved_count, sizeof *r->saved);
    r->saved = saved;
    room = room && facts_room(&trail, &r->trail_cap, r->trail_count, sizeof *r->trail);
    r->trail = trail;
    if (!room) {
        r->failed = true;
        return NULL;
    }
    r->saved[r->saved_count++] = *fact;
    r->trail[r->trail_count++] = (struct undo){.at = term};
    return fact;
}

static bool number_left(const struct fact *fact)
{
    uint32_t numbers = fact->kinds & SPAN_KINDS[SPAN_NUMBER];
    if ((numbers & 1U << VALUE_DOUBLE) != 0) {
        return true;
    }
    return spans_hold_integer(&fact->spans, numbers == 1U << VALUE_UINT);
}

void facts_settle(struct reason *r, struct fact *fact)
{
    bool numbers = fact->group == SPAN_NUMBER && (fact->kinds & SPAN_KINDS[SPAN_NUMBER]) != 0;
    if (numbers && (fact->spans.count == 0 || !number_left(fact))) {
        bool nan = fact->nan && (fact->kinds & 1U << VALUE_DOUBLE) != 0;
        fact->kinds &= ~SPAN_KINDS[SPAN_NUMBER];
        fact->kinds |= nan ? 1U << VALUE_DOUBLE : 0;
    } else if (fact->group != SPAN_NONE && fact->spans.count == 0) {
        fact->kinds &= ~SPAN_KINDS[fact->group];
    }
    if (fact->kinds == 0 && !fact->missing && !fact->bad) {
        r->refuted = true;
    }
}

// Two groups at once are more than is kept: what is said of the second is not known then.
void facts_narrow(struct fact *fact, enum span_group group, const struct spans *to)
{
    if (fact->group != SPAN_NONE && fact->group != group) {
        if ((fact->kinds & SPAN_KINDS[fact->group]) != 0) {
            return;
        }
        fact->spans = SPANS_ALL;
    }
    struct spans both;
    if (spans_both(&fact->spans, to, &both)) {
        fact->spans = both;
        fact->group = (uint8_t)group;
    }
}

void facts_claim(struct reason *r, struct fact *fact, const struct claim *claim)
{
    const struct claim *all[CLAIMS_MOST + 1];
    size_t count = 0;
    void *list = r->claims;
    bool room = fact->claim_count < CLAIMS_MOST &&
                facts_room(&list, &r->claim_cap, r->claim_count, sizeof *r->claims);
    r->claims = list;
    if (!room || (fact->kinds & 1U << claim->about) == 0) {
        return;
    }
    r->claims[r->claim_count] = (struct fact_claim){*claim, fact->claims};
    fact->claims = r->claim_count++;
    fact->claim_count++;
    for (uint32_t i = fact->claims; i != FACTS_NONE; i = r->claims[i].before) {
        if (r->claims[i].claim.about == claim->about) {
            all[count++] = &r->claims[i].claim;
        }
    }
    if (fact->has_first && fact->first.about == claim->about) {
        all[count++] = &fact->first;
    }
    for (size_t i = 0; i < count / 2; i++) { // the last one last
        const struct claim *swap = all[i];
        all[i] = all[count - 1 - i];
        all[count - 1 - i] = swap;
    }
    r->effort -= (int64_t)count;
    if (!claims_agree(all, count, r->regex, &r->arena)) {
        fact->kinds &= ~(1U << claim->about);
    }
    arena_reset(&r->arena);
}
