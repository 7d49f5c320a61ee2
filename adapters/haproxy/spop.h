// SPDX-License-Identifier: Apache-2.0
// SPOP 2.0, what HAProxy's SPOE speaks with an agent, as a pure codec: numbers, typed data, frames,
// handshake.
//
// What is read is borrowed from the bytes that it was read from, and nothing is allocated: a length that the
// bytes do not bear out is MALFORMED before anything is done with it.
#ifndef HAPROXY_SPOP_H
#define HAPROXY_SPOP_H

#include "common/text.h"

#include <pdp/err.h>

#define SPOP_VARINT_MAX 10      // bytes of the longest number
#define SPOP_LENGTH_BYTES 4     // in front of each frame
#define SPOP_FRAME_LEAST 7      // type, flags, two numbers
#define SPOP_FRAME_SIZE_MIN 256 // no peer may ask for smaller frames

// X(NAME, number, what HAProxy understands by it)
#define SPOP_STATUS_LIST(X)                                     \
    X(NORMAL, 0, "normal")                                      \
    X(IO, 1, "input or output failed")                          \
    X(TIMEOUT, 2, "a timeout occurred")                         \
    X(TOO_BIG, 3, "frame is too big")                           \
    X(INVALID, 4, "invalid frame received")                     \
    X(NO_VERSION, 5, "version value not found")                 \
    X(NO_FRAME_SIZE, 6, "max-frame-size value not found")       \
    X(NO_CAPABILITIES, 7, "capabilities value not found")       \
    X(BAD_VERSION, 8, "unsupported version")                    \
    X(BAD_FRAME_SIZE, 9, "max-frame-size too big or too small") \
    X(FRAGMENTED, 10, "fragmentation is not supported")         \
    X(INTERLACED, 11, "invalid interlaced frames")              \
    X(NO_FRAME, 12, "frame-id not found")                       \
    X(RESOURCE, 13, "out of memory")                            \
    X(UNKNOWN, 99, "an unknown error occurred")

enum spop_status {
#define X(name, number, text) SPOP_STATUS_##name = number,
    SPOP_STATUS_LIST(X)
#undef X
};
// For the `message` of a DISCONNECT and for logs; static, never NULL.
const char *spop_status_text(enum spop_status status);

// X(NAME, number)
#define SPOP_FRAME_LIST(X)   \
    X(UNSET, 0)              \
    X(HAPROXY_HELLO, 1)      \
    X(HAPROXY_DISCONNECT, 2) \
    X(NOTIFY, 3)             \
    X(AGENT_HELLO, 101)      \
    X(AGENT_DISCONNECT, 102) \
    X(ACK, 103)

enum spop_frame_type {
#define X(name, number) SPOP_##name = number,
    SPOP_FRAME_LIST(X)
#undef X
};

#define SPOP_FIN 1u
#define SPOP_ABORT 2u

// Kinds of a value, in the order of their numbers.
enum spop_kind {
    SPOP_NULL,
    SPOP_BOOL,
    SPOP_INT32,
    SPOP_UINT32,
    SPOP_INT64,
    SPOP_UINT64,
    SPOP_IPV4,
    SPOP_IPV6,
    SPOP_STRING,
    SPOP_BINARY,
    SPOP_KINDS
};

struct spop_value {
    enum spop_kind kind;
    bool yes;                  // BOOL
    uint64_t number;           // INT32 … UINT64; signed ones as two's complement of 64 bits
    unsigned char address[16]; // IPV4 (4 bytes) and IPV6, in the order of the network
    struct text text;          // STRING, BINARY
};

// ---- Reading: outputs are zeroed on failure, and the reader stands where it stood -----------------------

struct spop_reader {
    const unsigned char *at, *end;
};

