// SPDX-License-Identifier: Apache-2.0
#include "cli/change/pair.h"

#include "cli/test/places.h"
#include "engine/anew.h"

#include <math.h>

static const struct hash_key KEY = {UINT64_C(0x7064702d7265706c), UINT64_C(0x61792d6b65792d31)};

const char *pair_word(enum pair_grade grade)
{
    static const char *const WORDS[] = {"nothing", "words or score", "deciding rules", "what is asked for",
                                        "effect"};
    return WORDS[grade];
}

static void close_engines(struct pair *pair)
{
    worker_free(&pair->was_worker);
    worker_free(&pair->is_worker);
    engine_free(&pair->was);
    engine_free(&pair->is);
}

static enum pdp_err open_one(const struct snapshot *snapshot, struct engine **engine, struct worker **worker)
{
    const struct engine_config config = {.key = KEY, .id_prefix = UINT64_C(0x7265706c6179)};
    AUTO(snapshot_free) struct snapshot *share = NULL;
    TRY(snapshot_share(snapshot, &share));
    TRY(engine_new(&config, engine));
    TRY(worker_new(*engine, worker));
    engine_publish(*engine, &share);
    return PDP_ERR_OK;
}

static enum pdp_err anew(struct pair *pair)
{
    TRY(engine_anew(pair->was));
    return engine_anew(pair->is);
}

enum pdp_err pair_init(struct pair *pair, const struct snapshot *was, const struct snapshot *is)
{
    *pair = (struct pair){.peer = {.name = STR("pdpctl"), .hash = 1, .grants = GRANT_ALL | GRANT_SIMULATE}};
    pair->was_whole = was;
    pair->is_whole = is;
    arena_init(&pair->arena, 0, 0);
    TRY(open_one(was, &pair->was, &pair->was_worker));
    return open_one(is, &pair->is, &pair->is_worker);
}

void pair_fini(struct pair *pair)
{
    close_engines(pair);
    geo_set_free(&pair->geo);
    buf_fini(&pair->places);
    buf_fini(&pair->line);
    buf_fini(&pair->was_answer);
    buf_fini(&pair->is_answer);
    arena_fini(&pair->arena);
}

// ---- Places ---------------------------------------------------------------------------------------------

static enum pdp_err read_places(struct str places, struct geo_set **out)
{
    struct diags diags;
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct arena arena;
    const struct source source = {STR("places"), places};
    *out = NULL;
    arena_init(&arena, 0, 0);
    diags_init(&diags, 10);
    enum pdp_err err = conf_parse(&source, &arena, &diags, &docs, &count);
    if (err == PDP_ERR_OK) {
        err = count == 1 ? places_read(docs[0].root, &arena, &diags, out) : PDP_ERR_MALFORMED;
    }
    diags_fini(&diags);
    arena_fini(&arena);
    return err;
}

static enum pdp_err serve(struct engine *engine, const struct snapshot *whole, const struct geo_set *geo)
{
    AUTO(snapshot_free) struct snapshot *next = NULL;
    TRY(snapshot_elsewhere(whole, geo, &next));
    engine_publish(engine, &next);
    engine_tidy(engine, INT64_MIN);
    return PDP_ERR_OK;
}

enum pdp_err pair_places(struct pair *pair, struct str places)
{
    AUTO(geo_set_free) struct geo_set *geo = NULL;
    if (str_eq(places, buf_view(&pair->places))) {
        return PDP_ERR_OK;
    }
    if (places.len > 0) {
        TRY(read_places(places, &geo));
    }
    TRY(serve(pair->was, pair->was_whole, geo != NULL ? geo : snapshot_geo(pair->was_whole)));
    TRY(serve(pair->is, pair->is_whole, geo != NULL ? geo : snapshot_geo(pair->is_whole)));
    geo_set_free(&pair->geo);
    pair->geo = STEAL(geo);
    buf_clear(&pair->places);
    buf_str(&pair->places, places);
    return PDP_ERR_OK;
}

// ---- How far apart --------------------------------------------------------------------------------------

static bool same_texts(const struct str *a, size_t a_count, const struct str *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++) {
        same = str_eq(a[i], b[i]);
    }
    return same;
}

static bool same_obligations(const struct verdict *a, const struct verdict *b)
{
    bool same = a->obligation_count == b->obligation_count;
    for (size_t i = 0; same && i < a->obligation_count; i++) {
        AUTO(buf_fini) struct buf one = {0}, two = {0};
        static const struct value NOTHING = {.kind = VALUE_NULL};
        const struct verdict_obligation *x = &a->obligations[i], *y = &b->obligations[i];
        value_print(&one, x->properties != NULL ? x->properties : &NOTHING, 65536);
        value_print(&two, y->properties != NULL ? y->properties : &NOTHING, 65536);
        same = str_eq(x->type, y->type) && str_eq(x->id, y->id) && str_eq(buf_view(&one), buf_view(&two));
    }
    return same;
}

static bool same_demands(const struct verdict *a, const struct verdict *b)
{
    return a->code == b->code && a->has_require == b->has_require &&
           (!a->has_require ||
            (str_eq(a->require_strength, b->require_strength) &&
             a->require_max_age_s == b->require_max_age_s &&
             same_texts(a->require_acr, a->require_acr_count, b->require_acr, b->require_acr_count))) &&
           same_obligations(a, b);
}

