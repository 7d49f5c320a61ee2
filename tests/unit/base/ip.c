// SPDX-License-Identifier: Apache-2.0
#include "base/ip.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define TEXT(literal)                   \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

static void expect_text(const struct buf *buf, const char *want, const char *name)
{
    struct str got = buf_view(buf);
    cr_expect(!buf->failed && str_eq(got, str_of(want)), "%s: got " STR_FMT ", expected %s", name,
              STR_ARG(got), want);
}

static const struct {
    struct str text;
    const char *printed; // NULL: refused
} ADDRESSES[] = {
    {TEXT("0.0.0.0"), "0.0.0.0"},
    {TEXT("255.255.255.255"), "255.255.255.255"},
    {TEXT("203.0.113.7"), "203.0.113.7"},
    {TEXT("10.0.100.9"), "10.0.100.9"},
    // RFC 5952 §1: one address, many texts.
    {TEXT("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1"},
    {TEXT("2001:0db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1"},
    {TEXT("2001:db8::1:0:0:1"), "2001:db8::1:0:0:1"},
    {TEXT("2001:db8::0:1:0:0:1"), "2001:db8::1:0:0:1"},
    {TEXT("2001:0db8::1:0:0:1"), "2001:db8::1:0:0:1"},
    {TEXT("2001:db8:0:0:1::1"), "2001:db8::1:0:0:1"},
    {TEXT("2001:DB8:0:0:1::1"), "2001:db8::1:0:0:1"},
    {TEXT("2001:db8:aaaa:bbbb:cccc:dddd:eeee:001"), "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},
    {TEXT("2001:db8:aaaa:bbbb:cccc:dddd::1"), "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
    {TEXT("2001:db8:0:0:0::1"), "2001:db8::1"},
    {TEXT("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1"},
    {TEXT("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1"},
    {TEXT("2001:db8:aaaa:bbbb:cccc:dddd:eeee:AaAa"), "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},
    {TEXT("::"), "::"},
    {TEXT("::1"), "::1"},
    {TEXT("1::"), "1::"},
    {TEXT("0:0:0:0:0:0:0:0"), "::"},
    {TEXT("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0"},
    {TEXT("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8"},
    {TEXT("0:0:1:0:0:0:0:0"), "0:0:1::"},
    {TEXT("::1.2.3.4"), "::102:304"},
    {TEXT("64:ff9b::192.0.2.33"), "64:ff9b::c000:221"},
    {TEXT("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304"},
    {TEXT("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    // Mapped: the IPv4 address.
    {TEXT("::ffff:203.0.113.7"), "203.0.113.7"},
    {TEXT("::FFFF:cb00:7107"), "203.0.113.7"},
    {TEXT("0:0:0:0:0:ffff:cb00:7107"), "203.0.113.7"},
    {TEXT("::ffff:0:203.0.113.7"), "::ffff:0:cb00:7107"},
    // Refused.
    {TEXT(""), NULL},
    {TEXT(" "), NULL},
    {TEXT(":"), NULL},
    {TEXT("."), NULL},
    {TEXT("..."), NULL},
    {TEXT("1"), NULL},
    {TEXT("1.2.3"), NULL},
    {TEXT("1.2.3.4.5"), NULL},
    {TEXT("1.2.3.4."), NULL},
    {TEXT(".1.2.3.4"), NULL},
    {TEXT("1..3.4"), NULL},
    {TEXT("1.2.3.256"), NULL},
    {TEXT("1.2.3.1000"), NULL},
    {TEXT("01.2.3.4"), NULL},
    {TEXT("1.2.3.04"), NULL},
    {TEXT("1.2.3.00"), NULL},
    {TEXT("0x1.2.3.4"), NULL},
    {TEXT("1.2.3.-4"), NULL},
    {TEXT("+1.2.3.4"), NULL},
    {TEXT("1.2.3.4 "), NULL},
    {TEXT(" 1.2.3.4"), NULL},
    {TEXT("1.2.3.4\n"), NULL},
    {TEXT("1.2.3.4\0"), NULL},
    {TEXT("1.2\0.3.4"), NULL},
    {TEXT("3405803783"), NULL},
    {TEXT("1.2.3.4:80"), NULL},
    {TEXT("1.2.3.4/32"), NULL},
    {TEXT("\xef\xbc\x91.2.3.4"), NULL}, // a full-width 1
    {TEXT(":::"), NULL},
    {TEXT("::::"), NULL},
    {TEXT("1::2::3"), NULL},
    {TEXT(":1"), NULL},
    {TEXT("1:"), NULL},
    {TEXT(":1::"), NULL},
    {TEXT("::1:"), NULL},
    {TEXT("1:2:3:4:5:6:7"), NULL},
    {TEXT("1:2:3:4:5:6:7:8:9"), NULL},
    {TEXT("1:2:3:4:5:6:7:8::"), NULL},
    {TEXT("::1:2:3:4:5:6:7:8"), NULL},
    {TEXT("1:2:3:4::5:6:7:8"), NULL},
    {TEXT("12345::"), NULL},
    {TEXT("00000::"), NULL},
    {TEXT("g::"), NULL},
    {TEXT("::-1"), NULL},
    {TEXT("::@"), NULL},
    {TEXT("::`"), NULL},
    {TEXT("::1%eth0"), NULL},
    {TEXT("fe80::1%25lo"), NULL},
    {TEXT("[::1]"), NULL},
    {TEXT("::1.2.3"), NULL},
    {TEXT("::1.2.3.4.5"), NULL},
    {TEXT("::01.2.3.4"), NULL},
    {TEXT("::1.2.3.256"), NULL},
    {TEXT("1.2.3.4::"), NULL},
    {TEXT("::1.2.3.4:5"), NULL},
    {TEXT("::1.2.3.4:5.6.7.8"), NULL},
    {TEXT("1.2.3.4::5"), NULL},
    {TEXT("1:2:3:4:5:6:7:1.2.3.4"), NULL},
    {TEXT("1:2:3:4:5:6:7:8:1.2.3.4"), NULL},
    {TEXT("1:2:3:4:5:1.2.3.4"), NULL},
    {TEXT("::1:2:3:4:5:6:1.2.3.4"), NULL},
    {TEXT("::1:2:3:4:5:1.2.3.4"), "0:1:2:3:4:5:102:304"},
    {TEXT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"), NULL},
};

Test(base_ip, reads_strictly_and_prints_as_rfc_5952)
{
    for (size_t i = 0; i < COUNT_OF(ADDRESSES); i++) {
        struct str text = ADDRESSES[i].text;
        struct ip ip;
        memset(&ip, 0xa5, sizeof ip);
        bool ok = ip_parse(text, &ip);
        cr_expect_eq(ok, ADDRESSES[i].printed != NULL, "`" STR_FMT "`: %d", STR_ARG(text), ok);
        struct ip zero = {0};
        if (!ok) {
            cr_expect(ip_eq(&ip, &zero), "`" STR_FMT "`: left something behind", STR_ARG(text));
            continue;
        }
        struct buf out = {0};
        ip_print(&out, &ip);
        expect_text(&out, ADDRESSES[i].printed, text.at);
        struct ip again;
        cr_expect(ip_parse(buf_view(&out), &again) && ip_eq(&ip, &again), "%s: no round trip", text.at);
        buf_fini(&out);
    }
}

Test(base_ip, every_cut_and_every_byte_is_survived)
{
    static const char TEXT_45[] = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
    for (size_t len = 0; len < sizeof TEXT_45; len++) {
        char *exact = malloc(len + 1);
        memcpy(exact, TEXT_45, len);
        struct ip ip;
        cr_expect_eq(ip_parse((struct str){exact, len}, &ip), len >= 30 + 13, "%zu", len);
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte += 3) {
                memcpy(exact, TEXT_45, len);
                exact[at] = (char)byte;
                struct cidr cidr;
                (void)ip_parse((struct str){exact, len}, &ip);
                (void)cidr_parse((struct str){exact, len}, true, &cidr);
            }
        }
        free(exact);
    }
}

Test(base_ip, unmapped_refuses_a_mapped_address)
{
    struct ip ip;
    cr_expect(ip_parse_unmapped(STR("1.2.3.4"), &ip) && ip.v4);
    cr_expect(ip_parse_unmapped(STR("2001:db8::1"), &ip) && !ip.v4);
    cr_expect(ip_parse_unmapped(STR("::1.2.3.4"), &ip) && !ip.v4);
    cr_expect(!ip_parse_unmapped(STR("::ffff:1.2.3.4"), &ip));
    cr_expect(!ip_parse_unmapped(STR("::ffff:102:304"), &ip));
    struct ip zero = {0};
    cr_expect(ip_eq(&ip, &zero));
}

Test(base_ip, mapped_and_plain_are_one_address)
{
    struct ip a, b, other;
    cr_assert(ip_parse(STR("::ffff:192.0.2.1"), &a) && ip_parse(STR("192.0.2.1"), &b));
    cr_assert(ip_parse(STR("::192.0.2.1"), &other));
    cr_expect(ip_eq(&a, &b) && ip_cmp(&a, &b) == 0);
    cr_expect(!ip_eq(&a, &other));
}

static const struct {
    struct str text;
    bool mask;
    const char *printed; // NULL: refused
} PREFIXES[] = {
    {TEXT("10.0.0.0/8"), false, "10.0.0.0/8"},
    {TEXT("0.0.0.0/0"), false, "0.0.0.0/0"},
    {TEXT("1.2.3.4/32"), false, "1.2.3.4/32"},
    {TEXT("::/0"), false, "::/0"},
    {TEXT("2001:db8::/32"), false, "2001:db8::/32"},
    {TEXT("2001:db8::1/128"), false, "2001:db8::1/128"},
    {TEXT("10.1.0.0/8"), false, NULL},
    {TEXT("10.1.2.3/8"), true, "10.0.0.0/8"},
    {TEXT("10.255.255.255/9"), true, "10.128.0.0/9"},
    {TEXT("1.2.3.4/31"), false, "1.2.3.4/31"},
    {TEXT("1.2.3.5/31"), false, NULL},
    {TEXT("1.2.3.4/0"), true, "0.0.0.0/0"},
    {TEXT("2001:db8::1/127"), false, NULL},
    {TEXT("2001:db8:ffff::/33"), true, "2001:db8:8000::/33"},
    {TEXT("::ffff:10.0.0.0/104"), false, "10.0.0.0/8"},
    {TEXT("::ffff:10.1.0.0/104"), false, NULL},
    {TEXT("::ffff:10.1.0.0/104"), true, "10.0.0.0/8"},
    {TEXT("::ffff:0:0/96"), false, "0.0.0.0/0"},
    {TEXT("::ffff:1.2.3.4/128"), false, "1.2.3.4/32"},
    {TEXT("::ffff:0:0/95"), true, NULL},
    {TEXT("::ffff:10.0.0.0/8"), true, NULL},
    {TEXT("1.2.3.4"), true, NULL},
    {TEXT("1.2.3.4/"), true, NULL},
    {TEXT("/8"), true, NULL},
    {TEXT("/"), true, NULL},
    {TEXT(""), true, NULL},
    {TEXT("1.2.3.4/33"), true, NULL},
    {TEXT("::/129"), true, NULL},
    {TEXT("::/1000"), true, NULL},
    {TEXT("1.2.3.4/08"), true, NULL},
    {TEXT("1.2.3.4/-1"), true, NULL},
    {TEXT("1.2.3.4/+8"), true, NULL},
    {TEXT("1.2.3.4/8 "), true, NULL},
    {TEXT("1.2.3.4/8/8"), true, NULL},
    {TEXT("1.2.3.4/255.0.0.0"), true, NULL},
    {TEXT("1.2.3.4/4294967304"), true, NULL},
};

Test(base_ip, prefixes)
{
    for (size_t i = 0; i < COUNT_OF(PREFIXES); i++) {
        struct cidr cidr;
        memset(&cidr, 0xa5, sizeof cidr);
        bool ok = cidr_parse(PREFIXES[i].text, PREFIXES[i].mask, &cidr);
        cr_expect_eq(ok, PREFIXES[i].printed != NULL, "%s: %d", PREFIXES[i].text.at, ok);
        if (ok) {
            struct buf out = {0};
            cidr_print(&out, &cidr);
            expect_text(&out, PREFIXES[i].printed, PREFIXES[i].text.at);
            buf_fini(&out);
        } else {
            cr_expect(cidr.bits == 0 && !cidr.base.v4, "%s: left something behind", PREFIXES[i].text.at);
        }
    }
}

static const struct {
    const char *cidr, *ip;
    bool holds;
} HOLDS[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"10.0.0.0/8", "::10.1.2.3", false},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.1/32", "192.0.2.1", true},
    {"192.0.2.1/32", "192.0.2.0", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "1.2.3.4", false},
    {"2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::1/128", "2001:db8::1", true},
    {"2001:db8::1/128", "2001:db8::2", false},
};

Test(base_ip, a_prefix_holds_its_addresses)
{
    for (size_t i = 0; i < COUNT_OF(HOLDS); i++) {
        struct cidr cidr;
        struct ip ip;
        cr_assert(cidr_parse(str_of(HOLDS[i].cidr), false, &cidr), "%s", HOLDS[i].cidr);
        cr_assert(ip_parse(str_of(HOLDS[i].ip), &ip), "%s", HOLDS[i].ip);
        cr_expect_eq(cidr_holds(&cidr, &ip), HOLDS[i].holds, "%s in %s", HOLDS[i].ip, HOLDS[i].cidr);
    }
}

Test(base_ip, masks_bit_by_bit)
{
    struct ip all;
    cr_assert(ip_parse(STR("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), &all));
    for (unsigned bits = 0; bits <= 130; bits++) {
        struct ip masked = ip_mask(&all, bits);
        for (unsigned bit = 0; bit < 128; bit++) {
            bool set = masked.bytes[bit / 8] >> (7 - bit % 8) & 1;
            cr_expect_eq(set, bit < bits, "bit %u of /%u", bit, bits);
        }
    }
    struct ip v4, want;
    cr_assert(ip_parse(STR("203.0.113.255"), &v4) && ip_parse(STR("203.0.113.0"), &want));
    struct ip masked = ip_mask(&v4, 24);
    cr_expect(ip_eq(&masked, &want));
    masked = ip_mask(&v4, 4096);
    cr_expect(ip_eq(&masked, &v4));
}

Test(base_ip, order_is_ipv4_first_then_bytes)
{
    static const char *const SORTED[] = {"0.0.0.0", "9.255.255.255", "10.0.0.0",     "255.255.255.255",
                                         "::",      "::1",           "::ffff:0:0:0", "ffff::"};
    struct ip ips[COUNT_OF(SORTED)];
    for (size_t i = 0; i < COUNT_OF(SORTED); i++) {
        cr_assert(ip_parse(str_of(SORTED[i]), &ips[i]));
    }
    for (size_t i = 0; i < COUNT_OF(SORTED); i++) {
        for (size_t j = 0; j < COUNT_OF(SORTED); j++) {
            int order = ip_cmp(&ips[i], &ips[j]);
            cr_expect((order < 0) == (i < j) && (order > 0) == (i > j), "%s against %s: %d", SORTED[i],
                      SORTED[j], order);
        }
    }
}

static const struct {
    const char *ip;
    bool is_private;
} PRIVATE[] = {
    {"0.0.0.0", true},
    {"10.0.0.0", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"127.0.0.1", true},
    {"127.255.255.255", true},
    {"128.0.0.0", false},
    {"169.253.255.255", false},
    {"169.254.169.254", true},
    {"169.255.0.0", false},
    {"172.15.255.255", false},
    {"172.16.0.0", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.167.255.255", false},
    {"192.168.0.0", true},
    {"192.169.0.0", false},
    {"203.0.113.7", false},
    {"8.8.8.8", false},
    {"::", true},
    {"::1", true},
    {"::2", false},
    {"::ffff:10.0.0.1", true},
    {"::ffff:8.8.8.8", false},
    {"fe80::1", true},
    {"febf:ffff::", true},
    {"fec0::", false},
    {"fc00::", true},
    {"fdff:ffff::", true},
    {"fe00::", false},
    {"fbff::", false},
    {"2001:db8::1", false},
    {"2606:4700::1111", false},
};

Test(base_ip, private_ranges_and_their_neighbours)
{
    for (size_t i = 0; i < COUNT_OF(PRIVATE); i++) {
        struct ip ip;
        cr_assert(ip_parse(str_of(PRIVATE[i].ip), &ip), "%s", PRIVATE[i].ip);
        cr_expect_eq(ip_is_private(&ip), PRIVATE[i].is_private, "%s", PRIVATE[i].ip);
    }
}
