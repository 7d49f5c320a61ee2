// SPDX-License-Identifier: Apache-2.0
#include "engine/cookie.h"

static const struct str PREFIX = {"__Host-", 7};
static const struct str SAME_SITES[] = {{"Lax", 3}, {"Strict", 6}, {"None", 4}};

// RFC 9110's token: nothing that could end the name, or the line.
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return s.len > 0;
}

bool cookie_asked(const struct value *name, const struct value *same_site, struct cookie *out)
{
    *out = (struct cookie){STR("session"), SAME_SITES[0]};
    if (name != NULL) {
        struct str text = name->kind == VALUE_STRING ? value_text(name) : (struct str){0};
        text = str_starts(text, PREFIX) ? str_sub(text, PREFIX.len, text.len) : text;
        if (!is_token(text) || text.len > COOKIE_NAME_MAX) {
            return false;
        }
        out->name = text;
    }
    if (same_site == NULL) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(SAME_SITES); i++) {
        if (value_is_text(same_site, SAME_SITES[i])) {
            out->same_site = SAME_SITES[i];
            return true;
        }
    }
    return false;
}

struct str cookie_line(const struct cookie *cookie, struct str id, int64_t max_age_s, struct arena *arena)
{
    struct str age = max_age_s > 0 ? arena_printf(arena, "; Max-Age=%lld", (long long)max_age_s) : STR("");
    if (age.at == NULL) {
        return age;
    }
    return arena_printf(
        arena, STR_FMT STR_FMT "=" STR_FMT "; Path=/; Secure; HttpOnly; SameSite=" STR_FMT STR_FMT,
        STR_ARG(PREFIX), STR_ARG(cookie->name), STR_ARG(id), STR_ARG(cookie->same_site), STR_ARG(age));
}
