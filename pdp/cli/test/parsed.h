// SPDX-License-Identifier: Apache-2.0
// A folder's documents as they stand, for places that the compiled policies no longer know.
#ifndef CLI_TEST_PARSED_H
#define CLI_TEST_PARSED_H

#include "conf/conf.h"
#include "engine/engine.h"

struct parsed_file {
    struct source source;
    struct conf_doc *docs;
    size_t count;
};

struct parsed {
    struct arena arena;
    struct parsed_file *files; // as they were given
    size_t count;
};

// The texts of `files` must live as long. *out is to be given back on failure too: NOMEM, or the first
// mistake.
MUST_USE enum pdp_err parsed_read(const struct snapshot_file *files, size_t count, struct parsed *out);
void parsed_fini(struct parsed *parsed);
// Does the map hold this text under this key?
bool parsed_says(const struct conf_node *map, const char *key, const char *value);
// Items of a list under a key; 0 where it is none.
size_t parsed_items(const struct conf_node *map, const char *key, const struct conf_node *const **items);

#endif
