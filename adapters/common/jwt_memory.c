// SPDX-License-Identifier: Apache-2.0
#include "common/jwt_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define STRIPES 16

struct kept {
    unsigned char digest[JWT_DIGEST_BYTES];
    struct claims *claims; // NULL: free
    uint64_t mark, used;
};

struct jwt_memory {
    pthread_mutex_t locks[STRIPES]; // of the rows, in turn
    uint64_t clocks[STRIPES];       // counts uses
    size_t rows;
    struct kept kept[];
};

struct jwt_memory *jwt_memory_new(size_t tokens)
{
    if (tokens > SIZE_MAX / 2 / sizeof(struct kept)) {
        return NULL;
    }
    size_t rows = (tokens + WAYS - 1) / WAYS;
    struct jwt_memory *memory = calloc(1, sizeof *memory + rows * WAYS * sizeof *memory->kept);
    if (memory == NULL) {
        return NULL;
    }
    memory->rows = rows;
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_init(&memory->locks[i], NULL);
    }
    return memory;
}

void jwt_memory_free(struct jwt_memory **memory)
{
    struct jwt_memory *it = memory != NULL ? *memory : NULL;
    if (it == NULL) {
        return;
    }
    for (size_t i = 0; i < it->rows * WAYS; i++) {
        claims_release(&it->kept[i].claims);
    }
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_destroy(&it->locks[i]);
    }
    free(it);
    *memory = NULL;
}

static size_t row_of(const struct jwt_memory *memory, const unsigned char *digest)
{
    uint64_t number = 0;
    memcpy(&number, digest, sizeof number);
    return (size_t)(number % memory->rows);
}

static struct kept *find(struct kept *row, const unsigned char *digest)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (row[i].claims != NULL && memcmp(row[i].digest, digest, JWT_DIGEST_BYTES) == 0) {
            return &row[i];
        }
    }
    return NULL;
}

struct claims *jwt_memory_get(struct jwt_memory *memory, const unsigned char digest[JWT_DIGEST_BYTES],
                              uint64_t mark)
{
    struct claims *claims = NULL;
    size_t row = row_of(memory, digest), stripe = row % STRIPES;
    pthread_mutex_lock(&memory->locks[stripe]);
    struct kept *kept = find(&memory->kept[row * WAYS], digest);
    if (kept != NULL && kept->mark == mark) {
        kept->used = ++memory->clocks[stripe];
        claims = claims_hold(kept->claims);
    }
    pthread_mutex_unlock(&memory->locks[stripe]);
    return claims;
}

static struct kept *place(struct kept *row)
{
    struct kept *oldest = row;
    for (size_t i = 0; i < WAYS; i++) {
        if (row[i].claims == NULL) {
            return &row[i];
        }
        oldest = row[i].used < oldest->used ? &row[i] : oldest;
    }
    return oldest;
}

void jwt_memory_put(struct jwt_memory *memory, const unsigned char digest[JWT_DIGEST_BYTES], uint64_t mark,
                    struct claims *claims)
{
    size_t row = row_of(memory, digest), stripe = row % STRIPES;
    pthread_mutex_lock(&memory->locks[stripe]);
    struct kept *kept = find(&memory->kept[row * WAYS], digest);
    kept = kept != NULL ? kept : place(&memory->kept[row * WAYS]);
    struct claims *gone = kept->claims;
    *kept = (struct kept){.claims = claims_hold(claims), .mark = mark, .used = ++memory->clocks[stripe]};
    memcpy(kept->digest, digest, JWT_DIGEST_BYTES);
    pthread_mutex_unlock(&memory->locks[stripe]);
    claims_release(&gone);
}
