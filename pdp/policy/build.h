// SPDX-License-Identifier: Apache-2.0
// What the readers of documents share while a set is built.
#ifndef POLICY_BUILD_H
#define POLICY_BUILD_H

#include "policy/conditions.h"
#include "policy/networks.h"
#include "policy/set.h"

struct entities_named; // what Entities documents name, until they are in order

// Variables that conditions may read, in the order in which they were made.
struct build_vars {
    struct cel_var *list;
    size_t count;
};

// What one exception names.
struct build_lifted {
    bool all;
    uint32_t *rules;
    uint32_t count;
};

// Conditions as they are written, as far as they were read.
struct build_conditions {
    struct policy_condition *list;
    size_t count, cap;
    enum policy_owner owner; // of what is read now
    struct str name, policy;
    uint32_t parent;
    bool values; // what is read now is no condition, whatever it can be
};

struct build {
    struct policy_set *set;
    const struct policy_names *names;
    struct cel_program *program;
    const struct policy_files *files;
    struct arena *arena;
    struct diags *diags;
    enum pdp_err first; // the first mistake; reading goes on to find the others
    uint32_t hard;      // the conjunct of terminate rules that read `risk`; SET_NO_EXPR: not compiled yet
    struct table obligations; // by their text
    uint32_t obligation_cap;
    struct build_vars shared;            // of Definitions
    struct table shared_names;           // theirs
    const struct conf_node **role_nodes; // what each role brings along, as it stands in a document
    struct build_lifted *lifted;         // of each exception
    struct str *near_names;              // of rules, for who misspells one; NULL: nobody has yet
    size_t near_count, near_asked;
    struct table rule_names; // made where there are exceptions
    struct policy_lists *lists;
    size_t network_count;               // lists that say a class of network
    const struct conf_doc **scope_docs; // of each scope
    struct entities_named *entities;
    size_t entity_count;
    struct build_conditions conditions;
};

// What every document has; CONF_ANY fields are checked by policy_names_read.
struct build_head {
    const struct conf_node *version, *kind, *metadata;
};
#define BUILD_HEAD_FIELDS                                                                                    \
    {"apiVersion", CONF_ANY, false, offsetof(struct build_head, version),                                    \
     NULL,         0,        0,     "version of the language: pdp/v1"},                                      \
        {"kind", CONF_ANY, false, offsetof(struct build_head, kind), NULL, 0, 0, "what the document holds"}, \
    {                                                                                                        \
        "metadata", CONF_ANY, false, offsetof(struct build_head, metadata), NULL, 0, 0,                      \
            "name, owner, description, labels"                                                               \
    }

// Notes an error that was reported already.
void build_note(struct build *build, enum pdp_err err);
// Reports one: at `place`, with `hint` where it is not NULL.
void build_fail(struct build *build, enum pdp_err err, struct place place, const char *hint, const char *fmt,
                ...) PRINTF_LIKE(5, 6);
// "did you mean `x`?" for the error reported last.
void build_hint_near(struct build *build, struct str given, const struct str *names, size_t count);
// A copy in the set's arena; memory that is out is noted.
struct str build_copy(struct build *build, struct str text);
// `count` zeroed things (at least one), or NULL with memory noted.
void *build_array(struct build *build, size_t count, size_t bytes);
// Text of a node for a message: escaped, cut.
struct str build_shown(struct build *build, struct str text);
// What a node says, as a value in the set's arena: plain scalars are what they look like, quoted ones text.
struct value build_value(struct build *build, const struct conf_node *node);
// The place of a key in a map.
struct place build_key_place(const struct conf_node *map, const char *key);
// The name of a document, empty where it has none that is well-formed.
struct str build_doc_name(const struct conf_doc *doc);

