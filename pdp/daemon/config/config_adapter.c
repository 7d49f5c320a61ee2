// SPDX-License-Identifier: Apache-2.0
// `http:`, `spoe:` and `ext_authz:` of the configuration: what pdpd itself reads there, and what it hands on.
#include "daemon/config/config_parts.h"

void config_adapters_init(struct config *config, const struct pdp_adapter_kind *const *kinds)
{
    for (size_t i = 0; kinds != NULL && kinds[i] != NULL && i < CONFIG_ADAPTERS_MAX; i++) {
        struct config_adapter *adapter = &config->adapters[config->adapter_count++];
        *adapter =
            (struct config_adapter){.kind = kinds[i], .name = str_of(kinds[i]->name), .grants = GRANT_ALL};
    }
}

bool config_adapters_listen(const struct config *config)
{
    bool any = false;
    for (size_t i = 0; i < config->adapter_count; i++) {
        any = any || config->adapters[i].listeners.count > 0;
    }
    return any;
}

static struct config_adapter *find(struct config *config, const char *kind)
{
    for (size_t i = 0; i < config->adapter_count; i++) {
        if (strcmp(config->adapters[i].kind->name, kind) == 0) {
            return &config->adapters[i];
        }
    }
    return NULL;
}

enum pdp_err config_adapter_listen(struct config *config, const char *kind, struct str address,
                                   const char **why)
{
    struct config_adapter *adapter = find(config, kind);
    *why = "this pdpd was built without that adapter";
    if (adapter == NULL) {
        return PDP_ERR_UNSUPPORTED;
    }
    *why = "at most 4 addresses of an adapter";
    if (adapter->listeners.count == CONFIG_ADAPTER_LISTENERS_MAX) {
        return PDP_ERR_LIMIT;
    }
    AUTO(buf_fini) struct buf url = {0};
    bool path = str_starts(address, STR("unix:"));
    buf_printf(&url, "%s" STR_FMT, path ? "ipc://" : "tcp://",
               STR_ARG(path ? str_sub(address, 5, address.len) : address));
    enum pdp_err err = config_listen(&adapter->listeners, buf_view(&url), why);
    if (err != PDP_ERR_OK && err != PDP_ERR_LIMIT) {
        *why = "an address is `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/pdp/name.sock`";
    }
    return err;
}

// ---- What is the adapter's ------------------------------------------------------------------------------

static const char *c_text(struct config *config, struct str text)
{
    return arena_printf(&config->arena, STR_FMT "%c", STR_ARG(text), '\0').at;
}

// `client_ca` and `client-ca` are one setting.
static const char *setting_name(struct config *config, struct str text)
{
    char *name = (char *)(uintptr_t)c_text(config, text);
    for (size_t i = 0; name != NULL && name[i] != '\0'; i++) {
        name[i] = name[i] == '_' ? '-' : name[i];
    }
    return name;
}

