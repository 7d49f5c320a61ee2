// SPDX-License-Identifier: Apache-2.0
// Conditions in CEL: text to typed program, program to value. The only header others include.
//
// One `struct cel_program` holds every expression of a snapshot as one graph in which equal
// sub-expressions are one node. It is built by one thread, sealed, then read by any number.
// A `struct cel_frame` is one worker's scratch memory for running it.
#ifndef CEL_CEL_H
#define CEL_CEL_H

#include "base/diag.h"
#include "model/value.h"
#include "model/verdict.h"

// ---- Names that conditions may use -------------------------------------------------------------

// The type of an attribute as declared. DYN: known only when asked. Text of the checker's messages.
enum cel_type {
    CEL_DYN,
    CEL_BOOL,
    CEL_INT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_TIMESTAMP,
    CEL_DURATION,
    CEL_IP,
    CEL_LEVEL,
    CEL_STRENGTH,
    CEL_LIST_STRING,
    CEL_LIST_DYN,
    CEL_MAP_DYN, // a map of text to anything
    CEL_LIST_INT,
    CEL_TYPE_COUNT
};

// What a Schema says of an attribute besides its type. Its value comes from the question as it was sent, and
// is read as declared: a double may be an integer, a timestamp is RFC 3339 text or seconds since 1970, a
// duration and an ip are text. What cannot be read so, or is more than allowed, is mistyped.
struct cel_schema {
    uint32_t base;            // bytes of the path that `id` stands for; what follows the dot is `rest`
    const struct str *values; // the only texts that it may be; none: any
    uint32_t value_count;
    uint32_t max_items, max_bytes; // of a list or map; of text, and of each text of a list; 0: not said
    bool sensitive;                // never shown
};

// One declared attribute. `path` is `now` or `session.auth_time`. An attribute of type DYN or MAP_DYN
// may be followed by further fields (`context.client.auth`), which become slots of their own.
struct cel_attr_decl {
    struct str path;
    enum cel_type type;
    uint32_t id;                     // the owner's number for it, handed to `resolve`
    const struct cel_schema *schema; // NULL: the language declares it, and `resolve` gives it as typed
};

// A root whose unlisted fields are errors (`session`, `risk`: closed) or DYN (`subject`: open). A name may
// have several parts (`context.device.components`); the longest that begins a path counts.
struct cel_root_decl {
    struct str name;
    bool open;
    uint32_t id; // `resolve` of an unlisted field of an open root gets this id and the rest of the path
};

enum cel_set_kind {
    CEL_SET_STRING,
    CEL_SET_CIDR,
    CEL_SET_COUNTRY,
    CEL_SET_ASN
};

struct cel_set_decl { // lists.NAME
    struct str name;
    enum cel_set_kind kind;
    uint32_t id;
};

// Everything that names mean. All borrowed until the program is freed.
struct cel_env {
    const struct cel_root_decl *roots;
    size_t root_count;
    const struct cel_attr_decl *attrs;
    size_t attr_count;
    const struct cel_set_decl *sets;
    size_t set_count;
    const struct str *levels; // weakest first, for level("…")
    size_t level_count;
    const struct str *strengths; // weakest first, for strength("…")
    size_t strength_count;
    // TZif bytes of a zone (`Europe/Berlin`), valid until the program is freed; NOTFOUND is UNKNOWN.
    enum pdp_err (*zone)(void *user, struct str name, struct str *tzif);
    void *zone_user;
    bool no_risk; // `risk` may not be read here (RiskModel conditions); see also cel_add's flags
};

// ---- Building ----------------------------------------------------------------------------------

struct cel_program;

struct cel_limits {
    uint32_t depth;       // of nesting; 0: 64
    uint32_t nodes;       // of the whole program; 0: 8 million
    uint32_t steps;       // a run may take; 0: 100,000
    uint32_t match_limit; // of PCRE2; 0: 10,000
};

// *out is NULL on failure. `env` is borrowed for the program's life.
MUST_USE enum pdp_err cel_program_new(const struct cel_env *env, const struct cel_limits *limits,
                                      struct cel_program **out);
void cel_program_free(struct cel_program **program);

// Text of one expression and how its bytes map to a source. locate NULL: no place is known.
struct cel_text {
    struct str text;
    struct place (*locate)(void *user, uint32_t at, uint32_t len);
    void *user;
};

// `vars.NAME` while an expression is compiled: an expression added before.
struct cel_var {
    struct str name;
    uint32_t expr;
};

enum {
    CEL_NO_RISK = 1
}; // flag: reading `risk` is an error

