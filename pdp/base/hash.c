// SPDX-License-Identifier: Apache-2.0
// HOT
#include "base/hash.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_rounds(struct sip *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

// Little-endian whatever the machine; compilers make one load of it.
static inline uint64_t load_64(const unsigned char *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

// The last 0 to 7 bytes with the length's low byte above them.
static inline uint64_t load_tail(const unsigned char *at, size_t len)
{
    uint64_t word = (uint64_t)(len & 0xff) << 56;
    for (size_t i = 0; i < (len & 7); i++) {
        word |= (uint64_t)at[i] << (8 * i);
    }
    return word;
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_rounds(s, 2);
    s->v0 ^= word;
}

static inline struct sip sip_absorb(struct hash_key key, const void *bytes, size_t len, uint64_t wide)
{
    struct sip s = {
        key.k0 ^ UINT64_C(0x736f6d6570736575),
        key.k1 ^ UINT64_C(0x646f72616e646f6d) ^ wide,
        key.k0 ^ UINT64_C(0x6c7967656e657261),
        key.k1 ^ UINT64_C(0x7465646279746573),
    };
    const unsigned char *at = bytes;
    for (size_t words = len / 8; words != 0; words--, at += 8) {
        sip_word(&s, load_64(at));
    }
    sip_word(&s, load_tail(at, len));
    return s;
}

static inline uint64_t sip_out(struct sip *s)
{
    sip_rounds(s, 4);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_64(struct hash_key key, const void *bytes, size_t len)
{
    struct sip s = sip_absorb(key, bytes, len, 0);
    s.v2 ^= 0xff;
    return sip_out(&s);
}

struct hash128 hash_128(struct hash_key key, const void *bytes, size_t len)
{
    struct sip s = sip_absorb(key, bytes, len, 0xee);
    s.v2 ^= 0xee;
    struct hash128 out = {.lo = sip_out(&s)};
    s.v1 ^= 0xdd;
    out.hi = sip_out(&s);
    return out;
}
