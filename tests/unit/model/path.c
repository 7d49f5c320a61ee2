// SPDX-License-Identifier: Apache-2.0
#include "model/path.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct {
    struct str raw, canonical;
} GOOD[] = {
#define ROW(raw, canonical)                  \
    {                                        \
        {raw, sizeof(raw) - 1},              \
        {                                    \
            canonical, sizeof(canonical) - 1 \
        }                                    \
    }
    ROW("/", "/"),
    ROW("/a", "/a"),
    ROW("/a/", "/a/"),
    ROW("/a/b/c", "/a/b/c"),
    ROW("/payroll/42", "/payroll/42"),
    ROW("/A/b", "/A/b"),
    ROW("/.hidden", "/.hidden"),
    ROW("/a..b/..c/d../...e", "/a..b/..c/d../...e"),
    ROW("/-._~!$&'()*+,=:@", "/-._~!$&'()*+,=:@"),
    ROW("/*", "/*"),
    ROW("/a?b", "/a"),
    ROW("/a?b=//../;%2f%", "/a"),
    ROW("/?", "/"),
    ROW("/a?b#c", "/a"),
    ROW("/%61", "/a"),
    ROW("/%41%5A%7a", "/AZz"),
    ROW("/%7e%7E", "/~~"),
    ROW("/a%2Db%2d", "/a-b-"),
    ROW("/a%2Eb", "/a.b"),
    ROW("/%2e%2e%2ea/a..%3f", "/...a/a..%3F"),
    ROW("/%2ehidden", "/.hidden"),
    ROW("/a%21b", "/a!b"),
    ROW("/a%2Bb", "/a+b"),
    ROW("/a%3ab%40", "/a:b@"),
    ROW("/a%20b", "/a%20b"),
    ROW("/a b", "/a%20b"),
    ROW("/%3c%3E", "/%3C%3E"),
    ROW("/<>", "/%3C%3E"),
    ROW("/{id}", "/%7Bid%7D"),
    ROW("/%7bid%7d", "/%7Bid%7D"),
    ROW("/[1]", "/%5B1%5D"),
    ROW("/a%3Fb", "/a%3Fb"),
    ROW("/a%3fb?c", "/a%3Fb"),
    ROW("/a%23b", "/a%23b"),
    ROW("/100%25", "/100%25"),
    ROW("/100%25/x", "/100%25/x"),
    ROW("/%25zz", "/%25zz"),
    ROW("/%25%25", "/%25%25"),
    ROW("/%25a", "/%25a"),
    ROW("/stra\xc3\x9f"
        "e",
        "/stra%C3%9Fe"),
    ROW("/stra%c3%9fe", "/stra%C3%9Fe"),
    ROW("/stra%C3\x9f"
        "e",
        "/stra%C3%9Fe"), // half of it encoded
    ROW("/%e2%82%ac", "/%E2%82%AC"),
    ROW("/%F0%9F%92%B0", "/%F0%9F%92%B0"),
    ROW("/\"^`|", "/%22%5E%60%7C"),
};

static const struct {
    struct str raw;
    const char *why; // part of it
} BAD[] = {
#define NO(raw, why)                \
    {                               \
        {raw, sizeof(raw) - 1}, why \
    }
    NO("", "start with"),
    NO("a", "start with"),
    NO("*", "start with"),
    NO("?a", "start with"),
    NO("%2Fa", "start with"),
    NO("http://x/a", "start with"),
    NO("//", "empty segment"),
    NO("//a", "empty segment"),
    NO("/a//b", "empty segment"),
    NO("/a//", "empty segment"),
    NO("/%61//b", "empty segment"),
    NO("/.", "segment"),
    NO("/./a", "segment"),
    NO("/a/.", "segment"),
    NO("/..", "segment"),
    NO("/a/../b", "segment"),
    NO("/a/..", "segment"),
    NO("/../", "segment"),
    NO("/%2e", "segment"),
    NO("/%2e%2E/a", "segment"),
    NO("/a/.%2e", "segment"),
    NO("/a/%2e./b", "segment"),
    NO("/..?x", "segment"),
    NO("/a/..%20/b", "dots and blanks"),
    NO("/a/.%20", "dots and blanks"),
    NO("/a/.../b", "dots and blanks"),
    NO("/%2e%2e%2e", "dots and blanks"),
    NO("/a/.. ./b", "dots and blanks"),
    NO("/a/..%3f/b", "dots and blanks"),
    NO("/a/..%3Fx/b", "dots and blanks"),
    NO("/a/.%23", "dots and blanks"),
    NO("/a%2fb", "encoded `/`"),
    NO("/a%2Fb", "encoded `/`"),
    NO("/%2f", "encoded `/`"),
    NO("/..%2f", "encoded `/`"),
    NO("/a\\b", "`\\`"),
    NO("/a%5cb", "`\\`"),
    NO("/..%5Cb", "`\\`"),
    NO("/a;b", "`;`"),
    NO("/a;x=1/b", "`;`"),
    NO("/..;/a", "`;`"),
    NO("/a%3bb", "`;`"),
    NO("/a#b", "`#`"),
    NO("/a#b?c", "`#`"),
    NO("/a\0b", "control"),
    NO("/a%00b", "control"),
    NO("/a%00", "control"),
    NO("/a\nb", "control"),
    NO("/a%0ab", "control"),
    NO("/a%0D%0Ab", "control"),
    NO("/a\tb", "control"),
    NO("/a\x7f", "control"),
    NO("/a%7f", "control"),
    NO("/%1f", "control"),
    NO("/%c2%85", "control"),
    NO("/\xc2\x80", "control"),
    NO("/%", "hexadecimal"),
    NO("/%4", "hexadecimal"),
    NO("/%4?1", "hexadecimal"),
    NO("/%g1", "hexadecimal"),
    NO("/%1g", "hexadecimal"),
    NO("/% 1", "hexadecimal"),
    NO("/%u002f", "hexadecimal"),
    NO("/%%32%66", "hexadecimal"),
    NO("/%252f", "twice"),
    NO("/%252e%252e", "twice"),
    NO("/%2561", "twice"),
    NO("/%2525", "twice"),
    NO("/%25%32%66", "twice"),
    NO("/%25u002f", "twice"),
    NO("/%25U002f", "twice"),
    NO("/%c0%af", "UTF-8"),
    NO("/%c0%ae%c0%ae/", "UTF-8"),
    NO("/%e0%80%af", "UTF-8"),
    NO("/%ff", "UTF-8"),
    NO("/\xff", "UTF-8"),
    NO("/%c3", "UTF-8"),
    NO("/%c3/%9f", "UTF-8"),
    NO("/%ed%a0%80", "UTF-8"),
    NO("/%f4%90%80%80", "UTF-8"),
};

