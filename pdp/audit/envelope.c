// SPDX-License-Identifier: Apache-2.0
#include "audit/envelope.h"

#include "audit/bytes.h"

enum {
    FORM = 1,
    HEAD_BYTES = 5,
    SEALED_HEAD_BYTES = 1 + ENVELOPE_KEY_ID_BYTES + AEAD_NONCE_BYTES
};

enum pdp_err envelope_put(struct str open, struct str personal, const uint8_t *key,
                          const uint8_t key_id[static ENVELOPE_KEY_ID_BYTES],
                          const uint8_t nonce[static AEAD_NONCE_BYTES], struct buf *out)
{
    size_t before = out->len;
    buf_byte(out, FORM);
    bytes_put_u32(out, (uint32_t)open.len);
    buf_str(out, open);
    buf_byte(out, key != NULL);
    enum pdp_err err = PDP_ERR_OK;
    if (key != NULL) {
        buf_put(out, key_id, ENVELOPE_KEY_ID_BYTES);
        buf_put(out, nonce, AEAD_NONCE_BYTES);
        err = aead_seal(key, nonce, open, personal, out);
    }
    if (err != PDP_ERR_OK || out->failed) {
        out->len = before;
        return err != PDP_ERR_OK ? err : PDP_ERR_NOMEM;
    }
    return PDP_ERR_OK;
}

enum pdp_err envelope_read(struct str record, struct envelope *out)
{
    *out = (struct envelope){0};
    if (record.len < HEAD_BYTES + 1 || record.at[0] != FORM) {
        return PDP_ERR_MALFORMED;
    }
    size_t open_len = bytes_u32(record.at + 1);
    if (open_len > record.len - HEAD_BYTES - 1) {
        return PDP_ERR_MALFORMED;
    }
    struct str rest = str_sub(record, HEAD_BYTES + open_len, SIZE_MAX);
    bool has_sealed = rest.at[0] == 1;
    if (has_sealed ? rest.len < SEALED_HEAD_BYTES + AEAD_TAG_BYTES : rest.len != 1 || rest.at[0] != 0) {
        return PDP_ERR_MALFORMED;
    }
    out->record = record;
    out->open = str_sub(record, HEAD_BYTES, open_len);
    out->has_sealed = has_sealed;
    if (has_sealed) {
        memcpy(out->key_id, rest.at + 1, sizeof out->key_id);
        memcpy(out->nonce, rest.at + 1 + ENVELOPE_KEY_ID_BYTES, sizeof out->nonce);
        out->sealed = str_sub(rest, SEALED_HEAD_BYTES, SIZE_MAX);
    }
    return PDP_ERR_OK;
}

enum pdp_err envelope_unseal(const struct envelope *envelope, const uint8_t key[static AEAD_KEY_BYTES],
                             struct buf *out)
{
    return aead_open(key, envelope->nonce, envelope->open, envelope->sealed, out);
}
