// SPDX-License-Identifier: Apache-2.0
// HOT
#include "base/ip.h"

enum {
    V6_BITS = 128,
    MAPPED_BITS = 96, // ::ffff:0:0/96
    V4_AT = 12,       // where the IPv4 address starts in `bytes`
    GROUPS = 8,
};

static const uint8_t MAPPED[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// ---- reading ---------------------------------------------------------------------------------------

// A decimal number without sign or leading zeros, at most `most` (< 1000).
static bool decimal(struct str s, unsigned most, unsigned *out)
{
    if (s.len == 0 || s.len > 3 || (s.len > 1 && s.at[0] == '0')) {
        return false;
    }
    unsigned value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(s.at[i] - '0');
    }
    *out = value;
    return value <= most;
}

static bool dotted_quad(struct str s, uint8_t out[4])
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t end = str_find_byte(s, '.', at);
        unsigned octet = 0;
        if ((i < 3) != (end < s.len) || !decimal(str_sub(s, at, end - at), 255, &octet)) {
            return false;
        }
        out[i] = (uint8_t)octet;
        at = end + 1;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// One group of one to four hex digits.
static bool hex_group(struct str s, uint16_t *out)
{
    unsigned value = 0;
    for (size_t i = 0; i < s.len && i < 5; i++) {
        int digit = hex_digit(s.at[i]);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (unsigned)digit;
    }
    *out = (uint16_t)value;
    return s.len >= 1 && s.len <= 4;
}

// `a:b:c`, the groups on one side of `::`, or all of them. A dotted quad may be the last where `quad`.
// The bytes written are *len, at most 16. Empty text is no groups.
static bool groups(struct str s, bool quad, uint8_t out[16], size_t *len)
{
    *len = 0;
    size_t at = 0;
    while (at < s.len) {
        size_t end = str_find_byte(s, ':', at);
        struct str part = str_sub(s, at, end - at);
        uint16_t group = 0;
        if (quad && end == s.len && str_find_byte(part, '.', 0) < part.len) {
            if (*len > V4_AT || !dotted_quad(part, out + *len)) {
                return false;
            }
            *len += 4;
        } else {
            if (*len == 16 || !hex_group(part, &group)) {
                return false;
            }
            out[(*len)++] = (uint8_t)(group >> 8);
            out[(*len)++] = (uint8_t)group;
        }
        at = end + 1;
    }
    // A colon at the end would be an empty group that the loop does not see.
    return s.len == 0 || s.at[s.len - 1] != ':';
}

static bool v6_bytes(struct str s, uint8_t out[16])
{
    memset(out, 0, 16);
    size_t gap = str_find(s, STR("::"), 0);
    size_t len = 0;
    if (gap == SIZE_MAX) {
        return groups(s, true, out, &len) && len == 16;
    }
    uint8_t tail[16];
    size_t tail_len = 0;
    // `::` stands for at least one group.
    if (!groups(str_sub(s, 0, gap), false, out, &len) ||
        !groups(str_sub(s, gap + 2, s.len), true, tail, &tail_len) || len + tail_len > 14) {
        return false;
    }
    memcpy(out + 16 - tail_len, tail, tail_len);
    return true;
}

// Either form, not yet canonical: a mapped address has v4 false.
static bool parse_as_written(struct str s, struct ip *out)
{
    *out = (struct ip){0};
    struct ip ip = {0};
    // The longest text is 8 groups, the last two as a dotted quad: 45 bytes.
    if (s.len < 2 || s.len > 45) {
        return false;
    }
    if (str_find_byte(s, ':', 0) == s.len) {
        memcpy(ip.bytes, MAPPED, sizeof MAPPED);
        ip.v4 = true;
        if (!dotted_quad(s, ip.bytes + V4_AT)) {
            return false;
        }
    } else if (!v6_bytes(s, ip.bytes)) {
        return false;
    }
    *out = ip;
    return true;
}

