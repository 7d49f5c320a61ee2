// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <criterion/criterion.h>

// The key 00 01 … 0f of the reference implementation's vectors; message i is 00 01 … i-1.
static const struct hash_key KEY = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static const struct {
    size_t len;
    uint64_t want;
} VECTORS_64[] = {
    {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
    {2, UINT64_C(0x0d6c8009d9a94f5a)},  {3, UINT64_C(0x85676696d7fb7e2d)},
    {4, UINT64_C(0xcf2794e0277187b7)},  {5, UINT64_C(0x18765564cd99a68d)},
    {6, UINT64_C(0xcbc9466e58fee3ce)},  {7, UINT64_C(0xab0200f58b01d137)},
    {8, UINT64_C(0x93f5f5799a932462)},  {9, UINT64_C(0x9e0082df0ba9e4b0)},
    {14, UINT64_C(0xf723ca908e7af2ee)}, {15, UINT64_C(0xa129ca6149be45e5)},
    {16, UINT64_C(0x3f2acc7f57c29bdb)}, {17, UINT64_C(0x699ae9f52cbe4794)},
    {31, UINT64_C(0x32d892fad841c342)}, {32, UINT64_C(0x7127512f72f27cce)},
    {33, UINT64_C(0xa7f32346f95978e3)}, {62, UINT64_C(0xe51b38608ef25f57)},
    {63, UINT64_C(0x958a324ceb064572)},
};

static const struct {
    size_t len;
    struct hash128 want;
} VECTORS_128[] = {
    {0, {UINT64_C(0xe6a825ba047f81a3), UINT64_C(0x930255c71472f66d)}},
    {1, {UINT64_C(0x44af996bd8c187da), UINT64_C(0x45fc229b11597634)}},
    {2, {UINT64_C(0xc75da4a48d227781), UINT64_C(0xe4ff0af6de8ba3fc)}},
    {3, {UINT64_C(0x4ea967520cb6709c), UINT64_C(0x51ed8529b0b6335f)}},
    {4, {UINT64_C(0xaf8f9c2dc16481f8), UINT64_C(0x7955cd7b7c6e0f7d)}},
    {5, {UINT64_C(0x886f778059876813), UINT64_C(0x27960e69077a5254)}},
    {6, {UINT64_C(0x1386208b33caee14), UINT64_C(0x5ea1d78f30a05e48)}},
    {7, {UINT64_C(0x53c1dbd8beebf1a1), UINT64_C(0x3982f01fa64ab8c0)}},
    {8, {UINT64_C(0x61f55862baa9623b), UINT64_C(0xb49714f364e2830f)}},
    {9, {UINT64_C(0xabbad90a06994426), UINT64_C(0xed716dbb028b7fc4)}},
    {14, {UINT64_C(0x9cded766aceffc31), UINT64_C(0x024949e45f48c77e)}},
    {15, {UINT64_C(0x11a8b03399e99354), UINT64_C(0xd9c3cf970fec087e)}},
    {16, {UINT64_C(0xbb54b067caa4e26e), UINT64_C(0x77052385bf1533fd)}},
    {17, {UINT64_C(0x98b88d73e8063d47), UINT64_C(0x4077e47ac466c054)}},
    {31, {UINT64_C(0xfcfa233218b03929), UINT64_C(0x353dc4524fde2317)}},
    {32, {UINT64_C(0x3efcea5eca56397c), UINT64_C(0x68eb4665559d3e36)}},
    {33, {UINT64_C(0x321cf0467107c677), UINT64_C(0xcfffa94e5f9db6b6)}},
    {62, {UINT64_C(0xa067f52123545358), UINT64_C(0xbd5947f0a447d505)}},
    {63, {UINT64_C(0x4a83502f77d15051), UINT64_C(0x7cbd3f979a063e50)}},
};

static const unsigned char *message(void)
{
    static unsigned char bytes[64];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)i;
    }
    return bytes;
}

Test(base_hash, gives_the_64_bit_reference_vectors)
{
    for (size_t i = 0; i < COUNT_OF(VECTORS_64); i++) {
        uint64_t got = hash_64(KEY, message(), VECTORS_64[i].len);
        cr_expect_eq(got, VECTORS_64[i].want, "%zu bytes: %016llx", VECTORS_64[i].len,
                     (unsigned long long)got);
    }
}

Test(base_hash, gives_the_128_bit_reference_vectors)
{
    for (size_t i = 0; i < COUNT_OF(VECTORS_128); i++) {
        struct hash128 got = hash_128(KEY, message(), VECTORS_128[i].len);
        cr_expect(hash128_eq(got, VECTORS_128[i].want), "%zu bytes: %016llx %016llx", VECTORS_128[i].len,
                  (unsigned long long)got.lo, (unsigned long long)got.hi);
    }
}

Test(base_hash, takes_unaligned_and_empty_input)
{
    unsigned char bytes[80];
    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(bytes + shift, message(), 63);
        cr_expect_eq(hash_64(KEY, bytes + shift, 63), hash_64(KEY, message(), 63), "shift %zu", shift);
    }
    cr_expect_eq(hash_64(KEY, NULL, 0), VECTORS_64[0].want);
}

Test(base_hash, depends_on_key_and_length)
{
    struct hash_key other = {KEY.k0, KEY.k1 ^ 1};
    cr_expect_neq(hash_64(KEY, "abc", 3), hash_64(other, "abc", 3));
    cr_expect_neq(hash_64(KEY, "\0\0", 1), hash_64(KEY, "\0\0", 2));
    struct hash128 a = hash_128(KEY, "abc", 3);
    cr_expect_not(hash128_eq(a, (struct hash128){a.lo, a.hi ^ 1}));
    cr_expect_not(hash128_eq(a, (struct hash128){a.lo ^ 1, a.hi}));
}
