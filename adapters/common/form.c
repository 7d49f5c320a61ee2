// SPDX-License-Identifier: Apache-2.0
#include "common/form.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Undoes `+` and `%XX`.
static enum pdp_err decode(struct text text, char *out, size_t room, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int c = text.at[i] == '+' ? ' ' : (unsigned char)text.at[i];
        if (text.at[i] == '%') {
            if (i + 2 >= text.len || digit(text.at[i + 1]) < 0 || digit(text.at[i + 2]) < 0) {
                return PDP_ERR_SYNTAX;
            }
            c = digit(text.at[i + 1]) * 16 + digit(text.at[i + 2]);
            i += 2;
        }
        if (c == 0) {
            return PDP_ERR_SYNTAX;
        }
        if (*len == room) {
            return PDP_ERR_LIMIT;
        }
        out[(*len)++] = (char)c;
    }
    return PDP_ERR_OK;
}

// Names are compared once they are decoded: `%6c` is `l`. One that is longer than the wanted one is another.
static enum pdp_err is_named(struct text name, const char *wanted, bool *is)
{
    char decoded[64];
    size_t len = 0;
    enum pdp_err err = decode(name, decoded, sizeof decoded, &len);
    *is = err == PDP_ERR_OK && len == strlen(wanted) && memcmp(decoded, wanted, len) == 0;
    return err == PDP_ERR_LIMIT ? PDP_ERR_OK : err;
}

static enum pdp_err find(struct text body, const char *name, struct text *found)
{
    struct text rest = body, pair;
    size_t count = 0;
    *found = (struct text){0};
    while (text_cut(&rest, '&', &pair)) {
        struct text key = {0};
        bool is = false;
        if (++count > FORM_FIELDS_MOST) {
            return PDP_ERR_LIMIT;
        }
        bool has_value = pair.len > 0 && memchr(pair.at, '=', pair.len) != NULL;
        (void)text_cut(&pair, '=', &key);
        enum pdp_err err = is_named(key, name, &is);
        if (err != PDP_ERR_OK) {
            return err;
        }
        if (is && found->at != NULL) {
            return PDP_ERR_DUPLICATE;
        }
        if (is) {
            *found = has_value && pair.at != NULL ? pair : (struct text){"", 0};
        }
    }
    return found->at != NULL ? PDP_ERR_OK : PDP_ERR_MISSING;
}

enum pdp_err form_field(struct text body, const char *name, char *out, size_t room, size_t *len)
{
    struct text value = {0};
    *len = 0;
    enum pdp_err err = find(body, name, &value);
    err = err == PDP_ERR_OK ? decode(value, out, room, len) : err;
    if (err != PDP_ERR_OK) {
        *len = 0;
    }
    return err;
}
