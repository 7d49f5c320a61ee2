// SPDX-License-Identifier: Apache-2.0
// The operands of a node of a program, however they are kept.
#ifndef LINT_GRAPH_H
#define LINT_GRAPH_H

#include "cel/program.h"

struct graph_operands {
    uint32_t own[3];
    const uint32_t *at; // own, or in the program: each may bear NODE_OPTIONAL
    uint32_t count;
};

// Those that have nodes as operands, all of them; a comprehension's are its range, its test and its result.
// `out` must stay where it is.
void graph_operands(const struct cel_program *program, const struct node *node, struct graph_operands *out);

// Is it one of `risk.signals`, asked for by name? *name is empty where that is not known before it runs.
bool graph_signal(const struct cel_program *program, const struct node *node, struct str *name);

#endif
