// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/recent.h"

#include "base/num.h"
#include "risk/model.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BINS 200
#define DAY_EPOCHS (INT64_C(86400000) / RECENT_EPOCH_MS)
#define FORM UINT64_C(0x7265636e74303031) // `recnt001`
#define COUNT_MOST (UINT32_MAX / BINS)    // so that their sum fits

static const double BINS_A_POINT = 2;

struct recent {
    atomic_uint counts[BINS];
    atomic_uint above[BINS + 1]; // counts of a bin and of all above it
    atomic_uint added[2][BINS];  // by the lowest bit of the epoch
    atomic_llong epoch;
    pthread_mutex_t lock; // of the turn
};

enum pdp_err recent_new(struct recent **out)
{
    *out = NULL;
    struct recent *recent = calloc(1, sizeof *recent);
    if (recent == NULL) {
        return PDP_ERR_NOMEM;
    }
    atomic_store(&recent->epoch, INT64_MIN / RECENT_EPOCH_MS);
    if (pthread_mutex_init(&recent->lock, NULL) != 0) {
        free(recent);
        return PDP_ERR_NOMEM;
    }
    *out = recent;
    return PDP_ERR_OK;
}

void recent_free(struct recent **recent)
{
    if (*recent != NULL) {
        (void)pthread_mutex_destroy(&(*recent)->lock);
        free(*recent);
    }
    *recent = NULL;
}

static int64_t epoch_of(int64_t now_ms)
{
    return now_ms / RECENT_EPOCH_MS - (now_ms % RECENT_EPOCH_MS < 0);
}

int64_t recent_until(int64_t now_ms)
{
    int64_t left = RECENT_EPOCH_MS - (now_ms - epoch_of(now_ms) * RECENT_EPOCH_MS);
    return num_add_sat(now_ms, left);
}

// ---- The turn ------------------------------------------------------------------------------------

static uint32_t get(const atomic_uint *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void set(atomic_uint *count, uint32_t value)
{
    atomic_store_explicit(count, value, memory_order_relaxed);
}

static void merge(struct recent *recent, atomic_uint *added)
{
    for (size_t i = 0; i < BINS; i++) {
        uint64_t sum =
            (uint64_t)get(&recent->counts[i]) + atomic_exchange_explicit(&added[i], 0, memory_order_relaxed);
        set(&recent->counts[i], sum < COUNT_MOST ? (uint32_t)sum : COUNT_MOST);
    }
}

static void halve(struct recent *recent, int64_t times)
{
    for (size_t i = 0; i < BINS; i++) {
        set(&recent->counts[i], times < 32 ? get(&recent->counts[i]) >> times : 0);
    }
}

static void sum_up(struct recent *recent)
{
    uint32_t sum = 0;
    for (size_t i = BINS; i-- > 0;) {
        sum += get(&recent->counts[i]);
        set(&recent->above[i], sum);
    }
}

static void turn(struct recent *recent, int64_t was, int64_t is)
{
    merge(recent, recent->added[(was - 1) & 1]);
    if (is - was > 1) {
        merge(recent, recent->added[was & 1]);
    }
    int64_t halves = is / DAY_EPOCHS - was / DAY_EPOCHS;
    if (halves > 0) {
        halve(recent, halves);
    }
    sum_up(recent);
}

void recent_turn(struct recent *recent, int64_t now_ms)
{
    int64_t is = epoch_of(now_ms);
    if (is <= atomic_load_explicit(&recent->epoch, memory_order_acquire)) {
        return;
    }
    (void)pthread_mutex_lock(&recent->lock);
    int64_t was = atomic_load(&recent->epoch);
    if (is > was) {
        turn(recent, was, is);
        atomic_store_explicit(&recent->epoch, is, memory_order_release);
    }
    (void)pthread_mutex_unlock(&recent->lock);
}

// ---- Counting ------------------------------------------------------------------------------------

void recent_add(struct recent *recent, double score)
{
    if (!(score >= 0)) {
        return;
    }
    double at = score * BINS_A_POINT;
    size_t bin = at < BINS ? (size_t)at : BINS - 1;
    int64_t epoch = atomic_load_explicit(&recent->epoch, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&recent->added[epoch & 1][bin], 1, memory_order_relaxed);
}

double recent_edge(const struct recent *recent, double share)
{
    uint32_t all = get(&recent->above[0]);
    if (all < RECENT_LEAST) {
        return __builtin_nan("");
    }
    double most = share * all;
    size_t low = 0, high = BINS; // above `high` there are few enough
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (get(&recent->above[middle]) > most) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return (double)high / BINS_A_POINT;
}

double recent_medium(const struct recent *recent, const struct risk_model *model)
{
    if (!(model->budget > 0)) {
        return 0;
    }
    double edge = recent_edge(recent, model->budget), most = model->thresholds[1] - 1;
    edge = edge >= 0 ? edge : model->thresholds[0];
    edge = edge < most ? edge : most;
    return edge > model->least ? edge : model->least;
}

// ---- Bytes ---------------------------------------------------------------------------------------

struct saved {
    uint64_t form;
    int64_t epoch;
    uint32_t counts[BINS], added[2][BINS];
};

void recent_save(struct recent *recent, struct buf *out)
{
    struct saved saved = {.form = FORM};
    (void)pthread_mutex_lock(&recent->lock);
    saved.epoch = atomic_load(&recent->epoch);
    for (size_t i = 0; i < BINS; i++) {
        saved.counts[i] = get(&recent->counts[i]);
        saved.added[0][i] = get(&recent->added[0][i]);
        saved.added[1][i] = get(&recent->added[1][i]);
    }
    (void)pthread_mutex_unlock(&recent->lock);
    buf_put(out, &saved, sizeof saved);
}

enum pdp_err recent_load(struct recent *recent, struct str bytes)
{
    struct saved saved;
    if (bytes.len != sizeof saved) {
        return PDP_ERR_CORRUPT;
    }
    memcpy(&saved, bytes.at, sizeof saved);
    bool whole = saved.form == FORM && saved.epoch >= INT64_MIN / RECENT_EPOCH_MS - 1 &&
                 saved.epoch <= INT64_MAX / RECENT_EPOCH_MS;
    for (size_t i = 0; i < BINS; i++) {
        whole = whole && saved.counts[i] <= COUNT_MOST;
    }
    if (!whole) {
        return PDP_ERR_CORRUPT;
    }
    for (size_t i = 0; i < BINS; i++) {
        set(&recent->counts[i], saved.counts[i]);
        set(&recent->added[0][i], saved.added[0][i]);
        set(&recent->added[1][i], saved.added[1][i]);
    }
    sum_up(recent);
    atomic_store(&recent->epoch, saved.epoch);
    return PDP_ERR_OK;
}
