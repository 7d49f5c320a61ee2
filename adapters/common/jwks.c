// SPDX-License-Identifier: Apache-2.0
#include "common/jwks.h"

#include "common/fetch.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_MS INT64_C(1000) // after a failure, doubling up to `least_ms`
#define WHY_BYTES 400
#define NEVER INT64_MIN

struct jwks {
    struct jwks_about about;
    char *from, *ca;
    atomic_bool stop;
    pthread_t thread;
    pthread_mutex_t lock; // guards what is below
    pthread_cond_t turn;
    struct jwk_set *set; // NULL: none yet
    int64_t good_ms;     // when it was read
    int64_t tried_ms;    // the last try
    int64_t next_ms;     // when to read again, whatever comes
    int64_t retry_ms;
    uint64_t tries;
    bool wished, ordered;
};

// Counts while the machine sleeps: keys grow old then, too.
static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t later(int64_t from_ms, int64_t by_ms)
{
    int64_t sum = 0;
    return __builtin_add_overflow(from_ms, by_ms, &sum) ? INT64_MAX : sum;
}

static void tell(const struct jwks *jwks, enum pdp_log_level level, const char *event, const char *text)
{
    if (jwks->about.log != NULL) {
        jwks->about.log(jwks->about.user, level, event, text);
    }
}

// ---- Reading --------------------------------------------------------------------------------------

static enum pdp_err read_set(const struct jwks *jwks, struct jwk_set **set, char *why, size_t why_bytes)
{
    *set = NULL;
    char *bytes = NULL;
    size_t len = 0;
    struct fetch_about about = {
        .from = jwks->from, .ca = jwks->ca, .most = JWK_SET_BYTES_MOST, .stop = &jwks->stop};
    enum pdp_err err = fetch_bytes(&about, &bytes, &len, why, why_bytes);
    if (err == PDP_ERR_OK) {
        err = jwk_set_parse(bytes != NULL ? bytes : "", len, set, why, why_bytes);
    }
    free(bytes);
    return err;
}

// Called with the lock. The same bytes again make the set younger and no other: what was verified by it stays
// so.
static void take(struct jwks *jwks, struct jwk_set **set)
{
    bool same = jwks->set != NULL && jwk_set_mark(jwks->set) == jwk_set_mark(*set);
    struct jwk_set *drop = same ? *set : jwks->set;
    if (!same) {
        jwks->set = *set;
    }
    *set = NULL;
    jwk_set_release(&drop);
    jwks->good_ms = jwks->tried_ms; // what it says was true then
    jwks->next_ms = later(now_ms(), jwks->about.refresh_ms);
    jwks->retry_ms = RETRY_MS;
}

// Called with the lock.
static void fail(struct jwks *jwks)
{
    jwks->next_ms = later(now_ms(), jwks->retry_ms);
    jwks->retry_ms *= 2;
    if (jwks->retry_ms > jwks->about.least_ms) {
        jwks->retry_ms = jwks->about.least_ms > RETRY_MS ? jwks->about.least_ms : RETRY_MS;
    }
}

static void read_again(struct jwks *jwks)
{
    char why[WHY_BYTES] = "";
    struct jwk_set *set = NULL;
    enum pdp_err err = read_set(jwks, &set, why, sizeof why);
    if (err != PDP_ERR_OK && !atomic_load(&jwks->stop)) {
        tell(jwks, PDP_LOG_WARN, "jwks_not_read", why);
    }
    pthread_mutex_lock(&jwks->lock);
    bool news = err == PDP_ERR_OK && (jwks->set == NULL || jwk_set_mark(jwks->set) != jwk_set_mark(set));
    size_t keys = news ? jwk_set_count(set) : 0;
    if (err == PDP_ERR_OK) {
        take(jwks, &set);
    } else {
        fail(jwks);
    }
    jwks->tries++;
    pthread_mutex_unlock(&jwks->lock);
    if (news) {
        (void)snprintf(why, sizeof why, "%zu keys from `%s`", keys, jwks->from);
        tell(jwks, PDP_LOG_INFO, "jwks_read", why);
    }
}

// ---- The thread -----------------------------------------------------------------------------------

// Called with the lock: when the next reading is due.
static int64_t due_ms(const struct jwks *jwks)
{
    if (jwks->ordered) {
        return NEVER;
    }
    int64_t wish_ms = later(jwks->tried_ms, jwks->about.least_ms);
    return jwks->wished && wish_ms < jwks->next_ms ? wish_ms : jwks->next_ms;
}

// Called with the lock. A sleep is at most a minute, since the clock that it is measured by stands still
// while the machine sleeps.
static void wait_turn(struct jwks *jwks, int64_t ms)
{
    struct timespec until;
    ms = ms > 60000 ? 60000 : ms;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&jwks->turn, &jwks->lock, &until);
}

