// SPDX-License-Identifier: Apache-2.0
// Filling struct fault: what is wrong with a question, in words for people.
#ifndef MODEL_FAULT_H
#define MODEL_FAULT_H

#include "model/request.h"

// Sets *why (may be NULL); both texts are cut between code points where they do not fit. Returns MALFORMED,
// so that a caller can pass it on. `fmt` and its arguments must be text without control bytes: quote what
// came from outside. Not for the hot path, but it allocates nothing.
enum pdp_err fault_set(struct fault *why, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);
// As fault_set, for a mistake in the bytes themselves: the field is `byte N`.
enum pdp_err fault_at(struct fault *why, size_t offset, const char *fmt, ...) PRINTF_LIKE(3, 4);

// Text from outside, in backquotes, control bytes and broken UTF-8 as \xNN, cut with `…`. By value, so that
// it can stand among the arguments: fault_set(why, "explain", "unknown word %s", fault_quote(s).text).
struct fault_quote {
    char text[72];
};
struct fault_quote fault_quote(struct str s);

#endif
