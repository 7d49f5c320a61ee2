// SPDX-License-Identifier: Apache-2.0
#include "geo/section.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES(literal) "" literal, sizeof(literal) - 1

// What the whole value at 0 is found to be; "" is sound.
static const struct {
    const char *name, *bytes;
    size_t len;
    const char *refusal; // a part of it
} VALUES[] = {
    {"empty text", BYTES("\x40"), ""},
    {"text",
     BYTES("\x43"
           "abc"),
     ""},
    {"text of 29 bytes",
     BYTES("\x5d\x00"
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
     ""},
    {"double", BYTES("\x68\x40\x45\x0f\x7e\xfd\xb2\x2d\x0e"), ""},
    {"uint16 of no bytes", BYTES("\xa0"), ""},
    {"uint32", BYTES("\xc4\xff\xff\xff\xff"), ""},
    {"int32", BYTES("\x04\x01\xff\xff\xff\xff"), ""},
    {"uint64", BYTES("\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff"), ""},
    {"uint128",
     BYTES("\x10\x03"
           "aaaaaaaaaaaaaaaa"),
     ""},
    {"false", BYTES("\x00\x07"), ""},
    {"true", BYTES("\x01\x07"), ""},
    {"float",
     BYTES("\x04\x08"
           "abcd"),
     ""},
    {"bytes", BYTES("\x82\xff\xfe"), ""},
    {"empty map", BYTES("\xe0"), ""},
    {"empty array", BYTES("\x00\x04"), ""},
    {"map",
     BYTES("\xe1\x41"
           "a\xa1\x07"),
     ""},
    {"array",
     BYTES("\x02\x04\xa1\x01\x41"
           "x"),
     ""},
    {"a key by pointer",
     BYTES("\xe2\x41"
           "a\xa0\x20\x01\xa0"),
     ""},
    {"a value by pointer",
     BYTES("\xe2\x41"
           "a\x41"
           "v\x41"
           "b\x20\x03"),
     ""},
    {"nothing", BYTES(""), "a value is missing"},
    {"text cut off",
     BYTES("\x43"
           "ab"),
     "a value is cut off"},
    {"size cut off", BYTES("\x5d"), "a size is cut off"},
    {"size of 2 bytes cut off", BYTES("\x5e\x01"), "a size is cut off"},
    {"size of 3 bytes cut off", BYTES("\x5f\x01\x01"), "a size is cut off"},
    {"the largest size", BYTES("\x5f\xff\xff\xff"), "a value is cut off"},
    {"type cut off", BYTES("\x00"), "no such type"},
    {"extended type that is none", BYTES("\x00\x00"), "no such type"},
    {"container type", BYTES("\x01\x05"), "no such type"},
    {"end marker", BYTES("\x00\x06"), "no such type"},
    {"type past the last", BYTES("\x00\x09"), "no such type"},
    {"type that wraps", BYTES("\x00\xff"), "no such type"},
    {"double of 4 bytes",
     BYTES("\x64"
           "abcd"),
     "size that its type does not allow"},
    {"float of 8 bytes",
     BYTES("\x08\x08"
           "abcdefgh"),
     "size that its type does not allow"},
    {"uint16 of 3 bytes",
     BYTES("\xa3"
           "abc"),
     "size that its type does not allow"},
    {"uint32 of 5 bytes",
     BYTES("\xc5"
           "abcde"),
     "size that its type does not allow"},
    {"uint64 of 9 bytes",
     BYTES("\x09\x02"
           "abcdefghi"),
     "size that its type does not allow"},
    {"uint128 of 17 bytes",
     BYTES("\x11\x03"
           "aaaaaaaaaaaaaaaaa"),
     "size that its type does not allow"},
    {"boolean of 2", BYTES("\x02\x07"), "size that its type does not allow"},
    {"text that is no UTF-8", BYTES("\x41\xff"), "not UTF-8"},
    {"text that is a surrogate", BYTES("\x43\xed\xa0\x80"), "not UTF-8"},
    {"map cut off",
     BYTES("\xe1\x41"
           "a"),
     "missing"},
    {"map whose values are cut off",
     BYTES("\xe2\x41"
           "a\x41"
           "b"),
     "missing"},
    {"map of 16 million", BYTES("\xff\xff\xff\xff"), "too long"},
    {"array of 16 million", BYTES("\x1f\x04\xff\xff\xff"), "too long"},
    {"array of 285", BYTES("\x1e\x04\x00\x00"), "cut off"},
    {"a key that is a number", BYTES("\xe1\xa1\x01\xa1\x01"), "key is not text"},
    {"a key that points to a map",
     BYTES("\xe2\x41"
           "a\xe0\x20\x03\xa0"),
     "key is not text"},
    {"a key that is no UTF-8", BYTES("\xe1\x41\xc0\xa0"), "not UTF-8"},
    {"pointer cut off", BYTES("\x20"), "pointer is cut off"},
    {"pointer of 2 bytes cut off", BYTES("\x28\x00"), "pointer is cut off"},
    {"pointer of 4 bytes cut off", BYTES("\x38\x00\x00\x00"), "pointer is cut off"},
    {"pointer just outside", BYTES("\x20\x02"), "leads outside"},
    {"pointer of 2 bytes outside", BYTES("\x28\x00\x00"), "leads outside"},
    {"pointer of 3 bytes outside", BYTES("\x37\xff\xff\xff"), "leads outside"},
    {"pointer of 4 bytes outside", BYTES("\x3f\xff\xff\xff\xff"), "leads outside"},
    {"pointer to itself", BYTES("\x20\x00"), "leads to a pointer"},
    {"pointer to a pointer", BYTES("\x20\x02\x20\x04\xa0"), "leads to a pointer"},
    {"wide pointer to itself", BYTES("\x38\x00\x00\x00\x00"), "leads to a pointer"},
    {"array that holds itself", BYTES("\x01\x04\x20\x00"), "in a circle"},
    {"map that holds itself",
     BYTES("\xe1\x41"
           "a\x20\x00"),
     "in a circle"},
    {"two that hold each other", BYTES("\x01\x04\x20\x04\x01\x04\x20\x00"), "in a circle"},
    {"itself twice", BYTES("\x02\x04\x20\x00\x20\x00"), "in a circle"},
};

static enum pdp_err check(const char *bytes, size_t len, char why[static SECTION_WHY])
{
    uint8_t *exact = malloc(len + (len == 0));
    cr_assert(exact != NULL);
    memcpy(exact, bytes, len);
    why[0] = '\0';
    AUTO(section_walk_fini) struct section_walk walk = {0};
    cr_assert_eq(section_walk_init(&walk, (struct section){"data", exact, len}), PDP_ERR_OK);
    size_t past = 0;
    enum pdp_err err = section_check(&walk, 0, &past, why);
    cr_expect(err != PDP_ERR_OK || past <= len);
    free(exact);
    return err;
}

Test(geo_section, accepts_and_refuses)
{
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        char why[SECTION_WHY];
        bool sound = VALUES[i].refusal[0] == '\0';
        enum pdp_err err = check(VALUES[i].bytes, VALUES[i].len, why);
        cr_expect_eq(err, sound ? PDP_ERR_OK : PDP_ERR_CORRUPT, "%s: %s", VALUES[i].name, pdp_err_name(err));
        cr_expect(strstr(why, VALUES[i].refusal) != NULL && (why[0] == '\0') == sound, "%s: `%s`",
                  VALUES[i].name, why);
    }
}

