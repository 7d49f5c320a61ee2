// SPDX-License-Identifier: Apache-2.0
#include "session/slot.h"

#include <criterion/criterion.h>
#include <math.h>

static struct session_record round_trip(const struct session_record *record)
{
    static struct slot slot;
    memset(&slot, 0xee, sizeof slot);
    slot.id = record->id;
    slot_pack(record, &slot);
    struct session_record out = {0};
    slot_unpack(&slot, &out);
    return out;
}

Test(session_slot, keeps_within_its_size)
{
    cr_expect_leq(sizeof(struct slot), 496);
}

Test(session_slot, gives_back_what_geo_databases_say_to_the_bit)
{
    static const double DEGREES[] = {0,    52.52,  -33.8688, 151.2093,  180,
                                     -180, 0.0001, -0.0001,  13.404954, 89.9999};
    for (size_t i = 0; i < COUNT_OF(DEGREES); i++) {
        struct session_record record = {.state = SESSION_ACTIVE};
        record.anchor.lat_deg = record.last.lon_deg = DEGREES[i];
        struct session_record got = round_trip(&record);
        cr_expect_eq(got.anchor.lat_deg, DEGREES[i], "%.17g", got.anchor.lat_deg);
        cr_expect_eq(got.last.lon_deg, DEGREES[i]);
    }
    static const double NOWHERE[] = {NAN, INFINITY, -INFINITY, 180.1, -1e300};
    for (size_t i = 0; i < COUNT_OF(NOWHERE); i++) {
        struct session_record record = {.state = SESSION_ACTIVE, .last.lat_deg = NOWHERE[i]};
        cr_expect(isnan(round_trip(&record).last.lat_deg), "%zu", i);
    }
}

Test(session_slot, rounds_radii_up)
{
    static const struct {
        double km, want;
    } RADII[] = {{0, 0}, {0.2, 1}, {5, 5}, {999.5, 1000}, {65533, 65533}, {1e9, 65534}};
    for (size_t i = 0; i < COUNT_OF(RADII); i++) {
        struct session_record record = {.state = SESSION_ACTIVE, .anchor.radius_km = RADII[i].km};
        cr_expect_eq(round_trip(&record).anchor.radius_km, RADII[i].want, "%g", RADII[i].km);
    }
    struct session_record record = {.state = SESSION_ACTIVE, .anchor.radius_km = NAN, .last.radius_km = -1};
    cr_expect(isnan(round_trip(&record).anchor.radius_km));
    cr_expect(isnan(round_trip(&record).last.radius_km));
}

Test(session_slot, tells_ipv4_from_ipv6)
{
    struct session_record record = {.state = SESSION_ACTIVE};
    record.anchor.ip = (struct ip){.bytes = {[10] = 0xff, [11] = 0xff, [12] = 10}, .v4 = true};
    record.last.ip = (struct ip){.bytes = {0x20, 1, [15] = 1}};
    struct session_record got = round_trip(&record);
    cr_expect(got.anchor.ip.v4);
    cr_expect_eq(got.anchor.ip.bytes[12], 10);
    cr_expect_not(got.last.ip.v4);
    cr_expect_arr_eq(got.last.ip.bytes, record.last.ip.bytes, 16);
}

Test(session_slot, keeps_repeats_of_the_living_only)
{
    struct session_record record = {.state = SESSION_ACTIVE, .ended_ms = 5};
    for (size_t i = 0; i < SESSION_REPEATS; i++) {
        record.repeats[i] = (struct session_repeat){.id = 100 + i,
                                                    .question = UINT64_MAX - i,
                                                    .score = 41.2F + (float)i,
                                                    .rule = (uint32_t)i * 5000000,
                                                    .policy_epoch = 812 - (uint32_t)i * 100,
                                                    .effect = (uint8_t)i,
                                                    .code = (uint8_t)(i * 4),
                                                    .level = (uint8_t)(3 - i)};
    }
    record.repeats[2].rule = UINT32_MAX;
    struct session_record got = round_trip(&record);
    for (size_t i = 0; i < SESSION_REPEATS; i++) {
        const struct session_repeat *want = &record.repeats[i], *is = &got.repeats[i];
        bool lost = i == 3; // 300 epochs ago: rules have other numbers since
        cr_expect_eq(is->id, want->id);
        cr_expect_eq(is->question, want->question);
        cr_expect_eq(is->score, want->score);
        cr_expect_eq(is->rule, lost ? UINT32_MAX : want->rule, "%zu: %u", i, is->rule);
        cr_expect_eq(is->policy_epoch, lost ? 0 : want->policy_epoch);
        cr_expect(is->effect == want->effect && is->code == want->code && is->level == want->level, "%zu", i);
    }
    cr_expect_eq(got.ended_ms, 0);
    record.state = SESSION_TERMINATED;
    got = round_trip(&record);
    cr_expect_eq(got.repeats[0].id, 0);
    cr_expect_eq(got.ended_ms, 5);
}

