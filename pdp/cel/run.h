// SPDX-License-Identifier: Apache-2.0
// Parts of the runner that live in files of their own.
#ifndef CEL_RUN_H
#define CEL_RUN_H

#include "cel/frame.h"

struct value run_has_slot(struct cel_frame *frame, const struct node *node);
struct value run_field(struct cel_frame *frame, const struct node *node);
struct value run_list(struct cel_frame *frame, const struct node *node);
struct value run_map(struct cel_frame *frame, const struct node *node);
struct value run_comp(struct cel_frame *frame, const struct node *node);

struct value run_some(struct cel_frame *frame, struct value value); // optional.of
static inline struct value run_none(void)
{
    return (struct value){.kind = VALUE_OPTIONAL};
}

#endif
