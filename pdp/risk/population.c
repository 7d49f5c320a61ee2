// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/population.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS = 1 << 18,
    BLOCK = 16, // cells of a cache line
    BLOCKS = CELLS / BLOCK,
    ROWS = 4, // of each quarter of a block a value has one cell
    ROW = BLOCK / ROWS,
    MARKS = BLOCKS / 64
};
#define FORM UINT64_C(0x706f70756c617431) // `populat1`
#define HALVES_EPOCHS (INT64_C(30) * 86400000 / POPULATION_EPOCH_MS)

// What was added in one epoch; `marks` says which blocks are not all zero.
struct added {
    atomic_uint cells[CELLS];
    atomic_ullong marks[MARKS];
};

struct population {
    _Alignas(64) atomic_uint cells[CELLS];
    atomic_ullong marks[MARKS]; // of blocks that are not all zero: for whoever clears
    struct added added[2];      // by the lowest bit of the epoch
    atomic_llong epoch;
    pthread_mutex_t lock; // of the turn
};

enum pdp_err population_new(struct population **out)
{
    *out = NULL;
    struct population *population = NULL;
    if (posix_memalign((void **)&population, 64, sizeof *population) != 0) {
        return PDP_ERR_NOMEM;
    }
    memset(population, 0, sizeof *population);
    atomic_store(&population->epoch, INT64_MIN / POPULATION_EPOCH_MS);
    if (pthread_mutex_init(&population->lock, NULL) != 0) {
        free(population);
        return PDP_ERR_NOMEM;
    }
    *out = population;
    return PDP_ERR_OK;
}

void population_free(struct population **population)
{
    if (*population != NULL) {
        (void)pthread_mutex_destroy(&(*population)->lock);
        free(*population);
    }
    *population = NULL;
}

static void clear_marked(atomic_uint *cells, atomic_ullong *marks)
{
    for (size_t word = 0; word < MARKS; word++) {
        uint64_t left = atomic_exchange_explicit(&marks[word], 0, memory_order_relaxed);
        for (; left != 0; left &= left - 1) {
            size_t block = word * 64 + (size_t)__builtin_ctzll(left);
            memset(&cells[block * BLOCK], 0, BLOCK * sizeof *cells);
        }
    }
}

void population_clear(struct population *population)
{
    clear_marked(population->cells, population->marks);
    clear_marked(population->added[0].cells, population->added[0].marks);
    clear_marked(population->added[1].cells, population->added[1].marks);
    atomic_store(&population->epoch, INT64_MIN / POPULATION_EPOCH_MS);
}

static int64_t epoch_of(int64_t now_ms)
{
    return now_ms / POPULATION_EPOCH_MS - (now_ms % POPULATION_EPOCH_MS < 0);
}

