// SPDX-License-Identifier: Apache-2.0
#include "model/hop.h"

#include <criterion/criterion.h>

#define MOST 20

// Forwarded entries are separated by `|`; an empty text is an absent list, `-` an empty one.
static const struct {
    const char *name, *proxies, *ip, *forwarded, *client, *why;
} CASES[] = {
    {"no proxies configured", "", "203.0.113.7", "198.51.100.1", "203.0.113.7", "network.ip"},
    {"not a proxy: the header is forged", "10.0.0.0/8", "203.0.113.7", "127.0.0.1", "203.0.113.7",
     "network.ip"},
    {"not a proxy: a bad header does not matter", "10.0.0.0/8", "203.0.113.7", "rubbish", "203.0.113.7",
     "network.ip"},
    {"one proxy", "10.0.0.0/8", "10.0.0.2", "203.0.113.7", "203.0.113.7",
     "forwarded_for[-1], 1 trusted proxy passed"},
    {"two proxies", "10.0.0.0/8", "10.0.0.2", "203.0.113.7|10.0.0.3", "203.0.113.7",
     "forwarded_for[-2], 2 trusted proxies passed"},
    {"what stands left of the client is its own claim", "10.0.0.0/8", "10.0.0.2",
     "127.0.0.1|203.0.113.7|10.9.9.9", "203.0.113.7", "forwarded_for[-2], 2 trusted proxies passed"},
    {"a forged trusted address left of the client", "10.0.0.0/8", "10.0.0.2", "10.0.0.9|203.0.113.7",
     "203.0.113.7", "forwarded_for[-1], 1 trusted proxy passed"},
    {"rubbish left of the client is not looked at", "10.0.0.0/8", "10.0.0.2", "rubbish|203.0.113.7",
     "203.0.113.7", "forwarded_for[-1], 1 trusted proxy passed"},
    {"rubbish where the client should stand", "10.0.0.0/8", "10.0.0.2", "203.0.113.7|rubbish", NULL,
     "forwarded_for: an entry that a trusted proxy added is no address"},
    {"rubbish behind a proxy", "10.0.0.0/8", "10.0.0.2", "unknown|10.0.0.3", NULL,
     "forwarded_for: an entry that a trusted proxy added is no address"},
    {"a port is no address", "10.0.0.0/8", "10.0.0.2", "203.0.113.7:1234", NULL,
     "forwarded_for: an entry that a trusted proxy added is no address"},
    {"blanks around an entry", "10.0.0.0/8", "10.0.0.2", " 203.0.113.7 ", "203.0.113.7",
     "forwarded_for[-1], 1 trusted proxy passed"},
    {"an empty entry", "10.0.0.0/8", "10.0.0.2", "203.0.113.7|", NULL,
     "forwarded_for: an entry that a trusted proxy added is no address"},
    {"all are proxies", "10.0.0.0/8", "10.0.0.2", "10.0.0.4|10.0.0.3", "10.0.0.4",
     "forwarded_for[0], all hops are trusted proxies"},
    {"a proxy that says nothing", "10.0.0.0/8", "10.0.0.2", "", "10.0.0.2",
     "network.ip, a trusted proxy without forwarded_for"},
    {"a proxy with an empty list", "10.0.0.0/8", "10.0.0.2", "-", "10.0.0.2",
     "network.ip, a trusted proxy without forwarded_for"},
    {"mapped proxy", "10.0.0.0/8", "::ffff:10.0.0.2", "203.0.113.7", "203.0.113.7",
     "forwarded_for[-1], 1 trusted proxy passed"},
    {"mapped client", "10.0.0.0/8", "10.0.0.2", "::ffff:203.0.113.7", "203.0.113.7",
     "forwarded_for[-1], 1 trusted proxy passed"},
    {"mapped network.ip", "", "::ffff:203.0.113.7", "", "203.0.113.7", "network.ip"},
    {"IPv6 throughout", "2001:db8::/32", "2001:db8::1", "2001:DB9::7", "2001:db9::7",
     "forwarded_for[-1], 1 trusted proxy passed"},
    {"several lists of proxies", "10.0.0.0/8|192.0.2.1/32", "192.0.2.1", "203.0.113.7|10.1.1.1",
     "203.0.113.7", "forwarded_for[-2], 2 trusted proxies passed"},
    {"no address", "10.0.0.0/8", NULL, "203.0.113.7", NULL, "network.ip is missing"},
    {"empty address", "10.0.0.0/8", "", "203.0.113.7", NULL, "network.ip is no address"},
    {"a name", "", "gateway.example", "", NULL, "network.ip is no address"},
    {"leading zeros", "", "010.0.0.1", "", NULL, "network.ip is no address"},
    {"sixteen proxies", "10.0.0.0/8", "10.0.0.1",
     "203.0.113.7|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|"
     "10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1",
     "203.0.113.7", "forwarded_for[-16], 16 trusted proxies passed"},
    {"seventeen proxies", "10.0.0.0/8", "10.0.0.1",
     "203.0.113.7|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|"
     "10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1|10.0.0.1",
     NULL, "forwarded_for: more than 16 trusted proxies"},
};

static size_t split(const char *text, struct str pieces[MOST])
{
    size_t count = 0;
    struct str rest = str_of(text);
    for (size_t at = 0; at <= rest.len && count < MOST; count++) {
        size_t end = str_find_byte(rest, '|', at);
        pieces[count] = str_sub(rest, at, end - at);
        at = end + 1;
    }
    return count;
}

Test(model_hop, takes_the_first_address_nobody_vouches_for)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct str pieces[MOST];
        struct cidr proxies[MOST];
        struct value entries[MOST];
        size_t count = CASES[i].proxies[0] != '\0' ? split(CASES[i].proxies, pieces) : 0;
        for (size_t k = 0; k < count; k++) {
            cr_assert(cidr_parse(pieces[k], false, &proxies[k]));
        }
        struct request request = {0};
        request.ip = str_of(CASES[i].ip);
        bool empty = strcmp(CASES[i].forwarded, "-") == 0;
        uint32_t n = empty ? 0 : (uint32_t)split(CASES[i].forwarded, pieces);
        for (size_t k = 0; k < n; k++) {
            entries[k] = value_str(pieces[k]);
        }
        struct value list = {.kind = VALUE_LIST, .n = n, .as.list = entries};
        request.forwarded_for = CASES[i].forwarded[0] != '\0' ? &list : NULL;

        struct ip out, want = {0};
        const char *why = NULL;
        bool known = hop_judge(&request, proxies, count, &out, &why);
        cr_expect_eq(known, CASES[i].client != NULL, "%s: %d", CASES[i].name, known);
        cr_expect_str_eq(why, CASES[i].why, "%s: %s", CASES[i].name, why);
        if (CASES[i].client != NULL) {
            cr_assert(ip_parse(str_of(CASES[i].client), &want));
        }
        cr_expect(ip_eq(&out, &want), "%s: another address", CASES[i].name);
    }
}

Test(model_hop, entries_that_are_no_text_are_unsure)
{
    struct value entry = value_int(7);
    struct value list = {.kind = VALUE_LIST, .n = 1, .as.list = &entry};
    struct request request = {.ip = STR("10.0.0.1"), .forwarded_for = &list};
    struct cidr proxy;
    struct ip out;
    const char *why;
    cr_assert(cidr_parse(STR("10.0.0.0/8"), false, &proxy));
    cr_expect_not(hop_judge(&request, &proxy, 1, &out, &why));
}
