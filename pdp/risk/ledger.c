// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/ledger.h"

#include "base/fmath.h"

static const double PARTS = LEDGER_PARTS;
static const int64_t MS_PER_S = 1000;

_Static_assert(LEDGER_MOST *LEDGER_PARTS < UINT16_MAX, "the most evidence fits a slot");

int64_t ledger_clock(int64_t now_ms)
{
    int64_t most = (int64_t)UINT32_MAX * MS_PER_S;
    return now_ms < 0 ? 0 : now_ms < most ? now_ms : most;
}

// Rounded up: evidence is never stored as older than it is.
static uint32_t second_of(int64_t clock_ms)
{
    return (uint32_t)((clock_ms + MS_PER_S - 1) / MS_PER_S);
}

static uint16_t parts_of(double evidence)
{
    return (uint16_t)((evidence < LEDGER_MOST ? evidence : (double)LEDGER_MOST) * PARTS + 0.5);
}

double ledger_left(uint16_t value, uint32_t at_s, int64_t clock_ms, int64_t half_life_ms)
{
    if (value == 0) {
        return 0;
    }
    return fmath_decay((double)value / PARTS, clock_ms - (int64_t)at_s * MS_PER_S, half_life_ms);
}

double ledger_raise(struct ledger_pair pair, double evidence, int64_t clock_ms, int64_t half_life_ms)
{
    uint16_t value = evidence > 0 ? parts_of(evidence) : 0;
    uint16_t was = pair.pardoned ? 0 : *pair.value;
    if (value <= was) { // else it wins over whatever is left
        double left = ledger_left(was, *pair.at_s, clock_ms, half_life_ms);
        if ((double)value / PARTS <= left) {
            return left;
        }
    }
    *pair.value = value;
    *pair.at_s = second_of(clock_ms);
    return (double)value / PARTS;
}

void ledger_replace(struct ledger_pair pair, double evidence, int64_t clock_ms)
{
    if (!(evidence > 0)) {
        return;
    }
    uint16_t value = parts_of(evidence);
    uint32_t at_s = second_of(clock_ms);
    if (*pair.value == 0 || at_s > *pair.at_s || (at_s == *pair.at_s && value < *pair.value)) {
        *pair.value = value;
        *pair.at_s = at_s;
    }
}
