// SPDX-License-Identifier: Apache-2.0
// Impossible travel: could one person have been in both places?
#ifndef RISK_TRAVEL_H
#define RISK_TRAVEL_H

#include "base/err.h"
#include "model/sighting.h"

struct travel_rule {
    double max_kmh;       // faster than this is not one traveller; > 0
    double max_radius_km; // a place known less exactly than this says nothing
    double evidence;      // log-odds at far beyond max_kmh; >= 0
};

struct travel_move {
    double km, kmh; // what cannot be explained by the radii; 0 where within them
    int64_t ms;
    double evidence;
};

// Evidence that `was` and `is` were not one traveller: 4·σ((v − max)/150) of RISK.md §3, scaled.
//
// Returns false, with *evidence 0, where the places allow no verdict: a coordinate is missing, an
// accuracy circle is too wide, either address is a VPN, a relay, a satellite or one's own egress, both are of
// one carrier, the geo data changed in between, or `is` is older than `was`. An address that did not change
// did not travel. What a missing signal means is the model's `on_missing`, not this function's business. Hot
// path: allocates nothing, locks nothing, reads no clock.
MUST_USE bool travel_evidence(const struct travel_rule *rule, const struct sighting *was,
                              const struct sighting *is, double *evidence);
// The same with how far and how fast; *move is zeroed where there is no verdict.
MUST_USE bool travel_measure(const struct travel_rule *rule, const struct sighting *was,
                             const struct sighting *is, struct travel_move *move);

#endif
