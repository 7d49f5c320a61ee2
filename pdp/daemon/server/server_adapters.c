// SPDX-License-Identifier: Apache-2.0
// Adapters inside of pdpd: their listeners, and the decider by which they ask the engine on threads of their
// own.
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"
#include "engine/snapshot.h"
#include "wire/answer.h"
#include "wire/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

// One that asks at a time; taken for a question and given back.
struct asker {
    struct asker *next;
    struct worker *worker;
    struct buf question, answer;
};

// An answer that waits until what it tells of is durable.
struct untold {
    struct untold *next;
    uint64_t seq;
    struct pdp_answer *answer, *refusal;
    pdp_answered answered;
    void *user;
};

struct server_adapter {
    struct server_adapters *all;
    const struct config_adapter *config;
    struct server_listeners listeners;
    struct peer peer;
    struct pdp_adapter *running; // NULL: it is not
};

struct server_adapters {
    struct server *server;
    struct server_adapter list[CONFIG_ADAPTERS_MAX];
    size_t count;
    struct asker askers[SNAPSHOT_WORKERS_MAX];
    size_t asker_count;
    pthread_mutex_t lock; // of all that follows
    pthread_cond_t given;
    struct asker *idle;
    struct untold *first, *last;
    bool stop;
    struct histogram took;
    uint32_t turn;
    int wake; // an eventfd: the journal has moved on, or stop
    pthread_t keeper;
    bool keeps;
};

// ---- Untold answers --------------------------------------------------------------------------------------

static void tell(struct untold *one, bool good)
{
    struct pdp_answer **kept = good ? &one->answer : &one->refusal;
    pdp_answer_free(good ? &one->refusal : &one->answer);
    one->answered(one->user, good ? PDP_ERR_OK : PDP_ERR_IO, STEAL(*kept));
    free(one);
}

// Those that need wait no longer, in the order in which they came.
static void tell_due(struct server_adapters *all, const struct journal *journal)
{
    // In this order: what failed and was made durable after all is durable.
    uint64_t failed = journal_failed(journal), durable = journal_durable(journal);
    for (;;) {
        pthread_mutex_lock(&all->lock);
        struct untold **at = &all->first, *before = NULL;
        while (*at != NULL && (*at)->seq > durable && (*at)->seq > failed) {
            before = *at;
            at = &(*at)->next;
        }
        struct untold *one = *at;
        if (one != NULL) {
            *at = one->next;
            all->last = one == all->last ? before : all->last;
        }
        pthread_mutex_unlock(&all->lock);
        if (one == NULL) {
            return;
        }
        tell(one, one->seq <= durable);
    }
}

static bool ends(struct server_adapters *all)
{
    pthread_mutex_lock(&all->lock);
    bool over = all->stop && all->first == NULL;
    pthread_mutex_unlock(&all->lock);
    return over;
}

static void *keep(void *user)
{
    struct server_adapters *all = user;
    const struct journal *journal = engine_journal(all->server->engine);
    while (!ends(all)) {
        eventfd_t count;
        (void)eventfd_read(all->wake, &count);
        if (journal != NULL) {
            tell_due(all, journal);
        }
    }
    return NULL;
}

void server_adapters_wake(struct server *server)
{
    struct server_adapters *all = server->adapters;
    if (all == NULL) {
        return;
    }
    pthread_mutex_lock(&all->lock);
    bool waits = all->first != NULL || all->stop;
    pthread_mutex_unlock(&all->lock);
    if (waits) {
        eventfd_write(all->wake, 1);
    }
}

// Takes answer and refusal over.
static enum pdp_err put_off(struct server_adapters *all, uint64_t seq, struct pdp_answer **answer,
                            struct pdp_answer **refusal, pdp_answered answered, void *user)
{
    struct untold *one = calloc(1, sizeof *one);
    if (one == NULL) {
        return PDP_ERR_NOMEM;
    }
    *one = (struct untold){
        .seq = seq, .answer = STEAL(*answer), .refusal = STEAL(*refusal), .answered = answered, .user = user};
    pthread_mutex_lock(&all->lock);
    *(all->last != NULL ? &all->last->next : &all->first) = one;
    all->last = one;
    pthread_mutex_unlock(&all->lock);
    eventfd_write(all->wake, 1); // it may have become durable meanwhile
    return PDP_ERR_OK;
}

// ---- Asking
// ------------------------------------------------------------------------------------------------

static struct asker *take(struct server_adapters *all)
{
    pthread_mutex_lock(&all->lock);
    while (all->idle == NULL) {
        pthread_cond_wait(&all->given, &all->lock);
    }
    struct asker *asker = all->idle;
    all->idle = asker->next;
    pthread_mutex_unlock(&all->lock);
    return asker;
}

