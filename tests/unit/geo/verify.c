// SPDX-License-Identifier: Apache-2.0
#include "geo/verify.h"

#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>

// A database put together by hand. Zeroed fields mean what a sound file has.
struct made {
    const char *name;
    unsigned records[8][2]; // of 24 bits
    unsigned nodes;         // as the metadata counts them
    unsigned bits, version, major;
    const char *data;
    size_t data_len;
    uint64_t build_s;
    const char *type;
    const char *words; // instead of sound languages and description
    size_t words_len;
    const char *tail; // instead of the metadata's map
    bool dirty_separator, no_marker, many_markers;
    enum pdp_err err;
    const char *refusal; // a part of it
};

enum {
    SOUND_BUILD_S = 1700000000
};

static void put_number(struct buf *out, const char *key, unsigned control, uint64_t value, unsigned bytes)
{
    buf_byte(out, (unsigned char)(0x40 + strlen(key)));
    buf_str(out, str_of(key));
    buf_byte(out, (unsigned char)(control + bytes));
    if (control == 0) {
        buf_byte(out, 2); // uint64
    }
    while (bytes-- > 0) {
        buf_byte(out, (unsigned char)(value >> (8 * bytes)));
    }
}

static void put_metadata(struct buf *out, const struct made *made, unsigned nodes)
{
    buf_str(out, STR("\xab\xcd\xefMaxMind.com"));
    if (made->tail != NULL) {
        buf_str(out, str_of(made->tail));
        return;
    }
    const char *type = made->type != NULL ? made->type : "GeoIP2-City";
    buf_byte(out, 0xe8);
    put_number(out, "node_count", 0xc0, made->nodes != 0 ? made->nodes : nodes, 4);
    put_number(out, "record_size", 0xa0, made->bits != 0 ? made->bits : 24, 2);
    put_number(out, "ip_version", 0xa0, made->version != 0 ? made->version : 4, 2);
    // 27 bytes of key fit into one head, 28 just do.
    put_number(out, "binary_format_major_version", 0xa0, made->major != 0 ? made->major : 2, 2);
    put_number(out, "build_epoch", 0, made->build_s != 0 ? made->build_s : SOUND_BUILD_S, 8);
    buf_str(out, STR("\x4d"
                     "database_type"));
    buf_byte(out, (unsigned char)(0x40 + strlen(type)));
    buf_str(out, str_of(type));
    if (made->words != NULL) {
        buf_put(out, made->words, made->words_len);
        return;
    }
    buf_str(out, STR("\x49"
                     "languages\x01\x04\x42"
                     "en\x4b"
                     "description\xe0"));
}

static void put_database(struct buf *out, const struct made *made)
{
    unsigned nodes = 0;
    while (nodes < 8 && (made->records[nodes][0] != 0 || made->records[nodes][1] != 0)) {
        for (unsigned side = 0; side < 2; side++) {
            buf_byte(out, (unsigned char)(made->records[nodes][side] >> 16));
            buf_byte(out, (unsigned char)(made->records[nodes][side] >> 8));
            buf_byte(out, (unsigned char)made->records[nodes][side]);
        }
        nodes++;
    }
    for (int i = 0; i < 16; i++) {
        buf_byte(out, made->dirty_separator && i == 15);
    }
    buf_put(out, made->data, made->data_len);
    if (made->many_markers) {
        buf_str(out, STR("\xab\xcd\xefMaxMind.com\xff\xff"));
    }
    if (!made->no_marker) {
        put_metadata(out, made, nodes);
    }
}

#define DATA(literal) .data = "" literal, .data_len = sizeof(literal) - 1
#define WORDS(literal) .words = "" literal, .words_len = sizeof(literal) - 1
#define REFUSED(how, part) .err = PDP_ERR_##how, .refusal = part

