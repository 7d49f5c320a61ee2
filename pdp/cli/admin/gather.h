// SPDX-License-Identifier: Apache-2.0
// What recorded questions scored, with their labels: what `risk fit` and `risk report` look at.
#ifndef CLI_GATHER_H
#define CLI_GATHER_H

#include "base/map.h"
#include "cli/offline/events.h"
#include "risk/labels.h"
#include "risk/traffic.h"

#define GATHER_SIGNALS_MOST 64

// One signal over all questions.
struct gather_signal {
    struct str id;
    size_t spoke, above;          // questions in which it spoke; those of them at medium or higher
    double evidence, above_raise; // sum of its evidence; of what it raised questions at medium or higher by
};

struct gather {
    struct arena arena; // names, numbers by name
    struct traffic_question *list;
    size_t count, cap;
    struct map sessions, users;
    struct gather_signal signals[GATHER_SIGNALS_MOST];
    size_t signal_count;
    double above_raise; // of all signals
    size_t above;       // questions at medium or higher
    uint64_t questions; // asked, scored or not
    size_t repeats;     // scored as they were remembered: not looked at
    size_t ids_twice;   // questions whose request_id was labelled and taken before
    bool labelled;      // there are labels
    struct labels labels;
    struct buf text; // of the labels' file, and its source
    struct source source;
    bool *line_used, *id_used; // a label each
    size_t used, unscored;     // labels that met a question; of these, without a score
    bool failed;               // out of memory
};

// Asks all of args->events, and reads args->labels where it is given; CLI_DONE, or the mistake is said.
int gather_run(const struct cli_args *args, struct gather *out);
void gather_fini(struct gather *gather);

// Says on standard error which labels met no question, or one without a score.
void gather_say_left(const struct cli_args *args, const struct gather *gather);

#endif
