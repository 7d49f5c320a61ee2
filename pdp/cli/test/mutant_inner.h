// SPDX-License-Identifier: Apache-2.0
// What the finders of mutants share.
#ifndef CLI_TEST_MUTANT_INNER_H
#define CLI_TEST_MUTANT_INNER_H

#include "cli/test/mutant.h"

// What stands around what is looked at.
struct find {
    struct mutants *out;
    struct arena *arena; // its own
    struct mutant *list; // of `out`, while it grows
    size_t cap;
    uint32_t file;
    struct str owner;
    bool rule, printed;
    const struct str *strengths; // of the Strengths document, weakest first
    size_t strength_count;
    bool lifts_all;   // an Exception lifts `*`
    enum pdp_err err; // NOMEM: sticky
};

// How a condition stands in a larger one.
enum find_role {
    FIND_WHOLE,    // it is the condition
    FIND_CONJUNCT, // of several that must all hold
    FIND_DISJUNCT, // of several of which one must hold
    FIND_NEGATED,  // a `!` or `not` stands before it
    FIND_INNER     // anywhere else
};

// Bytes as a place of the file that is looked at.
struct place find_place(const struct find *find, uint32_t at, uint32_t end);
// The bytes of a place, as they stand in the file.
struct str find_raw(struct place place);
// For people: one line, not too long, without what would upset a terminal.
struct str find_shown(struct find *find, struct str text);
// Adds one; what it is about is `place`, which is the first edit's own where `src` is NULL.
void find_add(struct find *find, enum mutant_op op, struct place place, const struct mutant_edit *edits,
              uint32_t count, const char *fmt, ...) PRINTF_LIKE(6, 7);
// The same for one edit that replaces a place by a text, which must live as long as the mutants.
void find_swap(struct find *find, enum mutant_op op, struct place place, struct str text, const char *fmt,
               ...) PRINTF_LIKE(5, 6);

// What stands in the place of a condition that is left out, and what that is; false: it cannot be left out
// so.
bool find_left_out(enum find_role role, enum mutant_op *op, struct str *instead);
// A scalar of the document becomes `text`.
void find_scalar(struct find *find, enum mutant_op op, const struct conf_node *node, struct str text,
                 const char *key);
// An entry of a map, or an item of a list, goes; what is left can be read.
struct mutant_edit find_without_entry(const struct conf_node *map, const char *key);
struct mutant_edit find_without_item(const struct conf_node *list, size_t item);
// The first byte of a node and the one behind its last, quotes included.
uint32_t find_start(const struct conf_node *node);
uint32_t find_end(const struct conf_node *node);

// Conditions: as they stand in documents; and one expression.
void find_when(struct find *find, const struct conf_node *node, enum find_role role);
// `truth`: it is one for sure; else that is seen by its form.
void find_expr(struct find *find, const struct conf_node *node, enum find_role role, bool truth);

// One step further or back; an empty text where there is none. In the arena.
struct str find_step_number(struct arena *arena, struct str text, bool up);
struct str find_step_duration(struct arena *arena, struct str text, bool up);
// Twice as long; empty where that is too long.
struct str find_double_duration(struct arena *arena, struct str text);
// A year later or earlier; empty where that is no time.
struct str find_step_year(struct arena *arena, struct str text, bool up);
// What may go wrong within one text: bytes of it that become others. More than fit are left.
struct find_step {
    enum mutant_op op;
    uint32_t at, len;
    struct str instead;
};
struct find_steps {
    struct find_step list[100];
    uint32_t count;
};
void find_step(struct find_steps *out, enum mutant_op op, size_t at, size_t end, struct str instead);
// A regular expression as it is written; `raw`: a backslash needs no other.
void find_pattern(struct str text, bool raw, struct find_steps *out);
// Hours of `within`.
void find_hours(struct arena *arena, struct str text, struct find_steps *out);
// One character less, in front or behind; of a single one, nothing.
void find_shorter(struct str text, bool front, bool back, struct find_steps *out);
// A pattern of `resources`, and the entries of a List.
void find_path(struct find *find, const struct conf_node *item);
void find_list(struct find *find, const struct conf_node *root);

// The neighbour in an order; empty: there is none.
struct str find_step_name(const struct str *names, size_t count, struct str name, bool up);

#endif