static void give(struct server_adapters *all, struct asker *asker)
{
    pthread_mutex_lock(&all->lock);
    asker->next = all->idle;
    all->idle = asker;
    pthread_cond_signal(&all->given);
    pthread_mutex_unlock(&all->lock);
}

// Timed now and then, as answers of the loops are.
static void answer(struct server_adapters *all, struct asker *asker, const struct peer *peer)
{
    struct str message = buf_view(&asker->question);
    pthread_mutex_lock(&all->lock);
    bool timed = ++all->turn % TIMED_EVERY == 0;
    pthread_mutex_unlock(&all->lock);
    uint64_t from_ns = timed ? clock_steady_ns() : 0;
    engine_answer(asker->worker, peer, message, clock_now().wall_ms, &asker->answer);
    if (timed) {
        uint64_t took_ns = clock_steady_ns() - from_ns;
        pthread_mutex_lock(&all->lock);
        histogram_add(&all->took, took_ns);
        pthread_mutex_unlock(&all->lock);
    }
}

static enum pdp_err refusal_of(struct asker *asker, struct pdp_answer **out)
{
    buf_clear(&asker->answer);
    worker_unsaved(asker->worker, &asker->answer);
    return answer_read_any(buf_view(&asker->answer), out);
}

struct asked {
    struct pdp_answer *answer, *refusal; // refusal NULL: the answer can be told at once
    uint64_t seq;
};

static enum pdp_err ask_with(struct server_adapter *adapter, struct asker *asker,
                             const struct pdp_question *message, const char *gateway, bool event,
                             struct asked *out)
{
    const struct question_bytes how = {
        .form = WIRE_CBOR, .event = event, .gateway = str_of(gateway != NULL ? gateway : "")};
    const struct journal *journal = engine_journal(adapter->all->server->engine);
    buf_clear(&asker->question);
    buf_clear(&asker->answer);
    TRY(question_encode(message, &how, &asker->question));
    answer(adapter->all, asker, &adapter->peer);
    TRY(answer_read_any(buf_view(&asker->answer), &out->answer));
    out->seq = worker_awaits(asker->worker);
    bool waits = journal != NULL && out->seq != 0 && journal_durable(journal) < out->seq;
    return waits ? refusal_of(asker, &out->refusal) : PDP_ERR_OK;
}

// *out is NULL, or what to answer at once; else `answered` will be called.
static enum pdp_err ask(struct server_adapter *adapter, const struct pdp_question *message,
                        const char *gateway, bool event, pdp_answered answered, void *user,
                        struct pdp_answer **out)
{
    struct asker *asker = take(adapter->all);
    struct asked asked = {0};
    *out = NULL;
    enum pdp_err err = ask_with(adapter, asker, message, gateway, event, &asked);
    give(adapter->all, asker);
    if (err == PDP_ERR_OK && asked.refusal != NULL && asked.seq != UINT64_MAX) {
        err = put_off(adapter->all, asked.seq, &asked.answer, &asked.refusal, answered, user);
        if (err == PDP_ERR_OK) {
            return PDP_ERR_OK;
        }
    }
    if (asked.refusal != NULL || err != PDP_ERR_OK) {
        pdp_answer_free(&asked.answer);
        *out = asked.refusal != NULL ? asked.refusal : answer_deny(PDP_CODE_NO_ANSWER, pdp_err_text(err));
        return err != PDP_ERR_OK ? err : PDP_ERR_IO;
    }
    *out = asked.answer;
    return PDP_ERR_OK;
}

static enum pdp_err decider_ask(const struct pdp_decider *decider, const struct pdp_question *message,
                                const char *gateway, int64_t now_ms, int32_t deadline_ms,
                                pdp_answered answered, void *user)
{
    struct pdp_answer *out = NULL;
    (void)now_ms; // ours counts
    (void)deadline_ms;
    enum pdp_err err = ask(decider->self, message, gateway, false, answered, user, &out);
    if (err != PDP_ERR_OK || out != NULL) {
        answered(user, err, out);
    }
    return PDP_ERR_OK;
}

// ---- Asking, and waiting
// ------------------------------------------------------------------------------------

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool done;
    enum pdp_err err;
    struct pdp_answer *answer;
};

static void on_told(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct waiting *waiting = user;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    waiting->err = err;
    waiting->answer = answer;
    pthread_cond_signal(&waiting->told);
    pthread_mutex_unlock(&waiting->lock);
}

static enum pdp_err ask_and_wait(struct server_adapter *adapter, const struct pdp_question *message,
                                 bool event, struct pdp_answer **out)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};
    enum pdp_err err = ask(adapter, message, NULL, event, on_told, &waiting, out);
    if (err != PDP_ERR_OK || *out != NULL) {
        return err;
    }
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done) {
        pthread_cond_wait(&waiting.told, &waiting.lock);
    }
    pthread_mutex_unlock(&waiting.lock);
    *out = waiting.answer;
    return waiting.err;
}

