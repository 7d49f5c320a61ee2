// SPDX-License-Identifier: Apache-2.0
#include "seal/sections.h"

#include "seal/seal.h"

#include <criterion/criterion.h>

#define S(text)                \
    {                          \
        text, sizeof(text) - 1 \
    }

static const struct section TWO[] = {{S("sources"), 1, S("bytes\0of\xff it")}, {S("x-y"), 0xfffffffe, S("")}};

static void two(struct buf *out)
{
    cr_assert_eq(sections_write(TWO, COUNT_OF(TWO), out), PDP_ERR_OK);
}

static bool refused(struct str bytes)
{
    struct section read[SECTIONS_MAX];
    size_t count = 77;
    enum pdp_err err = sections_read(bytes, read, &count);
    return err == PDP_ERR_CORRUPT && count == 0;
}

// As somebody would who can compute a digest.
static void sealed(struct buf *bytes)
{
    uint8_t digest[SEAL_BYTES];
    cr_assert_eq(seal_sha256(bytes->at, bytes->len, digest), PDP_ERR_OK);
    buf_put(bytes, digest, sizeof digest);
}

Test(seal_sections, come_back_as_they_were)
{
    for (size_t most = 0; most <= COUNT_OF(TWO); most++) {
        struct buf bytes = {0};
        struct section read[SECTIONS_MAX];
        size_t count = 0;
        cr_assert_eq(sections_write(TWO, most, &bytes), PDP_ERR_OK);
        cr_assert_eq(sections_read(buf_view(&bytes), read, &count), PDP_ERR_OK);
        cr_assert_eq(count, most);
        for (size_t i = 0; i < count; i++) {
            cr_expect(str_eq(read[i].name, TWO[i].name) && str_eq(read[i].bytes, TWO[i].bytes));
            cr_expect_eq(read[i].version, TWO[i].version);
        }
        buf_fini(&bytes);
    }
}

Test(seal_sections, are_refused_cut_flipped_or_longer)
{
    struct buf bytes = {0};
    two(&bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        cr_expect(refused((struct str){(const char *)bytes.at, i}), "cut at %zu", i);
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.at[i] ^= (unsigned char)(1U << bit);
            cr_expect(refused(buf_view(&bytes)), "bit %u of byte %zu", bit, i);
            bytes.at[i] ^= (unsigned char)(1U << bit);
        }
    }
    buf_byte(&bytes, 0);
    cr_expect(refused(buf_view(&bytes)));
    buf_fini(&bytes);
}

Test(seal_sections, are_refused_with_a_digest_that_is_right_too)
{
    static const struct str BODIES[] = {
        S(""),
        S("pdp-sections 1\n"),
        S("pdp-sections 2\n\0\0\0\0"),
        S("pdp-sections 1\n\0\0\0\0+"),                                           // one byte more
        S("pdp-sections 1\n\1\0\0\0"),                                            // one less than it says
        S("pdp-sections 1\n\21\0\0\0"),                                           // too many
        S("pdp-sections 1\n\1\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0"),                  // no name
        S("pdp-sections 1\n\1\0\0\0\1A\1\0\0\0\0\0\0\0\0\0\0\0"),                 // no such name
        S("pdp-sections 1\n\1\0\0\0\1a\0\0\0\0\0\0\0\0\0\0\0\0"),                 // no version
        S("pdp-sections 1\n\1\0\0\0\1a\1\0\0\0\1\0\0\0\0\0\0\0"),                 // shorter than it says
        S("pdp-sections 1\n\1\0\0\0\1a\1\0\0\0\377\377\377\377\377\377\377\377"), // the same, by far
        S("pdp-sections 1\n\2\0\0\0\1a\1\0\0\0\0\0\0\0\0\0\0\0\1a\1\0\0\0\0\0\0\0\0\0\0\0"), // twice
    };
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        struct buf bytes = {0};
        buf_str(&bytes, BODIES[i]);
        sealed(&bytes);
        cr_expect(refused(buf_view(&bytes)), "body %zu", i);
        buf_fini(&bytes);
    }
    struct buf good = {0};
    buf_str(&good, (struct str)S("pdp-sections 1\n\1\0\0\0\1a\1\0\0\0\0\0\0\0\0\0\0\0"));
    sealed(&good);
    cr_expect(!refused(buf_view(&good)));
    buf_fini(&good);
}
