// SPDX-License-Identifier: Apache-2.0
#include "daemon/config/config_parts.h"

struct administrators_node {
    struct conf_texts subjects, roles, addresses;
};

#define FIELD(key, member, text)                                                                 \
    {                                                                                            \
        .name = key, .type = CONF_TEXTS, .offset = offsetof(struct administrators_node, member), \
        .help = text                                                                             \
    }

static const struct conf_field FIELDS[] = {
    FIELD("subjects", subjects, "ids of subjects, of whatever tenant and type"),
    FIELD("roles", roles, "what their questions say of them"),
    FIELD("addresses", addresses, "where they work: addresses or CIDRs"),
};

static enum pdp_err texts_take(const struct conf_texts *texts, struct config *config, const struct str **list,
                               size_t *count)
{
    struct str *copy = ARENA_ARRAY(&config->arena, struct str, texts->count + 1);
    if (copy == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < texts->count; i++) {
        copy[i] = texts->nodes[i]->text;
    }
    *list = copy;
    *count = texts->count;
    return PDP_ERR_OK;
}

static enum pdp_err addresses_take(const struct conf_texts *texts, struct config *config, struct diags *diags)
{
    struct cidr *list = ARENA_ARRAY(&config->arena, struct cidr, texts->count + 1);
    enum pdp_err err = list != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
    for (size_t i = 0; list != NULL && i < texts->count; i++) {
        if (!config_range(texts->nodes[i]->text, &list[i])) {
            err = config_no_such(diags, PDP_ERR_SYNTAX, texts->nodes[i], "address and no CIDR");
            diag_hint(diags, CONFIG_RANGE_HINT);
        }
    }
    config->administrators.addresses = list;
    config->administrators.address_count = err == PDP_ERR_OK ? texts->count : 0;
    return err;
}

enum pdp_err config_administrators(const struct conf_node *node, struct config *config, struct diags *diags)
{
    struct administrators_node read = {0};
    struct admin_guarded *out = &config->administrators;
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    const enum pdp_err errs[] = {
        // Each mistake is told, whatever came first.
        conf_read(node, FIELDS, COUNT_OF(FIELDS), "administrators", &read, &config->arena, diags),
        texts_take(&read.subjects, config, &out->subjects, &out->subject_count),
        texts_take(&read.roles, config, &out->roles, &out->role_count),
        addresses_take(&read.addresses, config, diags),
    };
    for (size_t i = 0; i < COUNT_OF(errs); i++) {
        TRY(errs[i]);
    }
    return PDP_ERR_OK;
}