static enum pdp_err decider_decide(const struct pdp_decider *decider, const struct pdp_question *question,
                                   int64_t now_ms, int32_t deadline_ms, struct pdp_answer **answer)
{
    (void)now_ms;
    (void)deadline_ms;
    return ask_and_wait(decider->self, question, false, answer);
}

static enum pdp_err decider_event(const struct pdp_decider *decider, const struct pdp_question *event,
                                  int64_t now_ms, int32_t deadline_ms, struct pdp_answer **answer)
{
    (void)now_ms;
    (void)deadline_ms;
    return ask_and_wait(decider->self, event, true, answer);
}

static const struct pdp_decider_ops OPS = {sizeof OPS, decider_decide, decider_event, decider_ask};

// ---- Log
// -----------------------------------------------------------------------------------------------------

static void on_log(void *user, enum pdp_log_level level, const char *event, const char *text)
{
    static const enum log_level LEVELS[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO};
    const struct server_adapter *adapter = user;
    struct log_line line;
    log_begin(&line, LEVELS[level], event);
    log_text(&line, "adapter", adapter->config->kind->name);
    log_text(&line, "message", text);
    log_end(&line);
}

static int64_t now_ms(void *user)
{
    (void)user;
    return clock_now().wall_ms;
}

// ---- One adapter
// -----------------------------------------------------------------------------------------------

static enum pdp_err open_with(const struct config_adapter *config, struct server_adapter *adapter,
                              const int *fds, size_t count, struct pdp_adapter **out)
{
    struct pdp_adapter_wrong wrong = {.setting = SIZE_MAX};
    const struct pdp_adapter_setup setup = {
        .size = sizeof setup,
        .decider = {adapter != NULL && adapter->all != NULL ? &OPS : NULL, adapter},
        .listeners = fds,
        .listener_count = count,
        .settings = config->settings,
        .setting_count = config->setting_count,
        .threads = adapter != NULL && adapter->all != NULL ? (unsigned)adapter->all->server->worker_count : 1,
        .now_ms = now_ms,
        .log = on_log,
        .user = adapter,
    };
    enum pdp_err err = config->kind->open(&setup, out, &wrong);
    if (err == PDP_ERR_OK) {
        return PDP_ERR_OK;
    }
    const char *what = wrong.why[0] != '\0' ? wrong.why : pdp_err_text(err);
    if (wrong.setting < config->setting_count) {
        (void)fprintf(stderr, "%s: error: %s\n", config->places[wrong.setting], what);
    } else {
        (void)fprintf(stderr, "pdpd: %s: %s\n", config->kind->name, what);
    }
    return PDP_ERR_REFUSED;
}

bool server_adapters_check(const struct config *config)
{
    bool good = true;
    for (size_t i = 0; i < config->adapter_count; i++) {
        const struct config_adapter *one = &config->adapters[i];
        struct server_adapter none = {.config = one};
        struct pdp_adapter *opened = NULL;
        if (one->listeners.count + one->setting_count == 0) {
            continue;
        }
        good = open_with(one, &none, NULL, 0, &opened) == PDP_ERR_OK && good;
        if (opened != NULL) {
            one->kind->close(&opened);
        }
    }
    return good;
}

static enum pdp_err adapter_open(struct server_adapter *adapter)
{
    int fds[SERVER_LISTENERS_MAX];
    for (size_t i = 0; i < adapter->listeners.count; i++) {
        fds[i] = adapter->listeners.list[i].fd;
    }
    return open_with(adapter->config, adapter, fds, adapter->listeners.count, &adapter->running);
}

// ---- All of them
// -----------------------------------------------------------------------------------------------

// As many as the adapters have threads, as far as the engine has room.
static enum pdp_err askers_new(struct server_adapters *all)
{
    size_t room = SNAPSHOT_WORKERS_MAX - 2 - all->server->worker_count; // the admin's and the trial's
    size_t want = all->count * all->server->worker_count;
    for (size_t i = 0; i < want && i < room && i < COUNT_OF(all->askers); i++) {
        struct asker *asker = &all->askers[i];
        TRY(worker_new(all->server->engine, &asker->worker));
        TRY(auditor_add(all->server->auditor, asker->worker));
        asker->next = all->idle;
        all->idle = asker;
        all->asker_count++;
    }
    return PDP_ERR_OK;
}

