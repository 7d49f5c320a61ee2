// SPDX-License-Identifier: Apache-2.0
// The handler of the admin endpoint: status, reload, sessions. Messages are maps with `op`, in JSON or CBOR.
#ifndef NODE_ADMIN_H
#define NODE_ADMIN_H

#include "audit/files.h"
#include "base/histogram.h"
#include "engine/trial.h"
#include "node/gate.h"
#include "node/guarded.h"
#include "node/orders.h"
#include "session/controls.h"

#define ADMIN_TOMBSTONE_MS (INT64_C(400) * 24 * 3600 * 1000) // longer than any session's absolute limit
#define ADMIN_SESSIONS_MAX 1000                              // of one terminate
#define ADMIN_REASON_MAX 500
#define ADMIN_WHY_MAX 600

struct admin_geo {
    char name[256], type[64];
    uint64_t build_s;
};

// X(name, word in the status): what somebody should look at
#define ADMIN_ALARM_LIST(X)                       \
    X(RELOAD_REFUSED, "reload_refused")           \
    X(BUNDLE_EXPIRED, "bundle_expired")           \
    X(BREAKER, "breaker")                         \
    X(STORE_FAILING, "store_failing")             \
    X(CERTIFICATE_REFUSED, "certificate_refused") \
    X(CERTIFICATE_ENDS, "certificate_ends")       \
    X(REVOCATIONS_END, "revocations_end")         \
    X(AUDIT_STALLED, "audit_stalled")             \
    X(SERVED_UNKEPT, "served_unkept")             \
    X(ROLLED_BACK, "rolled_back")                 \
    X(WEBHOOK_FAILING, "webhook_failing")

enum admin_alarm_kind {
#define X(name, word) ADMIN_ALARM_##name,
    ADMIN_ALARM_LIST(X)
#undef X
    ADMIN_ALARM_COUNT
};

struct admin_alarm {
    int64_t since_ms; // 0: not raised
    char message[600];
};

struct admin_certificate {
    const char *file, *crl;            // crl NULL: there is none
    int64_t cert_until_s, crl_until_s; // crl_until_s 0: it has no end
};

// What is served, and from where.
struct admin_source {
    const char *path;
    bool bundle; // what follows is of a bundle
    const char *name, *digest;
    int64_t version, expires_s;
    bool deny_on_expiry;
    size_t signer_count;
    const char *signers[16];
};

// The audit log; `on` false: there is none.
struct admin_audit {
    bool on, stalled;
    uint64_t records, signed_records, first, segments, coalesced, lost, refused, sink_lost;
    const char *name, *note;
};

// Where ends are told, and how far that is.
struct admin_webhook {
    const char *url;
    uint64_t delivered, failures, refused, given_up, waiting;
    bool behind, failing;
    const char *error; // empty: none
};

// A key under which session ids are hashed.
struct admin_key {
    unsigned number;
    bool newest;   // ids are hashed under it from now on
    uint64_t uses; // sessions and tombstones
};

// What is kept, and how far it is.
struct admin_state {
    const char *path;       // NULL: nothing is
    uint64_t head, durable; // steps of the journal
    uint64_t waiting, waiting_bytes;
    uint64_t rows[4], bytes; // of the store, by its tables
    uint64_t commits, syncs, failed, sync_ns, sync_most_ns;
    bool failing;
    const char *last_error;
};
#define ADMIN_STATE_TABLES                      \
    {                                           \
        "meta", "sessions", "users", "controls" \
    }

// A roll-back that is in force; at_ms 0: none is.
struct admin_rolled {
    int64_t at_ms;
    const char *from, *to, *by, *reason;
};

// What only the daemon knows. Text and lists are borrowed from it until the next call.
struct admin_status {
    int64_t pid, uptime_s;
    bool simulate;
    const struct str *listeners;
    size_t listener_count;
    const struct admin_geo *geo;
    size_t geo_count;
    struct admin_source source;
    struct admin_rolled rolled;
    struct admin_audit audit;
    struct admin_state state;
    const struct admin_alarm *alarms;             // ADMIN_ALARM_COUNT of them
    const struct admin_certificate *certificates; // of listeners with TLS
    size_t certificate_count;
    const struct admin_webhook *webhooks;
    size_t webhook_count;
    struct node_counts counts;    // over all nodes
    struct histogram_sum latency; // of decisions
    int64_t reload_at_ms;         // 0: there was none
    bool reload_ok;
    struct str reload_error;
    bool reload_lists;      // it was of lists alone
    struct str reload_list; // which; empty: all
};

