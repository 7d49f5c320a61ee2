// SPDX-License-Identifier: Apache-2.0
// gRPC over HTTP/2 without the HTTP/2: its words, numbers and small formats.
#ifndef ENVOY_GRPC_H
#define ENVOY_GRPC_H

#include "common/text.h"

#define GRPC_PREFIX_BYTES 5 // compressed or not, and the length, in front of each message
#define GRPC_STATUS_ROOM 16

// Those of gRPC's status codes that are used.
enum grpc_status {
    GRPC_OK = 0,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_NOT_FOUND = 5,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAUTHENTICATED = 16
};

// `application/grpc`, and with `+proto` or parameters behind it.
bool grpc_is_content_type(struct text value);

// `grpc-timeout`: at most eight digits and a unit. Rounded up, so that it is at least 1 ms. false, with *ms
// 0, for what is none.
bool grpc_timeout(struct text value, int64_t *ms);

// The prefix of a message. `bytes` are GRPC_PREFIX_BYTES.
void grpc_prefix_write(unsigned char *bytes, size_t len);
void grpc_prefix_read(const unsigned char *bytes, bool *compressed, size_t *len);

// `grpc-message`: what is not printable ASCII, and `%`, as `%XX`. Cut, never inside an escape, where it would
// not fit with its NUL. Returns the length.
size_t grpc_message(const char *why, char *out, size_t room);

#endif
