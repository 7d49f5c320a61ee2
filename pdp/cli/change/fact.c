// SPDX-License-Identifier: Apache-2.0
#include "cli/change/fact.h"

#include "base/time.h"
#include "policy/conditions.h"
#include "wire/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CONDITION_MOST 2000 // bytes of one that is shown

const char *fact_word(enum fact_kind kind)
{
    static const char *const WORDS[] = {
#define X(name, word) word,
        FACT_KIND_LIST(X)
#undef X
    };
    return kind < FACT_KIND_COUNT ? WORDS[kind] : "change";
}

// ---- Adding ------------------------------------------------------------------------------------------

void fact_add(struct side *side, struct fact fact)
{
    if (side->count == side->cap) {
        size_t cap = side->cap == 0 ? 256 : side->cap * 2;
        struct fact *bigger = realloc(side->facts, cap * sizeof *bigger);
        if (bigger == NULL) {
            side->failed = true;
            return;
        }
        side->facts = bigger;
        side->cap = cap;
    }
    side->facts[side->count++] = fact;
}

void fact_addf(struct side *side, struct fact fact, const char *fmt, ...)
{
    AUTO(buf_fini) struct buf text = {0};
    char room[512];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(room, sizeof room, fmt, args);
    va_end(args);
    buf_put(&text, room, len < 0 ? 0 : (size_t)len < sizeof room ? (size_t)len : sizeof room - 1);
    fact.text = arena_str(&side->arena, buf_view(&text), NULL);
    fact_add(side, fact);
}

void fact_add_buf(struct side *side, struct fact fact, struct buf *text)
{
    fact.text = arena_str(&side->arena, buf_view(text), NULL);
    side->failed = side->failed || text->failed;
    fact_add(side, fact);
    buf_clear(text);
}

void fact_number(struct buf *out, double number)
{
    char text[40];
    double back = 0;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (str_to_double(str_of(text), &back) && !(back < number) && !(back > number)) {
            break;
        }
    }
    buf_str(out, str_of(text));
}

void fact_value(struct buf *out, const struct value *value)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_value(&emit, value);
}

void fact_span(struct buf *out, int64_t ms)
{
    bool whole = ms % TIME_MS_PER_S == 0;
    buf_printf(out, "%lld %s", (long long)(whole ? ms / TIME_MS_PER_S : ms), whole ? "s" : "ms");
}

// ---- Conditions as written ---------------------------------------------------------------------------

static void put_condition(const struct policy_condition *all, size_t count, size_t at, struct buf *out);

static void put_joined(const struct policy_condition *all, size_t count, size_t at, const char *word,
                       struct buf *out)
{
    bool any = false;
    for (size_t i = at + 1; i < count && all[i].owner == all[at].owner; i++) {
        if (all[i].parent == at) {
            buf_printf(out, "%s", any ? word : "");
            bool deep = all[i].op == CEL_PART_ANY || all[i].op == CEL_PART_ALL;
            buf_printf(out, "%s", deep ? "(" : "");
            put_condition(all, count, i, out);
            buf_printf(out, "%s", deep ? ")" : "");
            any = true;
        }
    }
}

static void put_condition(const struct policy_condition *all, size_t count, size_t at, struct buf *out)
{
    const struct policy_condition *condition = &all[at];
    if (out->len > CONDITION_MOST) {
        return;
    }
    if (condition->op == CEL_PART_ATOM) {
        buf_escaped(out, str_trim(condition->text));
    } else if (condition->op == CEL_PART_NOT) {
        buf_str(out, STR("!("));
        put_joined(all, count, at, "", out);
        buf_byte(out, ')');
    } else {
        put_joined(all, count, at, condition->op == CEL_PART_ALL ? " && " : " || ", out);
    }
}

struct str fact_program(struct side *side, uint32_t expr)
{
    AUTO(buf_fini) struct buf text = {0};
    cel_print(side->parts.program, expr, &text);
    return arena_str(&side->arena, str_sub(buf_view(&text), 0, CONDITION_MOST), NULL);
}

struct str fact_condition(struct side *side, enum policy_owner owner, struct str name, uint32_t expr)
{
    size_t count = 0;
    AUTO(buf_fini) struct buf text = {0};
    const struct policy_condition *all = policy_conditions(side->parts.set, &count);
    if (expr == SET_NO_EXPR) {
        return STR("always");
    }
    for (size_t i = 0; i < count; i++) {
        if (all[i].owner == owner && all[i].parent == UINT32_MAX && str_eq(all[i].name, name)) {
            put_condition(all, count, i, &text);
            break;
        }
    }
    if (text.len == 0) {
        return fact_program(side, expr);
    }
    struct str shown = str_sub(buf_view(&text), 0, CONDITION_MOST);
    return arena_str(&side->arena, shown, NULL);
}

// ---- A side ---------------------------------------------------------------------------------------------

static int by_name(const void *a, const void *b)
{
    const struct fact *one = a, *two = b;
    if (one->kind != two->kind) {
        return one->kind < two->kind ? -1 : 1;
    }
    int order = str_cmp(one->name, two->name);
    return order != 0 ? order : strcmp(one->aspect, two->aspect);
}

static void gather(struct side *side)
{
    facts_of_policies(side);
    facts_of_order(side);
    facts_of_lists(side);
    facts_of_sessions(side);
    facts_of_risk(side);
    facts_of_schema(side);
    facts_of_entities(side);
    if (side->count > 0) {
        qsort(side->facts, side->count, sizeof *side->facts, by_name);
    }
}

enum pdp_err side_init(struct side *side, const struct snapshot *snapshot)
{
    *side = (struct side){0};
    arena_init(&side->arena, 0, 0);
    snapshot_parts(snapshot, &side->parts);
    TRY(same_init(&side->same, side->parts.program));
    gather(side);
    return side->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

void side_fini(struct side *side)
{
    same_fini(&side->same);
    free(side->facts);
    arena_fini(&side->arena);
    *side = (struct side){0};
}
