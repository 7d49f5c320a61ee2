// SPDX-License-Identifier: Apache-2.0
// `own` of a RiskModel: signals that are conditions.
#include "base/hash.h"
#include "risk/model.h"
#include "risk/shapes.h"

#define NO_EXPR UINT32_MAX
#define HOUR_MS INT64_C(3600000)
#define HALF_LIFE_MOST_MS (INT64_C(365) * 24 * HOUR_MS)

// The numbers under which they are remembered: above all of the table, the same in every process.
static const uint64_t SLOT_FIRST = 256, SLOT_LAST = 65534;

struct reader {
    struct cel_program *program;
    struct arena *arena;
    struct diags *diags;
    struct risk_model *model;
    enum pdp_err first; // of all mistakes
};

// One as it is written.
struct entry {
    struct str id, because;
    const struct conf_node *when;
    double evidence, cap; // cap -1: not given
    int64_t half_life_ms;
    int kind, on_missing;
};

static const char *const CLASSES[] = {"session", "source", "external", "familiarity", NULL}; // signal_class
static const char *const ON_MISSING[] = {"skip", "score", "deny", NULL};                     // signal_missing

static const struct conf_field FIELDS[] = {
    {"id", CONF_ID, true, offsetof(struct entry, id), NULL, 0, 0, "its name in `risk.signals`"},
    {"when", CONF_EXPR, true, offsetof(struct entry, when), NULL, 0, 0, "the condition"},
    {"evidence", CONF_NUMBER, true, offsetof(struct entry, evidence), NULL, 0, 20, "log-odds where it holds"},
    {"half_life", CONF_DURATION, false, offsetof(struct entry, half_life_ms), NULL, 1, HALF_LIFE_MOST_MS,
     "in which half of it is forgotten; 1h where it is not given"},
    {"cap", CONF_NUMBER, false, offsetof(struct entry, cap), NULL, 0, 20, "the most it may count for"},
    {"class", CONF_CHOICE, false, offsetof(struct entry, kind), CLASSES, 0, 0,
     "what it speaks of; familiarity ends no session"},
    {"on_missing", CONF_CHOICE, true, offsetof(struct entry, on_missing), ON_MISSING, 0, 0,
     "where the condition cannot be told"},
    {"because", CONF_TEXT, false, offsetof(struct entry, because), NULL, 0, 0, "what an answer says of it"},
};
const struct conf_shape SHAPE_OWN = {"own", FIELDS, COUNT_OF(FIELDS), NULL, 0, NULL, 0};

static void note(struct reader *r, enum pdp_err err)
{
    r->first = r->first == PDP_ERR_OK ? err : r->first;
}

static struct place place_of(const struct conf_node *node, const char *key)
{
    const struct conf_node *at = conf_get(node, key);
    return at != NULL ? at->place : node->place;
}

// ---- Names -------------------------------------------------------------------------------------

static bool is_plain(struct str id)
{
    bool plain = true;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        plain &= (c >= 'a' && c <= 'z') || (i > 0 && ((c >= '0' && c <= '9') || c == '-'));
    }
    return plain;
}

static uint16_t slot_of(struct str id)
{
    static const struct hash_key KEY = {UINT64_C(0x7269736b), UINT64_C(0x6f776e)};
    return (uint16_t)(SLOT_FIRST + hash_64(KEY, id.at, id.len) % (SLOT_LAST - SLOT_FIRST + 1));
}

// No two signals may be taken for each other, by people or in what is remembered.
static void check_id(struct reader *r, struct place place, struct str id)
{
    if (!is_plain(id)) {
        note(r, diag_error(r->diags, PDP_ERR_SYNTAX, place,
                           "`" STR_FMT "` is no name of a signal: lower-case letters, digits and `-`",
                           STR_ARG(id)));
    }
    for (size_t i = 0; i < r->model->count; i++) {
        const struct signal_row *row = model_row(r->model, i);
        if (str_eq(row->id, id)) {
            note(r, diag_error(r->diags, PDP_ERR_DUPLICATE, place, "there is a signal `" STR_FMT "` already",
                               STR_ARG(id)));
            diag_hint(r->diags, i < SIGNAL_COUNT ? "it is built in: `signals` weighs it"
                                                 : "give this one another `id`");
        } else if (row->slot == slot_of(id)) {
            note(r, diag_error(r->diags, PDP_ERR_DUPLICATE, place,
                               "`" STR_FMT "` and `" STR_FMT "` would be remembered as one", STR_ARG(id),
                               STR_ARG(row->id)));
            diag_hint(r->diags, "rename one of them: the numbers of their names are the same by chance");
        }
    }
}

