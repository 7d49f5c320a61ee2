// SPDX-License-Identifier: Apache-2.0
// One engine for many small worlds, one after the other: what tests of policies are run on.
#ifndef ENGINE_ANEW_H
#define ENGINE_ANEW_H

#include "engine/engine.h"

// Forgets all that was asked and told: sessions, users, profiles, sources, counters, what is in shadow. What
// serves goes on serving, and what is asked next is answered as by an engine that was just made. Costs what
// there is to forget. Nobody else may be using the engine; it keeps no journal and has no controls. NOMEM
// leaves an engine that is not to be asked.
MUST_USE enum pdp_err engine_anew(struct engine *engine);

// The same snapshot with other geo data, borrowed: `geo` must outlive *out; NULL: nothing is known of places.
// Digest and facts stay those of `from`. To be published where `from`, or what it shares its base with, was
// published before.
MUST_USE enum pdp_err snapshot_elsewhere(const struct snapshot *from, const struct geo_set *geo,
                                         struct snapshot **out);

#endif
