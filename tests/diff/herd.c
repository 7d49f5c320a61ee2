// SPDX-License-Identifier: Apache-2.0
// Texts are made of the pieces that those of the questions are made of.
#include "diff/herd.h"

enum {
    IN_MOST = 1024 // texts that an index still takes
};

void herd_choose(struct herd *herd, struct chance *chance)
{
    static const char *const TEXTS[] = {"subject.phrase", "resource.phrase", "context.phrase",
                                        "context.client.phrase", "subject.properties.phrase"};
    static const char *const LISTS[] = {"subject.offers", "resource.offers", "context.client.offers",
                                        "session.amr", "subject.texts"};
    uint32_t luck = chance_below(chance, 8);
    *herd = (struct herd){.kind = chance_below(chance, HERD_KIND_COUNT), .elements = luck < 2};
    if (luck < 6) {
        herd->attribute = (herd->elements ? LISTS : TEXTS)[chance_below(chance, COUNT_OF(TEXTS))];
    }
}

static const char *piece(struct chance *chance)
{
    return WORLD_PIECES[chance_below(chance, (uint32_t)WORLD_PIECE_COUNT)];
}

static void put_pieces(struct chance *chance, struct buf *out)
{
    for (uint32_t n = 1 + chance_below(chance, 2); n > 0; n--) {
        buf_str(out, str_of(piece(chance)));
    }
}

static void put_text(struct chance *chance, struct buf *out)
{
    buf_byte(out, '"');
    put_pieces(chance, out);
    buf_byte(out, '"');
}

// Now and then as many as an index takes, or some more.
static void put_in(const struct herd *herd, struct chance *chance, struct buf *out)
{
    uint32_t more = chance_below(chance, 40) == 0 ? IN_MOST - 4 + chance_below(chance, 8) : 0;
    buf_printf(out, "%s in [", herd->attribute);
    for (uint32_t i = 0; i < more; i++) {
        buf_printf(out, "\"n%u\", ", i);
    }
    put_text(chance, out);
    for (uint32_t n = chance_below(chance, 4); n > 0; n--) {
        buf_str(out, STR(", "));
        put_text(chance, out);
    }
    buf_byte(out, ']');
}

// P is some pieces. None begins with a repetition: on a long text its steps would be too many.
static void put_pattern(struct chance *chance, struct buf *out)
{
    static const char *const PATTERNS[] = {
        "P",       "^P",   "P$",  "^P$",   "^P.*$", "P.*P", "^P.*P$",    "^P[a-z]+", "P[^x]?P", "^[a-z]?P",
        "P\\\\d$", "^P.P", "P|P", "^P$|P", "P+",    "P*P",  "^P.*P.*P$", "^.*P",     "P.*"};
    buf_byte(out, '"');
    for (const char *at = PATTERNS[chance_below(chance, COUNT_OF(PATTERNS))]; *at != '\0'; at++) {
        if (*at == 'P') {
            put_pieces(chance, out);
        } else {
            buf_byte(out, (unsigned char)*at);
        }
    }
    buf_byte(out, '"');
}

static void put_call(const struct herd *herd, enum herd_kind kind, struct chance *chance, struct buf *out)
{
    static const char *const NAMES[] = {
        [HERD_STARTS] = "startsWith", [HERD_ENDS] = "endsWith", [HERD_CONTAINS] = "contains"};
    buf_printf(out, "%s.%s(", herd->attribute, NAMES[kind]);
    put_text(chance, out);
    buf_byte(out, ')');
}

static void put_test(const struct herd *herd, enum herd_kind kind, struct chance *chance, struct buf *out)
{
    if (herd->elements) {
        put_text(chance, out);
        buf_printf(out, " in %s", herd->attribute);
    } else if (kind == HERD_WHOLE) {
        buf_printf(out, "%s == ", herd->attribute);
        put_text(chance, out);
    } else if (kind == HERD_IN) {
        put_in(herd, chance, out);
    } else if (kind == HERD_MATCHES) {
        buf_printf(out, "%s.matches(", herd->attribute);
        put_pattern(chance, out);
        buf_byte(out, ')');
    } else {
        put_call(herd, kind, chance, out);
    }
}

// One of the alternatives may hold for another reason: then none of them is a key.
static void put_either(const struct herd *herd, struct chance *chance, struct buf *out)
{
    buf_byte(out, '(');
    for (uint32_t left = 2 + chance_below(chance, 2); left > 0; left--) {
        uint32_t luck = chance_below(chance, 10);
        if (luck == 0) {
            buf_str(out, STR("subject.n == 1"));
        } else {
            put_test(herd, chance_below(chance, HERD_EITHER), chance, out);
        }
        buf_str(out, luck == 1 ? STR(" && subject.n == 1") : STR(""));
        buf_str(out, left > 1 ? STR(" || ") : STR(""));
        if (luck == 2 && left > 1) { // two of the same alternative
            put_test(herd, chance_below(chance, HERD_EITHER), chance, out);
            buf_str(out, STR(" && "));
        }
    }
    buf_byte(out, ')');
}

void herd_write(const struct herd *herd, struct chance *chance, struct buf *out)
{
    enum herd_kind kind = herd->kind == HERD_MIXED ? chance_below(chance, HERD_MIXED) : herd->kind;
    if (kind == HERD_EITHER) {
        put_either(herd, chance, out);
    } else {
        put_test(herd, kind, chance, out);
    }
}
