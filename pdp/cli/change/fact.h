// SPDX-License-Identifier: Apache-2.0
// What a policy folder says, as named facts that can be compared one by one: files, order, layout and names
// of variables are in none.
#ifndef CLI_CHANGE_FACT_H
#define CLI_CHANGE_FACT_H

#include "cli/change/same.h"
#include "engine/watch.h"
#include "policy/conditions.h"
#include "policy/set.h"

// X(name, word for people)
#define FACT_KIND_LIST(X)         \
    X(POLICY, "policy")           \
    X(RULE, "rule")               \
    X(EXCEPTION, "exception")     \
    X(STRENGTH, "strength")       \
    X(LIST, "list")               \
    X(ROLE, "role")               \
    X(COUNTER, "counter")         \
    X(SESSION, "session policy")  \
    X(RISK, "risk model")         \
    X(SIGNAL, "signal")           \
    X(SCHEMA, "schema attribute") \
    X(ENTITIES, "entities")       \
    X(SCOPE, "scope")             \
    X(SEQUENCE, "order")          \
    X(ZONE, "time zone")

enum fact_kind {
#define X(name, word) FACT_##name,
    FACT_KIND_LIST(X)
#undef X
    FACT_KIND_COUNT
};
const char *fact_word(enum fact_kind kind);

// How a fact is compared.
enum fact_form {
    FACT_TEXT, // by its text
    FACT_EXPR, // by what the condition means
    FACT_SET,  // by its members
    FACT_ORDER // by the order of those members that both have
};

struct fact {
    enum fact_kind kind;
    struct str name;
    const char *aspect; // `condition`, `effect`
    enum fact_form form;
    bool words;      // no question gets another effect by it
    uint32_t expr;   // of FACT_EXPR
    struct str text; // for people
    const struct str *members;
    uint32_t member_count;   // of FACT_SET, sorted, each once; of FACT_ORDER in order
    const uint32_t *numbers; // of FACT_SEQUENCE: of its members, in their own table
    uint32_t number;         // of a rule, exception, strength, list … in its own table
};

// One of the two that are compared. The conditions as written are there where the snapshot was built with
// them.
struct side {
    struct snapshot_parts parts;
    struct same same;
    struct fact *facts; // by kind, name and aspect
    size_t count, cap;
    struct arena arena; // of facts
    bool failed;
};

MUST_USE enum pdp_err side_init(struct side *side, const struct snapshot *snapshot);
void side_fini(struct side *side);

// Adds one; what it holds is the side's or lives as long.
void fact_add(struct side *side, struct fact fact);
// The same with text made from a format.
void fact_addf(struct side *side, struct fact fact, const char *fmt, ...) PRINTF_LIKE(3, 4);
// A condition as it is written, in one line; else as the program has it. `name` as policy_condition has it.
struct str fact_condition(struct side *side, enum policy_owner owner, struct str name, uint32_t expr);
// As the program has it, with all that its Scopes say.
struct str fact_program(struct side *side, uint32_t expr);
// A number by which no other is shown, and a span of time likewise: what looks the same is the same.
void fact_number(struct buf *out, double number);
// As an answer carries it, whatever is not the same being another text: 1 and 1.0.
void fact_value(struct buf *out, const struct value *value);
void fact_span(struct buf *out, int64_t ms);
// The same with what a buffer holds, which is then empty.
void fact_add_buf(struct side *side, struct fact fact, struct buf *text);
// Members of a list, as texts; false where memory is out.
bool fact_members(struct side *side, const struct lists_set *set, struct str **out, uint32_t *count);

// fact_rules.c: what policies say.
void facts_of_policies(struct side *side);
#define FACT_ORDER_EXCEPTIONS "of exceptions"
// fact_order.c: in which order answers name what decides.
void facts_of_order(struct side *side);
// May an answer of that effect show the order of that fact, by its rules? (of exceptions: false)
bool fact_order_shows(struct str name, enum pdp_effect effect);

// fact_rest.c: what is no policy.
void facts_of_lists(struct side *side);
void facts_of_sessions(struct side *side);
void facts_of_risk(struct side *side);
void facts_of_schema(struct side *side);
void facts_of_entities(struct side *side);

#endif
