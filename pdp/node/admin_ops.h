// SPDX-License-Identifier: Apache-2.0
// What the admin's operations share.
#ifndef NODE_ADMIN_OPS_H
#define NODE_ADMIN_OPS_H

#include "engine/record.h"
#include "engine/undo.h"
#include "node/admin.h"

enum {
    ADMIN_VIEWS = 16,
    ADMIN_WAITING = 64,
    ADMIN_PREVIEW = 100 // sessions that a preview names
};

struct admin_waiting {
    struct node_ticket ticket;
    enum wire_form form;
    uint64_t number; // 0: the place is free
    bool people;     // who waits may read of people
};

// The riskiest sessions seen so far, and where to look next.
#define ADMIN_TOP_MOST 10
struct admin_top {
    uint64_t cursor;
    size_t count;
    struct session_view best[ADMIN_TOP_MOST];
};

struct admin_listed {
    char ref[32], subject[64];
    bool began; // else only more was proved
};

// The one quarantine whose effects are being counted.
struct admin_undo {
    bool busy;
    struct node_ticket ticket;
    enum wire_form form;
    bool dry_run, terminate, lock_out;
    bool users, ends, lost; // users are scanned; ends: sessions end in this scan; lost: see struct job
    struct undo_span span;
    int64_t since_ms, confirm, wait_ms;
    uint64_t cursor, begun, vouched, proofs, devices, administrators, ended, failed;
    char peer[64];
    size_t peer_len, list_count;
    struct admin_listed list[ADMIN_PREVIEW];
};

struct admin {
    struct engine *engine;
    struct gate *gate;
    struct admin_host host;
    struct worker *worker;   // to look at the snapshot that serves
    struct arena arena;      // of one message
    struct admin_jobs *jobs; // orders that scan the table
    struct admin_undo undo;
    struct session_view views[ADMIN_VIEWS];
    struct admin_top top;
    struct admin_waiting waiting[ADMIN_WAITING];
    struct admin_waiting orders[ADMIN_WAITING];
};

// One message being answered: an operation writes one map.
struct admin_call {
    struct admin *admin;
    struct node_asking *asking;
    const struct value *root;
    struct emit *emit;
    uint64_t awaits; // the journal's step that must be durable before the answer is given; 0: none
    enum node_outcome outcome;
    char target[32];        // reference of the session that it is about, for the record; may be empty
    struct str diagnostics; // why the condition that it names is refused, with places; in the arena
    bool always;            // that condition is true whatever is asked
};

// A count as a number, however large.
void admin_count(struct emit *emit, const char *key, uint64_t count);
// The answer waits until all that was put into the journal so far is durable. `seq` as session_held.seq.
void admin_await(struct admin_call *call, uint64_t seq);
void admin_fail(struct emit *emit, const char *error); // `{"ok": false, "error": …}`
// The same, with the diagnostics of the call where there are any.
void admin_fail_call(struct admin_call *call, const char *error);
// A time as RFC 3339, or null where it is 0 or less.
void admin_time(struct emit *emit, const char *key, int64_t at_ms);

// admin_audit.c: what was asked, and what was answered, for the audit log.
void admin_record(struct admin_call *call, struct str op, bool read, struct str answer);
void admin_put_audit(const struct admin_status *status, struct emit *emit);
void admin_audit_list(struct admin_call *call);
void admin_audit_read(struct admin_call *call);
void admin_audit_unseal(struct admin_call *call);
void admin_audit_forget(struct admin_call *call);
void admin_audit_rotate(struct admin_call *call);

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

// admin_controls.c. Puts a control in force; *seq is the journal's step. Returns why not, for people.
const char *admin_control_put(struct admin *admin, struct control *control, uint64_t *seq);
// What ends sessions as the message orders it, not in force yet: a cut-off, or of a target that is a
// condition a lock. Returns why not.
const char *admin_ending_make(struct admin_call *call, struct control **out);
// For the log.
void admin_told(struct admin *admin, struct str by, const char *what, const struct control *control,
                struct str reason);

// admin_job.c: orders that scan the table, a little in each turn of the loop.
MUST_USE enum pdp_err admin_jobs_new(struct admin_jobs **out);
void admin_jobs_free(struct admin_jobs **jobs);
void admin_target_terminate(struct admin_call *call);
void admin_control_approve(struct admin_call *call);
void admin_control_pending(struct admin_call *call);

