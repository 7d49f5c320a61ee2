// SPDX-License-Identifier: Apache-2.0
// <pdp/engine.h>: the engine for other people's processes. One worker a thread that asks, kept for the next
// one.
#include "base/time.h"
#include "engine/engine.h"
#include "wire/answer.h"
#include "wire/question.h"

#include <pdp/decider.h>
#include <pdp/engine.h>
#include <pthread.h>
#include <stdlib.h>

#define SESSIONS_DEFAULT 100000
#define MISTAKES_MOST 200
#define OPTIONS_LEAST offsetof(struct pdp_engine_options, random) // those of the first release
#define TIDY_EVERY 256                                            // decisions

struct idle_worker {
    struct idle_worker *next;
    struct worker *worker;
    struct buf question, answer;
};

struct pdp_engine {
    pthread_mutex_t lock; // idle and decided
    struct engine *engine;
    struct idle_worker *idle;
    uint64_t decided;
    char gateway[REQUEST_ID_MAX + 1];
    struct peer peer;
};

struct files {
    struct snapshot_file *at;
    size_t count;
};

static void files_free(struct files *files)
{
    free(files->at);
    *files = (struct files){0};
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct snapshot_file *)a)->name, ((const struct snapshot_file *)b)->name);
}

static enum pdp_err read_files(const struct pdp_file *given, size_t count, struct files *out)
{
    out->at = calloc(count > 0 ? count : 1, sizeof *out->at);
    if (out->at == NULL) {
        return PDP_ERR_NOMEM;
    }
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        out->at[i].name = str_of(given[i].name);
        out->at[i].text = (struct str){given[i].bytes, given[i].len};
    }
    if (count > 1) {
        qsort(out->at, count, sizeof *out->at, by_name);
    }
    return PDP_ERR_OK;
}

// ---- What policies name, by the caller's functions -----------------------------------------------------

struct reader {
    const struct pdp_engine_options *options;
};

static enum pdp_err read_by(pdp_read read, void *user, struct str name, struct str *text)
{
    char c_name[REQUEST_ID_MAX + 1];
    const void *bytes = NULL;
    size_t len = 0;
    if (read == NULL || name.len >= sizeof c_name ||
        (name.len > 0 && memchr(name.at, '\0', name.len) != NULL)) {
        return PDP_ERR_MISSING;
    }
    memcpy(c_name, name.at, name.len);
    c_name[name.len] = '\0';
    TRY(read(user, c_name, &bytes, &len));
    *text = (struct str){bytes, len};
    return PDP_ERR_OK;
}

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    const struct reader *reader = user;
    return read_by(reader->options->read_file, reader->options->user, path, text);
}

static enum pdp_err read_zone(void *user, struct str name, struct str *tzif)
{
    const struct reader *reader = user;
    return read_by(reader->options->read_zone, reader->options->user, name, tzif);
}

// ---- Opening ---------------------------------------------------------------------------------------

static void tell(struct diags *diags, char **why)
{
    AUTO(buf_fini) struct buf text = {0};
    diags_render(diags, &text);
    if (why != NULL && text.len > 0) {
        *why = strndup((const char *)text.at, text.len);
    }
}

static enum pdp_err compile(const struct pdp_engine_options *options, int64_t now_ms, struct hash_key seed,
                            char **why, struct snapshot **out)
{
    AUTO(files_free) struct files policies = {0};
    AUTO(files_free) struct files geo = {0};
    TRY(read_files(options->policies, options->policy_count, &policies));
    TRY(read_files(options->geo, options->geo_count, &geo));
    struct reader reader = {options};
    struct snapshot_input input = {
        .files = policies.at,
        .file_count = policies.count,
        .geo = geo.at,
        .geo_count = geo.count,
        .read_file = read_file,
        .read_zone = read_zone,
        .user = &reader,
        .now_ms = now_ms,
    };
    struct diags diags;
    diags_init(&diags, MISTAKES_MOST);
    enum pdp_err err = snapshot_build(&input, seed, &diags, out);
    tell(&diags, why);
    diags_fini(&diags);
    return err;
}

