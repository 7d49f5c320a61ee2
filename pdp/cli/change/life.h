// SPDX-License-Identifier: Apache-2.0
// The life of one session, read back from the audit log.
#ifndef CLI_CHANGE_LIFE_H
#define CLI_CHANGE_LIFE_H

#include "audit/query.h"
#include "base/arena.h"
#include "cli/change/view.h"

#define LIFE_STEPS_MOST 100000
#define LIFE_IDS_MOST 64    // under which a session went on
#define LIFE_OTHERS_MOST 64 // ids of other sessions
#define LIFE_REF_BYTES 32
#define LIFE_NONE SIZE_MAX

// What databases said of an address.
struct life_place {
    struct str ip, country, continent, city, org; // empty: not known
    double latitude, longitude, radius_km;        // NaN: not known
    int64_t asn;                                  // 0: not known
    uint32_t flags, known;                        // SIGHT_… and GEO_…
};

struct life_step {
    int64_t at_ms;
    bool event;
    const struct value *root; // the whole question or event, without secrets
    struct str gateway;
    struct view view; // how it was answered
    struct life_place place;
    uint32_t before; // questions that the session had asked; UINT32_MAX: not known
    uint32_t other;  // of another session of the subject, by its number; 0: its own
    uint64_t index;  // of its record
    bool guessed;    // the question was not kept: what is left of it stands in the record's own fields
};

struct life {
    struct arena arena;
    struct str ref;
    struct life_step *steps;
    size_t count, cap;
    int64_t ended_ms;         // INT64_MAX: it was not
    struct str ended_by, why; // an analyst and the reason; or the rule
    bool by_analyst;
    size_t after_end; // steps behind it, which are left out
    uint64_t forgotten,
        repeated; // records that could not be opened; questions sent again, which moved nothing
    uint32_t ids; // of the session so far: a rotation begins another
    struct str subject, type, tenant; // whose it is; empty: no record says
    uint32_t other, others;           // of which the next steps are (0: its own), and how many there are
    bool failed;
};

// Reads every record of the session `ref`, and of the ids that it had before; and those of other sessions of
// its subject from its first record to its last, among them by time. Errors are those of audit_query.
// life_fini in any case.
MUST_USE enum pdp_err life_read(const struct audit_source *source, struct str ref, struct life *out);
void life_fini(struct life *life);

// For life_others.c. One record as a step; life.c.
void life_take(struct life *life, const struct query_record *record, bool event);
struct str life_text(const struct value *map, const char *path);
// The reference that a session had before the rotation that the record tells; false: it tells none.
bool life_older(const struct query_record *record, char older[static LIFE_REF_BYTES]);
// Takes what other sessions of the subject did meanwhile; life_others.c. `refs` are the session's own.
MUST_USE enum pdp_err life_read_others(const struct audit_source *source, const char refs[][LIFE_REF_BYTES],
                                       size_t count, struct life *life);

// The first allow from which on it should have been stopped: from `since_ms` on where that is given
// (INT64_MIN: not); else the first since risk rose to where it was at the end; else the last. LIFE_NONE:
// nothing was allowed.
size_t life_incident(const struct life *life, int64_t since_ms);

// Does an analyst's order, which can be given again, stand at its end?
bool life_ordered(const struct life *life);
// Writes the Scenario (scenario.c). `incident` is a step.
void life_write(const struct life *life, size_t incident, struct buf *out);

#endif
