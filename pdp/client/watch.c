// SPDX-License-Identifier: Apache-2.0
#include "client/watch.h"

#include "base/num.h"
#include "client/client.h"
#include "client/tls.h"

#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/survey0/respond.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define BEAT_FIRST_MS 1000 // an interval, until the daemon has told its own
#define REPORT_MS 1000     // for the daemon to take a report of hits
#define REDIAL_MS 3000     // without a word, before a line is dialled anew
#define NOTICES_ROOM 1024  // notices that may wait in the socket

// One of the two connections. Its aio is always either receiving or, of orders, answering.
struct line {
    struct watch *watch;
    const char *url;
    nng_tls_config *tls; // NULL: an address without TLS
    nng_socket socket;
    nng_dialer dialer;
    nng_aio *aio;
    bool open, answers, sending;
    int64_t heard_ms; // boot clock; or since it was last dialled
    struct arena arena;
    struct buf bytes;
};

struct watch {
    struct pdp_client *client;
    struct guard *guard;
    struct line notices, orders;
    pthread_mutex_t lock; // of heard_ms and stopping
    pthread_cond_t wake;
    bool has_thread, stopping;
    pthread_t thread;
    char notices_url[256], orders_url[256];
    char name[NOTICE_NAME_MAX + 1];
};

static int64_t clock_ms(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct guard_now watch_now(void)
{
    return (struct guard_now){clock_ms(CLOCK_BOOTTIME), clock_ms(CLOCK_REALTIME)};
}

struct guard *watch_guard(struct watch *watch)
{
    return watch->guard;
}

static void note_heard(struct line *line, int64_t now_ms)
{
    (void)pthread_mutex_lock(&line->watch->lock);
    line->heard_ms = now_ms;
    (void)pthread_mutex_unlock(&line->watch->lock);
}

// ---- Notices. On libnng's threads. -------------------------------------------------------------------

static void take_notice(struct line *line, nng_msg *msg)
{
    struct bulletin bulletin;
    struct guard_now now = watch_now();
    arena_reset(&line->arena);
    if (notice_read((struct str){nng_msg_body(msg), nng_msg_len(msg)}, &line->arena, &bulletin) !=
        PDP_ERR_OK) {
        guard_lost(line->watch->guard); // what cannot be read may have been anything
        return;
    }
    guard_hear(line->watch->guard, &bulletin, now);
    note_heard(line, now.boot_ms);
}

// ---- Orders ------------------------------------------------------------------------------------------

// Carries an order out; true: `msg` is then its confirmation. What is not understood is not confirmed.
static bool obey(struct line *line, nng_msg *msg)
{
    struct watch *watch = line->watch;
    struct order order;
    struct guard_now now = watch_now();
    arena_reset(&line->arena);
    if (order_read((struct str){nng_msg_body(msg), nng_msg_len(msg)}, &line->arena, &order) != PDP_ERR_OK) {
        return false;
    }
    guard_obey(watch->guard, &order, now);
    note_heard(line, now.boot_ms);
    struct guard_state state = guard_state(watch->guard, now);
    struct confirmation said = {.number = order.number,
                                .boot = order.now.boot,
                                .name = str_of(watch->name),
                                .seq = state.seq,
                                .kept = state.kept};
    buf_clear(&line->bytes);
    confirmation_write(&said, &line->bytes);
    nng_msg_clear(msg);
    return !line->bytes.failed && nng_msg_append(msg, line->bytes.at, line->bytes.len) == 0;
}

static void next(struct line *line)
{
    line->sending = false;
    nng_recv_aio(line->socket, line->aio);
}

static void on_received(struct line *line, nng_msg *msg)
{
    if (line->answers && obey(line, msg)) {
        line->sending = true;
        nng_aio_set_msg(line->aio, msg);
        nng_send_aio(line->socket, line->aio);
        return;
    }
    if (!line->answers) {
        take_notice(line, msg);
    }
    nng_msg_free(msg);
    next(line);
}

static void on_progress(void *arg)
{
    struct line *line = arg;
    int rv = nng_aio_result(line->aio);
    nng_msg *msg = nng_aio_get_msg(line->aio);
    nng_aio_set_msg(line->aio, NULL);
    if (rv == NNG_ECLOSED || rv == NNG_ECANCELED) {
        if (line->sending && msg != NULL) {
            nng_msg_free(msg);
        }
        return;
    }
    if (rv != 0 || line->sending) {
        if (rv != 0 && line->sending && msg != NULL) {
            nng_msg_free(msg);
        }
        next(line);
        return;
    }
    on_received(line, msg);
}

// ---- Connections -------------------------------------------------------------------------------------

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *user)
{
    (void)pipe;
    (void)event;
    guard_lost(user);
}

