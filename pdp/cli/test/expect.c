// SPDX-License-Identifier: Apache-2.0
// The keys of `expect`, each to what it claims of an answer.
#include "cli/test/reading.h"

#include "base/time.h"
#include "cli/test/shapes.h"

const char *const SUITE_CLAIM_NAMES[SUITE_CLAIM_COUNT] = {
#define X(name, key) [SUITE_##name] = key,
    SUITE_CLAIM_LIST(X)
#undef X
};

#define NAMES_MOST 32 // of effects, codes, levels

struct reader {
    struct reading *r;
    const struct conf_node *node; // the value
    struct suite_claim *claims;
    size_t count;
};

static const char *const EFFECTS[] = {
#define X(name, text, rank) text,
    PDP_EFFECT_LIST(X)
#undef X
        NULL};
static const char *const CODES[] = {
#define X(name, text, meaning) text,
    PDP_CODE_LIST(X)
#undef X
        NULL};
static const char *const LEVELS[] = {"low", "medium", "high", "critical", NULL};

// ---- Shapes --------------------------------------------------------------------------------------

static struct suite_claim *add(struct reader *reader, enum suite_claim_kind kind)
{
    struct suite_claim *claim = &reader->claims[reader->count++];
    *claim = (struct suite_claim){.kind = kind, .place = reader->node->place};
    return claim;
}

static bool is_text(const struct conf_node *node)
{
    return node->kind == CONF_SCALAR;
}

// One text, or a list of them.
static bool texts_of(struct reader *reader, enum suite_claim_kind kind, const struct conf_node *const **items,
                     size_t *count)
{
    *items = &reader->node;
    *count = 1;
    if (reader->node->kind == CONF_LIST) {
        *items = reader->node->items;
        *count = reader->node->count;
    }
    for (size_t i = 0; i < *count; i++) {
        if (!is_text((*items)[i])) {
            reading_fail(reader->r, PDP_ERR_TYPE, (*items)[i]->place, "`%s` must be text, or a list of text",
                         SUITE_CLAIM_NAMES[kind]);
            return false;
        }
    }
    return true;
}

static struct str joined(struct reading *r, const struct str *texts, size_t count, const char *between)
{
    AUTO(buf_fini) struct buf out = {0};
    for (size_t i = 0; i < count; i++) {
        buf_str(&out, i > 0 ? str_of(between) : STR(""));
        buf_escaped(&out, texts[i]);
    }
    bool ok = true;
    struct str text = arena_str(r->arena, buf_view(&out), &ok);
    reading_note(r, ok && !out.failed ? PDP_ERR_OK : PDP_ERR_NOMEM);
    return text;
}

