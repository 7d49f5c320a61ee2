// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/lists.h"

#include "base/num.h"

// ---- What an entry or a value means -----------------------------------------------------------------

uint32_t lists_v4(const struct ip *ip)
{
    return (uint32_t)ip->bytes[12] << 24 | (uint32_t)ip->bytes[13] << 16 | (uint32_t)ip->bytes[14] << 8 |
           (uint32_t)ip->bytes[15];
}

static uint64_t half_of(const uint8_t bytes[8])
{
    uint64_t half = 0;
    for (int i = 0; i < 8; i++) {
        half = half << 8 | bytes[i];
    }
    return half;
}

struct rank_key128 lists_v6_key(const struct ip *ip)
{
    return (struct rank_key128){half_of(ip->bytes), half_of(ip->bytes + 8)};
}

static int letter(char c)
{
    if (c >= 'a' && c <= 'z') {
        return c - 'a';
    }
    return c >= 'A' && c <= 'Z' ? c - 'A' : -1;
}

bool lists_country(struct str text, unsigned *out)
{
    int first = text.len == 2 ? letter(text.at[0]) : -1;
    int second = text.len == 2 ? letter(text.at[1]) : -1;
    *out = first >= 0 && second >= 0 ? (unsigned)(first * 26 + second) : 0;
    return first >= 0 && second >= 0;
}

bool lists_asn(struct str text, uint32_t *out)
{
    uint64_t number = 0;
    bool prefix = text.len > 2 && letter(text.at[0]) == 0 && letter(text.at[1]) == 's' - 'a';
    bool ok = str_to_u64(prefix ? str_sub(text, 2, SIZE_MAX) : text, &number) && number <= UINT32_MAX;
    *out = ok ? (uint32_t)number : 0;
    return ok;
}

// ---- Strings ----------------------------------------------------------------------------------------

static bool is_at(const struct lists_strings *strings, uint32_t at, struct str text)
{
    const unsigned char *entry = strings->block + at;
    size_t len = (size_t)entry[0] | (size_t)entry[1] << 8;
    return len == text.len && (len == 0 || memcmp(entry + 2, text.at, len) == 0);
}

// The table is a quarter empty at least, and the hash is keyed: the search ends soon.
struct lists_slot *lists_slot(const struct lists_strings *strings, struct str text, uint32_t *tag)
{
    uint64_t hash = hash_64(strings->seed, text.at, text.len);
    uint32_t i = (uint32_t)((hash >> 32) * strings->cap >> 32);
    *tag = (uint32_t)hash;
    while (strings->slots[i].at != 0 &&
           (strings->slots[i].tag != *tag || !is_at(strings, strings->slots[i].at - 1, text))) {
        i = i + 1 < strings->cap ? i + 1 : 0;
    }
    return &strings->slots[i];
}

// ---- Looking up -------------------------------------------------------------------------------------

static enum truth truth_of(bool yes)
{
    return yes ? TRUTH_YES : TRUTH_NO;
}

static enum truth contains_string(const struct lists_set *set, const struct value *value)
{
    uint32_t tag = 0;
    if (value->kind != VALUE_STRING) {
        return TRUTH_UNSURE;
    }
    return truth_of(set->strings.cap > 0 && lists_slot(&set->strings, value_text(value), &tag)->at != 0);
}

// Prefixes nest or lie apart, and only the outermost are kept: the one that begins last at or below an
// address is the only one that can hold it.
static bool holds_v4(const struct lists_set *set, uint32_t ip)
{
    uint32_t at = rank32_find(&set->v4, ip);
    if (at == RANK_NONE) {
        return false;
    }
    uint64_t differ = set->v4.levels[0].keys[at] ^ ip;
    return differ >> (32 - set->v4_bits[at]) == 0;
}

