// SPDX-License-Identifier: Apache-2.0
#include "haproxy/spop.h"

static const unsigned char KIND_MASK = 0x0f, FLAGS_MASK = 0xf0, FLAG_TRUE = 0x10;

const char *spop_status_text(enum spop_status status)
{
    static const struct {
        enum spop_status status;
        const char *text;
    } TEXTS[] = {
#define X(name, number, text) {SPOP_STATUS_##name, text},
        SPOP_STATUS_LIST(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        if (TEXTS[i].status == status) {
            return TEXTS[i].text;
        }
    }
    return "an error of its own";
}

static size_t left(const struct spop_reader *in)
{
    return (size_t)(in->end - in->at);
}

enum pdp_err spop_read_byte(struct spop_reader *in, unsigned char *out)
{
    *out = 0;
    if (in->at >= in->end) {
        return PDP_ERR_MALFORMED;
    }
    *out = *in->at++;
    return PDP_ERR_OK;
}

// A number below 240 is one byte. In a longer one, each byte but the last stands for more than all shorter
// forms reach: so there is exactly one form of each number.
enum pdp_err spop_read_number(struct spop_reader *in, uint64_t *out)
{
    *out = 0;
    if (in->at >= in->end) {
        return PDP_ERR_MALFORMED;
    }
    const unsigned char *at = in->at;
    uint64_t number = *at++;
    if (number < 240) {
        in->at = at;
        *out = number;
        return PDP_ERR_OK;
    }
    for (unsigned shift = 4; at < in->end && shift < 64; shift += 7) {
        uint64_t part = *at++;
        uint64_t added = part << shift;
        if (added >> shift != part || number + added < number) {
            return PDP_ERR_MALFORMED;
        }
        number += added;
        if (part < 128) {
            in->at = at;
            *out = number;
            return PDP_ERR_OK;
        }
    }
    return PDP_ERR_MALFORMED;
}

enum pdp_err spop_read_text(struct spop_reader *in, struct text *out)
{
    *out = (struct text){0};
    struct spop_reader probe = *in;
    uint64_t len;
    enum pdp_err err = spop_read_number(&probe, &len);
    if (err != PDP_ERR_OK || len > left(&probe)) {
        return PDP_ERR_MALFORMED;
    }
    *out = (struct text){(const char *)probe.at, (size_t)len};
    in->at = probe.at + len;
    return PDP_ERR_OK;
}

static enum pdp_err read_address(struct spop_reader *in, size_t bytes, struct spop_value *out)
{
    if (left(in) < bytes) {
        return PDP_ERR_MALFORMED;
    }
    memcpy(out->address, in->at, bytes);
    in->at += bytes;
    return PDP_ERR_OK;
}

// A signed number comes as 64 bits, whatever its kind says.
static bool fits_32(const struct spop_value *value)
{
    if (value->kind == SPOP_UINT32) {
        return value->number <= UINT32_MAX;
    }
    return value->kind != SPOP_INT32 || value->number <= INT32_MAX ||
           value->number >= (uint64_t)(int64_t)INT32_MIN;
}

static enum pdp_err read_data(struct spop_reader *in, struct spop_value *out)
{
    switch (out->kind) {
    case SPOP_INT32:
    case SPOP_UINT32:
    case SPOP_INT64:
    case SPOP_UINT64:
        if (spop_read_number(in, &out->number) != PDP_ERR_OK || !fits_32(out)) {
            return PDP_ERR_MALFORMED;
        }
        return PDP_ERR_OK;
    case SPOP_IPV4:
        return read_address(in, 4, out);
    case SPOP_IPV6:
        return read_address(in, 16, out);
    case SPOP_STRING:
    case SPOP_BINARY:
        return spop_read_text(in, &out->text);
    default:
        return PDP_ERR_OK;
    }
}

enum pdp_err spop_read_value(struct spop_reader *in, struct spop_value *out)
{
    *out = (struct spop_value){0};
    struct spop_reader probe = *in;
    struct spop_value value = {0};
    unsigned char head;
    enum pdp_err err = spop_read_byte(&probe, &head);
    unsigned char flags = head & FLAGS_MASK;
    bool known = (head & KIND_MASK) < SPOP_KINDS;
    if (err != PDP_ERR_OK || !known) {
        return PDP_ERR_MALFORMED;
    }
    value.kind = (enum spop_kind)(head & KIND_MASK);
    if (flags != 0 && (value.kind != SPOP_BOOL || flags != FLAG_TRUE)) {
        return PDP_ERR_MALFORMED;
    }
    value.yes = flags == FLAG_TRUE;
    err = read_data(&probe, &value);
    if (err == PDP_ERR_OK) {
        *out = value;
        *in = probe;
    }
    return err;
}

static uint32_t be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool read_head(struct spop_reader in, struct spop_frame *frame)
{
    frame->type = in.at[0];
    frame->flags = be32(in.at + 1);
    in.at += 5;
    if (spop_read_number(&in, &frame->stream_id) != PDP_ERR_OK ||
        spop_read_number(&in, &frame->frame_id) != PDP_ERR_OK) {
        return false;
    }
    frame->payload = in;
    return true;
}

enum spop_got spop_read_frame(const unsigned char *bytes, size_t len, uint32_t most, struct spop_frame *frame,
                              size_t *used, enum spop_status *why)
{
    *frame = (struct spop_frame){0};
    *used = 0;
    *why = SPOP_STATUS_NORMAL;
    if (len < SPOP_LENGTH_BYTES) {
        return SPOP_MORE;
    }
    uint32_t size = be32(bytes);
    if (size > most || size < SPOP_FRAME_LEAST) {
        *why = size > most ? SPOP_STATUS_TOO_BIG : SPOP_STATUS_INVALID;
        return SPOP_BAD;
    }
    if (len - SPOP_LENGTH_BYTES < size) {
        return SPOP_MORE;
    }
    const unsigned char *begin = bytes + SPOP_LENGTH_BYTES;
    struct spop_frame whole = {0};
    if (!read_head((struct spop_reader){begin, begin + size}, &whole)) {
        *why = SPOP_STATUS_INVALID;
        return SPOP_BAD;
    }
    *frame = whole;
    *used = SPOP_LENGTH_BYTES + size;
    return SPOP_WHOLE;
}

// ---- Writing ----------------------------------------------------------------------------------------------

static bool room(struct spop_writer *out, size_t bytes)
{
    out->full = out->full || (size_t)(out->end - out->at) < bytes;
    return !out->full;
}

static void put(struct spop_writer *out, const void *bytes, size_t len)
{
    if (room(out, len) && len > 0) {
        memcpy(out->at, bytes, len);
        out->at += len;
    }
}

void spop_write_byte(struct spop_writer *out, unsigned char byte)
{
    put(out, &byte, 1);
}

void spop_write_number(struct spop_writer *out, uint64_t number)
{
    unsigned char bytes[SPOP_VARINT_MAX];
    size_t len = 0;
    if (number < 240) {
        bytes[len++] = (unsigned char)number;
    } else {
        bytes[len++] = (unsigned char)(number | 0xf0);
        number = (number - 240) >> 4;
        while (number >= 128) {
            bytes[len++] = (unsigned char)(number | 0x80);
            number = (number - 128) >> 7;
        }
        bytes[len++] = (unsigned char)number;
    }
    put(out, bytes, len);
}

void spop_write_text(struct spop_writer *out, struct text text)
{
    spop_write_number(out, text.len);
    put(out, text.at, text.len);
}

void spop_write_value(struct spop_writer *out, const struct spop_value *value)
{
    unsigned head = (unsigned)value->kind | (value->kind == SPOP_BOOL && value->yes ? FLAG_TRUE : 0u);
    spop_write_byte(out, (unsigned char)head);
    switch (value->kind) {
    case SPOP_INT32:
    case SPOP_UINT32:
    case SPOP_INT64:
    case SPOP_UINT64:
        spop_write_number(out, value->number);
        return;
    case SPOP_IPV4:
        put(out, value->address, 4);
        return;
    case SPOP_IPV6:
        put(out, value->address, 16);
        return;
    case SPOP_STRING:
    case SPOP_BINARY:
        spop_write_text(out, value->text);
        return;
    default:
        return;
    }
}

void spop_write_pair(struct spop_writer *out, const char *name, const struct spop_value *value)
{
    spop_write_text(out, text_of(name));
    spop_write_value(out, value);
}

static void put_be32(unsigned char *at, uint32_t number)
{
    at[0] = (unsigned char)(number >> 24);
    at[1] = (unsigned char)(number >> 16);
    at[2] = (unsigned char)(number >> 8);
    at[3] = (unsigned char)number;
}

unsigned char *spop_begin_frame(struct spop_writer *out, enum spop_frame_type type, uint64_t stream_id,
                                uint64_t frame_id)
{
    unsigned char *begin = out->at;
    unsigned char head[SPOP_LENGTH_BYTES + 5] = {0};
    head[SPOP_LENGTH_BYTES] = (unsigned char)type;
    put_be32(head + SPOP_LENGTH_BYTES + 1, SPOP_FIN);
    put(out, head, sizeof head);
    spop_write_number(out, stream_id);
    spop_write_number(out, frame_id);
    return begin;
}

void spop_end_frame(struct spop_writer *out, unsigned char *begin)
{
    if (!out->full) {
        put_be32(begin, (uint32_t)(out->at - begin - SPOP_LENGTH_BYTES));
    }
}

static struct spop_value word(const char *text)
{
    return (struct spop_value){.kind = SPOP_STRING, .text = text_of(text)};
}

void spop_write_agent_hello(struct spop_writer *out, uint32_t max_frame_size, bool pipelining, bool async)
{
    static const char *const CAPABILITIES[] = {"", "pipelining", "async", "pipelining,async"};
    struct spop_value version = word("2.0");
    struct spop_value size = {.kind = SPOP_UINT32, .number = max_frame_size};
    struct spop_value can = word(CAPABILITIES[(pipelining ? 1 : 0) + (async ? 2 : 0)]);
    unsigned char *begin = spop_begin_frame(out, SPOP_AGENT_HELLO, 0, 0);
    spop_write_pair(out, "version", &version);
    spop_write_pair(out, "max-frame-size", &size);
    spop_write_pair(out, "capabilities", &can);
    spop_end_frame(out, begin);
}

void spop_write_agent_disconnect(struct spop_writer *out, enum spop_status status)
{
    struct spop_value code = {.kind = SPOP_UINT32, .number = (uint64_t)status};
    struct spop_value message = word(spop_status_text(status));
    unsigned char *begin = spop_begin_frame(out, SPOP_AGENT_DISCONNECT, 0, 0);
    spop_write_pair(out, "status-code", &code);
    spop_write_pair(out, "message", &message);
    spop_end_frame(out, begin);
}

static void begin_action(struct spop_writer *out, unsigned char action, unsigned char arguments,
                         enum spop_scope scope, const char *name)
{
    spop_write_byte(out, action);
    spop_write_byte(out, arguments);
    spop_write_byte(out, (unsigned char)scope);
    spop_write_text(out, text_of(name));
}

void spop_write_set(struct spop_writer *out, enum spop_scope scope, const char *name,
                    const struct spop_value *value)
{
    begin_action(out, 1, 3, scope, name);
    spop_write_value(out, value);
}

void spop_write_unset(struct spop_writer *out, enum spop_scope scope, const char *name)
{
    begin_action(out, 2, 2, scope, name);
}
