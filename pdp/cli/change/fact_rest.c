// SPDX-License-Identifier: Apache-2.0
// Facts of what is no policy: lists, limits of sessions, risk, schema, entities.
#include "cli/change/fact.h"

#include "base/time.h"
#include "model/parts.h"
#include "policy/conditions.h"
#include "risk/model.h"

#include <stdio.h>
#include <stdlib.h>

// ---- Lists -------------------------------------------------------------------------------------------

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static size_t most_of(const struct lists_set *set)
{
    size_t countries = set->head.kind == CEL_SET_COUNTRY ? LISTS_COUNTRIES : 0;
    return set->entries + set->v4.levels[0].count + set->v6.levels[0].count + set->asns.levels[0].count +
           countries + 1;
}

static void take_strings(const struct lists_set *set, struct str *list, uint32_t *count)
{
    for (uint32_t at = 0; at < set->strings.block_len;) {
        const unsigned char *entry = set->strings.block + at;
        size_t len = (size_t)entry[0] | (size_t)entry[1] << 8;
        list[(*count)++] = (struct str){(const char *)entry + 2, len};
        at += 2 + (uint32_t)len;
    }
}

static void take_v4(struct side *side, const struct lists_set *set, struct str *list, uint32_t *count)
{
    for (uint32_t i = 0; set->v4.height > 0 && i < set->v4.levels[0].count; i++) {
        uint32_t base = set->v4.levels[0].keys[i];
        list[(*count)++] = arena_printf(&side->arena, "%u.%u.%u.%u/%u", base >> 24, base >> 16 & 255,
                                        base >> 8 & 255, base & 255, set->v4_bits[i]);
    }
}

static void take_v6(struct side *side, const struct lists_set *set, struct str *list, uint32_t *count)
{
    for (uint32_t i = 0; set->v6.height > 0 && i < set->v6.levels[0].count; i++) {
        struct rank_key128 base = set->v6.levels[0].keys[i];
        struct ip ip = {0};
        AUTO(buf_fini) struct buf text = {0};
        for (unsigned k = 0; k < 8; k++) {
            ip.bytes[k] = (unsigned char)(base.hi >> (56 - 8 * k));
            ip.bytes[8 + k] = (unsigned char)(base.lo >> (56 - 8 * k));
        }
        ip_print(&text, &ip);
        buf_printf(&text, "/%u", set->v6_bits[i]);
        list[(*count)++] = arena_str(&side->arena, buf_view(&text), NULL);
    }
}

static void take_rest(struct side *side, const struct lists_set *set, struct str *list, uint32_t *count)
{
    for (uint32_t i = 0; set->asns.height > 0 && i < set->asns.levels[0].count; i++) {
        list[(*count)++] = arena_printf(&side->arena, "AS%u", set->asns.levels[0].keys[i]);
    }
    for (uint32_t i = 0; set->head.kind == CEL_SET_COUNTRY && i < LISTS_COUNTRIES; i++) {
        if ((set->countries[i / 64] >> (i % 64) & 1) != 0) {
            list[(*count)++] = arena_printf(&side->arena, "%c%c", 'A' + (int)(i / 26), 'A' + (int)(i % 26));
        }
    }
}

bool fact_members(struct side *side, const struct lists_set *set, struct str **out, uint32_t *count)
{
    *count = 0;
    *out = ARENA_ARRAY(&side->arena, struct str, most_of(set));
    if (*out == NULL) {
        return false;
    }
    take_strings(set, *out, count);
    take_v4(side, set, *out, count);
    take_v6(side, set, *out, count);
    take_rest(side, set, *out, count);
    if (*count > 0) {
        qsort(*out, *count, sizeof **out, by_text);
    }
    return true;
}

