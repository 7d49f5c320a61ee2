// SPDX-License-Identifier: Apache-2.0
#include "common/replay.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

// A plain list: logouts are rare, and each comes with a signature that costs more than a look at all of it.
struct noted {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    int64_t until_s;
};

struct replay {
    pthread_mutex_t lock;
    size_t count;
    struct noted noted[REPLAY_MOST];
};

struct replay *replay_new(void)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (replay != NULL) {
        pthread_mutex_init(&replay->lock, NULL);
    }
    return replay;
}

void replay_free(struct replay **replay)
{
    if (replay != NULL && *replay != NULL) {
        pthread_mutex_destroy(&(*replay)->lock);
        free(*replay);
        *replay = NULL;
    }
}

static struct noted *find(struct replay *replay, const unsigned char *digest)
{
    for (size_t i = 0; i < replay->count; i++) {
        if (memcmp(replay->noted[i].digest, digest, SHA256_DIGEST_LENGTH) == 0) {
            return &replay->noted[i];
        }
    }
    return NULL;
}

bool replay_has(struct replay *replay, struct text id, int64_t now_s)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)id.at, id.len, digest);
    pthread_mutex_lock(&replay->lock);
    const struct noted *noted = find(replay, digest);
    bool has = noted != NULL && now_s < noted->until_s;
    pthread_mutex_unlock(&replay->lock);
    return has;
}

static struct noted *place(struct replay *replay, int64_t now_s)
{
    struct noted *first = &replay->noted[0];
    if (replay->count < REPLAY_MOST) {
        return &replay->noted[replay->count++];
    }
    for (size_t i = 0; i < REPLAY_MOST && first->until_s > now_s; i++) {
        first = replay->noted[i].until_s < first->until_s ? &replay->noted[i] : first;
    }
    return first;
}

void replay_note(struct replay *replay, struct text id, int64_t until_s, int64_t now_s)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)id.at, id.len, digest);
    pthread_mutex_lock(&replay->lock);
    struct noted *noted = find(replay, digest);
    noted = noted != NULL ? noted : place(replay, now_s);
    memcpy(noted->digest, digest, sizeof digest);
    noted->until_s = until_s;
    pthread_mutex_unlock(&replay->lock);
}