static int line_start(struct line *line)
{
    int rv = nng_aio_alloc(&line->aio, on_progress, line);
    rv = rv != 0 ? rv : client_dial(line->watch->client, line->socket, line->url, line->tls, &line->dialer);
    if (rv == 0) {
        nng_aio_set_timeout(line->aio, NNG_DURATION_INFINITE);
        nng_recv_aio(line->socket, line->aio);
    }
    return rv;
}

static int notices_open(struct line *line)
{
    int rv = nng_sub0_open(&line->socket);
    if (rv != 0) {
        return rv;
    }
    line->open = true;
    rv = nng_socket_set(line->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0);
    rv = rv != 0 ? rv : nng_socket_set_int(line->socket, NNG_OPT_RECVBUF, NOTICES_ROOM);
    rv = rv != 0 ? rv : nng_pipe_notify(line->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, line->watch->guard);
    rv = rv != 0 ? rv : nng_pipe_notify(line->socket, NNG_PIPE_EV_REM_POST, on_pipe, line->watch->guard);
    return rv != 0 ? rv : line_start(line);
}

static int orders_open(struct line *line)
{
    int rv = nng_respondent0_open(&line->socket);
    if (rv != 0) {
        return rv;
    }
    line->open = true;
    line->answers = true;
    return line_start(line);
}

static void line_close(struct line *line)
{
    if (line->open) {
        (void)nng_close(line->socket);
    }
    if (line->aio != NULL) {
        nng_aio_stop(line->aio);
        nng_aio_free(line->aio);
    }
    if (line->tls != NULL) {
        nng_tls_config_free(line->tls);
    }
    arena_fini(&line->arena);
    buf_fini(&line->bytes);
}

// A dialer that libnng has given up (see call.c), or a connection that went without a word. Not sooner than
// any handshake takes: one that is closed in the midst of it can hold libnng's reaper, and with it every
// socket of the process, for ever (1.5.2).
static void line_look(struct line *line, int64_t interval_ms, int64_t now_ms)
{
    if (!line->open) {
        return;
    }
    (void)pthread_mutex_lock(&line->watch->lock);
    bool silent = num_sub_sat(now_ms, line->heard_ms) > num_max(2 * GUARD_BEATS * interval_ms, REDIAL_MS);
    line->heard_ms = silent ? now_ms : line->heard_ms;
    (void)pthread_mutex_unlock(&line->watch->lock);
    if (silent) {
        (void)nng_dialer_close(line->dialer);
        (void)client_dial(line->watch->client, line->socket, line->url, line->tls, &line->dialer);
    }
}

// ---- Reports of hits ---------------------------------------------------------------------------------

static void take_report(struct watch *watch, struct str bytes, struct arena *arena)
{
    struct value root;
    struct fault why;
    const struct value *ended = NULL;
    if (wire_decode_most(wire_form_of(bytes), bytes, NOTICE_BYTES_MAX, arena, &root, &why) == PDP_ERR_OK) {
        ended = value_path(&root, STR("hits.ended"));
    }
    for (uint32_t i = 0; ended != NULL && ended->kind == VALUE_LIST && i < ended->n; i++) {
        if (ended->as.list[i].kind == VALUE_STRING) {
            guard_revoke(watch->guard, value_text(&ended->as.list[i]), watch_now());
        }
    }
}

// A report that is not taken is lost: the sessions may then be taken for idle too early, never too late.
static void report(struct watch *watch)
{
    static _Thread_local struct guard_hit hits[NOTICE_HITS_MAX];
    static _Thread_local struct hit said[NOTICE_HITS_MAX];
    size_t count = guard_take_hits(watch->guard, hits);
    if (count == 0) {
        return;
    }
    int64_t now_ms = watch_now().boot_ms;
    for (size_t i = 0; i < count; i++) {
        said[i] = (struct hit){str_of(hits[i].ref), hits[i].count, num_max(0, now_ms - hits[i].last_ms)};
    }
    struct buf message = {0}, reply = {0};
    struct arena arena;
    arena_init(&arena, 0, 1 << 20);
    hits_write(said, count, &message);
    if (!message.failed && client_call(watch->client, buf_view(&message), REPORT_MS, &reply) == PDP_ERR_OK) {
        take_report(watch, buf_view(&reply), &arena);
    }
    arena_fini(&arena);
    buf_fini(&message);
    buf_fini(&reply);
}

