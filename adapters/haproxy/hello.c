// SPDX-License-Identifier: Apache-2.0
// Handshake and farewell: what stands in the lists of a HELLO and of a DISCONNECT.
#include "haproxy/spop.h"

enum key {
    KEY_VERSIONS,
    KEY_FRAME_SIZE,
    KEY_CAPABILITIES,
    KEY_HEALTHCHECK,
    KEY_ENGINE_ID,
    KEYS
};

static bool is_number(const struct spop_value *value)
{
    return value->kind >= SPOP_INT32 && value->kind <= SPOP_UINT64;
}

static bool digits(struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

// `2.0, 1.5`: is a 2 among them? Later minor versions understand earlier ones.
static bool speaks_2(struct text versions)
{
    struct text one;
    while (text_cut(&versions, ',', &one)) {
        struct text minor = text_trim(one), major;
        if (text_cut(&minor, '.', &major) && text_eq(major, TEXT("2")) && digits(minor)) {
            return true;
        }
    }
    return false;
}

static bool can(struct text capabilities, struct text what)
{
    struct text one;
    while (text_cut(&capabilities, ',', &one)) {
        if (text_eq(text_trim(one), what)) {
            return true;
        }
    }
    return false;
}

// Where a key stands in the list that HAProxy sends, and what kind its value is.
static const struct {
    const char *name;
    enum spop_kind kind;
} KEY_NAMES[KEYS] = {
    [KEY_VERSIONS] = {"supported-versions", SPOP_STRING}, [KEY_FRAME_SIZE] = {"max-frame-size", SPOP_UINT32},
    [KEY_CAPABILITIES] = {"capabilities", SPOP_STRING},   [KEY_HEALTHCHECK] = {"healthcheck", SPOP_BOOL},
    [KEY_ENGINE_ID] = {"engine-id", SPOP_STRING},
};

static bool right_kind(enum key key, const struct spop_value *value)
{
    return key == KEY_FRAME_SIZE ? is_number(value) : value->kind == KEY_NAMES[key].kind;
}

// One key of the list into its place. A key that is not known is passed over, one that is there twice is not.
static bool take_pair(struct spop_reader *in, struct spop_value values[static KEYS])
{
    struct text name;
    struct spop_value value;
    if (spop_read_text(in, &name) != PDP_ERR_OK || name.len == 0 ||
        spop_read_value(in, &value) != PDP_ERR_OK) {
        return false;
    }
    for (int key = 0; key < KEYS; key++) {
        if (text_eq(name, text_of(KEY_NAMES[key].name))) {
            bool fresh = values[key].kind == SPOP_NULL;
            values[key] = value;
            return fresh && right_kind((enum key)key, &value);
        }
    }
    return true;
}

static enum spop_status judge(const struct spop_value values[static KEYS])
{
    if (values[KEY_VERSIONS].kind == SPOP_NULL) {
        return SPOP_STATUS_NO_VERSION;
    }
    if (values[KEY_FRAME_SIZE].kind == SPOP_NULL) {
        return SPOP_STATUS_NO_FRAME_SIZE;
    }
    if (values[KEY_CAPABILITIES].kind == SPOP_NULL) {
        return SPOP_STATUS_NO_CAPABILITIES;
    }
    if (!speaks_2(values[KEY_VERSIONS].text)) {
        return SPOP_STATUS_BAD_VERSION;
    }
    uint64_t size = values[KEY_FRAME_SIZE].number;
    return size < SPOP_FRAME_SIZE_MIN || size > INT32_MAX ? SPOP_STATUS_BAD_FRAME_SIZE : SPOP_STATUS_NORMAL;
}

enum spop_status spop_read_hello(const struct spop_frame *frame, struct spop_hello *out)
{
    *out = (struct spop_hello){0};
    if (frame->type != SPOP_HAPROXY_HELLO || frame->stream_id != 0 || frame->frame_id != 0) {
        return SPOP_STATUS_INVALID;
    }
    if ((frame->flags & SPOP_FIN) == 0) {
        return SPOP_STATUS_FRAGMENTED;
    }
    struct spop_value values[KEYS] = {0};
    struct spop_reader in = frame->payload;
    while (in.at < in.end) {
        if (!take_pair(&in, values)) {
            return SPOP_STATUS_INVALID;
        }
    }
    enum spop_status status = judge(values);
    if (status == SPOP_STATUS_NORMAL) {
        *out = (struct spop_hello){
            .max_frame_size = (uint32_t)values[KEY_FRAME_SIZE].number,
            .pipelining = can(values[KEY_CAPABILITIES].text, TEXT("pipelining")),
            .async = can(values[KEY_CAPABILITIES].text, TEXT("async")),
            .healthcheck = values[KEY_HEALTHCHECK].yes,
            .engine_id = values[KEY_ENGINE_ID].text,
        };
    }
    return status;
}

enum pdp_err spop_read_disconnect(const struct spop_frame *frame, uint64_t *status, struct text *message)
{
    *status = SPOP_STATUS_UNKNOWN;
    *message = (struct text){0};
    struct spop_reader in = frame->payload;
    bool said = false;
    while (in.at < in.end) {
        struct text name;
        struct spop_value value;
        if (spop_read_text(&in, &name) != PDP_ERR_OK || spop_read_value(&in, &value) != PDP_ERR_OK) {
            return PDP_ERR_MALFORMED;
        }
        if (text_eq(name, TEXT("status-code")) && is_number(&value)) {
            *status = value.number;
            said = true;
        } else if (text_eq(name, TEXT("message")) && value.kind == SPOP_STRING) {
            *message = value.text;
        }
    }
    return said ? PDP_ERR_OK : PDP_ERR_MALFORMED;
}
