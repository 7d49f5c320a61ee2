// SPDX-License-Identifier: Apache-2.0
// Reports of gateways on what they answered from what they keep. Inside of the engine.
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "engine/worker.h"

// `{"hits": [{"ref": …, "count": …, "ago": …}]}`: touches each session, in the shadow world too, and answers
// with those that are over. false: worker->fault says why it could not be read, or may not be said.
bool report_answer(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                   const struct value *list, int64_t now_ms, struct emit *emit);

#endif
