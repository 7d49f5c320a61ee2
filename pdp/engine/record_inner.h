// SPDX-License-Identifier: Apache-2.0
// Recording from inside of the engine.
#ifndef ENGINE_RECORD_INNER_H
#define ENGINE_RECORD_INNER_H

#include "engine/event.h"
#include "engine/record.h"
#include "model/search.h"

void recorder_free(struct recorder **recorder);

// May this worker answer? false: its records are to be kept, and there is no room for another. Then the
// answer is that it is overloaded.
bool record_ready(struct worker *worker);
// Each does nothing where the worker does not record.
void record_decision(const struct ask *ask, const struct verdict *verdict);
void record_event(const struct ask *ask, const struct event_result *result);
// What was no question or event, or one that was not judged; `request` may be NULL, `verdict` too.
void record_refusal(struct worker *worker, const struct peer *peer, const struct request *request,
                    const struct verdict *verdict, int64_t now_ms);
// An item of a batch ended the session: all of its items were answered with terminate.
void record_batch_end(struct worker *worker, const struct peer *peer, const struct verdict *ended,
                      size_t items, int64_t now_ms);
// A search: one record, however many candidates were judged.
struct record_searched {
    const struct search *search;
    size_t looked, found; // candidates of this page
    bool more;
};
void record_search(struct worker *worker, const struct snapshot *snapshot, const struct peer *peer,
                   const struct record_searched *searched, int64_t now_ms);

#endif
