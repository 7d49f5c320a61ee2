// SPDX-License-Identifier: Apache-2.0
#include "risk/profile.h"

#include "risk.h"

// RISK.md §3: 384 bytes a user, 128 a session.
Test(risk_profile, has_a_fixed_size)
{
    cr_expect_eq(sizeof(struct risk_user), 384);
    cr_expect_eq(sizeof(struct risk_state), 128);
    cr_expect_eq(sizeof(struct user_value), 8);
}

static void learn(struct risk_user *user, const struct sighting *seen, int64_t at_ms)
{
    risk_learn(seen, at_ms, user, NULL);
}

static struct profile_share share(const struct risk_user *user, const struct sighting *seen, int64_t at_ms,
                                  enum profile_feature feature)
{
    struct profile_context context;
    struct profile_share out;
    profile_read(seen, at_ms, &context);
    profile_share(user, NULL, &context, feature, &out);
    return out;
}

Test(risk_profile, counts_a_value_once_an_hour)
{
    struct risk_user user = {0};
    struct sighting seen = berlin(T0);
    for (int64_t at = T0 / HOUR * HOUR; at < T0 / HOUR * HOUR + 3 * HOUR; at += MINUTE) {
        learn(&user, &seen, at);
    }
    struct profile_share s = share(&user, &seen, T0, PROFILE_NETWORK);
    cr_expect(s.count > 2.98 && s.count <= 3, "%g", s.count);
    cr_expect(s.parent >= s.count && s.parent <= 3);
    learn(&user, &seen, T0 - 9 * DAY);
    cr_expect_eq(share(&user, &seen, T0, PROFILE_NETWORK).count, s.count, "a clock that steps back");
}

Test(risk_profile, counts_halve_in_60_days)
{
    struct risk_user user = {0};
    struct sighting seen = berlin(T0);
    for (int i = 0; i < 8; i++) {
        learn(&user, &seen, T0 + i * HOUR);
    }
    double was = share(&user, &seen, T0 + 8 * HOUR, PROFILE_PRINT).count;
    double is = share(&user, &seen, T0 + 8 * HOUR + 60 * DAY, PROFILE_PRINT).count;
    cr_expect(fabs(is / was - 0.5) < 0.01, "%g of %g", is, was);
    struct profile_context late;
    profile_read(&seen, T0 + 60 * DAY, &late);
    cr_expect(fabs(profile_total(&user, &late) - 4) < 0.1, "%g", profile_total(&user, &late));
}

// A place is new under its country, and a country is not new again as a network.
Test(risk_profile, new_values_are_new_once)
{
    struct risk_user user = {0};
    struct sighting home = berlin(T0);
    learn(&user, &home, T0);
    cr_expect_eq(share(&user, &home, T0, PROFILE_COUNTRY).fresh, 0, "the first of all is no news");
    struct sighting other = berlin(T0);
    other.asn++;
    other.ip = ip4(198, 51, 100, 1);
    learn(&user, &other, T0 + HOUR);
    cr_expect_eq(user.fresh[PROFILE_COUNTRY], 0);
    cr_expect_eq(user.fresh[PROFILE_NETWORK], 256);
    cr_expect_eq(user.fresh[PROFILE_PREFIX], 0, "its network was new");
    struct sighting abroad = other;
    abroad.country = COUNTRY('F', 'R');
    abroad.asn = 64900;
    abroad.ip = ip4(198, 51, 101, 1);
    learn(&user, &abroad, T0 + 2 * HOUR);
    cr_expect_eq(user.fresh[PROFILE_COUNTRY], 256);
    cr_expect_eq(user.fresh[PROFILE_NETWORK], 256);
    cr_expect_eq(user.fresh[PROFILE_PREFIX], 0);
}

// Strangers' values that come once do not push out those that come every day.
Test(risk_profile, what_counts_least_gives_way)
{
    struct risk_user user = {0};
    struct sighting home = berlin(T0);
    for (int i = 0; i < 20; i++) {
        learn(&user, &home, T0 + i * HOUR);
    }
    for (int i = 0; i < 200; i++) {
        struct sighting odd = berlin(T0);
        odd.ip = ip4(10, (uint8_t)i, 0, 1);
        odd.fingerprint = 1000 + (uint64_t)i;
        odd.asn = 100 + (uint32_t)i;
        learn(&user, &odd, T0 + (20 + i) * HOUR);
    }
    cr_expect(share(&user, &home, T0 + 220 * HOUR, PROFILE_PREFIX).count > 15);
    cr_expect(share(&user, &home, T0 + 220 * HOUR, PROFILE_PRINT).count > 15);
    struct profile_entry list[USER_VALUES];
    size_t count = profile_list(&user, T0 + 220 * HOUR, list);
    cr_expect_eq(count, 1 + USER_NETWORKS + USER_PREFIXES + 1 + 1 + USER_PRINTS);
    for (size_t i = 0; i < count; i++) {
        cr_expect(list[i].count > 0 && list[i].tag != 0 && list[i].last_ms <= T0 + 220 * HOUR);
        cr_expect(strlen(profile_feature_name(list[i].feature)) > 3);
    }
    user.marks[0] = (struct user_mark){1, 2, 3};
    profile_forget(&user);
    cr_expect_eq(profile_list(&user, T0, list), 0);
    cr_expect_eq(user.marks[0].tag, 2, "what another session left is no profile");
}

Test(risk_profile, any_bytes_and_any_time_will_do)
{
    static const int64_t TIMES[] = {INT64_MIN, -1, 0, T0, INT64_MAX};
    uint64_t state = 4;
    for (int n = 0; n < 3000; n++) {
        struct risk_user user;
        for (size_t i = 0; i < sizeof user; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            ((unsigned char *)&user)[i] = (unsigned char)(state >> 56);
        }
        struct sighting seen = berlin(T0);
        seen.ip.v4 = n % 2 == 0;
        learn(&user, &seen, TIMES[n % 5]);
        for (int f = 0; f < USER_FEATURES; f++) {
            struct profile_share s = share(&user, &seen, TIMES[(n / 5) % 5], (enum profile_feature)f);
            cr_assert(s.count >= 0 && s.parent >= s.count && s.fresh >= 0 && s.fresh < 1e9);
        }
    }
}