static void list_age(struct side *side, const struct lists_set *set, struct fact fact)
{
    AUTO(buf_fini) struct buf text = {0};
    fact.aspect = "age";
    if (set->head.max_age_ms == 0) {
        buf_str(&text, STR("never stale"));
    } else {
        buf_str(&text, STR("stale after "));
        fact_span(&text, set->head.max_age_ms);
        buf_printf(&text, ", updated %lld ms", (long long)set->updated_ms);
    }
    fact_add_buf(side, fact, &text);
    fact.aspect = "version";
    fact.words = true;
    fact.text = set->version;
    fact_add(side, fact);
}

void facts_of_lists(struct side *side)
{
    static const char *const KINDS[] = {[CEL_SET_STRING] = "strings",
                                        [CEL_SET_CIDR] = "networks",
                                        [CEL_SET_COUNTRY] = "countries",
                                        [CEL_SET_ASN] = "AS numbers"};
    for (size_t i = 0; i < side->parts.lists->count; i++) {
        const struct lists_set *set = side->parts.lists->at[i];
        struct policy_list_facts told;
        struct str *members = NULL;
        if (set == NULL || !policy_list_describe(side->parts.lists, (uint32_t)i, 0, &told)) {
            continue;
        }
        struct fact fact = {.kind = FACT_LIST, .name = set->head.name, .number = (uint32_t)i};
        fact.aspect = "type";
        fact_addf(side, fact, "%s%s%s%s", KINDS[set->head.kind], told.network != NULL ? ", network " : "",
                  told.network != NULL ? told.network : "", set->missing ? ", lost" : "");
        list_age(side, set, fact);
        fact.aspect = "entries";
        fact.form = FACT_SET;
        side->failed = !fact_members(side, set, &members, &fact.member_count) || side->failed;
        fact.members = members;
        fact_add(side, fact);
    }
}

// ---- Sessions ----------------------------------------------------------------------------------------

static void session_limit(struct side *side, struct fact fact, const char *aspect, int64_t ms,
                          const char *does)
{
    AUTO(buf_fini) struct buf text = {0};
    fact.aspect = aspect;
    if (ms == 0) {
        buf_str(&text, STR("not said"));
    } else {
        fact_span(&text, ms);
        buf_str(&text, str_of(does));
    }
    fact_add_buf(side, fact, &text);
}

void facts_of_sessions(struct side *side)
{
    struct session_stated stated;
    for (size_t i = 0; session_policies_at(side->parts.sessions, i, &stated); i++) {
        struct fact fact = {.kind = FACT_SESSION, .name = stated.name, .number = (uint32_t)i};
        fact.aspect = "target";
        fact.form = FACT_EXPR;
        fact.expr = stated.target;
        fact.text = fact_condition(side, POLICY_OWNER_SESSION, stated.name, stated.target);
        fact_add(side, fact);
        fact.form = FACT_TEXT;
        session_limit(side, fact, "idle", stated.idle_ms,
                      stated.idle_asks ? ", then a step-up" : ", then the end");
        session_limit(side, fact, "absolute", stated.absolute_ms,
                      stated.absolute_asks ? ", then a step-up" : ", then the end");
        session_limit(side, fact, "reauthentication", stated.reauthentication_ms, ", then a step-up");
        session_limit(side, fact, "renewal", stated.renew_ms, "");
        session_limit(side, fact, "overlap", stated.overlap_ms, "");
        session_limit(side, fact, "remembers devices", stated.remember_ms, "");
        fact.aspect = "first sight";
        fact.text = str_of(stated.first_sight != NULL ? stated.first_sight : "not said");
        fact_add(side, fact);
        fact.aspect = "concurrent";
        fact_addf(side, fact, "%u%s", stated.concurrent,
                  stated.concurrent == 0 ? ": any number"
                  : stated.ends_oldest   ? ", then the oldest ends"
                                         : "");
    }
}

// ---- Risk --------------------------------------------------------------------------------------------

