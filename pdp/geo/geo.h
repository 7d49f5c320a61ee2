// SPDX-License-Identifier: Apache-2.0
// Address to place, network and flags, from one or more databases of MaxMind's schemas.
#ifndef GEO_GEO_H
#define GEO_GEO_H

#include "base/diag.h"
#include "base/ip.h"

// What a set of databases can tell at all; a fact is known where its bit is set, whatever its value.
enum {
    GEO_COUNTRY = 1 << 0,
    GEO_CITY = 1 << 1,
    GEO_COORDINATES = 1 << 2,
    GEO_ASN = 1 << 3,
    GEO_ORG = 1 << 4,
    GEO_ANONYMITY = 1 << 5, // an anonymity database is loaded: an address that it lacks is not anonymous
    GEO_CONTINENT = 1 << 6,
};

struct geo_place {
    uint32_t known; // GEO_… that hold for this address
    uint32_t version; // of the set that answered; never 0 for a loaded set
    struct str country, continent, city, org; // in the databases' memory: valid while the set lives
    double lat_deg, lon_deg, radius_km; // NaN where not known
    uint32_t asn;
    uint16_t flags; // SIGHT_ANONYMOUS … SIGHT_SATELLITE of model/sighting.h
};

struct geo_set;   // immutable once filled; any number of readers
struct geo_cache; // one worker's memory of recent addresses

MUST_USE enum pdp_err geo_set_new(struct geo_set **out);
void geo_set_free(struct geo_set **set);

// Adds one database from its bytes (copied into memory of the set's own, so that a file that is cut or
// replaced later does no harm). It is walked whole first with our own bounded reader (metadata, tree,
// data: depth, lengths, pointers, cycles); what fails is CORRUPT or UNSUPPORTED, with *why saying what and
// where, and the set as it was. Which facts it gives is read from its metadata and schema. Where two
// databases give the same fact, the one added first wins. The set's version is a hash of all builds.
MUST_USE enum pdp_err geo_set_add(struct geo_set *set, struct str name, const void *bytes, size_t len,
                                  char why[static 160]);
uint32_t geo_set_version(const struct geo_set *set);
uint32_t geo_set_facts(const struct geo_set *set); // GEO_… that some database gives
size_t geo_set_count(const struct geo_set *set);
// Name, type, build time (epoch s) of a database, for `status`.
void geo_set_describe(const struct geo_set *set, size_t index, struct str *name, struct str *type,
                      uint64_t *build_s);

MUST_USE enum pdp_err geo_cache_new(size_t entries, struct geo_cache **out);
void geo_cache_free(struct geo_cache **cache);
// Fills *out (safe values where nothing is known). Fixed paths only; bounded; allocates nothing.
// `cache` may be NULL. A cached answer of another set's version is never used. `set` may be NULL: nothing known.
void geo_lookup(const struct geo_set *set, struct geo_cache *cache, const struct ip *ip, struct geo_place *out);

#endif
