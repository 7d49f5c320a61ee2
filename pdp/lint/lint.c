// SPDX-License-Identifier: Apache-2.0
#include "lint/inner.h"

#include "base/num.h"
#include "risk/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct lint_row LINT_ROWS[LINT_COUNT] = {
#define X(name, code, word, severity, line) \
    {{code, sizeof(code) - 1}, {word, sizeof(word) - 1}, LINT_SEVERITY_##severity, line},
    LINT_LIST(X)
#undef X
};

enum lint_code lint_code_of(struct str name)
{
    for (int i = 0; i < LINT_COUNT; i++) {
        if (str_eq(name, LINT_ROWS[i].code) || str_eq(name, LINT_ROWS[i].word)) {
            return (enum lint_code)i;
        }
    }
    return LINT_COUNT;
}

void lint_findings_init(struct lint_findings *findings)
{
    *findings = (struct lint_findings){.count = 0};
    arena_init(&findings->arena, 0, 0);
}

void lint_findings_fini(struct lint_findings *findings)
{
    free(findings->list);
    arena_fini(&findings->arena);
    *findings = (struct lint_findings){.count = 0};
}

// ---- For the finders --------------------------------------------------------------------------------

void *lint_array(struct lint *l, size_t count, size_t bytes)
{
    void *room = arena_zero(&l->arena, count + 1, bytes, _Alignof(max_align_t));
    l->err = room == NULL ? PDP_ERR_NOMEM : l->err;
    return room;
}

static PRINTF_LIKE(2, 0) struct str print(struct lint *l, const char *fmt, va_list args)
{
    char room[2048];
    int len = vsnprintf(room, sizeof room, fmt, args);
    size_t fits = len < 0 ? 0 : (size_t)num_min(len, (int64_t)sizeof room - 1);
    struct str said = {room, fits};
    bool ok = true;
    struct str kept = arena_str(&l->out->arena, said, &ok);
    l->err = ok ? l->err : PDP_ERR_NOMEM;
    return kept;
}

// Places are told in the caller's sources, whichever text they were read from.
static struct place own_place(const struct lint *l, struct place place)
{
    for (size_t i = 0; place.src != NULL && i < l->in->source_count; i++) {
        if (str_eq(l->in->sources[i].name, place.src->name)) {
            place.src = &l->in->sources[i];
            return place;
        }
    }
    return place;
}

struct lint_finding *lint_add(struct lint *l, enum lint_code code, struct place place, const char *fmt, ...)
{
    struct lint_findings *out = l->out;
    if (out->count == out->cap) {
        size_t cap = out->cap == 0 ? 16 : out->cap * 2;
        struct lint_finding *more = realloc(out->list, cap * sizeof *more);
        if (more == NULL) {
            l->err = PDP_ERR_NOMEM;
            return &l->lost;
        }
        out->list = more;
        out->cap = cap;
    }
    struct lint_finding *finding = &out->list[out->count++];
    va_list args;
    va_start(args, fmt);
    *finding = (struct lint_finding){.code = code,
                                     .place = own_place(l, place),
                                     .message = print(l, fmt, args),
                                     .rule = LINT_NONE,
                                     .other = LINT_NONE,
                                     .condition = LINT_NONE};
    va_end(args);
    return finding;
}

void lint_hint(struct lint *l, struct lint_finding *finding, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    finding->hint = print(l, fmt, args);
    va_end(args);
}

struct str lint_shown(struct lint *l, struct str text)
{
    enum {
        MOST = 120
    };
    AUTO(buf_fini) struct buf out = {0};
    size_t len = text.len < MOST ? text.len : MOST;
    while (len < text.len && len > 0 && ((unsigned char)text.at[len] & 0xC0) == 0x80) {
        len--;
    }
    for (size_t at = 0; at < len; at++) { // a condition may stand on several lines
        bool blank = text.at[at] == '\n' || text.at[at] == '\t' || text.at[at] == '\r';
        if (text.at[at] == '\\' || text.at[at] == '"') {
            buf_byte(&out, (unsigned char)text.at[at]);
        } else {
            buf_escaped(&out, blank ? STR(" ") : str_sub(text, at, 1));
        }
    }
    buf_str(&out, len < text.len ? STR("…") : STR(""));
    bool ok = !out.failed;
    struct str kept = arena_str(&l->arena, buf_view(&out), &ok);
    l->err = ok ? l->err : PDP_ERR_NOMEM;
    return kept;
}

const char *lint_effect_does(enum pdp_effect effect)
{
    static const char *const DOES[PDP_EFFECT_COUNT] = {
        [PDP_EFFECT_DENY] = "denies",
        [PDP_EFFECT_ALLOW] = "allows",
        [PDP_EFFECT_STEP_UP] = "asks for a step-up",
        [PDP_EFFECT_TERMINATE] = "terminates",
    };
    return (unsigned)effect < PDP_EFFECT_COUNT ? DOES[effect] : "denies";
}

// ---- Where things stand -----------------------------------------------------------------------------

