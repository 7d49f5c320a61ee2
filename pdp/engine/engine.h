// SPDX-License-Identifier: Apache-2.0
// Snapshots, and decisions over them. What node, cli and libpdp-engine call.
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/diag.h"
#include "geo/geo.h"
#include "model/request.h"
#include "model/verdict.h"
#include "policy/policy.h"
#include "session/session.h"
#include "wire/wire.h"

struct engine;   // snapshot slot, session table; shared by workers
struct snapshot; // policies, lists, risk model, zones, geo data: immutable, digested
struct worker;   // one thread's scratch

// ---- Snapshots ---------------------------------------------------------------------------------

// Everything that a snapshot is made from, as bytes; `err` of a file that could not be read.
struct snapshot_file {
    struct str name; // as the user knows it: `policies/baseline/web.yaml`
    struct str text;
    enum pdp_err err;
    struct str why; // `permission denied`
    // What conf_parse gave for this text, without a mistake, so that it need not be parsed again; lives as long
    // as the diagnostics. NULL: parsed here.
    const struct conf_doc *docs;
    size_t doc_count;
};

struct snapshot_input {
    const struct snapshot_file *files; // *.yaml and *.yml of the folder, sorted by name
    size_t file_count;
    const struct snapshot_file *geo; // databases; a bad one is an error unless geo_optional
    size_t geo_count;
    bool geo_optional; // at start-up: a bad or missing database is a warning, its facts are unknown
    // Files that documents name, and TZif bytes by zone name; text lives until snapshot_build returns.
    enum pdp_err (*read_file)(void *user, struct str path, struct str *text);
    enum pdp_err (*read_zone)(void *user, struct str name, struct str *tzif);
    void *user;
    int64_t now_ms;
    int64_t expires_ms; // from then on every question is denied, code stale; 0: never
    bool conditions;    // keep conditions as they are written, for tools (policy/conditions.h)
};

// Compiles; every mistake goes to `diags` (texts of files must live as long as those). *out NULL on failure.
MUST_USE enum pdp_err snapshot_build(const struct snapshot_input *input, struct hash_key seed,
                                     struct diags *diags, struct snapshot **out);
void snapshot_free(struct snapshot **snapshot);              // one that was never published
struct str snapshot_digest(const struct snapshot *snapshot); // `sha256:…` over all inputs

// One that differs from `from` in lists alone: the file of the list `list` was read anew, or, where that is
// empty, the files of all. It shares all else with it, and its digest is the one that a build from the same
// files would give. `from` may serve, and is left as it is but for a note that a file of it was refused.
// Mistakes go to `diags`, with *out NULL. Costs what the files hold. Of `input` only read_file, user and
// now_ms are used.
MUST_USE enum pdp_err snapshot_reload_lists(const struct snapshot *from, struct str list,
                                            const struct snapshot_input *input, struct hash_key seed,
                                            struct diags *diags, struct snapshot **out);
// The same once more, to be freed or published on its own.
MUST_USE enum pdp_err snapshot_share(const struct snapshot *from, struct snapshot **out);

struct snapshot_facts {
    uint32_t policies, rules, lists, strengths, counters, geo_databases;
    uint32_t geo_facts;
};
void snapshot_describe(const struct snapshot *snapshot, struct snapshot_facts *out);
// Program and index of its policies as stable text; `out` failed where memory is out.
void snapshot_print(const struct snapshot *snapshot, struct buf *out);
const struct geo_set *snapshot_geo(const struct snapshot *snapshot);

// ---- Engine ------------------------------------------------------------------------------------

struct peer;

