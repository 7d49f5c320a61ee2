// SPDX-License-Identifier: Apache-2.0
// Expressions and questions against a folder that was loaded, line by line.
#ifndef CLI_EXPLAIN_REPL_H
#define CLI_EXPLAIN_REPL_H

#include "cli/explain/asked.h"

#define REPL_HELD_MOST 16

// What is held to be otherwise, though no question says it: `risk.score`, `geo.country`.
struct repl_held {
    struct arena arena; // of this one
    struct whatif to;
};

struct repl {
    struct local local;
    struct folder *folder;       // NULL: zones by name are not known
    struct snapshot_input input; // of the folder
    struct cel_env env;          // of what is served, with zones
    struct arena arenas[2];      // of the question: the one in hand, and the one that is being made
    unsigned now_arena;
    struct value question;
    int64_t at_ms; // the clock; 0: that of the machine
    struct repl_held held[REPL_HELD_MOST];
    size_t held_count;
    struct str policy;  // whose variables are read
    struct buf out;     // of one line
    bool quits, failed; // failed: a line could not be done
};

// One line: a command that begins with `:`, or an expression. What it says is left in `out`; mistakes go to
// standard error and are noted in `failed`.
void repl_line(struct repl *repl, struct str line);
// Loads and serves args->policies. CLI_DONE, or CLI_BAD with the mistake said; repl_fini either way.
int repl_open(const struct cli_args *args, struct repl *repl);
void repl_fini(struct repl *repl);

// repl_question.c: the question in hand.
bool repl_load(struct repl *repl, const char *path);
// `subject.roles ["hr"]`.
bool repl_set(struct repl *repl, struct str rest);
// The way in a question to what conditions read as `path`; false: no question says it.
bool repl_place(struct str path, struct arena *arena, struct str *out);
// A copy of the question that moves nothing.
MUST_USE bool repl_probe(struct repl *repl, struct arena *arena, struct value *out);
int64_t repl_now(const struct repl *repl);

// repl_eval.c: an expression, with its value or (`type`) its type alone.
bool repl_eval(struct repl *repl, struct str text, bool type);

// Says a mistake on standard error; false.
bool repl_bad(struct repl *repl, const char *hint, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
