// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/table.h"

struct hash_key key_derive(struct hash_key key, const char *use)
{
    struct hash128 h = hash_128(key, use, strlen(use));
    return (struct hash_key){h.lo, h.hi};
}

enum {
    SUBJECT_BYTES = 3 * (2 + REQUEST_ID_MAX)
};

static size_t put_text(unsigned char *at, struct str s)
{
    at[0] = (unsigned char)(s.len & 0xff);
    at[1] = (unsigned char)(s.len >> 8 & 0xff);
    if (s.len != 0) {
        memcpy(at + 2, s.at, s.len);
    }
    return 2 + s.len;
}

// Longer names than a request may carry: each is hashed, then the hashes, so that none is cut.
static struct hash128 hash_long(struct hash_key key, const struct str *names)
{
    struct hash128 hashes[4] = {{UINT64_MAX, UINT64_MAX}};
    for (size_t i = 0; i < 3; i++) {
        hashes[i + 1] = hash_128(key, names[i].at, names[i].len);
    }
    return hash_128(key, hashes, sizeof hashes);
}

static struct hash128 hash_subject(const struct session_table *table, const struct str *names)
{
    unsigned char bytes[SUBJECT_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < 3; i++) {
        if (names[i].len > REQUEST_ID_MAX) {
            return hash_long(table->subject_key, names);
        }
        len += put_text(bytes + len, names[i]);
    }
    return hash_128(table->subject_key, bytes, len);
}

static struct hash128 hash_id(const struct session_table *table, unsigned number, struct str session_id)
{
    struct hash128 id = hash_128(table->id_keys[number], session_id.at, session_id.len);
    id.lo |= table_no_id(id); // all zero means none
    return id;
}

// Under the key of today, unless the session is known under an older one.
static void name_id(const struct session_table *table, struct str session_id, struct session_key *key)
{
    uint32_t ring =
        atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)&table->id_ring, memory_order_acquire);
    uint32_t now = ring >> 16, others = ring & UINT16_MAX & ~(UINT32_C(1) << now);
    key->number = (uint8_t)now;
    key->id = hash_id(table, now, session_id);
    for (; others != 0; others &= others - 1) {
        unsigned number = (unsigned)__builtin_ctz(others);
        struct hash128 id = hash_id(table, number, session_id);
        if (index_find((struct session_table *)(uintptr_t)table, id, false) != 0) {
            key->number = (uint8_t)number;
            key->id = id;
            return;
        }
    }
}

struct session_key session_key_of(const struct session_table *table, uint64_t peer, struct str tenant,
                                  struct str subject_type, struct str subject_id, struct str session_id)
{
    struct session_key key = {
        .tenant = tenant, .subject_type = subject_type, .subject_id = subject_id, .peer = peer};
    const struct str names[3] = {tenant, subject_type, subject_id};
    key.subject = hash_subject(table, names);
    if (session_id.len != 0) {
        name_id(table, session_id, &key);
    }
    return key;
}

uint64_t session_hash(const struct session_table *table, struct str bytes)
{
    return hash_64(table->text_key, bytes.at, bytes.len);
}

uint16_t session_gateway(struct session_table *table, struct str peer)
{
    return gateways_number(&table->gateways, peer);
}

struct str session_gateway_name(struct session_table *table, uint16_t number)
{
    return gateways_name(&table->gateways, number);
}

void session_ref_print(struct hash128 id, char out[static 32])
{
    static const char DIGITS[] = "0123456789abcdef";
    memcpy(out, "s_", 2);
    for (unsigned i = 0; i < 16; i++) {
        out[2 + i] = DIGITS[id.lo >> (60 - 4 * i) & 15];
    }
    for (unsigned i = 0; i < 8; i++) {
        out[18 + i] = DIGITS[id.hi >> (60 - 4 * i) & 15];
    }
    memset(out + 26, 0, 6);
}