// MALFORMED where the bytes end too early.
MUST_USE enum pdp_err spop_read_byte(struct spop_reader *in, unsigned char *out);
// A number has one form alone, so that there is no longer one to refuse. MALFORMED: no end within
// SPOP_VARINT_MAX bytes, or beyond 64 bits (HAProxy would wrap around).
MUST_USE enum pdp_err spop_read_number(struct spop_reader *in, uint64_t *out);
MUST_USE enum pdp_err spop_read_text(struct spop_reader *in, struct text *out);
// MALFORMED, too, for a kind or a flag that SPOP 2.0 does not know, and a 32-bit number beyond 32 bits.
MUST_USE enum pdp_err spop_read_value(struct spop_reader *in, struct spop_value *out);

struct spop_frame {
    unsigned char type; // of enum spop_frame_type, or one that is not known
    uint32_t flags;
    uint64_t stream_id, frame_id;
    struct spop_reader payload;
};

enum spop_got {
    SPOP_MORE, // right so far, not whole yet
    SPOP_WHOLE,
    SPOP_BAD // *why: TOO_BIG, INVALID
};

// Takes the first frame of `len` bytes; *used is what it took, with its length. One that says to be longer
// than most is told as soon as its length is there. *frame is zeroed and *used 0 unless WHOLE.
enum spop_got spop_read_frame(const unsigned char *bytes, size_t len, uint32_t most, struct spop_frame *frame,
                              size_t *used, enum spop_status *why);

struct spop_hello {
    uint32_t max_frame_size;
    bool pipelining, async, healthcheck;
    struct text engine_id;
};

// What a HAPROXY-HELLO says. NORMAL, or what to end the connection with (*out zeroed): INVALID, FRAGMENTED,
// NO_VERSION, NO_FRAME_SIZE, NO_CAPABILITIES, BAD_VERSION (none of them is a 2.x), BAD_FRAME_SIZE.
MUST_USE enum spop_status spop_read_hello(const struct spop_frame *frame, struct spop_hello *out);
// What a DISCONNECT of either side says. MALFORMED: it says no status.
MUST_USE enum pdp_err spop_read_disconnect(const struct spop_frame *frame, uint64_t *status,
                                           struct text *message);

// ---- Writing: what does not fit is not written, and `full` tells it at the end --------------------------

struct spop_writer {
    unsigned char *at, *end;
    bool full; // sticks: nothing is written afterwards
};

void spop_write_byte(struct spop_writer *out, unsigned char byte);
void spop_write_number(struct spop_writer *out, uint64_t number);
void spop_write_text(struct spop_writer *out, struct text text);
void spop_write_value(struct spop_writer *out, const struct spop_value *value);
// A key of a list with its value.
void spop_write_pair(struct spop_writer *out, const char *name, const struct spop_value *value);

// Returns where the frame begins, for spop_end_frame, which fills its length in.
unsigned char *spop_begin_frame(struct spop_writer *out, enum spop_frame_type type, uint64_t stream_id,
                                uint64_t frame_id);
void spop_end_frame(struct spop_writer *out, unsigned char *begin);

#define SPOP_SMALL_MAX 192 // bytes that a HELLO or DISCONNECT of an agent takes at most

void spop_write_agent_hello(struct spop_writer *out, uint32_t max_frame_size, bool pipelining, bool async);
void spop_write_agent_disconnect(struct spop_writer *out, enum spop_status status);

// X(NAME, number)
#define SPOP_SCOPE_LIST(X) \
    X(PROCESS, 0)          \
    X(SESSION, 1)          \
    X(TRANSACTION, 2)      \
    X(REQUEST, 3)          \
    X(RESPONSE, 4)

enum spop_scope {
#define X(name, number) SPOP_SCOPE_##name = number,
    SPOP_SCOPE_LIST(X)
#undef X
};

// Actions of an ACK.
void spop_write_set(struct spop_writer *out, enum spop_scope scope, const char *name,
                    const struct spop_value *value);
void spop_write_unset(struct spop_writer *out, enum spop_scope scope, const char *name);

#endif