static void engine_drop(struct pdp_engine **engine)
{
    pdp_engine_close(engine);
}

static enum pdp_err start(const struct pdp_engine_options *options, struct hash_key key,
                          struct pdp_engine *out)
{
    struct engine_config config = {
        .key = key,
        .id_prefix = hash_64(key, "decision ids", sizeof "decision ids" - 1),
        .sessions_max = options->sessions_max != 0 ? options->sessions_max : SESSIONS_DEFAULT,
        .random = options->random,
        .random_user = options->user,
    };
    TRY(engine_new(&config, &out->engine));
    struct str name = str_of(options->gateway != NULL ? options->gateway : "local");
    if (name.len == 0 || name.len > REQUEST_ID_MAX) {
        return PDP_ERR_RANGE;
    }
    memcpy(out->gateway, name.at, name.len);
    out->peer = (struct peer){
        .name = {out->gateway, name.len},
        .hash = session_hash(engine_sessions(out->engine), name),
        .grants = GRANT_ALL,
    };
    return PDP_ERR_OK;
}

// What the caller knows of; what came later is zero.
static enum pdp_err read_options(const struct pdp_engine_options *given, struct pdp_engine_options *out)
{
    *out = (struct pdp_engine_options){0};
    if (given->size < OPTIONS_LEAST) {
        return PDP_ERR_RANGE;
    }
    memcpy(out, given, given->size < sizeof *out ? given->size : sizeof *out);
    return PDP_ERR_OK;
}

enum pdp_err pdp_engine_open(const struct pdp_engine_options *given, int64_t now_ms,
                             struct pdp_engine **engine, char **why)
{
    *engine = NULL;
    if (why != NULL) {
        *why = NULL;
    }
    struct pdp_engine_options settled;
    const struct pdp_engine_options *options = &settled;
    TRY(read_options(given, &settled));
    struct hash_key key;
    memcpy(&key, options->key, sizeof key);
    AUTO(engine_drop) struct pdp_engine *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (pthread_mutex_init(&made->lock, NULL) != 0) {
        free(STEAL(made));
        return PDP_ERR_NOMEM;
    }
    TRY(start(options, key, made));
    struct snapshot *snapshot = NULL;
    TRY(compile(options, now_ms, key, why, &snapshot));
    engine_publish(made->engine, &snapshot);
    *engine = STEAL(made);
    return PDP_ERR_OK;
}

static void idle_free(struct idle_worker **idle)
{
    if (*idle != NULL) {
        worker_free(&(*idle)->worker);
        buf_fini(&(*idle)->question);
        buf_fini(&(*idle)->answer);
        free(*idle);
        *idle = NULL;
    }
}

void pdp_engine_close(struct pdp_engine **engine)
{
    if (engine == NULL || *engine == NULL) {
        return;
    }
    while ((*engine)->idle != NULL) {
        struct idle_worker *idle = (*engine)->idle;
        (*engine)->idle = idle->next;
        idle_free(&idle);
    }
    engine_free(&(*engine)->engine);
    (void)pthread_mutex_destroy(&(*engine)->lock);
    free(*engine);
    *engine = NULL;
}

// ---- Deciding --------------------------------------------------------------------------------------

static enum pdp_err worker_take(struct pdp_engine *engine, struct idle_worker **out)
{
    (void)pthread_mutex_lock(&engine->lock);
    *out = engine->idle;
    if (*out != NULL) {
        engine->idle = (*out)->next;
    }
    (void)pthread_mutex_unlock(&engine->lock);
    if (*out != NULL) {
        return PDP_ERR_OK;
    }
    AUTO(idle_free) struct idle_worker *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(worker_new(engine->engine, &made->worker));
    *out = STEAL(made);
    return PDP_ERR_OK;
}

