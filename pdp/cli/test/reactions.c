// SPDX-License-Identifier: Apache-2.0
#include "cli/test/reactions.h"

#include "cli/test/judge.h"
#include "wire/wire.h"

#define COLUMNS 6

struct gathering {
    struct reactions *out;
    const char *filter;
    bool failed; // memory is out
};

void reactions_fini(struct reactions *reactions)
{
    arena_fini(&reactions->arena);
    *reactions = (struct reactions){0};
}

// ---- Playing -------------------------------------------------------------------------------------

static bool is(const struct suite_doc *doc, const char *class)
{
    return str_eq(doc->class, str_of(class));
}

static bool wants(void *user, const struct suite_doc *doc, const struct suite_play *play)
{
    const struct gathering *g = user;
    (void)play;
    return doc->kind == SUITE_SCENARIO &&
           (g->filter == NULL || str_find(doc->name, str_of(g->filter), 0) != SIZE_MAX);
}

static void note_first(struct gathering *g, const struct suite_told *told, struct reaction *reaction)
{
    bool ok = true;
    const struct verdict *verdict = told->verdict;
    reaction->first = told->play;
    reaction->effect = str_of(pdp_effect_name(verdict->effect));
    reaction->code = str_of(pdp_code_name(verdict->code));
    reaction->rule = verdict->rule.len > 0 ? arena_str(&g->out->arena, verdict->rule, &ok) : STR("");
    reaction->has_risk = verdict->has_risk;
    reaction->score = verdict->score;
    g->failed = g->failed || !ok;
}

static bool recorded(const struct value *answer)
{
    const struct value *found = value_path(answer, STR("event.recorded"));
    return found != NULL && found->kind == VALUE_BOOL && found->as.b;
}

// Did this very answer end a session? One that was over before, by a limit of time too, is only refused.
static bool ends(const struct verdict *verdict)
{
    return verdict->effect == PDP_EFFECT_TERMINATE && verdict->code != PDP_CODE_TERMINATED &&
           verdict->code != PDP_CODE_EXPIRED;
}

// Is it said that a rightful user asks, who is to be allowed? Of an innocent every step is his own.
static bool rightful(const struct suite_doc *doc, const struct suite_play *play)
{
    bool allow = play->ordinary, before = doc->stops != UINT32_MAX && play->number < doc->stops;
    for (size_t i = 0; i < play->claim_count && before; i++) {
        const struct suite_claim *claim = &play->claims[i];
        allow = allow || (claim->kind == SUITE_EFFECT && claim->any == UINT32_C(1) << PDP_EFFECT_ALLOW);
    }
    return allow;
}

// Whatever denies a rightful user is no answer to what comes after: notes who was denied first.
static void note_held(struct gathering *g, const struct suite_told *told, struct reaction *last)
{
    if (told->play->order) { // that a folder cannot carry out, such as one that asks for a proof of its own
        last->held = last->held == NULL && !judge_order_ok(told->answer) ? told->play : last->held;
        return;
    }
    bool refused = told->verdict != NULL ? suite_denies(told->verdict->effect) : !recorded(told->answer);
    if (refused && last->held == NULL && last->first == NULL && rightful(told->doc, told->play)) {
        last->held = told->play;
        if (told->verdict != NULL) {
            note_first(g, told, last);
        }
    }
}

static bool is_malformed(const struct suite_told *told)
{
    return told->verdict != NULL || value_path(told->answer, STR("event.code")) == NULL ||
           value_is_text(value_path(told->answer, STR("event.code")),
                         str_of(pdp_code_name(PDP_CODE_MALFORMED)));
}

// An event that policies or limits refuse, and what comes of a session that they ended or did not let begin,
// are reactions; all else that is void is a mistake.
static void note_broken(struct gathering *g, const struct suite_told *told, struct reaction *last)
{
    bool ok = true;
    if (told->play->order) {
        return;
    }
    if (told->broken.len > 0 && is_malformed(told) && last->broken == NULL && !last->reacted) {
        last->broken = told->play;
        last->why = arena_str(&g->out->arena, told->broken, &ok);
    }
    last->reacted = last->reacted || (told->verdict != NULL ? told->verdict->effect != PDP_EFFECT_ALLOW
                                                            : !recorded(told->answer));
    g->failed = g->failed || !ok;
}