static bool is_mapped(const struct ip *ip)
{
    return memcmp(ip->bytes, MAPPED, sizeof MAPPED) == 0;
}

bool ip_parse(struct str s, struct ip *out)
{
    bool ok = parse_as_written(s, out);
    out->v4 = ok && is_mapped(out);
    return ok;
}

bool ip_parse_unmapped(struct str s, struct ip *out)
{
    if (parse_as_written(s, out) && (out->v4 || !is_mapped(out))) {
        return true;
    }
    *out = (struct ip){0};
    return false;
}

bool cidr_parse(struct str s, bool mask, struct cidr *out)
{
    *out = (struct cidr){0};
    struct ip ip;
    unsigned bits = 0;
    size_t slash = str_find_byte(s, '/', 0);
    if (slash == s.len || !parse_as_written(str_sub(s, 0, slash), &ip) ||
        !decimal(str_sub(s, slash + 1, s.len), ip.v4 ? V6_BITS - MAPPED_BITS : V6_BITS, &bits)) {
        return false;
    }
    if (!ip.v4 && is_mapped(&ip)) {
        if (bits < MAPPED_BITS) {
            return false;
        }
        ip.v4 = true;
        bits -= MAPPED_BITS;
    }
    struct ip base = ip_mask(&ip, bits);
    if (!mask && !ip_eq(&base, &ip)) {
        return false;
    }
    *out = (struct cidr){base, (uint8_t)bits};
    return true;
}

// ---- comparing -------------------------------------------------------------------------------------

bool ip_eq(const struct ip *a, const struct ip *b)
{
    return a->v4 == b->v4 && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int ip_cmp(const struct ip *a, const struct ip *b)
{
    if (a->v4 != b->v4) {
        return a->v4 ? -1 : 1;
    }
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

// The 16 bytes as two words in their order, and the masks of the first `keep` bits of them.
struct words {
    uint64_t high, low;
};

static inline uint64_t load_be(const uint8_t *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline struct words words_of(const uint8_t bytes[static 16])
{
    return (struct words){load_be(bytes), load_be(bytes + 8)};
}

static inline struct words words_mask(unsigned keep)
{
    return (struct words){.high = keep >= 64 ? UINT64_MAX : ~(UINT64_MAX >> keep),
                          .low = keep <= 64    ? 0
                                 : keep >= 128 ? UINT64_MAX
                                               : ~(UINT64_MAX >> (keep - 64))};
}

static inline bool words_share(struct words a, struct words b, unsigned keep)
{
    struct words mask = words_mask(keep);
    return (((a.high ^ b.high) & mask.high) | ((a.low ^ b.low) & mask.low)) == 0;
}

static inline unsigned bits_kept(bool v4, unsigned bits)
{
    unsigned most = v4 ? V6_BITS - MAPPED_BITS : V6_BITS;
    return (bits < most ? bits : most) + (v4 ? MAPPED_BITS : 0);
}

struct ip ip_mask(const struct ip *ip, unsigned bits)
{
    struct ip out = *ip;
    unsigned keep = bits_kept(ip->v4, bits);
    for (unsigned i = keep / 8; i < 16; i++) {
        unsigned set = keep > i * 8 ? keep - i * 8 : 0; // bits of this byte that stay, 0..7
        out.bytes[i] = (uint8_t)(out.bytes[i] & 0xff00U >> set);
    }
    return out;
}

bool cidr_holds(const struct cidr *cidr, const struct ip *ip)
{
    if (cidr->base.v4 != ip->v4) {
        return false;
    }
    // As the base compared with the masked address: a base with bits behind its mask holds nothing.
    struct words mask = words_mask(bits_kept(ip->v4, cidr->bits));
    struct words base = words_of(cidr->base.bytes), at = words_of(ip->bytes);
    return (((at.high & mask.high) ^ base.high) | ((at.low & mask.low) ^ base.low)) == 0;
}

static const struct {
    uint8_t prefix[16]; // of the 16 bytes, IPv4 mapped
    uint8_t bits;
} PRIVATE[] = {
#define V4(a, b, bits)                                                             \
    {                                                                              \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b)}, MAPPED_BITS + (bits) \
    }
    V4(0, 0, 8),      // this host, this network
    V4(10, 0, 8),     // RFC 1918
    V4(100, 64, 10),  // RFC 6598, carrier-grade NAT
    V4(127, 0, 8),    // loopback
    V4(169, 254, 16), // link-local
    V4(172, 16, 12),  // RFC 1918
    V4(192, 168, 16), // RFC 1918
#undef V4
    {{0}, 128},                                              // ::
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128}, // ::1
    {{0xfe, 0x80}, 10},                                      // link-local
    {{0xfc}, 7},                                             // RFC 4193
};

