// SPDX-License-Identifier: Apache-2.0
// The shape of a SessionPolicy, over the tables of its reader.
#ifndef SESSION_SHAPES_H
#define SESSION_SHAPES_H

#include "conf/shape.h"

extern const struct conf_shape SHAPE_SESSION_POLICY;

#endif