static void signal_params(const struct signal_row *row, const struct signal_rule *rule, struct buf *out)
{
    for (size_t i = 0; i < SIGNAL_PARAMS && row->params[i].name != NULL; i++) {
        buf_printf(out, ", %s ", row->params[i].name);
        fact_number(out, rule->params[i]);
    }
    const double *weights = rule->weights;
    const double *usual = row->builtin.weights;
    for (size_t i = 0; weights != NULL && usual != NULL && i < SIGHT_COMPONENTS; i++) {
        if (weights[i] < usual[i] || weights[i] > usual[i]) {
            buf_printf(out, ", weight of %s ", parts_name((enum sight_component)i));
            fact_number(out, weights[i]);
        }
    }
}

static bool is_off(const struct signal_rule *rule)
{
    return !(rule->evidence > 0) && !(rule->cap > 0) && rule->on_missing != MISSING_DENY;
}

static void put_signal(const struct signal_row *row, const struct signal_rule *rule, struct buf *out)
{
    static const char *const ON_MISSING[] = {[MISSING_SKIP] = ", missing: skip",
                                             [MISSING_SCORE] = ", missing: score",
                                             [MISSING_DENY] = ", missing: deny",
                                             [MISSING_CANNOT] = ""};
    buf_str(out, STR("evidence "));
    fact_number(out, rule->evidence);
    buf_str(out, STR(", cap "));
    fact_number(out, rule->cap);
    buf_str(out, STR(", half-life "));
    fact_span(out, rule->half_life_ms);
    buf_str(out, str_of(ON_MISSING[rule->on_missing]));
    if (rule->on_missing == MISSING_SCORE) {
        buf_byte(out, ' ');
        fact_number(out, rule->missing_evidence);
    }
    signal_params(row, rule, out);
}

static void facts_of_signals(struct side *side, const struct risk_model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        AUTO(buf_fini) struct buf text = {0};
        const struct signal_row *row = model_row(model, i);
        const struct signal_own *own = model_own(model, i);
        struct fact fact = {.kind = FACT_SIGNAL, .name = row->id, .number = (uint32_t)i, .aspect = "weight"};
        bool fed = i == SIGNAL_STEP_UP_PASSED || i == SIGNAL_OTHER_SESSIONS; // say more than their evidence
        if (own == NULL && !fed && is_off(&model->rules[i])) {
            continue;
        }
        put_signal(row, &model->rules[i], &text);
        fact.text = arena_str(&side->arena, buf_view(&text), NULL);
        fact_add(side, fact);
        if (own != NULL) {
            fact.aspect = "condition";
            fact.form = FACT_EXPR;
            fact.expr = own->when;
            fact.text = fact_condition(side, POLICY_OWNER_SIGNAL, row->id, own->when);
            fact_add(side, fact);
            fact = (struct fact){
                .kind = FACT_SIGNAL, .name = row->id, .number = (uint32_t)i, .aspect = "says", .words = true};
            fact.text = own->because;
            fact_add(side, fact);
        }
    }
}

void facts_of_risk(struct side *side)
{
    static const char *const EDGES[MODEL_EDGES] = {"medium begins at", "high begins at",
                                                   "critical begins at"};
    const struct risk_model *model = side->parts.risk;
    struct fact fact = {.kind = FACT_RISK, .name = STR("the risk model"), .aspect = "prior"};
    AUTO(buf_fini) struct buf text = {0};
    fact_number(&text, model->prior);
    fact_add_buf(side, fact, &text);
    fact.aspect = "calibration";
    buf_str(&text, STR("a "));
    fact_number(&text, model->scale);
    buf_str(&text, STR(", b "));
    fact_number(&text, model->shift);
    fact_add_buf(side, fact, &text);
    fact.aspect = "hysteresis";
    fact_number(&text, model->hysteresis);
    fact_add_buf(side, fact, &text);
    for (size_t i = 0; i < MODEL_EDGES; i++) {
        fact.aspect = EDGES[i];
        bool budget = i == 0 && model->budget > 0;
        buf_str(&text, budget ? STR("a budget of ") : STR(""));
        fact_number(&text, budget ? model->budget * 100 : model->thresholds[i]);
        if (budget) {
            buf_str(&text, STR(" %, not below "));
            fact_number(&text, model->least);
        }
        fact_add_buf(side, fact, &text);
    }
    for (size_t i = 0; i < model->proof_count && i < side->parts.names->strength_count; i++) {
        buf_printf(&text, "%s" STR_FMT " ", i > 0 ? ", " : "", STR_ARG(side->parts.names->strengths[i]));
        fact_number(&text, model->proofs[i]);
    }
    fact.aspect = "proofs take away";
    fact_add_buf(side, fact, &text);
    facts_of_signals(side, model);
}

