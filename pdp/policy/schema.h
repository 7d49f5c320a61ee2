// SPDX-License-Identifier: Apache-2.0
// Schema documents: which attributes a question carries, and what each may hold.
#ifndef POLICY_SCHEMA_H
#define POLICY_SCHEMA_H

#include "policy/policy.h"

#define SCHEMA_ATTRS_MAX 2000 // of all documents
#define SCHEMA_VALUES_MAX 256 // of one enum

// One attribute as it is declared.
struct schema_attr {
    struct cel_slot_info info; // how a question is asked for it, before anything is read into it
    struct str document;       // the Schema's name
    struct str lacks;          // words for a question that is without it
    bool required;
    bool of_resource;        // `for` names types of the resource, else of the subject
    const struct str *kinds; // `for`: types of the subject or resource of whom it is required; none: of all
    uint32_t kind_count;
};

struct policy_schema {
    const struct schema_attr *attrs; // by path
    uint32_t count;
    const struct schema_attr *const *required; // those that are
    uint32_t required_count;
    const struct str *closed; // roots of which nothing else may be read, as conditions name them
    uint32_t closed_count;
};

// Reads all Schema documents. *env holds what the language declares; its roots and attributes become those
// that conditions may read under the schema (as they were, where there is none). All mistakes go to `diags`;
// what could be told of an attribute is declared all the same, so that conditions are not blamed for it.
// Everything is copied into `arena`.
MUST_USE enum pdp_err policy_schema_read(const struct conf_doc *docs, size_t count, struct arena *arena,
                                         struct diags *diags, struct cel_env *env, struct policy_schema *out);

// Stable text, a line an attribute; nothing where there is no Schema.
void policy_schema_print(const struct policy_schema *schema, struct buf *out);

#endif
