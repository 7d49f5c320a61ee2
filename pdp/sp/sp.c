// SPDX-License-Identifier: Apache-2.0
// HOT
#include "sp/sp.h"

#include "base/num.h"

static const unsigned char IPC_MESSAGE = 1;

uint16_t sp_peer_of(uint16_t type)
{
    static const struct {
        uint16_t type, peer;
    } PAIRS[] = {
#define X(name, number, peer) {number, peer},
        SP_TYPE_LIST(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        if (PAIRS[i].type == type) {
            return PAIRS[i].peer;
        }
    }
    return 0;
}

void sp_handshake_write(uint16_t type, unsigned char out[static SP_HANDSHAKE_BYTES])
{
    const unsigned char bytes[SP_HANDSHAKE_BYTES] = {
        0, 'S', 'P', 0, (unsigned char)(type >> 8), (unsigned char)(type & 0xff), 0, 0};
    memcpy(out, bytes, sizeof bytes);
}

enum sp_got sp_handshake_read(struct str bytes, uint16_t expect)
{
    unsigned char want[SP_HANDSHAKE_BYTES];
    sp_handshake_write(expect, want);
    for (size_t i = 0; i < bytes.len && i < sizeof want; i++) {
        if ((unsigned char)bytes.at[i] != want[i]) {
            return i == 4 || i == 5 ? SP_BAD_TYPE : SP_BAD_MAGIC;
        }
    }
    return bytes.len < sizeof want ? SP_MORE : SP_WHOLE;
}

size_t sp_header_bytes(enum sp_transport transport)
{
    return transport == SP_IPC ? 9 : 8;
}

static uint64_t length_read(const unsigned char *at)
{
    uint64_t len = 0;
    for (size_t i = 0; i < 8; i++) {
        len = len << 8 | at[i];
    }
    return len;
}

enum sp_got sp_frame_read(enum sp_transport transport, struct str bytes, size_t body_max,
                          struct sp_frame *out)
{
    *out = (struct sp_frame){0};
    size_t header = sp_header_bytes(transport);
    if (transport == SP_IPC && bytes.len > 0 && (unsigned char)bytes.at[0] != IPC_MESSAGE) {
        return SP_BAD_FRAME;
    }
    if (bytes.len < header) {
        return SP_MORE;
    }
    uint64_t len = length_read((const unsigned char *)bytes.at + header - 8);
    size_t used = 0;
    if (len > body_max || !num_add(header, len, &used)) {
        return SP_TOO_LONG;
    }
    if (bytes.len < used) {
        return SP_MORE;
    }
    *out = (struct sp_frame){.body = {bytes.at + header, (size_t)len}, .used = used};
    return SP_WHOLE;
}

size_t sp_frame_write(enum sp_transport transport, uint64_t body_len, unsigned char out[static SP_HEADER_MAX])
{
    size_t header = sp_header_bytes(transport);
    out[0] = IPC_MESSAGE;
    for (size_t i = 0; i < 8; i++) {
        out[header - 1 - i] = (unsigned char)(body_len >> (8 * i));
    }
    return header;
}

enum sp_got sp_hops_split(struct str body, struct str *hops, struct str *message)
{
    *hops = (struct str){0};
    *message = (struct str){0};
    for (size_t at = 0; body.len - at >= 4; at += 4) {
        if (at == SP_HOPS_BYTES) {
            return SP_TOO_DEEP;
        }
        if (((unsigned char)body.at[at] & 0x80) != 0) {
            *hops = str_sub(body, 0, at + 4);
            *message = str_sub(body, at + 4, body.len);
            return SP_WHOLE;
        }
    }
    return SP_BAD_HOPS;
}

void sp_survey_write(uint32_t number, unsigned char out[static SP_SURVEY_BYTES])
{
    for (size_t i = 0; i < SP_SURVEY_BYTES; i++) {
        out[i] = (unsigned char)(number >> (24 - 8 * i));
    }
    out[0] |= 0x80;
}

uint32_t sp_survey_number(struct str hops)
{
    uint32_t number = 0;
    for (size_t i = hops.len < SP_SURVEY_BYTES ? 0 : hops.len - SP_SURVEY_BYTES; i < hops.len; i++) {
        number = number << 8 | (unsigned char)hops.at[i];
    }
    return number & INT32_MAX;
}