// ---- Schema and entities -----------------------------------------------------------------------------

static void schema_line(struct side *side, struct str line)
{
    struct str head = STR("attribute ");
    size_t colon = str_find(line, STR(": "), 0);
    if (str_starts(line, head) && colon != SIZE_MAX) {
        struct fact fact = {.kind = FACT_SCHEMA, .aspect = "declared"};
        fact.name = arena_str(&side->arena, str_sub(line, head.len, colon - head.len), NULL);
        fact.text = arena_str(&side->arena, str_sub(line, colon + 2, line.len), NULL);
        fact_add(side, fact);
    } else if (str_starts(line, STR("closed "))) {
        fact_add(side, (struct fact){.kind = FACT_SCHEMA,
                                     .name = STR("closed"),
                                     .aspect = "roots",
                                     .words = true,
                                     .text = arena_str(&side->arena, str_sub(line, 7, line.len), NULL)});
    }
}

void facts_of_schema(struct side *side)
{
    AUTO(buf_fini) struct buf text = {0};
    policy_schema_print(side->parts.schema, &text);
    side->failed = side->failed || text.failed;
    for (size_t from = 0; from < text.len;) {
        size_t end = str_find_byte(buf_view(&text), '\n', from);
        schema_line(side, str_sub(buf_view(&text), from, end - from));
        from = end + 1;
    }
}

static void take_entities(struct side *side, const struct entity *list, uint32_t count, struct fact fact)
{
    struct str *members = ARENA_ARRAY(&side->arena, struct str, count + 1);
    fact.form = FACT_SET;
    for (uint32_t i = 0; members != NULL && i < count; i++) {
        AUTO(buf_fini) struct buf text = {0};
        buf_escaped(&text, list[i].id);
        if (list[i].properties != NULL) { // values may be sensitive: their hash tells that they differ
            AUTO(buf_fini) struct buf stored = {0};
            fact_value(&stored, list[i].properties);
            uint64_t hash = hash_64((struct hash_key){1, 2}, stored.at, stored.len);
            buf_printf(&text, " with properties %08x", (unsigned)(hash ^ hash >> 32));
        }
        buf_str(&text, list[i].fills ? STR(", fills") : STR(""));
        members[fact.member_count++] = arena_str(&side->arena, buf_view(&text), NULL);
    }
    side->failed = side->failed || members == NULL;
    if (fact.member_count > 0) {
        qsort(members, fact.member_count, sizeof *members, by_text);
    }
    fact.members = members;
    fact_add(side, fact);
}

void facts_of_entities(struct side *side)
{
    const struct entities *all = &side->parts.set->entities;
    for (uint32_t i = 0; i < all->type_count; i++) {
        const struct entities_type *type = &all->types[i];
        struct fact fact = {.kind = FACT_ENTITIES, .name = type->name, .number = i, .aspect = "ids"};
        AUTO(buf_fini) struct buf lists = {0};
        take_entities(side, type->ids, type->id_count, fact);
        fact.aspect = "actions";
        take_entities(side, type->actions, type->action_count, fact);
        for (uint32_t k = 0; k < type->list_count; k++) {
            const struct lists_set *set = side->parts.lists->at[type->lists[k].list];
            buf_printf(&lists, "%s" STR_FMT "%s", k > 0 ? ", " : "",
                       STR_ARG(set != NULL ? set->head.name : STR("?")),
                       type->lists[k].fills ? " that fills" : "");
        }
        fact.aspect = "lists";
        fact.text = arena_str(&side->arena, buf_view(&lists), NULL);
        fact_add(side, fact);
    }
}
