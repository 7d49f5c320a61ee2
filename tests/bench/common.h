// SPDX-License-Identifier: Apache-2.0
// What the benches share: a clock, medians, rows of the table, the question of the design, children, a plain
// client.
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include "sp/sp.h"
#include "wire/wire.h"

#include <stdio.h>
#include <sys/types.h>

double bench_now_ns(void);
_Noreturn void bench_fail(const char *what, const char *which);

// ---- Figures -----------------------------------------------------------------------------------

struct samples {
    double *at;
    size_t count, cap;
};
void samples_add(struct samples *samples, double value);
void samples_clear(struct samples *samples);
void samples_free(struct samples *samples);
double samples_quantile(struct samples *samples, double q); // sorts; 0 where there are none

enum bench_met {
    BENCH_MISSED,
    BENCH_MET,
    BENCH_NO_BUDGET
};
// One row of the table that run.sh prints at the end.
void bench_row(enum bench_met met, const char *what, const char *budget, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// ---- The question of DESIGN §4, of many sessions --------------------------------------------------

enum {
    BENCH_SESSIONS = 1024
};

struct question {
    enum wire_form form;
    struct buf bytes;
    size_t request_at, session_at, subject_at; // their digits; request_at is 0 where it has no request_id
    uint64_t sessions;                         // that come in turn: BENCH_SESSIONS unless changed
};
void question_make(struct question *question, enum wire_form form, bool with_id, int64_t auth_time_s);
void question_free(struct question *question);
// Writes the number of this question over the digits of a copy at `at`: every one has a request_id of its
// own, and the sessions come in turn.
void question_number(const struct question *question, unsigned char *at, uint64_t number);

// ---- Policy folders ------------------------------------------------------------------------------

// `dir` becomes a folder of `rules` rules (10 at least): ten that every question of ours is judged by, the
// rest about other routes.
void bench_write_rules(const char *dir, unsigned rules);

// ---- Children ------------------------------------------------------------------------------------

struct child {
    pid_t pid;
    char log[256];
    unsigned port; // of its first tcp:// listener, 0: none
};
// Starts a program and waits until it says `ready`. What it says goes to `DIR/NAME.log`.
void child_start(struct child *child, const char *name, const char *const *argv);
void child_stop(struct child *child);
const char *bench_dir(void);                // PDP_BENCH_DIR: scratch
const char *bench_bin(const char *program); // PDP_BIN/program; the last four answers stay valid
const char *bench_path(const char *format, ...)
    __attribute__((format(printf, 1, 2))); // in bench_dir(), likewise

// ---- A plain client: one connection, `depth` questions under way -----------------------------------

struct link_to {
    int fd;
    enum sp_transport transport;
};
void link_open(struct link_to *link, enum sp_transport transport, const char *path, unsigned port);
void link_close(struct link_to *link);
// One message and its answer.
void link_ask(struct link_to *link, struct str message, struct buf *answer);

struct load {
    const struct question *question;
    unsigned depth;
    double seconds;
    uint64_t number;         // of the next question; goes on
    struct samples *latency; // ns; NULL: not wanted
    uint64_t answers, bytes; // got in this run
    double took_ns;
    bool (*go_on)(void *user); // asked now and then instead of `seconds`; NULL: by time
    void *user;
};
void link_load(struct link_to *link, struct load *load);

#endif
