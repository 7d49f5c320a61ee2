// SPDX-License-Identifier: Apache-2.0
// JSON Schema of one value, written into an object that is open. Inside of cli/edit.
#ifndef CLI_EDIT_FIELD_H
#define CLI_EDIT_FIELD_H

#include "conf/conf.h"
#include "wire/wire.h"

// What a field's type, choices and bounds say.
void field_put(struct emit *emit, const struct conf_field *field);

void field_type(struct emit *emit, const char *type);
void field_pattern(struct emit *emit, const char *pattern); // text of this form
void field_scalar(struct emit *emit);                       // text, whatever it looks like to others
void field_texts(struct emit *emit);                        // text, or a list of it
void field_expr(struct emit *emit);
void field_choices(struct emit *emit, const struct conf_field *field);
void field_ref(struct emit *emit, const char *to); // to one of `$defs`

// A key whose value is an object, or a list, which are left open.
void field_key(struct emit *emit, const char *key);
void field_list(struct emit *emit, const char *key);

#endif