static void *run(void *user)
{
    struct jwks *jwks = user;
    pthread_mutex_lock(&jwks->lock);
    while (!atomic_load(&jwks->stop)) {
        int64_t now = now_ms(), due = due_ms(jwks);
        if (due > now) {
            wait_turn(jwks, due - now);
            continue;
        }
        jwks->tried_ms = now;
        jwks->wished = jwks->ordered = false;
        pthread_mutex_unlock(&jwks->lock);
        read_again(jwks);
        pthread_mutex_lock(&jwks->lock);
    }
    pthread_mutex_unlock(&jwks->lock);
    return NULL;
}

// ---- Opening and closing --------------------------------------------------------------------------

static void drop(struct jwks *jwks)
{
    jwk_set_release(&jwks->set);
    pthread_cond_destroy(&jwks->turn);
    pthread_mutex_destroy(&jwks->lock);
    free(jwks->from);
    free(jwks->ca);
    free(jwks);
}

static struct jwks *make(const struct jwks_about *about)
{
    struct jwks *jwks = calloc(1, sizeof *jwks);
    pthread_condattr_t attr;
    if (jwks == NULL) {
        return NULL;
    }
    jwks->about = *about;
    jwks->retry_ms = RETRY_MS;
    jwks->from = strdup(about->from);
    jwks->ca = about->ca != NULL ? strdup(about->ca) : NULL;
    pthread_mutex_init(&jwks->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&jwks->turn, &attr);
    pthread_condattr_destroy(&attr);
    if (jwks->from == NULL || (about->ca != NULL && jwks->ca == NULL)) {
        drop(jwks);
        return NULL;
    }
    return jwks;
}

// A file is there or not: that is told at once. A URL is the thread's first work.
static enum pdp_err read_first(struct jwks *jwks, char *why, size_t why_bytes)
{
    jwks->tried_ms = jwks->next_ms = now_ms();
    if (fetch_is_url(jwks->from)) {
        return PDP_ERR_OK;
    }
    struct jwk_set *set = NULL;
    enum pdp_err err = read_set(jwks, &set, why, why_bytes);
    if (err == PDP_ERR_OK) {
        take(jwks, &set);
        jwks->tries++;
    }
    return err;
}

// Signals are for the threads of whoever runs the adapter.
static bool start(struct jwks *jwks)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&jwks->thread, NULL, run, jwks) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

enum pdp_err jwks_open(const struct jwks_about *about, struct jwks **jwks, char *why, size_t why_bytes)
{
    *jwks = NULL;
    struct jwks *made = make(about);
    enum pdp_err err = made != NULL ? read_first(made, why, why_bytes) : PDP_ERR_NOMEM;
    if (err == PDP_ERR_OK && !start(made)) {
        err = PDP_ERR_NOMEM;
    }
    if (err == PDP_ERR_NOMEM) {
        (void)snprintf(why, why_bytes, "out of memory, or of threads");
    }
    if (err != PDP_ERR_OK) {
        if (made != NULL) {
            drop(made);
        }
        return err;
    }
    *jwks = made;
    return PDP_ERR_OK;
}

void jwks_close(struct jwks **jwks)
{
    struct jwks *it = jwks != NULL ? *jwks : NULL;
    if (it == NULL) {
        return;
    }
    pthread_mutex_lock(&it->lock);
    atomic_store(&it->stop, true);
    pthread_cond_signal(&it->turn);
    pthread_mutex_unlock(&it->lock);
    pthread_join(it->thread, NULL);
    drop(it);
    *jwks = NULL;
}

// ---- Asking ---------------------------------------------------------------------------------------

struct jwk_set *jwks_hold(struct jwks *jwks)
{
    pthread_mutex_lock(&jwks->lock);
    bool fresh = jwks->set != NULL && now_ms() < later(jwks->good_ms, jwks->about.max_age_ms);
    struct jwk_set *set = fresh ? jwk_set_hold(jwks->set) : NULL;
    pthread_mutex_unlock(&jwks->lock);
    return set;
}

void jwks_wish(struct jwks *jwks)
{
    pthread_mutex_lock(&jwks->lock);
    if (!jwks->wished) {
        jwks->wished = true;
        pthread_cond_signal(&jwks->turn);
    }
    pthread_mutex_unlock(&jwks->lock);
}

void jwks_reload(struct jwks *jwks)
{
    pthread_mutex_lock(&jwks->lock);
    jwks->ordered = true;
    pthread_cond_signal(&jwks->turn);
    pthread_mutex_unlock(&jwks->lock);
}

uint64_t jwks_tries(struct jwks *jwks)
{
    pthread_mutex_lock(&jwks->lock);
    uint64_t tries = jwks->tries;
    pthread_mutex_unlock(&jwks->lock);
    return tries;
}
