// SPDX-License-Identifier: Apache-2.0
#include "seal/bundle.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

// clang-format off
// Every byte of a small bundle, as docs/BUNDLES.md has it.
static const char WHOLE[] =
    "\x89PDPB\r\n\x1a" "\x01"                                    // 0: magic, format
    "\0\0\0\0\0\0\0\x07" "\0\0\0\0\x77\x35\x94\x00"              // 9: version, 17: expiry
    "\x01" "n" "\0\0\0\x04"                                      // 25: name, 27: entries
    "\x01" "\0\x06" "a.yaml" "\0\0\0\0\0\0\0\x01" "A"            // 31
    "\x01" "\0\x06" "b.yaml" "\0\0\0\0\0\0\0\x01" "B"            // 49
    "\x02" "\0\x05" "l.txt" "\0\0\0\0\0\0\0\x02" "x\n"           // 67
    "\x03" "\0\x0d" "Europe/Berlin" "\0\0\0\0\0\0\0\x02" "TZ"    // 85
    "\x00";                                                      // 111: signatures
// clang-format on
static const struct str BASE = {WHOLE, sizeof WHOLE - 1};

static const struct bundle HEAD = {.name = TEXT("n"), .version = 7, .expires_s = 2000000000};
static const struct bundle_entry ENTRIES[] = {
    {BUNDLE_DOCUMENT, TEXT("a.yaml"), TEXT("A")},
    {BUNDLE_DOCUMENT, TEXT("b.yaml"), TEXT("B")},
    {BUNDLE_LISTED, TEXT("l.txt"), TEXT("x\n")},
    {BUNDLE_ZONE, TEXT("Europe/Berlin"), TEXT("TZ")},
};

Test(seal_bundle, each_byte_is_as_documented)
{
    AUTO(buf_fini) struct buf bytes = {0};
    struct bundle_fault why;
    cr_assert_eq(bundle_write(&HEAD, ENTRIES, COUNT_OF(ENTRIES), &bytes, &why), PDP_ERR_OK);
    cr_assert(str_eq(buf_view(&bytes), BASE));
    struct bundle read;
    cr_assert_eq(bundle_read(BASE, &read, &why), PDP_ERR_OK);
    cr_expect(str_eq(read.name, HEAD.name) && read.version == 7 && read.expires_s == 2000000000);
    cr_expect(read.body.len == 111 && read.entry_count == 4 && read.signature_count == 0);
    cr_expect(read.count_of[BUNDLE_DOCUMENT] == 2 && read.count_of[BUNDLE_LISTED] == 1 &&
              read.count_of[BUNDLE_ZONE] == 1);
    size_t at = 0, i = 0;
    for (struct bundle_entry entry; bundle_next(&read, &at, &entry); i++) {
        cr_expect(entry.kind == ENTRIES[i].kind && str_eq(entry.name, ENTRIES[i].name) &&
                  str_eq(entry.bytes, ENTRIES[i].bytes));
    }
    cr_expect_eq(i, COUNT_OF(ENTRIES));
    AUTO(buf_fini) struct buf hex = {0};
    bundle_hex(read.digest, &hex);
    cr_expect(str_eq(buf_view(&hex), STR("e0384bd81366836f06e9424a20c2318623ba14ff491ae4efb05eaaf5820d6303")),
              STR_FMT, STR_ARG(buf_view(&hex)));
}

Test(seal_bundle, nothing_shorter_is_one)
{
    for (size_t len = 0; len < BASE.len; len++) {
        char *exact = malloc(len + 1); // so that a read past the end is seen
        struct bundle read;
        struct bundle_fault why;
        memcpy(exact, BASE.at, len);
        cr_expect_eq(bundle_read((struct str){exact, len}, &read, &why), PDP_ERR_MALFORMED, "%zu bytes", len);
        cr_expect_eq(why.offset, len < 8 ? 0 : len, "%zu bytes: at %zu", len, (size_t)why.offset);
        cr_expect(read.version == 0 && read.entry_count == 0);
        free(exact);
    }
}

#define OF(literal) literal, sizeof(literal) - 1

