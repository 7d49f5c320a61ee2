// SPDX-License-Identifier: Apache-2.0
// What figures of sources come to as evidence: what the three signals of sources share.
#ifndef RISK_SOURCE_WEIGH_H
#define RISK_SOURCE_WEIGH_H

#include "risk/signals.h"

// Parameters of each, in this order.
enum {
    SOURCE_LEAST, // below so many failures it says nothing
    SOURCE_RATIO, // so many failures for each success are ordinary
    SOURCE_WIDE   // an ASN or a JA4 needs so many times both
};

// What failed, or was refused, and what did not.
struct source_pair {
    double bad, good;
};

struct source_worst {
    enum source_kind kind;
    double evidence; // 0: none says anything
};

// The source of this context that says the most. e = evidence · ln(x)/ln(8), x = bad / (ratio · (good + 1)),
// within 0 and evidence.
struct source_worst source_weigh(const struct signal_view *view,
                                 struct source_pair (*pair_of)(const struct source_figures *figures));
// The same as a reading: missing where the address is not known.
struct signal_reading source_reading(const struct signal_view *view,
                                     struct source_pair (*pair_of)(const struct source_figures *figures));

struct source_pair source_failures_pair(const struct source_figures *figures);
struct source_pair source_subjects_pair(const struct source_figures *figures);
struct source_pair source_sessions_pair(const struct source_figures *figures);

#endif
