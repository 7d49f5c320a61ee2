// SPDX-License-Identifier: Apache-2.0
// Documents to rules, index and program; rules to one verdict (DESIGN §5, semantics/composition.py).
//
// Rules are numbered by the path of their file, then by their place in it. A policy that is
// deny-unless-allow ends with a rule of its own, `POLICY/deny-unless-allow`, for the deny that it adds.
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/map.h"
#include "cel/cel.h"
#include "conf/conf.h"
#include "model/verdict.h"

struct policy_set;     // immutable; lives in its arena
struct policy_scratch; // one worker's memory for matching
struct policy_lists;   // the sets of List documents: each shared by all snapshots that read the same file

#define POLICY_COUNTERS_MOST 64    // of a folder
#define POLICY_COUNTER_KEYS_MOST 8 // of a counter

// What the documents define that conditions may name; gathered before any expression is compiled.
struct policy_names {
    struct cel_set_decl *sets; // of List documents
    size_t set_count;
    struct str *strengths; // weakest first, of the Strengths document (at most one)
    size_t strength_count;
    struct str *counters; // of Counter documents; `counters.NAME` is numbered by its place here
    size_t counter_count;
    bool conditions; // set between the passes: keep them as they are written (policy/conditions.h)
};
// Is a document of this kind served? Those of tests are not.
bool policy_serves(struct str kind);

// First pass over all documents: checks apiVersion, kind, metadata (name unique in its kind), and gathers
// names. All mistakes go to `diags`.
MUST_USE enum pdp_err policy_names_read(const struct conf_doc *docs, size_t count, struct arena *arena,
                                        struct diags *diags, struct policy_names *out);

// A file that a document names (List `file:`), relative to the folder. An error: it could not be read; a
// warning then, and the list is unsure. The text must live until `diags` were rendered.
struct policy_files {
    enum pdp_err (*read)(void *user, struct str path, struct str *text);
    void *user;
};

// Second pass: Scope, Policy, Exception, Definitions, Strengths, List, Counter (SessionPolicy and RiskModel
// are read by their own folders). Compiles into `program` (not sealed yet), resources and actions as index
// keys. `seed` keys its hash tables. *lists are the caller's to free (NULL on failure). What the first pass
// reported is not reported again. The set keeps nothing of the documents or their sources.
MUST_USE enum pdp_err policy_set_read(const struct conf_doc *docs, size_t count,
                                      const struct policy_names *names, struct cel_program *program,
                                      const struct policy_files *files, struct hash_key seed,
                                      struct arena *arena, struct diags *diags, struct policy_lists **lists,
                                      struct policy_set **out);
// After cel_seal: builds the index.
MUST_USE enum pdp_err policy_set_index(struct policy_set *set, struct diags *diags);

size_t policy_rule_count(const struct policy_set *set);
struct str policy_rule_name(const struct policy_set *set,
                            uint32_t rule); // `policy/rule`; empty: no such rule
enum pdp_effect policy_rule_effect(const struct policy_set *set, uint32_t rule); // deny: no such rule
struct policy_describe {
    uint32_t policies, rules, lists, strengths, counters; // rules: those that somebody wrote
    uint32_t indexed;                                     // rules that not every question has to look at
};
void policy_set_describe(const struct policy_set *set, struct policy_describe *out);

// A Counter document. Its expressions read neither `risk` nor `travel` nor counters, so that they can be run
// before a question is scored.
struct policy_counter {
    struct str name;
    int64_t window_ms;
    const uint32_t *key; // slots of attributes, whose values it counts by
    uint32_t key_count;
    uint32_t add;  // a number; UINT32_MAX: 1 a question
    uint32_t when; // which questions count; UINT32_MAX: each
    bool any;      // all that were judged, not only those that were allowed
    // Why it cannot be told, for CEL_ERROR_SAID.
    const char *bad_add, *bad_when, *bad_key, *bad_past;
};
// By the number of their names; in the set's memory.
const struct policy_counter *policy_counters(const struct policy_set *set, size_t *count);

// Program and index as stable text, of a set that was indexed; `out` failed where memory is out.
void policy_set_print(const struct policy_set *set, const struct policy_lists *lists, struct buf *out);

MUST_USE enum pdp_err policy_scratch_new(const struct policy_set *set, struct policy_scratch **out);
void policy_scratch_free(struct policy_scratch **scratch);

// By what a share of a rollout is drawn.
enum policy_by {
    POLICY_BY_SUBJECT,
    POLICY_BY_SESSION,
    POLICY_BY_DEVICE,
    POLICY_BY_COUNT
};

// Asked by the matcher, answered by the engine.
struct policy_host {
    // Is a strength proved, and within max_age (0: any)? *until_ms: when that changes by time alone
    // (INT64_MAX: never).
    bool (*proved)(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms);
    // A number that is the same for the same subject, session or device, on every node and after every
    // restart. false: the question does not say which it is. NULL: never known.
    bool (*sticky)(void *user, enum policy_by by, uint64_t *key);
    void *user;
};

struct policy_question {
    struct str action;     // action.name
    struct str path;       // canonical path where resource.type is route, else resource.id
    bool unindexed;        // look at every rule: for the differential tests
    bool shadow;           // judge as if what is in shadow were enforced
    const uint64_t *muted; // a bit a rule: as if it were not there; NULL: none
};

