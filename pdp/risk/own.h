// SPDX-License-Identifier: Apache-2.0
// A model's own signals: conditions that the engine runs before it scores.
#ifndef RISK_OWN_H
#define RISK_OWN_H

#include "risk/signals.h"

struct signal_own {
    struct signal_row row;
    uint32_t bit;            // among risk_input.own_yes and own_unsure
    uint32_t when;           // UINT32_MAX: not compiled
    struct str because, may; // where it holds, and where that cannot be told
};

struct signal_reading own_reading(struct signal_view *view);
struct str own_because(const struct signal_view *view, struct arena *arena);

#endif
