// SPDX-License-Identifier: Apache-2.0
// The shapes of all kinds of documents, in the order in which they are shown.
#ifndef CLI_EDIT_SHAPES_H
#define CLI_EDIT_SHAPES_H

#include "conf/shape.h"

#define SHAPES_MOST 16

struct shapes {
    const struct conf_shape *list[SHAPES_MOST];
    size_t count;
};

// What is not constant is made in `arena`. Empty on failure.
MUST_USE enum pdp_err shapes_all(struct arena *arena, struct shapes *out);
// The shape of a document's kind; NULL where it names none.
const struct conf_shape *shapes_of(const struct shapes *shapes, const struct conf_node *root);

#endif
