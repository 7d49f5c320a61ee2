// SPDX-License-Identifier: Apache-2.0
// Values of a recording as YAML in flow, as `pdpctl fmt` has it. Whatever a text holds, what is read back is
// the same: characters that YAML refuses or folds, and marks that turn text around, are written as escapes.
#ifndef CLI_CHANGE_SCENARIO_TEXT_H
#define CLI_CHANGE_SCENARIO_TEXT_H

#include "base/buf.h"
#include "model/value.h"

void scenario_text(struct buf *out, struct str text);
void scenario_value(struct buf *out, const struct value *value);
// A text behind `#`: one line.
void scenario_comment(struct buf *out, struct str text);

#endif
