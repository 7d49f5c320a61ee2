// SPDX-License-Identifier: Apache-2.0
#include "geo/geo.h"

#include "base/hash.h"
#include "geo/set.h"
#include "geo/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// A version must be the same in every run and on every machine: no drawn key.
static const struct hash_key VERSION_KEY = {0x7064702d67656f21, 0x76657273696f6e31};

// ---- bytes in a sealed file ------------------------------------------------------------------------

struct sealed {
    int fd;
    const uint8_t *at; // a view of the file; NULL where there is none
    size_t len;
};

static void sealed_close(struct sealed *sealed)
{
    if (sealed->at != NULL) {
        (void)munmap((void *)(uintptr_t)sealed->at, sealed->len);
    }
    if (sealed->fd >= 0) {
        (void)close(sealed->fd);
    }
    *sealed = (struct sealed){.fd = -1};
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return false;
        }
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

// On failure what was opened is in *out all the same, for sealed_close.
static enum pdp_err sealed_open(const void *bytes, size_t len, struct sealed *out,
                                char why[static SECTION_WHY])
{
    *out = (struct sealed){.fd = memfd_create("pdp-geo", MFD_CLOEXEC | MFD_ALLOW_SEALING), .len = len};
    if (out->fd < 0 || !write_all(out->fd, bytes, len) ||
        fcntl(out->fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        return section_refuse(why, PDP_ERR_IO, "no anonymous file of %zu bytes: %s", len, strerror(errno));
    }
    void *at = mmap(NULL, len, PROT_READ, MAP_PRIVATE, out->fd, 0);
    if (at == MAP_FAILED) {
        return section_refuse(why, PDP_ERR_NOMEM, "out of memory");
    }
    out->at = at;
    return PDP_ERR_OK;
}

// ---- one database ----------------------------------------------------------------------------------

static void database_free(struct set_database **database)
{
    struct set_database *it = *database;
    if (it != NULL) {
        if (it->mmdb.file_content != NULL) {
            MMDB_close(&it->mmdb);
        }
        free(it->name);
        free(it);
        *database = NULL;
    }
}

// The library must have understood the file as the walk did, or the walk proves nothing.
static bool same_reading(const MMDB_s *mmdb, const struct verify_layout *layout, size_t len)
{
    return mmdb->file_size >= 0 && (size_t)mmdb->file_size == len &&
           mmdb->metadata.node_count == layout->node_count &&
           mmdb->metadata.record_size == layout->record_bits &&
           mmdb->metadata.ip_version == layout->ip_version &&
           mmdb->metadata_section_size == layout->metadata.len &&
           mmdb->full_record_byte_size == layout->record_bits / 4;
}

static enum pdp_err open_library(const struct sealed *sealed, const struct verify_layout *layout,
                                 struct set_database *database, char why[static SECTION_WHY])
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", sealed->fd);
    int status = MMDB_open(path, MMDB_MODE_MMAP, &database->mmdb);
    if (status != MMDB_SUCCESS) {
        database->mmdb = (MMDB_s){0};
        enum pdp_err err = status == MMDB_OUT_OF_MEMORY_ERROR                          ? PDP_ERR_NOMEM
                           : status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR ? PDP_ERR_IO
                                                                                       : PDP_ERR_CORRUPT;
        return section_refuse(why, err, "libmaxminddb: %s", MMDB_strerror(status));
    }
    if (!same_reading(&database->mmdb, layout, sealed->len)) {
        return section_refuse(why, PDP_ERR_CORRUPT, "metadata can be read in two ways");
    }
    return PDP_ERR_OK;
}