static const struct made MADE[] = {
    {"one empty node", {{1, 1}}, DATA("")},
    {"one record", {{17, 1}}, DATA("\xe0")},
    {"both records the same", {{17, 17}}, DATA("\xe0")},
    {"two nodes", {{1, 2}, {18, 2}}, DATA("\xe0")},
    {"a shared node", {{1, 1}, {18, 2}}, DATA("\xe0")},
    {"a marker in the data", {{17, 1}}, DATA("\xe0"), .many_markers = true},
    {"no marker", {{1, 1}}, .no_marker = true, REFUSED(CORRUPT, "no metadata")},
    {"no metadata", {{1, 1}}, .tail = "", REFUSED(CORRUPT, "a value is missing")},
    {"metadata that is no map",
     {{1, 1}},
     .tail = "\x41"
             "x",
     REFUSED(CORRUPT, "`binary_format_major_version`")},
    {"metadata that is empty", {{1, 1}}, .tail = "\xe0", REFUSED(CORRUPT, "`binary_format_major_version`")},
    {"metadata that is cut", {{1, 1}}, .tail = "\xe1\x41", REFUSED(CORRUPT, "cut off")},
    {"another format", {{1, 1}}, .major = 3, REFUSED(UNSUPPORTED, "format version 3")},
    {"records of 20 bits", {{1, 1}}, .bits = 20, REFUSED(UNSUPPORTED, "records of 20 bits")},
    {"records of 64 bits", {{1, 1}}, .bits = 64, REFUSED(UNSUPPORTED, "records of 64 bits")},
    {"IP version 5", {{1, 1}}, .version = 5, REFUSED(CORRUPT, "IP version 5")},
    {"no type", {{1, 1}}, .type = "", REFUSED(CORRUPT, "`database_type`")},
    {"built after year 9999", {{1, 1}}, .build_s = UINT64_MAX, REFUSED(CORRUPT, "`build_epoch`")},
    {"languages of numbers",
     {{1, 1}},
     WORDS("\x49"
           "languages\x01\x04\xa0\x4b"
           "description\xe0"),
     REFUSED(CORRUPT, "`languages`")},
    {"languages in a map",
     {{1, 1}},
     WORDS("\x49"
           "languages\xe0\x4b"
           "description\xe0"),
     REFUSED(CORRUPT, "`languages`")},
    {"descriptions in lists",
     {{1, 1}},
     WORDS("\x49"
           "languages\x00\x04\x4b"
           "description\xe1\x41"
           "e\x00\x04"),
     REFUSED(CORRUPT, "`description`")},
    {"no description",
     {{1, 1}},
     WORDS("\x49"
           "languages\x00\x04\x41"
           "d\xe0"),
     REFUSED(CORRUPT, "`description`")},
    {"a separator that is none", {{1, 1}}, .dirty_separator = true, REFUSED(CORRUPT, "byte 21")},
    {"more nodes than bytes", {{5, 5}}, .nodes = 5, REFUSED(CORRUPT, "does not fit")},
    {"the most nodes", {{5, 5}}, .nodes = UINT32_MAX, REFUSED(CORRUPT, "does not fit")},
    {"records wider than told", {{1, 1}}, DATA("\xe0\xe0"), .bits = 32, REFUSED(CORRUPT, "16 zeros")},
    {"a node that leads to itself", {{0, 1}}, REFUSED(CORRUPT, "node 0: leads back")},
    {"two nodes in a circle", {{1, 2}, {0, 2}}, REFUSED(CORRUPT, "node 1: leads back")},
    {"a node that nothing leads to", {{2, 2}, {2, 2}}, REFUSED(CORRUPT, "node 1: nothing leads there")},
    {"a record in the separator", {{2, 1}}, DATA("\xe0"), REFUSED(CORRUPT, "record 2 leads outside")},
    {"a record at the separator's end", {{1, 16}}, DATA("\xe0"), REFUSED(CORRUPT, "record 16 leads outside")},
    {"a record past the data", {{18, 1}}, DATA("\xe0"), REFUSED(CORRUPT, "record 18 leads outside")},
    {"the largest record", {{0xffffff, 1}}, DATA("\xe0"), REFUSED(CORRUPT, "record 16777215 leads outside")},
    {"a value that runs into the metadata",
     {{17, 1}},
     DATA("\x42"
          "x"),
     REFUSED(CORRUPT, "data, byte 0")},
    {"a pointer into the metadata", {{17, 1}}, DATA("\x20\x02"), REFUSED(CORRUPT, "leads outside")},
    {"broken data in the second record", {{17, 18}}, DATA("\xe0\x00"), REFUSED(CORRUPT, "data, byte 1")},
};

