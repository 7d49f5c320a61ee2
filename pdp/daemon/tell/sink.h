// SPDX-License-Identifier: Apache-2.0
// Records to a syslog server: RFC 5424 messages over TLS, counted as RFC 5425 has it. A thread of its own
// sends them, from a bounded queue.
#ifndef DAEMON_TELL_SINK_H
#define DAEMON_TELL_SINK_H

#include "base/buf.h"
#include "daemon/config/config.h"

struct sink;

// *out NULL, and OK, where none is configured. `why` has at least 300 bytes.
MUST_USE enum pdp_err sink_open(const struct config_syslog *config, struct sink **out, char *why);
void sink_close(struct sink **sink); // what is queued is sent if the server takes it within two seconds
// One record as CBOR; its open part only. Nothing where `sink` is NULL. What finds no room is lost and
// counted.
void sink_push(struct sink *sink, struct str record);
bool sink_full(struct sink *sink);
uint64_t sink_lost(struct sink *sink);

#endif