bool lint_is_kind(const struct conf_doc *doc, const char *kind)
{
    const struct conf_node *node = conf_get(doc->root, "kind");
    return node != NULL && str_eq(node->text, str_of(kind));
}

struct str lint_doc_name(const struct conf_doc *doc)
{
    const struct conf_node *name = conf_get(conf_get(doc->root, "metadata"), "name");
    return name != NULL ? name->text : STR("");
}

static const struct conf_node *key_of(const struct conf_node *map, const char *key)
{
    for (size_t i = 0; map != NULL && map->kind == CONF_MAP && i < map->count; i++) {
        if (str_eq(map->entries[i].key->text, str_of(key))) {
            return map->entries[i].key;
        }
    }
    return NULL;
}

struct place lint_doc_place(const struct conf_node *root, const char *key)
{
    const struct conf_node *named = conf_get(conf_get(root, "metadata"), "name"), *found = key_of(root, key);
    found = found != NULL ? found : named != NULL ? named : root;
    return found->place;
}

struct place lint_rule_place(const struct lint *l, uint32_t rule, const char *key)
{
    const struct lint_rule *at = &l->rules[rule];
    if (at->rule == NULL) {
        return (struct place){0};
    }
    const struct conf_node *found = key != NULL ? key_of(at->rule, key) : NULL,
                           *id = conf_get(at->rule, "id");
    return found != NULL ? found->place : id != NULL ? id->place : at->rule->place;
}

static enum pdp_err read_docs(struct lint *l)
{
    if (l->in->docs != NULL) {
        l->docs = l->in->docs;
        l->doc_count = l->in->doc_count;
        return PDP_ERR_OK;
    }
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 1);
    struct conf_doc **of = lint_array(l, l->in->source_count, sizeof *of);
    size_t *counts = lint_array(l, l->in->source_count, sizeof *counts);
    for (size_t i = 0; l->err == PDP_ERR_OK && i < l->in->source_count; i++) {
        enum pdp_err err = conf_parse(&l->in->sources[i], &l->arena, &diags, &of[i], &counts[i]);
        l->err = err == PDP_ERR_NOMEM ? err : l->err; // what else is wrong was told when it was compiled
        l->doc_count += counts[i];
    }
    struct conf_doc *docs = lint_array(l, l->doc_count, sizeof *docs);
    l->docs = docs;
    size_t at = 0;
    for (size_t i = 0; l->err == PDP_ERR_OK && i < l->in->source_count; i++) {
        for (size_t k = 0; k < counts[i]; k++) {
            docs[at++] = of[i][k];
        }
    }
    return l->err;
}

static void find_rule(struct lint *l, const struct table *names, const struct conf_doc *doc,
                      const struct conf_node *node)
{
    const struct conf_node *id = conf_get(node, "id");
    if (id == NULL) {
        return;
    }
    struct str name =
        arena_printf(&l->arena, STR_FMT "/" STR_FMT, STR_ARG(lint_doc_name(doc)), STR_ARG(id->text));
    const uint32_t *rule = name.at != NULL ? table_get(names, name) : NULL;
    if (rule != NULL) {
        l->rules[*rule].document = doc->root;
        l->rules[*rule].rule = node;
    }
}

static void find_conditions(struct lint *l, const struct table *names, const struct table *policies)
{
    for (size_t i = 0; i < l->condition_count; i++) {
        const struct policy_condition *condition = &l->conditions[i];
        bool whole = condition->parent == LINT_NONE;
        const uint32_t *rule =
            whole && condition->owner == POLICY_OWNER_RULE ? table_get(names, condition->name) : NULL;
        const uint32_t *policy =
            whole && condition->owner == POLICY_OWNER_TARGET ? table_get(policies, condition->name) : NULL;
        if (rule != NULL) {
            l->rules[*rule].when = (uint32_t)i;
        } else if (policy != NULL) {
            l->targets[*policy] = (uint32_t)i;
        }
    }
}

static enum pdp_err find_places(struct lint *l)
{
    const struct policy_set *set = l->set;
    struct table names, policies;
    TRY(table_init(&names, set->rule_count, set->seed, &l->arena));
    TRY(table_init(&policies, set->policy_count, set->seed, &l->arena));
    uint32_t old = 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        (void)table_put(&names, set->rules[i].name, i, &old);
        l->rules[i].when = LINT_NONE;
    }
    for (uint32_t i = 0; i < set->policy_count; i++) {
        (void)table_put(&policies, set->policies[i].name, i, &old);
        l->targets[i] = LINT_NONE;
    }
    for (size_t i = 0; i < l->doc_count; i++) {
        const struct conf_node *rules = conf_get(l->docs[i].root, "rules");
        for (size_t k = 0; lint_is_kind(&l->docs[i], "Policy") && rules != NULL && k < rules->count; k++) {
            find_rule(l, &names, &l->docs[i], rules->items[k]);
        }
    }
    find_conditions(l, &names, &policies);
    return PDP_ERR_OK;
}

uint32_t lint_child(const struct lint *l, uint32_t condition)
{
    uint32_t next = condition + 1;
    return next < l->condition_count && l->conditions[next].parent == condition ? next : LINT_NONE;
}

