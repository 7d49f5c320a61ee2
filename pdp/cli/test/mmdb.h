// SPDX-License-Identifier: Apache-2.0
// A writer of the MaxMind DB format, small as its files: a tree of prefixes, and a record for each.
#ifndef CLI_TEST_MMDB_H
#define CLI_TEST_MMDB_H

#include "base/buf.h"
#include "base/ip.h"

// Zeroed is empty. `nodes` has two records each; see mmdb.c.
struct mmdb {
    struct buf nodes, data;
};

void mmdb_fini(struct mmdb *mmdb);

// A record's values, appended to `data`: a map comes before its pairs, a key before its value.
void mmdb_map(struct buf *data, uint32_t pairs);
void mmdb_text(struct buf *data, struct str text); // at most 284 bytes
void mmdb_double(struct buf *data, double number);
void mmdb_uint(struct buf *data, uint32_t number);
void mmdb_bool(struct buf *data, bool truth);

// Addresses of the prefix have the record at `offset` of `data`. Longer prefixes come after shorter ones.
void mmdb_add(struct mmdb *mmdb, const struct cidr *cidr, size_t offset);
// The whole file, of which `type` tells the schema; `out` failed where memory is out.
void mmdb_write(const struct mmdb *mmdb, struct str type, struct buf *out);
// How long a prefix is in the tree, where IPv4 lies under ::/96.
unsigned mmdb_bits(const struct cidr *cidr);

#endif
