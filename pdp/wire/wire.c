// SPDX-License-Identifier: Apache-2.0
// HOT
#include "wire/wire.h"

#include "model/fault.h"
#include "wire/cbor.h"
#include "wire/json.h"

enum wire_form wire_form_of(struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.at[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return c == '{' || c == '[' ? WIRE_JSON : WIRE_CBOR;
        }
    }
    return WIRE_CBOR;
}

enum pdp_err wire_decode_most(enum wire_form form, struct str bytes, size_t most, struct arena *arena,
                              struct value *out, struct fault *why)
{
    *out = value_null();
    if (bytes.len > most || bytes.len > UINT32_MAX) {
        return fault_at(why, most, "input is longer than %zu bytes", most);
    }
    return form == WIRE_JSON ? json_decode(bytes, arena, out, why) : cbor_decode(bytes, arena, out, why);
}

enum pdp_err wire_decode(enum wire_form form, struct str bytes, struct arena *arena, struct value *out,
                         struct fault *why)
{
    return wire_decode_most(form, bytes, REQUEST_BYTES_MAX, arena, out, why);
}
