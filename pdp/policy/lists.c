// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/lists.h"

#include "base/num.h"

#include <stdlib.h>

// ---- What an entry or a value means -----------------------------------------------------------------

static uint32_t v4_of(const struct ip *ip)
{
    return (uint32_t)ip->bytes[12] << 24 | (uint32_t)ip->bytes[13] << 16 | (uint32_t)ip->bytes[14] << 8 |
           (uint32_t)ip->bytes[15];
}

static void v6_of(const struct ip *ip, uint64_t out[2])
{
    for (int half = 0; half < 2; half++) {
        out[half] = 0;
        for (int i = 0; i < 8; i++) {
            out[half] = out[half] << 8 | ip->bytes[half * 8 + i];
        }
    }
}

static int letter(char c)
{
    if (c >= 'a' && c <= 'z') {
        return c - 'a';
    }
    return c >= 'A' && c <= 'Z' ? c - 'A' : -1;
}

static bool country_of(struct str text, unsigned *out)
{
    int first = text.len == 2 ? letter(text.at[0]) : -1;
    int second = text.len == 2 ? letter(text.at[1]) : -1;
    *out = first >= 0 && second >= 0 ? (unsigned)(first * 26 + second) : 0;
    return first >= 0 && second >= 0;
}

static bool asn_of(struct str text, uint32_t *out)
{
    uint64_t number = 0;
    bool prefix = text.len > 2 && letter(text.at[0]) == 0 && letter(text.at[1]) == 's' - 'a';
    bool ok = str_to_u64(prefix ? str_sub(text, 2, SIZE_MAX) : text, &number) && number <= UINT32_MAX;
    *out = ok ? (uint32_t)number : 0;
    return ok;
}

// ---- Building ---------------------------------------------------------------------------------------

enum pdp_err lists_room(struct lists_set *set, size_t entries, struct hash_key seed, struct arena *arena)
{
    size_t most = entries + 1;
    bool ok = true;
    switch (set->kind) {
    case CEL_SET_STRING:
        return table_init(&set->strings, entries, seed, arena);
    case CEL_SET_CIDR:
        set->v4 = ARENA_ARRAY(arena, struct lists_v4, most);
        set->v6 = ARENA_ARRAY(arena, struct lists_v6, most);
        ok = set->v4 != NULL && set->v6 != NULL;
        break;
    case CEL_SET_ASN:
        set->asns = ARENA_ARRAY(arena, uint32_t, most);
        ok = set->asns != NULL;
        break;
    case CEL_SET_COUNTRY:
        break;
    }
    return ok ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static enum pdp_err add_cidr(struct lists_set *set, struct str text)
{
    struct cidr cidr = {0};
    if (!cidr_parse(text, false, &cidr)) {
        if (!ip_parse(text, &cidr.base)) {
            return PDP_ERR_SYNTAX;
        }
        cidr.bits = cidr.base.v4 ? 32 : 128;
    }
    if (cidr.base.v4) {
        uint32_t from = v4_of(&cidr.base);
        uint32_t rest = cidr.bits == 0 ? UINT32_MAX : (uint32_t)((UINT64_C(1) << (32 - cidr.bits)) - 1);
        set->v4[set->v4_count++] = (struct lists_v4){from, from | rest};
        return PDP_ERR_OK;
    }
    struct lists_v6 *range = &set->v6[set->v6_count++];
    v6_of(&cidr.base, range->from);
    for (unsigned half = 0; half < 2; half++) {
        unsigned bits = cidr.bits > half * 64 ? cidr.bits - half * 64 : 0;
        uint64_t rest = bits >= 64 ? 0 : (bits == 0 ? UINT64_MAX : (UINT64_C(1) << (64 - bits)) - 1);
        range->to[half] = range->from[half] | rest;
    }
    return PDP_ERR_OK;
}

enum pdp_err lists_add(struct lists_set *set, struct str text)
{
    uint32_t number = 0;
    unsigned country = 0;
    set->entries++;
    switch (set->kind) {
    case CEL_SET_STRING:
        (void)table_put(&set->strings, text, 0, &number);
        return PDP_ERR_OK;
    case CEL_SET_CIDR:
        return add_cidr(set, text);
    case CEL_SET_COUNTRY:
        if (!country_of(text, &country)) {
            return PDP_ERR_SYNTAX;
        }
        set->countries[country / 64] |= UINT64_C(1) << country % 64;
        return PDP_ERR_OK;
    case CEL_SET_ASN:
        if (!asn_of(text, &number)) {
            return PDP_ERR_SYNTAX;
        }
        set->asns[set->asn_count++] = number;
        return PDP_ERR_OK;
    }
    return PDP_ERR_TYPE;
}

static int v6_cmp(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] != b[0] ? (a[0] > b[0]) - (a[0] < b[0]) : (a[1] > b[1]) - (a[1] < b[1]);
}

