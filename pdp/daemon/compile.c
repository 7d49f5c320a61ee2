// SPDX-License-Identifier: Apache-2.0
#include "daemon/compile.h"

#include "base/time.h"
#include "daemon/clock.h"
#include "daemon/folder.h"
#include "engine/packer.h"
#include "seal/seal.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static const size_t DIAGNOSTICS_MOST = 1000;

// ---- One compile -----------------------------------------------------------------------------------

static void str_keep(char *out, size_t size, struct str s)
{
    size_t len = s.len < size - 1 ? s.len : size - 1;
    if (len != 0) {
        memcpy(out, s.at, len);
    }
    out[len] = '\0';
}

static void keep_faults(const struct diags *diags, struct compiled *out)
{
    for (size_t i = 0; i < diags->count && out->fault_count < COMPILE_FAULTS_MAX; i++) {
        const struct diag *diag = &diags->list[i];
        if (diag->severity != DIAG_ERROR) {
            continue;
        }
        struct compile_fault *fault = &out->faults[out->fault_count++];
        uint32_t col = 0;
        fault->err = diag->err;
        place_line_col(diag->place, &fault->line, &col);
        str_keep(fault->file, sizeof fault->file,
                 diag->place.src != NULL ? diag->place.src->name : (struct str){0});
        str_keep(fault->message, sizeof fault->message, diag->message);
    }
}

static void keep_geo(const struct snapshot *snapshot, struct compiled *out)
{
    const struct geo_set *set = snapshot_geo(snapshot);
    size_t count = set != NULL ? geo_set_count(set) : 0;
    for (size_t i = 0; i < count && i < CONFIG_GEO_MAX; i++) {
        struct str name = {0}, type = {0};
        struct admin_geo *geo = &out->geo[out->geo_count++];
        geo_set_describe(set, i, &name, &type, &geo->build_s);
        str_keep(geo->name, sizeof geo->name, name);
        str_keep(geo->type, sizeof geo->type, type);
    }
}

// What is to be said of a snapshot that was made, or refused.
static void conclude(enum pdp_err err, const char *what, struct diags *diags, struct compiled *out)
{
    out->errors = diags->errors;
    out->warnings = diags->warnings;
    diags_render(diags, &out->diagnostics);
    keep_faults(diags, out);
    diags_fini(diags);
    if (err != PDP_ERR_OK) {
        snprintf(out->error, sizeof out->error, "%zu error%s in the %s: %s", out->errors,
                 out->errors == 1 ? "" : "s", what, pdp_err_text(err));
        snapshot_free(&out->snapshot);
        return;
    }
    snapshot_describe(out->snapshot, &out->facts);
    str_keep(out->digest, sizeof out->digest, snapshot_digest(out->snapshot));
    keep_geo(out->snapshot, out);
}

// ---- What it was made from, to be kept ---------------------------------------------------------------

static void digest_geo(const struct snapshot_input *input, struct compiled *out)
{
    uint8_t sha[SEAL_BYTES];
    AUTO(seal_hash_free) struct seal_hash *hash = NULL;
    AUTO(buf_fini) struct buf hex = {0};
    if (input->geo_count == 0 || seal_hash_new(&hash) != PDP_ERR_OK) {
        return;
    }
    for (size_t i = 0; i < input->geo_count; i++) {
        uint64_t len = input->geo[i].text.len;
        seal_hash_add(hash, &len, sizeof len); // in front, so that nothing can slide
        seal_hash_add(hash, input->geo[i].text.at, len);
    }
    if (seal_hash_end(hash, sha) == PDP_ERR_OK) {
        bundle_hex(sha, &hex);
        (void)snprintf(out->geo_digest, sizeof out->geo_digest, "sha256:" STR_FMT, STR_ARG(buf_view(&hex)));
    }
}

static void keep_bytes(struct buf *bytes, struct compiled *out)
{
    enum pdp_err err = bytes->failed ? PDP_ERR_NOMEM : sources_new(bytes, &out->sources);
    if (err != PDP_ERR_OK) {
        str_keep(out->unkept, sizeof out->unkept, str_of(pdp_err_text(err)));
    }
}