Test(geo_verify, accepts_and_refuses)
{
    for (size_t i = 0; i < COUNT_OF(MADE); i++) {
        struct buf file = {0};
        struct verify_layout layout;
        char why[SECTION_WHY];
        memset(why, 'x', sizeof why);
        memset(&layout, 0xa5, sizeof layout);
        put_database(&file, &MADE[i]);
        enum pdp_err err = verify_database(file.at, file.len, &layout, why);
        cr_expect_eq(err, MADE[i].err, "%s: %s `%s`", MADE[i].name, pdp_err_name(err), why);
        const char *refusal = MADE[i].refusal != NULL ? MADE[i].refusal : "";
        cr_expect(strstr(why, refusal) != NULL && (why[0] == '\0') == (refusal[0] == '\0'), "%s: `%s`",
                  MADE[i].name, why);
        cr_expect_eq(layout.node_count != 0, err == PDP_ERR_OK, "%s: layout", MADE[i].name);
        if (err == PDP_ERR_OK) {
            cr_expect(str_eq(layout.type, STR("GeoIP2-City")) && layout.build_s == SOUND_BUILD_S);
            cr_expect(layout.data.len == MADE[i].data_len + (MADE[i].many_markers ? 16 : 0));
        }
        buf_fini(&file);
    }
}

// A chain of nodes, each leading to the next on the right: the last is as deep as there are nodes.
static enum pdp_err chain(unsigned nodes, unsigned version, char why[static SECTION_WHY])
{
    struct buf file = {0};
    struct verify_layout layout;
    struct made made = {.name = "chain", .version = version};
    for (unsigned i = 0; i < nodes; i++) {
        unsigned next = i + 1; // of the last: nothing found
        unsigned char bytes[6] = {0, 0, (unsigned char)nodes, 0, 0, (unsigned char)next};
        buf_put(&file, bytes, sizeof bytes);
    }
    for (int i = 0; i < 16; i++) {
        buf_byte(&file, 0);
    }
    put_metadata(&file, &made, nodes);
    enum pdp_err err = verify_database(file.at, file.len, &layout, why);
    buf_fini(&file);
    return err;
}

Test(geo_verify, no_way_is_longer_than_an_address)
{
    char why[SECTION_WHY];
    cr_expect_eq(chain(32, 4, why), PDP_ERR_OK, "%s", why);
    cr_expect_eq(chain(33, 4, why), PDP_ERR_CORRUPT);
    cr_expect(strstr(why, "deeper than an address") != NULL, "%s", why);
    cr_expect_eq(chain(128, 6, why), PDP_ERR_OK, "%s", why);
    cr_expect_eq(chain(129, 6, why), PDP_ERR_CORRUPT);
}

Test(geo_verify, a_shared_node_may_make_a_way_too_long)
{
    // Node 1 is first seen near the root; the long way to it comes later.
    struct buf file = {0};
    struct made made = {.name = "shared", .version = 4};
    unsigned nodes = 35;
    char why[SECTION_WHY];
    struct verify_layout layout;
    for (unsigned i = 0; i < nodes; i++) {
        // 0 -> (1, 2); 1 -> nothing; 2 -> 3 -> ... -> 34 -> 1
        unsigned left = i == 0 ? 1 : nodes;
        unsigned right = i == 0 ? 2 : (i == 1 ? nodes : (i + 1 < nodes ? i + 1 : 1));
        unsigned char bytes[6] = {0, 0, (unsigned char)left, 0, 0, (unsigned char)right};
        buf_put(&file, bytes, sizeof bytes);
    }
    for (int i = 0; i < 16; i++) {
        buf_byte(&file, 0);
    }
    put_metadata(&file, &made, nodes);
    cr_expect_eq(verify_database(file.at, file.len, &layout, why), PDP_ERR_CORRUPT);
    cr_expect(strstr(why, "deeper than an address") != NULL, "%s", why);
    buf_fini(&file);
}

Test(geo_verify, nodes_of_each_width)
{
    static const uint8_t BYTES[] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
    static const struct {
        unsigned bits;
        uint32_t left, right;
    } WIDTHS[] = {{24, 0x123456, 0x789abc}, {28, 0x7123456, 0x89abcde}, {32, 0x12345678, 0x9abcdef0}};
    for (size_t i = 0; i < COUNT_OF(WIDTHS); i++) {
        struct verify_layout layout = {.record_bits = WIDTHS[i].bits};
        uint32_t out[2];
        verify_node(&layout, BYTES, 0, out);
        cr_expect(out[0] == WIDTHS[i].left && out[1] == WIDTHS[i].right, "%u bits: %x %x", WIDTHS[i].bits,
                  out[0], out[1]);
    }
}

Test(geo_verify, too_large)
{
    char why[SECTION_WHY];
    struct verify_layout layout;
    // The length alone decides: no byte is read.
    cr_expect_eq(verify_database((const uint8_t *)"", VERIFY_MOST_BYTES + 1, &layout, why), PDP_ERR_LIMIT);
}
