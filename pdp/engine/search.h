// SPDX-License-Identifier: Apache-2.0
// Searches: candidates from Entities documents, each judged as a probe of the question that it would be.
//
// Nothing moves and nothing is counted, of sessions, counters, rules, sources or shadow. A candidate is found
// only where it would be allowed: a step-up is none. Only those are judged that some allow rule may allow by
// what it tests of what is searched (policy/narrow.h). A page ends with its limit of results, or with
// SEARCH_LOOKS_MAX candidates; its token says where the next begins.
#ifndef ENGINE_SEARCH_H
#define ENGINE_SEARCH_H

#include "engine/worker.h"
#include "model/search.h"

#define SEARCH_LOOKS_MAX 1000         // candidates that one message has judged: about four batches
#define SEARCH_BYTES_MAX (256u << 10) // of ids in one answer

// true: answered, or refused as overloaded. false: worker->fault says why it could not be read, or may not be
// asked. The snapshot is pinned, or NULL.
bool search_answer(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                   const struct value *root, int64_t now_ms, struct emit *emit);

// ---- Tokens (search_token.c)

// Where the next page of a search begins: after `after`, an id that was looked at and may not have been
// found, so that it is sealed. Bound to the search and the peer by the engine's key. OK with text in the
// arena.
MUST_USE enum pdp_err search_token_make(struct worker *worker, const struct peer *peer,
                                        const struct value *root, struct str after, struct str *out);
// MALFORMED where the token is of another search, peer or key, or is none. *after is in the arena.
MUST_USE enum pdp_err search_token_read(struct worker *worker, const struct peer *peer,
                                        const struct value *root, struct str token, struct str *after);

#endif