// When an order about many sessions asks again.
struct admin_bounds {
    int64_t confirm;     // sessions above which the order says how many; 0: never
    int64_t two_persons; // above which a second analyst agrees; 0: never
};

// The audit log of the daemon; zeroed where there is none.
struct admin_audit_host {
    struct audit_source source;
    // Destroys the keys of a user: tenant, type and id as one text, a NUL between them.
    enum pdp_err (*forget)(void *user, struct str who, size_t *count);
    enum pdp_err (*rotate_key)(void *user);
    void *user;
};

// One serving of a snapshot, text borrowed.
struct admin_served {
    int64_t since_ms, until_ms; // until_ms 0: it serves
    const char *snapshot, *sources, *name, *by, *reason;
    int64_t version; // of a signed bundle, with its name; else name is empty
    uint64_t bytes;
    bool kept; // it can be gone back to
};

// How what is compiled is to be taken.
struct admin_taking {
    bool preview;    // only tried on live sessions
    int64_t confirm; // so many of them may end at most; -1: not said
};

// What the handler asks of the daemon, all on the admin's thread.
struct admin_host {
    void (*status)(void *user, struct admin_status *out);
    // Asks for a compile; returns the number that admin_reloaded will name, or a higher one.
    uint64_t (*reload)(void *user, const struct peer *by, struct admin_taking taking);
    // Asks for the file of a list to be read anew; empty: of all that come from files. Likewise.
    uint64_t (*reload_lists)(void *user, struct str list);
    // What was served, the last first. NULL: that is not known.
    void (*served)(void *user, void (*each)(void *emit, const struct admin_served *one), void *emit);
    // Asks for what was served before, by a digest, a time or a number of servings back. As `reload`; 0 with
    // why not.
    uint64_t (*rollback)(void *user, const struct peer *by, struct str to, struct str reason,
                         struct admin_taking taking, const char **why);
    // Reads certificates, keys, CAs and revocation lists anew; false with what is wrong in `why`.
    bool (*reload_certs)(void *user, char why[ADMIN_WHY_MAX]);
    // An order was carried out: for the log.
    void (*ended)(void *user, const struct peer *by, struct str ref, struct str reason);
    // An order about whom sessions are ended or locked for was carried out: likewise. NULL: nobody is told.
    void (*controlled)(void *user, const struct peer *by, const char *what, const struct control *control,
                       struct str reason);
    struct admin_bounds bounds;
    struct admin_guarded guarded;
    // Keys of session ids, at most `most`; and a new one, durable before it is used. UNSUPPORTED where
    // nothing is kept.
    size_t (*keys)(void *user, struct admin_key *out, size_t most);
    enum pdp_err (*rotate_keys)(void *user, const struct peer *by, struct str reason, unsigned *number,
                                struct str *why);
    void *user;
    struct orders *orders;          // borrowed; NULL: there is no endpoint for orders
    void (*order_wake)(void *user); // admin_orders_settled is due
    struct admin_audit_host audit;
};

struct admin;

// `gate` is the admin's node's own: orders are confirmed once they are durable.
MUST_USE enum pdp_err admin_new(struct engine *engine, struct gate *gate, const struct admin_host *host,
                                struct admin **out);
void admin_free(struct admin **admin); // before the engine
struct node_handler admin_handler(struct admin *admin);
// What takes longer than a message may: a step of it. true: there is more. On the admin's thread.
bool admin_work(struct admin *admin, struct node *node, struct node_now now);
struct worker *admin_worker(struct admin *admin); // that looks at snapshots, and records what is asked here

struct admin_reload {
    uint64_t number;  // of the compile that ended: answers all who asked for it or one before it
    struct str error; // empty: done
    struct str diagnostics;
    const struct trial_result *trial; // NULL: it was not tried
    bool preview;                     // it was, and not served
    const char *candidate;            // digest of what was compiled
};
// Answers those who wait for an order that is settled. On the admin's thread, whenever one is.
void admin_orders_settled(struct admin *admin, struct node *node, struct node_now now);
// Answers those who wait for a reload. On the admin's thread.
void admin_reloaded(struct admin *admin, struct node *node, const struct admin_reload *result,
                    struct node_now now);

#endif
