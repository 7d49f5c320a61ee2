// SPDX-License-Identifier: Apache-2.0
#include "cli/test/parsed.h"

static enum pdp_err read_all(const struct snapshot_file *files, struct parsed *out, struct diags *diags)
{
    for (size_t i = 0; i < out->count; i++) {
        struct parsed_file *file = &out->files[i];
        file->source = (struct source){files[i].name, files[i].text};
        TRY(conf_parse(&file->source, &out->arena, diags, &file->docs, &file->count));
    }
    return PDP_ERR_OK;
}

enum pdp_err parsed_read(const struct snapshot_file *files, size_t count, struct parsed *out)
{
    struct diags diags;
    *out = (struct parsed){.count = count};
    arena_init(&out->arena, 0, 0);
    out->files = ARENA_ARRAY(&out->arena, struct parsed_file, count + 1);
    if (out->files == NULL) {
        out->count = 0;
        return PDP_ERR_NOMEM;
    }
    diags_init(&diags, 1); // who compiles the folder has told them
    enum pdp_err err = read_all(files, out, &diags);
    diags_fini(&diags);
    return err;
}

void parsed_fini(struct parsed *parsed)
{
    arena_fini(&parsed->arena);
    *parsed = (struct parsed){0};
}

bool parsed_says(const struct conf_node *map, const char *key, const char *value)
{
    const struct conf_node *node = conf_get(map, key);
    return node != NULL && node->kind == CONF_SCALAR && str_eq(node->text, str_of(value));
}

size_t parsed_items(const struct conf_node *map, const char *key, const struct conf_node *const **items)
{
    const struct conf_node *node = conf_get(map, key);
    *items = node != NULL && node->kind == CONF_LIST ? node->items : NULL;
    return *items != NULL ? node->count : 0;
}