// Cells of two keys that share a block are as good as drawn: a fixed mix, since keys are no secret.
static uint64_t mix(uint64_t key)
{
    key = (key ^ key >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    key = (key ^ key >> 27) * UINT64_C(0x94D049BB133111EB);
    return key ^ key >> 31;
}

static size_t block_of(uint64_t mixed)
{
    return (size_t)(mixed >> 50) % BLOCKS;
}

static size_t cell_of(uint64_t mixed, size_t row)
{
    return block_of(mixed) * BLOCK + row * ROW + (size_t)(mixed >> (2 * row) & (ROW - 1));
}

// ---- The turn ------------------------------------------------------------------------------------

static uint32_t add_sat(uint32_t a, uint32_t b)
{
    return a + b >= a ? a + b : UINT32_MAX;
}

static void merge_block(struct population *population, struct added *added, size_t block)
{
    for (size_t i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
        uint32_t more = atomic_exchange_explicit(&added->cells[i], 0, memory_order_relaxed);
        uint32_t was = atomic_load_explicit(&population->cells[i], memory_order_relaxed);
        atomic_store_explicit(&population->cells[i], add_sat(was, more), memory_order_relaxed);
    }
}

static void merge(struct population *population, struct added *added)
{
    for (size_t word = 0; word < MARKS; word++) {
        uint64_t marks = atomic_exchange_explicit(&added->marks[word], 0, memory_order_relaxed);
        (void)atomic_fetch_or_explicit(&population->marks[word], marks, memory_order_relaxed);
        for (; marks != 0; marks &= marks - 1) {
            merge_block(population, added, word * 64 + (size_t)__builtin_ctzll(marks));
        }
    }
}

static void halve_block(struct population *population, size_t block, int64_t times)
{
    for (size_t i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
        uint32_t was = atomic_load_explicit(&population->cells[i], memory_order_relaxed);
        atomic_store_explicit(&population->cells[i], times < 32 ? was >> times : 0, memory_order_relaxed);
    }
}

static void halve(struct population *population, int64_t times)
{
    for (size_t word = 0; word < MARKS; word++) {
        uint64_t marks = atomic_load_explicit(&population->marks[word], memory_order_relaxed);
        for (; marks != 0; marks &= marks - 1) {
            halve_block(population, word * 64 + (size_t)__builtin_ctzll(marks), times);
        }
    }
}

static void turn(struct population *population, int64_t was, int64_t is)
{
    merge(population, &population->added[(was - 1) & 1]);
    if (is - was > 1) {
        merge(population, &population->added[was & 1]);
    }
    int64_t halves = is / HALVES_EPOCHS - was / HALVES_EPOCHS;
    if (halves > 0) {
        halve(population, halves);
    }
}

void population_turn(struct population *population, int64_t now_ms)
{
    int64_t is = epoch_of(now_ms);
    if (is <= atomic_load_explicit(&population->epoch, memory_order_acquire)) {
        return;
    }
    (void)pthread_mutex_lock(&population->lock);
    int64_t was = atomic_load(&population->epoch);
    if (is > was) {
        turn(population, was, is);
        atomic_store_explicit(&population->epoch, is, memory_order_release);
    }
    (void)pthread_mutex_unlock(&population->lock);
}

// ---- Counting -----------------------------------------------------------------------------------

void population_add(struct population *population, uint64_t key)
{
    int64_t epoch = atomic_load_explicit(&population->epoch, memory_order_relaxed);
    struct added *added = &population->added[epoch & 1];
    uint64_t mixed = mix(key);
    for (size_t row = 0; row < ROWS; row++) {
        (void)atomic_fetch_add_explicit(&added->cells[cell_of(mixed, row)], 1, memory_order_relaxed);
    }
    size_t block = block_of(mixed);
    (void)atomic_fetch_or_explicit(&added->marks[block / 64], UINT64_C(1) << block % 64,
                                   memory_order_relaxed);
}

uint32_t population_count(const struct population *population, uint64_t key)
{
    uint64_t mixed = mix(key);
    uint32_t least = UINT32_MAX;
    for (size_t row = 0; row < ROWS; row++) {
        uint32_t count = atomic_load_explicit(&population->cells[cell_of(mixed, row)], memory_order_relaxed);
        least = count < least ? count : least;
    }
    return least;
}

// ---- Bytes --------------------------------------------------------------------------------------

struct head {
    uint64_t form;
    int64_t epoch;
};

// A counter that is not zero.
struct counted {
    uint32_t cell, count;
};

// Others may add meanwhile: how many there are is known at the end.
static void save_cells(struct buf *out, const atomic_uint *cells)
{
    uint32_t many = 0;
    size_t place = out->len;
    buf_put(out, &many, sizeof many);
    for (uint32_t i = 0; i < CELLS; i++) {
        struct counted counted = {i, atomic_load_explicit(&cells[i], memory_order_relaxed)};
        if (counted.count != 0) {
            buf_put(out, &counted, sizeof counted);
            many++;
        }
    }
    if (!out->failed) {
        memcpy(out->at + place, &many, sizeof many);
    }
}

void population_save(struct population *population, struct buf *out)
{
    (void)pthread_mutex_lock(&population->lock);
    struct head head = {FORM, atomic_load(&population->epoch)};
    buf_put(out, &head, sizeof head);
    save_cells(out, population->cells);
    save_cells(out, population->added[0].cells);
    save_cells(out, population->added[1].cells);
    (void)pthread_mutex_unlock(&population->lock);
}

// The counters at *at, which lie by rising number; NULL: they are not all there.
static const unsigned char *take_cells(struct str bytes, size_t *at, uint32_t *many)
{
    *many = 0;
    if (bytes.len - *at < sizeof *many) {
        return NULL;
    }
    memcpy(many, bytes.at + *at, sizeof *many);
    *at += sizeof *many;
    const unsigned char *from = (const unsigned char *)bytes.at + *at;
    if (*many > CELLS || bytes.len - *at < *many * sizeof(struct counted)) {
        return NULL;
    }
    uint32_t least = 0;
    for (uint32_t i = 0; i < *many; i++) {
        struct counted counted;
        memcpy(&counted, from + i * sizeof counted, sizeof counted);
        if (counted.cell < least || counted.cell >= CELLS || counted.count == 0) {
            return NULL;
        }
        least = counted.cell + 1;
    }
    *at += *many * sizeof(struct counted);
    return from;
}

static void load_cells(const unsigned char *from, uint32_t many, atomic_uint *cells)
{
    for (size_t i = 0; i < CELLS; i++) {
        atomic_store_explicit(&cells[i], 0, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < many; i++) {
        struct counted counted;
        memcpy(&counted, from + i * sizeof counted, sizeof counted);
        atomic_store_explicit(&cells[counted.cell], counted.count, memory_order_relaxed);
    }
}

static void mark_all(atomic_ullong *marks)
{
    for (size_t i = 0; i < MARKS; i++) {
        atomic_store_explicit(&marks[i], UINT64_MAX, memory_order_relaxed);
    }
}

enum pdp_err population_load(struct population *population, struct str bytes)
{
    struct head head;
    const unsigned char *from[3];
    uint32_t many[3];
    if (bytes.len < sizeof head) {
        return PDP_ERR_CORRUPT;
    }
    memcpy(&head, bytes.at, sizeof head);
    size_t at = sizeof head;
    bool whole = head.form == FORM && head.epoch >= INT64_MIN / POPULATION_EPOCH_MS - 1 &&
                 head.epoch <= INT64_MAX / POPULATION_EPOCH_MS;
    for (size_t i = 0; whole && i < COUNT_OF(from); i++) {
        from[i] = take_cells(bytes, &at, &many[i]);
        whole = from[i] != NULL;
    }
    if (!whole || at != bytes.len) {
        return PDP_ERR_CORRUPT;
    }
    load_cells(from[0], many[0], population->cells);
    load_cells(from[1], many[1], population->added[0].cells);
    load_cells(from[2], many[2], population->added[1].cells);
    mark_all(population->marks);
    mark_all(population->added[0].marks);
    mark_all(population->added[1].marks);
    atomic_store(&population->epoch, head.epoch);
    return PDP_ERR_OK;
}