// Parses, checks and compiles one expression. `want` CEL_BOOL refuses what cannot be a truth, CEL_DOUBLE what
// cannot be a number (DYN is taken and checked when run); CEL_DYN takes all. All independent mistakes go to
// `diags`; the error returned is the first one's. *expr is UINT32_MAX on failure.
MUST_USE enum pdp_err cel_add(struct cel_program *program, const struct cel_text *text, enum cel_type want,
                              const struct cel_var *vars, size_t var_count, uint32_t flags,
                              struct diags *diags, uint32_t *expr);
// Joins expressions that are already there: all of them true (`every`), or any of them. Zero
// expressions give true, or false. Three-valued as && and ||; no place in any text.
MUST_USE enum pdp_err cel_join(struct cel_program *program, bool every, const uint32_t *exprs, size_t count,
                               uint32_t *expr);
// The negation of an expression.
MUST_USE enum pdp_err cel_negate(struct cel_program *program, uint32_t inner, uint32_t *expr);
// After this nothing can be added, and frames can be made. Orders nodes, counts uses.
MUST_USE enum pdp_err cel_seal(struct cel_program *program);

// Does the expression read an attribute whose path is `path` or starts with `path.`?
bool cel_reads(const struct cel_program *program, uint32_t expr, struct str path);
// Is it, at load time already, certainly this truth? UNSURE where it depends on the question.
enum truth cel_constant(const struct cel_program *program, uint32_t expr);
// What it is for every question; NULL where it depends on the question.
const struct value *cel_constant_value(const struct cel_program *program, uint32_t expr);
// Is the whole expression the name of an attribute? *slot is it.
bool cel_is_attr(const struct cel_program *program, uint32_t expr, uint32_t *slot);
// How large attributes are taken to be, where nothing says how large they are.
struct cel_sizes {
    uint32_t items; // elements of a list, entries of a map
    uint32_t inner; // the same of those that lie within
    uint32_t parts; // elements and entries at all depths together
    uint32_t bytes; // of a text
    uint32_t text;  // of all texts in a list or map together
};
extern const struct cel_sizes CEL_SIZES; // what cel_bound_check takes

// No evaluation of the expression alone takes more steps, as long as attributes are no larger than `sizes`
// (NULL: CEL_SIZES). What the program remembers counts once. Saturates. Before seal.
struct cel_bound {
    uint64_t steps;
    uint64_t worst_steps; // of the walk below
    struct place worst;   // the innermost walk that takes most of them; src NULL: none does
};
MUST_USE enum pdp_err cel_bound(struct cel_program *program, uint32_t expr, const struct cel_sizes *sizes,
                                struct cel_bound *out);
// Reports LIMIT where the expression may take more steps than a question has, with `before` on top of its
// own:
// "`what` may take …". *steps is the sum, UINT64_MAX where another error is returned, which is not reported.
MUST_USE enum pdp_err cel_bound_check(struct cel_program *program, uint32_t expr, uint64_t before,
                                      struct place place, struct str what, struct diags *diags,
                                      uint64_t *steps);
// Stable, readable text of an expression's program, for `compile --print` and tests.
void cel_print(const struct cel_program *program, uint32_t expr, struct buf *out);

// Do all patterns run as machine code? Where the system forbids it they are interpreted, more slowly.
bool cel_jit(const struct cel_program *program);

// What must hold for an expression to be other than no: conjuncts that an index can use.
enum cel_key_op {
    CEL_KEY_EQ,
    CEL_KEY_IN,
    CEL_KEY_PREFIX,
    CEL_KEY_PART, // the text holds it somewhere
    CEL_KEY_HAS,  // the list of the attribute holds one of them
};
struct cel_key {
    enum cel_key_op op;
    uint32_t group; // of alternatives: keys in a row with one group and one slot, any of which must hold
    uint32_t slot;  // see cel_slot_*
    const struct value *values; // STRINGs; one for EQ, PREFIX and PART; in the program's memory. NULL: `text`
    size_t count;
    struct str text; // likewise
};
// Writes at most `most` keys of the conjunctive top of `expr`; returns how many. An attribute that is
// missing or mistyped makes such a conjunct unsure, not no: the index needs its bucket for that. For HAS
// anything but a list is mistyped, though a map may answer too.
size_t cel_keys(const struct cel_program *program, uint32_t expr, struct cel_key *out, size_t most);
// The slot of an attribute path for use by an index (created if no expression reads it; before seal).
MUST_USE enum pdp_err cel_slot(struct cel_program *program, struct str path, uint32_t *slot);

// ---- Slots: attributes that the program reads --------------------------------------------------

