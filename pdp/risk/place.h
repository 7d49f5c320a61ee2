// SPDX-License-Identifier: Apache-2.0
// Is it another address? What several signals ask.
#ifndef RISK_PLACE_H
#define RISK_PLACE_H

#include "risk/signals.h"

// Both addresses are known and differ; of IPv6 only the first 64 bits count, since the rest rotates.
bool place_differs(const struct sighting *was, const struct sighting *is);
// The same, but within one carrier's network, where addresses change by themselves: that is no other.
bool place_moved(const struct sighting *was, const struct sighting *is);
// The same, where it tells of the person: one's own people go out of the company and come back in.
bool place_left(const struct sighting *was, const struct sighting *is);
// Are both of one carrier, in one country? Its AS number must be known.
bool place_same_carrier(const struct sighting *was, const struct sighting *is);

#endif
