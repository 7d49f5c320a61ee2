// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/shapes.h"

#include "cli/test/shapes.h"
#include "policy/shapes.h"
#include "risk/shapes.h"
#include "session/shapes.h"

enum pdp_err shapes_all(struct arena *arena, struct shapes *out)
{
    *out = (struct shapes){0};
    const struct conf_shape *risk = NULL;
    size_t count = 0;
    const struct conf_shape *const *policy = policy_shapes(&count);
    TRY(risk_shapes(arena, &risk));
    for (size_t i = 0; i < count && out->count < SHAPES_MOST; i++) {
        out->list[out->count++] = policy[i];
    }
    const struct conf_shape *others[] = {&SHAPE_SESSION_POLICY, risk, &SHAPE_TEST, &SHAPE_SCENARIO,
                                         &SHAPE_GIVEN};
    for (size_t i = 0; i < COUNT_OF(others) && out->count < SHAPES_MOST; i++) {
        out->list[out->count++] = others[i];
    }
    return PDP_ERR_OK;
}

const struct conf_shape *shapes_of(const struct shapes *shapes, const struct conf_node *root)
{
    const struct conf_node *kind = conf_get(root, "kind");
    bool text = kind != NULL && kind->kind == CONF_SCALAR;
    return text ? shape_named(shapes->list, shapes->count, kind->text) : NULL;
}
