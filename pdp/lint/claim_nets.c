// SPDX-License-Identifier: Apache-2.0
// What claims about an address leave, all of them at once: networks are halved until each half lies in every
// network that is said of it and in none that is denied, or does not.
#include "lint/claim.h"

enum {
    NETS_MOST = 256,   // of one claim; a longer list is not looked at
    HALVES_MOST = 1024 // that are looked at
};

struct nets {
    const struct claim *const *claims;
    size_t count;
    int left; // halves
};

enum beside {
    BESIDE_APART,
    BESIDE_PART, // some of the network, and not all that is known
    BESIDE_HOLDS
};

static bool cidr_within(const struct cidr *a, const struct cidr *b)
{
    return a->base.v4 == b->base.v4 && a->bits >= b->bits && cidr_holds(b, &a->base);
}

// Prefixes nest or lie apart, and a list keeps the outermost alone.
static struct cidr list_cidr(const struct lists_set *list, size_t at)
{
    struct cidr cidr = {.base = {.v4 = at < list->v4.levels[0].count}};
    if (cidr.base.v4) {
        uint32_t key = (uint32_t)list->v4.levels[0].keys[at];
        cidr.base.bytes[10] = cidr.base.bytes[11] = 0xFF;
        for (int i = 0; i < 4; i++) {
            cidr.base.bytes[12 + i] = (uint8_t)(key >> (24 - 8 * i));
        }
        cidr.bits = list->v4_bits[at];
        return cidr;
    }
    at -= list->v4.levels[0].count;
    const struct rank_key128 *key = &list->v6.levels[0].keys[at];
    for (int i = 0; i < 8; i++) {
        cidr.base.bytes[i] = (uint8_t)(key->hi >> (56 - 8 * i));
        cidr.base.bytes[8 + i] = (uint8_t)(key->lo >> (56 - 8 * i));
    }
    cidr.bits = list->v6_bits[at];
    return cidr;
}

// How many networks a claim is about; SIZE_MAX: too many, or nobody knows.
static size_t net_count(const struct claim *claim)
{
    const struct lists_set *list = claim->as.list;
    if (claim->kind == CLAIM_IPS) {
        return claim->count <= NETS_MOST ? claim->count : SIZE_MAX;
    }
    if (claim->kind != CLAIM_LIST) {
        return claim->kind == CLAIM_IP || claim->kind == CLAIM_CIDR ? 1 : SIZE_MAX;
    }
    size_t count = list != NULL ? list->v4.levels[0].count + list->v6.levels[0].count : SIZE_MAX;
    return count <= NETS_MOST ? count : SIZE_MAX;
}

static struct cidr net_at(const struct claim *claim, size_t at)
{
    const struct ip *ip = claim->kind == CLAIM_IP    ? claim->as.ip
                          : claim->kind == CLAIM_IPS ? claim->as.values[at].as.ip
                                                     : NULL;
    if (ip != NULL) {
        return (struct cidr){*ip, ip->v4 ? 32 : 128};
    }
    return claim->kind == CLAIM_CIDR ? cidr_network(claim->as.cidr) : list_cidr(claim->as.list, at);
}

// Where nothing is known the claim is taken to hold.
static enum beside beside(const struct claim *claim, const struct cidr *net)
{
    size_t count = net_count(claim);
    if (count == SIZE_MAX) {
        return claim->yes ? BESIDE_HOLDS : BESIDE_APART;
    }
    enum beside is = BESIDE_APART;
    for (size_t i = 0; i < count; i++) {
        struct cidr one = net_at(claim, i);
        if (cidr_within(net, &one)) {
            return BESIDE_HOLDS;
        }
        is = cidr_within(&one, net) ? BESIDE_PART : is;
    }
    return is;
}

static struct cidr half(const struct cidr *net, bool upper)
{
    struct cidr out = {net->base, (uint8_t)(net->bits + 1)};
    unsigned bit = net->bits + (net->base.v4 ? 96U : 0U);
    if (upper) {
        out.base.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    }
    return out;
}

// Does an address of the network satisfy all claims? true too where that takes too long.
static bool some_in(struct nets *n, const struct cidr *net)
{
    bool whole = true;
    for (size_t i = 0; i < n->count; i++) {
        const struct claim *claim = n->claims[i];
        enum beside is = beside(claim, net);
        if (is == (claim->yes ? BESIDE_APART : BESIDE_HOLDS)) {
            return false;
        }
        whole = whole && is != BESIDE_PART;
    }
    if (whole || n->left-- <= 0) {
        return true;
    }
    struct cidr lower = half(net, false), upper = half(net, true);
    return some_in(n, &lower) || some_in(n, &upper);
}

bool claim_nets_agree(const struct claim *const *claims, size_t count)
{
    static const struct cidr ALL[] = {{.base = {.bytes = {[10] = 0xFF, [11] = 0xFF}, .v4 = true}},
                                      {.bits = 0}};
    struct nets nets = {claims, count, HALVES_MOST};
    const struct claim *from = NULL; // the one that leaves the fewest
    for (size_t i = 0; i < count; i++) {
        size_t most = from != NULL ? net_count(from) : SIZE_MAX;
        from = claims[i]->yes && net_count(claims[i]) < most ? claims[i] : from;
    }
    for (size_t i = 0; from == NULL && i < COUNT_OF(ALL); i++) {
        if (some_in(&nets, &ALL[i])) {
            return true;
        }
    }
    for (size_t i = 0; from != NULL && i < net_count(from); i++) {
        struct cidr net = net_at(from, i);
        if (some_in(&nets, &net)) {
            return true;
        }
    }
    return false;
}
