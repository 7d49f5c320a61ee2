// SPDX-License-Identifier: Apache-2.0
// `webhook:` of the configuration.
#include "daemon/config/config_parts.h"

static const int64_t TIMEOUT_DEFAULT_MS = 5000, GIVE_UP_DEFAULT_MS = INT64_C(7) * 24 * 3600 * 1000;
static const int64_t QUEUE_DEFAULT = 16384;

struct webhook_node {
    const struct conf_node *url, *key, *token, *ca, *cert, *cert_key;
    struct str issuer, audience, key_id, subject_issuer;
    struct conf_texts events;
    int subject;
    int64_t timeout_ms, give_up_ms, queue;
};

#define FIELD(key, kind, member, needed, text)                                                            \
    {                                                                                                     \
        .name = key, .type = kind, .required = (needed), .offset = offsetof(struct webhook_node, member), \
        .help = (text)                                                                                    \
    }

static const char *const SUBJECTS[] = {"none", "iss_sub", "email", "opaque", NULL}; // enum webhook_subject

static const struct conf_field WEBHOOK_FIELDS[] = {
    FIELD("url", CONF_EXPR, url, true, "where to send: https://…"),
    FIELD("issuer", CONF_TEXT, issuer, true, "who we are: `iss` of every token"),
    FIELD("audience", CONF_TEXT, audience, false, "`aud` of every token; the URL where it is absent"),
    FIELD("key", CONF_EXPR, key, true, "our private key in PEM, which signs: Ed25519, EC P-256 or RSA"),
    FIELD("key_id", CONF_TEXT, key_id, false, "`kid` of every token; made of the key where it is absent"),
    FIELD("token", CONF_EXPR, token, false, "file with a bearer token for the Authorization header"),
    FIELD("ca", CONF_EXPR, ca, false,
          "certificates in PEM by which it is believed; the system's where absent"),
    FIELD("cert", CONF_EXPR, cert, false, "our own certificate, where it asks for one"),
    FIELD("cert_key", CONF_EXPR, cert_key, false, "and its key"),
    FIELD("events", CONF_TEXTS, events, false,
          "what is told: session_ended, cutoff; both where it is absent"),
    {.name = "subject",
     .type = CONF_CHOICE,
     .offset = offsetof(struct webhook_node, subject),
     .choices = SUBJECTS,
     .help = "how a user is named: none, iss_sub, email, opaque"},
    FIELD("subject_issuer", CONF_TEXT, subject_issuer, false, "iss_sub: whose users they are"),
    {.name = "timeout",
     .type = CONF_DURATION,
     .offset = offsetof(struct webhook_node, timeout_ms),
     .least = 100,
     .most = 60000,
     .help = "for an answer"},
    {.name = "give_up",
     .type = CONF_DURATION,
     .offset = offsetof(struct webhook_node, give_up_ms),
     .least = 1000,
     .most = INT64_C(400) * 24 * 3600 * 1000,
     .help = "how long a token is sent again that is refused (4xx)"},
    {.name = "queue",
     .type = CONF_INT,
     .offset = offsetof(struct webhook_node, queue),
     .least = 32,
     .most = 1048576,
     .help = "ends that wait in memory; the others are found again in the table"},
};

static const char *text_of(struct config *config, struct str text)
{
    return text.len > 0 ? arena_printf(&config->arena, STR_FMT "%c", STR_ARG(text), '\0').at : NULL;
}

static const char *path_of(struct config *config, const struct conf_node *node)
{
    return node != NULL ? text_of(config, node->text) : NULL;
}

