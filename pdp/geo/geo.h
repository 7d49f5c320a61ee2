// SPDX-License-Identifier: Apache-2.0
// Address to place, network and flags, from one or more databases of MaxMind's schemas.
//
// This folder is pure but for one thing: libmaxminddb opens files only, so the bytes that come in are put
// into a sealed anonymous file (memfd_create) and given to it as /proc/self/fd/N. No name on disk is read,
// and a file that is cut or overwritten after it was read can neither change an answer nor fault.
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
    GEO_LINK = 1 << 7, // how the address is connected is known: by a carrier's network or otherwise
};

struct geo_place {
    uint32_t known;   // GEO_… that hold for this address
    uint32_t version; // of the set that answered; never 0 for a loaded set
    // In the databases' memory: valid while the set lives. Codes are two capital letters; the city is in
    // English. A country is where the address is used, never where its network is registered.
    struct str country, continent, city, org; // empty where not known; at most 255 bytes
    double lat_deg, lon_deg, radius_km;       // NaN where not known; the radius may be missing by itself
    uint32_t asn;
    // SIGHT_ANONYMOUS … SIGHT_RELAY and SIGHT_CARRIER of model/sighting.h, united over all databases. A bit
    // that is set holds; one that is clear says something only where GEO_ANONYMITY is known, of a carrier
    // GEO_LINK.
    uint16_t flags;
};

struct geo_set;   // immutable once filled; any number of readers
struct geo_cache; // one worker's memory of recent addresses

MUST_USE enum pdp_err geo_set_new(struct geo_set **out);
void geo_set_free(struct geo_set **set);

// Adds one database from its bytes (copied into memory of the set's own, so that a file that is cut or
// replaced later does no harm). It is walked whole first with our own bounded reader (metadata, tree,
// data: depth, lengths, pointers, cycles); what fails is CORRUPT or UNSUPPORTED (LIMIT: more than 16
// databases or 1 GiB), with *why saying what and where, and the set as it was. Which facts it gives is read
// from its metadata and schema; one that gives none is UNSUPPORTED. A field of the wrong type is not known.
// Where two databases give the same fact, the one added first wins. The set's version is a hash of all bytes
// of all databases, in order.
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
// `cache` may be NULL. A cached answer of another set is never used. `set` may be NULL: nothing known.
void geo_lookup(const struct geo_set *set, struct geo_cache *cache, const struct ip *ip,
                struct geo_place *out);

#endif
