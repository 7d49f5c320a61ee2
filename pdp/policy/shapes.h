// SPDX-License-Identifier: Apache-2.0
// The shapes of the documents that are read here, each over the tables of its own reader.
#ifndef POLICY_SHAPES_H
#define POLICY_SHAPES_H

#include "conf/shape.h"

extern const struct conf_shape SHAPE_POLICY, SHAPE_STRENGTHS, SHAPE_LIST, SHAPE_DEFINITIONS, SHAPE_EXCEPTION,
    SHAPE_SCHEMA, SHAPE_SCOPE, SHAPE_COUNTER, SHAPE_ENTITIES;
// Of `metadata`, that every kind has; and what several kinds have below a key.
extern const struct conf_shape SHAPE_METADATA, SHAPE_REQUIRE, SHAPE_ROLLOUT, SHAPE_OBLIGATION;

// Of every kind that is read here: all but SessionPolicy and RiskModel.
const struct conf_shape *const *policy_shapes(size_t *count);

#endif
