// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/notice.h"

#include <pthread.h>
#include <stdlib.h>

struct notices {
    pthread_mutex_t lock; // of all below; held for a copy, never for longer
    uint64_t head;        // the last number; 0: none yet
    uint64_t policy_epoch, controls_epoch;
    uint64_t lapped; // times that a reader was told to begin anew
    bool waiting;    // a reader has seen all
    void (*wake)(void *user);
    void *user;
    uint32_t mask;
    struct notice *ring; // number n at n & mask
};

enum pdp_err notices_new(const struct notices_config *config, struct notices **out)
{
    *out = NULL;
    if (config->room > NOTICES_ROOM_MOST) {
        return PDP_ERR_RANGE;
    }
    uint32_t wanted = config->room != 0 ? config->room : NOTICES_ROOM_DEFAULT, room = 1;
    while (room < wanted) {
        room *= 2;
    }
    AUTO(notices_free) struct notices *made = calloc(1, sizeof *made);
    if (made == NULL || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(STEAL(made));
        return PDP_ERR_NOMEM;
    }
    made->mask = room - 1;
    made->policy_epoch = config->policy_epoch;
    made->controls_epoch = config->controls_epoch;
    made->wake = config->wake;
    made->user = config->user;
    made->ring = calloc(room, sizeof *made->ring);
    if (made->ring == NULL) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(made);
    return PDP_ERR_OK;
}

void notices_free(struct notices **notices)
{
    if (*notices != NULL) {
        pthread_mutex_destroy(&(*notices)->lock);
        free((*notices)->ring);
        free(*notices);
        *notices = NULL;
    }
}

void notices_wake(struct notices *notices, void (*wake)(void *user), void *user)
{
    pthread_mutex_lock(&notices->lock);
    notices->wake = wake;
    notices->user = user;
    pthread_mutex_unlock(&notices->lock);
}

// ---- Adding ----------------------------------------------------------------------------------------

// With the lock.
static uint64_t append(struct notices *notices, const struct notice *notice)
{
    struct notice *place = &notices->ring[++notices->head & notices->mask];
    if (notice->kind == NOTICE_POLICY_EPOCH) {
        notices->policy_epoch = notice->policy_epoch;
    } else if (notice->kind == NOTICE_CONTROLS_EPOCH) {
        notices->controls_epoch = notice->controls_epoch;
    }
    *place = *notice;
    place->seq = notices->head;
    place->policy_epoch = notices->policy_epoch;
    place->controls_epoch = notices->controls_epoch;
    return notices->head;
}

uint64_t notices_add(struct notices *notices, const struct notice *notice)
{
    if (notices == NULL) {
        return 0;
    }
    pthread_mutex_lock(&notices->lock);
    uint64_t seq = append(notices, notice);
    bool waiting = notices->waiting;
    void (*wake)(void *user) = waiting ? notices->wake : NULL;
    void *user = notices->user;
    notices->waiting = false;
    pthread_mutex_unlock(&notices->lock);
    if (wake != NULL) {
        wake(user);
    }
    return seq;
}

uint64_t notices_session(struct notices *notices, enum notice_kind kind,
                         const char ref[static NOTICE_REF_BYTES], uint32_t epoch, enum pdp_code code,
                         int64_t now_ms)
{
    struct notice notice = {.kind = kind, .code = code, .epoch = epoch, .at_ms = now_ms};
    memcpy(notice.ref, ref, sizeof notice.ref);
    return notices_add(notices, &notice);
}

struct notice notices_now(struct notices *notices, int64_t now_ms)
{
    struct notice now = {.kind = NOTICE_HEARTBEAT, .at_ms = now_ms};
    pthread_mutex_lock(&notices->lock);
    now.seq = notices->head;
    now.policy_epoch = notices->policy_epoch;
    now.controls_epoch = notices->controls_epoch;
    pthread_mutex_unlock(&notices->lock);
    return now;
}

// ---- Reading ---------------------------------------------------------------------------------------

struct notices_reader notices_reader(struct notices *notices)
{
    pthread_mutex_lock(&notices->lock);
    struct notices_reader reader = {notices->head + 1};
    pthread_mutex_unlock(&notices->lock);
    return reader;
}

// With the lock. All before the reader's place is gone, and so it is told that and led to the end.
static void resync(const struct notices *notices, struct notices_reader *reader, struct notice *out)
{
    *out = notices->ring[notices->head & notices->mask];
    *out = (struct notice){.kind = NOTICE_RESYNC,
                           .seq = notices->head,
                           .at_ms = out->at_ms,
                           .policy_epoch = notices->policy_epoch,
                           .controls_epoch = notices->controls_epoch};
    reader->next = notices->head + 1;
}

bool notices_next(struct notices *notices, struct notices_reader *reader, struct notice *out)
{
    *out = (struct notice){0};
    pthread_mutex_lock(&notices->lock);
    bool some = reader->next <= notices->head;
    notices->waiting |= !some;
    if (some && notices->head - reader->next > notices->mask) {
        resync(notices, reader, out);
        notices->lapped++;
    } else if (some) {
        *out = notices->ring[reader->next++ & notices->mask];
    }
    pthread_mutex_unlock(&notices->lock);
    return some;
}

struct notices_stats notices_stats(struct notices *notices)
{
    pthread_mutex_lock(&notices->lock);
    struct notices_stats stats = {notices->head, notices->lapped};
    pthread_mutex_unlock(&notices->lock);
    return stats;
}
