// SPDX-License-Identifier: Apache-2.0
// HOT
#include "model/qhash.h"

__extension__ typedef unsigned __int128 uint128;

static uint64_t fold(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *at, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, at, len < 8 ? len : 8);
    return word;
}

static uint64_t hash_text(struct hash_key key, uint64_t seed, const char *at, size_t len)
{
    uint64_t h = seed ^ key.k0 ^ (uint64_t)len;
    for (; len > 16; at += 16, len -= 16) {
        h = fold(load(at, 8) ^ key.k1 ^ h, load(at + 8, 8) ^ key.k0 ^ (h << 32 | h >> 32));
    }
    uint64_t low = len > 0 ? load(at, len) : 0;
    uint64_t high = len > 8 ? load(at + 8, len - 8) : 0;
    return fold(low ^ key.k1 ^ h, high ^ key.k0 ^ (h << 32 | h >> 32));
}

uint64_t qhash(struct hash_key key, const struct value *v)
{
    uint64_t seed = fold(key.k0 ^ v->kind, key.k1 ^ (uint64_t)v->n << 8);
    uint64_t sum = seed;
    switch ((enum value_kind)v->kind) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return hash_text(key, seed, v->as.text, v->n);
    case VALUE_LIST:
        for (uint32_t i = 0; i < v->n; i++) {
            sum = fold(sum ^ key.k1, qhash(key, &v->as.list[i]) ^ key.k0);
        }
        return sum;
    case VALUE_MAP:
        for (uint32_t i = 0; i < v->n; i++) {
            uint64_t name = qhash(key, &v->as.map[i].key);
            sum += fold(name ^ key.k0, qhash(key, &v->as.map[i].value) ^ key.k1);
        }
        return fold(sum ^ key.k0, key.k1 | 1);
    case VALUE_BOOL:
        return fold(seed ^ (v->as.b ? 1 : 2), key.k0 | 1);
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        return fold(seed ^ v->as.u, key.k0 | 1);
    case VALUE_IP:
        return hash_text(key, seed, (const char *)v->as.ip->bytes, sizeof v->as.ip->bytes);
    case VALUE_NULL:
    case VALUE_ERROR:
    case VALUE_CIDR:
    case VALUE_LEVEL:
    case VALUE_STRENGTH:
    case VALUE_TYPE:
    case VALUE_OPTIONAL:
    case VALUE_SET:
    case VALUE_KIND_COUNT:
        break;
    }
    return seed;
}
