// SPDX-License-Identifier: Apache-2.0
// HOT
// Sessions of one subject at once: may another begin, and who ends for it?
#include "engine/ask.h"

static void refuse(struct ask_room *out, enum pdp_code code, struct str why)
{
    *out = (struct ask_room){.code = code, .why = why};
}

// What the target of the session policy lacked. It was run for this question already: its value is
// remembered.
static struct str missing_of(const struct ask *ask, uint32_t target)
{
    const struct value value = cel_run(ask_frame(ask), target);
    return value.kind == VALUE_ERROR ? cel_why(ask_frame(ask), &value)
                                     : STR("the target of a session policy cannot be decided");
}

static void judge(const struct ask *ask, struct ask_room *out)
{
    const struct limit_live *live = &ask->limits.live;
    if (ask->room->live >= live->refuse) {
        refuse(out, PDP_CODE_CONCURRENT, live->refuse_why);
    } else if (ask->room->live >= live->unsure) {
        refuse(out, PDP_CODE_UNSURE, live->unsure_why);
        out->missing = missing_of(ask, live->unsure_target);
    } else if (!ask->room->fits) {
        refuse(out, PDP_CODE_CONCURRENT, live->end_why);
    }
}

void ask_room(struct ask *ask, bool vouched, int64_t auth_time_ms, struct ask_room *out)
{
    const struct limit_live *live = &ask->limits.live;
    int64_t lowest = num_min(live->refuse, num_min(live->unsure, live->end));
    *out = (struct ask_room){.begins = true};
    if (lowest == UINT32_MAX) {
        return;
    }
    struct session_room *room = ask->worker->room;
    room->heed = (uint32_t)lowest;
    room->most = live->end;
    room->vouched = vouched;
    room->since_ms = auth_time_ms;
    // An authentication that a peer asserts may lie ahead.
    room->keep_until_ms =
        num_add_sat(lifecycle_keep_until(&(struct session_record){.last_seen_ms = ask->now_ms}, &ask->limits,
                                         ask->now_ms),
                    LIFECYCLE_AHEAD_MS);
    session_room(ask->table, &ask->held, ask->now_ms, room);
    ask->room = room;
    judge(ask, out);
}

bool ask_displaces(const struct ask *ask)
{
    return ask->room != NULL && ask->room->end_count > ask->room->over_count;
}

const struct str *ask_ended(const struct ask *ask, size_t *count)
{
    *count = 0;
    if (ask->room == NULL || ask->room->ended_count == 0) {
        return NULL;
    }
    struct str *refs = ARENA_ARRAY(&ask->worker->arena, struct str, VERDICT_ENDED_MAX);
    for (size_t i = 0; refs != NULL && *count < VERDICT_ENDED_MAX && i < ask->room->ended_count; i++) {
        char ref[32];
        if (ask->room->ended[i].why != PDP_CODE_CONCURRENT) {
            continue; // was over before
        }
        session_ref_print(ask->room->ended[i].id, ref);
        char *copy = arena_alloc(&ask->worker->arena, sizeof ref, 1);
        if (copy == NULL) {
            return refs;
        }
        memcpy(copy, ref, sizeof ref);
        refs[(*count)++] = str_of(copy);
    }
    return refs;
}