uint32_t lint_next(const struct lint *l, uint32_t condition)
{
    uint32_t parent = l->conditions[condition].parent;
    for (uint32_t i = condition + 1; parent != LINT_NONE && i < l->condition_count; i++) {
        if (l->conditions[i].parent == parent) {
            return i;
        }
        if (l->conditions[i].parent == LINT_NONE || l->conditions[i].parent < parent) {
            break; // behind all that is within the parent
        }
    }
    return LINT_NONE;
}

uint32_t lint_session_scope(const struct lint *l, uint32_t condition)
{
    const struct source *src = l->conditions[condition].place.src;
    return src != NULL ? policy_scope(l->set, src->name) : SET_NO_EXPR;
}

bool lint_reads(const struct lint *l, uint32_t expr, const char *path)
{
    return expr != SET_NO_EXPR && cel_reads(l->program, expr, str_of(path));
}

bool lint_rule_reads(const struct lint *l, uint32_t rule, const char *path)
{
    const struct set_rule *of = &l->set->rules[rule];
    return lint_reads(l, of->when, path) || lint_reads(l, l->set->policies[of->policy].target, path);
}

void lint_assume_rule(struct lint *l, struct reason *reason, uint32_t rule, unsigned may)
{
    const struct set_rule *of = &l->set->rules[rule];
    reason_actions(reason, of, may);
    reason_resources(reason, of, may);
    reason_assume(reason, l->set->policies[of->policy].target, may);
    reason_assume(reason, of->when, may);
}

// ---- All findings -----------------------------------------------------------------------------------

static int by_place(const void *a, const void *b)
{
    const struct lint_finding *one = a, *two = b;
    if (one->place.src != two->place.src) {
        bool known = one->place.src != NULL && two->place.src != NULL;
        return known ? str_cmp(one->place.src->name, two->place.src->name) : one->place.src == NULL ? 1 : -1;
    }
    if (one->place.at != two->place.at) {
        return one->place.at < two->place.at ? -1 : 1;
    }
    return one->code != two->code ? (int)one->code - (int)two->code : str_cmp(one->message, two->message);
}

static enum pdp_err prepare(struct lint *l)
{
    struct reason_input input = {.program = l->program, .lists = l->in->lists};
    l->conditions = policy_conditions(l->set, &l->condition_count);
    l->dead = lint_array(l, l->condition_count, sizeof *l->dead);
    l->rules = lint_array(l, l->set->rule_count, sizeof *l->rules);
    l->targets = lint_array(l, l->set->policy_count, sizeof *l->targets);
    l->stamps = lint_array(l, l->program->node_count, sizeof *l->stamps);
    TRY(l->err);
    TRY(read_docs(l));
    TRY(find_places(l));
    TRY(reason_new(&input, &l->reason));
    if (l->in->risk != NULL) {
        input.scored = true;
        input.risk = l->in->risk;
        input.score_most = model_most(l->in->risk);
        input.hard_most = model_hard_most(l->in->risk);
        uint32_t level = (uint32_t)risk_level_of(l->in->risk, input.score_most);
        bool moves = l->in->risk->budget > 0 && level == RISK_LOW; // then medium may begin lower
        input.level_most = moves ? RISK_MEDIUM : level;
        TRY(reason_new(&input, &l->scored));
    }
    return PDP_ERR_OK;
}

static void (*const FINDERS[])(struct lint *l) = {
    // What these say of a condition, the others after them do not say again.
    find_scores,     find_paths,   find_parts,   find_covered,  find_lacking,
    find_patterns,   find_clocks,  find_unused,  find_step_ups, find_by_hand,
    find_unfamiliar, find_endless, find_expired, find_anybody,  silence_all,
};

enum pdp_err lint_run(const struct lint_input *input, struct lint_findings *findings)
{
    struct lint l = {.in = input, .out = findings, .program = input->program, .set = input->set};
    arena_init(&l.arena, 0, 0);
    enum pdp_err err = prepare(&l);
    for (size_t i = 0; err == PDP_ERR_OK && i < COUNT_OF(FINDERS); i++) {
        FINDERS[i](&l);
        err = l.err;
    }
    if (findings->count > 1) {
        qsort(findings->list, findings->count, sizeof *findings->list, by_place);
    }
    reason_free(&l.reason);
    reason_free(&l.scored);
    arena_fini(&l.arena);
    return err;
}

void lint_render(const struct lint_findings *findings, struct buf *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct lint_finding *finding = &findings->list[i];
        const struct lint_row *row = &LINT_ROWS[finding->code];
        AUTO(buf_fini) struct buf message = {0};
        buf_printf(&message, STR_FMT " [" STR_FMT " " STR_FMT "]", STR_ARG(finding->message),
                   STR_ARG(row->code), STR_ARG(row->word));
        struct diag diag = {.severity = row->severity == LINT_SEVERITY_NOTE ? DIAG_NOTE : DIAG_WARNING,
                            .place = finding->place,
                            .message = buf_view(&message),
                            .hint = finding->hint};
        diag_render(&diag, out);
        out->failed = out->failed || message.failed;
    }
}
