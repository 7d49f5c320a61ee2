// SPDX-License-Identifier: Apache-2.0
// Counts that halve in 60 days, by whole hours.
#ifndef RISK_FADE_H
#define RISK_FADE_H

#include "base/err.h"

// value * 2^(-(to_h - from_h) / 1440); what lies ahead of its time counts as it is. Two multiplications by a
// table: the same bits everywhere. Never rises with `to_h` by more than a rounding.
double fade(double value, uint32_t from_h, uint32_t to_h);

#endif
