// SPDX-License-Identifier: Apache-2.0
// Internet addresses, canonical on entry: an IPv4-mapped IPv6 address is the IPv4 address.
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/buf.h"

struct ip {
    uint8_t bytes[16]; // IPv4 as ::ffff:a.b.c.d
    bool v4;
};

struct cidr {
    struct ip base; // bits below the prefix are zero
    uint8_t bits;   // 0..32 for IPv4, 0..128 for IPv6, as written
};

// Strict: dotted quad without leading zeros, or RFC 4291 text; no zone, no brackets, no port.
bool ip_parse(struct str s, struct ip *out);
// As ip_parse, but false for a mapped address too (`::ffff:1.2.3.4` is judged ambiguous by CEL's ip()).
bool ip_parse_unmapped(struct str s, struct ip *out);
// `a.b.c.d/n`; false too where bits below the prefix are set, unless `mask` says to clear them.
// A mapped prefix of 96 bits or more becomes the IPv4 one; a shorter mapped one is refused.
bool cidr_parse(struct str s, bool mask, struct cidr *out);
bool cidr_holds(const struct cidr *cidr, const struct ip *ip);
bool ip_eq(const struct ip *a, const struct ip *b);
int ip_cmp(const struct ip *a, const struct ip *b); // IPv4 before IPv6, then by bytes
// The address with all but its first `bits` bits cleared (bits as in struct cidr).
struct ip ip_mask(const struct ip *ip, unsigned bits);
// The network that a prefix names: bits behind it cleared, without which cidr_holds holds nothing.
static inline struct cidr cidr_network(const struct cidr *cidr)
{
    return (struct cidr){ip_mask(&cidr->base, cidr->bits), cidr->bits};
}
// RFC 5952 text.
void ip_print(struct buf *out, const struct ip *ip);
void cidr_print(struct buf *out, const struct cidr *cidr);
// Loopback, link-local, RFC 1918, RFC 4193, CGNAT, unspecified: no address of the public Internet.
bool ip_is_private(const struct ip *ip);
// Is any address of the prefix such a one?
bool cidr_meets_private(const struct cidr *cidr);

#endif
