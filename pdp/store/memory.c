// SPDX-License-Identifier: Apache-2.0
#include "store/backend.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t LEAST_BUCKETS = 64;
static const struct hash_key FIXED_KEY = {0x7064702d73746f72, 0x652d6d656d6f7279}; // keys are hashes already

// Never changed once it is made: a put makes another one, so that the old one can be brought back.
struct kept {
    struct kept *next;
    uint64_t hash;
    uint32_t key_len, value_len;
    uint8_t rank;
    char bytes[]; // key, value
};

struct rows {
    struct kept **buckets;
    size_t count, cap, bytes; // cap is zero or a power of two
};

// One change since the last synced transaction: what stood there before (NULL: nothing), and under which key.
struct change {
    size_t commit;
    enum store_table table;
    struct kept *was, *is; // `is` is in the table, or NULL where the row was erased
};

struct memory {
    struct store_config config;
    struct rows tables[STORE_TABLE_COUNT];
    struct change *changes; // with config.undo
    size_t change_count, change_cap, commits;
};

static struct str key_of(const struct kept *kept)
{
    return (struct str){kept->bytes, kept->key_len};
}

static struct store_row row_of(enum store_table table, const struct kept *kept)
{
    return (struct store_row){.table = table,
                              .rank = kept->rank,
                              .key = key_of(kept),
                              .value = {kept->bytes + kept->key_len, kept->value_len}};
}

// ---- One table --------------------------------------------------------------------------------------

// Where the row of this key hangs, or would.
static struct kept **place_of(struct rows *rows, uint64_t hash, struct str key)
{
    struct kept **at = &rows->buckets[hash & (rows->cap - 1)];
    while (*at != NULL && ((*at)->hash != hash || !str_eq(key_of(*at), key))) {
        at = &(*at)->next;
    }
    return at;
}

static bool make_room(struct rows *rows)
{
    if (rows->count < rows->cap) {
        return true;
    }
    size_t cap = rows->cap == 0 ? LEAST_BUCKETS : rows->cap * 2;
    struct kept **buckets = calloc(cap, sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < rows->cap; i++) {
        for (struct kept *kept = rows->buckets[i], *next = NULL; kept != NULL; kept = next) {
            next = kept->next;
            kept->next = buckets[kept->hash & (cap - 1)];
            buckets[kept->hash & (cap - 1)] = kept;
        }
    }
    free(rows->buckets);
    rows->buckets = buckets;
    rows->cap = cap;
    return true;
}

static size_t bytes_of(const struct kept *kept)
{
    return kept != NULL ? kept->key_len + kept->value_len : 0;
}

// Puts `is` (NULL: nothing) in the place of the row of this key, and gives what was there.
static struct kept *exchange(struct rows *rows, uint64_t hash, struct str key, struct kept *is)
{
    struct kept **at = place_of(rows, hash, key);
    struct kept *was = *at;
    struct kept *rest = was != NULL ? was->next : NULL;
    if (is != NULL) {
        is->next = rest;
    }
    *at = is != NULL ? is : rest;
    rows->count += (size_t)(is != NULL) - (size_t)(was != NULL);
    rows->bytes += bytes_of(is) - bytes_of(was);
    return was;
}

static struct kept *kept_new(const struct store_row *row, uint64_t hash)
{
    struct kept *kept = malloc(sizeof *kept + row->key.len + row->value.len);
    if (kept != NULL) {
        *kept = (struct kept){.hash = hash,
                              .key_len = (uint32_t)row->key.len,
                              .value_len = (uint32_t)row->value.len,
                              .rank = row->rank};
        memcpy(kept->bytes, row->key.at, row->key.len);
        if (row->value.len != 0) {
            memcpy(kept->bytes + row->key.len, row->value.at, row->value.len);
        }
    }
    return kept;
}

// ---- Changes ----------------------------------------------------------------------------------------

static bool change_room(struct memory *memory)
{
    if (memory->change_count < memory->change_cap) {
        return true;
    }
    size_t cap = memory->change_cap == 0 ? 64 : memory->change_cap * 2;
    struct change *changes = realloc(memory->changes, cap * sizeof *changes);
    if (changes == NULL) {
        return false;
    }
    memory->changes = changes;
    memory->change_cap = cap;
    return true;
}

// What went away for good is freed: all that was there before `to`.
static void forget_changes(struct memory *memory)
{
    for (size_t i = 0; i < memory->change_count; i++) {
        free(memory->changes[i].was);
    }
    memory->change_count = 0;
    memory->commits = 0;
}

// Back to how it was before the change numbered `to`.
static void undo_to(struct memory *memory, size_t to)
{
    while (memory->change_count > to) {
        struct change *change = &memory->changes[--memory->change_count];
        const struct kept *named = change->was != NULL ? change->was : change->is;
        struct kept *gone = exchange(&memory->tables[change->table], named->hash, key_of(named), change->was);
        invariant(gone == change->is);
        free(gone);
    }
}

static enum pdp_err apply(struct memory *memory, const struct store_op *op, struct store_done *done)
{
    struct rows *rows = &memory->tables[op->row.table];
    uint64_t hash = hash_64(FIXED_KEY, op->row.key.at, op->row.key.len);
    if (!make_room(rows) || !change_room(memory)) {
        return PDP_ERR_NOMEM;
    }
    const struct kept *stored = *place_of(rows, hash, op->row.key);
    if (stored != NULL && op->row.rank < stored->rank) {
        done->dropped++;
        return PDP_ERR_OK;
    }
    struct kept *is = op->erase ? NULL : kept_new(&op->row, hash);
    if (is == NULL && !op->erase) {
        return PDP_ERR_NOMEM;
    }
    struct kept *was = exchange(rows, hash, op->row.key, is);
    if (was != NULL || is != NULL) {
        memory->changes[memory->change_count++] = (struct change){memory->commits, op->row.table, was, is};
    }
    *(op->erase ? &done->erases : &done->puts) += 1;
    return PDP_ERR_OK;
}