// `cut` bytes at `at` are replaced.
static const struct {
    const char *name;
    size_t at, cut;
    const char *with;
    size_t with_len;
    enum pdp_err err;
    size_t offset;
    const char *what;
} CHANGES[] = {
    {"another file", 0, 1, OF("P"), PDP_ERR_MALFORMED, 0, "this is no bundle"},
    {"taken for text", 5, 2, OF("\n"), PDP_ERR_MALFORMED, 0, "this is no bundle"},
    {"a later format", 8, 1, OF("\x02"), PDP_ERR_UNSUPPORTED, 8, "this version of the format is not known"},
    {"version 0", 9, 8, OF("\0\0\0\0\0\0\0\0"), PDP_ERR_MALFORMED, 9,
     "a bundle's version is a number from 1"},
    {"a negative version", 9, 1, OF("\x80"), PDP_ERR_MALFORMED, 9, "a bundle's version is a number from 1"},
    {"no expiry", 17, 8, OF("\0\0\0\0\0\0\0\0"), PDP_ERR_MALFORMED, 17, "the expiry is a time"},
    {"an expiry after 9999", 17, 8, OF("\0\0\0\x3a\xff\xf4\x41\x80"), PDP_ERR_MALFORMED, 17, "the expiry is"},
    {"an empty name", 25, 2, OF("\0"), PDP_ERR_MALFORMED, 26, "a bundle's name is small letters"},
    {"a name in capitals", 26, 1, OF("N"), PDP_ERR_MALFORMED, 26, "a bundle's name is small letters"},
    {"a name that is a path", 25, 2, OF("\x02./"), PDP_ERR_MALFORMED, 26, "a bundle's name is small letters"},
    {"far too many entries", 27, 4, OF("\xff\xff\xff\xff"), PDP_ERR_LIMIT, 27, "at most 20000 entries"},
    {"an entry too few is told", 27, 4, OF("\0\0\0\x03"), PDP_ERR_MALFORMED, 112, "ends too early"},
    {"an entry too many is told", 27, 4, OF("\0\0\0\x05"), PDP_ERR_MALFORMED, 111,
     "this is no kind of entry"},
    {"kind 0", 31, 1, OF("\0"), PDP_ERR_MALFORMED, 31, "this is no kind of entry"},
    {"kind 4", 85, 1, OF("\x04"), PDP_ERR_MALFORMED, 85, "this is no kind of entry"},
    {"kinds out of order", 31, 1, OF("\x02"), PDP_ERR_MALFORMED, 49, "entries are not in order"},
    {"names out of order", 34, 1, OF("c"), PDP_ERR_MALFORMED, 49, "entries are not in order"},
    {"a name twice", 34, 1, OF("b"), PDP_ERR_MALFORMED, 49, "this entry is there twice"},
    {"an empty entry name", 32, 8, OF("\0\0"), PDP_ERR_MALFORMED, 31, "the name of an entry is empty"},
    {"an absolute name", 34, 1, OF("/"), PDP_ERR_MALFORMED, 31, "the name of an entry is absolute"},
    {"upwards", 70, 5, OF("../xx"), PDP_ERR_MALFORMED, 67, "has a part `.` or `..`"},
    {"upwards inside", 70, 5, OF("x/../"), PDP_ERR_MALFORMED, 67, "has a part `.` or `..`"},
    {"upwards at the end", 70, 5, OF("xx/.."), PDP_ERR_MALFORMED, 67, "has a part `.` or `..`"},
    {"a part that says nothing", 70, 5, OF("./txt"), PDP_ERR_MALFORMED, 67, "has a part `.` or `..`"},
    {"an empty part", 70, 5, OF("l//xt"), PDP_ERR_MALFORMED, 67, "is absolute or has an empty part"},
    {"a slash at the end", 70, 5, OF("l.tx/"), PDP_ERR_MALFORMED, 67, "is absolute or has an empty part"},
    {"a NUL in a name", 72, 1, OF("\0"), PDP_ERR_MALFORMED, 67, "a control byte or a backslash"},
    {"a backslash in a name", 72, 1, OF("\\"), PDP_ERR_MALFORMED, 67, "a control byte or a backslash"},
    {"a name that is not UTF-8", 72, 1, OF("\xff"), PDP_ERR_MALFORMED, 67, "is not UTF-8"},
    {"a document of another name", 35, 5, OF(".json"), PDP_ERR_MALFORMED, 31, "ends in `.yaml` or `.yml`"},
    {"a hidden document", 34, 1, OF("."), PDP_ERR_MALFORMED, 31, "begins with `.`"},
    {"no zone", 94, 1, OF("."), PDP_ERR_MALFORMED, 85, "this is no name of a time zone"},
    {"a name longer than the file", 32, 2, OF("\xff\xff"), PDP_ERR_MALFORMED, 112, "ends too early"},
    {"a document of 4 MiB and 1", 40, 8, OF("\0\0\0\0\0\x40\0\x01"), PDP_ERR_LIMIT, 40, "too large"},
    {"a length near 2^64", 40, 8, OF("\xff\xff\xff\xff\xff\xff\xff\xff"), PDP_ERR_LIMIT, 40, "too large"},
    {"a length beyond the file", 40, 8, OF("\0\0\0\0\0\x40\0\0"), PDP_ERR_MALFORMED, 112, "ends too early"},
    {"a byte behind the end", 112, 0, OF("\0"), PDP_ERR_MALFORMED, 112, "there are bytes behind the end"},
    {"17 signatures", 111, 1, OF("\x11"), PDP_ERR_LIMIT, 111, "at most 16 signatures"},
    {"a signature that is not there", 111, 1, OF("\x01"), PDP_ERR_MALFORMED, 112, "ends too early"},
};