// ---- Conditions --------------------------------------------------------------------------------

static uint32_t read_when(struct reader *r, const struct conf_node *node, struct str id)
{
    const struct cel_text text = {node->text, conf_locate, (void *)(uintptr_t)node};
    uint32_t expr = NO_EXPR;
    uint64_t steps = 0;
    if (r->program == NULL) {
        return NO_EXPR;
    }
    note(r, cel_add(r->program, &text, CEL_BOOL, NULL, 0, CEL_NO_RISK, r->diags, &expr));
    if (expr == NO_EXPR) {
        return NO_EXPR;
    }
    struct str what = arena_printf(r->arena, "the signal `" STR_FMT "`", STR_ARG(id));
    note(r, what.at == NULL ? PDP_ERR_NOMEM : PDP_ERR_OK);
    note(r, cel_bound_check(r->program, expr, 0, node->place, what, r->diags, &steps));
    // What was missing once stays missing for the question.
    if (cel_reads(r->program, expr, STR("travel"))) {
        note(r, diag_error(r->diags, PDP_ERR_REFUSED, node->place,
                           "`travel` is not known yet where a signal is read"));
        diag_hint(r->diags, "`impossible-travel` among `signals` weighs it");
    }
    return expr;
}

// ---- One signal --------------------------------------------------------------------------------

static void check_weights(struct reader *r, const struct conf_node *node, const struct entry *entry)
{
    if (!(entry->evidence > 0)) {
        note(r, diag_error(r->diags, PDP_ERR_RANGE, place_of(node, "evidence"),
                           "`evidence` must be above 0: what counts nothing is left out"));
    }
    if (entry->cap >= 0 && entry->cap < entry->evidence) {
        diag_warning(r->diags, place_of(node, "cap"),
                     "`cap` is below `evidence`, which can never count in full");
    }
}

// Texts are copied: the model outlives what it was read from.
static void add(struct reader *r, const struct entry *entry, uint32_t when)
{
    size_t index = r->model->count - SIGNAL_COUNT;
    struct signal_own *own = &r->model->own[index];
    struct str id = arena_printf(r->arena, STR_FMT, STR_ARG(entry->id));
    own->because = entry->because.len > 0 ? arena_printf(r->arena, STR_FMT, STR_ARG(entry->because))
                                          : arena_printf(r->arena, "`" STR_FMT "` holds", STR_ARG(id));
    own->may = arena_printf(r->arena, "whether `" STR_FMT "` holds cannot be told", STR_ARG(id));
    if (id.at == NULL || own->because.at == NULL || own->may.at == NULL) {
        note(r, PDP_ERR_NOMEM);
        return;
    }
    own->row = (struct signal_row){.id = id,
                                   .kind = (enum signal_class)entry->kind,
                                   .group = GROUP_NONE,
                                   .slot = slot_of(id),
                                   .calm_slot = SLOT_NONE,
                                   .read = own_reading,
                                   .because = own_because};
    own->bit = UINT32_C(1) << index;
    own->when = when;
    r->model->rules[r->model->count++] =
        (struct signal_rule){.evidence = entry->evidence,
                             .cap = entry->cap < 0 ? entry->evidence : entry->cap,
                             .half_life_ms = entry->half_life_ms,
                             .on_missing = entry->on_missing,
                             .missing_evidence = entry->evidence};
}

static void read_one(struct reader *r, const struct conf_node *node)
{
    struct entry entry = {.cap = -1, .half_life_ms = HOUR_MS, .kind = SIGNAL_SESSION};
    enum pdp_err err =
        conf_read(node, FIELDS, COUNT_OF(FIELDS), "a signal of `own`", &entry, r->arena, r->diags);
    if (err != PDP_ERR_OK) {
        note(r, err);
        return;
    }
    check_id(r, place_of(node, "id"), entry.id);
    check_weights(r, node, &entry);
    add(r, &entry, read_when(r, entry.when, entry.id));
}

enum pdp_err own_read(const struct conf_node *list, struct cel_program *program, struct arena *arena,
                      struct diags *diags, struct risk_model *model)
{
    struct reader r = {program, arena, diags, model, PDP_ERR_OK};
    if (list->count > RISK_OWN_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, list->items[RISK_OWN_MAX]->place,
                          "more than %d signals in `own`", RISK_OWN_MAX);
    }
    for (size_t i = 0; i < list->count; i++) {
        read_one(&r, list->items[i]);
    }
    return r.first;
}
