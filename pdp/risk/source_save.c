// SPDX-License-Identifier: Apache-2.0
// The table of sources as bytes and back. Numbers are little end first.
//
//   check  8 bytes: of the key, so that what was made under another is told
//   count  4 bytes, then so many sources: kind, way (1 byte each), name (8), part (4), six figures (4 each),
//   the
//          running span and the one before it: failed, passed (4 each), four sets: count, over (1 each),
//          hashes
//   count  4 bytes, then so many things that were told: place (2), what (8)
#include "risk/source_table.h"

static void put(struct buf *out, uint64_t x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        buf_byte(out, (unsigned char)(x >> (8 * i)));
    }
}

// What is left to be read; `bad` for good once it was too short or wrong.
struct reader {
    struct str left;
    bool bad;
};

static uint64_t take(struct reader *reader, size_t bytes)
{
    uint64_t x = 0;
    if (reader->bad || reader->left.len < bytes) {
        reader->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        x |= (uint64_t)(unsigned char)reader->left.at[i] << (8 * i);
    }
    reader->left = str_sub(reader->left, bytes, SIZE_MAX);
    return x;
}

static uint64_t check_of(const struct sources *sources)
{
    return hash_64(sources->key, "sources", sizeof "sources" - 1);
}

// ---- Writing -------------------------------------------------------------------------------------

static void put_set(struct buf *out, const struct distinct *set)
{
    put(out, set->count, 1);
    put(out, set->over, 1);
    for (size_t i = 0; i < set->count; i++) {
        put(out, set->least[i], 4);
    }
}

static void put_span(struct buf *out, const struct source_span *span)
{
    put(out, span->failed, 4);
    put(out, span->passed, 4);
    put_set(out, &span->failed_subjects);
    put_set(out, &span->passed_subjects);
    put_set(out, &span->refused_sessions);
    put_set(out, &span->sessions);
}

static void put_entry(struct buf *out, const struct source_entry *entry)
{
    put(out, atomic_load_explicit(&entry->part, memory_order_relaxed), 4);
    for (size_t i = 0; i < SOURCE_FIGURES; i++) {
        put(out, atomic_load_explicit(&entry->shown[i], memory_order_relaxed), 4);
    }
    put_span(out, &entry->now);
    put_span(out, &entry->before);
}

// Returns how many of the set there were.
static uint32_t put_places(struct sources *sources, enum source_kind kind, uint32_t number, struct buf *out)
{
    struct source_kind_table *table = &sources->kinds[kind];
    uint32_t count = 0;
    pthread_mutex_lock(source_lock_of(sources, number));
    for (size_t way = 0; way < SOURCE_WAYS; way++) {
        uint64_t name = atomic_load_explicit(&table->sets[number].names[way], memory_order_relaxed);
        if (name != 0) {
            put(out, kind, 1);
            put(out, way, 1);
            put(out, name, 8);
            put_entry(out, &table->entries[(size_t)number * SOURCE_WAYS + way]);
            count++;
        }
    }
    pthread_mutex_unlock(source_lock_of(sources, number));
    return count;
}

// The number that was left out at `at` while nobody knew it.
static void fill_in(struct buf *out, size_t at, uint32_t count)
{
    for (size_t i = 0; i < 4 && at + i < out->len; i++) {
        out->at[at + i] = (unsigned char)(count >> (8 * i));
    }
}

void source_save(struct sources *sources, struct buf *out)
{
    put(out, check_of(sources), 8);
    size_t at = out->len;
    uint32_t count = 0;
    put(out, 0, 4);
    for (enum source_kind kind = SOURCE_PREFIX; kind < SOURCE_KINDS; kind++) {
        for (uint32_t number = 0; number < sources->kinds[kind].set_count; number++) {
            count += put_places(sources, kind, number, out);
        }
    }
    fill_in(out, at, count);
    at = out->len;
    count = 0;
    put(out, 0, 4);
    for (size_t i = 0; i < SOURCE_TOLD; i++) {
        uint64_t what = atomic_load_explicit(&sources->told[i], memory_order_relaxed);
        if (what != 0) {
            put(out, i, 2);
            put(out, what, 8);
            count++;
        }
    }
    fill_in(out, at, count);
}

