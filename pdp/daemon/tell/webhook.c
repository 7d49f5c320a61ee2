// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/webhook.h"

#include "base/num.h"
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/tell/post.h"
#include "daemon/tell/set.h"
#include "daemon/tell/webhook_place.h"
#include "engine/controls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    WALK_VIEWS = 16, // of the table at a time
    FAILING_AFTER = 3
};
static const long POLL_MS = 20;
static const int64_t AGAIN_FIRST_MS = 100, AGAIN_MOST_MS = 30000;
static const int64_t LAST_MS = 2000; // for what waits when we stop
static const int64_t NOTE_MS = 1000; // between two notes of the place
// Ends are numbered by when they were decided and heard of a little later: so far back is looked again.
static const int64_t MARGIN_MS = 10000;

struct event {
    char ref[NOTICE_REF_BYTES]; // empty: a cut-off
    uint64_t cutoff;
    int64_t at_ms;
    int64_t refused_ms; // steady: since when it is refused; 0: it is not
};

struct walk {
    bool on, again; // again: from again_ms, once this one is done
    int64_t since_ms, again_ms;
    uint64_t cursor;
};

struct webhook {
    struct webhook_setup setup;
    struct webhook_place place;
    struct post *post;
    struct notices_reader reader;
    pthread_t thread;
    bool runs;
    atomic_bool stop;
    // The thread's own.
    struct event *queue; // a ring
    size_t room;
    size_t head, count;
    struct walk walk;
    uint64_t cutoff;    // the last that was seen
    bool look;          // there may be others
    bool moved;         // since the place was noted
    int64_t drained_ms; // all notices before it are in the queue
    int64_t again_ms, pause_ms, noted_ms;
    unsigned failed; // tries in a row
    struct buf claims;

    pthread_mutex_t lock; // of the status
    struct webhook_status status;
};

// ---- The queue ---------------------------------------------------------------------------------------

static void walk_begin(struct webhook *hook, int64_t since_ms)
{
    struct walk *walk = &hook->walk;
    if (!walk->on) {
        *walk = (struct walk){.on = true, .since_ms = since_ms};
    } else if (!walk->again || since_ms < walk->again_ms) {
        walk->again = true;
        walk->again_ms = since_ms;
    }
}

// What finds no room is found again in the table.
static void push(struct webhook *hook, const struct event *event)
{
    if (hook->count == hook->room) {
        walk_begin(hook, event->at_ms);
        return;
    }
    hook->queue[(hook->head + hook->count++) % hook->room] = *event;
}

static void pop(struct webhook *hook)
{
    hook->moved = true;
    hook->head = (hook->head + 1) % hook->room;
    hook->count--;
}

// All that ended before this is delivered.
static int64_t place_of(const struct webhook *hook)
{
    int64_t least_ms = hook->drained_ms;
    for (size_t i = 0; i < hook->count; i++) {
        least_ms = num_min(least_ms, hook->queue[(hook->head + i) % hook->room].at_ms);
    }
    return hook->walk.on ? num_min(least_ms, hook->walk.since_ms) : least_ms;
}

// ---- What there is to tell ---------------------------------------------------------------------------

static bool push_cutoff(void *user, const struct control *control)
{
    struct webhook *hook = user;
    hook->cutoff = control->number;
    if (set_tells(hook->setup.config, control)) {
        push(hook, &(struct event){.cutoff = control->number, .at_ms = control->created_ms});
    }
    hook->look = hook->count == hook->room; // the rest at another time
    return !hook->look;
}

static void look_at_cutoffs(struct webhook *hook)
{
    if (hook->look && hook->setup.config->cutoffs && hook->count < hook->room) {
        hook->look = false;
        engine_controls_each(hook->setup.engine, hook->cutoff + 1, push_cutoff, hook);
    }
}

static void heard(struct webhook *hook, const struct notice *notice)
{
    hook->look = hook->look || notice->kind == NOTICE_RESYNC || notice->kind == NOTICE_CONTROLS_EPOCH;
    if (notice->kind == NOTICE_RESYNC) {
        walk_begin(hook, place_of(hook));
    } else if (notice->kind == NOTICE_ENDED && hook->setup.config->ends) {
        struct event event = {.at_ms = notice->at_ms};
        memcpy(event.ref, notice->ref, sizeof event.ref);
        push(hook, &event);
    }
}