static bool same_score(const struct verdict *a, const struct verdict *b)
{
    return a->has_risk == b->has_risk &&
           (!a->has_risk || (fabs(a->score - b->score) < 0.05 && a->level == b->level));
}

static enum pair_grade grade(const struct verdict *a, const struct verdict *b)
{
    if (a->effect != b->effect) {
        return PAIR_EFFECT;
    }
    if (!same_demands(a, b)) {
        return PAIR_DEMANDS;
    }
    if (!same_texts(a->rules, a->rule_count, b->rules, b->rule_count) ||
        !same_texts(a->exceptions, a->exception_count, b->exceptions, b->exception_count)) {
        return PAIR_RULES;
    }
    bool same = str_eq(a->message, b->message) && str_eq(a->reason, b->reason) && same_score(a, b) &&
                same_texts(a->missing, a->missing_count, b->missing, b->missing_count) &&
                a->session_renew == b->session_renew;
    return same ? PAIR_SAME : PAIR_WORDS;
}

// ---- Playing ---------------------------------------------------------------------------------------------

static void take(struct pair_found *out, enum pair_grade grade, bool about, size_t step,
                 const struct view *was, const struct view *is, struct arena *arena)
{
    bool better = about != out->about ? about : grade > out->grade;
    if (grade != PAIR_SAME && (out->grade == PAIR_SAME || better)) {
        *out = (struct pair_found){grade, about, step, view_copy(arena, was), view_copy(arena, is)};
    }
}

static void line_of(struct pair *pair, const struct trial_step *step)
{
    struct emit emit;
    buf_clear(&pair->line);
    emit_init(&emit, WIRE_JSON, &pair->line);
    trial_line(step, &emit);
}

static bool answer(struct pair *pair, struct view *was, struct view *is)
{
    struct value was_root = {0}, is_root = {0};
    struct fault why;
    arena_reset(&pair->arena);
    buf_clear(&pair->was_answer);
    buf_clear(&pair->is_answer);
    engine_answer(pair->was_worker, &pair->peer, buf_view(&pair->line), 0, &pair->was_answer);
    engine_answer(pair->is_worker, &pair->peer, buf_view(&pair->line), 0, &pair->is_answer);
    if (wire_decode_most(WIRE_JSON, buf_view(&pair->was_answer), 1 << 22, &pair->arena, &was_root, &why) !=
            PDP_ERR_OK ||
        wire_decode_most(WIRE_JSON, buf_view(&pair->is_answer), 1 << 22, &pair->arena, &is_root, &why) !=
            PDP_ERR_OK) {
        return false;
    }
    view_of_answer(&was_root, was);
    view_of_answer(&is_root, is);
    return true;
}

static void play_event(struct pair *pair, const struct trial_step *step, size_t at,
                       const struct pair_wish *wish, struct arena *arena, struct pair_found *out)
{
    struct view was, is;
    line_of(pair, step);
    if (!answer(pair, &was, &is)) {
        return;
    }
    enum pair_grade apart = !str_eq(was.effect, is.effect) ? PAIR_EFFECT
                            : !view_same(&was, &is)        ? PAIR_DEMANDS
                                                           : PAIR_SAME;
    if (apart != PAIR_SAME) {
        take(out, apart, wish == NULL || wish->about(wish->user, NULL, NULL), at, &was, &is, arena);
    }
}

static void note_last(struct pair_last *last, const struct verdict *verdict)
{
    *last = (struct pair_last){.effect = verdict->effect};
    for (size_t i = 0; i < verdict->rule_count && i < PAIR_RULES_KEPT; i++) {
        last->rules[last->rule_count++] = verdict->rules[i];
    }
}

void pair_play(struct pair *pair, const struct trial_step *steps, size_t count, const struct pair_wish *wish,
               struct arena *arena, struct pair_found *out)
{
    *out = (struct pair_found){0};
    pair->was_last = pair->is_last = (struct pair_last){0};
    if (anew(pair) != PDP_ERR_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct verdict was, is;
        pair->asked++;
        if (steps[i].event) {
            play_event(pair, &steps[i], i, wish, arena, out);
            continue;
        }
        engine_decide(pair->was_worker, &pair->peer, &steps[i].root, steps[i].at_ms, &was);
        engine_decide(pair->is_worker, &pair->peer, &steps[i].root, steps[i].at_ms, &is);
        note_last(&pair->was_last, &was);
        note_last(&pair->is_last, &is);
        enum pair_grade apart = grade(&was, &is);
        if (apart != PAIR_SAME) {
            struct view was_view, is_view;
            view_of_verdict(&was, &was_view);
            view_of_verdict(&is, &is_view);
            take(out, apart, wish == NULL || wish->about(wish->user, &was, &is), i, &was_view, &is_view,
                 arena);
        }
    }
}

bool pair_confirm(struct pair *pair, const struct trial_step *steps, size_t count,
                  const struct pair_found *found)
{
    struct view was = {0}, is = {0};
    if (anew(pair) != PDP_ERR_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        line_of(pair, &steps[i]);
        if (!answer(pair, &was, &is)) {
            return false;
        }
    }
    return str_eq(was.effect, found->was.effect) && str_eq(is.effect, found->is.effect) &&
           str_eq(was.rule, found->was.rule) && str_eq(is.rule, found->is.rule) &&
           (found->grade < PAIR_DEMANDS || !view_same(&was, &is) || found->grade == PAIR_DEMANDS);
}