static int by_v4(const void *a, const void *b)
{
    const struct lists_v4 *one = a;
    const struct lists_v4 *two = b;
    return (one->from > two->from) - (one->from < two->from);
}

static int by_v6(const void *a, const void *b)
{
    return v6_cmp(((const struct lists_v6 *)a)->from, ((const struct lists_v6 *)b)->from);
}

static int by_number(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a;
    uint32_t two = *(const uint32_t *)b;
    return (one > two) - (one < two);
}

// Prefixes nest or lie apart, so that ranges which overlap are one inside the other.
void lists_sort(struct lists_set *set)
{
    size_t kept = 0;
    if (set->v4_count > 0) {
        qsort(set->v4, set->v4_count, sizeof(*set->v4), by_v4);
    }
    for (size_t i = 0; i < set->v4_count; i++) {
        if (kept > 0 && set->v4[i].from <= set->v4[kept - 1].to) {
            uint32_t to = set->v4[kept - 1].to;
            set->v4[kept - 1].to = to > set->v4[i].to ? to : set->v4[i].to;
        } else {
            set->v4[kept++] = set->v4[i];
        }
    }
    set->v4_count = kept;
    kept = 0;
    if (set->v6_count > 0) {
        qsort(set->v6, set->v6_count, sizeof(*set->v6), by_v6);
    }
    for (size_t i = 0; i < set->v6_count; i++) {
        if (kept == 0 || v6_cmp(set->v6[i].from, set->v6[kept - 1].to) > 0) {
            set->v6[kept++] = set->v6[i];
        } else if (v6_cmp(set->v6[i].to, set->v6[kept - 1].to) > 0) {
            set->v6[kept - 1].to[0] = set->v6[i].to[0];
            set->v6[kept - 1].to[1] = set->v6[i].to[1];
        }
    }
    set->v6_count = kept;
    if (set->asn_count > 0) {
        qsort(set->asns, set->asn_count, sizeof(*set->asns), by_number);
    }
}

// ---- Looking up -------------------------------------------------------------------------------------

static enum truth truth_of(bool yes)
{
    return yes ? TRUTH_YES : TRUTH_NO;
}

static bool holds_v4(const struct lists_set *set, uint32_t ip)
{
    size_t low = 0;
    size_t high = set->v4_count;
    while (low < high) { // the last range that begins at or below `ip` is low - 1
        size_t mid = low + (high - low) / 2;
        if (set->v4[mid].from <= ip) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low > 0 && ip <= set->v4[low - 1].to;
}

static bool holds_v6(const struct lists_set *set, const uint64_t ip[2])
{
    size_t low = 0;
    size_t high = set->v6_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v6_cmp(set->v6[mid].from, ip) <= 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low > 0 && v6_cmp(ip, set->v6[low - 1].to) <= 0;
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
    if (ip->v4) {
        return truth_of(holds_v4(set, v4_of(ip)));
    }
    uint64_t halves[2];
    v6_of(ip, halves);
    return truth_of(holds_v6(set, halves));
}

static enum truth contains_asn(const struct lists_set *set, const struct value *value)
{
    uint32_t asn = 0;
    if (value->kind == VALUE_INT || value->kind == VALUE_UINT) {
        if (value->as.u > UINT32_MAX) { // a negative one too
            return TRUTH_UNSURE;
        }
        asn = (uint32_t)value->as.u;
    } else if (value->kind != VALUE_STRING || !asn_of(value_text(value), &asn)) {
        return TRUTH_UNSURE;
    }
    size_t low = 0;
    size_t high = set->asn_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (set->asns[mid] < asn) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return truth_of(low < set->asn_count && set->asns[low] == asn);
}

static enum truth contains_country(const struct lists_set *set, const struct value *value)
{
    unsigned country = 0;
    if (value->kind != VALUE_STRING || !country_of(value_text(value), &country)) {
        return TRUTH_UNSURE;
    }
    return truth_of((set->countries[country / 64] >> country % 64 & 1) != 0);
}

static bool is_stale(const struct lists_set *set, int64_t now_ms)
{
    return set->missing ||
           (set->max_age_ms > 0 && (!set->dated || num_sub_sat(now_ms, set->updated_ms) > set->max_age_ms));
}

enum truth lists_contains(const struct lists_set *set, const struct value *value, int64_t now_ms)
{
    if (is_stale(set, now_ms)) {
        return TRUTH_UNSURE;
    }
    switch (set->kind) {
    case CEL_SET_STRING:
        return value->kind == VALUE_STRING ? truth_of(table_get(&set->strings, value_text(value)) != NULL)
                                           : TRUTH_UNSURE;
    case CEL_SET_CIDR:
        return contains_ip(set, value);
    case CEL_SET_COUNTRY:
        return contains_country(set, value);
    case CEL_SET_ASN:
        return contains_asn(set, value);
    }
    return TRUTH_UNSURE;
}
