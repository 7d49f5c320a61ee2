// SPDX-License-Identifier: Apache-2.0
// Numbers as text in Prometheus' exposition format 0.0.4. Each part of the daemon writes its own families
// from server_metrics.c: one line a number.
//
//     metrics_gauge(out, "pdp_journal_rows", "rows that the store has not confirmed yet", depth);
#ifndef DAEMON_TELL_METRICS_H
#define DAEMON_TELL_METRICS_H

#include "base/buf.h"

struct metrics {
    struct buf text;
};

// A family of one value without labels. Names are ours and fixed, `help` is one line; a counter's name ends
// in
// `_total`.
void metrics_counter(struct metrics *out, const char *name, const char *help, uint64_t value);
void metrics_gauge(struct metrics *out, const char *name, const char *help, double value);

// A family of several values: its head once, then each value with one label or more. A label's value may be
// anybody's text.
enum metrics_type {
    METRICS_COUNTER,
    METRICS_GAUGE
};
void metrics_family(struct metrics *out, const char *name, const char *help, enum metrics_type type);
void metrics_plain(struct metrics *out, const char *name, double value); // without a label
void metrics_value(struct metrics *out, const char *name, const char *label, struct str of, double value);

struct metrics_label {
    const char *name;
    struct str value;
};
void metrics_labelled(struct metrics *out, const char *name, const struct metrics_label *labels, size_t count,
                      double value);

// A histogram: `counts` has one more step than `bounds` (upper, in seconds), the last one without a bound.
void metrics_histogram(struct metrics *out, const char *name, const char *help, const double *bounds,
                       const uint64_t *counts, size_t bound_count, double sum);

#endif
