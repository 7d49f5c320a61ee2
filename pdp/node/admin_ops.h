// SPDX-License-Identifier: Apache-2.0
// What the admin's operations share.
#ifndef NODE_ADMIN_OPS_H
#define NODE_ADMIN_OPS_H

#include "node/admin.h"

enum {
    ADMIN_VIEWS = 16,
    ADMIN_WAITING = 64
};

struct admin_waiting {
    struct node_ticket ticket;
    enum wire_form form;
    uint64_t number; // 0: the place is free
};

// The riskiest sessions seen so far, and where to look next.
#define ADMIN_TOP_MOST 10
struct admin_top {
    uint64_t cursor;
    size_t count;
    struct session_view best[ADMIN_TOP_MOST];
};

struct admin {
    struct engine *engine;
    struct gate *gate;
    struct admin_host host;
    struct worker *worker; // to look at the snapshot that serves
    struct arena arena;    // of one message
    struct session_view views[ADMIN_VIEWS];
    struct admin_top top;
    struct admin_waiting waiting[ADMIN_WAITING];
};

// One message being answered: an operation writes one map.
struct admin_call {
    struct admin *admin;
    struct node_asking *asking;
    const struct value *root;
    struct emit *emit;
    uint64_t awaits; // the journal's step that must be durable before the answer is given; 0: none
    enum node_outcome outcome;
};

// The answer waits until all that was put into the journal so far is durable. `seq` as session_held.seq.
void admin_await(struct admin_call *call, uint64_t seq);
void admin_fail(struct emit *emit, const char *error); // `{"ok": false, "error": …}`
// A time as RFC 3339, or null where it is 0 or less.
void admin_time(struct emit *emit, const char *key, int64_t at_ms);

// admin_source.c: parts of the status.
void admin_put_source(const struct admin_status *status, struct emit *emit);
void admin_put_alarms(const struct admin_status *status, struct emit *emit);

// What a message says: text (at NULL: none) and truth (false) of a map, the page of a listing. false: said
// wrong.
struct str admin_text(const struct value *map, const char *key);
bool admin_true(const struct value *map, const char *key);
bool admin_limit(const struct admin_call *call, size_t *limit);
bool admin_cursor(const struct admin_call *call, uint64_t *cursor);
void admin_put_next(struct emit *emit, uint64_t cursor);

void admin_lock_add(struct admin_call *call);
void admin_lock_list(struct admin_call *call);
void admin_lock_remove(struct admin_call *call);
void admin_cut_off_add(struct admin_call *call);
void admin_cut_off_list(struct admin_call *call);
void admin_top(struct admin_call *call);
void admin_session_list(struct admin_call *call);
void admin_session_show(struct admin_call *call);
void admin_session_terminate(struct admin_call *call);

#endif
