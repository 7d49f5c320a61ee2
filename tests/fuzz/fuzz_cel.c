// SPDX-License-Identifier: Apache-2.0
// Text as an expression: parsed, checked, built, run. None may crash, hang or leave a mistake unreported.
#include "cel/cel.h"
#include "cel/extra.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct str LEVELS[] = {{"low", 3}, {"high", 4}};
static const struct cel_root_decl ROOTS[] = {{{"subject", 7}, true, 1}, {{"risk", 4}, false, 2}};
static const struct cel_attr_decl ATTRS[] = {{{"risk.score", 10}, CEL_DOUBLE, 3, NULL},
                                             {{"risk.level", 10}, CEL_LEVEL, 4, NULL},
                                             {{"x", 1}, CEL_DYN, 5, NULL},
                                             {{"session.auth_time", 17}, CEL_TIMESTAMP, 6, NULL}};
static const struct cel_set_decl SETS[] = {{{"a", 1}, CEL_SET_STRING, 1}, {{"n", 1}, CEL_SET_CIDR, 2}};
static const struct cel_env ENV = {.roots = ROOTS,
                                   .root_count = COUNT_OF(ROOTS),
                                   .attrs = ATTRS,
                                   .attr_count = COUNT_OF(ATTRS),
                                   .sets = SETS,
                                   .set_count = COUNT_OF(SETS),
                                   .levels = LEVELS,
                                   .level_count = COUNT_OF(LEVELS)};

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    static const struct value ITEMS[] = {{.kind = VALUE_STRING, .n = 2, .as.text = "hr"},
                                         {.kind = VALUE_INT, .as.i = -1}};
    (void)user;
    const struct value all[] = {value_double(41.5),           {.kind = VALUE_LEVEL, .as.i = 1},
                                value_str(STR("äé")),         {.kind = VALUE_LIST, .n = 2, .as.list = ITEMS},
                                value_time_ms(1763800000000), value_null()};
    *out = all[(slot->path.len + slot->id) % COUNT_OF(all)];
    return slot->path.len % 7 != 0;
}

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    (void)user;
    return (value->kind + set) % 3 == 0 ? TRUTH_UNSURE : TRUTH_NO;
}

static void run(struct cel_program *program, uint32_t expr)
{
    struct cel_frame *frame = NULL;
    struct cel_host host = {resolve, contains, NULL};
    struct arena arena;
    struct buf text = {.limit = 1 << 16};
    bool bounded = false;
    arena_init(&arena, 0, 1 << 22);
    cel_print(program, expr, &text);
    if (cel_seal(program) == PDP_ERR_OK && cel_frame_new(program, &frame) == PDP_ERR_OK) {
        cel_begin(frame, &host, &arena, 1763800000000);
        struct value v = cel_run(frame, expr);
        cel_why(frame, &v);
        if (cel_horizon(frame, &bounded) < 1763800000000) {
            abort(); // a turn in the past bounds nothing
        }
    }
    cel_frame_free(&frame);
    buf_fini(&text);
    arena_fini(&arena);
}

static void compile(struct str text, bool untyped)
{
    static const struct type *types[COUNT_OF(ATTRS)];
    struct cel_program *program = NULL;
    struct cel_limits limits = {.nodes = 100000, .steps = 20000};
    struct cel_extra extra = {.attr_types = types, .untyped = true};
    struct diags diags;
    uint32_t expr = 0;
    diags_init(&diags, 8);
    if (cel_program_new(&ENV, &limits, &program) != PDP_ERR_OK) {
        return;
    }
    if (untyped) {
        cel_set_extra(program, &extra);
    }
    struct cel_text source = {.text = text};
    enum pdp_err err = cel_add(program, &source, CEL_DYN, NULL, 0, 0, &diags, &expr);
    if ((err == PDP_ERR_OK) != (diags.errors == 0) || (err == PDP_ERR_OK) != (expr != UINT32_MAX)) {
        abort();
    }
    if (err == PDP_ERR_OK) {
        run(program, expr);
    }
    diags_fini(&diags);
    cel_program_free(&program);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len > 1 << 16) {
        return 0;
    }
    compile((struct str){(const char *)bytes, len}, false);
    compile((struct str){(const char *)bytes, len}, true);
    return 0;
}