// ---- The thread --------------------------------------------------------------------------------------

static int64_t interval_of(struct watch *watch)
{
    int64_t interval_ms = guard_state(watch->guard, watch_now()).interval_ms;
    return interval_ms > 0 ? interval_ms : BEAT_FIRST_MS;
}

static void *run(void *arg)
{
    struct watch *watch = arg;
    (void)pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        (void)pthread_mutex_unlock(&watch->lock);
        int64_t interval_ms = interval_of(watch), now_ms = watch_now().boot_ms;
        line_look(&watch->notices, interval_ms, now_ms);
        line_look(&watch->orders, interval_ms, now_ms);
        report(watch);
        int64_t until_ms = call_now_ms() + interval_ms;
        struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                 .tv_nsec = (long)(until_ms % 1000) * 1000000L};
        (void)pthread_mutex_lock(&watch->lock);
        if (!watch->stopping) {
            (void)pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
        }
    }
    (void)pthread_mutex_unlock(&watch->lock);
    return NULL;
}

void watch_stop(struct watch *watch)
{
    (void)pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    (void)pthread_cond_signal(&watch->wake);
    (void)pthread_mutex_unlock(&watch->lock);
    if (watch->has_thread) {
        (void)pthread_join(watch->thread, NULL);
        watch->has_thread = false;
    }
}

void watch_free(struct watch **watch)
{
    struct watch *w = *watch;
    if (w != NULL) {
        line_close(&w->notices);
        line_close(&w->orders);
        (void)pthread_cond_destroy(&w->wake);
        (void)pthread_mutex_destroy(&w->lock);
        guard_free(&w->guard);
        free(w);
        *watch = NULL;
    }
}

static void make_name(struct watch *watch, const char *name)
{
    char host[65] = "";
    if (name != NULL) {
        (void)snprintf(watch->name, sizeof watch->name, "%s", name);
        return;
    }
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(watch->name, sizeof watch->name, "%s:%ld", host, (long)getpid());
}

static enum pdp_err line_init(struct line *line, struct watch *watch, const char *given, char url[static 256],
                              const struct pdp_options *options)
{
    line->watch = watch;
    line->url = url;
    line->heard_ms = watch_now().boot_ms;
    arena_init(&line->arena, 4096, 1 << 20);
    if (given != NULL) {
        memcpy(url, given, strlen(given) + 1); // its length was checked
    }
    return given != NULL ? client_tls_new(given, options, &line->tls) : PDP_ERR_OK;
}

static enum pdp_err watch_make(struct pdp_client *client, const struct watch_config *config,
                               struct watch **out)
{
    struct guard_config guard = {.entries = config->cache_entries};
    if (getrandom(&guard.key, sizeof guard.key, 0) != (ssize_t)sizeof guard.key) {
        return PDP_ERR_IO;
    }
    struct watch *made = calloc(1, sizeof *made);
    if (made == NULL || pthread_mutex_init(&made->lock, NULL) != 0 ||
        call_cond_init(&made->wake) != PDP_ERR_OK) {
        free(made);
        return PDP_ERR_NOMEM;
    }
    made->client = client;
    make_name(made, config->name);
    *out = made;
    TRY(guard_new(&guard, &made->guard));
    TRY(line_init(&made->notices, made, config->notices_url, made->notices_url, config->options));
    return line_init(&made->orders, made, config->orders_url, made->orders_url, config->options);
}

enum pdp_err watch_new(struct pdp_client *client, const struct watch_config *config, struct watch **out)
{
    *out = NULL;
    struct watch *made = NULL;
    enum pdp_err err = watch_make(client, config, &made);
    int rv = 0;
    if (err == PDP_ERR_OK && config->notices_url != NULL) {
        rv = notices_open(&made->notices);
    }
    if (err == PDP_ERR_OK && rv == 0 && config->orders_url != NULL) {
        rv = orders_open(&made->orders);
    }
    if (err == PDP_ERR_OK && rv == 0) {
        made->has_thread = pthread_create(&made->thread, NULL, run, made) == 0;
        err = made->has_thread ? PDP_ERR_OK : PDP_ERR_NOMEM;
    }
    err = rv != 0 ? client_nng_err(rv) : err;
    if (err != PDP_ERR_OK) {
        watch_free(&made);
    }
    *out = made;
    return err;
}
