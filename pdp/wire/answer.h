// SPDX-License-Identifier: Apache-2.0
// Reads answers: what is not clearly an allow is none. The other half of <pdp/question.h>.
#ifndef WIRE_ANSWER_H
#define WIRE_ANSWER_H

#include "wire/wire.h"

#include <pdp/question.h>

// Reads one answer, JSON or CBOR, copying the bytes. *out is NULL only on NOMEM; MALFORMED gives an answer
// that denies and says why.
MUST_USE enum pdp_err answer_read(struct str bytes, struct pdp_answer **out);
// Reads the answer to a batch of `count`: out[i] is NULL for items that were not evaluated. On an error every
// item denies. An answer that is no batch (the whole was refused) stands for each item.
MUST_USE enum pdp_err answer_read_batch(struct str bytes, size_t count, struct pdp_answer **out);
// Reads whatever answers a message: also that to a batch or a search, which then denies and is OK.
MUST_USE enum pdp_err answer_read_any(struct str bytes, struct pdp_answer **out);
// An answer that nobody gave: deny with this code and reason. NULL where memory is out.
struct pdp_answer *answer_deny(enum pdp_code code, const char *reason);
// The decoded tree, as it came; NULL where there is none. Lives as long as the answer.
const struct value *answer_root(const struct pdp_answer *answer);

#endif
