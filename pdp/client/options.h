// SPDX-License-Identifier: Apache-2.0
// What a caller chose, with defaults for what it left zero; and what is the same for every way of asking.
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "wire/wire.h"

#include <pdp/client.h>

#define OPTIONS_URL_MAX 256 // with its NUL
#define OPTIONS_ID_BYTES 16

struct options_id {
    char text[2 * OPTIONS_ID_BYTES + 1];
};

// RANGE where one is out of range. `given` may be NULL.
MUST_USE enum pdp_err options_read(const struct pdp_options *given, struct pdp_options *out);
// SYNTAX, or UNSUPPORTED for a scheme that is none of ours.
MUST_USE enum pdp_err options_check_url(const char *url);
// RANGE outside of 1 to an hour.
MUST_USE enum pdp_err options_check_deadline(int32_t deadline_ms);
enum wire_form options_form(enum pdp_form form);

// A request id of these bytes.
struct options_id options_id_of(const unsigned char bytes[static OPTIONS_ID_BYTES]);

// The answer to a question that nobody answered. away_url: who should have, where nobody is there; NULL
// otherwise. NULL where memory is out.
struct pdp_answer *options_deny(enum pdp_err err, const char *away_url);

#endif