struct cel_slot_info {
    struct str path;    // whole, `context.client.auth`
    struct str rest;    // what follows the declared attribute or root: `client.auth`; may be empty
    uint32_t id;        // the declaration's id
    enum cel_type type; // as declared; DYN for fields of open roots
    // Of a Schema, where it declares this very attribute; NULL otherwise.
    const struct cel_schema *schema;
    uint32_t max_items, max_bytes; // the Schema's; 0: nothing is said
    bool sensitive;                // it, something above it or something in it is marked so
};
size_t cel_slot_count(const struct cel_program *program);
const struct cel_slot_info *cel_slot_at(const struct cel_program *program, uint32_t slot);
// The one way in which the value of an attribute is shown to people, in at most `most` bytes: as value_print
// has it, or CEL_MASK where the attribute is sensitive.
#define CEL_MASK "***"
void cel_slot_show(const struct cel_program *program, uint32_t slot, const struct value *value, size_t most,
                   struct buf *out);

// ---- Running -----------------------------------------------------------------------------------

struct cel_frame;

// What an expression asks of its surroundings. Called at most once a slot and request.
// `resolve` writes the attribute's value, or returns false where it is missing (null counts as missing
// at a declared attribute). A value of another kind than declared is treated as mistyped: an error; so is a
// VALUE_ERROR of kind NONE, which says that something that is no map (its `spare` is what it is) stands where
// a map would lead on to the attribute. A VALUE_ERROR of another kind is passed on as it is: of what the
// attribute is made from, or SAID. `contains` answers for `x in lists.NAME` (`set` is the declaration's id;
// the value is a STRING for strings and countries, an IP for networks, an INT or UINT for AS numbers;
// anything else never reaches it).
struct cel_host {
    bool (*resolve)(void *user, const struct cel_slot_info *slot, struct value *out);
    enum truth (*contains)(void *user, uint32_t set, const struct value *value);
    void *user;
};

// One worker's scratch: memo slots, attribute cache, comprehension stack, match data, JIT stack.
MUST_USE enum pdp_err cel_frame_new(const struct cel_program *program, struct cel_frame **out);
void cel_frame_free(struct cel_frame **frame);
// Starts a request: forgets memos (by a stamp), resets budget, reasons and horizon. `arena` takes
// values made on the way; `host` and `arena` are borrowed until the next begin.
void cel_begin(struct cel_frame *frame, const struct cel_host *host, struct arena *arena, int64_t now_ms);
// Runs one expression. ERROR is unsure; see cel_why. No allocation but from the arena, no clock, no I/O.
struct value cel_run(struct cel_frame *frame, uint32_t expr);
// The same as a truth: YES, NO, or UNSURE for an error or anything that is no bool.
enum truth cel_truth(struct cel_frame *frame, uint32_t expr);
// The value of an attribute by slot, cached as when read by an expression. ERROR: missing or mistyped.
struct value cel_attr(struct cel_frame *frame, uint32_t slot);

// Kinds of error values (value.n) and their detail (value.as.i).
// X(name, text with %s for the detail)
#define CEL_ERROR_LIST(X)                                     \
    X(NONE, "not evaluated")                                  \
    X(MISSING, "missing")           /* detail: slot */        \
    X(MISTYPED, "has another type") /* detail: slot */        \
    X(NO_KEY, "no such key")                                  \
    X(NO_OVERLOAD, "no such overload")                        \
    X(DIVIDE, "divide by zero")                               \
    X(OVERFLOW, "out of range")                               \
    X(INDEX, "index out of bounds")                           \
    X(CONVERT, "cannot be converted")                         \
    X(MATCH_LIMIT, "pattern took too long")                   \
    X(BUDGET, "too much work")                                \
    X(MEMORY, "out of memory")                                \
    X(STALE, "list is stale or missing") /* detail: set id */ \
    X(OTHER, "failed")                                        \
    X(SAID, "cannot be told") /* as.text: the host's words, a C string that lives as long as it */

enum cel_error {
#define X(name, text) CEL_ERROR_##name,
    CEL_ERROR_LIST(X)
#undef X
};

// What an error value is about, for people: "`geo.country` is missing", "`subject.level` is a string,
// expected int", "`lists.leavers` is stale or missing". Text in the arena or static. Off the hot path.
struct str cel_why(const struct cel_frame *frame, const struct value *error);

// Until when what was run since cel_begin cannot change through the passing of time alone, in ms: at every
// time from that of cel_begin up to, but not at, the horizon it gives the same. INT64_MAX where `now` was not
// used, or can turn nothing any more. `false` in *bounded: `now` was used so that nobody can say.
int64_t cel_horizon(const struct cel_frame *frame, bool *bounded);

#endif
