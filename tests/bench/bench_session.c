// SPDX-License-Identifier: Apache-2.0
// Bytes of memory a session and a user: a million sessions, of as many users and of a fourth of them.
#include "bench/common.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    SESSIONS = 1000000
};

static double bytes_of(uint64_t users, double *ns)
{
    struct session_table_config config = {.key = {1, 2}};
    struct session_table *table = NULL;
    if (session_table_new(&config, &table) != PDP_ERR_OK) {
        bench_fail("no table", "");
    }
    double began = bench_now_ns();
    for (uint64_t i = 0; i < SESSIONS; i++) {
        char id[32], subject[32];
        snprintf(id, sizeof id, "session-%016" PRIx64, i);
        snprintf(subject, sizeof subject, "user-%08" PRIx64, i % users);
        struct session_key key =
            session_key_of(table, 1, STR("acme"), STR("user"), str_of(subject), str_of(id));
        struct session_held held;
        session_hold(table, &key, &held);
        struct session_delta delta = {.put_session = true, .put_user = true, .create = true};
        delta.session = (struct session_record){.id = key.id,
                                                .subject = key.subject,
                                                .state = SESSION_ACTIVE,
                                                .first_seen_ms = 1795420800000,
                                                .last_seen_ms = 1795420800000};
        delta.user = held.user != NULL ? *held.user : (struct user_record){.subject = key.subject};
        if (session_commit(table, &held, &key, &delta, 1795420800000) != PDP_ERR_OK) {
            bench_fail("cannot commit", id);
        }
        session_release(table, &held);
    }
    *ns = (bench_now_ns() - began) / SESSIONS;
    struct session_stats stats;
    session_stats(table, &stats);
    if (stats.sessions != SESSIONS || stats.users != users) {
        bench_fail("sessions are missing", "");
    }
    session_table_free(&table);
    return (double)stats.bytes;
}

int main(void)
{
    double ns_each, ns_four;
    double each = bytes_of(SESSIONS, &ns_each), four = bytes_of(SESSIONS / 4, &ns_four);
    // SESSIONS·s + SESSIONS·u = each, SESSIONS·s + SESSIONS/4·u = four
    double user = (each - four) / (SESSIONS * 0.75), session = each / SESSIONS - user;
    printf("%d sessions of as many users: %.1f MB, %.0f ns to make one\n", SESSIONS, each / 1e6, ns_each);
    printf("%d sessions of %d users: %.1f MB, %.0f ns to make one\n", SESSIONS, SESSIONS / 4, four / 1e6,
           ns_four);
    bench_row(session <= 512 ? BENCH_MET : BENCH_MISSED, "memory a session, of a million, all told",
              "≤ 512 bytes", "%.0f bytes", session);
    bench_row(user <= 1024 ? BENCH_MET : BENCH_MISSED, "memory a user, all told", "≤ 1,024 bytes",
              "%.0f bytes", user);
    return 0;
}
