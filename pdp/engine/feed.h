// SPDX-License-Identifier: Apache-2.0
// What questions and events tell of the sources that they come from, and what is known of these. Inside of
// the engine.
#ifndef ENGINE_FEED_H
#define ENGINE_FEED_H

#include "engine/ask.h"

// What is known of the source of this ask, into ask->source. In the shadow world it is what the enforced one
// read.
const struct source_view *feed_read(struct ask *ask);
// A login failed, or one was recorded, for the subject that the event names.
void feed_login(const struct ask *ask, bool failed);
// A question was answered: of a session that is good, or of an id that is nobody's or another's.
void feed_question(const struct ask *ask, const struct verdict *said, bool judged);

#endif