// ---- Reading -------------------------------------------------------------------------------------

static void take_set(struct reader *reader, struct distinct *set)
{
    *set = (struct distinct){0};
    uint64_t count = take(reader, 1), over = take(reader, 1);
    if (count > DISTINCT_ROOM) {
        reader->bad = true;
        return;
    }
    set->count = (uint16_t)count;
    set->over = (uint16_t)over;
    for (size_t i = 0; i < count; i++) {
        set->least[i] = (uint32_t)take(reader, 4);
    }
    reader->bad = reader->bad || !distinct_valid(set);
}

static void take_span(struct reader *reader, struct source_span *span)
{
    span->failed = (uint32_t)take(reader, 4);
    span->passed = (uint32_t)take(reader, 4);
    take_set(reader, &span->failed_subjects);
    take_set(reader, &span->passed_subjects);
    take_set(reader, &span->refused_sessions);
    take_set(reader, &span->sessions);
}

static void take_entry(struct reader *reader, struct source_entry *entry)
{
    uint32_t part = (uint32_t)take(reader, 4), figures[SOURCE_FIGURES];
    for (size_t i = 0; i < SOURCE_FIGURES; i++) {
        figures[i] = (uint32_t)take(reader, 4);
    }
    source_show(entry, part, figures);
    take_span(reader, &entry->now);
    take_span(reader, &entry->before);
}

static void take_place(struct sources *sources, struct reader *reader)
{
    uint64_t kind = take(reader, 1), way = take(reader, 1), name = take(reader, 8);
    if (kind >= SOURCE_KINDS || way >= SOURCE_WAYS || name == 0) {
        reader->bad = true;
        return;
    }
    struct source_kind_table *table = &sources->kinds[kind];
    uint32_t number = source_set_of(sources, (enum source_kind)kind, name);
    struct source_set *set = &table->sets[number];
    for (size_t i = 0; i < SOURCE_WAYS; i++) { // neither place nor name twice
        uint64_t there = atomic_load_explicit(&set->names[i], memory_order_relaxed);
        reader->bad = reader->bad || there == name || (i == way && there != 0);
    }
    if (!reader->bad) {
        take_entry(reader, &table->entries[(size_t)number * SOURCE_WAYS + way]);
        atomic_store_explicit(&set->names[way], name, memory_order_release);
    }
}

static void take_told(struct sources *sources, struct reader *reader)
{
    uint64_t count = take(reader, 4);
    for (uint64_t i = 0; i < count && !reader->bad; i++) {
        uint64_t place = take(reader, 2), what = take(reader, 8);
        reader->bad = reader->bad || place >= SOURCE_TOLD || what == 0;
        if (!reader->bad) {
            atomic_store_explicit(&sources->told[place], what, memory_order_relaxed);
        }
    }
}

static void forget(struct sources *sources)
{
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        struct source_kind_table *table = &sources->kinds[kind];
        for (size_t i = 0; i < (size_t)table->set_count * SOURCE_WAYS; i++) {
            atomic_store_explicit(&table->sets[i / SOURCE_WAYS].names[i % SOURCE_WAYS], 0,
                                  memory_order_relaxed);
        }
    }
    for (size_t i = 0; i < SOURCE_TOLD; i++) {
        atomic_store_explicit(&sources->told[i], 0, memory_order_relaxed);
    }
}

enum pdp_err source_load(struct sources *sources, struct str bytes)
{
    struct reader reader = {.left = bytes};
    forget(sources);
    if (take(&reader, 8) != check_of(sources) || reader.bad) {
        return reader.bad ? PDP_ERR_CORRUPT : PDP_ERR_UNKNOWN;
    }
    uint64_t count = take(&reader, 4);
    for (uint64_t i = 0; i < count && !reader.bad; i++) {
        take_place(sources, &reader);
    }
    take_told(sources, &reader);
    if (reader.bad || reader.left.len != 0) {
        forget(sources);
        return PDP_ERR_CORRUPT;
    }
    return PDP_ERR_OK;
}
