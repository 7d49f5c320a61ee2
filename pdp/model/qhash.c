// SPDX-License-Identifier: Apache-2.0
// HOT
#include "model/qhash.h"

__extension__ typedef unsigned __int128 uint128;

static uint64_t fold(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load_8(const char *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t load_4(const char *at)
{
    uint32_t word = 0;
    memcpy(&word, at, sizeof word);
    return word;
}

// Up to 16 bytes as two words whose bytes may overlap: with the length, which the seed holds, they say all.
// Copies of a length known only here would cost a stall each.
static inline void load_short(const char *at, size_t len, uint64_t *low, uint64_t *high)
{
    if (len >= 8) {
        *low = load_8(at);
        *high = load_8(at + len - 8);
    } else if (len >= 4) {
        *low = load_4(at);
        *high = load_4(at + len - 4);
    } else if (len > 0) {
        *low = (uint64_t)(unsigned char)at[0] << 8 | (unsigned char)at[len / 2];
        *high = (unsigned char)at[len - 1];
    } else {
        *low = 0;
        *high = 0;
    }
}

static inline uint64_t hash_text(struct hash_key key, uint64_t seed, const char *at, size_t len)
{
    uint64_t h = seed ^ key.k0 ^ (uint64_t)len, low = 0, high = 0;
    if (len > 16) {
        const char *end = at + len;
        for (; end - at > 16; at += 16) {
            h = fold(load_8(at) ^ key.k1 ^ h, load_8(at + 8) ^ key.k0 ^ (h << 32 | h >> 32));
        }
        low = load_8(end - 16); // may overlap what is in h already
        high = load_8(end - 8);
    } else {
        load_short(at, len, &low, &high);
    }
    return fold(low ^ key.k1 ^ h, high ^ key.k0 ^ (h << 32 | h >> 32));
}

static inline uint64_t seed_of(struct hash_key key, const struct value *v)
{
    return fold(key.k0 ^ v->kind, key.k1 ^ (uint64_t)v->n << 8);
}

static uint64_t hash_list(struct hash_key key, const struct value *v)
{
    uint64_t sum = seed_of(key, v);
    for (uint32_t i = 0; i < v->n; i++) {
        sum = fold(sum ^ key.k1, qhash(key, &v->as.list[i]) ^ key.k0);
    }
    return sum;
}

// But for the entry `but`, if that is no empty text.
static uint64_t hash_map(struct hash_key key, const struct value *v, struct str but)
{
    const struct value any = {.kind = VALUE_MAP}; // without its size: nulls do not count
    uint64_t sum = seed_of(key, &any);
    for (uint32_t i = 0; i < v->n; i++) {
        const struct value *name = &v->as.map[i].key; // text: the codecs let no other key in
        const struct value *value = &v->as.map[i].value;
        if (value->kind == VALUE_NULL || // as if it had been left out
            (but.len > 0 && str_eq(value_text(name), but))) {
            continue;
        }
        uint64_t is = hash_text(key, seed_of(key, name), name->as.text, name->n);
        uint64_t of = value->kind == VALUE_STRING
                          ? hash_text(key, seed_of(key, value), value->as.text, value->n)
                          : qhash(key, value);
        sum += fold(is ^ key.k0, of ^ key.k1);
    }
    return fold(sum ^ key.k0, key.k1 | 1);
}

uint64_t qhash(struct hash_key key, const struct value *v)
{
    uint64_t seed = seed_of(key, v);
    switch ((enum value_kind)v->kind) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return hash_text(key, seed, v->as.text, v->n);
    case VALUE_LIST:
        return hash_list(key, v);
    case VALUE_MAP:
        return hash_map(key, v, (struct str){0});
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

uint64_t qhash_but(struct hash_key key, const struct value *map, struct str but)
{
    return map->kind == VALUE_MAP ? hash_map(key, map, but) : qhash(key, map);
}
