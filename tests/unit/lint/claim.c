// SPDX-License-Identifier: Apache-2.0
// Which claims about one text exclude each other, and which do not.
#include "lint/claim.h"

#include <criterion/criterion.h>

struct said {
    enum claim_kind kind;
    bool yes;
    const char *text; // of GLOBS a pattern; of TEXTS one text; of PATH nothing
};

static struct claim made(const struct said *said, struct glob *glob, struct str *text)
{
    struct claim claim = {.kind = said->kind, .about = VALUE_STRING, .yes = said->yes, .count = 1};
    struct glob_fault fault;
    *text = str_of(said->text);
    if (said->kind == CLAIM_GLOBS) {
        cr_assert_eq(glob_read(*text, glob, &fault), PDP_ERR_OK);
        claim.as.globs = glob;
    } else if (said->kind == CLAIM_TEXTS) {
        claim.as.texts = text;
    } else {
        claim.as.text = *text;
    }
    return claim;
}

static const struct {
    struct said one, other;
    bool agree;
} CASES[] = {
    {{CLAIM_TEXTS, true, "ab"}, {CLAIM_PREFIX, true, "a"}, true},
    {{CLAIM_TEXTS, true, "ab"}, {CLAIM_PREFIX, true, "b"}, false},
    {{CLAIM_TEXTS, true, "ab"}, {CLAIM_SUFFIX, false, "b"}, false},
    {{CLAIM_TEXTS, true, "ab"}, {CLAIM_PART, true, ""}, true},
    {{CLAIM_TEXTS, true, "/a/b"}, {CLAIM_GLOBS, true, "/a/*"}, true},
    {{CLAIM_TEXTS, true, "/a/b/c"}, {CLAIM_GLOBS, true, "/a/*"}, false},
    {{CLAIM_TEXTS, true, "/a//b"}, {CLAIM_PATH, true, ""}, false},
    {{CLAIM_TEXTS, true, "/a/b"}, {CLAIM_PATH, true, ""}, true},
    {{CLAIM_TEXTS, false, "a"}, {CLAIM_TEXTS, true, "a"}, false},
    {{CLAIM_TEXTS, false, "a"}, {CLAIM_PREFIX, true, "a"}, true},
    {{CLAIM_PREFIX, true, "ab"}, {CLAIM_PREFIX, true, "a"}, true},
    {{CLAIM_PREFIX, true, "ab"}, {CLAIM_PREFIX, true, "b"}, false},
    {{CLAIM_PREFIX, true, "ab"}, {CLAIM_PREFIX, false, "a"}, false},
    {{CLAIM_PREFIX, true, "a"}, {CLAIM_PREFIX, false, "ab"}, true},
    {{CLAIM_PREFIX, true, "ab"}, {CLAIM_PART, false, "b"}, false},
    {{CLAIM_SUFFIX, true, "ab"}, {CLAIM_SUFFIX, true, "cb"}, false},
    {{CLAIM_SUFFIX, true, "ab"}, {CLAIM_PREFIX, true, "cb"}, true},
    {{CLAIM_PART, true, "abc"}, {CLAIM_PART, false, "b"}, false},
    {{CLAIM_PREFIX, true, "/a/b"}, {CLAIM_GLOBS, false, "/a/**"}, false},
    {{CLAIM_PREFIX, true, "/a"}, {CLAIM_GLOBS, false, "/a/**"}, true},
    {{CLAIM_PREFIX, true, "/b/"}, {CLAIM_GLOBS, true, "/a/**"}, false},
    {{CLAIM_PREFIX, true, "/a/b/"}, {CLAIM_GLOBS, true, "/a"}, false},
    {{CLAIM_PREFIX, true, "/a/"}, {CLAIM_GLOBS, true, "/a/**"}, true},
    {{CLAIM_GLOBS, true, "/a/**"}, {CLAIM_PREFIX, false, "/a"}, false},
    {{CLAIM_GLOBS, true, "/a/**"}, {CLAIM_PREFIX, false, "/a/"}, true}, // `/a` itself
    {{CLAIM_GLOBS, true, "/a/b/*"}, {CLAIM_GLOBS, false, "/a/**"}, false},
    {{CLAIM_GLOBS, true, "/a/*"}, {CLAIM_GLOBS, false, "/a/b"}, true},
    {{CLAIM_GLOBS, true, "/a/b"}, {CLAIM_GLOBS, false, "/*/b"}, false},
    {{CLAIM_GLOBS, true, "/a/**"}, {CLAIM_GLOBS, false, "/a/**"}, false},
    {{CLAIM_GLOBS, true, "/a"}, {CLAIM_GLOBS, false, "/a/**"}, false},
    {{CLAIM_GLOBS, true, "/a/**"}, {CLAIM_GLOBS, false, "/a/*"}, true},
    {{CLAIM_GLOBS, true, "/a/*/c"}, {CLAIM_GLOBS, true, "/*/b/c"}, true},
    {{CLAIM_GLOBS, true, "/a/*"}, {CLAIM_GLOBS, true, "/b/*"}, false},
    {{CLAIM_GLOBS, true, "/a/*"}, {CLAIM_GLOBS, true, "/a/b/c"}, false},
    {{CLAIM_GLOBS, true, "/a/**"}, {CLAIM_GLOBS, true, "/a/b/c"}, true},
    {{CLAIM_GLOBS, true, "/a/*/**"}, {CLAIM_GLOBS, true, "/a"}, false},
    {{CLAIM_GLOBS, true, "/**"}, {CLAIM_GLOBS, true, "/a"}, true},
};