static bool note(void *user, const struct suite_told *told)
{
    struct gathering *g = user;
    struct reaction *last = g->out->count > 0 ? &g->out->list[g->out->count - 1] : NULL;
    if (last == NULL || last->doc != told->doc) {
        last = &g->out->list[g->out->count++];
        *last = (struct reaction){.doc = told->doc};
    }
    note_broken(g, told, last);
    note_held(g, told, last);
    if (told->play->ordinary || told->play->order || last->held != NULL || last->broken != NULL) {
        return true;
    }
    bool allowed = told->verdict != NULL ? told->verdict->effect == PDP_EFFECT_ALLOW : recorded(told->answer);
    if (told->play->number == told->doc->stops) {
        last->stopped = !allowed;
    }
    if (told->verdict == NULL) {
        return true;
    }
    bool ended = ends(told->verdict), steps_up = told->verdict->effect == PDP_EFFECT_STEP_UP;
    last->questions++;
    last->step_ups += steps_up;
    last->terminated += ended;
    last->denied += !allowed && !steps_up && !ended;
    if (!allowed && last->first == NULL) {
        note_first(g, told, last);
    }
    return true;
}

static void count(struct reactions *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const struct reaction *one = &out->list[i];
        bool attack = is(one->doc, "attack"), innocent = is(one->doc, "innocent"), held = one->held != NULL;
        if (one->doc->skip.len > 0) {
            out->skipped++;
            continue;
        }
        out->broken += one->broken != NULL;
        out->attacks_void += attack && held;
        out->innocents_void += innocent && held;
        out->attacks += attack;
        out->stopped += attack && one->stopped && !held && one->broken == NULL;
        out->innocents += innocent;
        out->stepped_up += innocent && one->step_ups > 0;
        out->denied += innocent && one->denied > 0;
        out->terminated += innocent && one->terminated > 0;
    }
}

