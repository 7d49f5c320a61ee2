// SPDX-License-Identifier: Apache-2.0
// Controls as rows of the store: a map in CBOR with the number of its format.
#ifndef SESSION_CONTROL_ROW_H
#define SESSION_CONTROL_ROW_H

#include "base/arena.h"
#include "session/controls.h"

#define CONTROL_ROW_KEY 8       // the number, high end first: rows are in the order in which they were given
#define CONTROL_ROW_LAST "last" // the key of a row whose value is the key of the last control given

void control_row_key(uint64_t number, unsigned char out[static CONTROL_ROW_KEY]);
// false: no such key.
bool control_row_number(struct str key, uint64_t *number);
// Appends the value; `out` failed where memory is out.
void control_row_write(const struct control *control, struct buf *out);
// The reverse. CORRUPT for what was not written by it, UNSUPPORTED for a later format, NOMEM. *out NULL then.
// `arena` is for the time of the call.
MUST_USE enum pdp_err control_row_read(const struct session_table *table, struct str key, struct str value,
                                       struct arena *arena, struct control **out);

#endif
