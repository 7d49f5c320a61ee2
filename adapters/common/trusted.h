// SPDX-License-Identifier: Apache-2.0
// Which peers are believed: a list of addresses and networks, from the setting `trusted`.
#ifndef COMMON_TRUSTED_H
#define COMMON_TRUSTED_H

#include "common/text.h"

#include <pdp/adapter.h>

struct trusted;

// `10.0.0.0/8`, `2001:db8::7`, or `unix` for peers on a unix socket. Where nothing is said, this machine:
// loopback and unix sockets. SYNTAX with *wrong; NOMEM.
MUST_USE enum pdp_err trusted_new(const struct pdp_adapter_setup *setup, struct trusted **trusted,
                                  struct pdp_adapter_wrong *wrong);
void trusted_free(struct trusted **trusted);

// An address as the system writes it, IPv4 inside of IPv6 too; empty is a unix socket. What is no address is
// not trusted. Any thread.
bool trusted_is(const struct trusted *trusted, const char *peer);

#endif
