// SPDX-License-Identifier: Apache-2.0
#include "common/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *unit;
    int64_t ms;
} UNITS[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

enum pdp_err setting_wrong(const struct pdp_adapter_setup *setup, const char *name,
                           struct pdp_adapter_wrong *wrong, enum pdp_err err, const char *format, ...)
{
    wrong->setting = SIZE_MAX;
    for (size_t i = 0; name != NULL && i < setup->setting_count; i++) {
        if (strcmp(setup->settings[i].name, name) == 0) {
            wrong->setting = i;
        }
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(wrong->why, sizeof wrong->why, format, args);
    va_end(args);
    return err;
}

// ---- Which there are -----------------------------------------------------------------------------------

static const struct pdp_setting_about *find(const struct pdp_setting_about *about, size_t count,
                                            const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(about[i].name, name) == 0) {
            return &about[i];
        }
    }
    return NULL;
}

static size_t common_start(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] != '\0' && a[n] == b[n]) {
        n++;
    }
    return n;
}

// The name that begins most alike; a typo is seldom in the first letters.
static const char *nearest(const struct pdp_setting_about *about, size_t count, const char *name)
{
    const char *best = NULL;
    size_t most = 1;
    for (size_t i = 0; i < count; i++) {
        size_t n = common_start(about[i].name, name);
        if (n > most) {
            most = n;
            best = about[i].name;
        }
    }
    return best;
}

enum pdp_err settings_check(const struct pdp_setting_about *about, size_t count,
                            const struct pdp_adapter_setup *setup, struct pdp_adapter_wrong *wrong)
{
    for (size_t i = 0; i < setup->setting_count; i++) {
        const char *name = setup->settings[i].name;
        const struct pdp_setting_about *found = find(about, count, name);
        if (found == NULL) {
            const char *near = nearest(about, count, name);
            return setting_wrong(setup, name, wrong, PDP_ERR_UNKNOWN,
                                 near != NULL ? "no such setting: `%s`; did you mean `%s`"
                                              : "no such setting: `%s`",
                                 name, near);
        }
        for (size_t j = 0; j < i && !found->many; j++) {
            if (strcmp(setup->settings[j].name, name) == 0) {
                return setting_wrong(setup, name, wrong, PDP_ERR_DUPLICATE, "`%s` is given twice", name);
            }
        }
    }
    return PDP_ERR_OK;
}

const char *setting_next(const struct pdp_adapter_setup *setup, const char *name, size_t *at)
{
    while (*at < setup->setting_count) {
        const struct pdp_setting *one = &setup->settings[(*at)++];
        if (strcmp(one->name, name) == 0) {
            return one->value;
        }
    }
    return NULL;
}

const char *setting_text(const struct pdp_adapter_setup *setup, const char *name)
{
    size_t at = 0;
    return setting_next(setup, name, &at);
}

// ---- What they say -------------------------------------------------------------------------------------

enum pdp_err setting_bool(const struct pdp_adapter_setup *setup, const char *name, bool *out,
                          struct pdp_adapter_wrong *wrong)
{
    const char *text = setting_text(setup, name);
    if (text == NULL) {
        return PDP_ERR_OK;
    }
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0) {
        return setting_wrong(setup, name, wrong, PDP_ERR_TYPE, "`%s` is `true` or `false`, not `%s`", name,
                             text);
    }
    *out = yes;
    return PDP_ERR_OK;
}

static bool whole(const char *text, char **end, int64_t *out)
{
    errno = 0;
    *out = strtoll(text, end, 10);
    return errno == 0 && *end != text && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
}

enum pdp_err setting_number(const struct pdp_adapter_setup *setup, const char *name, int64_t least,
                            int64_t most, int64_t *out, struct pdp_adapter_wrong *wrong)
{
    const char *text = setting_text(setup, name);
    char *end = NULL;
    int64_t number = 0;
    if (text == NULL) {
        return PDP_ERR_OK;
    }
    if (!whole(text, &end, &number) || *end != '\0' || number < least || number > most) {
        return setting_wrong(setup, name, wrong, PDP_ERR_RANGE,
                             "`%s` is a number from %lld to %lld, not `%s`", name, (long long)least,
                             (long long)most, text);
    }
    *out = number;
    return PDP_ERR_OK;
}

static bool duration(const char *text, int64_t *ms)
{
    char *end = NULL;
    int64_t number = 0;
    if (!whole(text, &end, &number) || number < 0) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (strcmp(end, UNITS[i].unit) == 0) {
            return !__builtin_mul_overflow(number, UNITS[i].ms, ms);
        }
    }
    return false;
}

enum pdp_err setting_duration(const struct pdp_adapter_setup *setup, const char *name, int64_t least_ms,
                              int64_t most_ms, int64_t *out_ms, struct pdp_adapter_wrong *wrong)
{
    const char *text = setting_text(setup, name);
    int64_t ms = 0;
    if (text == NULL) {
        return PDP_ERR_OK;
    }
    if (!duration(text, &ms) || ms < least_ms || ms > most_ms) {
        return setting_wrong(setup, name, wrong, PDP_ERR_RANGE,
                             "`%s` is a time from %lldms to %lldms such as `200ms`, `5s` or `10m`, not `%s`",
                             name, (long long)least_ms, (long long)most_ms, text);
    }
    *out_ms = ms;
    return PDP_ERR_OK;
}

enum pdp_err setting_choice(const struct pdp_adapter_setup *setup, const char *name,
                            const char *const *choices, int *out, struct pdp_adapter_wrong *wrong)
{
    const char *text = setting_text(setup, name);
    char all[200] = "";
    size_t len = 0;
    for (int i = 0; text != NULL && choices[i] != NULL; i++) {
        if (strcmp(choices[i], text) == 0) {
            *out = i;
            return PDP_ERR_OK;
        }
        int n = snprintf(all + len, sizeof all - len, "%s`%s`", i > 0 ? ", " : "", choices[i]);
        len += n > 0 && (size_t)n < sizeof all - len ? (size_t)n : 0;
    }
    if (text == NULL) {
        return PDP_ERR_OK;
    }
    return setting_wrong(setup, name, wrong, PDP_ERR_UNKNOWN, "`%s` is one of %s, not `%s`", name, all, text);
}
