// SPDX-License-Identifier: Apache-2.0
// Holds back answers until what they tell of is durable. One node's own, used by its thread.
#ifndef NODE_GATE_H
#define NODE_GATE_H

#include "node/node.h"

struct gate;

// The journal is borrowed; NULL: nothing is held back. `wake` is called by gate_park where the journal has
// moved on in that very moment: gate_release is then due, although whoever moved it saw nothing held.
MUST_USE enum pdp_err gate_new(const struct journal *journal, void (*wake)(void *user), void *user,
                               struct gate **out);
void gate_free(struct gate **gate);
// Must an answer that waits for this step of the journal (0: for none) be held back now?
bool gate_holds(const struct gate *gate, uint64_t seq);
// Parks the message at hand: `answer` is sent once `seq` is durable, or `refusal` once the store has failed
// to make it so. Texts are copied. Not OK (LIMIT, NOMEM, or CLOSED where it can never be durable): nothing is
// parked, and the handler gives the refusal itself.
MUST_USE enum pdp_err gate_park(struct gate *gate, struct node_asking *asking, uint64_t seq,
                                struct str answer, struct str refusal);
// The same for a message that was parked before; CLOSED, NOMEM: the ticket is the caller's still.
MUST_USE enum pdp_err gate_hold(struct gate *gate, struct node_ticket ticket, uint64_t seq, struct str answer,
                                struct str refusal);
// Sends what need not be held back any longer. To be called whenever the journal has moved on.
void gate_release(struct gate *gate, struct node *node, struct node_now now);
// Any thread. Asked after the journal was settled, it misses nothing that waits for that.
size_t gate_held(const struct gate *gate);

#endif
