// SPDX-License-Identifier: Apache-2.0
// Pardons in a decision: evidence that was stored before one was made counts nothing, of what it names for
// certain. Inside of the engine.
#ifndef ENGINE_PARDON_H
#define ENGINE_PARDON_H

#include "engine/ask.h"

// The signals of a pardon, a bit each by number; none named: all. A name that is no signal's is none.
uint32_t pardon_bits(struct str signals);

// The pardons that name this ask, by signal, into ask->pardons; what to give to risk_score, NULL: there are
// none.
const struct risk_pardons *pardon_find(struct ask *ask);
// After scoring: what a pardon set aside counts again once it ends, so no level holds for longer.
void pardon_bound(struct ask *ask);
// Each pardon that set something aside in this ask, and the signals of which it did (a bit each).
size_t pardon_used(const struct ask *ask, const struct control *out[static RISK_SIGNALS_MAX],
                   uint32_t bits[static RISK_SIGNALS_MAX]);
// `pardon/17 sets evidence from before it aside`; in the arena.
struct str pardon_words(const struct ask *ask, const struct control *pardon);

#endif
