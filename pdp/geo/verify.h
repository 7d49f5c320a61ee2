// SPDX-License-Identifier: Apache-2.0
// Is a file a sound MaxMind DB? Asked before a library that trusts its input is given the bytes.
//
// Debian's libmaxminddb 1.7.1 overflows its stack or reads outside the file on some corrupt ones. So every
// record of the search tree that a lookup can reach, and every value that such a record can reach, is read
// here first with all bounds checked. Time is linear in the file's size; memory is at most a byte a node and
// a bit a byte.
#ifndef GEO_VERIFY_H
#define GEO_VERIFY_H

#include "geo/section.h"

#define VERIFY_MOST_BYTES ((size_t)1 << 30) // libmaxminddb counts in 32 bits

struct verify_layout {
    struct section metadata, data;
    uint64_t node_count, build_s;
    unsigned record_bits, ip_version; // 24, 28 or 32; 4 or 6
    struct str type;                  // database_type, in `bytes`
};

// CORRUPT, UNSUPPORTED, LIMIT or NOMEM, with *why saying what and where; *out is zero then.
MUST_USE enum pdp_err verify_database(const uint8_t *bytes, size_t len, struct verify_layout *out,
                                      char why[static SECTION_WHY]);
// The records, left and right, of a node below the node count of a sound database.
void verify_node(const struct verify_layout *layout, const uint8_t *bytes, uint64_t node,
                 uint32_t out[static 2]);

#endif