static void say_unkept(const struct bundle_fault *fault, struct compiled *out)
{
    AUTO(buf_fini) struct buf name = {0};
    buf_escaped(&name, str_sub(fault->name, 0, 200));
    (void)snprintf(out->unkept, sizeof out->unkept, "`" STR_FMT "` %s", STR_ARG(buf_view(&name)),
                   fault->what != NULL ? fault->what : "cannot be kept");
}

// A folder as the bundle that `pdpctl build` would make of it: the version says nothing, and it never
// expires.
static void keep_folder(struct packer *packer, struct folder *folder, struct compiled *out)
{
    const struct bundle head = {.name = STR("policies"), .version = 1, .expires_s = TIME_MAX_S};
    AUTO(buf_fini) struct buf bytes = {.limit = BUNDLE_BYTES_MAX};
    struct bundle_fault fault = {0};
    if (packer_write(packer, &head, folder_front(folder), &bytes, &fault) != PDP_ERR_OK) {
        say_unkept(&fault, out);
        return;
    }
    keep_bytes(&bytes, out);
}

static void keep_bundle(const struct folder *folder, struct compiled *out)
{
    AUTO(buf_fini) struct buf bytes = {0};
    buf_str(&bytes, folder_bytes(folder));
    keep_bytes(&bytes, out);
}

// What `from` is, with the lists that were read since.
static void keep_lists(struct packer *packer, const struct sources *from, struct compiled *out)
{
    AUTO(buf_fini) struct buf bytes = {.limit = BUNDLE_BYTES_MAX};
    struct bundle old;
    struct bundle_fault fault = {0};
    if (from == NULL || bundle_read(buf_view(&from->bytes), &old, &fault) != PDP_ERR_OK) {
        str_keep(out->unkept, sizeof out->unkept, STR("the policies that they belong to are not kept"));
        return;
    }
    if (packer_write_over(packer, &old, &bytes, &fault) != PDP_ERR_OK) {
        say_unkept(&fault, out);
        return;
    }
    keep_bytes(&bytes, out);
}

static void compile_folder(struct folder *folder, int64_t expires_ms, struct hash_key seed, bool geo_optional,
                           struct compiled *out)
{
    AUTO(packer_free) struct packer *packer = NULL;
    struct snapshot_input input = folder_input(folder);
    bool notes = folder_bundle(folder) == NULL && packer_new(&input, &packer) == PDP_ERR_OK;
    if (notes) {
        input = packer_input(packer);
    }
    input.expires_ms = expires_ms;
    input.geo_optional = geo_optional;
    input.now_ms = clock_now().wall_ms;
    struct diags diags;
    diags_init(&diags, DIAGNOSTICS_MOST);
    enum pdp_err misnamed = folder_misnamed(folder, &diags);
    enum pdp_err err = snapshot_build(&input, seed, &diags, &out->snapshot);
    conclude(err == PDP_ERR_OK ? misnamed : err, "policies", &diags, out);
    if (out->snapshot == NULL) {
        return;
    }
    digest_geo(&input, out);
    if (notes) {
        keep_folder(packer, folder, out);
    } else if (folder_bundle(folder) != NULL) {
        keep_bundle(folder, out);
    } else {
        str_keep(out->unkept, sizeof out->unkept, STR("memory is out"));
    }
}

// A bundle that is not served, whatever its policies.
static void refuse_bundle(const struct config *config, enum served_refusal refusal, const char *why,
                          struct compiled *out)
{
    struct str first = str_sub(str_of(why), 0, str_find_byte(str_of(why), '\n', 0));
    snapshot_free(&out->snapshot);
    out->refusal = refusal;
    out->errors = 1;
    snprintf(out->error, sizeof out->error, "the bundle is refused (%s): " STR_FMT,
             served_refusal_word(refusal), STR_ARG(first));
    buf_printf(&out->diagnostics, "%s: error: the bundle is refused: %s\n", config->bundle, why);
}

static bool cannot_be_read(enum pdp_err err)
{
    return err != PDP_ERR_MALFORMED && err != PDP_ERR_UNSUPPORTED && err != PDP_ERR_LIMIT;
}

