// SPDX-License-Identifier: Apache-2.0
// What a test says of networks, as databases in memory: so that it needs none of anybody's.
#ifndef CLI_TEST_PLACES_H
#define CLI_TEST_PLACES_H

#include "conf/conf.h"
#include "geo/geo.h"

// Reads `places`, a map of CIDR to facts, and makes the set. Each fact is of the longest prefix that says it;
// an anonymity database is among them where any network says something of anonymity, `false` too. Mistakes
// go to `diags`, all of them, with *out NULL; the first is returned.
MUST_USE enum pdp_err places_read(const struct conf_node *map, struct arena *arena, struct diags *diags,
                                  struct geo_set **out);

#endif
