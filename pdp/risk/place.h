// SPDX-License-Identifier: Apache-2.0
// Is it another address? What several signals ask.
#ifndef RISK_PLACE_H
#define RISK_PLACE_H

#include "risk/signals.h"

// Both addresses are known and differ; of IPv6 only the first 64 bits count, since the rest rotates.
bool place_moved(const struct sighting *was, const struct sighting *is);

#endif
