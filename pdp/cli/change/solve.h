// SPDX-License-Identifier: Apache-2.0
// Makes a question for which a condition is likely yes, or no: by walking its graph from the top and giving
// each attribute a value that its test wants. Guesses; whoever asks has to decide the question and look.
#ifndef CLI_CHANGE_SOLVE_H
#define CLI_CHANGE_SOLVE_H

#include "cli/change/fact.h"
#include "cli/change/trial.h"

#define SOLVE_LOCAL "\001" // begins the name of a variable of a walk

struct solver {
    struct trial *trial;
    struct luck *luck;
    const struct side *side; // whose program it walks
    uint32_t focus_list;     // of this list, by its number, only these entries are taken; UINT32_MAX: of none
    const struct str *focus;
    uint32_t focus_count;
    bool fixed_now;  // the time of the question stays as it is
    uint32_t budget; // nodes that may still be walked
};

// `expr` SAME_NO_EXPR is yes already.
void solve(struct solver *solver, uint32_t expr, bool yes);
// Attributes that are held against a constant; returns how many, at most `most`.
struct solve_test {
    struct str path;
    struct value value;
    bool element; // it is looked for in the attribute, a list
};
size_t solve_tests(struct solver *solver, uint32_t expr, struct solve_test *out, size_t most);
// Gives the attribute that value, or one beside it.
void solve_meet(struct solver *solver, const struct solve_test *test);
// The path that a pattern of resources stands for, with something in the place of each `*`.
struct str solve_path(struct solver *solver, struct str pattern);
// A value of an attribute's type, as a Schema or the language declares it.
struct value solve_sample(struct solver *solver, const struct cel_slot_info *info);
// A score, from 0 to 100, told by a finding from outside: as far as the model lets one reach it.
void solve_score(struct solver *solver, double score);
// The name of what a node reads: an attribute, a field of it, or of a variable of a walk. Empty: it is more.
struct str solve_name(struct solver *solver, uint32_t id);
// solve_walk.c: what stands below a node, each attribute once; `left` nodes at most are walked.
#define SOLVE_NODES_MOST 3000
struct solve_walk {
    const struct cel_program *program;
    uint32_t *slots;
    size_t slot_count, slot_most;
    const struct value **consts;
    size_t const_count, const_most;
    uint32_t list; // looked for
    bool asks;
    uint32_t left;
};
void solve_walk_node(struct solve_walk *walk, uint32_t id);
// solve_pick.c: the value moved by nothing (way 0), by the least that counts, or by far, below (-1) or above
// (1). Of a double the least is one that can be read.
struct value solve_moved(struct solver *solver, const struct value *value, int way);
// Another than this one, of its kind; where its kind has no other, the same.
struct value solve_other(struct solver *solver, const struct value *value);
// An address of a network: its first, its last, or one between.
struct str solve_inside(struct solver *solver, const struct cidr *network);
// solve_text.c: a text that a pattern likely matches, or just does not.
struct str solve_text(struct arena *arena, struct luck *luck, struct str pattern);
// solve_edge.c: gives one of the attributes of an expression a value at the edges of what it may be.
void solve_edge(struct solver *solver, uint32_t expr);
// Gives an attribute a value by its name; what no question says is arranged otherwise.
void solve_put(struct solver *solver, struct str path, struct value value);
// Slots that an expression reads, each once; returns how many, at most `most`. Lists that it asks likewise.
size_t solve_slots(const struct cel_program *program, uint32_t expr, uint32_t *out, size_t most);
bool solve_asks_list(const struct cel_program *program, uint32_t expr, uint32_t list);

#endif
