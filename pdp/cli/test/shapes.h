// SPDX-License-Identifier: Apache-2.0
// The shapes of documents of tests, over the tables of their readers.
#ifndef CLI_TEST_SHAPES_H
#define CLI_TEST_SHAPES_H

#include "conf/shape.h"

extern const struct conf_shape SHAPE_TEST, SHAPE_SCENARIO, SHAPE_GIVEN;
// Parts of both.
extern const struct conf_shape SHAPE_TEST_METADATA, SHAPE_PLACE, SHAPE_EXPECT, SHAPE_MATRIX, SHAPE_ORDER;

#endif