Test(seal_bundle, another_encoding_is_none)
{
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        AUTO(buf_fini) struct buf bytes = {0};
        struct bundle read;
        struct bundle_fault why;
        buf_put(&bytes, BASE.at, CHANGES[i].at);
        buf_put(&bytes, CHANGES[i].with, CHANGES[i].with_len);
        buf_str(&bytes, str_sub(BASE, CHANGES[i].at + CHANGES[i].cut, SIZE_MAX));
        enum pdp_err err = bundle_read(buf_view(&bytes), &read, &why);
        cr_expect_eq(err, CHANGES[i].err, "%s: %s", CHANGES[i].name, pdp_err_name(err));
        cr_expect_eq(why.offset, CHANGES[i].offset, "%s: at %zu", CHANGES[i].name, (size_t)why.offset);
        cr_expect(strstr(why.what, CHANGES[i].what) != NULL, "%s: %s", CHANGES[i].name, why.what);
        cr_expect(read.version == 0 && read.entry_count == 0 && read.body.len == 0, "%s", CHANGES[i].name);
    }
}

// What is read, written again, is the same bytes: there is no second form.
Test(seal_bundle, a_changed_byte_is_refused_or_another_bundle)
{
    struct bundle whole;
    struct bundle_fault why;
    cr_assert_eq(bundle_read(BASE, &whole, &why), PDP_ERR_OK);
    for (size_t i = 0; i < BASE.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            char bytes[sizeof WHOLE];
            struct bundle read;
            memcpy(bytes, WHOLE, sizeof WHOLE);
            bytes[i] = (char)(bytes[i] ^ (1 << bit));
            if (bundle_read((struct str){bytes, BASE.len}, &read, &why) == PDP_ERR_OK) {
                cr_expect(memcmp(read.digest, whole.digest, SEAL_BYTES) != 0, "byte %zu bit %u", i, bit);
            }
        }
    }
}

static struct bundle_signature signature(unsigned char id, unsigned char fill)
{
    struct bundle_signature out;
    memset(out.key_id, id, sizeof out.key_id);
    memset(out.bytes, fill, sizeof out.bytes);
    return out;
}