// Who signed it, before anything in it is looked at.
static void compile_bundle(const struct config *config, struct bundles *bundles, struct hash_key seed,
                           bool geo_optional, struct compiled *out)
{
    AUTO(folder_free) struct folder *folder = NULL;
    char why[BUNDLES_WHY_MAX] = "", said[FOLDER_WHY_MAX];
    enum pdp_err err = folder_unpack(config->bundle, config->geo, config->geo_count, &folder, said);
    if (err != PDP_ERR_OK) {
        refuse_bundle(config, cannot_be_read(err) ? SERVED_UNREADABLE : SERVED_MALFORMED, said, out);
        return;
    }
    const struct bundle *bundle = folder_bundle(folder);
    enum served_refusal refusal =
        bundles_judge(bundles, bundle, clock_now().wall_ms / TIME_MS_PER_S, &out->bundle, why);
    if (refusal == SERVED_NONE) {
        int64_t expires_ms = config->bundle_expiry_denies ? bundle->expires_s * TIME_MS_PER_S : 0;
        compile_folder(folder, expires_ms, seed, geo_optional, out);
        out->refusal = out->snapshot == NULL ? SERVED_POLICIES : SERVED_NONE;
        return;
    }
    refuse_bundle(config, refusal, why, out);
}

bool compile_remember(const struct config *config, struct bundles *bundles, struct compiled *compiled)
{
    char why[BUNDLES_WHY_MAX] = "memory is out";
    struct bundle bundle;
    struct bundle_fault fault;
    enum served_refusal refusal = SERVED_STATE;
    if (bundles == NULL || compiled->lists || compiled->pin.at_ms != 0) {
        return true;
    }
    if (compiled->sources != NULL &&
        bundle_read(buf_view(&compiled->sources->bytes), &bundle, &fault) == PDP_ERR_OK) {
        refusal = bundles_remember(bundles, &bundle, why);
    }
    if (refusal != SERVED_NONE) {
        refuse_bundle(config, refusal, why, compiled);
    }
    return refusal == SERVED_NONE;
}

