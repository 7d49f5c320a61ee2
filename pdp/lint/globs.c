// SPDX-License-Identifier: Apache-2.0
#include "lint/globs.h"

static struct str cut(struct str *rest)
{
    size_t end = str_find_byte(*rest, '/', 0);
    struct str segment = str_sub(*rest, 0, end);
    rest->at = end < rest->len ? rest->at + end + 1 : NULL;
    rest->len = end < rest->len ? rest->len - end - 1 : 0;
    return segment;
}

static bool rest_is_all(struct str rest)
{
    return rest.at != NULL && str_eq(rest, STR("**"));
}

// Does every path of pattern `a` match pattern `b`?
static bool is_within(struct str a, struct str b)
{
    while (a.at != NULL && b.at != NULL) {
        struct str x = cut(&a), y = cut(&b);
        bool all = str_eq(x, STR("**"));
        if (str_eq(y, STR("**"))) {
            return true;
        }
        if (all || (str_eq(y, STR("*")) ? x.len == 0 : !str_eq(x, y))) {
            return false;
        }
    }
    return (a.at == NULL && b.at == NULL) || (a.at == NULL && rest_is_all(b));
}

// Is there no path that both match?
static bool are_apart(struct str a, struct str b)
{
    while (a.at != NULL && b.at != NULL) {
        struct str x = cut(&a), y = cut(&b);
        bool wild_x = str_eq(x, STR("*")), wild_y = str_eq(y, STR("*"));
        if (str_eq(x, STR("**")) || str_eq(y, STR("**"))) {
            return false;
        }
        if (wild_x && wild_y) {
            continue;
        }
        if (wild_x ? y.len == 0 : wild_y ? x.len == 0 : !str_eq(x, y)) {
            return true;
        }
    }
    return (a.at != NULL && !rest_is_all(a)) || (b.at != NULL && !rest_is_all(b));
}

// What every path of a pattern starts with.
static struct str start_of(const struct glob *glob)
{
    bool all = str_eq(str_sub(glob->text, glob->fixed, SIZE_MAX), STR("**"));
    return str_sub(glob->text, 0, glob->fixed - (all && glob->fixed > 0 ? 1 : 0));
}

bool globs_within(const struct glob *a, size_t count, const struct glob *b, size_t others)
{
    for (size_t i = 0; i < count; i++) {
        bool held = false;
        for (size_t k = 0; k < others && !held; k++) {
            held = is_within(a[i].text, b[k].text);
        }
        if (!held) {
            return false;
        }
    }
    return true;
}

bool globs_apart(const struct glob *a, size_t count, const struct glob *b, size_t others)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < others; k++) {
            if (!are_apart(a[i].text, b[k].text)) {
                return false;
            }
        }
    }
    return true;
}

bool globs_start(const struct glob *globs, size_t count, struct str prefix)
{
    for (size_t i = 0; i < count; i++) {
        if (!str_starts(start_of(&globs[i]), prefix)) {
            return false;
        }
    }
    return true;
}

// `/a/**` does, where /a/ begins the prefix.
bool globs_hold(const struct glob *globs, size_t count, struct str prefix)
{
    for (size_t i = 0; i < count; i++) {
        bool all = str_eq(str_sub(globs[i].text, globs[i].fixed, SIZE_MAX), STR("**"));
        if (all && str_starts(prefix, str_sub(globs[i].text, 0, globs[i].fixed))) {
            return true;
        }
    }
    return false;
}

// A pattern without wildcards is one path; what others match begins in one way.
bool globs_never_start(const struct glob *globs, size_t count, struct str prefix)
{
    for (size_t i = 0; i < count; i++) {
        struct str start = start_of(&globs[i]);
        bool whole = globs[i].fixed == globs[i].text.len;
        if (str_starts(start, prefix) || (!whole && str_starts(prefix, start))) {
            return false;
        }
    }
    return true;
}
