// SPDX-License-Identifier: Apache-2.0
// What the tests of the session table share.
#ifndef UNIT_SESSION_HELP_H
#define UNIT_SESSION_HELP_H

#include "session/session.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define T0 INT64_C(1795370000000)
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static inline struct session_table *help_table(struct session_table_config config)
{
    struct session_table *table = NULL;
    config.key = (struct hash_key){1, 2};
    cr_assert_eq(session_table_new(&config, &table), PDP_ERR_OK);
    return table;
}

static inline struct session_key help_key(const struct session_table *table, const char *subject,
                                          const char *id)
{
    return session_key_of(table, 7, STR("acme"), STR("user"), str_of(subject), str_of(id));
}

static inline struct session_record help_record(enum session_state state, int64_t now_ms)
{
    const double nan = __builtin_nan("");
    const struct sighting nowhere = {.at_ms = now_ms, .lat_deg = nan, .lon_deg = nan, .radius_km = nan};
    return (struct session_record){
        .state = (uint8_t)state,
        .epoch = 1,
        .auth_time_ms = now_ms,
        .first_seen_ms = now_ms,
        .last_seen_ms = now_ms,
        .keep_until_ms = now_ms + 2 * DAY,
        .anchor = nowhere,
        .last = nowhere,
    };
}

// Holds, commits a session in a state, releases. `create` where it is absent.
static inline enum pdp_err help_put(struct session_table *table, const char *subject, const char *id,
                                    enum session_state state, int64_t now_ms)
{
    struct session_key key = help_key(table, subject, id);
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {
        .put_session = true, .put_user = true, .create = held.found == SESSION_ABSENT};
    delta.session = held.session != NULL ? *held.session : help_record(state, now_ms);
    delta.session.state = (uint8_t)state;
    delta.user.last.at_ms = now_ms;
    enum pdp_err err = session_commit(table, &held, &key, &delta, now_ms);
    session_release(table, &held);
    return err;
}

static inline enum session_found help_found(struct session_table *table, const char *subject, const char *id,
                                            struct session_record *record)
{
    struct session_key key = help_key(table, subject, id);
    struct session_held held;
    session_hold(table, &key, &held);
    enum session_found found = held.found;
    if (record != NULL) {
        *record = held.session != NULL ? *held.session : (struct session_record){0};
    }
    session_release(table, &held);
    return found;
}

static inline enum pdp_err help_end(struct session_table *table, const char *id, int64_t now_ms,
                                    int64_t keep_ms, bool *known)
{
    struct session_view was;
    return session_end(table, str_of(id), PDP_CODE_TERMINATED, now_ms, keep_ms, &was, known);
}

#endif
