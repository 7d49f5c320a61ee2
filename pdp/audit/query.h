// SPDX-License-Identifier: Apache-2.0
// Records by what they say: fields, time, or a CEL condition over all of them.
#ifndef AUDIT_QUERY_H
#define AUDIT_QUERY_H

#include "audit/files.h"
#include "base/diag.h"
#include "wire/wire.h"

struct query_where;

// A condition over a record's fields, sealed ones too: `effect == "deny" && risk.score > 60.0`. Mistakes go
// to `diags`. A record of which it cannot be told is not found.
MUST_USE enum pdp_err query_where_new(struct str text, struct diags *diags, struct query_where **out);
void query_where_free(struct query_where **where);

struct query {
    struct str session, subject, gateway, effect, rule, id; // empty: any
    int64_t since_ms, until_ms;                             // a record's time is since <= time < until
    struct query_where *where;                              // NULL: any
    bool unseal; // show sealed fields; a subject or a condition does so too
};

enum query_sealed {
    QUERY_NOTHING_SEALED,
    QUERY_UNSEALED,
    QUERY_FORGOTTEN, // its user's key was destroyed
    QUERY_SEALED     // not asked for, or this reader has no keys
};

struct query_record {
    uint64_t index;
    char segment[SEGMENT_NAME_BYTES];
    struct str bytes;    // as stored
    struct value fields; // a map: open ones, then those that were sealed
    enum query_sealed sealed;
};

// Calls `each` for every record that fits, the oldest first, until it returns false. What is given to it
// lives for the call. Errors are those of walk_next, with the place in *fault_at; a record that cannot be
// decoded is passed over and counted in *unreadable.
MUST_USE enum pdp_err audit_query(const struct audit_source *source, const struct query *query,
                                  bool (*each)(void *user, const struct query_record *record), void *user,
                                  uint64_t *unreadable);

#endif
