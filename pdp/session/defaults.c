// SPDX-License-Identifier: Apache-2.0
#include "session/limits.h"

void session_limits_default(struct session_limits *out)
{
    *out = (struct session_limits){
        .idle = {SESSION_IDLE_DEFAULT_MS, INT64_MAX, INT64_MAX},
        .absolute = {SESSION_ABSOLUTE_DEFAULT_MS, INT64_MAX, INT64_MAX},
        .idle_ms = SESSION_IDLE_DEFAULT_MS,
        .absolute_ms = SESSION_ABSOLUTE_DEFAULT_MS,
        .overlap_ms = SESSION_OVERLAP_DEFAULT_MS,
        .longest_ms = SESSION_ABSOLUTE_DEFAULT_MS,
        .live = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, {NULL, 0}, {NULL, 0}, {NULL, 0}},
    };
}

struct str session_limits_say(struct arena *arena, struct str policy, uint32_t concurrent)
{
    return arena_printf(arena,
                        "session policy `" STR_FMT "` allows a subject %u session%s at once (`concurrent`)",
                        STR_ARG(policy), concurrent, concurrent == 1 ? "" : "s");
}