static enum pdp_err apply_all(struct memory *memory, const struct store_batch *first, size_t count,
                              struct store_done *done)
{
    for (const struct store_batch *batch = first; count > 0; batch = batch->next, count--) {
        for (size_t i = 0; i < batch->count; i++) {
            TRY(apply(memory, &batch->ops[i], done));
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err memory_commit(void *self, const struct store_batch *first, size_t count, bool sync,
                                  struct store_done *done, char why[static STORE_WHY_MAX])
{
    struct memory *memory = self;
    size_t before = memory->change_count;
    enum pdp_err err = apply_all(memory, first, count, done);
    if (err == PDP_ERR_OK && memory->config.fault != NULL) {
        err = memory->config.fault(memory->config.user, sync);
    }
    if (err != PDP_ERR_OK) {
        undo_to(memory, before);
        store_tell(why, "%s", pdp_err_text(err));
        return err;
    }
    memory->commits++;
    if (sync || !memory->config.undo) {
        forget_changes(memory);
    }
    return PDP_ERR_OK;
}

static void memory_cut(void *self, size_t keep)
{
    struct memory *memory = self;
    size_t to = memory->change_count;
    while (to > 0 && memory->changes[to - 1].commit >= keep) {
        to--;
    }
    undo_to(memory, to);
    forget_changes(memory); // what survived is on the disk
}

// ---- Reading ----------------------------------------------------------------------------------------

static int by_key(const void *a, const void *b)
{
    const struct kept *const *left = a, *const *right = b;
    return str_cmp(key_of(*left), key_of(*right));
}

static enum pdp_err memory_load(void *self, enum store_table table,
                                enum pdp_err (*each)(void *user, const struct store_row *row), void *user,
                                char why[static STORE_WHY_MAX])
{
    const struct rows *rows = &((struct memory *)self)->tables[table];
    struct kept **sorted = calloc(rows->count + 1, sizeof(struct kept *));
    if (sorted == NULL) {
        store_tell(why, "memory is out");
        return PDP_ERR_NOMEM;
    }
    size_t count = 0;
    for (size_t i = 0; i < rows->cap; i++) {
        for (struct kept *kept = rows->buckets[i]; kept != NULL; kept = kept->next) {
            sorted[count++] = kept;
        }
    }
    qsort(sorted, count, sizeof *sorted, by_key);
    enum pdp_err err = PDP_ERR_OK;
    for (size_t i = 0; i < count && err == PDP_ERR_OK; i++) {
        struct store_row row = row_of(table, sorted[i]);
        err = each(user, &row);
    }
    free(sorted);
    return err;
}

// All of it is the first part: nothing is gained by more.
static enum pdp_err memory_load_part(const void *self, const struct store_part *part, uint64_t *good,
                                     char why[static STORE_WHY_MAX])
{
    if (part->number != 0) {
        return PDP_ERR_OK;
    }
    *good = ((const struct memory *)self)->tables[part->table].count;
    return memory_load((void *)(uintptr_t)self, part->table, part->each, part->user, why);
}

static enum pdp_err memory_load_whole(const void *self, enum store_table table, uint64_t good,
                                      char why[static STORE_WHY_MAX])
{
    (void)why;
    return good == ((const struct memory *)self)->tables[table].count ? PDP_ERR_OK : PDP_ERR_CORRUPT;
}

static uint64_t memory_count(const void *self, enum store_table table)
{
    return ((const struct memory *)self)->tables[table].count;
}

static enum pdp_err memory_backup(const void *self, const char *path, char why[static STORE_WHY_MAX])
{
    (void)self;
    store_tell(why, "`%s` cannot be written: this store is in memory alone", path);
    return PDP_ERR_UNSUPPORTED;
}

static bool memory_due(const void *self, bool idle)
{
    (void)self;
    (void)idle;
    return false;
}

static void memory_upkeep(void *self)
{
    (void)self;
}

static void memory_stats(const void *self, struct store_stats *out)
{
    const struct memory *memory = self;
    out->bytes = 0;
    for (size_t i = 0; i < STORE_TABLE_COUNT; i++) {
        out->rows[i] = memory->tables[i].count;
        out->bytes += memory->tables[i].bytes;
    }
}

// ---- Life -------------------------------------------------------------------------------------------

static enum pdp_err memory_shut(void *self)
{
    struct memory *memory = self;
    forget_changes(memory);
    for (size_t table = 0; table < STORE_TABLE_COUNT; table++) {
        struct rows *rows = &memory->tables[table];
        for (size_t i = 0; i < rows->cap; i++) {
            for (struct kept *kept = rows->buckets[i], *next = NULL; kept != NULL; kept = next) {
                next = kept->next;
                free(kept);
            }
        }
        free(rows->buckets);
    }
    free(memory->changes);
    free(memory);
    return PDP_ERR_OK;
}

enum pdp_err store_memory_new(const struct store_config *config, void **out)
{
    struct memory *memory = calloc(1, sizeof *memory);
    *out = memory;
    if (memory == NULL) {
        return PDP_ERR_NOMEM;
    }
    memory->config = *config;
    return PDP_ERR_OK;
}

const struct store_backend STORE_MEMORY = {
    .commit = memory_commit,
    .load = memory_load,
    .load_part = memory_load_part,
    .load_whole = memory_load_whole,
    .count = memory_count,
    .backup = memory_backup,
    .due = memory_due,
    .upkeep = memory_upkeep,
    .stats = memory_stats,
    .shut = memory_shut,
    .cut = memory_cut,
};
