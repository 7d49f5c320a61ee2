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

// One line of a recording; all of it lives until the call returns.
struct events_line {
    uint64_t number;           // of the recording, from 1
    struct str text;           // as it stands there, without blanks around it
    const struct value *asked; // the envelope; NULL: it is none, and `why` says why
    int64_t at_ms;
    struct fault why;
    struct arena *arena;        // of this line
    const struct value *answer; // as the engine or the daemon gave it; of events_each alone
};

// Lines that are not empty; those that are no envelope, and the first of them.
struct events_count {
    uint64_t lines, unread, first_unread;
};

// The one reader of recordings: gives each line of the file (`-`: standard input) that is not empty to
// `take`, which may end it with another code than CLI_DONE. Memory is that of one line. Returns the last
// code.
int events_read(const char *path, int (*take)(void *to, const struct events_line *line), void *to,
                struct events_count *count);
// What a recording is called in messages.
const char *events_name(const char *path);
// Says on standard error how many lines were no envelope, and which was the first, of a command that passes
// over them. CLI_BAD where there was no line at all.
int events_say_unread(const char *path, const struct events_count *count);

// Asks every line of args->events, of the folder that `--policies` names or of the daemon at `--connect`
// (where `explain: full` is set in each question), and gives each answer to `take`, which may end it with
// another code than CLI_DONE. Lines that are no envelope are passed over, and said on standard error with
// their count and the first of them. Returns the last code.
int events_each(const struct cli_args *args, int (*take)(void *to, const struct events_line *line), void *to);

#endif
