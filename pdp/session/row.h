// SPDX-License-Identifier: Apache-2.0
// Sessions and users as bytes for the store: fixed order, little end first, a format number in front.
#ifndef SESSION_ROW_H
#define SESSION_ROW_H

#include "session/session.h"

enum {
    ROW_SESSION_KEY = 17, // number of the key that hashed the id, and the hash
    ROW_USER_KEY = 16,    // hash of the subject
    ROW_BYTES_MAX = 2048  // of any value
};

// Names that a user's row keeps beside the hash.
struct row_names {
    struct str tenant, type, id;
};

// Each returns how many bytes were written; `out` is large enough by these limits. Of repeats only those of
// events are written: what was answered to a question is judged anew after a restart.
size_t row_session_key(const struct session_record *record, unsigned char out[static ROW_SESSION_KEY]);
size_t row_session_write(const struct session_record *record, struct str gateway,
                         unsigned char out[static ROW_BYTES_MAX]);
size_t row_user_key(struct hash128 subject, unsigned char out[static ROW_USER_KEY]);
size_t row_user_write(const struct user_record *record, const struct row_names *names,
                      unsigned char out[static ROW_BYTES_MAX]);

// `gateway` is the name that record.gateway stands for: numbers are given anew after a restart.
//
// The reverse. CORRUPT for anything that was not written by these (a bad format number, length, state or
// number out of range), UNSUPPORTED for a later format; *out is zeroed then. Names point into `value`.
MUST_USE enum pdp_err row_session_read(struct str key, struct str value, struct session_record *out,
                                       struct str *gateway);
MUST_USE enum pdp_err row_user_read(struct str key, struct str value, struct user_record *out,
                                    struct row_names *names);

#endif