// One of a few names, or a list of which one holds.
static void read_any(struct reader *reader, enum suite_claim_kind kind, const char *const *names,
                     size_t count)
{
    struct str known[NAMES_MOST], said[NAMES_MOST];
    const struct conf_node *const *items = NULL;
    size_t item_count = 0, said_count = 0;
    uint32_t any = 0;
    if (!texts_of(reader, kind, &items, &item_count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        known[i] = str_of(names[i]);
    }
    for (size_t i = 0; i < item_count; i++) {
        size_t at = 0;
        while (at < count && !str_eq(known[at], items[i]->text)) {
            at++;
        }
        if (at < count && (any >> at & 1U) == 0) {
            any |= UINT32_C(1) << at;
            said[said_count++] = known[at];
        } else if (at == count) {
            reading_fail(reader->r, PDP_ERR_UNKNOWN, items[i]->place, "`%s` is never `" STR_FMT "`",
                         SUITE_CLAIM_NAMES[kind], STR_ARG(reading_shown(reader->r, items[i]->text)));
            reading_hint(reader->r, items[i]->text, known, count, "it is one of");
        }
    }
    if (item_count == 0) {
        reading_fail(reader->r, PDP_ERR_MISSING, reader->node->place, "`%s` is an empty list",
                     SUITE_CLAIM_NAMES[kind]);
        return;
    }
    if (said_count == count) {
        reading_fail(reader->r, PDP_ERR_RANGE, reader->node->place, "`%s` is always one of these",
                     SUITE_CLAIM_NAMES[kind]);
        diag_hint(reader->r->diags, "leave out what must not come, or the key");
        return;
    }
    struct suite_claim *claim = add(reader, kind);
    claim->any = any;
    claim->expected = joined(reader->r, said, said_count, " or ");
}

static bool number_of(const struct conf_node *node, double *out)
{
    return node->kind == CONF_SCALAR && !node->quoted && str_to_double(node->text, out);
}

// `[from, to]`; true where it is one.
static bool read_range(struct reader *reader, const char *what, double least, double most, double *from,
                       double *to)
{
    const struct conf_node *node = reader->node;
    bool pair = node->kind == CONF_LIST && node->count == 2 && number_of(node->items[0], from) &&
                number_of(node->items[1], to);
    if (!pair) {
        reading_fail(reader->r, PDP_ERR_TYPE, node->place, "`%s` must be a range", what);
        diag_hint(reader->r->diags, "such as `[60, 100]`; both ends belong to it");
    } else if (!(*from <= *to)) {
        reading_fail(reader->r, PDP_ERR_RANGE, node->place, "no number is in this range");
        diag_hint(reader->r->diags, "the lower end comes first");
    } else if (!(*from >= least && *to <= most)) {
        reading_fail(reader->r, PDP_ERR_RANGE, node->place, "a risk is a number from 0 to 100");
    } else {
        return true;
    }
    return false;
}

// ---- One reader a kind ---------------------------------------------------------------------------

static void read_effect(struct reader *reader, enum suite_claim_kind kind)
{
    read_any(reader, kind, EFFECTS, COUNT_OF(EFFECTS) - 1);
}

static void read_code(struct reader *reader, enum suite_claim_kind kind)
{
    read_any(reader, kind, CODES, COUNT_OF(CODES) - 1);
}

static void read_level(struct reader *reader, enum suite_claim_kind kind)
{
    read_any(reader, kind, LEVELS, COUNT_OF(LEVELS) - 1);
}

static void put_texts(struct reader *reader, enum suite_claim_kind kind, const char *between)
{
    const struct conf_node *const *items = NULL;
    size_t count = 0;
    if (!texts_of(reader, kind, &items, &count)) {
        return;
    }
    struct str *texts = reading_array(reader->r, count, sizeof *texts);
    const struct conf_node **nodes = reading_array(reader->r, count, sizeof *nodes);
    for (size_t i = 0; texts != NULL && nodes != NULL && i < count; i++) {
        texts[i] = items[i]->text;
        nodes[i] = items[i];
    }
    struct suite_claim *claim = add(reader, kind);
    claim->texts = texts;
    claim->nodes = nodes;
    claim->text_count = texts != NULL && nodes != NULL ? count : 0;
    claim->expected = joined(reader->r, texts, claim->text_count, between);
    claim->expected = count == 0 ? STR("none") : claim->expected;
}

// What is empty is found in everything.
static void read_parts(struct reader *reader, enum suite_claim_kind kind)
{
    const struct conf_node *const *items = NULL;
    size_t count = 0;
    if (!texts_of(reader, kind, &items, &count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (str_trim(items[i]->text).len == 0) {
            reading_fail(reader->r, PDP_ERR_MISSING, items[i]->place,
                         "`%s` has an empty text, which is part of every text", SUITE_CLAIM_NAMES[kind]);
            diag_hint(reader->r->diags, "write a word of what must be missing; `[]` says that nothing is");
            return;
        }
    }
    put_texts(reader, kind, ", ");
}

static void read_texts(struct reader *reader, enum suite_claim_kind kind)
{
    put_texts(reader, kind, ", ");
}

// One that is named, or a list of which one is.
static void read_either(struct reader *reader, enum suite_claim_kind kind)
{
    put_texts(reader, kind, " or ");
}

static void read_one_text(struct reader *reader, enum suite_claim_kind kind)
{
    if (!is_text(reader->node)) {
        reading_fail(reader->r, PDP_ERR_TYPE, reader->node->place, "`%s` must be one text",
                     SUITE_CLAIM_NAMES[kind]);
        return;
    }
    put_texts(reader, kind, "");
}

static void read_max_age(struct reader *reader, enum suite_claim_kind kind)
{
    int64_t ms = 0;
    if (!is_text(reader->node) || !conf_duration(reader->node->text, &ms) || ms < TIME_MS_PER_S) {
        reading_fail(reader->r, PDP_ERR_SYNTAX, reader->node->place,
                     "`max_age` must be a duration above zero");
        diag_hint(reader->r->diags, "such as `90s`, `15m` or `12h`");
        return;
    }
    struct suite_claim *claim = add(reader, kind);
    claim->max_age_s = ms / TIME_MS_PER_S;
    claim->expected = reader->node->text;
}

static void read_risk(struct reader *reader, enum suite_claim_kind kind)
{
    double from = 0, to = 0;
    if (!read_range(reader, "risk", 0, 100, &from, &to)) {
        return;
    }
    if (from <= 0 && to >= 100) {
        reading_fail(reader->r, PDP_ERR_RANGE, reader->node->place, "every score is in this range");
        diag_hint(reader->r->diags, "a score is from 0 to 100; narrow the range, or leave out `risk`");
    } else {
        struct suite_claim *claim = add(reader, kind);
        claim->ranged = true;
        claim->from = from;
        claim->to = to;
        claim->expected = arena_printf(reader->r->arena, "%g to %g", from, to);
    }
}

static bool truth_of(const struct conf_node *node, bool *out)
{
    bool plain = node->kind == CONF_SCALAR && !node->quoted;
    *out = plain && str_eq(node->text, STR("true"));
    return *out || (plain && str_eq(node->text, STR("false")));
}

static void read_signal(struct reader *reader, const struct conf_entry *entry)
{
    struct suite_claim claim = {.kind = SUITE_SIGNAL, .place = entry->key->place, .signal = entry->key->text};
    reader->node = entry->value;
    if (truth_of(entry->value, &claim.truth)) {
        claim.expected = claim.truth ? STR("in the ledger") : STR("not in the ledger");
    } else if (entry->value->kind != CONF_LIST) {
        reading_fail(reader->r, PDP_ERR_TYPE, entry->value->place,
                     "a signal is `true`, `false` or a range of its evidence");
        diag_hint(reader->r->diags,
                  "such as `[4, 6]`; `true` says that it is in the ledger, `false` that it is not");
        return;
    } else if (read_range(reader, "signals", -1000, 1000, &claim.from, &claim.to)) {
        claim.ranged = true;
        claim.expected = arena_printf(reader->r->arena, "%g to %g", claim.from, claim.to);
    } else {
        return;
    }
    reader->claims[reader->count++] = claim;
}

static void read_signals(struct reader *reader, enum suite_claim_kind kind)
{
    const struct conf_node *map = reader->node;
    if (map->kind != CONF_MAP) {
        reading_fail(reader->r, PDP_ERR_TYPE, map->place, "`%s` must be a mapping of signals",
                     SUITE_CLAIM_NAMES[kind]);
        diag_hint(reader->r->diags, "such as `signals: {impossible-travel: true}`");
        return;
    }
    if (map->count == 0) {
        reading_fail(reader->r, PDP_ERR_MISSING, map->place, "`%s` names no signal", SUITE_CLAIM_NAMES[kind]);
        diag_hint(reader->r->diags, "such as `signals: {impossible-travel: true}`");
    }
    for (size_t i = 0; i < map->count; i++) {
        read_signal(reader, &map->entries[i]);
    }
}

static void read_truth(struct reader *reader, enum suite_claim_kind kind)
{
    bool truth = false;
    if (!truth_of(reader->node, &truth)) {
        reading_fail(reader->r, PDP_ERR_TYPE, reader->node->place, "`%s` is `true` or `false`",
                     SUITE_CLAIM_NAMES[kind]);
        return;
    }
    struct suite_claim *claim = add(reader, kind);
    claim->truth = truth;
    claim->expected = truth ? STR("true") : STR("false");
}

enum {
    OF_QUESTION = 1 << EXPECT_OF_QUESTION,
    OF_EVENT = 1 << EXPECT_OF_EVENT,
    OF_ORDER = 1 << EXPECT_OF_ORDER,
    OF_BOTH = OF_QUESTION | OF_EVENT
};
static const struct {
    void (*read)(struct reader *reader, enum suite_claim_kind kind);
    int of;
} KEYS[SUITE_CLAIM_COUNT] = {
    [SUITE_EFFECT] = {read_effect, OF_QUESTION},
    [SUITE_CODE] = {read_code, OF_BOTH},
    [SUITE_RULE] = {read_either, OF_QUESTION},
    [SUITE_RULES] = {read_texts, OF_QUESTION},
    [SUITE_STRENGTH] = {read_one_text, OF_QUESTION},
    [SUITE_MAX_AGE] = {read_max_age, OF_QUESTION},
    [SUITE_RISK] = {read_risk, OF_BOTH},
    [SUITE_LEVEL] = {read_level, OF_BOTH},
    [SUITE_SIGNAL] = {read_signals, OF_QUESTION},
    [SUITE_OBLIGATIONS] = {read_texts, OF_QUESTION},
    [SUITE_EXCEPTIONS] = {read_texts, OF_QUESTION},
    [SUITE_MISSING] = {read_parts, OF_BOTH},
    [SUITE_MESSAGE] = {read_one_text, OF_BOTH},
    [SUITE_REASON] = {read_one_text, OF_QUESTION},
    [SUITE_RECORDED] = {read_truth, OF_EVENT},
    [SUITE_OK] = {read_truth, OF_ORDER},
    [SUITE_ERROR] = {read_texts, OF_ORDER},
};
static const char *const OF_WORDS[] = {"a question", "an event", "an order"};

// What each is called, and what it is for; read by KEYS.
static const struct conf_field FIELDS[SUITE_CLAIM_COUNT] = {
    [SUITE_EFFECT] = {"effect", CONF_TEXTS, false, 0, EFFECTS, 0, 0,
                      "the answer's effect; of a list, one of these"},
    [SUITE_CODE] = {"code", CONF_TEXTS, false, 0, CODES, 0, 0, "the answer's code; of a list, one of these"},
    [SUITE_RULE] = {"rule", CONF_TEXTS, false, 0, NULL, 0, 0,
                    "the rule that is named, the first that decided"},
    [SUITE_RULES] = {"rules", CONF_TEXTS, false, 0, NULL, 0, 0, "all rules that decided, in any order"},
    [SUITE_STRENGTH] = {"strength", CONF_TEXT, false, 0, NULL, 0, 0, "what a step_up requires"},
    [SUITE_MAX_AGE] = {"max_age", CONF_DURATION, false, 0, NULL, 0, 0,
                       "how old the proof may be that a step_up requires"},
    [SUITE_RISK] = {"risk", CONF_SEQUENCE, false, 0, NULL, 0, 0, "between which numbers the score is"},
    [SUITE_LEVEL] = {"level", CONF_TEXTS, false, 0, LEVELS, 0, 0,
                     "the level of risk; of a list, one of these"},
    [SUITE_SIGNAL] = {"signals", CONF_MAPPING, false, 0, NULL, 0, 0,
                      "what the ledger holds: evidence by signal"},
    [SUITE_OBLIGATIONS] = {"obligations", CONF_TEXTS, false, 0, NULL, 0, 0,
                           "types of all obligations, in any order"},
    [SUITE_EXCEPTIONS] = {"exceptions", CONF_TEXTS, false, 0, NULL, 0, 0,
                          "all exceptions that lifted something, in any order"},
    [SUITE_MISSING] = {"missing", CONF_TEXTS, false, 0, NULL, 0, 0,
                       "words that `missing` holds, each in one of its texts"},
    [SUITE_MESSAGE] = {"message", CONF_TEXT, false, 0, NULL, 0, 0, "what the user is told"},
    [SUITE_REASON] = {"reason", CONF_TEXT, false, 0, NULL, 0, 0, "what the administrator is told"},
    [SUITE_RECORDED] = {"recorded", CONF_BOOL, false, 0, NULL, 0, 0, "of an event: was it taken?"},
    [SUITE_OK] = {"ok", CONF_BOOL, false, 0, NULL, 0, 0, "of an order: was it carried out?"},
    [SUITE_ERROR] = {"error", CONF_TEXTS, false, 0, NULL, 0, 0,
                     "of an order: words that its error holds, all of them"},
};
static const struct conf_nest NESTS[] = {
    {"effect", CONF_FORM_CHOICES, NULL}, {"code", CONF_FORM_CHOICES, NULL},
    {"level", CONF_FORM_CHOICES, NULL},  {"risk", CONF_FORM_RANGE, NULL},
    {"signals", CONF_FORM_RANGES, NULL},
};
const struct conf_shape SHAPE_EXPECT = {"expect", FIELDS, COUNT_OF(FIELDS), NESTS, COUNT_OF(NESTS), NULL, 0};

// ---- All of it -----------------------------------------------------------------------------------

static size_t most_claims(const struct conf_node *map)
{
    const struct conf_node *signals = conf_get(map, "signals");
    return map->count + (signals != NULL ? signals->count : 0);
}

static void unknown_key(struct reading *r, const struct conf_node *key, enum expect_of of)
{
    struct str names[SUITE_CLAIM_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < SUITE_CLAIM_COUNT; i++) {
        if ((KEYS[i].of & 1 << of) != 0) {
            names[count++] = str_of(SUITE_CLAIM_NAMES[i]);
        }
    }
    reading_fail(r, PDP_ERR_UNKNOWN, key->place, "`expect` of %s has no key `" STR_FMT "`", OF_WORDS[of],
                 STR_ARG(reading_shown(r, key->text)));
    reading_hint(r, key->text, names, count, "its keys are");
}

static void read_entry(struct reader *reader, const struct conf_entry *entry, enum expect_of of)
{
    for (size_t i = 0; i < SUITE_CLAIM_COUNT; i++) {
        if ((KEYS[i].of & 1 << of) != 0 && str_eq(entry->key->text, str_of(SUITE_CLAIM_NAMES[i]))) {
            reader->node = entry->value;
            KEYS[i].read(reader, (enum suite_claim_kind)i);
            return;
        }
    }
    unknown_key(reader->r, entry->key, of);
}

void expect_read(struct reading *r, const struct conf_node *map, enum expect_of of, struct expectation *out)
{
    *out = (struct expectation){0};
    if (map->kind != CONF_MAP || map->count == 0) {
        reading_fail(r, map->kind != CONF_MAP ? PDP_ERR_TYPE : PDP_ERR_MISSING, map->place,
                     "`expect` must be a mapping that expects something");
        diag_hint(r->diags, "such as `expect: {effect: allow}`");
        return;
    }
    struct reader reader = {.r = r, .claims = reading_array(r, most_claims(map), sizeof(struct suite_claim))};
    for (size_t i = 0; reader.claims != NULL && i < map->count; i++) {
        read_entry(&reader, &map->entries[i], of);
    }
    *out = (struct expectation){reader.claims, reader.count};
}

void expect_effect(struct reading *r, const struct conf_node *node, struct expectation *out)
{
    struct reader reader = {.r = r, .node = node, .claims = reading_array(r, 1, sizeof(struct suite_claim))};
    *out = (struct expectation){0};
    if (reader.claims != NULL) {
        read_effect(&reader, SUITE_EFFECT);
        *out = (struct expectation){reader.claims, reader.count};
    }
}