// Parks the call until the compile of a number ends that is not known yet: *place is for it. false: said why
// not.
bool admin_wait_compile(struct admin_call *call, struct admin_waiting **place);
// admin_served.c
void admin_put_rolled(const struct admin_status *status, struct emit *emit);
void admin_served_list(struct admin_call *call);
void admin_rollback(struct admin_call *call);
// `preview` and `confirm` of a call; false: said wrong.
bool admin_taking(struct admin_call *call, struct admin_taking *out);
// admin_trial.c
void admin_put_trial(struct emit *emit, const struct trial_result *result, bool people);

void admin_breaker_reset(struct admin_call *call);
void admin_lock_add(struct admin_call *call);
void admin_lock_list(struct admin_call *call);
void admin_lock_remove(struct admin_call *call);
void admin_mute_add(struct admin_call *call);
void admin_mute_list(struct admin_call *call);
void admin_mute_remove(struct admin_call *call);
void admin_pardon_add(struct admin_call *call);
void admin_pardon_list(struct admin_call *call);
void admin_pardon_remove(struct admin_call *call);
void admin_cut_off_add(struct admin_call *call);
void admin_cut_off_list(struct admin_call *call);
void admin_top(struct admin_call *call);

void admin_put_webhooks(const struct admin_status *status, struct emit *emit);
void admin_put_certificates(const struct admin_status *status, struct emit *emit);

void admin_reload_certs(struct admin_call *call); // admin_peers.c
// admin_orders.c. Of an operation with `wait` (milliseconds, 1 to 60,000; else admin_wait_right is false)
// that has made answers void: orders gateways to drop those of these sessions, or all, and writes `order`,
// the number to wait for by `order.wait`, into the open map. Without `wait` it does nothing: notices tell of
// all ends anyhow.
bool admin_wait_right(const struct admin_call *call);
extern const char *const ADMIN_WAIT_WRONG;            // what is said where it is not
int64_t admin_wait_of(const struct admin_call *call); // 0: there is none
void admin_order(struct admin_call *call, const struct str *refs, size_t count, bool everything);
// The same of everything, where the call is over.
void admin_order_all(struct admin *admin, struct emit *emit, int64_t wait_ms, struct node_now now);
void admin_order_wait(struct admin_call *call);
void admin_gateways(struct admin_call *call);
// admin_state.c
void admin_put_state(const struct admin_status *status, struct emit *emit);
void admin_key_list(struct admin_call *call);
void admin_key_rotate(struct admin_call *call);
// A trimmed `reason` of 1 to ADMIN_REASON_MAX bytes; false where it is none: that is said.
bool admin_reason(struct admin_call *call, struct str *reason);

// admin_guard.c. Why the order asks again, since it names an administrator or who gives it; NULL: it does
// not.
const char *admin_guard(const struct admin_call *call, const struct control *control);
bool admin_guards_subject(const struct admin *admin, struct str subject);

// admin_user.c. Whom a message names by `subject`, `type` (user, where none is said) and `tenant`. false: it
// names nobody, which is said by `missing`.
struct admin_whom {
    struct str tenant, type, id;
};
bool admin_whom(struct admin_call *call, const char *missing, struct admin_whom *out);
struct session_key admin_whom_key(const struct admin_call *call, const struct admin_whom *whom);
extern const char *const ADMIN_NOBODY; // what is said where nothing is known of them
void admin_forget_devices(struct admin_call *call);
void admin_user_forget(struct admin_call *call);
void admin_user_show(struct admin_call *call); // admin_user_show.c
// admin_undo.c. What the order says; returns why it is wrong. since_ms 0: nothing is to be undone.
const char *admin_undo_read(struct admin_call *call, struct str peer, struct admin_undo *job);
// Counts, lists and ends; the call is answered when that is done. false: out of memory.
bool admin_undo_begin(struct admin_call *call, const struct admin_undo *job);
bool admin_undo_work(struct admin *admin, struct node *node, struct node_now now); // as admin_work
void admin_peer_list(struct admin_call *call);
void admin_peer_quarantine(struct admin_call *call);
void admin_peer_release(struct admin_call *call);
// Address, country and network of a sighting, into the open map.
void admin_put_place(struct emit *emit, const struct sighting *at);
void admin_session_list(struct admin_call *call);
void admin_session_show(struct admin_call *call);
void admin_session_terminate(struct admin_call *call);

#endif