static void worker_give(struct pdp_engine *engine, struct idle_worker *idle, int64_t now_ms)
{
    (void)pthread_mutex_lock(&engine->lock);
    idle->next = engine->idle;
    engine->idle = idle;
    bool tidy = ++engine->decided % TIDY_EVERY == 0;
    if (tidy) {
        engine_tidy(engine->engine, now_ms);
    }
    (void)pthread_mutex_unlock(&engine->lock);
}

// What is asked, and how what comes back is read.
struct asking {
    const struct pdp_question *question;
    struct question_bytes how;
    enum pdp_err (*read)(struct str bytes, struct pdp_answer **out);
};

static enum pdp_err answer_with(struct pdp_engine *engine, struct idle_worker *idle,
                                const struct asking *asking, int64_t now_ms, struct pdp_answer **answer)
{
    buf_clear(&idle->question);
    buf_clear(&idle->answer);
    TRY(question_encode(asking->question, &asking->how, &idle->question));
    engine_answer(idle->worker, &engine->peer, buf_view(&idle->question), now_ms, &idle->answer);
    return asking->read(buf_view(&idle->answer), answer);
}

static enum pdp_err answer_one(struct pdp_engine *engine, const struct asking *asking, int64_t now_ms,
                               struct pdp_answer **answer)
{
    *answer = NULL;
    struct idle_worker *idle = NULL;
    enum pdp_err err = worker_take(engine, &idle);
    if (err == PDP_ERR_OK) {
        err = answer_with(engine, idle, asking, now_ms, answer);
        worker_give(engine, idle, now_ms);
    }
    if (err != PDP_ERR_OK && *answer == NULL) {
        *answer = answer_deny(PDP_CODE_NO_ANSWER, pdp_err_text(err));
    }
    return err;
}

enum pdp_err pdp_engine_decide(struct pdp_engine *engine, const struct pdp_question *question, int64_t now_ms,
                               struct pdp_answer **answer)
{
    const struct asking asking = {question, {.form = WIRE_CBOR}, answer_read};
    return answer_one(engine, &asking, now_ms, answer);
}

enum pdp_err pdp_engine_event(struct pdp_engine *engine, const struct pdp_question *event, int64_t now_ms,
                              struct pdp_answer **answer)
{
    const struct asking asking = {event, {.form = WIRE_CBOR, .event = true}, answer_read};
    return answer_one(engine, &asking, now_ms, answer);
}

static enum pdp_err decider_decide(const struct pdp_decider *decider, const struct pdp_question *question,
                                   int64_t now_ms, int32_t deadline_ms, struct pdp_answer **answer)
{
    (void)deadline_ms;
    return pdp_engine_decide(decider->self, question, now_ms, answer);
}

static enum pdp_err decider_event(const struct pdp_decider *decider, const struct pdp_question *event,
                                  int64_t now_ms, int32_t deadline_ms, struct pdp_answer **answer)
{
    (void)deadline_ms;
    return pdp_engine_event(decider->self, event, now_ms, answer);
}

// Here nobody is asked for: there is one gateway, the program itself.
static enum pdp_err decider_ask(const struct pdp_decider *decider, const struct pdp_question *message,
                                const char *gateway, int64_t now_ms, int32_t deadline_ms,
                                pdp_answered answered, void *user)
{
    (void)gateway;
    (void)deadline_ms;
    const struct asking asking = {message, {.form = WIRE_CBOR}, answer_read_any};
    struct pdp_answer *answer = NULL;
    enum pdp_err err = answer_one(decider->self, &asking, now_ms, &answer);
    answered(user, err, answer);
    return PDP_ERR_OK;
}

struct pdp_decider pdp_decider_of_engine(struct pdp_engine *engine)
{
    static const struct pdp_decider_ops OPS = {sizeof OPS, decider_decide, decider_event, decider_ask};
    return (struct pdp_decider){&OPS, engine};
}
