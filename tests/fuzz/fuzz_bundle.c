// SPDX-License-Identifier: Apache-2.0
// A bundle from a stranger: never a crash, and what is read has no second form: written again, entries and
// signatures give the same bytes. The same for the text that remembers which bundle was served.
#include "engine/packed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void write_again(const struct bundle *bundle, struct str bytes)
{
    AUTO(buf_fini) struct buf out = {0};
    struct bundle_fault why;
    struct bundle_entry *entries = calloc((size_t)bundle->entry_count + 1, sizeof *entries);
    size_t count = 0, at = 0;
    check(entries != NULL);
    for (struct bundle_entry entry; bundle_next(bundle, &at, &entry);) {
        check(count < bundle->entry_count && bundle_path_wrong(entry.kind, entry.name) == NULL);
        entries[count++] = entry;
    }
    check(count == bundle->entry_count);
    check(bundle_write(bundle, entries, count, &out, &why) == PDP_ERR_OK);
    free(entries);
    for (size_t i = bundle->signature_count; i > 0; i--) { // whatever the order of signing
        AUTO(buf_fini) struct buf more = {0};
        struct bundle so_far;
        check(bundle_read(buf_view(&out), &so_far, &why) == PDP_ERR_OK);
        check(bundle_put_signature(&so_far, &bundle->signatures[i - 1], &more) == PDP_ERR_OK);
        buf_clear(&out);
        buf_str(&out, buf_view(&more));
    }
    check(str_eq(buf_view(&out), bytes));
}

static void look(const struct bundle *bundle)
{
    // Of tests/unit/seal/sign.c: corpora hold bundles that it signed.
    static const char PUBLIC[] = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA63+z+CHIs/"
                                 "nrSZPs0m7PPAFXdCWq8rF9pxS8iB/6fZI=\n-----END PUBLIC KEY-----\n";
    enum sign_state states[BUNDLE_SIGNATURES_MAX];
    struct sign_key key;
    const char *wrong = NULL;
    check(sign_key_read(str_of(PUBLIC), &key, &wrong) == PDP_ERR_OK);
    check(sign_verify(bundle, &key, 1, states) <= bundle->signature_count);
    struct served served = served_of(bundle), read;
    AUTO(buf_fini) struct buf text = {0};
    check(served_judge(&served, bundle, bundle->expires_s - 1) == SERVED_NONE);
    check(served_write(&served, &text) == PDP_ERR_OK);
    check(served_read(buf_view(&text), &read) == PDP_ERR_OK && read.version == served.version);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str input = {(const char *)bytes, len};
    struct bundle_fault why;
    struct served served;
    AUTO(packed_free) struct packed *packed = NULL;
    enum pdp_err err = packed_new(input, STR("fuzz.bundle"), &packed, &why);
    check((packed != NULL) == (err == PDP_ERR_OK));
    check(why.offset <= len);
    if (packed != NULL) {
        write_again(packed_bundle(packed), input);
        look(packed_bundle(packed));
    }
    if (served_read(input, &served) == PDP_ERR_OK) {
        AUTO(buf_fini) struct buf text = {0};
        check(served_write(&served, &text) == PDP_ERR_OK && str_eq(buf_view(&text), input));
    }
    return 0;
}
