// SPDX-License-Identifier: Apache-2.0
// Controls: what analysts have ordered about whom. Cut-offs, locks and pardons, by target; an immutable set
// of them with an index, so that a decision looks at those that name it and at no others.
//
// A lock holds for every question of its target. A cut-off ends sessions of its target that were
// authenticated before a time, or at an unknown one, seen before or not. Nothing lifts either. A pardon sets
// aside evidence of risk that was stored before it was made, of what it names for certain.
#ifndef SESSION_CONTROLS_H
#define SESSION_CONTROLS_H

#include "session/session.h"

#define CONTROL_VALUE_MAX 255
#define CONTROL_MESSAGE_MAX 500
#define CONTROL_REASON_MAX 500
#define CONTROL_AUTHOR_MAX 255
#define CONTROL_STRENGTH_MAX 128
#define CONTROL_SIGNALS_MAX 1024
#define CONTROL_WHERE_MAX 2000                                // bytes of a condition
#define CONTROL_KEEP_MAX_MS (INT64_C(400) * 24 * 3600 * 1000) // no control lasts longer than tombstones
#define CONTROLS_MAX 16384
#define CONTROLS_SAME_MAX 16 // of one target value

// What a control is about. X(name, word, what a question lacks where it cannot be told)
#define CONTROL_KIND_LIST(X)                                           \
    X(ALL, "all", "")                                                  \
    X(SESSION, "session", "")                                          \
    X(FAMILY, "family", "")                                            \
    X(SUBJECT, "subject", "`subject.id` is missing")                   \
    X(DEVICE, "device", "`device.fingerprint` is missing")             \
    X(ADDRESS, "address", "`network.ip` is missing")                   \
    X(PREFIX, "prefix", "`network.ip` is missing")                     \
    X(ASN, "asn", "`geo.asn` is missing")                              \
    X(COUNTRY, "country", "`geo.country` is missing")                  \
    X(JA4, "ja4", "`device.components.ja4` is missing")                \
    X(ROLE, "role", "`subject.roles` is missing")                      \
    X(GATEWAY, "gateway", "`gateway` is missing")                      \
    X(TENANT, "tenant", "`tenant` is missing")                         \
    X(WHERE, "where", "what the condition of a lock reads is missing") \
    X(RULE, "rule", "")                                                \
    X(SIGNAL, "signal", "")                                            \
    X(GEO, "geo", "")

enum control_kind {
#define X(name, word, lacks) CONTROL_##name,
    CONTROL_KIND_LIST(X)
#undef X
    CONTROL_KIND_COUNT
};
const char *control_kind_name(enum control_kind kind);
// Is it one of a mute: of a rule or policy, a signal of risk, or all facts of places?
static inline bool control_kind_mutes(enum control_kind kind)
{
    return kind >= CONTROL_RULE;
}
bool control_kind_read(struct str word, enum control_kind *out);
const char *control_lacks(enum control_kind kind); // what a question lacks where it cannot be told

struct control_target {
    enum control_kind kind;
    struct str value;  // canonical text; empty for ALL
    struct str tenant; // only of this tenant; empty: of any
    struct str type;   // SUBJECT: only of this type; empty: of any
};

// What a decision looks a target up by: number or keyed hash, and for prefixes how many bits count.
struct control_key {
    uint8_t kind, bits;
    struct hash128 value;
};

// One control: plain data over one block of memory, never changed once it is made. Counted, since sets share
// them.
struct control {
    uint64_t number;
    bool cut_off, pardon; // neither: a lock, or a mute
    struct control_target target;
    enum pdp_effect effect; // of a lock: deny, step_up or terminate; a cut-off terminates; else allow
    struct str strength;    // step_up: what must be proved
    int64_t max_age_s;      // step_up: and how lately; 0: whenever
    int64_t before_ms;      // cut-off; of a lock by a condition that ends sessions: only those from before it
    struct str signals;     // pardon: ids, a space between; empty: all
    uint32_t signal_bits;   // the same, by whoever knows the signals; not copied into rows
    int64_t created_ms, expires_ms;
    struct str author, reason;
    struct str message; // for the user; may be empty
    struct str name;    // `lock/17`, `cutoff/17`, `pardon/17`: how answers name it
    struct control_key key;
    _Atomic uint32_t held;
};

