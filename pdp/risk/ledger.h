// SPDX-License-Identifier: Apache-2.0
// Pairs (value, at) that fade: read in closed form, rewritten only when new evidence wins.
#ifndef RISK_LEDGER_H
#define RISK_LEDGER_H

#include "base/err.h"

#define LEDGER_MOST 20    // log-odds that any evidence may have
#define LEDGER_PARTS 2048 // of a log-odd

// A pair where it lies in a state.
struct ledger_pair {
    uint16_t *value; // 1/2048 of a log-odd
    uint32_t *at_s;
    bool pardoned; // what is stored counts nothing, and stays where nothing new comes
};

// The ledger's clock: held within what a pair can store. Beyond both ends time stands still, so nothing
// fades.
int64_t ledger_clock(int64_t now_ms);

// value·2^(−Δ/h) of the ledger's clock; Δ below 0 counts as 0.
double ledger_left(uint16_t value, uint32_t at_s, int64_t clock_ms, int64_t half_life_ms);

// P ← max(P·2^(−Δ/h), e): refreshed, never summed. e not above 0, or NaN, leaves the pair alone. Returns what
// the pair is worth after that. What is pardoned wins over nothing new.
double ledger_raise(struct ledger_pair pair, double evidence, int64_t clock_ms, int64_t half_life_ms);

// N ← e, the newest; of one second the lesser, so that order does not matter there.
void ledger_replace(struct ledger_pair pair, double evidence, int64_t clock_ms);

#endif