Test(session_slot, keeps_what_only_some_states_have)
{
    const struct session_record full = {.ended_ms = 5,
                                        .end_code = PDP_CODE_EXPIRED,
                                        .successor = {3, 4},
                                        .rotated_ms = 6,
                                        .overlap_until_ms = 7,
                                        .id_since_ms = 8999,
                                        .gateway = 65535,
                                        .key = 15,
                                        .asserted = 1};
    for (int state = SESSION_ACTIVE; state < SESSION_STATES; state++) {
        struct session_record record = full;
        record.state = (uint8_t)state;
        struct session_record got = round_trip(&record);
        bool ended = state == SESSION_TERMINATED, rotated = state == SESSION_ROTATED;
        cr_expect_eq(got.state, state);
        cr_expect_eq(got.ended_ms, ended ? 5 : 0);
        cr_expect_eq(got.end_code, ended ? PDP_CODE_EXPIRED : 0);
        cr_expect(hash128_eq(got.successor, rotated ? full.successor : (struct hash128){0}));
        cr_expect_eq(got.rotated_ms, rotated ? 6 : 0);
        cr_expect_eq(got.overlap_until_ms, rotated ? 7 : 0);
        cr_expect_eq(got.id_since_ms, 8000);
        cr_expect_eq(got.gateway, 65535);
        cr_expect_eq(got.key, 15);
        cr_expect(got.asserted == 1 && got.issued == 0);
    }
}

Test(session_slot, keeps_agents_that_are_known)
{
    struct session_record record = {
        .state = SESSION_ACTIVE,
        .anchor = {.agent_family = 255, .agent_os = 31, .agent_version = 65535, .agent_class = 5}};
    record.last.agent_family = 256;
    record.last.agent_os = 32;
    record.last.agent_class = SIGHT_CLASS_COUNT;
    struct session_record got = round_trip(&record);
    cr_expect_eq(got.anchor.agent_family, 255);
    cr_expect_eq(got.anchor.agent_os, 31);
    cr_expect_eq(got.anchor.agent_version, 65535);
    cr_expect_eq(got.anchor.agent_class, 5);
    cr_expect_eq(got.last.agent_family, 0, "no number of ours");
    cr_expect_eq(got.last.agent_os, 0);
    cr_expect_eq(got.last.agent_class, 0);
}

Test(session_slot, keeps_no_components)
{
    struct session_record record = {.state = SESSION_ACTIVE, .anchor = {.ja4 = 7, .geo_version = 65535}};
    record.anchor.components[SIGHT_COMPONENT_GPU] = 8;
    struct session_record got = round_trip(&record);
    cr_expect_eq(got.anchor.geo_version, 65535);
    cr_expect_eq(got.anchor.ja4, 0);
    cr_expect_eq(got.anchor.components[SIGHT_COMPONENT_GPU], 0);
}

Test(session_slot, cuts_methods_by_whole_words)
{
    static const struct {
        const char *acr;
        uint8_t acr_len;
        const char *amr;
        uint8_t amr_len;
        const char *want_amr;
        uint8_t want_len;
    } TEXTS[] = {
        {"aal1", 4, "pwd", 3, "pwd", 3},
        {"", 0, "pwd otp hwk mfa sms tel geo wia kba vbm", 39, "pwd otp hwk mfa sms tel geo wia", 31},
        {"urn:mace:incommon:iap:si", 24, "pwd otpx hwk", 12, "pwd", 3},
        {"urn:mace:incommon:iap:si", 24, "pwd otp", 7, "pwd otp", 7},
        {"urn:mace:incommon:iap:si", 24, "averylongmethodname", 19, "", 0},
        {"urn:mace:incommon:iap:si", 200, "pwd", 3, "pwd", 3},
        {"", 0, "pwd otp hwk mfa sms tel geo wia kba vbmx", 255, "pwd otp hwk mfa sms tel geo wia", 255},
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct session_record record = {
            .state = SESSION_ACTIVE, .acr_len = TEXTS[i].acr_len, .amr_len = TEXTS[i].amr_len};
        memcpy(record.acr, TEXTS[i].acr, strlen(TEXTS[i].acr));
        memcpy(record.amr, TEXTS[i].amr, strlen(TEXTS[i].amr));
        struct session_record got = round_trip(&record);
        cr_expect_eq(got.acr_len, TEXTS[i].acr_len, "%zu", i);
        cr_expect_arr_eq(got.acr, record.acr, sizeof got.acr, "%zu", i);
        cr_expect_eq(got.amr_len, TEXTS[i].want_len, "%zu: %u", i, got.amr_len);
        char want[sizeof got.amr] = {0};
        memcpy(want, TEXTS[i].want_amr, strlen(TEXTS[i].want_amr));
        cr_expect_arr_eq(got.amr, want, sizeof want, "%zu", i);
    }
}

Test(session_slot, rounds_the_time_to_keep_up)
{
    static const struct {
        int64_t ms;
        uint32_t s;
    } TIMES[] = {{INT64_MIN, 0}, {0, 0}, {1, 1}, {1000, 1}, {1001, 2}, {INT64_MAX, UINT32_MAX}};
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        cr_expect_eq(slot_keep_until_s(TIMES[i].ms), TIMES[i].s, "%zu", i);
    }
    struct session_record record = {.state = SESSION_TERMINATED, .keep_until_ms = INT64_MAX};
    cr_expect_eq(round_trip(&record).keep_until_ms, INT64_MAX);
}
