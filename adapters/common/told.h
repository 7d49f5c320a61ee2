// SPDX-License-Identifier: Apache-2.0
// What a program of its own was told: flags and a YAML file of the same keys.
#ifndef COMMON_TOLD_H
#define COMMON_TOLD_H

#include "common/text.h"

#include <pdp/adapter.h>

#define TOLD_WHY_MAX 600

struct told {
    struct pdp_setting *list; // names and values are owned
    size_t count, room;
    char **places; // of each: `--name`, or `file:line:column`
};

// NOMEM.
MUST_USE enum pdp_err told_add(struct told *told, const char *place, const char *name, const char *value);
// Adds what a YAML file says: one map from names to texts or lists of texts. Aliases, tags, keys given twice,
// deeper nesting and more than 64 KiB are errors with place in `why`.
MUST_USE enum pdp_err told_read(struct told *told, const char *file, char why[TOLD_WHY_MAX]);
void told_fini(struct told *told);

#endif
