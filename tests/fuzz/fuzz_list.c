// SPDX-License-Identifier: Apache-2.0
// The file of a list from a stranger: never a crash, never a silent refusal, and what was taken holds every
// entry that a plain reading finds, and no address that it does not. The first byte is the kind.
#include "policy/lists.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool next_entry(struct str text, size_t *at, struct str *entry)
{
    while (*at < text.len) {
        size_t end = str_find_byte(text, '\n', *at);
        *entry = str_trim(str_sub(text, *at, end - *at));
        *at = end + 1;
        for (size_t i = 0; i < entry->len; i++) {
            if (entry->at[i] == '#' && (i == 0 || entry->at[i - 1] == ' ' || entry->at[i - 1] == '\t')) {
                *entry = str_trim(str_sub(*entry, 0, i));
            }
        }
        if (entry->len > 0) {
            return true;
        }
    }
    return false;
}

static bool prefix_of(struct str entry, struct cidr *out)
{
    if (!cidr_parse(entry, false, out)) {
        check(ip_parse(entry, &out->base));
        out->bits = out->base.v4 ? 32 : 128;
    }
    return true;
}

// An address out of the input itself: many lie beside a prefix, or in one.
static void ask_address(const struct lists_set *set, struct str text, const uint8_t *bytes)
{
    struct ip ip = {.v4 = (bytes[0] & 1) != 0};
    struct str entry;
    bool held = false;
    memcpy(ip.bytes, bytes, 16);
    if (ip.v4) {
        memset(ip.bytes, 0, 10);
        memset(ip.bytes + 10, 0xFF, 2);
    }
    for (size_t at = 0; next_entry(text, &at, &entry);) {
        struct cidr cidr;
        held = held || (prefix_of(entry, &cidr) && cidr_holds(&cidr, &ip));
    }
    const struct value value = {.kind = VALUE_IP, .as.ip = &ip};
    check(lists_contains(set, &value, 0) == (held ? TRUTH_YES : TRUTH_NO));
}

static void ask_entries(const struct lists_set *set, struct str text)
{
    struct str entry;
    size_t count = 0;
    for (size_t at = 0; next_entry(text, &at, &entry); count++) {
        struct value value = value_str(entry);
        struct cidr cidr;
        if (set->head.kind == CEL_SET_CIDR && prefix_of(entry, &cidr)) {
            value = (struct value){.kind = VALUE_IP, .as.ip = &cidr.base};
        }
        check(lists_contains(set, &value, 0) == TRUTH_YES);
    }
    check(count == set->entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0) {
        return 0;
    }
    const struct source source = {STR("list.txt"), {(const char *)bytes + 1, len - 1}};
    const struct lists_head head = {
        .name = STR("l"), .kind = (enum cel_set_kind)(bytes[0] % 4), .updated_ms = LISTS_UNKNOWN};
    struct lists_set *set = NULL;
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf words = {0};
    diags_init(&diags, 50);
    enum pdp_err err = lists_file_read(&head, &source, (struct hash_key){1, 2}, &diags, &set);
    diags_render(&diags, &words);
    check((err == PDP_ERR_OK) == (set != NULL) && (err == PDP_ERR_OK) == (diags.errors == 0));
    check(diags.errors <= 21);
    if (set != NULL) {
        struct str text =
            str_starts(source.text, STR("\xEF\xBB\xBF")) ? str_sub(source.text, 3, SIZE_MAX) : source.text;
        ask_entries(set, text);
        for (size_t at = 1; set->head.kind == CEL_SET_CIDR && at + 16 <= len && at < 400; at += 5) {
            ask_address(set, text, bytes + at);
        }
    }
    lists_free(&set);
    return 0;
}
