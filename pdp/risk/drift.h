// SPDX-License-Identifier: Apache-2.0
// How far a device drifted from the one that the session began with, component by component.
#ifndef RISK_DRIFT_H
#define RISK_DRIFT_H

#include "risk/signals.h"

struct drift {
    double share;               // of the weight that was compared: what differs and is no update
    uint8_t compared;           // a bit a component: known of both
    uint8_t differs;            // those that are not the same
    uint8_t counted;            // of these, those that no update explains
    bool newer, older, another; // the agent: a later version, an earlier one, another family
    bool covers;                // enough was compared to speak for the whole fingerprint
};

// Compares what is seen with the anchor's components. What is not known of either counts for nothing. A
// browser's own component may change unless its agent is older or of another family; its JA4 may where the
// agent is newer. Hot path: bounded, no allocation.
void drift_read(const struct signal_view *view, struct drift *out);

// Do two numbers of JA4 speak of one transport and of different clients?
bool drift_ja4_differs(uint16_t was, uint16_t is);

// What fingerprint-change finds in this context, as it counts: what a signal that speaks of the components
// `mask` too counts less, so that they count once. 0 where they are the same.
double drift_counted(const struct signal_view *view, unsigned mask);

// Keeps the components of the context in which the session began, or of the one that was verified by
// `proved`. Components that were not known then are taken from a context with the same fingerprint.
void drift_keep(struct risk_state *state, const struct risk_input *in, bool proved);

#endif
