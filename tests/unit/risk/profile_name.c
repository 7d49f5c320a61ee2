// SPDX-License-Identifier: Apache-2.0
#include "risk/profile_name.h"

#include <criterion/criterion.h>

static struct buf said;

static const char *name(enum profile_feature feature, uint32_t tag)
{
    const struct profile_entry entry = {.feature = feature, .tag = tag};
    buf_clear(&said);
    profile_name(&entry, &said);
    buf_byte(&said, '\0');
    return (const char *)said.at;
}

// What a context showed has its own name, whatever tags are made of.
Test(risk_profile_name, names_what_was_learned)
{
    struct risk_user user = {0};
    struct profile_context context;
    struct profile_entry entries[USER_VALUES];
    struct sighting seen = {.country = 'D' << 8 | 'E',
                            .asn = 3320,
                            .flags = SIGHT_HAS_IP | SIGHT_HAS_AGENT | SIGHT_HAS_FINGERPRINT,
                            .fingerprint = 7};
    struct risk_agent agent;
    cr_assert(ip_parse(STR("203.0.113.77"), &seen.ip));
    risk_agent_read(STR("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), &agent);
    seen.agent_family = agent.family;
    seen.agent_os = agent.os;
    seen.agent_class = agent.device;
    profile_read(&seen, INT64_C(1795370000000), &context);
    profile_learn(&user, NULL, &context);
    size_t count = profile_list(&user, INT64_C(1795370000000), entries);
    static const char *const WANTED[] = {"DE",    "AS3320",           "203.0.113.0/24",
                                         "linux", "firefox on linux", "#00000007"};
    cr_assert_eq(count, COUNT_OF(WANTED));
    for (size_t i = 0; i < count; i++) {
        const char *is = name(entries[i].feature, entries[i].tag);
        size_t is_len = strlen(is), wanted_len = strlen(WANTED[i]); // a class may stand before a system
        cr_expect(is_len >= wanted_len && strcmp(is + is_len - wanted_len, WANTED[i]) == 0, "%s, not %s", is,
                  WANTED[i]);
    }
}

Test(risk_profile_name, names_anything)
{
    cr_expect_str_eq(name(PROFILE_COUNTRY, 0x0709), "#00000709", "no letters");
    cr_expect_str_eq(name(PROFILE_PREFIX, UINT32_C(1) << 31 | 0xABC), "#80000abc", "of IPv6");
    cr_expect_str_eq(name(PROFILE_SYSTEM, UINT32_C(1) << 16 | 0xFFFF), "an unknown system");
    cr_expect_str_eq(name((enum profile_feature)99, 1), "#00000001");
    for (uint32_t tag = 1; tag != 0; tag *= 3) {
        for (unsigned feature = 0; feature <= USER_FEATURES; feature++) {
            for (const char *at = name((enum profile_feature)feature, tag); *at != '\0'; at++) {
                cr_assert((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7F, "%u %x", feature, tag);
            }
            cr_expect_gt(said.len, 1U);
        }
        if (tag > UINT32_MAX / 3) {
            break;
        }
    }
}