static enum pdp_err add(struct config *config, struct config_adapter *adapter, const char *name,
                        const struct conf_node *value, struct diags *diags)
{
    if (value->kind != CONF_SCALAR) {
        return diag_error(diags, PDP_ERR_TYPE, value->place, "expected text");
    }
    if (memchr(value->text.at, '\0', value->text.len) != NULL) {
        return diag_error(diags, PDP_ERR_MALFORMED, value->place, "a NUL stands in it");
    }
    if (adapter->setting_count == CONFIG_SETTINGS_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, value->place, "at most %d settings of an adapter",
                          CONFIG_SETTINGS_MAX);
    }
    uint32_t line = 0, col = 0;
    place_line_col(value->place, &line, &col);
    adapter->places[adapter->setting_count] =
        arena_printf(&config->arena, STR_FMT ":%u:%u%c", STR_ARG(value->place.src->name), line, col, '\0').at;
    adapter->settings[adapter->setting_count] = (struct pdp_setting){name, c_text(config, value->text)};
    bool kept = name != NULL && adapter->settings[adapter->setting_count].value != NULL &&
                adapter->places[adapter->setting_count] != NULL;
    adapter->setting_count += kept ? 1 : 0;
    return kept ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static bool is_setting(const struct pdp_adapter_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->setting_count; i++) {
        if (strcmp(kind->settings[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum pdp_err no_setting(const struct config_adapter *adapter, const struct conf_node *key,
                               struct diags *diags)
{
    struct str names[CONFIG_SETTINGS_MAX];
    size_t count = 0;
    while (count < adapter->kind->setting_count && count < CONFIG_SETTINGS_MAX) {
        names[count] = str_of(adapter->kind->settings[count].name);
        count++;
    }
    enum pdp_err err = config_no_such(diags, PDP_ERR_UNKNOWN, key, "setting of this adapter");
    int near = str_nearest(key->text, names, count);
    if (near >= 0) {
        diag_hint(diags, "did you mean `" STR_FMT "`?", STR_ARG(names[near]));
    } else {
        diag_hint(diags, "`listen`, `name`, `grants`, or one of the adapter's own");
    }
    return err;
}

static enum pdp_err setting_take(struct config *config, struct config_adapter *adapter,
                                 const struct conf_entry *entry, struct diags *diags)
{
    const char *name = setting_name(config, entry->key->text);
    if (name == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (!is_setting(adapter->kind, name)) {
        return no_setting(adapter, entry->key, diags);
    }
    if (entry->value->kind != CONF_LIST) {
        return add(config, adapter, name, entry->value, diags);
    }
    enum pdp_err err = PDP_ERR_OK;
    for (size_t i = 0; i < entry->value->count; i++) {
        enum pdp_err one = add(config, adapter, name, entry->value->items[i], diags);
        err = one != PDP_ERR_OK ? one : err;
    }
    return err;
}

// ---- What is pdpd's ---------------------------------------------------------------------------------------

struct adapter_node {
    struct conf_texts listen, grants;
    struct str name;
};

static const struct conf_field ADAPTER_FIELDS[] = {
    {.name = "listen",
     .type = CONF_TEXTS,
     .offset = offsetof(struct adapter_node, listen),
     .help = "127.0.0.1:8080, [::1]:8080 or unix:/path; one or a list"},
    {.name = "name",
     .type = CONF_TEXT,
     .offset = offsetof(struct adapter_node, name),
     .help = "what it is called to policies; `http`, `spoe` or `ext-authz` where it is absent"},
    {.name = "grants",
     .type = CONF_TEXTS,
     .offset = offsetof(struct adapter_node, grants),
     .help = "what it may do, and its gateways at most; all where it is absent"},
};

static bool is_own(struct str key)
{
    for (size_t i = 0; i < COUNT_OF(ADAPTER_FIELDS); i++) {
        if (str_eq(key, str_of(ADAPTER_FIELDS[i].name))) {
            return true;
        }
    }
    return false;
}

// The entries that are pdpd's, as a map of their own.
static enum pdp_err own_read(const struct conf_node *node, struct config *config, struct adapter_node *out,
                             struct diags *diags)
{
    struct conf_entry entries[COUNT_OF(ADAPTER_FIELDS)];
    struct conf_node own = *node;
    own.entries = entries;
    own.count = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (is_own(node->entries[i].key->text) && own.count < COUNT_OF(entries)) {
            entries[own.count++] = node->entries[i];
        }
    }
    return conf_read(&own, ADAPTER_FIELDS, COUNT_OF(ADAPTER_FIELDS), "an adapter", out, &config->arena,
                     diags);
}

static enum pdp_err listen_take(const struct conf_texts *texts, struct config_adapter *adapter,
                                struct config *config, struct diags *diags)
{
    if (adapter->listeners.count > 0) {
        return PDP_ERR_OK; // a flag goes before the file
    }
    for (size_t i = 0; i < texts->count; i++) {
        const char *why = "";
        enum pdp_err err = config_adapter_listen(config, adapter->kind->name, texts->nodes[i]->text, &why);
        if (err != PDP_ERR_OK) {
            return diag_error(diags, err, texts->nodes[i]->place, "%s", why);
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err config_adapter(const struct conf_node *node, const char *kind, struct config *config,
                            struct diags *diags)
{
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    struct config_adapter *adapter = find(config, kind);
    if (adapter == NULL) {
        return diag_error(diags, PDP_ERR_UNSUPPORTED, node->place,
                          "this pdpd was built without that adapter");
    }
    struct adapter_node read = {.name = adapter->name};
    TRY(own_read(node, config, &read, diags));
    adapter->name = read.name;
    if (read.grants.nodes != NULL) {
        TRY(config_grants(&read.grants, &adapter->grants, diags));
    }
    enum pdp_err err = listen_take(&read.listen, adapter, config, diags);
    for (size_t i = 0; i < node->count; i++) {
        if (!is_own(node->entries[i].key->text)) {
            enum pdp_err one = setting_take(config, adapter, &node->entries[i], diags);
            err = one != PDP_ERR_OK ? one : err;
        }
    }
    return err;
}