static enum pdp_err canonical(struct str raw, struct arena *arena, struct str *out, const char **why)
{
    *why = NULL;
    *out = (struct str){"unset", 5};
    return path_canonical(raw, arena, out, why);
}

Test(model_path, one_spelling_for_one_resource)
{
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        struct arena arena;
        struct str out, again;
        const char *why;
        arena_init(&arena, 0, 0);
        cr_expect_eq(canonical(GOOD[i].raw, &arena, &out, &why), PDP_ERR_OK, "%s: %s", GOOD[i].raw.at, why);
        cr_expect(str_eq(out, GOOD[i].canonical), "%s: %.*s, not %s", GOOD[i].raw.at, STR_ARG(out),
                  GOOD[i].canonical.at);
        cr_expect_eq(canonical(out, &arena, &again, &why), PDP_ERR_OK, "%s: again: %s", GOOD[i].raw.at, why);
        cr_expect(str_eq(out, again), "%s: not stable", GOOD[i].raw.at);
        arena_fini(&arena);
    }
}

Test(model_path, ambiguous_is_refused_with_a_reason)
{
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct arena arena;
        struct str out;
        const char *why;
        arena_init(&arena, 0, 0);
        cr_expect_eq(canonical(BAD[i].raw, &arena, &out, &why), PDP_ERR_MALFORMED, "%s", BAD[i].raw.at);
        cr_expect_not_null(strstr(why, BAD[i].why), "%s: %s", BAD[i].raw.at, why);
        cr_expect_eq(out.len, 0, "%s", BAD[i].raw.at);
        arena_fini(&arena);
    }
}

Test(model_path, every_escape_is_stable_or_refused)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        char upper[8], lower[8], bare[4] = {'/', 'x', (char)byte, 'x'};
        snprintf(upper, sizeof upper, "/x%%%02Xx", byte);
        snprintf(lower, sizeof lower, "/x%%%02xx", byte);
        struct str a, b, c, again;
        const char *why;
        enum pdp_err err = canonical((struct str){upper, 6}, &arena, &a, &why);
        cr_expect_eq(canonical((struct str){lower, 6}, &arena, &b, &why), err, "%02x", byte);
        cr_expect(str_eq(a, b), "%02x", byte);
        if (err == PDP_ERR_OK) {
            cr_expect_eq(canonical(a, &arena, &again, &why), PDP_ERR_OK, "%02x", byte);
            cr_expect(str_eq(a, again), "%02x", byte);
        }
        // A bare byte never gives another path than its escape, but for those with a meaning of their own.
        enum pdp_err bare_err = canonical((struct str){bare, 4}, &arena, &c, &why);
        if (bare_err == PDP_ERR_OK && byte != '/' && byte != '?') {
            cr_expect_eq(err, PDP_ERR_OK, "%02x", byte);
            cr_expect(str_eq(a, c), "%02x", byte);
        }
    }
    arena_fini(&arena);
}

Test(model_path, what_is_canonical_is_not_copied)
{
    struct arena arena;
    struct str raw = STR("/a/b?c"), out;
    const char *why;
    arena_init(&arena, 64, 1); // no memory at all
    cr_expect_eq(canonical(raw, &arena, &out, &why), PDP_ERR_OK);
    cr_expect_eq((const void *)out.at, (const void *)raw.at);
    cr_expect_eq(out.len, 4);
    cr_expect_eq(canonical(STR("/%61"), &arena, &out, &why), PDP_ERR_NOMEM);
    cr_expect_eq(out.len, 0);
    arena_fini(&arena);
}
