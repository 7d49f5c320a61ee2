// SPDX-License-Identifier: Apache-2.0
// How far a webhook is, in a file of the state folder: `webhook-N`, one line.
#ifndef DAEMON_TELL_WEBHOOK_PLACE_H
#define DAEMON_TELL_WEBHOOK_PLACE_H

#include "base/str.h"

struct webhook_place {
    bool known;      // there is one
    bool clean;      // nothing waited when it was written, and nothing has been heard since
    int64_t done_ms; // all ends before it are delivered
    uint64_t cutoff; // all cut-offs up to this number are
};

// What cannot be read is as what is not there, which is logged. `state` NULL: nothing is kept.
void webhook_place_read(const char *state, size_t number, struct webhook_place *out);
// An error is logged once; then more is told again after a restart than must be.
void webhook_place_write(const char *state, size_t number, const struct webhook_place *place);

// As text and back; false, with *out zeroed, for a text that is none.
bool webhook_place_parse(struct str text, struct webhook_place *out);

#endif