enum pdp_err reactions_run(struct suite_runner *runner, const struct suite *suite, const char *filter,
                           struct reactions *out)
{
    *out = (struct reactions){0};
    arena_init(&out->arena, 0, 0);
    out->list = ARENA_ARRAY(&out->arena, struct reaction, suite_count(suite) + 1);
    if (out->list == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct gathering gathering = {.out = out, .filter = filter};
    const struct suite_options options = {
        .any_policy = true, .wants = wants, .told = note, .user = &gathering};
    TRY(suite_run(runner, suite, &options));
    count(out);
    return gathering.failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

bool reactions_good(const struct reactions *reactions)
{
    return reactions->stopped == reactions->attacks && reactions->terminated == 0 && reactions->broken == 0;
}

// ---- For people ----------------------------------------------------------------------------------

static struct str step_name(const struct suite_play *play, struct arena *arena)
{
    AUTO(buf_fini) struct buf out = {0};
    if (play->name.len > 0) {
        buf_escaped(&out, play->name);
    } else {
        buf_printf(&out, "step %u", play->nth + 1);
    }
    if (play->turns > 1) {
        buf_printf(&out, " (%u of %u)", play->turn + 1, play->turns);
    }
    return arena_str(arena, buf_view(&out), NULL);
}

static struct str stop_name(const struct reaction *reaction, struct arena *arena)
{
    for (size_t i = 0; i < reaction->doc->play_count; i++) {
        if (reaction->doc->plays[i].number == reaction->doc->stops) {
            struct suite_play named = reaction->doc->plays[i];
            named.turns = 1;
            return step_name(&named, arena);
        }
    }
    return STR("-");
}

static struct str told(struct str what, struct str of, struct arena *arena)
{
    AUTO(buf_fini) struct buf out = {0};
    buf_str(&out, what);
    buf_escaped(&out, of);
    return arena_str(arena, buf_view(&out), NULL);
}

// What it came to, in a few words; in capitals what must not be.
static struct str outcome(const struct reaction *reaction, struct arena *arena)
{
    if (reaction->doc->skip.len > 0) {
        return told(STR("skipped: "), reaction->doc->skip, arena);
    }
    if (reaction->broken != NULL) {
        return told(STR("BROKEN: "), reaction->why, arena);
    }
    if (reaction->held != NULL) {
        struct str what = reaction->held->order ? STR("not applicable: the order is refused at ")
                                                : STR("not applicable: the owner is denied at ");
        return told(what, step_name(reaction->held, arena), arena);
    }
    if (is(reaction->doc, "attack")) {
        return reaction->stopped ? STR("stopped") : STR("NOT STOPPED");
    }
    if (!is(reaction->doc, "innocent")) {
        return STR("-");
    }
    if (reaction->terminated > 0) {
        return STR("TERMINATED");
    }
    AUTO(buf_fini) struct buf out = {0};
    if (reaction->step_ups > 0) {
        buf_printf(&out, "%u step-up%s", reaction->step_ups, reaction->step_ups == 1 ? "" : "s");
    }
    if (reaction->denied > 0) {
        buf_printf(&out, "%s%u denied", out.len > 0 ? ", " : "", reaction->denied);
    }
    return out.len > 0 ? arena_str(arena, buf_view(&out), NULL) : STR("let be");
}

static void put_row(const struct reaction *one, struct arena *arena, struct str row[COLUMNS])
{
    AUTO(buf_fini) struct buf by = {0};
    row[0] = one->doc->name;
    bool shown = one->first != NULL && one->doc->skip.len == 0;
    row[1] = shown ? step_name(one->first, arena) : STR("-");
    if (shown) {
        buf_printf(&by, STR_FMT ", ", STR_ARG(one->effect));
        buf_escaped(&by, one->rule.len > 0 ? one->rule : one->code);
    }
    row[2] = shown ? arena_str(arena, buf_view(&by), NULL) : STR("-");
    row[3] = shown && one->has_risk ? arena_printf(arena, "%.1f", one->score) : STR("-");
    row[4] = stop_name(one, arena);
    row[5] = outcome(one, arena);
}

static void put_cells(struct str (*rows)[COLUMNS], size_t count, struct buf *out)
{
    size_t width[COLUMNS] = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < COLUMNS; k++) {
            size_t cells = str_count_cp(rows[i][k]);
            width[k] = cells > width[k] ? cells : width[k];
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < COLUMNS; k++) {
            buf_str(out, rows[i][k]);
            for (size_t pad = str_count_cp(rows[i][k]); k + 1 < COLUMNS && pad < width[k] + 2; pad++) {
                buf_byte(out, ' ');
            }
        }
        buf_byte(out, '\n');
    }
}

static void put_class(const struct reactions *reactions, const char *class, struct arena *arena,
                      struct buf *out)
{
    static const struct str HEADS[COLUMNS] = {{"SCENARIO", 8}, {"FIRST REACTION", 14}, {"ANSWER", 6},
                                              {"RISK", 4},     {"STOP AT", 7},         {"OUTCOME", 7}};
    struct str(*rows)[COLUMNS] = arena_zero(arena, reactions->count + 1, sizeof *rows, _Alignof(struct str));
    size_t count = 1;
    if (rows == NULL) {
        out->failed = true;
        return;
    }
    memcpy(rows[0], HEADS, sizeof HEADS);
    for (size_t i = 0; i < reactions->count; i++) {
        if (str_eq(reactions->list[i].doc->class, str_of(class))) {
            put_row(&reactions->list[i], arena, rows[count++]);
        }
    }
    if (count > 1) {
        buf_str(out, out->len > 0 ? STR("\n") : STR(""));
        put_cells(rows, count, out);
    }
}

static void put_more(uint32_t count, const char *what, struct buf *out)
{
    if (count > 0) {
        buf_printf(out, ", %u %s", count, what);
    }
}

