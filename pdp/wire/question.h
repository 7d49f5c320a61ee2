// SPDX-License-Identifier: Apache-2.0
// The tree behind <pdp/question.h>, and its bytes. Used by the client and by the engine's public face.
#ifndef WIRE_QUESTION_H
#define WIRE_QUESTION_H

#include "wire/wire.h"

#include <pdp/question.h>

struct question_bytes {
    enum wire_form form;
    bool event;            // wrap what was built as `{"event": …}`; a tree that has `event` stays as it is
    struct str request_id; // for a question that has none of its own; empty: none
    int64_t deadline_ms;   // likewise: how long an answer is waited for; 0: nothing is said
    struct str gateway;    // for which it is asked, whatever the tree says of that; empty: nothing is said
};

// Appends one message. Its own `gateway` is never sent: nobody speaks for another by what they send. The
// sticky error of the question, LIMIT above REQUEST_BYTES_MAX, NOMEM. Any thread, while nobody changes the
// question.
MUST_USE enum pdp_err question_encode(const struct pdp_question *question, const struct question_bytes *how,
                                      struct buf *out);

// Writes the value only, into an open emitter: an item of a batch.
void question_emit(const struct pdp_question *question, struct str request_id, struct emit *emit);

#endif
