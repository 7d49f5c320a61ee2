// SPDX-License-Identifier: Apache-2.0
// The scalability protocols' wire as a pure codec: handshake, frames, and the stack of hops of a request.
#ifndef SP_SP_H
#define SP_SP_H

#include "base/str.h"

#define SP_HANDSHAKE_BYTES 8
#define SP_HEADER_MAX 9 // bytes in front of a message
#define SP_HOPS_MAX 8   // words of a request's stack, its id included (nng's default TTL)
#define SP_HOPS_BYTES (4 * SP_HOPS_MAX)

// How messages are framed: over TCP and TLS a length, over ipc a byte 1 and a length.
enum sp_transport {
    SP_TCP,
    SP_IPC
};

// Protocol numbers of the handshake, and whom each talks to. X(name, number, number of its peer)
#define SP_TYPE_LIST(X)      \
    X(PUB0, 0x20, 0x21)      \
    X(SUB0, 0x21, 0x20)      \
    X(REQ0, 0x30, 0x31)      \
    X(REP0, 0x31, 0x30)      \
    X(SURVEYOR0, 0x62, 0x63) \
    X(RESPONDENT0, 0x63, 0x62)

enum sp_type {
#define X(name, number, peer) SP_##name = number,
    SP_TYPE_LIST(X)
#undef X
};

// What some bytes turned out to be.
enum sp_got {
    SP_MORE, // right so far, not whole yet
    SP_WHOLE,
    SP_BAD_MAGIC, // no SP handshake
    SP_BAD_TYPE,  // a handshake of a protocol that is not our peer's
    SP_BAD_FRAME, // an ipc frame that does not begin with 1
    SP_TOO_LONG,  // a length above the limit
    SP_BAD_HOPS,  // no request id within the message
    SP_TOO_DEEP,  // more than SP_HOPS_MAX words before the request id ends
};

// The number of the protocol that `type` talks to, or 0 where `type` is not in the list.
uint16_t sp_peer_of(uint16_t type);

// The eight bytes that each side sends at once.
void sp_handshake_write(uint16_t type, unsigned char out[static SP_HANDSHAKE_BYTES]);
// Judges what has arrived of the other side's eight; wrong bytes are told as soon as they are there.
// SP_WHOLE, SP_MORE, SP_BAD_MAGIC or SP_BAD_TYPE (the peer's type is not `expect`).
enum sp_got sp_handshake_read(struct str bytes, uint16_t expect);

struct sp_frame {
    struct str body; // within the bytes that were read
    size_t used;     // bytes of header and body
};

// Takes the first frame of `bytes`. A length above body_max is told as soon as its eight bytes are there, and
// no sum is made with it before. *out is zeroed unless SP_WHOLE.
enum sp_got sp_frame_read(enum sp_transport transport, struct str bytes, size_t body_max,
                          struct sp_frame *out);
// Writes a frame's header; returns its bytes.
size_t sp_frame_write(enum sp_transport transport, uint64_t body_len,
                      unsigned char out[static SP_HEADER_MAX]);
size_t sp_header_bytes(enum sp_transport transport);

// Parts a request's body into its stack of words, which the reply must carry as it is, and the message.
// SP_WHOLE, SP_BAD_HOPS or SP_TOO_DEEP.
enum sp_got sp_hops_split(struct str body, struct str *hops, struct str *message);

// The word in front of a survey: its number with the top bit set. A response carries it as the last of its
// hops.
#define SP_SURVEY_BYTES 4
void sp_survey_write(uint32_t number, unsigned char out[static SP_SURVEY_BYTES]);
// The number of the survey that a response with these hops (of sp_hops_split) answers.
uint32_t sp_survey_number(struct str hops);

#endif