static void walk_some(struct webhook *hook)
{
    static _Thread_local struct session_view views[WALK_VIEWS];
    struct walk *walk = &hook->walk;
    while (walk->on && hook->count + WALK_VIEWS <= hook->room && !atomic_load(&hook->stop)) {
        struct session_table *table = engine_sessions(hook->setup.engine);
        size_t found = session_list(table, &walk->cursor, views, WALK_VIEWS);
        for (size_t i = 0; i < found; i++) {
            const struct session_record *record = &views[i].record;
            struct event event = {.at_ms = record->ended_ms};
            memcpy(event.ref, views[i].ref, sizeof event.ref);
            if (record->state == SESSION_TERMINATED && hook->setup.config->ends &&
                record->ended_ms >= num_sub_sat(walk->since_ms, MARGIN_MS)) {
                push(hook, &event);
            }
        }
        if (walk->cursor == 0) {
            *walk = (struct walk){.on = walk->again, .since_ms = walk->again_ms};
        }
    }
}

static void collect(struct webhook *hook)
{
    struct notice notice;
    int64_t now_ms = clock_now().wall_ms;
    while (notices_next(hook->setup.notices, &hook->reader, &notice)) {
        heard(hook, &notice);
    }
    look_at_cutoffs(hook);
    hook->drained_ms = now_ms;
    walk_some(hook);
}

// ---- Telling -----------------------------------------------------------------------------------------

struct finding {
    struct webhook *hook;
    uint64_t number;
    int64_t now_s;
};

static bool put_cutoff(void *user, const struct control *control)
{
    struct finding *finding = user;
    if (control->number == finding->number) {
        set_cutoff(finding->hook->setup.config, control, finding->now_s, &finding->hook->claims);
    }
    return false;
}

// The claims; empty: nobody is known whom that is about, or it was forgotten.
static void make_claims(struct webhook *hook, const struct event *event)
{
    struct session_view view;
    int64_t now_s = clock_now().wall_ms / 1000;
    buf_clear(&hook->claims);
    hook->claims.failed = false;
    if (event->ref[0] == '\0') {
        struct finding finding = {hook, event->cutoff, now_s};
        engine_controls_each(hook->setup.engine, event->cutoff, put_cutoff, &finding);
    } else if (session_look(engine_sessions(hook->setup.engine), str_of(event->ref), &view) &&
               view.record.state == SESSION_TERMINATED && view.subject_id[0] != '\0') {
        set_session(hook->setup.config, &view, now_s, &hook->claims);
    }
}

static void note_failing(struct webhook *hook, const char *error)
{
    bool failing = hook->failed >= FAILING_AFTER;
    pthread_mutex_lock(&hook->lock);
    bool was = hook->status.failing;
    hook->status.failing = failing;
    (void)snprintf(hook->status.error, sizeof hook->status.error, "%s", error);
    pthread_mutex_unlock(&hook->lock);
    if (failing != was) {
        struct log_line line;
        log_begin(&line, failing ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
                  failing ? "webhook_failing" : "webhook_delivers");
        log_text(&line, "url", hook->setup.config->url);
        log_int(&line, "waiting", (int64_t)hook->count);
        if (failing) {
            log_text(&line, "error", error);
        }
        log_end(&line);
    }
}

static void count_up(struct webhook *hook, uint64_t *counter)
{
    pthread_mutex_lock(&hook->lock);
    ++*counter;
    pthread_mutex_unlock(&hook->lock);
}

// One that is refused gives way to those behind it: what is wrong may be wrong with it alone.
static void put_behind(struct webhook *hook, int64_t now_ms)
{
    struct event event = hook->queue[hook->head];
    event.refused_ms = event.refused_ms != 0 ? event.refused_ms : now_ms;
    pop(hook);
    if (num_sub_sat(now_ms, event.refused_ms) <= hook->setup.config->give_up_ms) {
        push(hook, &event);
        return;
    }
    count_up(hook, &hook->status.given_up);
    log_one(LOG_LEVEL_ERROR, "webhook_gave_up", "of", event.ref[0] != '\0' ? event.ref : "a cut-off");
}

static void settle(struct webhook *hook, enum post_result result, const char *error)
{
    int64_t now_ms = clock_now().steady_ms;
    if (result == POST_TAKEN) {
        count_up(hook, &hook->status.delivered);
        pop(hook);
        hook->failed = 0;
        hook->pause_ms = 0;
    } else {
        hook->failed += hook->failed < FAILING_AFTER;
        hook->pause_ms = num_min(num_max(AGAIN_FIRST_MS, 2 * hook->pause_ms), AGAIN_MOST_MS);
        hook->again_ms = now_ms + hook->pause_ms;
        count_up(hook, &hook->status.failures);
    }
    if (result == POST_REFUSED) {
        count_up(hook, &hook->status.refused);
        put_behind(hook, now_ms);
    }
    note_failing(hook, error);
}

static void deliver(struct webhook *hook)
{
    char error[WEBHOOK_WHY_MAX] = "";
    make_claims(hook, &hook->queue[hook->head]);
    if (hook->claims.len == 0) {
        pop(hook);
        return;
    }
    enum post_result result =
        hook->claims.failed ? POST_FAILED : post_send(hook->post, buf_view(&hook->claims), error);
    settle(hook, result, error);
}

