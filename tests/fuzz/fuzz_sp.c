// SPDX-License-Identifier: Apache-2.0
// The framing on any bytes: what is taken lies within them, and a cut never changes what came before it.
#include "sp/sp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const size_t BODY_MAX = 4096;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void frames(enum sp_transport transport, struct str all)
{
    struct sp_frame frame;
    while (sp_frame_read(transport, all, BODY_MAX, &frame) == SP_WHOLE) {
        must(frame.used <= all.len && frame.body.len <= BODY_MAX);
        must(frame.used == frame.body.len + sp_header_bytes(transport));
        struct sp_frame again;
        must(sp_frame_read(transport, str_sub(all, 0, frame.used - 1), BODY_MAX, &again) == SP_MORE);
        struct str hops, message;
        if (sp_hops_split(frame.body, &hops, &message) == SP_WHOLE) {
            must(hops.len % 4 == 0 && hops.len <= SP_HOPS_BYTES && hops.len + message.len == frame.body.len);
        }
        all = str_sub(all, frame.used, all.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str all = {(const char *)bytes, len};
    if (sp_handshake_read(all, SP_REQ0) == SP_WHOLE) {
        all = str_sub(all, SP_HANDSHAKE_BYTES, all.len);
    }
    frames(SP_TCP, all);
    frames(SP_IPC, all);
    return 0;
}