struct compiled *compile_run(const struct config *config, struct bundles *bundles, struct hash_key seed,
                             bool geo_optional)
{
    struct compiled *out = calloc(1, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    int64_t began_ms = clock_now().steady_ms;
    AUTO(folder_free) struct folder *folder = NULL;
    char why[FOLDER_WHY_MAX];
    if (config->bundle != NULL) {
        compile_bundle(config, bundles, seed, geo_optional, out);
    } else if (folder_read(config->policies, config->geo, config->geo_count, &folder, why) == PDP_ERR_OK) {
        compile_folder(folder, 0, seed, geo_optional, out);
    } else {
        out->errors = 1;
        snprintf(out->error, sizeof out->error, "cannot read the policy folder: %s", why);
        buf_str(&out->diagnostics, str_of(config->policies));
        buf_printf(&out->diagnostics, ": error: cannot read the policy folder: %s\n", why);
    }
    out->took_ms = clock_now().steady_ms - began_ms;
    return out;
}

// ---- What was served before, again -------------------------------------------------------------------

static void refuse_back(const char *why, struct compiled *out)
{
    struct str first = str_sub(str_of(why), 0, str_find_byte(str_of(why), '\n', 0));
    snapshot_free(&out->snapshot);
    out->errors = 1;
    snprintf(out->error, sizeof out->error, "the roll-back is refused: " STR_FMT, STR_ARG(first));
    buf_printf(&out->diagnostics, "error: the roll-back is refused: %s\n", why);
}

// A lost database must not stand in its way.
static void compile_sources(const struct config *config, struct bundles *bundles, struct sources *sources,
                            struct hash_key seed, struct compiled *out)
{
    AUTO(folder_free) struct folder *folder = NULL;
    char why[BUNDLES_WHY_MAX] = "", said[FOLDER_WHY_MAX];
    int64_t expires_ms = 0;
    const char *called = config->bundle != NULL ? config->bundle : config->policies;
    if (folder_of_bytes(buf_view(&sources->bytes), called, config->geo, config->geo_count, &folder, said) !=
        PDP_ERR_OK) {
        refuse_back(said, out);
        return;
    }
    if (config->bundle != NULL) {
        const struct bundle *bundle = folder_bundle(folder);
        out->refusal =
            bundles_judge_again(bundles, bundle, clock_now().wall_ms / TIME_MS_PER_S, &out->bundle, why);
        expires_ms = config->bundle_expiry_denies ? bundle->expires_s * TIME_MS_PER_S : 0;
    }
    if (out->refusal != SERVED_NONE) {
        refuse_back(why, out);
        return;
    }
    compile_folder(folder, expires_ms, seed, true, out);
}

struct compiled *compile_back(const struct config *config, struct bundles *bundles, struct archive *archive,
                              const struct archive_pin *pin, struct hash_key seed)
{
    struct compiled *out = calloc(1, sizeof *out);
    AUTO(sources_drop) struct sources *sources = NULL;
    char why[ARCHIVE_WHY_MAX];
    if (out == NULL) {
        return NULL;
    }
    int64_t began_ms = clock_now().steady_ms;
    out->pin = *pin;
    memcpy(out->by, pin->by, sizeof out->by);
    if (archive_take(archive, pin->sources, &sources, why) == PDP_ERR_OK) {
        compile_sources(config, bundles, sources, seed, out);
    } else {
        refuse_back(why, out);
    }
    out->took_ms = clock_now().steady_ms - began_ms;
    return out;
}

void compiled_free(struct compiled **compiled)
{
    struct compiled *it = STEAL(*compiled);
    if (it != NULL) {
        snapshot_free(&it->snapshot);
        sources_drop(&it->sources);
        free(it->trial);
        buf_fini(&it->diagnostics);
        free(it);
    }
}

// ---- Lists read anew -------------------------------------------------------------------------------

// A list of a bundle is part of what was signed.
static struct compiled *refuse_lists(const struct config *config, const char *list)
{
    struct compiled *out = calloc(1, sizeof *out);
    if (out != NULL) {
        out->lists = true;
        str_keep(out->list, sizeof out->list, str_of(list));
        out->errors = 1;
        snprintf(out->error, sizeof out->error, "lists are part of the bundle that is served");
        buf_printf(&out->diagnostics, "%s: error: %s\n  hint: build, sign and load a new bundle\n",
                   config->bundle, out->error);
    }
    return out;
}

static struct compiled *lists_run(const struct config *config, struct hash_key seed,
                                  const struct snapshot *from, const struct sources *sources,
                                  const char *list)
{
    if (config->bundle != NULL) {
        return refuse_lists(config, list);
    }
    struct compiled *out = calloc(1, sizeof *out);
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(packer_free) struct packer *packer = NULL;
    struct snapshot_input input = {0};
    enum pdp_err opened = out == NULL ? PDP_ERR_NOMEM : folder_open(config->policies, &folder);
    if (opened == PDP_ERR_OK) {
        input = folder_input(folder);
        opened = packer_new(&input, &packer);
    }
    if (opened != PDP_ERR_OK) {
        free(out);
        return NULL;
    }
    int64_t began_ms = clock_now().steady_ms;
    input = packer_input(packer);
    input.now_ms = clock_now().wall_ms;
    struct diags diags;
    diags_init(&diags, DIAGNOSTICS_MOST);
    enum pdp_err err = snapshot_reload_lists(from, str_of(list), &input, seed, &diags, &out->snapshot);
    conclude(err, "lists", &diags, out);
    out->lists = true;
    str_keep(out->list, sizeof out->list, str_of(list));
    if (out->snapshot != NULL) {
        keep_lists(packer, sources, out);
    }
    out->took_ms = clock_now().steady_ms - began_ms;
    return out;
}

// ---- The thread ------------------------------------------------------------------------------------

enum {
    JOBS_MAX = 64
};

enum job_kind {
    JOB_ALL,   // the folder, or the bundle
    JOB_LISTS, // files of lists
    JOB_BACK,  // what was served before
    JOB_WRITE  // of the host
};

struct job {
    uint64_t number;
    enum job_kind kind;
    char list[COMPILE_LIST_MAX + 1];
    char by[ARCHIVE_BY_MAX];
    struct archive_pin pin;
    struct compile_order order;
};

struct compiler {
    const struct config *config;
    struct bundles *bundles; // of the thread alone once it runs
    struct hash_key seed;
    struct compiler_start host; // `serving` and `sources` are not used any more
    // Shared with what was published last, and with what was given out and may be published; the thread's own
    // unless a result is not settled.
    struct snapshot *latest, *next;
    struct sources *latest_sources, *next_sources;
    pthread_t thread;
    pthread_mutex_t lock; // of all that follows
    pthread_cond_t changed;
    struct job jobs[JOBS_MAX]; // in the order in which they were asked for
    size_t job_count;
    uint64_t asked;
    bool busy; // with the first of them
    bool stop, geo_optional;
    struct compiled *result; // not taken yet: the next job waits for it
    bool unsettled;          // taken, and nobody has said what became of it: likewise
};

// Waits for work; false: stop.
static bool wait_for_work(struct compiler *compiler, struct job *job, bool *geo_optional)
{
    pthread_mutex_lock(&compiler->lock);
    while (!compiler->stop && (compiler->job_count == 0 || compiler->result != NULL || compiler->unsettled)) {
        pthread_cond_wait(&compiler->changed, &compiler->lock);
    }
    *job = compiler->jobs[0];
    *geo_optional = compiler->geo_optional;
    compiler->busy = true;
    bool stop = compiler->stop;
    pthread_mutex_unlock(&compiler->lock);
    return !stop;
}

// `done` without a result: it gives none.
static void give_out(struct compiler *compiler, const struct job *job, bool done, struct compiled *result)
{
    pthread_mutex_lock(&compiler->lock);
    compiler->busy = false;
    if (result != NULL) {
        result->number = job->number;
        memcpy(result->by, job->by, sizeof result->by);
        result->order = job->order;
        compiler->result = result;
    }
    if (result != NULL || done) {
        compiler->job_count--;
        memmove(compiler->jobs, compiler->jobs + 1, compiler->job_count * sizeof *compiler->jobs);
    }
    pthread_mutex_unlock(&compiler->lock);
    if (result != NULL) {
        compiler->host.wake(compiler->host.user);
    } else if (!done) {
        sched_yield(); // memory was out: tried again
    }
}

// What the next lists will stand on if this is published. Where that cannot be kept, the result must not be
// published either: what follows would bring older policies back.
static bool keep_next(struct compiler *compiler, const struct compiled *result)
{
    if (result->snapshot == NULL) {
        return true;
    }
    if (snapshot_share(result->snapshot, &compiler->next) != PDP_ERR_OK) {
        return false;
    }
    compiler->next_sources = sources_hold(result->sources);
    return true;
}

static struct compiled *job_run(struct compiler *compiler, const struct job *job, bool geo_optional)
{
    switch (job->kind) {
    case JOB_WRITE:
        compiler->host.write(compiler->host.user);
        return NULL;
    case JOB_LISTS:
        return lists_run(compiler->config, compiler->seed, compiler->latest, compiler->latest_sources,
                         job->list);
    case JOB_BACK:
        return compile_back(compiler->config, compiler->bundles, compiler->host.archive, &job->pin,
                            compiler->seed);
    case JOB_ALL:
        break;
    }
    return compile_run(compiler->config, compiler->bundles, compiler->seed, geo_optional);
}

static void *compiler_main(void *user)
{
    struct compiler *compiler = user;
    struct sched_param param = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);
    struct job job = {0};
    bool geo_optional = false;
    while (wait_for_work(compiler, &job, &geo_optional)) {
        struct compiled *result = job_run(compiler, &job, geo_optional);
        if (result != NULL && !keep_next(compiler, result)) {
            compiled_free(&result);
        }
        give_out(compiler, &job, job.kind == JOB_WRITE, result);
    }
    return NULL;
}

