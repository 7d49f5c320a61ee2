// SPDX-License-Identifier: Apache-2.0
// What the forms of an export share. Only for the folder's own files.
#ifndef AUDIT_EXPORT_FORMS_H
#define AUDIT_EXPORT_FORMS_H

#include "audit/export.h"

struct str export_text(const struct query_record *record, const char *path); // empty: not there
bool export_number(const struct query_record *record, const char *path, double *out);
int64_t export_int(const struct query_record *record, const char *path); // 0: not there
bool export_is(const struct query_record *record, const char *path, const char *text);
void export_key_text(struct emit *emit, const char *key, struct str text); // nothing where it is empty

void export_ocsf(struct emit *emit, const struct query_record *record);
void export_ecs(struct emit *emit, const struct query_record *record);

#endif
