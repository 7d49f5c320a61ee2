// SPDX-License-Identifier: Apache-2.0
// The file of what is kept besides sessions, from a stranger who can compute digests: never a crash, nothing
// that cannot be, and what is read has no second form.
#include "risk/source.h"
#include "seal/seal.h"
#include "seal/sections.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void look_at_file(struct str input)
{
    struct section sections[SECTIONS_MAX];
    size_t count = 0;
    AUTO(buf_fini) struct buf again = {0};
    if (sections_read(input, sections, &count) == PDP_ERR_OK) {
        check(sections_write(sections, count, &again) == PDP_ERR_OK && str_eq(buf_view(&again), input));
    }
}

// The same with a digest that is right.
static void look_at_body(struct str input)
{
    uint8_t digest[SEAL_BYTES];
    AUTO(buf_fini) struct buf whole = {0};
    check(seal_sha256(input.at, input.len, digest) == PDP_ERR_OK);
    buf_str(&whole, input);
    buf_put(&whole, digest, sizeof digest);
    look_at_file(buf_view(&whole));
}

static void look_at_sources(struct str input)
{
    static struct sources *sources;
    static const struct source_names SOME = {{0x1cb0071, 64500, 3}};
    AUTO(buf_fini) struct buf again = {0}, once = {0};
    check(sources != NULL || source_new((struct hash_key){3, 5}, &sources) == PDP_ERR_OK);
    if (source_load(sources, input) == PDP_ERR_OK) {
        source_save(sources, &once);
        check(source_load(sources, buf_view(&once)) == PDP_ERR_OK);
        source_save(sources, &again);
        check(str_eq(buf_view(&once), buf_view(&again)));
        // Whatever it holds can be asked and told.
        struct source_view view;
        source_add(sources, &SOME, SOURCE_LOGIN_FAILED, 1, INT64_C(1795370000000));
        source_add(sources, &SOME, SOURCE_LOGIN_PASSED, 1, INT64_C(1795370005000));
        source_read(sources, &SOME, INT64_C(1795370010000), &view);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str input = {(const char *)bytes, len};
    look_at_file(input);
    look_at_body(input);
    look_at_sources(input);
    return 0;
}
