// SPDX-License-Identifier: Apache-2.0
#include "common/settings.h"
#include "common/told.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct pdp_setting_about ABOUT[] = {
    {"session", "cookie:NAME", false, ""}, {"trusted", "CIDR", true, ""}, {"deadline", "TIME", false, ""}};

static struct pdp_adapter_setup setup_of(const struct pdp_setting *list, size_t count)
{
    return (struct pdp_adapter_setup){.settings = list, .setting_count = count};
}

Test(adapters_settings, unknown_and_doubled_ones_are_named)
{
    const struct pdp_setting good[] = {{"session", "a"}, {"trusted", "b"}, {"trusted", "c"}};
    const struct pdp_setting unknown[] = {{"session", "a"}, {"sessoin", "b"}};
    const struct pdp_setting twice[] = {{"session", "a"}, {"session", "b"}};
    struct pdp_adapter_wrong wrong = {0};
    struct pdp_adapter_setup setup = setup_of(good, 3);
    cr_expect_eq(settings_check(ABOUT, COUNT_OF(ABOUT), &setup, &wrong), PDP_ERR_OK);
    setup = setup_of(unknown, 2);
    cr_expect_eq(settings_check(ABOUT, COUNT_OF(ABOUT), &setup, &wrong), PDP_ERR_UNKNOWN);
    cr_expect_str_eq(wrong.why, "no such setting: `sessoin`; did you mean `session`");
    cr_expect_eq(wrong.setting, 1);
    setup = setup_of(twice, 2);
    cr_expect_eq(settings_check(ABOUT, COUNT_OF(ABOUT), &setup, &wrong), PDP_ERR_DUPLICATE);
    cr_expect_str_eq(wrong.why, "`session` is given twice");
}

Test(adapters_settings, durations_have_a_unit_and_bounds)
{
    static const struct {
        const char *text;
        int64_t ms; // -1: refused
    } CASES[] = {{"200ms", 200},
                 {"5s", 5000},
                 {"1m", 60000},
                 {"2h", 7200000},
                 {"1d", 86400000},
                 {"5", -1},
                 {"ms", -1},
                 {"-1s", -1},
                 {"", -1},
                 {" 5s", -1},
                 {"5 s", -1},
                 {"5S", -1},
                 {"49ms", -1},
                 {"50ms", 50},
                 {"2d", -1},
                 {"99999999999999999999s", -1},
                 {"9223372036854775807d", -1}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const struct pdp_setting list[] = {{"deadline", CASES[i].text}};
        struct pdp_adapter_setup setup = setup_of(list, 1);
        struct pdp_adapter_wrong wrong = {0};
        int64_t ms = 7;
        enum pdp_err err = setting_duration(&setup, "deadline", 50, 86400000, &ms, &wrong);
        cr_expect_eq(err, CASES[i].ms < 0 ? PDP_ERR_RANGE : PDP_ERR_OK, "%s", CASES[i].text);
        cr_expect_eq(ms, CASES[i].ms < 0 ? 7 : CASES[i].ms, "%s: %lld", CASES[i].text, (long long)ms);
    }
}

Test(adapters_settings, read_what_was_said)
{
    static const char *const WAYS[] = {"auto", "nginx", NULL};
    const struct pdp_setting list[] = {{"n", "12"}, {"b", "true"}, {"way", "nginx"}, {"bad", "12x"}};
    struct pdp_adapter_setup setup = setup_of(list, COUNT_OF(list));
    struct pdp_adapter_wrong wrong = {0};
    int64_t n = 0;
    bool b = false;
    int way = 0;
    cr_expect_eq(setting_number(&setup, "n", 1, 12, &n, &wrong), PDP_ERR_OK);
    cr_expect_eq(setting_bool(&setup, "b", &b, &wrong), PDP_ERR_OK);
    cr_expect_eq(setting_choice(&setup, "way", WAYS, &way, &wrong), PDP_ERR_OK);
    cr_expect(n == 12 && b && way == 1);
    cr_expect_eq(setting_number(&setup, "n", 1, 11, &n, &wrong), PDP_ERR_RANGE);
    cr_expect_str_eq(wrong.why, "`n` is a number from 1 to 11, not `12`");
    cr_expect_eq(setting_number(&setup, "bad", 1, 99, &n, &wrong), PDP_ERR_RANGE);
    cr_expect_eq(setting_bool(&setup, "n", &b, &wrong), PDP_ERR_TYPE);
    cr_expect_eq(setting_choice(&setup, "n", WAYS, &way, &wrong), PDP_ERR_UNKNOWN);
    cr_expect_str_eq(wrong.why, "`n` is one of `auto`, `nginx`, not `12`");
    cr_expect_eq(setting_number(&setup, "absent", 1, 2, &n, &wrong), PDP_ERR_OK);
    cr_expect_eq(n, 12);
}

// ---- The file -------------------------------------------------------------------------------------------

static const struct {
    const char *text, *why; // behind the file's name; NULL: good
    size_t count;
} FILES[] = {
    {"session: cookie:sid\ntrusted: [127.0.0.1/32, '::1/128']\n", NULL, 3},
    {"# nothing\n", NULL, 0},
    {"trusted:\n  - a\n  - b\n", NULL, 2},
    {"session: a\nsession: b\n", ":2:1: error: this key is given twice", 1},
    {"session: {a: b}\n", ":1:10: error: expected text or a list of texts", 0},
    {"- a\n", ":1:1: error: a list stands only behind a name", 0},
    {"just text\n", ":1:1: error: expected `name: value`", 0},
    {"a: &x b\n", ":1:4: error: anchors and tags are not taken; write the value itself", 0},
    {"a: !!str b\n", ":1:4: error: anchors and tags are not taken; write the value itself", 0},
    {"a: [b, [c]]\n", ":1:8: error: a list stands only behind a name", 1},
    {"a: *x\n", ":1:4: error: aliases are not taken; write the value itself", 0},
    {"a: \"x\\0y\"\n", ":1:4: error: a NUL stands in it", 0},
    {"a: [b\n", ":2:1: error: did not find expected ',' or ']'", 1},
};

Test(adapters_settings, files_are_maps_of_texts)
{
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        char name[] = "told-XXXXXX", why[TOLD_WHY_MAX];
        int fd = mkstemp(name);
        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, FILES[i].text, strlen(FILES[i].text)), (ssize_t)strlen(FILES[i].text));
        close(fd);
        struct told told = {0};
        enum pdp_err err = told_read(&told, name, why);
        cr_expect_eq(err, FILES[i].why == NULL ? PDP_ERR_OK : PDP_ERR_SYNTAX, "%zu: %s", i, why);
        cr_expect_str_eq(FILES[i].why != NULL ? why + strlen(name) : "",
                         FILES[i].why != NULL ? FILES[i].why : "");
        cr_expect_eq(told.count, FILES[i].count, "%zu: %zu", i, told.count);
        told_fini(&told);
        unlink(name);
    }
}