enum pdp_err compiler_new(const struct config *config, struct bundles *bundles, struct hash_key seed,
                          const struct compiler_start *start, struct compiler **out)
{
    *out = NULL;
    struct compiler *compiler = calloc(1, sizeof *compiler);
    if (compiler == NULL) {
        return PDP_ERR_NOMEM;
    }
    compiler->config = config;
    compiler->bundles = bundles;
    compiler->seed = seed;
    compiler->host = *start;
    compiler->latest = STEAL(*start->serving);
    compiler->latest_sources = sources_hold(start->sources);
    pthread_mutex_init(&compiler->lock, NULL);
    pthread_cond_init(&compiler->changed, NULL);
    if (pthread_create(&compiler->thread, NULL, compiler_main, compiler) != 0) {
        snapshot_free(&compiler->latest);
        sources_drop(&compiler->latest_sources);
        free(compiler);
        return PDP_ERR_IO;
    }
    *out = compiler;
    return PDP_ERR_OK;
}

void compiler_geo_optional(struct compiler *compiler, bool optional)
{
    pthread_mutex_lock(&compiler->lock);
    compiler->geo_optional = optional;
    pthread_mutex_unlock(&compiler->lock);
}

void compiler_free(struct compiler **compiler_ptr)
{
    struct compiler *compiler = STEAL(*compiler_ptr);
    if (compiler == NULL) {
        return;
    }
    pthread_mutex_lock(&compiler->lock);
    compiler->stop = true;
    pthread_cond_signal(&compiler->changed);
    pthread_mutex_unlock(&compiler->lock);
    pthread_join(compiler->thread, NULL);
    compiled_free(&compiler->result);
    snapshot_free(&compiler->latest);
    snapshot_free(&compiler->next);
    sources_drop(&compiler->latest_sources);
    sources_drop(&compiler->next_sources);
    pthread_cond_destroy(&compiler->changed);
    pthread_mutex_destroy(&compiler->lock);
    free(compiler);
}

