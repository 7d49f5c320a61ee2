// SPDX-License-Identifier: Apache-2.0
// Bodies that are messages of docs/PROTOCOL.md, and what becomes of their answers.
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "http/http.h"

// The body of a request as a message, without the fields of `without` (its last one is NULL): they would make
// it another kind of message. The tenant of the path is the message's. false: it was refused, and *question
// is NULL.
MUST_USE bool message_read(struct http_call *call, const char *const *without,
                           struct pdp_question **question);

// Where there is no answer, or one that says that nothing was decided, replies with the status for it and
// returns true: 400 malformed, 403 not allowed to ask, 503 overloaded or stale, 500 all else. A deny is none
// of that.
MUST_USE bool message_failed(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer);

#endif
