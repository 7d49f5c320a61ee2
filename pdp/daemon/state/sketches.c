// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/sketches.h"

#include "daemon/file.h"
#include "engine/keep.h"
#include "seal/sections.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool path_of(const char *dir, const char *name, char path[static PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return len > 0 && len < PATH_MAX;
}

enum pdp_err sketches_save(const char *dir, struct engine *engine, char why[static STATE_WHY_MAX])
{
    AUTO(buf_fini) struct buf bytes = {0};
    char path[PATH_MAX];
    const char *said = "memory is out";
    enum pdp_err err = path_of(dir, SKETCHES_NAME, path) ? engine_keep(engine, &bytes) : PDP_ERR_LIMIT;
    if (err == PDP_ERR_OK) {
        err = file_replace(path, buf_view(&bytes), 0600, &said);
    }
    (void)snprintf(why, STATE_WHY_MAX, "`%s/" SKETCHES_NAME "` cannot be written: %s", dir, said);
    return err;
}

// What cannot be read is not overwritten: somebody may want to look at it.
static void set_aside(const char *dir, const char *path, const char *wrong, char why[static STATE_WHY_MAX])
{
    char aside[PATH_MAX];
    bool moved = path_of(dir, SKETCHES_ASIDE, aside) && rename(path, aside) == 0;
    (void)snprintf(why, STATE_WHY_MAX, "`%s/" SKETCHES_NAME "` is not used: %s; %s%s", dir, wrong,
                   moved ? "it is now `" SKETCHES_ASIDE "`" : "it could not be set aside: ",
                   moved ? "" : strerror(errno));
}

enum pdp_err sketches_load(const char *dir, struct engine *engine, char why[static STATE_WHY_MAX])
{
    AUTO(buf_fini) struct buf bytes = {0};
    char path[PATH_MAX], wrong[KEEP_WHY_MAX] = "";
    const char *said = "";
    why[0] = '\0';
    if (!path_of(dir, SKETCHES_NAME, path)) {
        return PDP_ERR_LIMIT;
    }
    enum pdp_err err = file_take(path, SECTIONS_BYTES_MAX, &bytes, NULL, &said);
    if (err == PDP_ERR_MISSING) {
        return PDP_ERR_OK;
    }
    if (err == PDP_ERR_OK) {
        err = engine_recall(engine, buf_view(&bytes), wrong);
        said = wrong;
    }
    if (err != PDP_ERR_OK) {
        set_aside(dir, path, said, why);
    } else if (wrong[0] != '\0') {
        (void)snprintf(why, STATE_WHY_MAX, "`%.900s/" SKETCHES_NAME "`: %s", dir, wrong);
    }
    return err;
}

// ---- The thread ------------------------------------------------------------------------------------

struct sketches {
    struct sketches_config config;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool stop; // under the lock
    bool fails;
    pthread_t thread;
};

static void save(struct sketches *sketches)
{
    char why[STATE_WHY_MAX];
    bool fails = sketches_save(sketches->config.dir, sketches->config.engine, why) != PDP_ERR_OK;
    if (fails != sketches->fails) {
        sketches->config.failing(sketches->config.user, fails ? why : NULL);
    }
    sketches->fails = fails;
}

// true: it is time to end.
static bool wait_for_next(struct sketches *sketches)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += SKETCHES_EVERY_MS / 1000;
    pthread_mutex_lock(&sketches->lock);
    int err = 0;
    while (!sketches->stop && err == 0) {
        err = pthread_cond_timedwait(&sketches->woken, &sketches->lock, &until);
    }
    bool stop = sketches->stop;
    pthread_mutex_unlock(&sketches->lock);
    return stop;
}

static void *run(void *user)
{
    struct sketches *sketches = user;
    while (!wait_for_next(sketches)) {
        save(sketches);
    }
    save(sketches);
    return NULL;
}

static void sketches_free(struct sketches **sketches_ptr)
{
    struct sketches *sketches = STEAL(*sketches_ptr);
    if (sketches != NULL) {
        pthread_cond_destroy(&sketches->woken);
        pthread_mutex_destroy(&sketches->lock);
        free(sketches);
    }
}

enum pdp_err sketches_start(const struct sketches_config *config, struct sketches **out)
{
    *out = NULL;
    AUTO(sketches_free) struct sketches *sketches = calloc(1, sizeof *sketches);
    if (sketches == NULL) {
        return PDP_ERR_NOMEM;
    }
    sketches->config = *config;
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&sketches->lock, NULL);
    pthread_cond_init(&sketches->woken, &steady);
    pthread_condattr_destroy(&steady);
    if (pthread_create(&sketches->thread, NULL, run, sketches) != 0) {
        return PDP_ERR_IO;
    }
    *out = STEAL(sketches);
    return PDP_ERR_OK;
}

void sketches_stop(struct sketches **sketches_ptr)
{
    struct sketches *sketches = *sketches_ptr;
    if (sketches != NULL) {
        pthread_mutex_lock(&sketches->lock);
        sketches->stop = true;
        pthread_cond_signal(&sketches->woken);
        pthread_mutex_unlock(&sketches->lock);
        pthread_join(sketches->thread, NULL);
    }
    sketches_free(sketches_ptr);
}
