// SPDX-License-Identifier: Apache-2.0
// YAML from a stranger, formatted: never a crash; what comes out means the same, has the same comments, and is
// formatted already.
#include "cli/edit/format.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static enum pdp_err format(struct str text, struct buf *out)
{
    const struct source source = {STR("fuzz.yaml"), text};
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 20);
    return format_source(&source, &diags, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(buf_fini) struct buf once = {0};
    AUTO(buf_fini) struct buf twice = {0};
    enum pdp_err err = format((struct str){(const char *)bytes, len}, &once);
    check(err == PDP_ERR_OK || once.len == 0);
    if (err == PDP_ERR_OK) {
        check(format(buf_view(&once), &twice) == PDP_ERR_OK);
        check(str_eq(buf_view(&once), buf_view(&twice)));
    }
    check(getenv("PDP_FMT_STRICT") == NULL || err != PDP_ERR_STATE); // to find what is left alone for our mistakes
    return 0;
}
