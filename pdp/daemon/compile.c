// SPDX-License-Identifier: Apache-2.0
#include "daemon/compile.h"

#include "daemon/clock.h"
#include "daemon/folder.h"

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

static void compile_folder(struct folder *folder, struct hash_key seed, bool geo_optional,
                           struct compiled *out)
{
    struct snapshot_input input = folder_input(folder);
    input.geo_optional = geo_optional;
    input.now_ms = clock_now().wall_ms;
    struct diags diags;
    diags_init(&diags, DIAGNOSTICS_MOST);
    enum pdp_err err = snapshot_build(&input, seed, &diags, &out->snapshot);
    out->errors = diags.errors;
    out->warnings = diags.warnings;
    diags_render(&diags, &out->diagnostics);
    keep_faults(&diags, out);
    diags_fini(&diags);
    if (err != PDP_ERR_OK) {
        snprintf(out->error, sizeof out->error, "%zu error%s in the policies: %s", out->errors,
                 out->errors == 1 ? "" : "s", pdp_err_text(err));
        snapshot_free(&out->snapshot);
        return;
    }
    snapshot_describe(out->snapshot, &out->facts);
    str_keep(out->digest, sizeof out->digest, snapshot_digest(out->snapshot));
    keep_geo(out->snapshot, out);
}

struct compiled *compile_run(const struct config *config, struct hash_key seed, bool geo_optional)
{
    struct compiled *out = calloc(1, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    int64_t began_ms = clock_now().steady_ms;
    AUTO(folder_free) struct folder *folder = NULL;
    char why[FOLDER_WHY_MAX];
    if (folder_read(config->policies, config->geo, config->geo_count, &folder, why) == PDP_ERR_OK) {
        compile_folder(folder, seed, geo_optional, out);
    } else {
        out->errors = 1;
        snprintf(out->error, sizeof out->error, "cannot read the policy folder: %s", why);
        buf_str(&out->diagnostics, str_of(config->policies));
        buf_printf(&out->diagnostics, ": error: cannot read the policy folder: %s\n", why);
    }
    out->took_ms = clock_now().steady_ms - began_ms;
    return out;
}

void compiled_free(struct compiled **compiled)
{
    struct compiled *it = STEAL(*compiled);
    if (it != NULL) {
        snapshot_free(&it->snapshot);
        buf_fini(&it->diagnostics);
        free(it);
    }
}

// ---- The thread ------------------------------------------------------------------------------------

struct compiler {
    const struct config *config;
    struct hash_key seed;
    void (*wake)(void *user);
    void *user;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t asked, done;
    bool stop, geo_optional;
    struct compiled *result; // not taken yet: the next compile waits for it
};

// Waits for work; false: stop.
static bool wait_for_work(struct compiler *compiler, uint64_t *number, bool *geo_optional)
{
    pthread_mutex_lock(&compiler->lock);
    while (!compiler->stop && (compiler->asked == compiler->done || compiler->result != NULL)) {
        pthread_cond_wait(&compiler->changed, &compiler->lock);
    }
    *number = compiler->asked;
    *geo_optional = compiler->geo_optional;
    bool stop = compiler->stop;
    pthread_mutex_unlock(&compiler->lock);
    return !stop;
}

static void *compiler_main(void *user)
{
    struct compiler *compiler = user;
    struct sched_param param = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);
    uint64_t number = 0;
    bool geo_optional = false;
    while (wait_for_work(compiler, &number, &geo_optional)) {
        struct compiled *result = compile_run(compiler->config, compiler->seed, geo_optional);
        pthread_mutex_lock(&compiler->lock);
        compiler->done = result != NULL ? number : compiler->done;
        if (result != NULL) {
            result->number = number;
        }
        compiler->result = result;
        pthread_mutex_unlock(&compiler->lock);
        if (result != NULL) {
            compiler->wake(compiler->user);
        } else {
            sched_yield(); // memory was out: tried again
        }
    }
    return NULL;
}

enum pdp_err compiler_new(const struct config *config, struct hash_key seed, void (*wake)(void *user),
                          void *user, struct compiler **out)
{
    *out = NULL;
    struct compiler *compiler = calloc(1, sizeof *compiler);
    if (compiler == NULL) {
        return PDP_ERR_NOMEM;
    }
    compiler->config = config;
    compiler->seed = seed;
    compiler->wake = wake;
    compiler->user = user;
    pthread_mutex_init(&compiler->lock, NULL);
    pthread_cond_init(&compiler->changed, NULL);
    if (pthread_create(&compiler->thread, NULL, compiler_main, compiler) != 0) {
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
    pthread_cond_destroy(&compiler->changed);
    pthread_mutex_destroy(&compiler->lock);
    free(compiler);
}

uint64_t compiler_ask(struct compiler *compiler)
{
    pthread_mutex_lock(&compiler->lock);
    uint64_t number = ++compiler->asked;
    pthread_cond_signal(&compiler->changed);
    pthread_mutex_unlock(&compiler->lock);
    return number;
}

struct compiled *compiler_take(struct compiler *compiler)
{
    pthread_mutex_lock(&compiler->lock);
    struct compiled *result = STEAL(compiler->result);
    pthread_cond_signal(&compiler->changed);
    pthread_mutex_unlock(&compiler->lock);
    return result;
}
