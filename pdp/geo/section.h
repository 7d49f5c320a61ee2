// SPDX-License-Identifier: Apache-2.0
// One section of a MaxMind DB file (metadata or data) read with every bound checked.
#ifndef GEO_SECTION_H
#define GEO_SECTION_H

#include "base/str.h"

enum {
    SECTION_WHY = 160
}; // bytes of a refusal's text

// The format's type numbers; 12 and 13 are for memory, never for files.
enum {
    SECTION_POINTER = 1,
    SECTION_TEXT = 2,
    SECTION_DOUBLE = 3,
    SECTION_BYTES = 4,
    SECTION_UINT16 = 5,
    SECTION_UINT32 = 6,
    SECTION_MAP = 7,
    SECTION_INT32 = 8,
    SECTION_UINT64 = 9,
    SECTION_UINT128 = 10,
    SECTION_ARRAY = 11,
    SECTION_BOOL = 14,
    SECTION_FLOAT = 15,
};

struct section {
    const char *name; // for refusals
    const uint8_t *at;
    size_t len;
};

// The head of one value, its payload inside the section.
struct item {
    uint8_t type;
    uint32_t size;   // bytes of a scalar, pairs of a map, values of an array, the truth of a boolean
    size_t payload;  // where a scalar's bytes or a container's first value are
    size_t next;     // past a scalar; of a container the same as payload
    uint32_t target; // of a pointer
};

// Reads the head at `at`. CORRUPT with *why where it does not fit; *out is then zero.
MUST_USE enum pdp_err section_item(const struct section *section, size_t at, struct item *out,
                                   char why[static SECTION_WHY]);
// As section_item, following one pointer. A pointer to a pointer is CORRUPT.
MUST_USE enum pdp_err section_value(const struct section *section, size_t at, struct item *out,
                                    char why[static SECTION_WHY]);

// A walk over values that remembers where it has been: a value that many records share is read once.
struct section_walk {
    struct section section;
    uint8_t *seen; // a bit a byte: a whole value that starts there was found good
    size_t budget; // bytes that may still be read: bounds the time for values that overlap
    size_t values; // read so far for the record at hand
};

// NOMEM leaves an empty walk, which section_walk_fini takes.
MUST_USE enum pdp_err section_walk_init(struct section_walk *walk, struct section section);
void section_walk_fini(struct section_walk *walk);
// The whole value at `at` and what it points to: nesting, counts, lengths, pointers, keys, UTF-8. `next`,
// where not NULL, is set past the value. A value seen before costs nothing where `next` is NULL.
MUST_USE enum pdp_err section_check(struct section_walk *walk, size_t at, size_t *next,
                                    char why[static SECTION_WHY]);

// In a section that was checked: the value of a key of the map at `at`; false where it is not there.
bool section_field(const struct section *section, size_t at, struct str key, struct item *out);
// Is every value of the map or array `item` text (in a map, the keys too)?
bool section_all_text(const struct section *section, const struct item *item);
// An unsigned number of at most `most`, of any of the unsigned types; false where it is none.
bool section_number(const struct section *section, const struct item *item, uint64_t most, uint64_t *out);

// Sets `why` and returns `err`.
enum pdp_err section_refuse(char why[static SECTION_WHY], enum pdp_err err, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
