// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/issue.h"

#include "engine/cookie.h"
#include "engine/logout.h"

// ---- What the event says ---------------------------------------------------------------------------

static bool refuse(struct event_result *out, enum pdp_code code, struct str why)
{
    *out = (struct event_result){.code = code, .why = why};
    return false;
}

static const struct value *property(const struct ask *ask, struct str name)
{
    const struct value *value = value_get(ask->request->event_properties, name);
    return value != NULL && value->kind != VALUE_NULL ? value : NULL;
}

static bool draw_id(struct ask *ask, struct str *id)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const struct engine_config *config = &ask->worker->engine->config;
    unsigned char bytes[ISSUE_ID_BYTES + 1] = {0}; // a last group of two bytes gives three digits
    char *text = arena_alloc(&ask->worker->arena, ISSUE_ID_TEXT + 1, 1);
    bool drawn =
        text != NULL && config->random != NULL && config->random(config->random_user, bytes, ISSUE_ID_BYTES);
    for (size_t i = 0, to = 0; drawn && i < ISSUE_ID_BYTES; i += 3, to += 4) {
        uint32_t bits = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        text[to] = DIGITS[bits >> 18];
        text[to + 1] = DIGITS[bits >> 12 & 63];
        text[to + 2] = DIGITS[bits >> 6 & 63];
        text[to + 3] = DIGITS[bits & 63]; // the very last one is cut off below
    }
    explicit_bzero(bytes, sizeof bytes);
    *id = drawn ? (struct str){text, ISSUE_ID_TEXT} : (struct str){0};
    return drawn;
}

static bool mint(struct ask *ask, struct str *id, struct event_result *out)
{
    const struct value *cookie = property(ask, STR("cookie")), *site = property(ask, STR("same_site"));
    if (!cookie_asked(cookie, site, &ask->cookie)) {
        return refuse(out, PDP_CODE_MALFORMED,
                      STR("`properties.cookie` is a name of 1 to 64 token characters, `properties.same_site` "
                          "Lax, Strict or None"));
    }
    if (!draw_id(ask, id)) {
        return refuse(out, PDP_CODE_OVERLOADED, STR("no random bytes for an id could be had; try again"));
    }
    ask->mints = true;
    return true;
}

static bool read_start(struct ask *ask, bool mints, struct event_result *out)
{
    if (!mints) {
        return true;
    }
    if (ask->request->session_id.len > 0) {
        return refuse(out, PDP_CODE_MALFORMED,
                      STR("`properties.mint` makes the id: leave `context.session.id` out"));
    }
    return mint(ask, &ask->named, out);
}

static bool read_rotate(struct ask *ask, bool mints, struct event_result *out)
{
    const struct value *next = property(ask, STR("new_id"));
    if ((next != NULL) == mints) {
        return refuse(out, PDP_CODE_MALFORMED,
                      STR("a rotate event needs `properties.new_id`, or else `properties.mint`"));
    }
    if (mints) {
        return mint(ask, &ask->next, out);
    }
    if (next->kind != VALUE_STRING || next->n == 0 || next->n > REQUEST_ID_MAX) {
        return refuse(out, PDP_CODE_MALFORMED, STR("`properties.new_id` is text of 1 to 255 bytes"));
    }
    ask->next = value_text(next);
    return true;
}

static void name_next(struct ask *ask)
{
    const struct session_key key = session_key_of(ask->table, 0, STR(""), STR(""), STR(""), ask->next);
    ask->rotation = (struct session_rotation){.id = key.id, .key = key.number};
}

