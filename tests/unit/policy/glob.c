// SPDX-License-Identifier: Apache-2.0
#include "policy/glob.h"

#include <criterion/criterion.h>

static const struct {
    const char *pattern, *path;
    bool match;
} MATCHES[] = {
    {"/a", "/a", true},
    {"/a", "/a/", false},
    {"/a", "/A", false},
    {"/a/*", "/a/b", true},
    {"/a/*", "/a/", false},
    {"/a/*", "/a", false},
    {"/a/*", "/a/b/c", false},
    {"/a/*", "/ab/c", false},
    {"/a/**", "/a", true},
    {"/a/**", "/a/", true},
    {"/a/**", "/a/b", true},
    {"/a/**", "/a/b/c/", true},
    {"/a/**", "/ab", false},
    {"/a/**", "/", false},
    {"/a/*/b", "/a/x/b", true},
    {"/a/*/b", "/a//b", false},
    {"/a/*/b", "/a/x/c", false},
    {"/a/*/b", "/a/x/b/", false},
    {"/a/*/b", "/a/x", false},
    {"/a/*/**", "/a/x", true},
    {"/a/*/**", "/a/x/y", true},
    {"/a/*/**", "/a", false},
    {"/*", "/a", true},
    {"/*", "/", false},
    {"/**", "/", true},
    {"/**", "/a/b", true},
    {"/**", "a", false},
    {"**", "x", true},
    {"*", "x", true},
    {"*", "x/y", false},
    {"db-1", "db-1", true},
    {"s3://b/*", "s3://b/k", true},
    {"/*/b", "/a/b", true},
    {"/*/b", "/b", false},
    {"/a/*/c/*", "/a/b/c/d", true},
    {"/a/*/c/*", "/a/b/c", false},
    {"/a/*/c/**", "/a/b/c", true},
    {"/a/*/c/**", "/a/b/cd", false},
};

Test(policy_glob, matches)
{
    for (size_t i = 0; i < COUNT_OF(MATCHES); i++) {
        struct glob glob;
        struct glob_fault fault;
        cr_assert_eq(glob_read(str_of(MATCHES[i].pattern), &glob, &fault), PDP_ERR_OK, "%s",
                     MATCHES[i].pattern);
        cr_expect_eq(glob_match(&glob, str_of(MATCHES[i].path)), MATCHES[i].match, "%s on %s",
                     MATCHES[i].pattern, MATCHES[i].path);
    }
}

// What matches must be found under the keys of its pattern.
Test(policy_glob, keys_hold_for_all_that_matches)
{
    for (size_t i = 0; i < COUNT_OF(MATCHES); i++) {
        struct glob glob;
        struct glob_fault fault;
        struct glob_keys keys;
        cr_assert_eq(glob_read(str_of(MATCHES[i].pattern), &glob, &fault), PDP_ERR_OK);
        struct str path = str_of(MATCHES[i].path);
        if (!MATCHES[i].match || !glob_keys_of(&glob, &keys)) {
            continue;
        }
        bool exact = keys.exact.len > 0 && str_eq(keys.exact, path);
        bool prefix = keys.prefix.len > 0 && str_starts(path, keys.prefix);
        cr_expect(exact || prefix, "%s on %s", MATCHES[i].pattern, MATCHES[i].path);
        cr_expect(keys.prefix.len == 0 || keys.prefix.at[keys.prefix.len - 1] == '/');
    }
}

static const struct {
    const char *pattern, *why;
    uint32_t at, len;
} REFUSED[] = {
    {"", "a pattern is empty", 0, 0},
    {"/a/**/b", "`**` may only end a pattern", 3, 2},
    {"/a/b*", "`*` stands for a whole segment", 3, 2},
    {"/a/***", "`*` stands for a whole segment", 3, 3},
    {"/a/../b", "a path never holds `.` or `..` segments", 3, 2},
    {"/./b", "a path never holds `.` or `..` segments", 1, 1},
};

Test(policy_glob, refuses)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        struct glob glob;
        struct glob_fault fault;
        cr_expect_eq(glob_read(str_of(REFUSED[i].pattern), &glob, &fault), PDP_ERR_SYNTAX);
        cr_expect_str_eq(fault.why, REFUSED[i].why);
        cr_expect(fault.at == REFUSED[i].at && fault.len == REFUSED[i].len, "%s: %u+%u", REFUSED[i].pattern,
                  fault.at, fault.len);
    }
}
