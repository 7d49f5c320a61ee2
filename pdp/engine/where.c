// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/where.h"

#include "engine/condition.h"

#include <stdlib.h>

struct where_lock {
    const struct control *control; // of the set, which lives as long
    uint32_t expr;                 // UINT32_MAX: the snapshot does not understand it
};

struct where {
    struct cel_program *program;
    struct cel_frame *frames[ENGINE_WORKERS_MAX];
    size_t count;
    struct where_lock locks[];
};

// ---- Making: not hot -------------------------------------------------------------------------------

void where_free(struct where **where)
{
    struct where *w = STEAL(*where);
    if (w != NULL) {
        for (size_t i = 0; i < ENGINE_WORKERS_MAX; i++) {
            cel_frame_free(&w->frames[i]);
        }
        cel_program_free(&w->program);
        free(w);
    }
}

// First by itself, so that what does not fit leaves nothing behind. NOMEM; what does not fit is none.
static enum pdp_err add_fitting(struct cel_program *program, const struct snapshot *snapshot, struct str text,
                                uint64_t *steps, uint32_t *expr)
{
    AUTO(cel_program_free) struct cel_program *alone = NULL;
    struct diags unheard;
    uint64_t own = *steps;
    *expr = UINT32_MAX;
    TRY(cel_program_new(&snapshot->env, NULL, &alone));
    diags_init(&unheard, 1);
    enum pdp_err err = condition_add(alone, text, &own, &unheard, expr);
    *expr = UINT32_MAX;
    if (err == PDP_ERR_OK) {
        err = condition_add(program, text, steps, &unheard, expr);
    }
    diags_fini(&unheard);
    return err == PDP_ERR_NOMEM ? err : PDP_ERR_OK;
}

enum pdp_err where_new(const struct controls *set, const struct snapshot *snapshot, struct where **out)
{
    size_t count = 0;
    const struct control *const *locks = controls_of(set, CONTROLS_LOCKS, CONTROL_WHERE, &count);
    *out = NULL;
    if (count == 0) {
        return PDP_ERR_OK;
    }
    if (count > WHERE_MOST) {
        return PDP_ERR_LIMIT;
    }
    AUTO(where_free) struct where *w = calloc(1, sizeof *w + count * sizeof *w->locks);
    if (w == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(cel_program_new(&snapshot->env, NULL, &w->program));
    w->count = count;
    uint64_t steps = 0;
    for (size_t i = 0; i < count; i++) {
        w->locks[i] = (struct where_lock){locks[i], UINT32_MAX};
        TRY(add_fitting(w->program, snapshot, locks[i]->target.value, &steps, &w->locks[i].expr));
    }
    TRY(cel_seal(w->program));
    *out = STEAL(w);
    return PDP_ERR_OK;
}

void where_ready(struct where *where, size_t worker)
{
    if (where != NULL && where->frames[worker] == NULL) {
        (void)!cel_frame_new(where->program, &where->frames[worker]); // tried again when it is needed
    }
}

// ---- Asking ----------------------------------------------------------------------------------------

// Of one that also ends what was authenticated before a time: is the question's session such a one?
static bool is_before(const struct ask *ask, const struct control *control)
{
    int64_t auth_ms = ask->known ? ask->session.auth_time_ms : ask->has_auth_time ? ask->auth_time_ms : 0;
    return control->before_ms == 0 || (ask->has_session && auth_ms < control->before_ms);
}

static enum truth both(enum truth a, enum truth b)
{
    return a == TRUTH_NO || b == TRUTH_NO     ? TRUTH_NO
           : a == TRUTH_YES && b == TRUTH_YES ? TRUTH_YES
                                              : TRUTH_UNSURE;
}

static enum truth run(struct cel_frame *frame, uint32_t expr, struct where_found *out)
{
    if (frame == NULL || expr == UINT32_MAX) {
        out->why =
            out->why.len > 0 ? out->why : STR("the condition of a lock does not fit the policies that serve");
        return TRUTH_UNSURE;
    }
    struct value v = cel_run(frame, expr);
    if (v.kind == VALUE_BOOL) {
        return v.as.b ? TRUTH_YES : TRUTH_NO;
    }
    out->why = out->why.len > 0        ? out->why
               : v.kind == VALUE_ERROR ? cel_why(frame, &v)
                                       : STR("the condition of a lock is no truth");
    return TRUTH_UNSURE;
}

static struct cel_frame *begin(struct ask *ask, struct where *where)
{
    struct cel_frame *frame = NULL;
    if (where != NULL) {
        where_ready(where, ask->worker->index); // its own place: no other thread looks there
        frame = where->frames[ask->worker->index];
    }
    if (frame != NULL) {
        cel_begin(frame, &ask->host, &ask->worker->arena, ask->now_ms);
    }
    return frame;
}

// The place of a control in the program: both are sorted alike.
static uint32_t expr_of(const struct where *where, const struct control *control)
{
    for (size_t i = 0; where != NULL && i < where->count; i++) {
        if (where->locks[i].control == control) {
            return where->locks[i].expr;
        }
    }
    return UINT32_MAX;
}

void where_find(struct ask *ask, const struct control_facts *facts,
                void (*each)(void *user, const struct control *control, enum truth truth), void *user,
                struct where_found *out)
{
    size_t count = 0;
    const struct control *const *locks = controls_of(ask->controls, CONTROLS_LOCKS, CONTROL_WHERE, &count);
    struct where *where = ask->worker->mutes != NULL ? ask->worker->mutes->where : NULL;
    *out = (struct where_found){.until_ms = INT64_MAX};
    struct cel_frame *frame = count > 0 ? begin(ask, where) : NULL;
    for (size_t i = 0; i < count; i++) {
        enum truth rest = control_rest(locks[i], facts);
        if (ask->now_ms >= locks[i]->expires_ms || rest == TRUTH_NO || !is_before(ask, locks[i])) {
            continue;
        }
        enum truth truth = both(rest, run(frame, expr_of(where, locks[i]), out));
        if (truth == TRUTH_YES || (truth == TRUTH_UNSURE && ask->has_risk)) {
            each(user, locks[i], truth);
        }
    }
    bool bounded = true;
    out->until_ms = frame != NULL ? cel_horizon(frame, &bounded) : INT64_MAX;
    out->until_ms = bounded ? out->until_ms : ask->now_ms;
}