bool issue_read(struct ask *ask, struct event_result *out)
{
    const enum event_type event = ask->request->event;
    const struct value *wish = property(ask, STR("mint"));
    bool mints = wish != NULL && wish->kind == VALUE_BOOL && wish->as.b;
    if (wish != NULL &&
        (wish->kind != VALUE_BOOL || (mints && event != EVENT_START && event != EVENT_ROTATE))) {
        return refuse(out, PDP_CODE_MALFORMED,
                      STR("`properties.mint` is true or false, of `start` and `rotate` events"));
    }
    if ((event == EVENT_START && !read_start(ask, mints, out)) ||
        (event == EVENT_ROTATE && !read_rotate(ask, mints, out))) {
        return false;
    }
    if (ask->named.len == 0 && (!ask->request->has_session || ask->request->session_id.len == 0) &&
        !logout_is_all(ask)) {
        return refuse(
            out, PDP_CODE_MALFORMED,
            event == EVENT_LOGOUT
                ? STR("a logout needs `context.session.id`, or `properties.all`: true, of all sessions")
                : STR("an event needs `context.session.id`"));
    }
    if (event == EVENT_ROTATE) {
        name_next(ask);
    }
    return true;
}

// ---- An id that was replaced -----------------------------------------------------------------------

// Whoever comes with it now has it from before: nobody can tell the thief from the owner.
static void end_reused(struct ask *ask, struct event_result *out)
{
    ask_end(ask, PDP_CODE_REUSED);
    bool ended = ask_commit(ask) == PDP_ERR_OK;
    (void)refuse(
        out, PDP_CODE_REUSED,
        ended ? STR("an id was used that another one had replaced: the session is over, by all of its ids")
              : STR("an id was used that another one had replaced"));
}

bool issue_old_id(struct ask *ask, struct event_result *out)
{
    const enum event_type event = ask->request->event;
    if (!ask->held.rotated || ask->session.state == SESSION_TERMINATED || event == EVENT_LOGOUT ||
        event == EVENT_SIGNAL) { // what others find out about a session is its business, by whatever id
        return true;
    }
    // Only who gave it knows the id that came after: it is told once more that all is well.
    if (event == EVENT_ROTATE && hash128_eq(ask->rotation.id, ask->held.successor)) {
        out->recorded = out->repeated = true;
        return false;
    }
    if (ask_is_late(ask)) {
        end_reused(ask, out);
        return false;
    }
    return event != EVENT_ROTATE ||
           refuse(out, PDP_CODE_REUSED, STR("the id was replaced already, by another one"));
}

// ---- Ids that are made here ------------------------------------------------------------------------

bool issue_again(const struct ask *ask)
{
    for (size_t i = 0; ask->named.len > 0 && ask->repeat_id != 0 && i < USER_MINTED; i++) {
        if (ask->user.minted[i] == ask->repeat_id) {
            return true;
        }
    }
    return false;
}

void issue_note(struct ask *ask)
{
    if (ask->named.len > 0 && ask->repeat_id != 0) {
        uint64_t *minted = ask->user.minted;
        memmove(minted + 1, minted, (USER_MINTED - 1) * sizeof *minted);
        minted[0] = ask->repeat_id;
    }
}

void issue_rotation(struct ask *ask)
{
    ask->rotation.overlap_ms = ask->limits.overlap_ms;
    ask->rotates = true;
}

// How long the cookie may be kept: the session ends by then, whatever is done.
static int64_t lasts_s(const struct ask *ask)
{
    const struct limit_times *absolute = &ask->limits.absolute;
    int64_t most_ms = num_min(absolute->terminate_ms, absolute->deny_ms);
    most_ms = most_ms != INT64_MAX ? most_ms : ask->limits.absolute_ms;
    int64_t since_ms =
        ask->session.auth_time_ms != 0 ? ask->session.auth_time_ms : ask->session.first_seen_ms;
    return most_ms == INT64_MAX
               ? 0
               : num_max(1, num_sub_sat(num_add_sat(since_ms, most_ms), ask->now_ms) / TIME_MS_PER_S);
}

void issue_tell(struct ask *ask, struct event_result *out)
{
    if (ask->rotates) {
        memcpy(out->replaced, ask->ref, sizeof out->replaced);
        ask->session = *ask->held.session;
        session_ref_print(ask->session.id, ask->ref);
    }
    if (ask->mints) {
        out->id = ask->rotates ? ask->next : ask->named;
        out->set_cookie = cookie_line(&ask->cookie, out->id, lasts_s(ask), &ask->worker->arena);
    }
}
