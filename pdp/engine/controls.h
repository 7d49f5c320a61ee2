// SPDX-License-Identifier: Apache-2.0
// Controls as the engine holds them: made, published to all workers at once, listed, tidied.
#ifndef ENGINE_CONTROLS_H
#define ENGINE_CONTROLS_H

#include "engine/engine.h"
#include "session/controls.h"

// Makes a control of `spec` under the next number, not in force yet. As control_new.
MUST_USE enum pdp_err engine_control_make(struct engine *engine, struct control *spec, struct control **out,
                                          const char **why);
// A row for the journal, with that of the last number; *seq as journal_add. With `erase` it is taken out.
// Nothing to do without a journal: *seq 0. BUSY, NOMEM: nothing was noted.
MUST_USE enum pdp_err engine_control_note(struct engine *engine, const struct control *control, bool erase,
                                          uint64_t *seq);
// Puts controls in force for every decision begun from now on: those given, beside all that are; one with the
// number of another replaces it. LIMIT, NOMEM: nothing has changed. Any thread; never blocks a decision.
// Cost: linear in the number of controls.
MUST_USE enum pdp_err engine_controls_add(struct engine *engine, struct control *const *controls,
                                          size_t count);
// Takes one out of force. UNKNOWN: there is none of this number. *was is held for the caller.
MUST_USE enum pdp_err engine_control_remove(struct engine *engine, uint64_t number, struct control **was);
// Takes those that have expired out, and frees what no worker holds any more.
void engine_controls_tidy(struct engine *engine, int64_t now_ms);

// What was written, before anything is asked: row by row, then all at once. CORRUPT, UNSUPPORTED, NOMEM.
struct controls_load {
    struct control **at;
    size_t count, cap;
};
MUST_USE enum pdp_err controls_load_row(struct controls_load *load, struct engine *engine, struct str key,
                                        struct str value);
MUST_USE enum pdp_err controls_load_end(struct controls_load *load, struct engine *engine); // empties it
void controls_load_drop(struct controls_load *load);

// Every control in force, by number, from number `from` on, while `each` says so. Texts live for the call.
void engine_controls_each(struct engine *engine, uint64_t from,
                          bool (*each)(void *user, const struct control *control), void *user);
// Tells gateways to drop what they keep, where something has changed that is no control.
void engine_controls_tell(struct engine *engine);
// Does this role bring the other along, by what serves?
bool engine_role_brings(struct engine *engine, struct worker *worker, struct str role, struct str other);
size_t engine_controls_count(struct engine *engine);
uint64_t engine_controls_epoch(const struct engine *engine); // rises with every change
// Do the policies that serve define this strength?
bool engine_has_strength(struct engine *engine, struct worker *worker, struct str name);
// Around the publication of a snapshot: what is muted is muted in it from its first decision.
void engine_controls_before(struct engine *engine, const struct snapshot *soon);
void engine_controls_after(struct engine *engine);
// Does what serves know the rule or policy, or the signal?
bool engine_knows(struct engine *engine, struct worker *worker, const struct control_target *target);
// Puts what is undone in force in place of what was so far; controls_lock is held. NULL inside: nothing is.
// Takes it; on failure (NOMEM) nothing has changed.
struct undo;
MUST_USE enum pdp_err engine_controls_undo(struct engine *engine, struct undo **undo);
void engine_controls_free(struct engine *engine); // with the engine

struct control_mutes;
struct snapshot;
// What the mutes in force mean for a snapshot that is not served: out->rules is the caller's to free.
MUST_USE enum pdp_err engine_mutes_of(struct engine *engine, const struct snapshot *snapshot,
                                      struct control_mutes *out);

#endif