static void put_sum(const struct reactions *reactions, struct buf *out)
{
    buf_printf(out, "\n%u of %u attacks stopped in time", reactions->stopped, reactions->attacks);
    put_more(reactions->attacks_void, "not applicable", out);
    buf_printf(out, "; of %u innocents %u terminated, %u denied, %u stepped up", reactions->innocents,
               reactions->terminated, reactions->denied, reactions->stepped_up);
    put_more(reactions->innocents_void, "not applicable", out);
    if (reactions->broken > 0) {
        buf_printf(out, "; %u broken", reactions->broken);
    }
    if (reactions->skipped > 0) {
        buf_printf(out, "; %u skipped", reactions->skipped);
    }
    buf_byte(out, '\n');
}

void reactions_table(const struct reactions *reactions, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    put_class(reactions, "attack", &arena, out);
    put_class(reactions, "innocent", &arena, out);
    put_class(reactions, "", &arena, out);
    put_sum(reactions, out);
    arena_fini(&arena);
}

// ---- For programs --------------------------------------------------------------------------------

static void emit_first(const struct reaction *one, struct emit *emit)
{
    emit_key(emit, STR("reaction"));
    if (one->first == NULL) {
        emit_null(emit);
        return;
    }
    emit_map(emit, SIZE_MAX);
    if (one->first->name.len > 0) {
        emit_key_str(emit, "step", one->first->name);
    }
    emit_key_int(emit, "number", one->first->number);
    emit_key_int(emit, "turn", one->first->turn);
    emit_key_int(emit, "after_ms", one->first->at_ms - one->doc->start_ms);
    emit_key_str(emit, "effect", one->effect);
    emit_key_str(emit, "code", one->code);
    if (one->rule.len > 0) {
        emit_key_str(emit, "rule", one->rule);
    }
    if (one->has_risk) {
        emit_key_double(emit, "risk", one->score);
    }
    emit_end(emit);
}

static void emit_one(const struct reaction *one, struct arena *arena, struct emit *emit)
{
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "name", one->doc->name);
    emit_key_str(emit, "file", one->doc->place.src->name);
    if (one->doc->class.len > 0) {
        emit_key_str(emit, "class", one->doc->class);
    }
    if (one->doc->stops != UINT32_MAX) {
        emit_key_str(emit, "stops", stop_name(one, arena));
        emit_key_bool(emit, "stopped", one->stopped && one->held == NULL && one->broken == NULL);
    }
    if (one->doc->skip.len > 0) {
        emit_key_str(emit, "skipped", one->doc->skip);
    }
    if (one->broken != NULL) {
        emit_key_str(emit, "broken_at", step_name(one->broken, arena));
        emit_key_str(emit, "broken", one->why);
    }
    if (one->held != NULL) {
        emit_key_str(emit, one->held->order ? "order_refused_at" : "owner_denied_at",
                     step_name(one->held, arena));
    }
    emit_first(one, emit);
    emit_key_int(emit, "questions", one->questions);
    emit_key_int(emit, "step_ups", one->step_ups);
    emit_key_int(emit, "denied", one->denied);
    emit_key_int(emit, "terminated", one->terminated);
    emit_end(emit);
}

void reactions_json(const struct reactions *reactions, struct buf *out)
{
    struct arena arena;
    struct emit emit;
    arena_init(&arena, 0, 0);
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key_bool(&emit, "ok", reactions_good(reactions));
    emit_key_int(&emit, "attacks", reactions->attacks);
    emit_key_int(&emit, "stopped", reactions->stopped);
    emit_key_int(&emit, "attacks_not_applicable", reactions->attacks_void);
    emit_key_int(&emit, "innocents", reactions->innocents);
    emit_key_int(&emit, "innocents_not_applicable", reactions->innocents_void);
    emit_key_int(&emit, "innocents_terminated", reactions->terminated);
    emit_key_int(&emit, "innocents_denied", reactions->denied);
    emit_key_int(&emit, "innocents_stepped_up", reactions->stepped_up);
    emit_key_int(&emit, "broken", reactions->broken);
    emit_key_int(&emit, "skipped", reactions->skipped);
    emit_key(&emit, STR("scenarios"));
    emit_list(&emit, SIZE_MAX);
    for (size_t i = 0; i < reactions->count; i++) {
        emit_one(&reactions->list[i], &arena, &emit);
    }
    emit_end(&emit);
    emit_end(&emit);
    buf_byte(out, '\n');
    arena_fini(&arena);
}