struct engine_config {
    struct hash_key key;                   // drawn at start-up, or kept where state is kept
    struct hash_key id_keys[SESSION_KEYS]; // of session ids; these three as in session_table_config
    uint16_t id_key_set;
    uint8_t id_key;
    struct journal *journal;       // hears what must last; borrowed. NULL: nothing lasts
    uint64_t id_prefix;            // of decision ids; drawn at start-up
    uint64_t sessions_max;         // 0: no limit
    uint32_t creations_per_minute; // 0: no limit
    struct notices *notices;       // hears what gateways must hear; borrowed. NULL: there are none
    uint32_t counter_entries;      // keys that a Counter holds; 0: COUNTERS_ENTRIES_DEFAULT
    uint32_t breaker_percent;      // of live sessions that policies may end in five minutes; 0: any number
    uint64_t breaker_least;        // but so many in any case
    const struct cidr *proxies;    // trusted proxies; borrowed for the engine's life
    size_t proxy_count;
    // Fills `out` with bytes that nobody can guess, for ids that are made here; false: it could not. NULL:
    // none is made. Called on a worker's thread.
    bool (*random)(void *user, void *out, size_t len);
    void *random_user;
    // What a gateway may do that another peer asks for: grants and tenants of *out; its texts live as long as
    // the engine. false: nothing is said of it, and it may do what the one that asks for it may. NULL:
    // nothing is said of any. Any worker's thread; must be quick.
    bool (*relayed)(void *user, struct str gateway, struct peer *out);
    void *relayed_user;
};

MUST_USE enum pdp_err engine_new(const struct engine_config *config, struct engine **out);
void engine_free(struct engine **engine); // after all its workers
// Makes a snapshot the one that decisions begun from now on use; takes it over. Retires the old one; it is
// freed when no worker holds it (by engine_tidy). Never blocks a decision. One publisher at a time.
void engine_publish(struct engine *engine, struct snapshot **snapshot);
// Frees retired snapshots that no worker holds and sweeps old sessions, a little at a time.
void engine_tidy(struct engine *engine, int64_t now_ms);
// Does the breaker turn ends by policy into denials now? `ended`: how many there were in five minutes.
bool engine_breaker(struct engine *engine, int64_t now_ms, uint64_t *ended);
void engine_breaker_reset(struct engine *engine);
struct session_table *engine_sessions(struct engine *engine);
struct journal *engine_journal(const struct engine *engine); // NULL: nothing lasts
uint64_t engine_policy_epoch(const struct engine *engine);   // 0: nothing published yet
// The digest and facts of the snapshot that serves; false where none does.
bool engine_serving(struct engine *engine, struct worker *worker, char digest[static 80],
                    struct snapshot_facts *facts);
// Facts of each list that serves, by the order of the documents; texts live for the call of `each`.
void engine_lists(struct engine *engine, struct worker *worker, int64_t now_ms,
                  void (*each)(void *user, const struct policy_list_facts *list), void *user);
// snapshot_print of the one that serves.
bool engine_print(struct engine *engine, struct worker *worker, struct buf *out);

MUST_USE enum pdp_err worker_new(struct engine *engine, struct worker **out);
void worker_free(struct worker **worker);

// Who asks, and what they may do.
enum {
    GRANT_ASK = 1 << 0,            // questions
    GRANT_ISSUE = 1 << 1,          // login, step_up_passed, logout …
    GRANT_SIGNAL = 1 << 2,         // signal
    GRANT_ASSERT_AUTH = 1 << 3,    // acr, amr, auth_time are believed
    GRANT_ASSERT_SUBJECT = 1 << 4, // properties other than roles are believed
    GRANT_ASSERT_DEVICE = 1 << 5,
    GRANT_SIMULATE = 1 << 6,     // `at` of an envelope is the clock
    GRANT_ASSERT_ROLES = 1 << 7, // the property `roles` is believed
    GRANT_RELAY = 1 << 8,        // asks for other gateways: `gateway` of a message
    GRANT_ALL = GRANT_ASK | GRANT_ISSUE | GRANT_SIGNAL | GRANT_ASSERT_AUTH | GRANT_ASSERT_SUBJECT |
                GRANT_ASSERT_DEVICE | GRANT_ASSERT_ROLES, // all but SIMULATE and RELAY
};