Test(lint_claim, texts_that_exclude_each_other)
{
    AUTO(regex_scratch_free) struct regex_scratch *scratch = NULL;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    cr_assert_eq(regex_scratch_new(10000, &scratch), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct glob globs[2];
        struct str texts[2];
        struct claim one = made(&CASES[i].one, &globs[0], &texts[0]);
        struct claim other = made(&CASES[i].other, &globs[1], &texts[1]);
        const struct claim *there[] = {&one, &other}, *back[] = {&other, &one};
        cr_expect_eq(claims_agree(there, 2, scratch, &arena), CASES[i].agree, "%zu", i);
        cr_expect_eq(claims_agree(back, 2, scratch, &arena), CASES[i].agree, "%zu turned", i);
    }
}

struct net {
    bool yes;
    const char *text;
};

static const struct {
    struct net said[4];
    bool agree;
} NETS[] = {
    {{{true, "10.0.0.0/8"}, {false, "10.0.0.0/9"}}, true},
    {{{true, "10.0.0.0/8"}, {false, "10.0.0.0/9"}, {false, "10.128.0.0/9"}}, false},
    {{{true, "10.0.0.0/8"}, {false, "10.0.0.0/9"}, {false, "10.128.0.0/10"}}, true},
    {{{true, "10.0.0.0/8"}, {false, "10.0.0.0/9"}, {false, "10.128.0.0/10"}, {true, "10.160.0.0/11"}}, false},
    {{{true, "10.0.0.0/8"}, {true, "10.1.0.0/16"}, {false, "10.1.2.3/32"}}, true},
    {{{true, "10.1.2.2/31"}, {false, "10.1.2.3/32"}, {false, "10.1.2.2/32"}}, false},
    {{{false, "0.0.0.0/1"}, {false, "128.0.0.0/1"}, {false, "::/0"}}, false},
    {{{false, "0.0.0.0/1"}, {false, "128.0.0.0/1"}, {false, "::/1"}}, true},
    {{{false, "0.0.0.0/0"}, {false, "::/1"}, {false, "8000::/1"}}, false},
    {{{true, "::/0"}, {true, "0.0.0.0/0"}}, false},
    {{{true, "2001:db8::/32"}, {false, "2001:db8::/33"}, {false, "2001:db8:8000::/33"}}, false},
    {{{true, "2001:db8::/127"}, {false, "2001:db8::1/128"}}, true},
};

Test(lint_claim, networks_that_leave_nothing_together)
{
    for (size_t i = 0; i < COUNT_OF(NETS); i++) {
        struct cidr cidrs[4];
        struct claim claims[4];
        const struct claim *all[4], *back[4];
        size_t count = 0;
        for (; count < 4 && NETS[i].said[count].text != NULL; count++) {
            cr_assert(cidr_parse(str_of(NETS[i].said[count].text), false, &cidrs[count]), "%zu", i);
            claims[count] =
                (struct claim){.kind = CLAIM_CIDR, .about = VALUE_IP, .yes = NETS[i].said[count].yes};
            claims[count].as.cidr = &cidrs[count];
        }
        for (size_t k = 0; k < count; k++) {
            all[k] = &claims[k];
            back[k] = &claims[count - 1 - k];
        }
        cr_expect_eq(claim_nets_agree(all, count), NETS[i].agree, "%zu", i);
        cr_expect_eq(claim_nets_agree(back, count), NETS[i].agree, "%zu turned", i);
    }
}
