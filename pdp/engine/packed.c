// SPDX-License-Identifier: Apache-2.0
#include "engine/packed.h"

#include <stdio.h>
#include <stdlib.h>

struct packed {
    struct bundle bundle;
    struct arena arena;          // names of the documents
    struct snapshot_file *files; // as many as there are documents
    size_t file_count;
    struct bundle_entry *named; // list files and zones, in their order
    size_t named_count;
};

static enum pdp_err unpack(struct packed *packed, struct str called)
{
    const struct bundle *bundle = &packed->bundle;
    size_t documents = bundle->count_of[BUNDLE_DOCUMENT], at = 0;
    packed->files = ARENA_ARRAY(&packed->arena, struct snapshot_file, documents + 1);
    packed->named = ARENA_ARRAY(&packed->arena, struct bundle_entry, bundle->entry_count - documents + 1);
    if (packed->files == NULL || packed->named == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (struct bundle_entry entry; bundle_next(bundle, &at, &entry);) {
        if (entry.kind != BUNDLE_DOCUMENT) {
            packed->named[packed->named_count++] = entry;
            continue;
        }
        struct snapshot_file *file = &packed->files[packed->file_count++];
        file->name = arena_printf(&packed->arena, STR_FMT "/" STR_FMT, STR_ARG(called), STR_ARG(entry.name));
        file->text = entry.bytes;
        if (file->name.len == 0) {
            return PDP_ERR_NOMEM;
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err packed_new(struct str bytes, struct str called, struct packed **out, struct bundle_fault *why)
{
    *out = NULL;
    *why = (struct bundle_fault){0, "memory is out", {0}};
    AUTO(packed_free) struct packed *packed = calloc(1, sizeof *packed);
    if (packed == NULL) {
        return PDP_ERR_NOMEM;
    }
    arena_init(&packed->arena, 0, 0);
    TRY(bundle_read(bytes, &packed->bundle, why));
    TRY(unpack(packed, called));
    *out = STEAL(packed);
    return PDP_ERR_OK;
}

void packed_free(struct packed **packed_ptr)
{
    struct packed *packed = STEAL(*packed_ptr);
    if (packed != NULL) {
        arena_fini(&packed->arena);
        free(packed);
    }
}

const struct bundle *packed_bundle(const struct packed *packed)
{
    return &packed->bundle;
}

// ---- What documents name -------------------------------------------------------------------------------

static int by_entry(const void *a, const void *b)
{
    return bundle_entry_cmp(a, b);
}

static enum pdp_err find(const struct packed *packed, enum bundle_kind kind, struct str name,
                         struct str *text)
{
    struct bundle_entry wanted = {.kind = kind, .name = name};
    const struct bundle_entry *found =
        bsearch(&wanted, packed->named, packed->named_count, sizeof wanted, by_entry);
    *text = found != NULL ? found->bytes : (struct str){0};
    return found != NULL ? PDP_ERR_OK : PDP_ERR_UNKNOWN;
}

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    return find(user, BUNDLE_LISTED, path, text);
}

static enum pdp_err read_zone(void *user, struct str name, struct str *tzif)
{
    return find(user, BUNDLE_ZONE, name, tzif);
}

struct snapshot_input packed_input(struct packed *packed)
{
    return (struct snapshot_input){
        .files = packed->files,
        .file_count = packed->file_count,
        .read_file = read_file,
        .read_zone = read_zone,
        .user = packed,
    };
}

void packed_digest(const struct bundle *bundle, char out[static 80])
{
    memcpy(out, "sha256:", sizeof "sha256:");
    for (size_t i = 0; i < sizeof bundle->digest; i++) {
        snprintf(out + 7 + 2 * i, 3, "%02x", bundle->digest[i]);
    }
}
