// SPDX-License-Identifier: Apache-2.0
// The shape of a RiskModel, over the tables of its readers.
#ifndef RISK_SHAPES_H
#define RISK_SHAPES_H

#include "conf/shape.h"

extern const struct conf_shape SHAPE_OWN; // of a signal of `own`

// Signals differ in their keys, so the shape is made, in `arena`. NULL on failure.
MUST_USE enum pdp_err risk_shapes(struct arena *arena, const struct conf_shape **out);

#endif
