// SPDX-License-Identifier: Apache-2.0
// The figures of `risk report`, and the page that shows them.
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/admin/gather.h"

#define REPORT_THRESHOLDS 12
#define REPORT_BUDGETS 3
#define REPORT_USERS 10

struct report_budget {
    double share;             // of all, 0..1
    bool questions, sessions; // is there a threshold for it
    double by_questions, by_sessions;
    struct traffic_rates question_rates, session_rates; // at these
};

struct report_user {
    struct str id, type, tenant; // of anybody: hostile
    double highest;
    size_t questions, above; // those at medium or higher
};

struct report {
    const struct cli_args *args;
    const struct gather *gather;
    struct traffic traffic;
    double thresholds[REPORT_THRESHOLDS];
    struct traffic_rates rates[REPORT_THRESHOLDS];
    struct report_budget budgets[REPORT_BUDGETS];
    const struct gather_signal
        *signals[GATHER_SIGNALS_MOST]; // those that raise most at medium or higher first
    size_t signal_count;
    struct report_user users[REPORT_USERS]; // the highest first
    size_t user_count;
    bool has_auc; // there are labels of both kinds
    double auc;
    struct measure_fit fit; // of labelled questions, where there are any
};

// One self-contained page: no script, nothing from elsewhere, all text escaped.
void report_html(const struct report *report, struct buf *out);

#endif
