// SPDX-License-Identifier: Apache-2.0
// What is known of sources: who failed to log in, and whose sessions were refused, by prefix, ASN and JA4.
//
// Evidence about the source alone: nothing here knows a user, and nothing here touches one. Fixed size, made
// at the start. Only a source with a failure or a refusal in its window has a place; what succeeds is counted
// at such sources only. Counts are of a window of five to ten minutes on a grid of absolute time, and are
// read as they stood when the running part of five seconds began: so the order within it does not matter, and
// a reading changes nothing.
#ifndef RISK_SOURCE_H
#define RISK_SOURCE_H

#include "base/buf.h"
#include "base/hash.h"
#include "model/sighting.h"

enum source_kind {
    SOURCE_PREFIX, // /24 of IPv4, /48 of IPv6
    SOURCE_ASN,
    SOURCE_JA4,
    SOURCE_KINDS
};

#define SOURCE_PART_MS 5000      // readings are of whole parts
#define SOURCE_SPAN_MS 300000    // the window is the running span and the one before it
#define SOURCE_WINDOW_MIN 10     // in minutes, at most: for people
#define SOURCE_SECTION "sources" // where it is kept
#define SOURCE_VERSION 1

// Where a context comes from. Names mean the same in every deployment; 0: not known.
struct source_names {
    uint64_t of[SOURCE_KINDS];
};

// Of one source, in the window.
struct source_figures {
    uint32_t failed, passed;                   // logins
    uint32_t failed_subjects, passed_subjects; // of those, different ones
    uint32_t refused_sessions, sessions; // different ids: of nobody, or another's; and those that are good
};

struct source_view {
    struct source_figures of[SOURCE_KINDS];
};

enum source_news {
    SOURCE_LOGIN_FAILED,
    SOURCE_LOGIN_PASSED,
    SOURCE_SESSION_REFUSED,
    SOURCE_SESSION_GOOD
};

struct sources;

// `key` spreads names and hashes where nobody can foresee it. Counts of up to 63 different ones a span are
// exact and do not depend on it; more are estimated. NOMEM.
MUST_USE enum pdp_err source_new(struct hash_key key, struct sources **out);
void source_free(struct sources **sources);
// As it was made, at the cost of what was told. Nobody else may be using it.
void source_clear(struct sources *sources);

// `ja4` may be empty.
struct source_names source_names_of(const struct sighting *seen, struct str ja4);

// `who`: a hash of the subject, or of the session's id. Any thread; holds a lock of one of 64 for some
// hundred nanoseconds, and none for what succeeds where there is nothing to compare it with.
void source_add(struct sources *sources, const struct source_names *names, enum source_news news,
                uint64_t who, int64_t now_ms);
// What the sources were when this part of five seconds began; zeros where nothing failed. Any thread; without
// a lock but for the first reading of a part.
void source_read(struct sources *sources, const struct source_names *names, int64_t now_ms,
                 struct source_view *out);
// Was this very thing told before? Notes it. `what` is a hash of the peer's name and the request's id; of
// what was told long ago it may be that it is not known any more.
bool source_told(struct sources *sources, uint64_t what);

// All of it as bytes, appended; any thread. The same state has the same bytes.
void source_save(struct sources *sources, struct buf *out);
// Takes the place of what there is, before anything else is asked. CORRUPT: it is not what source_save gives,
// and UNKNOWN: it was made under another key; then there is nothing.
MUST_USE enum pdp_err source_load(struct sources *sources, struct str bytes);

#endif
