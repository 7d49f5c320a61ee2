// SPDX-License-Identifier: Apache-2.0
#include "cli/change/twin.h"

#include "cli/change/fact.h"
#include "cli/test/places.h"
#include "engine/anew.h"

#include <math.h>

static const struct hash_key KEY = {UINT64_C(0x7064702d7265706c), UINT64_C(0x61792d6b65792d31)};

const char *twin_word(enum twin_grade grade)
{
    static const char *const WORDS[] = {"nothing", "words or score", "deciding rules", "what is asked for",
                                        "effect"};
    return WORDS[grade];
}

static void close_engines(struct twin *twin)
{
    worker_free(&twin->was_worker);
    worker_free(&twin->is_worker);
    engine_free(&twin->was);
    engine_free(&twin->is);
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

static enum pdp_err anew(struct twin *twin)
{
    TRY(engine_anew(twin->was));
    return engine_anew(twin->is);
}

enum pdp_err twin_init(struct twin *twin, const struct snapshot *was, const struct snapshot *is)
{
    *twin = (struct twin){.peer = {.name = STR("pdpctl"), .hash = 1, .grants = GRANT_ALL | GRANT_SIMULATE}};
    twin->was_whole = was;
    twin->is_whole = is;
    arena_init(&twin->arena, 0, 0);
    TRY(open_one(was, &twin->was, &twin->was_worker));
    return open_one(is, &twin->is, &twin->is_worker);
}

void twin_fini(struct twin *twin)
{
    close_engines(twin);
    geo_set_free(&twin->geo);
    buf_fini(&twin->places);
    buf_fini(&twin->line);
    buf_fini(&twin->was_answer);
    buf_fini(&twin->is_answer);
    arena_fini(&twin->arena);
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

enum pdp_err twin_places(struct twin *twin, struct str places)
{
    AUTO(geo_set_free) struct geo_set *geo = NULL;
    if (str_eq(places, buf_view(&twin->places))) {
        return PDP_ERR_OK;
    }
    if (places.len > 0) {
        TRY(read_places(places, &geo));
    }
    TRY(serve(twin->was, twin->was_whole, geo != NULL ? geo : snapshot_geo(twin->was_whole)));
    TRY(serve(twin->is, twin->is_whole, geo != NULL ? geo : snapshot_geo(twin->is_whole)));
    geo_set_free(&twin->geo);
    twin->geo = STEAL(geo);
    buf_clear(&twin->places);
    buf_str(&twin->places, places);
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

// What is missing is told in the order of what asked for it, so many at most: that it is the same says all.
static bool same_missing(const struct verdict *a, const struct verdict *b)
{
    bool same = a->missing_count == b->missing_count;
    for (size_t i = 0; same && i < a->missing_count; i++) {
        size_t k = 0;
        while (k < b->missing_count && !str_eq(a->missing[i], b->missing[k])) {
            k++;
        }
        same = k < b->missing_count;
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
        fact_value(&one, x->properties != NULL ? x->properties : &NOTHING);
        fact_value(&two, y->properties != NULL ? y->properties : &NOTHING);
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

static enum twin_grade grade(const struct verdict *a, const struct verdict *b)
{
    if (a->effect != b->effect) {
        return TWIN_EFFECT;
    }
    if (!same_demands(a, b)) {
        return TWIN_DEMANDS;
    }
    if (!same_texts(a->rules, a->rule_count, b->rules, b->rule_count) ||
        !same_texts(a->exceptions, a->exception_count, b->exceptions, b->exception_count)) {
        return TWIN_RULES;
    }
    bool same = str_eq(a->message, b->message) && str_eq(a->reason, b->reason) && same_score(a, b) &&
                same_missing(a, b) && a->session_renew == b->session_renew;
    return same ? TWIN_SAME : TWIN_WORDS;
}

// The first thing that differs, by name: for answers whose effects, rules and reasons read alike.
static const char *apart_of(const struct verdict *a, const struct verdict *b)
{
    const struct {
        bool same;
        const char *what;
    } PARTS[] = {
        {a->effect == b->effect, "the effect"},
        {a->code == b->code, "the code"},
        {same_obligations(a, b), "obligations"},
        {same_demands(a, b), "what a login is asked for"},
        {same_texts(a->rules, a->rule_count, b->rules, b->rule_count), "further rules that decide"},
        {same_texts(a->exceptions, a->exception_count, b->exceptions, b->exception_count), "exceptions"},
        {str_eq(a->message, b->message), "the message"},
        {str_eq(a->reason, b->reason), "the reason"},
        {same_score(a, b), "the score"},
        {same_missing(a, b), "what could not be decided, and why"},
    };
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        if (!PARTS[i].same) {
            return PARTS[i].what;
        }
    }
    return "whether the session needs a new id";
}

// ---- Playing ---------------------------------------------------------------------------------------------

static void take(struct twin_found *out, enum twin_grade grade, bool about, size_t step,
                 const struct view *was, const struct view *is, const char *apart, struct arena *arena)
{
    bool better = about != out->about ? about : grade > out->grade;
    if (grade != TWIN_SAME && (out->grade == TWIN_SAME || better)) {
        *out = (struct twin_found){grade, about, step, view_copy(arena, was), view_copy(arena, is), apart};
    }
}

static void line_of(struct twin *twin, const struct trial_step *step)
{
    struct emit emit;
    buf_clear(&twin->line);
    emit_init(&emit, WIRE_JSON, &twin->line);
    trial_line(step, &emit);
}

static bool answer(struct twin *twin, struct view *was, struct view *is)
{
    struct value was_root = {0}, is_root = {0};
    struct fault why;
    arena_reset(&twin->arena);
    buf_clear(&twin->was_answer);
    buf_clear(&twin->is_answer);
    engine_answer(twin->was_worker, &twin->peer, buf_view(&twin->line), 0, &twin->was_answer);
    engine_answer(twin->is_worker, &twin->peer, buf_view(&twin->line), 0, &twin->is_answer);
    if (wire_decode_most(WIRE_JSON, buf_view(&twin->was_answer), 1 << 22, &twin->arena, &was_root, &why) !=
            PDP_ERR_OK ||
        wire_decode_most(WIRE_JSON, buf_view(&twin->is_answer), 1 << 22, &twin->arena, &is_root, &why) !=
            PDP_ERR_OK) {
        return false;
    }
    view_of_answer(&was_root, was);
    view_of_answer(&is_root, is);
    return true;
}

static void play_event(struct twin *twin, const struct trial_step *step, size_t at,
                       const struct twin_wish *wish, struct arena *arena, struct twin_found *out)
{
    struct view was, is;
    line_of(twin, step);
    if (!answer(twin, &was, &is)) {
        return;
    }
    enum twin_grade apart = !str_eq(was.effect, is.effect) ? TWIN_EFFECT
                            : !view_same(&was, &is)        ? TWIN_DEMANDS
                                                           : TWIN_SAME;
    if (apart != TWIN_SAME) {
        take(out, apart, wish == NULL || wish->about(wish->user, NULL, NULL), at, &was, &is, "the code",
             arena);
    }
}

static void note_last(struct twin_last *last, const struct verdict *verdict)
{
    *last = (struct twin_last){.effect = verdict->effect};
    for (size_t i = 0; i < verdict->rule_count && i < TWIN_RULES_KEPT; i++) {
        last->rules[last->rule_count++] = verdict->rules[i];
    }
}

void twin_play(struct twin *twin, const struct trial_step *steps, size_t count, const struct twin_wish *wish,
               struct arena *arena, struct twin_found *out)
{
    *out = (struct twin_found){0};
    twin->was_last = twin->is_last = (struct twin_last){0};
    if (anew(twin) != PDP_ERR_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct verdict was, is;
        twin->asked++;
        if (steps[i].event) {
            play_event(twin, &steps[i], i, wish, arena, out);
            continue;
        }
        engine_decide(twin->was_worker, &twin->peer, &steps[i].root, steps[i].at_ms, &was);
        engine_decide(twin->is_worker, &twin->peer, &steps[i].root, steps[i].at_ms, &is);
        note_last(&twin->was_last, &was);
        note_last(&twin->is_last, &is);
        enum twin_grade apart = grade(&was, &is);
        if (apart != TWIN_SAME) {
            struct view was_view, is_view;
            view_of_verdict(&was, &was_view);
            view_of_verdict(&is, &is_view);
            take(out, apart, wish == NULL || wish->about(wish->user, &was, &is), i, &was_view, &is_view,
                 apart_of(&was, &is), arena);
        }
    }
}

bool twin_confirm(struct twin *twin, const struct trial_step *steps, size_t count,
                  const struct twin_found *found)
{
    struct view was = {0}, is = {0};
    if (anew(twin) != PDP_ERR_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        line_of(twin, &steps[i]);
        if (!answer(twin, &was, &is)) {
            return false;
        }
    }
    return str_eq(was.effect, found->was.effect) && str_eq(is.effect, found->is.effect) &&
           str_eq(was.rule, found->was.rule) && str_eq(is.rule, found->is.rule) &&
           (found->grade < TWIN_DEMANDS || !view_same(&was, &is) || found->grade == TWIN_DEMANDS);
}
