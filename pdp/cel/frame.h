// SPDX-License-Identifier: Apache-2.0
// One worker's scratch, and what the library functions need of it.
#ifndef CEL_FRAME_H
#define CEL_FRAME_H

#include "cel/program.h"

struct frame_cached {
    struct value value;
    uint64_t stamp; // of the request it belongs to
};

struct cel_frame {
    const struct cel_program *program;
    const struct node *nodes;
    const uint32_t *args;
    const struct value *consts;
    struct frame_cached *slots, *memos;
    struct value *locals;
    uint64_t stamp;
    const struct cel_host *host;
    struct arena *arena;
    int64_t now_ms, horizon_ms;
    bool unbounded;
    bool folding; // the program's own frame while it is built
    uint32_t steps;
    struct regex_scratch *regex;
    struct value *locals_own;
    uint32_t locals_cap;
};

// Runs a node. Recursion is bounded by the node's height.
struct value run_node(struct cel_frame *frame, uint32_t id);
// The frame that folds constants: no slots, no host.
MUST_USE enum pdp_err frame_new_fold(const struct cel_program *program, struct cel_frame **out);
// Runs a node that needs no question; results live in program->folding. ERROR BUDGET: too much for here.
struct value frame_fold(struct cel_program *program, uint32_t id);
struct value frame_slot(struct cel_frame *frame, uint32_t slot);

static inline struct value frame_error(enum cel_error kind, int64_t detail)
{
    return (struct value){.kind = VALUE_ERROR, .n = (uint32_t)kind, .as.i = detail};
}

// Why the value of an attribute that a Schema declares is mistyped though its kind may be right: what stands
// in an error's `spare` in place of a kind.
enum attr_fault {
    ATTR_UNREADABLE = 0x100, // text (or a number) that is no timestamp, duration or ip
    ATTR_VALUE,              // none of the texts of its enum
    ATTR_ITEMS,              // more than max_items
    ATTR_BYTES,              // longer than max_bytes
    ATTR_MEMORY,
};

// Reads a question's value as its Schema declares it, in place; what it points to is in `arena`. Returns the
// value's kind then, which may still not be the declared one, or an attr_fault. Hot path: no search but
// through the texts of an enum.
uint16_t attr_read(struct arena *arena, const struct cel_slot_info *info, struct value *v);

// Takes steps off the budget; false: it is used up.
static inline bool frame_spend(struct cel_frame *frame, size_t steps)
{
    if (__builtin_expect(frame->steps < steps, 0)) {
        frame->steps = 0;
        return false;
    }
    frame->steps -= (uint32_t)steps;
    return true;
}

static inline struct value frame_no_overload(enum func_id func, const struct value *args, uint32_t count)
{
    struct value error = frame_error(CEL_ERROR_NO_OVERLOAD, func);
    error.flag = count > 0 ? args[0].kind : 0;
    error.spare = count > 1 ? args[1].kind : 0;
    return error;
}

// Memory for a result, paid for in steps; NULL with *error set where it is out.
void *frame_alloc(struct cel_frame *frame, size_t bytes, size_t align, struct value *error);

// Equality as CEL has it: across number types, deep; NaN is not itself. Costs steps; false where they are
// used up, which the caller sees by frame->steps being 0.
bool cmp_equal(struct cel_frame *frame, const struct value *a, const struct value *b);
// Order of two values of one ordered kind, or two numbers: -1, 0, 1; 2: NaN, nothing holds; 3: no order.
int cmp_order(const struct value *a, const struct value *b);
// The entry of a map under a key, across number types; NULL: none.
const struct value *cmp_find(const struct value *map, const struct value *key);

// Durations are kept within what 64 bits of nanoseconds hold.
bool time_to_nanos(const struct value *duration, int64_t *nanos);
struct value time_of_nanos(int64_t nanos);
// Milliseconds from now until left and right meet, if left gains on right (right gains on left: negate);
// the first millisecond at which `left op right` may differ. INT64_MAX: never.
int64_t time_crossing(const struct value *left, const struct value *right, enum func_id func, int side);
// As string() spells a value; false where it has no such spelling.
bool conv_print(struct buf *out, const struct value *v);
void conv_print_double(struct buf *out, double d);
// A text value of what the buffer holds, in the request's arena.
struct value conv_keep(struct cel_frame *frame, struct buf *buf);

#endif
