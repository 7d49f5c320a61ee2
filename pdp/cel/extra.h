// SPDX-License-Identifier: Apache-2.0
// What the conformance tests need beyond policies: containers, declared functions, untyped mode.
#ifndef CEL_EXTRA_H
#define CEL_EXTRA_H

#include "cel/types.h"

struct extra_func {
    struct str name;
    const struct type *result;
    const struct type *const *params; // type parameters are T_PARAM with ids from 0
    uint32_t count;
};

// Beside a cel_env; its attributes are then plain variables, whatever their path.
struct cel_extra {
    struct str container;
    const struct type *const *attr_types; // parallel to env->attrs
    const struct extra_func *funcs;
    size_t func_count;
    bool untyped; // no check: what is wrong fails when run
    bool no_macros;
    const struct type *deduced; // out, of the expression added last; in the program's memory
};

// Before the first cel_add. Borrowed until the program is freed.
void cel_set_extra(struct cel_program *program, struct cel_extra *extra);

#endif