static enum pdp_err events_take(const struct conf_texts *texts, struct config_webhook *out,
                                struct diags *diags)
{
    out->ends = out->cutoffs = texts->nodes == NULL;
    for (size_t i = 0; i < texts->count; i++) {
        bool end = str_eq(texts->nodes[i]->text, STR("session_ended"));
        bool cutoff = str_eq(texts->nodes[i]->text, STR("cutoff"));
        if (!end && !cutoff) {
            enum pdp_err err = config_no_such(diags, PDP_ERR_UNKNOWN, texts->nodes[i], "event of a webhook");
            diag_hint(diags, "session_ended, cutoff");
            return err;
        }
        out->ends = out->ends || end;
        out->cutoffs = out->cutoffs || cutoff;
    }
    return PDP_ERR_OK;
}

static bool is_https(struct str url)
{
    bool plain = url.len > 8 && url.len <= 2000 && str_starts(url, STR("https://"));
    for (size_t i = 0; i < url.len; i++) {
        plain = plain && url.at[i] > ' ' && url.at[i] < 0x7f;
    }
    return plain;
}

static enum pdp_err check(const struct webhook_node *read, const struct conf_node *node, struct diags *diags)
{
    if (!is_https(read->url->text)) {
        enum pdp_err err = config_no_such(diags, PDP_ERR_SYNTAX, read->url, "address of a webhook");
        diag_hint(diags, "write `https://idp.example/events`");
        return err;
    }
    if ((read->cert == NULL) != (read->cert_key == NULL)) {
        return diag_error(diags, PDP_ERR_MISSING, node->place, "`cert` and `cert_key` go together");
    }
    if ((read->subject == WEBHOOK_ISS_SUB) != (read->subject_issuer.len > 0)) {
        return diag_error(diags, PDP_ERR_MISSING, node->place,
                          "`subject: iss_sub` and `subject_issuer` go together");
    }
    return PDP_ERR_OK;
}

static enum pdp_err webhook_read(const struct conf_node *node, struct config *config, struct diags *diags)
{
    struct webhook_node read = {
        .timeout_ms = TIMEOUT_DEFAULT_MS, .give_up_ms = GIVE_UP_DEFAULT_MS, .queue = QUEUE_DEFAULT};
    if (config->webhook_count == CONFIG_WEBHOOKS_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, node->place, "at most 4 webhooks");
    }
    TRY(conf_read(node, WEBHOOK_FIELDS, COUNT_OF(WEBHOOK_FIELDS), "a webhook", &read, &config->arena, diags));
    TRY(check(&read, node, diags));
    struct config_webhook *webhook = &config->webhooks[config->webhook_count];
    *webhook = (struct config_webhook){.url = path_of(config, read.url),
                                       .issuer = text_of(config, read.issuer),
                                       .key = path_of(config, read.key),
                                       .key_id = text_of(config, read.key_id),
                                       .token = path_of(config, read.token),
                                       .ca = path_of(config, read.ca),
                                       .cert = path_of(config, read.cert),
                                       .cert_key = path_of(config, read.cert_key),
                                       .subject = (enum webhook_subject)read.subject,
                                       .subject_issuer = text_of(config, read.subject_issuer),
                                       .timeout_ms = read.timeout_ms,
                                       .give_up_ms = read.give_up_ms,
                                       .queue = read.queue};
    webhook->audience = read.audience.len > 0 ? text_of(config, read.audience) : webhook->url;
    if (webhook->url == NULL || webhook->issuer == NULL || webhook->key == NULL) {
        return diag_error(diags, PDP_ERR_MISSING, node->place, "a webhook needs `url`, `issuer` and `key`");
    }
    TRY(events_take(&read.events, webhook, diags));
    config->webhook_count++;
    return PDP_ERR_OK;
}

enum pdp_err config_webhooks(const struct conf_node *node, struct config *config, struct diags *diags)
{
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    if (node->kind != CONF_LIST) {
        return webhook_read(node, config, diags);
    }
    enum pdp_err err = PDP_ERR_OK;
    for (size_t i = 0; i < node->count; i++) {
        enum pdp_err one = webhook_read(node->items[i], config, diags);
        err = one != PDP_ERR_OK ? one : err;
    }
    return err;
}