Test(seal_bundle, signatures_stand_in_the_order_of_their_keys)
{
    static const unsigned char ORDERS[][3] = {{1, 2, 3}, {3, 2, 1}, {2, 3, 1}};
    AUTO(buf_fini) struct buf first = {0};
    for (size_t o = 0; o < COUNT_OF(ORDERS); o++) {
        AUTO(buf_fini) struct buf bytes = {0};
        buf_str(&bytes, BASE);
        struct bundle read;
        struct bundle_fault why;
        for (size_t i = 0; i < 4; i++) { // the last one is there already: it takes its place
            AUTO(buf_fini) struct buf more = {0};
            struct bundle_signature one = signature(ORDERS[o][i % 3], 9);
            cr_assert_eq(bundle_read(buf_view(&bytes), &read, &why), PDP_ERR_OK, "%s", why.what);
            cr_assert_eq(bundle_put_signature(&read, &one, &more), PDP_ERR_OK);
            buf_clear(&bytes);
            buf_str(&bytes, buf_view(&more));
        }
        cr_assert_eq(bundle_read(buf_view(&bytes), &read, &why), PDP_ERR_OK);
        cr_expect(read.signature_count == 3 && read.signatures[2].key_id[0] == 3);
        cr_expect(str_eq(read.body, str_sub(BASE, 0, 111)));
        buf_str(&first, o == 0 ? buf_view(&bytes) : (struct str){0});
        cr_expect(str_eq(buf_view(&bytes), buf_view(&first)), "the order of signing leaves no trace");
        // Two that change places, and the same one twice.
        size_t each = BUNDLE_KEY_ID_BYTES + BUNDLE_SIGNATURE_BYTES;
        memcpy(bytes.at + 112, &(struct bundle_signature){.key_id = {7}}, each);
        cr_expect_eq(bundle_read(buf_view(&bytes), &read, &why), PDP_ERR_MALFORMED);
        cr_expect_eq(why.offset, 112 + each);
        memcpy(bytes.at + 112, bytes.at + 112 + each, each);
        cr_expect_eq(bundle_read(buf_view(&bytes), &read, &why), PDP_ERR_MALFORMED);
        cr_expect_eq(why.offset, 112 + each);
    }
}

Test(seal_bundle, sixteen_signatures_and_no_more)
{
    AUTO(buf_fini) struct buf bytes = {0};
    buf_str(&bytes, BASE);
    struct bundle read;
    struct bundle_fault why;
    for (unsigned char i = 0; i < BUNDLE_SIGNATURES_MAX + 1; i++) {
        AUTO(buf_fini) struct buf more = {0};
        struct bundle_signature one = signature(i, 1);
        cr_assert_eq(bundle_read(buf_view(&bytes), &read, &why), PDP_ERR_OK);
        cr_expect_eq(bundle_put_signature(&read, &one, &more),
                     i < BUNDLE_SIGNATURES_MAX ? PDP_ERR_OK : PDP_ERR_LIMIT);
        if (i < BUNDLE_SIGNATURES_MAX) {
            buf_clear(&bytes);
            buf_str(&bytes, buf_view(&more));
        }
    }
}

Test(seal_bundle, what_would_not_be_read_is_not_written)
{
    static const struct {
        const char *what;
        struct bundle head;
        struct bundle_entry entries[2];
    } REFUSED[] = {
        {"a bundle's name", {.name = TEXT("a b"), .version = 1, .expires_s = 1}, {{0}}},
        {"a bundle's name", {.name = TEXT(""), .version = 1, .expires_s = 1}, {{0}}},
        {"a version begins with 1", {.name = TEXT("n"), .version = 0, .expires_s = 1}, {{0}}},
        {"an expiry lies between", {.name = TEXT("n"), .version = 1, .expires_s = 0}, {{0}}},
        {"an expiry lies between", {.name = TEXT("n"), .version = 1, .expires_s = INT64_MAX}, {{0}}},
        {"not in order",
         HEAD,
         {{BUNDLE_LISTED, TEXT("a"), TEXT("")}, {BUNDLE_DOCUMENT, TEXT("a.yml"), TEXT("")}}},
        {"twice", HEAD, {{BUNDLE_LISTED, TEXT("a"), TEXT("")}, {BUNDLE_LISTED, TEXT("a"), TEXT("")}}},
        {"`.` or `..`",
         HEAD,
         {{BUNDLE_LISTED, TEXT("../a"), TEXT("")}, {BUNDLE_LISTED, TEXT("a"), TEXT("")}}},
        {"no kind", HEAD, {{BUNDLE_LISTED, TEXT("a"), TEXT("")}, {(enum bundle_kind)7, TEXT("a"), TEXT("")}}},
    };
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(buf_fini) struct buf bytes = {0};
        struct bundle_fault why;
        enum pdp_err err = bundle_write(&REFUSED[i].head, REFUSED[i].entries, 2, &bytes, &why);
        cr_expect(err != PDP_ERR_OK && strstr(why.what, REFUSED[i].what) != NULL, "%zu: %s", i, why.what);
    }
}
