// SPDX-License-Identifier: Apache-2.0
// `audit:` of the configuration.
#include "daemon/config/config_parts.h"

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

struct syslog_node {
    const struct conf_node *server, *ca, *cert, *key;
};

#define SYSLOG_FIELD(key, member, needed, text)                        \
    {                                                                  \
        .name = #key, .type = CONF_EXPR, .required = (needed),         \
        .offset = offsetof(struct syslog_node, member), .help = (text) \
    }

static const struct conf_field SYSLOG_FIELDS[] = {
    SYSLOG_FIELD(server, server, true, "HOST:PORT of a syslog server that speaks TLS"),
    SYSLOG_FIELD(ca, ca, true, "file with the certificates by which it is believed"),
    SYSLOG_FIELD(cert, cert, false, "our own certificate, where it asks for one"),
    SYSLOG_FIELD(key, key, false, "and its key"),
};

struct audit_node {
    bool enabled;
    const struct conf_node *path, *allow, *syslog;
    struct str name;
    int on_full, detail;
    int64_t rotate_bytes, rotate_age_ms, keep_ms;
};

static const char *const ON_FULL[] = {"deny", "drop", NULL};
static const char *const DETAIL[] = {"full", "brief", NULL};

#define AUDIT_FIELD(key, kind, member, text)                                                   \
    {                                                                                          \
        .name = key, .type = kind, .offset = offsetof(struct audit_node, member), .help = text \
    }

static const struct conf_field AUDIT_FIELDS[] = {
    AUDIT_FIELD("enabled", CONF_BOOL, enabled, "false: no audit log"),
    AUDIT_FIELD("path", CONF_EXPR, path, "its folder; `audit` in the state folder where it is absent"),
    AUDIT_FIELD("name", CONF_TEXT, name, "of a new log, in its checkpoints; drawn where it is absent"),
    {.name = "on_full",
     .type = CONF_CHOICE,
     .offset = offsetof(struct audit_node, on_full),
     .choices = ON_FULL,
     .help = "what to do while records cannot be written: answer `overloaded` (deny), or lose and count them "
             "(drop)"},
    {.name = "detail",
     .type = CONF_CHOICE,
     .offset = offsetof(struct audit_node, detail),
     .choices = DETAIL,
     .help = "brief: without the question and the state before it, by which an answer can be found again"},
    AUDIT_FIELD("allow", CONF_EXPR, allow, "which allows are kept: `all`, or `1 in N`"),
    {.name = "rotate_bytes",
     .type = CONF_INT,
     .offset = offsetof(struct audit_node, rotate_bytes),
     .least = 65536,
     .most = INT64_C(1) << 40,
     .help = "of a segment before the next one begins and it is compressed"},
    {.name = "rotate_age",
     .type = CONF_DURATION,
     .offset = offsetof(struct audit_node, rotate_age_ms),
     .least = 60000,
     .most = INT64_C(3650) * 24 * 3600 * 1000,
     .help = "of a segment"},
    {.name = "keep",
     .type = CONF_DURATION,
     .offset = offsetof(struct audit_node, keep_ms),
     .least = 3600000,
     .most = INT64_C(36500) * 24 * 3600 * 1000,
     .help = "how long records are kept; for ever where it is absent"},
    AUDIT_FIELD("syslog", CONF_MAPPING, syslog, "a server that gets them too"),
};

void config_audit_init(struct config_audit *audit)
{
    *audit = (struct config_audit){.enabled = true, .allow_one_in = 1, .rotate_age_ms = DAY_MS};
}

static const char *copy_path(const struct conf_node *node, struct config *config)
{
    return node != NULL ? arena_printf(&config->arena, STR_FMT "%c", STR_ARG(node->text), '\0').at : NULL;
}

// `all`, or `1 in N`.
static enum pdp_err allow_read(const struct conf_node *node, int64_t *out, struct diags *diags)
{
    static const struct str ONE_IN = {"1 in ", 5};
    if (node == NULL || str_eq(node->text, STR("all"))) {
        return PDP_ERR_OK;
    }
    if (str_starts(node->text, ONE_IN) && str_to_i64(str_sub(node->text, ONE_IN.len, SIZE_MAX), out) &&
        *out >= 1 && *out <= 1000000) {
        return PDP_ERR_OK;
    }
    *out = 1;
    enum pdp_err err = config_no_such(diags, PDP_ERR_SYNTAX, node, "share of allows");
    diag_hint(diags, "write `all`, or `1 in N` such as `1 in 100`");
    return err;
}

static enum pdp_err syslog_read(const struct conf_node *node, struct config *config, struct diags *diags)
{
    struct syslog_node read = {0};
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    TRY(conf_read(node, SYSLOG_FIELDS, COUNT_OF(SYSLOG_FIELDS), "syslog", &read, &config->arena, diags));
    struct str server = read.server->text;
    size_t colon = server.len;
    while (colon > 0 && server.at[colon - 1] != ':') {
        colon--;
    }
    int64_t port = 0;
    if (colon < 2 || !str_to_i64(str_sub(server, colon, SIZE_MAX), &port) || port < 1 || port > 65535) {
        enum pdp_err err = config_no_such(diags, PDP_ERR_SYNTAX, read.server, "address of a server");
        diag_hint(diags, "write `logs.example.com:6514`");
        return err;
    }
    if ((read.cert == NULL) != (read.key == NULL)) {
        return diag_error(diags, PDP_ERR_MISSING, node->place, "`cert` and `key` go together");
    }
    struct config_syslog *syslog = &config->audit.syslog;
    bool bracketed = server.at[0] == '[' && server.at[colon - 2] == ']';
    struct str host = bracketed ? str_sub(server, 1, colon - 3) : str_sub(server, 0, colon - 1);
    syslog->host = arena_printf(&config->arena, STR_FMT "%c", STR_ARG(host), '\0').at;
    syslog->port = (int)port;
    syslog->ca = copy_path(read.ca, config);
    syslog->cert = copy_path(read.cert, config);
    syslog->key = copy_path(read.key, config);
    return PDP_ERR_OK;
}

enum pdp_err config_audit(const struct conf_node *node, struct config *config, struct diags *diags)
{
    struct config_audit *audit = &config->audit;
    struct audit_node read = {.enabled = true, .rotate_age_ms = audit->rotate_age_ms};
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    TRY(conf_read(node, AUDIT_FIELDS, COUNT_OF(AUDIT_FIELDS), "audit", &read, &config->arena, diags));
    audit->enabled = read.enabled;
    audit->path = copy_path(read.path, config);
    audit->name =
        read.name.len > 0 ? arena_printf(&config->arena, STR_FMT "%c", STR_ARG(read.name), '\0').at : NULL;
    audit->drop = read.on_full == 1;
    audit->brief = read.detail == 1;
    audit->rotate_bytes = read.rotate_bytes;
    audit->rotate_age_ms = read.rotate_age_ms;
    audit->keep_ms = read.keep_ms;
    enum pdp_err allow = allow_read(read.allow, &audit->allow_one_in, diags);
    enum pdp_err syslog = syslog_read(read.syslog, config, diags);
    return allow != PDP_ERR_OK ? allow : syslog;
}
