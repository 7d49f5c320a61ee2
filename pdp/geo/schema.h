// SPDX-License-Identifier: Apache-2.0
// Which fields of MaxMind's schemas give which facts, and how they are read.
#ifndef GEO_SCHEMA_H
#define GEO_SCHEMA_H

#include "geo/geo.h"

#include <maxminddb.h>

// Groups of fields that a database may hold.
enum {
    SCHEMA_COUNTRY = 1 << 0,     // country and continent
    SCHEMA_CITY = 1 << 1,        // city and location
    SCHEMA_NETWORK = 1 << 2,     // AS number and organisation
    SCHEMA_ANONYMITY = 1 << 3,   // is_anonymous and its kind
    SCHEMA_LINK = 1 << 4,        // how the address is connected
    SCHEMA_TRAITS = 1 << 5,      // the three before, under `traits`
    SCHEMA_RESIDENTIAL = 1 << 6, // an address that is there is a residential proxy
};

struct schema {
    uint32_t groups; // SCHEMA_…; 0: nothing that is of use here
    uint32_t facts;  // GEO_…
};

// From a database's type (`GeoIP2-City`), by the words in it; zero where it tells nothing.
struct schema schema_of_type(struct str type);
// From the records themselves: at most some thousand of them are looked at.
struct schema schema_probe(const MMDB_s *mmdb);
// Adds what the record at `entry` tells and *place does not know yet. Allocates nothing.
void schema_read(uint32_t groups, const MMDB_entry_s *entry, struct geo_place *place);
// Nothing known.
void schema_clear(struct geo_place *place);

#endif