// One kind of document each. Mistakes are reported and noted.
void read_strengths(struct build *build, const struct conf_doc *doc);
void read_list(struct build *build, const struct conf_doc *doc);
void read_definitions(struct build *build, const struct conf_doc *doc);
void read_policy(struct build *build, const struct conf_doc *doc);
void read_exception(struct build *build, const struct conf_doc *doc);
void read_counter(struct build *build, const struct conf_doc *doc);
void read_entities(struct build *build, const struct conf_doc *doc);
// Rules that a Policy document will take, with the one that closes it.
size_t read_policy_rules(const struct conf_doc *doc);

// Adds the shared variables and the names of roles that a Definitions document may have, at most.
void definitions_count(const struct conf_doc *doc, size_t *variables, size_t *roles);
// After the last of them: what roles bring along in turn; one that leads back to itself is refused.
void definitions_close(struct build *build);
// Room for exceptions; after the last of them: which ones lift each rule.
void exceptions_reserve(struct build *build, size_t count);
void exceptions_close(struct build *build);

// Room for what Entities documents name; after the last of them: all in order, each once.
MUST_USE enum pdp_err entities_reserve(struct build *build, const struct conf_doc *docs, size_t count);
void entities_close(struct build *build);

// `shadow:` or `rollout:` of a policy or a rule (`map`), which is called `name`, to a number;
// SET_NO_ROLLOUT where it has neither.
uint32_t rollout_read(struct build *build, const struct conf_node *map, struct str name);
// How many a Policy document may have, at most.
size_t rollouts_count(const struct conf_doc *doc);

// Finds the scopes, and refuses documents below one that hold for everybody; after the last was read: what
// each means with those that it stands in.
MUST_USE enum pdp_err scopes_reserve(struct build *build, const struct conf_doc *docs, size_t count);
void read_scope(struct build *build, const struct conf_doc *doc);
void scopes_close(struct build *build);
// The innermost scope of a document; SET_NO_SCOPE: none.
uint32_t scope_of(const struct build *build, const struct conf_doc *doc);
// Is `scope` the scope `inner`, or one that it stands in?
bool scope_holds(const struct policy_set *set, uint32_t scope, uint32_t inner);
// A condition with all that its scopes say.
uint32_t scope_join(struct build *build, uint32_t scope, uint32_t expr);
// Refuses an effect at `place` that one of the scopes leaves out: "WHAT `deny`, which the Scope …".
void scope_check_effect(struct build *build, uint32_t scope, enum pdp_effect effect, struct place place,
                        const char *what);
// Where the scope is, for the error reported last.
void scope_hint(const struct build *build, uint32_t scope, const char *what);

// Whose the conditions are that are read next.
void conditions_of(struct build *build, enum policy_owner owner, struct str name, struct str policy);
// A list of conditions in a document, from here until it is closed with what it compiled to. `own` is what
// was given when it was opened.
uint32_t conditions_open(struct build *build, enum cel_part_op op, struct str text, struct place place);
void conditions_close(struct build *build, uint32_t own, uint32_t expr);
// An expression that compiled to `whole`, with its parts; `places` are those of its text.
void conditions_expr(struct build *build, struct str text, struct conf_places *places, uint32_t whole,
                     const struct build_vars *vars);

// `when` in both forms to one expression. SET_NO_EXPR with the error noted.
uint32_t when_read(struct build *build, const struct conf_node *node, const struct build_vars *vars);
// One expression.
uint32_t when_expr(struct build *build, const struct conf_node *node, enum cel_type want,
                   const struct build_vars *vars);
// Refuses what may take more steps than a question has, with those of a target `before` on top: `what` as
// "rule `web/slow`". Returns the steps; 0 for no expression.
uint64_t when_bound(struct build *build, uint32_t expr, uint64_t before, struct place place, const char *what,
                    struct str name);
// `variables:`, each may read those before it.
void when_vars(struct build *build, const struct conf_node *map, struct build_vars *vars);

// `require:` of a step_up or an exception.
void require_read(struct build *build, const struct conf_node *node, uint32_t *strength, int64_t *max_age_s);

// `obligations:` to numbers.
void obligations_read(struct build *build, const struct conf_node *list, const uint32_t **out,
                      uint32_t *count);

#endif