static bool holds_v6(const struct lists_set *set, struct rank_key128 ip)
{
    uint32_t at = rank128_find(&set->v6, ip);
    if (at == RANK_NONE) {
        return false;
    }
    const struct rank_key128 *base = &set->v6.levels[0].keys[at];
    unsigned bits = set->v6_bits[at];
    if (bits == 0) {
        return true;
    }
    if (bits <= 64) {
        return (base->hi ^ ip.hi) >> (64 - bits) == 0;
    }
    return base->hi == ip.hi && (base->lo ^ ip.lo) >> (128 - bits) == 0;
}

static enum truth contains_ip(const struct lists_set *set, const struct value *value)
{
    struct ip parsed;
    const struct ip *ip = &parsed;
    if (value->kind == VALUE_IP) {
        ip = value->as.ip;
    } else if (value->kind != VALUE_STRING || !ip_parse(value_text(value), &parsed)) {
        return TRUTH_UNSURE;
    }
    return truth_of(ip->v4 ? holds_v4(set, lists_v4(ip)) : holds_v6(set, lists_v6_key(ip)));
}

static enum truth contains_asn(const struct lists_set *set, const struct value *value)
{
    uint32_t asn = 0;
    if (value->kind == VALUE_INT || value->kind == VALUE_UINT) {
        if (value->as.u > UINT32_MAX) { // a negative one too
            return TRUTH_UNSURE;
        }
        asn = (uint32_t)value->as.u;
    } else if (value->kind != VALUE_STRING || !lists_asn(value_text(value), &asn)) {
        return TRUTH_UNSURE;
    }
    uint32_t at = rank32_find(&set->asns, asn);
    return truth_of(at != RANK_NONE && set->asns.levels[0].keys[at] == asn);
}

static enum truth contains_country(const struct lists_set *set, const struct value *value)
{
    unsigned country = 0;
    if (value->kind != VALUE_STRING || !lists_country(value_text(value), &country)) {
        return TRUTH_UNSURE;
    }
    return truth_of((set->countries[country / 64] >> country % 64 & 1) != 0);
}

// ---- Age --------------------------------------------------------------------------------------------

// Since when its entries are known to be true: as somebody wrote, else since they were loaded.
static int64_t since(const struct lists_set *set)
{
    return set->updated_ms != LISTS_UNKNOWN ? set->updated_ms : set->loaded_ms;
}

// What claims to come from the future has an age that nobody knows. A time of loading is our own clock's,
// which may have been set back, or be a replay's.
static bool is_ahead(const struct lists_set *set, int64_t now_ms)
{
    return set->updated_ms != LISTS_UNKNOWN && num_sub_sat(set->updated_ms, now_ms) > LISTS_AHEAD_MS;
}

bool lists_stale(const struct lists_set *set, int64_t now_ms)
{
    if (set->missing || set->head.max_age_ms <= 0) {
        return set->missing;
    }
    return since(set) == LISTS_UNKNOWN || is_ahead(set, now_ms) ||
           num_sub_sat(now_ms, since(set)) > set->head.max_age_ms;
}

int64_t lists_until(const struct lists_set *set, int64_t now_ms)
{
    if (set->missing || set->head.max_age_ms <= 0 || since(set) == LISTS_UNKNOWN) {
        return INT64_MAX;
    }
    if (is_ahead(set, now_ms)) {
        return num_sub_sat(set->updated_ms, LISTS_AHEAD_MS);
    }
    return lists_stale(set, now_ms) ? INT64_MAX
                                    : num_add_sat(num_add_sat(since(set), set->head.max_age_ms), 1);
}

enum truth lists_contains(const struct lists_set *set, const struct value *value, int64_t now_ms)
{
    if (lists_stale(set, now_ms)) {
        return TRUTH_UNSURE;
    }
    switch (set->head.kind) {
    case CEL_SET_STRING:
        return contains_string(set, value);
    case CEL_SET_CIDR:
        return contains_ip(set, value);
    case CEL_SET_COUNTRY:
        return contains_country(set, value);
    case CEL_SET_ASN:
        return contains_asn(set, value);
    }
    return TRUTH_UNSURE;
}