// ---- The thread --------------------------------------------------------------------------------------

static void note_place(struct webhook *hook, bool last)
{
    int64_t now_ms = clock_now().steady_ms;
    pthread_mutex_lock(&hook->lock);
    hook->status.waiting = hook->count;
    hook->status.behind = hook->walk.on;
    pthread_mutex_unlock(&hook->lock);
    if (last || (hook->moved && now_ms >= hook->noted_ms)) {
        hook->place = (struct webhook_place){.known = true,
                                             .clean = last && hook->count == 0 && !hook->walk.on,
                                             .done_ms = place_of(hook),
                                             .cutoff = hook->cutoff};
        for (size_t i = 0; i < hook->count; i++) { // those that wait are told again
            const struct event *event = &hook->queue[(hook->head + i) % hook->room];
            if (event->ref[0] == '\0' && event->cutoff <= hook->place.cutoff) {
                hook->place.cutoff = event->cutoff - 1;
            }
        }
        webhook_place_write(hook->setup.state, hook->setup.number, &hook->place);
        hook->noted_ms = num_add_sat(now_ms, NOTE_MS);
        hook->moved = false;
    }
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = POLL_MS * 1000000};
    nanosleep(&time, NULL);
}

static void *run(void *user)
{
    struct webhook *hook = user;
    int64_t until_ms = INT64_MAX;
    for (;;) {
        collect(hook);
        int64_t now_ms = clock_now().steady_ms;
        if (atomic_load(&hook->stop)) {
            // What is kept is found again; else this is the last chance.
            int64_t last_ms = hook->setup.state != NULL ? 0 : LAST_MS;
            until_ms = until_ms == INT64_MAX ? num_add_sat(now_ms, last_ms) : until_ms;
            if (hook->count == 0 || hook->failed > 0 || now_ms >= until_ms) {
                note_place(hook, true);
                return NULL;
            }
        }
        bool due = hook->count > 0 && now_ms >= hook->again_ms;
        if (due) {
            deliver(hook);
        }
        note_place(hook, false);
        if (!due) {
            nap();
        }
    }
}

static bool last_cutoff(void *user, const struct control *control)
{
    *(uint64_t *)user = control->number;
    return true;
}

enum pdp_err webhook_start(struct webhook *hook)
{
    if (hook->runs) {
        return PDP_ERR_OK;
    }
    struct webhook_place place;
    webhook_place_read(hook->setup.state, hook->setup.number, &place);
    hook->head = hook->count = 0;
    hook->walk = (struct walk){0};
    hook->drained_ms = clock_now().wall_ms;
    hook->reader = notices_reader(hook->setup.notices);
    hook->noted_ms = hook->again_ms = hook->pause_ms = 0;
    hook->cutoff = place.cutoff;
    hook->look = hook->moved = true; // it is not clean any more
    if (!place.known) {              // what was before we came is not told
        engine_controls_each(hook->setup.engine, 0, last_cutoff, &hook->cutoff);
    } else if (!place.clean) {
        walk_begin(hook, place.done_ms);
    }
    atomic_store(&hook->stop, false);
    post_calm(hook->post);
    hook->runs = pthread_create(&hook->thread, NULL, run, hook) == 0;
    return hook->runs ? PDP_ERR_OK : PDP_ERR_IO;
}

void webhook_stop(struct webhook *hook)
{
    if (hook->runs) {
        atomic_store(&hook->stop, true);
        post_hurry(hook->post);
        pthread_join(hook->thread, NULL);
        hook->runs = false;
    }
}

enum pdp_err webhook_new(const struct webhook_setup *setup, struct webhook **out,
                         char why[static WEBHOOK_WHY_MAX])
{
    *out = NULL;
    struct webhook *made = calloc(1, sizeof *made);
    if (made == NULL || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return PDP_ERR_NOMEM;
    }
    AUTO(webhook_free) struct webhook *hook = made;
    hook->setup = *setup;
    hook->room = (size_t)setup->config->queue;
    hook->queue = calloc(hook->room, sizeof *hook->queue);
    if (hook->queue == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(post_new(setup->config, &hook->post, why));
    *out = STEAL(hook);
    return PDP_ERR_OK;
}

void webhook_free(struct webhook **webhook)
{
    struct webhook *hook = STEAL(*webhook);
    if (hook != NULL) {
        webhook_stop(hook);
        post_free(&hook->post);
        pthread_mutex_destroy(&hook->lock);
        buf_fini(&hook->claims);
        free(hook->queue);
        free(hook);
    }
}

void webhook_status(struct webhook *hook, struct webhook_status *out)
{
    pthread_mutex_lock(&hook->lock);
    *out = hook->status;
    pthread_mutex_unlock(&hook->lock);
}
