// SPDX-License-Identifier: Apache-2.0
// Which address is the client's: the one that connected, or one that trusted proxies vouch for.
#ifndef MODEL_HOP_H
#define MODEL_HOP_H

#include "base/ip.h"
#include "model/request.h"

#define HOP_MAX 16 // entries of forwarded_for that are walked; a longer chain of own proxies is unsure

// `network.ip` is the address that connected. Unless it lies in `proxies`, it is the client, and
// forwarded_for, which it could have written itself, is ignored. Else forwarded_for is walked from the right:
// the first address that is no trusted proxy is the client; where all are, it is the leftmost; where there is
// none, the proxy itself.
//
// true: *out is the address (IPv4-mapped IPv6 as IPv4). false: not known, *out zeroed; an address on the way
// is missing or no address. *why is a static text either way: which hop was taken, or what is wrong. Hot
// path: no allocation, at most HOP_MAX + 1 addresses and `count` comparisons for each.
MUST_USE bool hop_judge(const struct request *request, const struct cidr *proxies, size_t count,
                        struct ip *out, const char **why);

#endif