enum pdp_err server_adapters_new(struct server *server)
{
    struct server_adapters *all = server->adapters;
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        const struct config_adapter *config = all->list[i].config;
        all->list[i].peer = (struct peer){.name = config->name,
                                          .hash = session_hash(engine_sessions(server->engine), config->name),
                                          .grants = config->grants | GRANT_RELAY};
    }
    return all != NULL ? askers_new(all) : PDP_ERR_OK;
}

static enum pdp_err make(struct server *server)
{
    struct server_adapters *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    server->adapters = all;
    all->server = server;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->given, NULL);
    all->wake = eventfd(0, EFD_CLOEXEC);
    return all->wake >= 0 ? PDP_ERR_OK : PDP_ERR_IO;
}

// The one of this configuration, made where it is not there yet.
static enum pdp_err place(struct server *server, const struct config_adapter *config,
                          struct server_adapter **out)
{
    *out = NULL;
    TRY(server->adapters == NULL ? make(server) : PDP_ERR_OK);
    struct server_adapters *all = server->adapters;
    for (size_t i = 0; i < all->count; i++) {
        *out = all->list[i].config == config ? &all->list[i] : *out;
    }
    if (*out == NULL) {
        *out = &all->list[all->count++];
        (*out)->all = all;
        (*out)->config = config;
    }
    return PDP_ERR_OK;
}

enum pdp_err server_adapters_listen(struct server *server, server_adopt adopt, void *user)
{
    for (size_t i = 0; i < server->config->adapter_count; i++) {
        const struct config_adapter *config = &server->config->adapters[i];
        for (size_t k = 0; k < config->listeners.count; k++) {
            struct server_adapter *adapter = NULL;
            TRY(place(server, config, &adapter));
            struct server_listeners *side = &adapter->listeners;
            TRY(adopt(user, config->kind->name, &config->listeners.list[k], &side->list[side->count]));
            side->count++;
        }
    }
    return PDP_ERR_OK;
}

struct server_listeners *server_adapters_side(struct server *server, struct str name)
{
    struct server_adapter *adapter = NULL;
    for (size_t i = 0; i < server->config->adapter_count; i++) {
        const struct config_adapter *config = &server->config->adapters[i];
        if (str_starts(name, str_of(config->kind->name)) && place(server, config, &adapter) == PDP_ERR_OK) {
            return &adapter->listeners;
        }
    }
    return NULL;
}

void server_adapters_each(struct server *server,
                          void (*each)(void *user, const char *kind, struct listener *listener), void *user)
{
    struct server_adapters *all = server->adapters;
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        for (size_t k = 0; k < all->list[i].listeners.count; k++) {
            each(user, all->list[i].config->kind->name, &all->list[i].listeners.list[k]);
        }
    }
}

enum pdp_err server_adapters_start(struct server *server)
{
    struct server_adapters *all = server->adapters;
    if (all == NULL) {
        return PDP_ERR_OK;
    }
    all->stop = false;
    all->keeps = pthread_create(&all->keeper, NULL, keep, all) == 0;
    if (!all->keeps) {
        return PDP_ERR_IO;
    }
    for (size_t i = 0; i < all->count; i++) {
        TRY(adapter_open(&all->list[i]));
    }
    return PDP_ERR_OK;
}

void server_adapters_stop(struct server *server)
{
    struct server_adapters *all = server->adapters;
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        if (all->list[i].running != NULL) {
            all->list[i].config->kind->close(&all->list[i].running);
        }
    }
    if (all == NULL || !all->keeps) {
        return;
    }
    pthread_mutex_lock(&all->lock);
    all->stop = true;
    pthread_mutex_unlock(&all->lock);
    eventfd_write(all->wake, 1);
    pthread_join(all->keeper, NULL);
    all->keeps = false;
}

void server_adapters_reload(struct server *server)
{
    struct server_adapters *all = server->adapters;
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        const struct pdp_adapter_kind *kind = all->list[i].config->kind;
        if (all->list[i].running != NULL && kind->reload != NULL) {
            kind->reload(all->list[i].running);
        }
    }
}

void server_adapters_latency(const struct server *server, struct histogram_sum *sum)
{
    if (server->adapters != NULL) {
        histogram_read(&server->adapters->took, sum);
    }
}

void server_adapters_free(struct server *server)
{
    struct server_adapters *all = STEAL(server->adapters);
    if (all == NULL) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(all->askers); i++) {
        worker_free(&all->askers[i].worker);
        buf_fini(&all->askers[i].question);
        buf_fini(&all->askers[i].answer);
    }
    for (size_t i = 0; i < all->count; i++) {
        while (all->list[i].listeners.count > 0) {
            listener_close(&all->list[i].listeners.list[--all->list[i].listeners.count]);
        }
    }
    if (all->wake >= 0) {
        close(all->wake);
    }
    pthread_cond_destroy(&all->given);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