struct policy_result {
    enum pdp_effect effect;
    enum pdp_code code;    // POLICY, UNSURE, NO_POLICY, NO_RULE
    uint32_t first;        // first deciding rule, UINT32_MAX: none
    const uint32_t *rules; // all deciding rules, by policy path and position
    size_t rule_count;
    struct str message, reason; // of the first deciding rule
    bool has_require;           // unproved requirements, merged: strongest strength, shortest age
    uint32_t require_strength;
    int64_t require_max_age_s; // 0: none
    const struct str *missing; // why something was unsure, for people
    size_t missing_count;
    const struct verdict_obligation *obligations;
    size_t obligation_count;
    const struct str
        *exceptions; // names of those that lifted something; their obligations are among the above
    size_t exception_count;
    bool terminate_subject; // `terminate: {scope: subject}`
    bool audit_always;      // `audit: always` of a deciding rule
    int64_t until_ms; // of proofs, times of rules, exceptions; the frame's horizon is the caller's to add
};
// Matches and combines for the request that `frame` was begun for. Lists in the result live in `arena`.
// Bounded by the candidates; allocates nothing else. Zeroed result on failure is a deny.
void policy_decide(const struct policy_set *set, struct policy_scratch *scratch, struct cel_frame *frame,
                   const struct policy_host *host, const struct policy_question *question,
                   struct arena *arena, int64_t now_ms, struct policy_result *out);

// Sets the bits of the rule of this name (`policy/rule`), or of all rules of a policy; false where there is
// none.
bool policy_rules_named(const struct policy_set *set, struct str name, uint64_t *bits);

// Is any policy or rule judged in shadow, for everybody or for the rest of a rollout?
bool policy_shadows(const struct policy_set *set);
// Is this one? Its policy's shadow counts.
bool policy_rule_shadows(const struct policy_set *set, uint32_t rule);
// Everything that is judged in shadow, as text that stays the same while its meaning does.
void policy_shadow_print(const struct policy_set *set, struct buf *out);

// What the Scopes of a file's folder say of whom and what its documents are about; UINT32_MAX: all.
uint32_t policy_scope(const struct policy_set *set, struct str file);
// Adds to a list of roles those that they bring along (Definitions); anything else is left as it is. false:
// memory is out, and the value must not be used.
MUST_USE bool policy_roles_expand(const struct policy_set *set, struct value *value, struct arena *arena);
// How a strength is proved: the expression of its `proves`, and what to ask for.
uint32_t policy_strength_proves(const struct policy_set *set, uint32_t strength);
const struct str *policy_strength_acr(const struct policy_set *set, uint32_t strength, size_t *count);

// ---- Lists -------------------------------------------------------------------------------------

void policy_lists_free(struct policy_lists **lists); // what nobody else shares, too
// The same sets once more: any thread may free either.
MUST_USE enum pdp_err policy_lists_share(const struct policy_lists *lists, struct policy_lists **out);
// Those of `from`, with the file of the list `name` read anew; empty: the files of all. All or nothing: a
// mistake goes to `diags`, is noted in what facts tell of the list, and gives *out NULL.
MUST_USE enum pdp_err policy_lists_reread(const struct policy_lists *from, struct str name,
                                          const struct policy_files *files, struct hash_key seed,
                                          int64_t now_ms, struct diags *diags, struct policy_lists **out);
// Lists with a max_age and no `updated` of their own age from here, unless an earlier call said so: when they
// were loaded. Without this call they are stale from the start. Before they are shared with other threads.
void policy_lists_loaded(struct policy_lists *lists, int64_t now_ms);

// struct cel_host.contains, by the id of the declaration; stale ones are unsure at `now_ms`, and so is all
// where `lists` is NULL.
enum truth policy_contains(const struct policy_lists *lists, uint32_t list, const struct value *value,
                           int64_t now_ms);
// The first time after now at which a list grows stale or fresh; INT64_MAX: never by time alone.
int64_t policy_list_until(const struct policy_lists *lists, uint32_t list, int64_t now_ms);

// What lists that say a class of network (`network: vpn`) tell of an address. Bits are SIGHT_… of
// model/sighting.h.
struct policy_network {
    uint32_t flags;   // that hold; of a list that is stale only what makes it more suspicious
    uint32_t unsure;  // that do not hold, and may: a list is missing or stale, or the AS number is not known
    uint32_t decided; // of which lists tell at all: one that neither holds nor is unsure does not hold
};
// Zero where no list says a class. `asn_told`: the number is known, 0 being that there is none. Hot path: two
// look-ups however many lists there are, and the age of those that have a `max_age`; allocates nothing.
void policy_network(const struct policy_lists *lists, const struct ip *ip, bool asn_told, uint32_t asn,
                    int64_t now_ms, struct policy_network *out);
// The first time after now at which time alone may change that; INT64_MAX: never.
int64_t policy_network_until(const struct policy_lists *lists, int64_t now_ms);

struct policy_list_facts {
    struct str name, file, version; // file: empty where its entries stand in its document; version: or none
    const char *kind;
    const char *network;           // the class of network that it says; NULL: none
    size_t entries, bytes;         // entries as they are written; bytes of memory
    int64_t updated_ms, loaded_ms; // INT64_MIN: nobody said
    int64_t max_age_ms;            // 0: none
    int64_t refused_ms;            // a newer file was refused then; 0: none was
    bool missing, stale;
    const uint8_t *sha256; // 32 bytes, of its file
};
size_t policy_list_count(const struct policy_lists *lists);
// Texts are borrowed from the lists. false: no such list.
bool policy_list_describe(const struct policy_lists *lists, uint32_t list, int64_t now_ms,
                          struct policy_list_facts *out);

#endif
