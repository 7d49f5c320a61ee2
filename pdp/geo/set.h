// SPDX-License-Identifier: Apache-2.0
// A set of databases from the inside: what geo.c fills and lookup.c reads.
#ifndef GEO_SET_H
#define GEO_SET_H

#include "geo/schema.h"

enum {
    SET_MOST = 16
};

struct set_database {
    MMDB_s mmdb;
    struct schema schema;
    char *name;
    size_t name_len;
    struct str type; // in the sealed file
    uint64_t build_s, digest;
};

struct geo_set {
    struct set_database *databases[SET_MOST];
    size_t count;
    uint32_t facts, version;
    // Never the same for two contents of two sets in one process: a version may come back with the same files
    // at other addresses, and what a cache keeps points into the memory of one set.
    uint64_t serial;
};

#endif
