// SPDX-License-Identifier: Apache-2.0
// How much likelier a value is of somebody else than of this user: what the familiarity signals share.
#ifndef RISK_FAMILIAR_H
#define RISK_FAMILIAR_H

#include "risk/profile.h"
#include "risk/signals.h"

// Two likelihoods that grow by a factor with every feature.
struct familiar {
    double other, own;
    double known; // how often the user showed what was weighed last
};
#define FAMILIAR_NOTHING ((struct familiar){1, 1, 0})

// Of a feature's value under its parent (RISK.md §3): own (c + B·g) / (n + B), B = 1/2 + T·n, other
// (1 − λ)·g + λ·q, g the population's share, and q what an attacker's share would be where nothing is known:
// `rare` of each value, `class_share` where the kind of network says more (0: it does not; below 0: that a
// value is rare says nothing of anybody). A value that is
// not known changes nothing.
void familiar_weigh(struct familiar *f, const struct signal_view *view, enum profile_feature feature,
                    double rare, double class_share);
// The same of one value against everybody alone, whoever asks.
void familiar_rarity(struct familiar *f, const struct signal_view *view, enum profile_feature feature,
                     double rare, double class_share);
// What an attacker's share of a network is by its kind.
double familiar_class(const struct sighting *seen);

// w·ln(other/own), bent so that it stays below the rule's evidence, and above what it lets it reassure,
// without losing its order. What was `known` twice reassures by half of that: a rare place would else be the
// user's own after one sighting.
double familiar_evidence(const struct familiar *f, const struct signal_rule *rule, double known);

#endif
