// SPDX-License-Identifier: Apache-2.0
// Recorded questions and events, asked one by one with full explanations.
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include "cli/local.h"
#include "model/value.h"

// Is a decoded line an envelope, `{"at": T, "request" | "event": {...}}`? Its time goes to *at_ms. false:
// *why says what is missing.
bool events_envelope(const struct value *root, int64_t *at_ms, struct fault *why);

// A question, or a batch and its items, with `explain: full`.
void events_put_full(struct emit *emit, const struct value *question);
// The same of a whole envelope, which holds a question or an event.
void events_put_envelope(struct emit *emit, const struct value *root);

// One line that was answered; all of it lives until the call returns.
struct events_line {
    uint64_t number;            // of the recording, from 1
    const struct value *asked;  // the envelope
    const struct value *answer; // as the engine or the daemon gave it
};

// Asks every line of args->events, of the folder that `--policies` names or of the daemon at `--connect`
// (where `explain: full` is set in each question), and gives each answer to `take`, which may end it with
// another code than CLI_DONE. Lines that are no envelope are passed over, and said on standard error with
// their count and the first of them. Returns the last code.
int events_each(const struct cli_args *args, int (*take)(void *to, const struct events_line *line), void *to);

#endif