struct peer {
    struct str name; // the gateway: certificate name, `uid:1000`, or the listener's
    uint64_t hash;   // session_hash of the name
    uint32_t grants;
    uint32_t roles;            // at the admin endpoint: node/roles.h
    const struct str *tenants; // questions and events of others are refused; borrowed for the peer's life
    size_t tenant_count;       // 0: of all
    bool quarantined;          // the engine's own note: see engine/quarantine.h
};

// One message (question, event, batch, search, or with GRANT_SIMULATE `{"at": T, "request"|"event": …}`) to
// one answer in the same form, appended to `out`. Always answers something, and what is not clearly an allow
// is none. Takes at most one session lock at a time, allocates nothing after warm-up but for JSON and pages
// of searches.
void engine_answer(struct worker *worker, const struct peer *peer, struct str message, int64_t now_ms,
                   struct buf *out);

// For the next engine_answer: its message has waited `waited_ms`, and none may wait longer than `queue_ms`
// (0: however long). A question or batch that waited longer is answered `overloaded` with a time to ask
// again, and one whose own `deadline_ms` has passed is answered `overloaded` without; neither is judged nor
// moves any state. Events are never refused so: what they tell must not be lost.
void worker_waited(struct worker *worker, int64_t waited_ms, int64_t queue_ms);
// What the last engine_answer tells is true for good only once the journal is durable up to this step; until
// then it must not be sent. 0: nothing to wait for. UINT64_MAX: it cannot be made durable now.
uint64_t worker_awaits(const struct worker *worker);
// How many candidates the last engine_answer judged, where it was a search: work that its bytes do not tell.
size_t worker_looked(const struct worker *worker);
// The answer in place of the last one, in the same form, where it could not be made durable.
void worker_unsaved(struct worker *worker, struct buf *out);

// One decoded question or event in process. The verdict's text lives until the worker's next call.
void engine_decide(struct worker *worker, const struct peer *peer, const struct value *root, int64_t now_ms,
                   struct verdict *out);
// Why the last engine_decide was malformed.
const struct fault *worker_fault(const struct worker *worker);

// What Counter documents count: of those that are served first, then of those that may come back.
struct engine_counter {
    char name[129];
    int64_t window_ms;
    bool served;
    uint64_t room, keys, displaced, bytes; // as in session/counters.h
};
size_t engine_counters(struct engine *engine, struct engine_counter *out, size_t most);

// Counters of answers, by effect and by code, over all workers.
struct engine_counts {
    uint64_t effects[PDP_EFFECT_COUNT], codes[PDP_CODE_COUNT];
    uint64_t questions, events, batches, repeats, searches;
    // Of questions judged in shadow too, by what was answered and what it would have been; and those for
    // which the shadow world had no room.
    uint64_t shadow[PDP_EFFECT_COUNT][PDP_EFFECT_COUNT], shadow_lost;
};
void engine_count(struct engine *engine, struct engine_counts *out);

// A rule of the snapshot that serves, and how many answers it decided (as the first that is named) since its
// policies were compiled.
struct engine_rule_hits {
    char name[260];
    enum pdp_effect effect;
    uint32_t rule;
    uint64_t hits;
};
// Those that decided most, the most first. Costs a look at every rule.
size_t engine_top_rules(struct engine *engine, struct worker *worker, struct engine_rule_hits *out,
                        size_t most);

// A rule in shadow of the snapshot that serves, and how many answers would have been another by it.
struct engine_shadow_rule {
    char name[260]; // both ids have at most 128 bytes
    enum pdp_effect effect;
    uint64_t hits;
};
// Is anything judged in shadow by the snapshot that serves?
bool engine_shadows(struct engine *engine, struct worker *worker);
// Rules in shadow from number *cursor on, at most `most`; *cursor is then where to go on. 0: no more.
size_t engine_shadow_rules(struct engine *engine, struct worker *worker, uint32_t *cursor,
                           struct engine_shadow_rule *out, size_t most);

#endif
