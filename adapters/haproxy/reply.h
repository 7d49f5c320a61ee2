// SPDX-License-Identifier: Apache-2.0
// An answer as HAProxy takes it: an ACK that sets variables.
#ifndef HAPROXY_REPLY_H
#define HAPROXY_REPLY_H

#include "haproxy/spop.h"

#include <pdp/question.h>

struct reply {
    uint64_t stream_id, frame_id; // of the NOTIFY
    enum spop_scope scope;
    const struct pdp_answer *answer; // NULL: a deny of our own, with
    enum pdp_code code;              // its code and
    const char *reason;              // its reason; may be NULL
    const char *challenge;           // for WWW-Authenticate, where a token is asked for; may be NULL
    struct text subject;             // who asked, as far as is known
};

#define REPLY_MAX 16384 // bytes that an ACK takes at most

// Writes the ACK, whole and at most frame_max bytes behind its length. Each variable is set or unset, so that
// nothing of an earlier answer in the same transaction is left. Where there is not room for all of it, the
// texts for people are left out; where there is still not, it denies. *out is full only where it has less
// than SPOP_FRAME_SIZE_MIN bytes.
void reply_write(const struct reply *reply, uint32_t frame_max, struct spop_writer *out);

#endif
