// SPDX-License-Identifier: Apache-2.0
// YAML from a stranger: never a crash, and every place lies inside its source.
#include "conf/conf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool is_plain_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A letter that was not escaped must be found where it stands.
static void check_scalar(const struct conf_node *node)
{
    struct str text = node->place.src->text;
    for (uint32_t at = 0; at < node->text.len && at < 64; at++) {
        struct place place = conf_place(node, at, 1);
        check(place.at >= node->place.at && place.at + place.len <= node->place.at + node->place.len);
        char c = node->text.at[at];
        if (is_plain_byte((unsigned char)c)) {
            check(place.len >= 1 && (text.at[place.at] == c || text.at[place.at] == '\\'));
        }
    }
}

static void check_node(const struct conf_node *node)
{
    check((size_t)node->place.at + node->place.len <= node->place.src->text.len);
    if (node->kind == CONF_SCALAR) {
        check_scalar(node);
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == CONF_MAP) {
            check_node(node->entries[i].key);
            check_node(node->entries[i].value);
        } else {
            check_node(node->items[i]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct source source = {STR("fuzz.yaml"), {(const char *)bytes, len}};
    AUTO(arena_fini) struct arena arena;
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf words = {0};
    arena_init(&arena, 4096, (size_t)64 << 20);
    diags_init(&diags, 20);
    struct conf_doc *docs = NULL;
    size_t count = 0;
    enum pdp_err err = conf_parse(&source, &arena, &diags, &docs, &count);
    check((err == PDP_ERR_OK || err == PDP_ERR_NOMEM) == (diags.errors == 0));
    for (size_t i = 0; i < count; i++) {
        check_node(docs[i].root);
    }
    diags_render(&diags, &words);
    return 0;
}
