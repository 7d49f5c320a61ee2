// SPDX-License-Identifier: Apache-2.0
#include "engine/packer.h"

#include <stdlib.h>

struct packer {
    struct snapshot_input inner;
    struct arena arena;
    struct bundle_entry *entries;
    size_t count, cap;
    struct str lost;
    bool failed; // memory is out
};

enum pdp_err packer_new(const struct snapshot_input *from, struct packer **out)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return PDP_ERR_NOMEM;
    }
    (*out)->inner = *from;
    arena_init(&(*out)->arena, 0, 0);
    return PDP_ERR_OK;
}

void packer_free(struct packer **pack_ptr)
{
    struct packer *packer = STEAL(*pack_ptr);
    if (packer != NULL) {
        free(packer->entries);
        arena_fini(&packer->arena);
        free(packer);
    }
}

// ---- What documents name, noted as it is read: that and no more goes into the bundle -----------------

static void add(struct packer *packer, enum bundle_kind kind, struct str name, struct str bytes)
{
    if (packer->count == packer->cap) {
        size_t cap = packer->cap == 0 ? 64 : packer->cap * 2;
        struct bundle_entry *entries = realloc(packer->entries, cap * sizeof *entries);
        packer->failed = packer->failed || entries == NULL;
        if (entries == NULL) {
            return;
        }
        packer->entries = entries;
        packer->cap = cap;
    }
    packer->entries[packer->count++] = (struct bundle_entry){kind, name, bytes};
}

static bool noted(const struct packer *packer, enum bundle_kind kind, struct str name)
{
    for (size_t i = 0; i < packer->count; i++) {
        if (packer->entries[i].kind == kind && str_eq(packer->entries[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void note(struct packer *packer, enum bundle_kind kind, struct str name, struct str bytes)
{
    if (!noted(packer, kind, name)) {
        add(packer, kind, arena_str(&packer->arena, name, NULL), bytes);
    }
}

static enum pdp_err note_file(void *user, struct str path, struct str *text)
{
    struct packer *packer = user;
    enum pdp_err err = packer->inner.read_file(packer->inner.user, path, text);
    if (err == PDP_ERR_OK) {
        note(packer, BUNDLE_LISTED, path, *text);
    } else if (packer->lost.len == 0) {
        packer->lost = arena_str(&packer->arena, path, NULL);
    }
    return err;
}

static enum pdp_err note_zone(void *user, struct str name, struct str *tzif)
{
    struct packer *packer = user;
    enum pdp_err err = packer->inner.read_zone(packer->inner.user, name, tzif);
    if (err == PDP_ERR_OK) {
        note(packer, BUNDLE_ZONE, name, *tzif);
    }
    return err;
}

struct snapshot_input packer_input(struct packer *packer)
{
    struct snapshot_input input = packer->inner;
    input.read_file = note_file;
    input.read_zone = note_zone;
    input.user = packer;
    return input;
}

struct str packer_lost(const struct packer *packer)
{
    return packer->lost;
}

// ---- The bundle --------------------------------------------------------------------------------------

static int by_entry(const void *a, const void *b)
{
    return bundle_entry_cmp(a, b);
}

static enum pdp_err encode(struct packer *packer, const struct bundle *head, struct buf *out,
                           struct bundle_fault *why)
{
    if (packer->failed) {
        *why = (struct bundle_fault){.what = "memory is out"};
        return PDP_ERR_NOMEM;
    }
    if (packer->count > 0) {
        qsort(packer->entries, packer->count, sizeof *packer->entries, by_entry);
    }
    return bundle_write(head, packer->entries, packer->count, out, why);
}

enum pdp_err packer_write(struct packer *packer, const struct bundle *head, size_t front, struct buf *out,
                          struct bundle_fault *why)
{
    for (size_t i = 0; i < packer->inner.file_count; i++) {
        const struct snapshot_file *file = &packer->inner.files[i];
        add(packer, BUNDLE_DOCUMENT, str_sub(file->name, front, SIZE_MAX), file->text);
    }
    return encode(packer, head, out, why);
}

enum pdp_err packer_write_over(struct packer *packer, const struct bundle *old, struct buf *out,
                               struct bundle_fault *why)
{
    size_t at = 0;
    for (struct bundle_entry entry; bundle_next(old, &at, &entry);) {
        if (!noted(packer, entry.kind, entry.name)) {
            add(packer, entry.kind, entry.name, entry.bytes);
        }
    }
    return encode(packer, old, out, why);
}
