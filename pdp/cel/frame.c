// SPDX-License-Identifier: Apache-2.0
// HOT
#include "cel/frame.h"
#include "cel/regex.h"

#include <stdlib.h>

static bool list_of(const struct value *v, enum value_kind kind)
{
    for (uint32_t i = 0; i < v->n; i++) {
        if (v->as.list[i].kind != kind) {
            return false;
        }
    }
    return true;
}

static struct value mistyped(uint32_t slot, enum value_kind expected, uint16_t is)
{
    struct value error = frame_error(CEL_ERROR_MISTYPED, slot);
    error.flag = (uint8_t)expected;
    error.spare = is;
    return error;
}

// Reads an attribute for the first time in a request.
static struct value resolve(struct cel_frame *frame, uint32_t at)
{
    const struct slot *slot = &frame->program->slots[at];
    struct value v = {.kind = VALUE_ERROR};
    bool there = frame->host->resolve(frame->host->user, &slot->info, &v);
    if (frame->program->extra != NULL) {
        return there ? v : frame_error(CEL_ERROR_MISSING, at);
    }
    if (!there || v.kind == VALUE_NULL) {
        return frame_error(CEL_ERROR_MISSING, at);
    }
    if (v.kind == VALUE_ERROR && v.n != CEL_ERROR_NONE) {
        return v;
    }
    if (v.kind == VALUE_ERROR) {
        return mistyped(at, VALUE_MAP, v.spare);
    }
    enum value_kind expected = types_value_kind(slot->type);
    uint16_t is = slot->info.schema != NULL ? attr_read(frame->arena, &slot->info, &v) : v.kind;
    if (is > VALUE_KIND_COUNT) {
        return mistyped(at, expected, is);
    }
    bool right = expected == VALUE_ERROR || v.kind == expected;
    if (right && slot->info.type == CEL_LIST_STRING) {
        right = list_of(&v, VALUE_STRING);
    } else if (right && slot->info.type == CEL_LIST_INT) {
        right = list_of(&v, VALUE_INT);
    }
    return right ? v : mistyped(at, expected, v.kind);
}

struct value frame_slot(struct cel_frame *frame, uint32_t slot)
{
    struct frame_cached *cached = &frame->slots[slot];
    if (__builtin_expect(cached->stamp != frame->stamp, 0)) {
        cached->value = resolve(frame, slot);
        cached->stamp = frame->stamp;
    }
    return cached->value;
}

void *frame_alloc(struct cel_frame *frame, size_t bytes, size_t align, struct value *error)
{
    if (!frame_spend(frame, bytes / 64)) {
        *error = frame_error(CEL_ERROR_BUDGET, 0);
        return NULL;
    }
    void *room = arena_alloc(frame->arena, bytes == 0 ? 1 : bytes, align);
    if (room == NULL) {
        *error = frame_error(CEL_ERROR_MEMORY, 0);
    }
    return room;
}

void cel_begin(struct cel_frame *frame, const struct cel_host *host, struct arena *arena, int64_t now_ms)
{
    frame->stamp++;
    frame->host = host;
    frame->arena = arena;
    frame->now_ms = now_ms;
    frame->horizon_ms = INT64_MAX;
    frame->unbounded = false;
    frame->steps = frame->program->limits.steps;
}

struct value cel_run(struct cel_frame *frame, uint32_t expr)
{
    if (expr >= frame->program->node_count) {
        return frame_error(CEL_ERROR_OTHER, 0);
    }
    return run_node(frame, expr);
}

enum truth cel_truth(struct cel_frame *frame, uint32_t expr)
{
    struct value v = cel_run(frame, expr);
    return v.kind != VALUE_BOOL ? TRUTH_UNSURE : v.as.b ? TRUTH_YES : TRUTH_NO;
}

struct value cel_attr(struct cel_frame *frame, uint32_t slot)
{
    return slot < frame->program->slot_count ? frame_slot(frame, slot) : frame_error(CEL_ERROR_OTHER, 0);
}

int64_t cel_horizon(const struct cel_frame *frame, bool *bounded)
{
    *bounded = !frame->unbounded;
    return frame->horizon_ms;
}

// ---- made and dropped off the hot path ----

static enum pdp_err make(const struct cel_program *program, uint32_t locals, struct cel_frame **out)
{
    AUTO(cel_frame_free) struct cel_frame *frame = calloc(1, sizeof *frame);
    if (frame == NULL) {
        return PDP_ERR_NOMEM;
    }
    frame->program = program;
    frame->slots = calloc(program->slot_count + 1, sizeof *frame->slots);
    frame->memos = calloc(program->memo_count + 1, sizeof *frame->memos);
    frame->locals = calloc(locals + 2, sizeof *frame->locals);
    if (frame->slots == NULL || frame->memos == NULL || frame->locals == NULL) {
        return PDP_ERR_NOMEM;
    }
    frame->locals_cap = locals;
    TRY(regex_scratch_new(program->limits.match_limit, &frame->regex));
    *out = STEAL(frame);
    return PDP_ERR_OK;
}

static void point_at(struct cel_frame *frame)
{
    frame->nodes = frame->program->nodes;
    frame->args = frame->program->args;
    frame->consts = frame->program->consts;
}

enum pdp_err cel_frame_new(const struct cel_program *program, struct cel_frame **out)
{
    *out = NULL;
    if (!program->sealed) {
        return PDP_ERR_STATE;
    }
    TRY(make(program, program->level_count, out));
    point_at(*out);
    return PDP_ERR_OK;
}

void cel_frame_free(struct cel_frame **frame)
{
    if (*frame != NULL) {
        free((*frame)->slots);
        free((*frame)->memos);
        free((*frame)->locals);
        regex_scratch_free(&(*frame)->regex);
        free(*frame);
        *frame = NULL;
    }
}

enum {
    FOLD_LEVELS = 4 * 200 * 2
}; // the deepest tree that the parser makes

enum pdp_err frame_new_fold(const struct cel_program *program, struct cel_frame **out)
{
    *out = NULL;
    TRY(make(program, FOLD_LEVELS, out));
    (*out)->folding = true;
    return PDP_ERR_OK;
}

struct value frame_fold(struct cel_program *program, uint32_t id)
{
    enum {
        FOLD_STEPS = 50000
    };
    struct cel_frame *frame = program->fold;
    point_at(frame);
    frame->arena = &program->folding;
    frame->steps = FOLD_STEPS;
    return run_node(frame, id);
}