static bool job_same(const struct job *a, const struct job *b)
{
    return a->kind == b->kind && strcmp(a->list, b->list) == 0 && strcmp(a->by, b->by) == 0 &&
           memcmp(&a->pin, &b->pin, sizeof a->pin) == 0 && a->order.preview == b->order.preview &&
           a->order.confirm == b->order.confirm;
}

// Joins the last job where that waits and is the same. Of lists, one too many becomes a compile of all; a
// write is asked for again, and what else finds no room is not taken: 0.
static uint64_t ask(struct compiler *compiler, struct job job)
{
    pthread_mutex_lock(&compiler->lock);
    size_t waiting = compiler->job_count - (compiler->busy ? 1 : 0);
    struct job *last = waiting > 0 ? &compiler->jobs[compiler->job_count - 1] : NULL;
    bool same = last != NULL && job_same(last, &job);
    bool full = compiler->job_count == JOBS_MAX && !same;
    if (full && job.kind == JOB_LISTS) {
        job.kind = JOB_ALL;
        job.list[0] = '\0';
    }
    if (!same && !full) {
        last = &compiler->jobs[compiler->job_count++];
    }
    if (!full || job.kind == JOB_ALL) {
        job.number = ++compiler->asked;
        *last = job;
        pthread_cond_signal(&compiler->changed);
    }
    pthread_mutex_unlock(&compiler->lock);
    return job.number;
}

uint64_t compiler_ask(struct compiler *compiler, struct str by, struct compile_order order)
{
    struct job job = {.kind = JOB_ALL, .order = order};
    str_keep(job.by, sizeof job.by, by);
    return ask(compiler, job);
}

uint64_t compiler_ask_lists(struct compiler *compiler, struct str list)
{
    struct job job = {.kind = JOB_LISTS, .order.confirm = -1};
    str_keep(job.list, sizeof job.list, list);
    return ask(compiler, job);
}

uint64_t compiler_ask_back(struct compiler *compiler, const struct archive_pin *pin,
                           struct compile_order order)
{
    struct job job = {.kind = JOB_BACK, .pin = *pin, .order = order};
    memcpy(job.by, pin->by, sizeof job.by);
    return ask(compiler, job);
}

void compiler_ask_write(struct compiler *compiler)
{
    (void)ask(compiler, (struct job){.kind = JOB_WRITE});
}

struct compiled *compiler_take(struct compiler *compiler)
{
    pthread_mutex_lock(&compiler->lock);
    struct compiled *result = STEAL(compiler->result);
    compiler->unsettled = compiler->unsettled || result != NULL;
    pthread_mutex_unlock(&compiler->lock);
    return result;
}

void compiler_settle(struct compiler *compiler, bool published)
{
    pthread_mutex_lock(&compiler->lock);
    if (published && compiler->next != NULL) {
        snapshot_free(&compiler->latest);
        compiler->latest = STEAL(compiler->next);
        sources_drop(&compiler->latest_sources);
        compiler->latest_sources = STEAL(compiler->next_sources);
    }
    snapshot_free(&compiler->next);
    sources_drop(&compiler->next_sources);
    compiler->unsettled = false;
    pthread_cond_signal(&compiler->changed);
    pthread_mutex_unlock(&compiler->lock);
}
