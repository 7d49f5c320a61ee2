// SPDX-License-Identifier: Apache-2.0
// From entries to a set.
#include "policy/lists.h"

#include "base/num.h"

#include <stdlib.h>

static enum pdp_err copy(struct arena *arena, struct str *text)
{
    bool ok = true;
    *text = text->len == 0 ? (struct str){"", 0} : arena_str(arena, *text, &ok);
    return ok ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

enum pdp_err lists_new(const struct lists_head *head, struct lists_set **out)
{
    *out = NULL;
    AUTO(lists_free) struct lists_set *set = calloc(1, sizeof *set);
    if (set == NULL) {
        return PDP_ERR_NOMEM;
    }
    atomic_init(&set->holders, 1);
    arena_init(&set->arena, 256, 0); // large things get a block of their own size
    set->head = *head;
    TRY(copy(&set->arena, &set->head.name));
    TRY(copy(&set->arena, &set->head.file));
    TRY(copy(&set->arena, &set->head.version));
    set->version = set->head.version;
    set->updated_ms = head->updated_ms;
    set->loaded_ms = LISTS_UNKNOWN;
    *out = STEAL(set);
    return PDP_ERR_OK;
}

struct lists_set *lists_hold(struct lists_set *set)
{
    atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
    return set;
}

void lists_free(struct lists_set **set_ptr)
{
    struct lists_set *set = STEAL(*set_ptr);
    if (set != NULL && atomic_fetch_sub_explicit(&set->holders, 1, memory_order_acq_rel) == 1) {
        arena_fini(&set->arena);
        free(set);
    }
}

size_t lists_bytes(const struct lists_set *set)
{
    return sizeof *set + set->arena.used_bytes;
}

// ---- Room -------------------------------------------------------------------------------------------

static enum pdp_err room_strings(struct lists_set *set, size_t entries, size_t bytes, struct hash_key seed)
{
    size_t slots = 0, block = 0;
    struct lists_strings *strings = &set->strings;
    if (!num_add(entries, entries / 3 + 2, &slots) || !num_mul(entries, 2, &block) ||
        !num_add(block, bytes, &block) || block >= UINT32_MAX || slots >= UINT32_MAX) {
        return PDP_ERR_LIMIT;
    }
    strings->seed = seed;
    strings->block = arena_alloc(&set->arena, block + 1, 1);
    strings->slots = ARENA_ARRAY(&set->arena, struct lists_slot, slots);
    strings->cap = strings->slots != NULL ? (uint32_t)slots : 0;
    return strings->block != NULL && strings->slots != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

// Pages that are never written cost nothing: there is room for all of each kind.
static enum pdp_err room_sorted(struct lists_building *b, size_t entries)
{
    size_t bytes = 0;
    if (!num_mul(entries + 1, sizeof *b->v6, &bytes)) {
        return PDP_ERR_LIMIT;
    }
    if (b->set->head.kind == CEL_SET_ASN) {
        b->asns = arena_alloc(&b->arena, (entries + 1) * sizeof *b->asns, _Alignof(uint32_t));
        return b->asns != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
    }
    b->v4 = arena_alloc(&b->arena, (entries + 1) * sizeof *b->v4, _Alignof(uint64_t));
    b->v6 = arena_alloc(&b->arena, bytes, _Alignof(struct lists_v6));
    return b->v4 != NULL && b->v6 != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

enum pdp_err lists_begin(struct lists_building *building, struct lists_set *set, size_t entries, size_t bytes,
                         struct hash_key seed)
{
    *building = (struct lists_building){.set = set};
    arena_init(&building->arena, 256, 0);
    switch (set->head.kind) {
    case CEL_SET_STRING:
        return room_strings(set, entries, bytes, seed);
    case CEL_SET_CIDR:
    case CEL_SET_ASN:
        return room_sorted(building, entries);
    case CEL_SET_COUNTRY:
        break;
    }
    return PDP_ERR_OK;
}

void lists_building_fini(struct lists_building *building)
{
    arena_fini(&building->arena);
}

// ---- Entries ----------------------------------------------------------------------------------------

static void add_string(struct lists_strings *strings, struct str text)
{
    uint32_t tag = 0;
    struct lists_slot *slot = lists_slot(strings, text, &tag);
    if (slot->at != 0) {
        return; // it is there already
    }
    *slot = (struct lists_slot){tag, strings->block_len + 1};
    unsigned char *entry = strings->block + strings->block_len;
    entry[0] = (unsigned char)(text.len & 0xFF);
    entry[1] = (unsigned char)(text.len >> 8);
    if (text.len > 0) {
        memcpy(entry + 2, text.at, text.len);
    }
    strings->block_len += 2 + (uint32_t)text.len;
}

static enum pdp_err add_cidr(struct lists_building *b, struct str text)
{
    struct cidr cidr = {0};
    if (!cidr_parse(text, false, &cidr)) {
        if (!ip_parse(text, &cidr.base)) {
            return PDP_ERR_SYNTAX;
        }
        cidr.bits = cidr.base.v4 ? 32 : 128;
    }
    if (cidr.base.v4) {
        b->v4[b->v4_count++] = (uint64_t)lists_v4(&cidr.base) << 8 | cidr.bits;
    } else {
        b->v6[b->v6_count++] = (struct lists_v6){lists_v6_key(&cidr.base), cidr.bits};
    }
    return PDP_ERR_OK;
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7F) {
            return true;
        }
    }
    return false;
}

enum pdp_err lists_add(struct lists_building *building, struct str text)
{
    struct lists_set *set = building->set;
    uint32_t number = 0;
    unsigned country = 0;
    if (text.len > LISTS_ENTRY_MAX || has_control(text) || !str_is_utf8(text)) {
        return text.len > LISTS_ENTRY_MAX ? PDP_ERR_LIMIT : has_control(text) ? PDP_ERR_RANGE : PDP_ERR_UTF8;
    }
    set->entries++;
    switch (set->head.kind) {
    case CEL_SET_STRING:
        add_string(&set->strings, text);
        return PDP_ERR_OK;
    case CEL_SET_CIDR:
        return add_cidr(building, text);
    case CEL_SET_COUNTRY:
        if (!lists_country(text, &country)) {
            return PDP_ERR_SYNTAX;
        }
        set->countries[country / 64] |= UINT64_C(1) << country % 64;
        return PDP_ERR_OK;
    case CEL_SET_ASN:
        if (!lists_asn(text, &number)) {
            return PDP_ERR_SYNTAX;
        }
        building->asns[building->asn_count++] = number;
        return PDP_ERR_OK;
    }
    return PDP_ERR_TYPE;
}

// ---- Sorting ----------------------------------------------------------------------------------------

static int by_v4(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

static int by_asn(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a;
    uint32_t two = *(const uint32_t *)b;
    return (one > two) - (one < two);
}

static int by_v6(const void *a, const void *b)
{
    const struct lists_v6 *one = a;
    const struct lists_v6 *two = b;
    if (one->base.hi != two->base.hi) {
        return one->base.hi < two->base.hi ? -1 : 1;
    }
    if (one->base.lo != two->base.lo) {
        return one->base.lo < two->base.lo ? -1 : 1;
    }
    return one->bits - two->bits;
}

// Lists mostly come sorted.
static void sort(void *at, size_t count, size_t size, int (*cmp)(const void *a, const void *b))
{
    for (size_t i = 1; i < count; i++) {
        if (cmp((char *)at + (i - 1) * size, (char *)at + i * size) > 0) {
            qsort(at, count, size, cmp);
            return;
        }
    }
}

static enum pdp_err end_v4(struct lists_building *b)
{
    struct lists_set *set = b->set;
    uint32_t *keys = arena_alloc(&b->arena, (b->v4_count + 1) * sizeof *keys, _Alignof(uint32_t));
    uint8_t *bits = arena_alloc(&set->arena, b->v4_count + 1, 1);
    if (keys == NULL || bits == NULL) {
        return PDP_ERR_NOMEM;
    }
    size_t kept = 0;
    sort(b->v4, b->v4_count, sizeof *b->v4, by_v4); // of one base, the widest comes first
    for (size_t i = 0; i < b->v4_count; i++) {
        uint32_t base = (uint32_t)(b->v4[i] >> 8);
        if (kept > 0 && (uint64_t)(keys[kept - 1] ^ base) >> (32 - bits[kept - 1]) == 0) {
            continue; // it lies in the last one
        }
        keys[kept] = base;
        bits[kept++] = (uint8_t)b->v4[i];
    }
    set->v4_bits = bits;
    return rank32_build(&set->v4, keys, kept, &set->arena);
}

static bool lies_in(const struct lists_v6 *outer, const struct lists_v6 *inner)
{
    struct rank_key128 differ = {outer->base.hi ^ inner->base.hi, outer->base.lo ^ inner->base.lo};
    if (outer->bits <= 64) {
        return outer->bits == 0 || differ.hi >> (64 - outer->bits) == 0;
    }
    return differ.hi == 0 && differ.lo >> (128 - outer->bits) == 0;
}

static enum pdp_err end_v6(struct lists_building *b)
{
    struct lists_set *set = b->set;
    struct rank_key128 *keys =
        arena_alloc(&b->arena, (b->v6_count + 1) * sizeof *keys, _Alignof(struct rank_key128));
    uint8_t *bits = arena_alloc(&set->arena, b->v6_count + 1, 1);
    if (keys == NULL || bits == NULL) {
        return PDP_ERR_NOMEM;
    }
    size_t kept = 0;
    sort(b->v6, b->v6_count, sizeof *b->v6, by_v6);
    for (size_t i = 0; i < b->v6_count; i++) {
        if (kept > 0 && lies_in(&(struct lists_v6){keys[kept - 1], bits[kept - 1]}, &b->v6[i])) {
            continue;
        }
        keys[kept] = b->v6[i].base;
        bits[kept++] = b->v6[i].bits;
    }
    set->v6_bits = bits;
    return rank128_build(&set->v6, keys, kept, &set->arena);
}

static enum pdp_err end_asns(struct lists_building *b)
{
    size_t kept = 0;
    sort(b->asns, b->asn_count, sizeof *b->asns, by_asn);
    for (size_t i = 0; i < b->asn_count; i++) {
        if (kept == 0 || b->asns[i] != b->asns[kept - 1]) {
            b->asns[kept++] = b->asns[i];
        }
    }
    return rank32_build(&b->set->asns, b->asns, kept, &b->set->arena);
}

enum pdp_err lists_end(struct lists_building *building)
{
    if (building->set->head.kind == CEL_SET_ASN) {
        return end_asns(building);
    }
    if (building->set->head.kind == CEL_SET_CIDR) {
        TRY(end_v4(building));
        return end_v6(building);
    }
    return building->set->head.ordered ? lists_order(building->set) : PDP_ERR_OK;
}
