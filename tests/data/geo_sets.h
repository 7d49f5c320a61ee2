// SPDX-License-Identifier: Apache-2.0
// Sets of the databases of make_mmdb.pl.
#ifndef TESTS_DATA_GEO_SETS_H
#define TESTS_DATA_GEO_SETS_H

#include "data/mmdb.h"
#include "geo/geo.h"

#include <criterion/criterion.h>

static inline enum pdp_err add_bytes(struct geo_set *set, const char *name, const struct mmdb_file *file)
{
    char why[160];
    memset(why, 'x', sizeof why);
    enum pdp_err err = geo_set_add(set, str_of(name), file->bytes, file->len, why);
    cr_expect(memchr(why, '\0', sizeof why) != NULL && (err == PDP_ERR_OK) == (why[0] == '\0'),
              "%s: no reason", name);
    return err;
}

// A set of files of the script, named with commas between. NULL: they cannot be made here.
static inline struct geo_set *set_of(const char *names)
{
    AUTO(geo_set_free) struct geo_set *set = NULL;
    cr_assert_eq(geo_set_new(&set), PDP_ERR_OK);
    for (struct str rest = str_of(names); rest.len != 0;) {
        char name[64];
        size_t end = str_find_byte(rest, ',', 0);
        snprintf(name, sizeof name, "%.*s", (int)end, rest.at);
        rest = str_sub(rest, end + 1, rest.len);
        AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made(name);
        if (file.bytes == NULL) {
            cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
        }
        cr_assert_eq(add_bytes(set, name, &file), PDP_ERR_OK, "%s", name);
    }
    return STEAL(set);
}

static inline struct geo_place look(const struct geo_set *set, const char *address)
{
    struct ip ip;
    struct geo_place place;
    memset(&place, 0xa5, sizeof place);
    cr_assert(ip_parse(str_of(address), &ip), "%s", address);
    geo_lookup(set, NULL, &ip, &place);
    return place;
}

#endif
