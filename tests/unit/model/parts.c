// SPDX-License-Identifier: Apache-2.0
#include "model/parts.h"

#include <criterion/criterion.h>

#define ENTRY(k, v)                                                   \
    {                                                                 \
        {.kind = VALUE_STRING, .n = sizeof(k) - 1, .as.text = (k)}, v \
    }
#define TEXT(v)                                                  \
    {                                                            \
        .kind = VALUE_STRING, .n = sizeof(v) - 1, .as.text = (v) \
    }
#define INT(v)                         \
    {                                  \
        .kind = VALUE_INT, .as.i = (v) \
    }

static struct sighting read(const struct value_entry *entries, uint32_t count)
{
    const struct value map = {.kind = VALUE_MAP, .n = count, .as.map = entries};
    struct sighting seen = {0};
    parts_read(&map, &seen);
    return seen;
}

// The numbers are part of what sessions are remembered by: they must not change.
Test(model_parts, gives_each_value_a_number_that_stays)
{
    static const struct value_entry ONE[] = {ENTRY("gpu", TEXT("Apple M2")),
                                             ENTRY("ja4", TEXT("t13d1516h2_8daaf6152771_02713d6af862")),
                                             ENTRY("screen", INT(1080)), ENTRY("plugins", TEXT("none"))};
    struct sighting seen = read(ONE, 4);
    cr_expect_eq(seen.components[SIGHT_COMPONENT_GPU], 0x9c38);
    cr_expect_eq(seen.components[SIGHT_COMPONENT_JA4], 0xf5ca);
    cr_expect_eq(seen.ja4, 0x6a96fd32);
    cr_expect_neq(seen.components[SIGHT_COMPONENT_SCREEN], 0);
    cr_expect_eq(seen.components[SIGHT_COMPONENT_FONTS], 0);
    struct sighting again = read(ONE, 3);
    cr_expect_arr_eq(again.components, seen.components, sizeof seen.components);
}

static uint16_t ja4(const char *text)
{
    const struct value_entry entry = {{.kind = VALUE_STRING, .n = 3, .as.text = "ja4"},
                                      value_str(str_of(text))};
    return read(&entry, 1).components[SIGHT_COMPONENT_JA4];
}

// A handshake that is resumed has an extension more; over QUIC there are other ciphers.
Test(model_parts, of_a_ja4_the_ciphers_count)
{
    uint16_t first = ja4("t13d1516h2_8daaf6152771_02713d6af862");
    cr_expect_eq(ja4("t13d1517h2_8daaf6152771_b1ff8ab2d16f"), first);
    cr_expect_neq(ja4("t13d1516h2_8daaf6152772_02713d6af862"), first);
    cr_expect_neq(ja4("t13d1516h2_8daaf6152771_02713d6af86"), first, "no JA4: the whole text counts");
    uint16_t quic = ja4("q13d0310h3_55b375c5d22e_cd85d2d88918");
    cr_expect(parts_ja4_quic(quic) && !parts_ja4_quic(first));
    cr_expect(parts_ja4_quic(ja4("q")) && ja4("x") > 1);
}

Test(model_parts, tells_values_apart)
{
    static const struct value_entry A[] = {ENTRY("gpu", TEXT("Apple M2"))},
                                    B[] = {ENTRY("gpu", TEXT("Mesa"))};
    static const struct value_entry C[] = {ENTRY("gpu", INT(2))}, D[] = {ENTRY("gpu", TEXT("2"))};
    uint16_t of[4] = {read(A, 1).components[SIGHT_COMPONENT_GPU], read(B, 1).components[SIGHT_COMPONENT_GPU],
                      read(C, 1).components[SIGHT_COMPONENT_GPU], read(D, 1).components[SIGHT_COMPONENT_GPU]};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < i; k++) {
            cr_expect_neq(of[i], of[k], "%zu %zu", i, k);
        }
    }
}

Test(model_parts, what_says_nothing_is_not_known)
{
    static const struct value_entry EMPTY[] = {ENTRY("gpu", TEXT("")), ENTRY("ja4", {.kind = VALUE_NULL}),
                                               ENTRY("fonts", {.kind = VALUE_LIST}),
                                               ENTRY("canvas", {.kind = VALUE_MAP})};
    struct sighting seen = read(EMPTY, 4);
    for (size_t i = 0; i < SIGHT_COMPONENTS; i++) {
        cr_expect_eq(seen.components[i], 0, "%zu", i);
    }
    cr_expect_eq(seen.ja4, 0);
    const struct value text = TEXT("no map");
    parts_read(&text, &seen);
    cr_expect_eq(seen.ja4, 0);
}

Test(model_parts, has_names)
{
    cr_expect_eq(parts_find(STR("timezone")), SIGHT_COMPONENT_TIMEZONE);
    cr_expect_eq(parts_find(STR("time")), SIGHT_COMPONENTS);
    cr_expect_str_eq(parts_name(SIGHT_COMPONENT_OS), "os");
    cr_expect_str_eq(parts_name(SIGHT_COMPONENTS), "");
}