bool ip_is_private(const struct ip *ip)
{
    // The table is in the 16 bytes of both families.
    struct words at = words_of(ip->bytes);
    for (size_t i = 0; i < COUNT_OF(PRIVATE); i++) {
        if (words_share(at, words_of(PRIVATE[i].prefix), PRIVATE[i].bits)) {
            return true;
        }
    }
    return false;
}

bool cidr_meets_private(const struct cidr *cidr)
{
    unsigned bits = cidr->bits + (cidr->base.v4 ? 96U : 0U);
    struct words at = words_of(cidr->base.bytes);
    for (size_t i = 0; i < COUNT_OF(PRIVATE); i++) {
        unsigned both = bits < PRIVATE[i].bits ? bits : PRIVATE[i].bits;
        if (words_share(at, words_of(PRIVATE[i].prefix), both)) {
            return true;
        }
    }
    return false;
}

// ---- printing --------------------------------------------------------------------------------------

static void put_decimal(struct buf *out, unsigned value)
{
    if (value >= 100) {
        buf_byte(out, (unsigned char)('0' + value / 100));
    }
    if (value >= 10) {
        buf_byte(out, (unsigned char)('0' + value / 10 % 10));
    }
    buf_byte(out, (unsigned char)('0' + value % 10));
}

static void put_hex(struct buf *out, unsigned group)
{
    bool begun = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = group >> shift & 0xf;
        begun = begun || digit != 0 || shift == 0;
        if (begun) {
            buf_byte(out, (unsigned char)"0123456789abcdef"[digit]);
        }
    }
}

static unsigned group_of(const struct ip *ip, int index)
{
    return (unsigned)ip->bytes[2 * index] << 8 | ip->bytes[2 * index + 1];
}

// The first of the longest runs of two or more zero groups; *len 0 where there is none (RFC 5952 §4.2).
static int zero_run(const struct ip *ip, int *len)
{
    int at = GROUPS;
    *len = 0;
    for (int i = 0; i < GROUPS; i++) {
        int end = i;
        while (end < GROUPS && group_of(ip, end) == 0) {
            end++;
        }
        if (end - i >= 2 && end - i > *len) {
            at = i;
            *len = end - i;
        }
    }
    return at;
}

static void put_v6(struct buf *out, const struct ip *ip)
{
    int run_len = 0;
    int run = zero_run(ip, &run_len);
    for (int i = 0; i < GROUPS; i++) {
        if (i == run) {
            buf_str(out, STR("::"));
            i += run_len - 1;
            continue;
        }
        if (i > 0 && i != run + run_len) {
            buf_byte(out, ':');
        }
        put_hex(out, group_of(ip, i));
    }
}

void ip_print(struct buf *out, const struct ip *ip)
{
    if (!ip->v4) {
        put_v6(out, ip);
        return;
    }
    for (int i = V4_AT; i < 16; i++) {
        if (i > V4_AT) {
            buf_byte(out, '.');
        }
        put_decimal(out, ip->bytes[i]);
    }
}

void cidr_print(struct buf *out, const struct cidr *cidr)
{
    ip_print(out, &cidr->base);
    buf_byte(out, '/');
    put_decimal(out, cidr->bits);
}