static enum pdp_err copy_name(struct str name, struct set_database *database)
{
    database->name = malloc(name.len + 1);
    if (database->name == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (name.len != 0) {
        memcpy(database->name, name.at, name.len);
    }
    database->name_len = name.len;
    return PDP_ERR_OK;
}

static enum pdp_err database_open(struct str name, const struct sealed *sealed, struct set_database **out,
                                  char why[static SECTION_WHY])
{
    struct verify_layout layout;
    TRY(verify_database(sealed->at, sealed->len, &layout, why));
    AUTO(database_free) struct set_database *database = calloc(1, sizeof *database);
    if (database == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(copy_name(name, database));
    TRY(open_library(sealed, &layout, database, why));
    // The view that was verified goes away; the library's own stays.
    size_t type_at = (size_t)((const uint8_t *)layout.type.at - sealed->at);
    database->type = (struct str){(const char *)database->mmdb.file_content + type_at, layout.type.len};
    database->build_s = layout.build_s;
    database->digest = hash_64(VERSION_KEY, sealed->at, sealed->len);
    database->schema = schema_of_type(database->type);
    if (database->schema.groups == 0) {
        database->schema = schema_probe(&database->mmdb);
    }
    if (database->schema.groups == 0) {
        return section_refuse(why, PDP_ERR_UNSUPPORTED,
                              "gives no country, city, place, network or anonymity");
    }
    *out = STEAL(database);
    return PDP_ERR_OK;
}

// ---- the set ---------------------------------------------------------------------------------------

enum pdp_err geo_set_new(struct geo_set **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

void geo_set_free(struct geo_set **set)
{
    if (*set != NULL) {
        for (size_t i = 0; i < (*set)->count; i++) {
            database_free(&(*set)->databases[i]);
        }
        free(*set);
        *set = NULL;
    }
}

static uint32_t set_version(const struct geo_set *set)
{
    uint64_t digests[SET_MOST] = {0};
    for (size_t i = 0; i < set->count; i++) {
        digests[i] = set->databases[i]->digest;
    }
    uint64_t hash = hash_64(VERSION_KEY, digests, set->count * sizeof *digests);
    uint32_t version = (uint32_t)(hash ^ hash >> 32);
    return version != 0 ? version : 1;
}

static enum pdp_err add(struct geo_set *set, struct str name, const void *bytes, size_t len,
                        char why[static SECTION_WHY])
{
    static atomic_uint_least64_t last_serial;
    if (set->count == SET_MOST) {
        return section_refuse(why, PDP_ERR_LIMIT, "more than %d databases", SET_MOST);
    }
    if (len == 0 || len > VERIFY_MOST_BYTES) {
        return section_refuse(why, len == 0 ? PDP_ERR_CORRUPT : PDP_ERR_LIMIT, "the file is %s",
                              len == 0 ? "empty" : "larger than 1 GiB");
    }
    AUTO(sealed_close) struct sealed sealed = {.fd = -1};
    TRY(sealed_open(bytes, len, &sealed, why));
    struct set_database *database = NULL;
    TRY(database_open(name, &sealed, &database, why));
    set->databases[set->count++] = database;
    set->facts |= database->schema.facts;
    set->version = set_version(set);
    set->serial = atomic_fetch_add(&last_serial, 1) + 1;
    return PDP_ERR_OK;
}

enum pdp_err geo_set_add(struct geo_set *set, struct str name, const void *bytes, size_t len,
                         char why[static SECTION_WHY])
{
    why[0] = '\0';
    enum pdp_err err = add(set, name, bytes, len, why);
    if (err != PDP_ERR_OK && why[0] == '\0') {
        return section_refuse(why, err, "%s", pdp_err_text(err));
    }
    return err;
}

uint32_t geo_set_version(const struct geo_set *set)
{
    return set->version;
}

uint32_t geo_set_facts(const struct geo_set *set)
{
    return set->facts;
}

size_t geo_set_count(const struct geo_set *set)
{
    return set->count;
}

void geo_set_describe(const struct geo_set *set, size_t index, struct str *name, struct str *type,
                      uint64_t *build_s)
{
    *name = *type = (struct str){NULL, 0};
    *build_s = 0;
    if (index < set->count) {
        const struct set_database *database = set->databases[index];
        *name = (struct str){database->name, database->name_len};
        *type = database->type;
        *build_s = database->build_s;
    }
}
