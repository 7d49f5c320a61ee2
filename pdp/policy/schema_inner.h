// SPDX-License-Identifier: Apache-2.0
// Shared by the files that read a schema.
#ifndef POLICY_SCHEMA_INNER_H
#define POLICY_SCHEMA_INNER_H

#include "policy/build.h"
#include "policy/schema.h"

#define SCHEMA_PATH_MOST 200 // bytes of a name

// What a question carries, and the second way in which the same is read. `owner` is what a host is asked for.
struct schema_root {
    struct str name, owner, other, other_owner;
};

enum {
    SCHEMA_SUBJECT,
    SCHEMA_ACTION,
    SCHEMA_RESOURCE,
    SCHEMA_CONTEXT,
    SCHEMA_COMPONENTS, // of the device
    SCHEMA_ROOT_COUNT
};
extern const struct schema_root SCHEMA_ROOTS[SCHEMA_ROOT_COUNT];

// An attribute, and where it stands.
struct schema_draft {
    struct schema_attr attr;
    struct cel_schema *schema;
    uint32_t root; // of SCHEMA_ROOTS
    bool reserved; // a property whose name is the language's: read through `properties` alone
    struct place place;
};

struct schema_reader {
    struct build build; // for its helpers
    struct cel_env *env;
    struct schema_draft *drafts;
    uint32_t count;
    bool open[SCHEMA_ROOT_COUNT];
};

// Is `path` a field of `above`, at any depth?
bool schema_is_under(struct str path, struct str above);
// The number by which a host knows a root or an attribute; false: it is not declared.
bool schema_id_of(const struct cel_env *env, struct str owner, uint32_t *id);

// All drafts together: refuses what contradicts, fills *out and the environment.
void schema_declare(struct schema_reader *r, struct policy_schema *out);

#endif