Test(geo_section, refusals_name_the_place)
{
    char why[SECTION_WHY];
    cr_expect_eq(check("\xe1\x41"
                       "a\x41\xff",
                       5, why),
                 PDP_ERR_CORRUPT);
    cr_expect_str_eq(why, "data, byte 3: text is not UTF-8");
}

// `depth` arrays, one in another, with a number inside.
static enum pdp_err nested(size_t depth, char why[static SECTION_WHY])
{
    char bytes[512];
    for (size_t i = 0; i < depth; i++) {
        memcpy(bytes + 2 * i, "\x01\x04", 2);
    }
    bytes[2 * depth] = '\xa0';
    return check(bytes, 2 * depth + 1, why);
}

Test(geo_section, depth_has_a_limit)
{
    char why[SECTION_WHY];
    cr_expect_eq(nested(64, why), PDP_ERR_OK);
    cr_expect_eq(nested(65, why), PDP_ERR_CORRUPT);
    cr_expect(strstr(why, "nested too deeply") != NULL);
    cr_expect_eq(nested(255, why), PDP_ERR_CORRUPT);
}

Test(geo_section, counts_have_a_limit)
{
    static char bytes[8192];
    char why[SECTION_WHY];
    memset(bytes, '\xa0', sizeof bytes);
    memcpy(bytes, "\x1e\x04\x0e\xe3", 4); // 285 + 3811 = 4096
    cr_expect_eq(check(bytes, 4 + 4096, why), PDP_ERR_OK);
    cr_expect_eq(check(bytes, 4 + 4095, why), PDP_ERR_CORRUPT);
    bytes[3]++;
    cr_expect_eq(check(bytes, sizeof bytes, why), PDP_ERR_CORRUPT);
    cr_expect(strstr(why, "too long") != NULL);
}

