// SPDX-License-Identifier: Apache-2.0
#include "common/cookie.h"

static const char SEPARATORS[] = "()<>@,;:\\\"/[]?={} \t";

bool cookie_named(struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.at[i];
        if (byte <= ' ' || byte >= 0x7f || strchr(SEPARATORS, byte) != NULL) {
            return false;
        }
    }
    return name.len > 0;
}

// One more of this name.
static enum cookie_found found(enum cookie_found before, struct text is, struct text *value)
{
    if (before == COOKIE_NONE) {
        *value = is;
        return COOKIE_ONE;
    }
    return before == COOKIE_ONE && text_eq(*value, is) ? COOKIE_ONE : COOKIE_AMBIGUOUS;
}

enum cookie_found cookie_find(const struct text *headers, size_t count, struct text name, struct text *value)
{
    enum cookie_found result = COOKIE_NONE;
    *value = (struct text){0};
    for (size_t i = 0; i < count; i++) {
        struct text rest = headers[i], pair;
        while (text_cut(&rest, ';', &pair)) {
            struct text left = {0};
            bool has_value = memchr(pair.at, '=', pair.len) != NULL && text_cut(&pair, '=', &left);
            if (has_value && text_eq(text_trim(left), name)) {
                struct text is = pair.at != NULL ? pair : (struct text){"", 0};
                result = found(result, text_trim(is), value);
            }
        }
    }
    if (result == COOKIE_AMBIGUOUS) {
        *value = (struct text){0};
    }
    return result;
}
