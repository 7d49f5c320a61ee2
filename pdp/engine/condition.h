// SPDX-License-Identifier: Apache-2.0
// Conditions that analysts type: checked, and asked of what the records of sessions tell.
#ifndef ENGINE_CONDITION_H
#define ENGINE_CONDITION_H

#include "engine/engine.h"
#include "session/controls.h"

// Does what serves understand a condition, and may a question afford it beside those of the locks that hold?
// Else each mistake with its place goes to `diags`. *always: it is true whatever is asked.
MUST_USE enum pdp_err engine_condition_check(struct engine *engine, struct worker *worker, struct str text,
                                             struct diags *diags, bool *always);
// Does a snapshot that is to serve understand the conditions of all locks that hold? Else which do not, and
// why, goes to `diags`, by their names.
bool engine_conditions_fit(struct engine *engine, const struct snapshot *snapshot, struct diags *diags);

// Asking a condition of records, under the policies that serve: begin, any number of records, end. What a
// record does not tell is missing. The worker's alone meanwhile; no decision may be asked of it.
struct condition_scan;
MUST_USE enum pdp_err condition_scan_begin(struct worker *worker, struct str text, int64_t now_ms,
                                           struct condition_scan **out);
enum truth condition_scan_ask(struct condition_scan *scan, const struct session_view *view);
void condition_scan_end(struct condition_scan **scan);

// Inside of the engine. Adds one to a program; *steps is what those before it may take, and becomes that with
// it.
MUST_USE enum pdp_err condition_add(struct cel_program *program, struct str text, uint64_t *steps,
                                    struct diags *diags, uint32_t *expr);

#endif