Test(geo_section, a_shared_value_is_read_once)
{
    // 4000 pointers to one text of 60,000 bytes: 240 MB if read each time.
    static uint8_t bytes[70000];
    char why[SECTION_WHY];
    memcpy(bytes, "\x1e\x04\x0e\x83", 4); // 4000 values
    for (size_t i = 0; i < 4000; i++) {
        uint32_t target = 4 + 3 * 4000 - 2048;
        bytes[4 + 3 * i] = (uint8_t)(0x28 | target >> 16);
        bytes[5 + 3 * i] = (uint8_t)(target >> 8);
        bytes[6 + 3 * i] = (uint8_t)target;
    }
    memset(bytes + 12004, 'a', sizeof bytes - 12004);
    memcpy(bytes + 12004, "\x5e\xe0\x00", 3); // 285 + 57344 bytes
    AUTO(section_walk_fini) struct section_walk walk = {0};
    cr_assert_eq(section_walk_init(&walk, (struct section){"data", bytes, sizeof bytes}), PDP_ERR_OK);
    size_t before = walk.budget;
    cr_expect_eq(section_check(&walk, 0, NULL, why), PDP_ERR_OK, "%s", why);
    cr_expect_lt(before - walk.budget, sizeof bytes);
    before = walk.budget;
    cr_expect_eq(section_check(&walk, 0, NULL, why), PDP_ERR_OK);
    cr_expect_eq(walk.budget, before, "a value seen before was read again");
}

Test(geo_section, overlapping_values_run_out_of_budget)
{
    // Byte strings of 57,629 bytes that begin at every third byte: each is sound, all together are quadratic.
    enum {
        LEN = 200001
    };
    uint8_t *bytes = calloc(LEN, 1);
    char why[SECTION_WHY] = "";
    cr_assert(bytes != NULL);
    for (size_t i = 0; i < LEN; i += 3) {
        memcpy(bytes + i, "\x9e\xe0\x00", 3);
    }
    AUTO(section_walk_fini) struct section_walk walk = {0};
    cr_assert_eq(section_walk_init(&walk, (struct section){"data", bytes, LEN}), PDP_ERR_OK);
    enum pdp_err err = PDP_ERR_OK;
    size_t read = 0;
    for (size_t at = 0; at < 90000 && err == PDP_ERR_OK; at += 3) {
        err = section_check(&walk, at, NULL, why);
        read++;
    }
    cr_expect_eq(err, PDP_ERR_CORRUPT);
    cr_expect(strstr(why, "overlap") != NULL && read < 20, "%zu values read, then `%s`", read, why);
    free(bytes);
}

Test(geo_section, a_record_has_a_limit)
{
    // An array of three arrays of 4000 empty texts each.
    static char bytes[16384];
    char why[SECTION_WHY];
    memset(bytes, '\x40', sizeof bytes);
    for (size_t i = 0; i < 3; i++) {
        memcpy(bytes + 2 + i * 4004, "\x1e\x04\x0e\x83", 4);
    }
    memcpy(bytes, "\x02\x04", 2);
    cr_expect_eq(check(bytes, 2 + 2 * 4004, why), PDP_ERR_OK, "%s", why);
    memcpy(bytes, "\x03\x04", 2);
    cr_expect_eq(check(bytes, 2 + 3 * 4004, why), PDP_ERR_CORRUPT);
    cr_expect(strstr(why, "too many values") != NULL, "%s", why);
}

Test(geo_section, fields_and_numbers)
{
    static const char BYTES_[] = "\xe4\x41"
                                 "a\xa1\x07\x41"
                                 "m\xe1\x41"
                                 "a\xa1\x09\x41"
                                 "p\x20\x03\x41"
                                 "t\x42"
                                 "hi";
    struct section section = {"metadata", (const uint8_t *)BYTES_, sizeof BYTES_ - 1};
    struct item item;
    uint64_t number = 1;
    char why[SECTION_WHY];
    cr_assert_eq(check(BYTES_, sizeof BYTES_ - 1, why), PDP_ERR_OK, "%s", why);
    cr_expect(section_field(&section, 0, STR("a"), &item) && section_number(&section, &item, 7, &number) &&
              number == 7);
    cr_expect(!section_number(&section, &item, 6, &number) && number == 0);
    cr_expect(section_field(&section, 0, STR("p"), &item) && section_number(&section, &item, 7, &number) &&
              number == 7);
    cr_expect(section_field(&section, 0, STR("t"), &item) && item.type == SECTION_TEXT && item.size == 2);
    cr_expect(!section_number(&section, &item, UINT64_MAX, &number));
    cr_expect(section_field(&section, 0, STR("m"), &item) && item.type == SECTION_MAP);
    cr_expect(!section_field(&section, 0, STR("x"), &item) && item.type == 0);
    cr_expect(!section_field(&section, 3, STR("a"), &item));
}
