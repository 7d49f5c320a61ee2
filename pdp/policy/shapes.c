// SPDX-License-Identifier: Apache-2.0
#include "policy/shapes.h"

static const struct conf_shape *const SHAPES[] = {&SHAPE_POLICY,      &SHAPE_STRENGTHS, &SHAPE_LIST,
                                                  &SHAPE_DEFINITIONS, &SHAPE_EXCEPTION, &SHAPE_SCHEMA,
                                                  &SHAPE_SCOPE,       &SHAPE_COUNTER,   &SHAPE_ENTITIES};

const struct conf_shape *const *policy_shapes(size_t *count)
{
    *count = COUNT_OF(SHAPES);
    return SHAPES;
}
