// SPDX-License-Identifier: Apache-2.0
#include "daemon/config/config_parts.h"

struct tls_node {
    const struct conf_node *cert, *key, *ca, *crl;
    int clients;
    struct conf_texts names;
};

#define FIELD(key, kind, member, text)                                                       \
    {                                                                                        \
        .name = key, .type = kind, .offset = offsetof(struct tls_node, member), .help = text \
    }

static const char *const CLIENTS[] = {"required", "optional", "none", NULL};

static const struct conf_field TLS_FIELDS[] = {
    {.name = "cert",
     .type = CONF_EXPR,
     .required = true,
     .offset = offsetof(struct tls_node, cert),
     .help = "our certificate in PEM, with what leads to its CA behind it"},
    {.name = "key",
     .type = CONF_EXPR,
     .required = true,
     .offset = offsetof(struct tls_node, key),
     .help = "its key in PEM, without a pass phrase"},
    FIELD("ca", CONF_EXPR, ca, "certificates in PEM of those who may sign peers"),
    FIELD("crl", CONF_EXPR, crl, "in PEM, of each of these, the list of those that it took back"),
    {.name = "clients",
     .type = CONF_CHOICE,
     .offset = offsetof(struct tls_node, clients),
     .choices = CLIENTS,
     .help = "must peers have a certificate: required, optional, none"},
    FIELD("name", CONF_TEXTS, names,
          "where a peer's name stands: san-dns, san-uri, cn; the first that it has"),
};

static const struct {
    struct str word;
    enum tls_name_kind kind;
} NAMES[] = {
#define X(name, word) {{word, sizeof(word) - 1}, TLS_##name},
    TLS_NAME_LIST(X)
#undef X
};

static enum pdp_err names_take(const struct conf_texts *texts, struct tls_config *out, struct diags *diags)
{
    if (texts->nodes == NULL) {
        out->names[0] = TLS_SAN_DNS;
        out->names[1] = TLS_CN;
        out->name_count = 2;
        return PDP_ERR_OK;
    }
    for (size_t i = 0; i < texts->count; i++) {
        size_t k = 0;
        while (k < COUNT_OF(NAMES) && !str_eq(texts->nodes[i]->text, NAMES[k].word)) {
            k++;
        }
        if (k == COUNT_OF(NAMES)) {
            enum pdp_err err = config_no_such(diags, PDP_ERR_UNKNOWN, texts->nodes[i], "place of a name");
            diag_hint(diags, "san-dns, san-uri, cn");
            return err;
        }
        if (out->name_count == TLS_NAME_KINDS) {
            return diag_error(diags, PDP_ERR_LIMIT, texts->nodes[i]->place,
                              "a name stands in at most 3 places");
        }
        out->names[out->name_count++] = NAMES[k].kind;
    }
    return PDP_ERR_OK;
}

static const char *path_of(struct config *config, const struct conf_node *node)
{
    return node == NULL ? NULL : arena_printf(&config->arena, STR_FMT "%c", STR_ARG(node->text), '\0').at;
}

enum pdp_err config_tls(const struct conf_node *node, struct config *config, const struct tls_config **out,
                        struct diags *diags)
{
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    struct tls_node read = {0};
    TRY(conf_read(node, TLS_FIELDS, COUNT_OF(TLS_FIELDS), "`tls`", &read, &config->arena, diags));
    struct tls_config *tls = ARENA_ARRAY(&config->arena, struct tls_config, 1);
    if (tls == NULL) {
        return PDP_ERR_NOMEM;
    }
    *tls = (struct tls_config){.cert = path_of(config, read.cert),
                               .key = path_of(config, read.key),
                               .ca = path_of(config, read.ca),
                               .crl = path_of(config, read.crl),
                               .clients = (enum tls_clients)read.clients};
    TRY(names_take(&read.names, tls, diags));
    if (tls->clients != TLS_CLIENTS_NONE && tls->ca == NULL) {
        enum pdp_err err = diag_error(diags, PDP_ERR_MISSING, node->place,
                                      "peers show certificates, and no `ca` tells whose are good");
        diag_hint(diags, "name the file of the CA that signs gateways; or say `clients: none`");
        return err;
    }
    if (tls->crl != NULL && tls->ca == NULL) {
        return diag_error(diags, PDP_ERR_RANGE, read.crl->place, "a `crl` needs the `ca` that signed it");
    }
    *out = tls;
    return PDP_ERR_OK;
}

static const char *settle(const struct config *config, struct config_listeners *listeners, bool admin)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listen_spec *spec = &listeners->list[i];
        if (!spec->url.tls) {
            if (spec->tls != NULL) {
                return "`tls` of a listener is for `tls+tcp://` addresses";
            }
            continue;
        }
        spec->tls = spec->tls != NULL ? spec->tls : config->tls;
        if (spec->tls == NULL) {
            return "a `tls+tcp://` listener has no certificate\n"
                   "  hint: `tls: {cert: FILE, key: FILE, ca: FILE}` in the file";
        }
        if (admin && spec->tls->clients != TLS_CLIENTS_REQUIRED && !url_is_loopback(&spec->url)) {
            return "an admin listener that other machines reach needs `clients: required`";
        }
    }
    return NULL;
}

const char *config_tls_wrong(struct config *config)
{
    struct config_listeners *const sides[] = {&config->decide, &config->notices, &config->orders,
                                              &config->admin};
    const char *wrong = NULL;
    for (size_t i = 0; i < COUNT_OF(sides) && wrong == NULL; i++) {
        wrong = settle(config, sides[i], sides[i] == &config->admin);
    }
    return wrong;
}
