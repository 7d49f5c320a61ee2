// SPDX-License-Identifier: Apache-2.0
// Records in the forms that others read: a JSON object a record.
#ifndef AUDIT_EXPORT_H
#define AUDIT_EXPORT_H

#include "audit/query.h"

// X(name, word)
#define EXPORT_FORM_LIST(X) \
    X(JSONL, "jsonl")       \
    X(OCSF, "ocsf")         \
    X(ECS, "ecs")

enum export_form {
#define X(name, word) EXPORT_##name,
    EXPORT_FORM_LIST(X)
#undef X
    EXPORT_FORM_COUNT
};

// EXPORT_FORM_COUNT: none of this name.
enum export_form export_form_of(struct str word);
// One line, without its newline.
void export_put(enum export_form form, const struct query_record *record, struct buf *out);

#endif