// Copies `spec` (all but name and key, which follow from it), its value made canonical. *out NULL and *why,
// static and for people, where it is refused: MALFORMED (a value that is none of its kind, an effect or text
// that may not be), NOMEM. Device, text and session values are keyed by the table.
MUST_USE enum pdp_err control_new(const struct session_table *table, const struct control *spec,
                                  struct control **out, const char **why);
void control_drop(struct control **control); // gives one hold back
// Is the target one that would lock people out who are not meant: an address of no public network, or all?
bool control_is_wide(const struct control *control);

// What is known of a question, or of a session's record. Text at NULL and numbers 0 are missing.
struct control_facts {
    bool has_session;
    struct hash128 session, family;
    struct str tenant, subject_type, subject_id, ja4, gateway;
    uint64_t device; // session_hash of the fingerprint
    bool has_ip;
    struct ip ip;
    uint32_t asn;
    uint16_t country;
    const struct value *roles; // a LIST; NULL: missing
};
// What a record tells: where it was seen last. Roles and ja4 are not kept.
void control_facts_of(const struct session_table *table, const struct session_view *view,
                      struct control_facts *out);
// Does the control name this? Unsure where something that it names is missing. Expiry is not looked at.
enum truth control_names(const struct session_table *table, const struct control *control,
                         const struct control_facts *facts);

// All sessions of one subject that a session was rotated from or into: they have one beginning. What names
// them is `f_` and 24 hex digits, and stays the same as long as the table's key does.
struct hash128 control_family(const struct session_table *table, const struct session_record *record);
void control_family_print(const struct session_table *table, const struct session_record *record,
                          char out[static 32]);

struct controls; // the set

// Of one whose target's value is met: does the rest of its target hold, tenant and type?
enum truth control_rest(const struct control *control, const struct control_facts *facts);

// Which of them a decision asks for.
enum controls_part_id {
    CONTROLS_LOCKS,
    CONTROLS_CUT_OFFS,
    CONTROLS_PARDONS,
    CONTROLS_PARTS
};

// A set of these (each is held once more), by number; `controls` in any order, numbers unique. LIMIT above
// CONTROLS_MAX or CONTROLS_SAME_MAX, NOMEM.
MUST_USE enum pdp_err controls_new(const struct session_table *table, struct control *const *controls,
                                   size_t count, struct controls **out);
void controls_free(struct controls **controls);
size_t controls_count(const struct controls *controls);                               // NULL: 0
const struct control *controls_at(const struct controls *controls, size_t at);        // by number, ascending
const struct control *controls_get(const struct controls *controls, uint64_t number); // NULL: not there
// Are there any at all, NULL: none; and any that ask for this kind? So that facts are gathered only where
// needed.
bool controls_any(const struct controls *controls, enum controls_part_id part);
bool controls_ask(const struct controls *controls, enum controls_part_id part, enum control_kind kind);

// Those of a part and kind, expired ones too: one that denies first, of equals by number. NULL: none.
const struct control *const *controls_of(const struct controls *controls, enum controls_part_id part,
                                         enum control_kind kind, size_t *count);
// Those of a part that name `facts`, or may, and have not expired: `each` is called for every one.
// One look an attribute, however many there are; where an attribute is missing, all that ask for it may be
// meant, and the first that denies stands for the rest. Those by a condition are left out: the engine knows
// what theirs says. Hot path: allocates and locks nothing.
void controls_find(const struct controls *controls, enum controls_part_id part,
                   const struct control_facts *facts, int64_t now_ms,
                   void (*each)(void *user, const struct control *control, enum truth truth), void *user);

#endif
