// SPDX-License-Identifier: Apache-2.0
#include "daemon/config/config_parts.h"
#include "node/roles.h"

struct word {
    struct str name;
    uint32_t bits;
};

static const struct word GRANTS[] = {
    {{"ask", 3}, GRANT_ASK},
    {{"issue", 5}, GRANT_ISSUE},
    {{"signal", 6}, GRANT_SIGNAL},
    {{"assert_auth", 11}, GRANT_ASSERT_AUTH},
    {{"assert_subject", 14}, GRANT_ASSERT_SUBJECT | GRANT_ASSERT_ROLES},
    {{"assert_device", 13}, GRANT_ASSERT_DEVICE},
    {{"relay", 5}, GRANT_RELAY},
};

static const struct word PEER_GRANTS[] = {{{"ask", 3}, GRANT_ASK},
                                          {{"issue", 5}, GRANT_ISSUE},
                                          {{"signal", 6}, GRANT_SIGNAL},
                                          {{"relay", 5}, GRANT_RELAY}};

static const struct word ASSERTS[] = {
    {{"subject", 7}, GRANT_ASSERT_SUBJECT},
    {{"roles", 5}, GRANT_ASSERT_ROLES},
    {{"authentication", 14}, GRANT_ASSERT_AUTH},
    {{"device", 6}, GRANT_ASSERT_DEVICE},
};

static const struct word ROLES[] = {
#define X(name, word, bit, meaning) {{word, sizeof(word) - 1}, ROLE_##name},
    ROLE_LIST(X)
#undef X
};

struct words {
    const struct word *list;
    size_t count;
    const char *what, *hint;
};
#define WORDS(list, what, hint) ((struct words){list, COUNT_OF(list), what, hint})

static enum pdp_err words_read(const struct conf_texts *texts, struct words words, uint32_t *bits,
                               struct diags *diags)
{
    enum pdp_err err = PDP_ERR_OK;
    uint32_t sum = 0;
    for (size_t i = 0; i < texts->count; i++) {
        uint32_t one = 0;
        for (size_t k = 0; k < words.count; k++) {
            one |= str_eq(texts->nodes[i]->text, words.list[k].name) ? words.list[k].bits : 0;
        }
        if (one == 0) {
            err = config_no_such(diags, PDP_ERR_UNKNOWN, texts->nodes[i], words.what);
            diag_hint(diags, "%s", words.hint);
        }
        sum |= one;
    }
    *bits = err == PDP_ERR_OK ? sum : 0;
    return err;
}

enum pdp_err config_grants(const struct conf_texts *texts, uint32_t *bits, struct diags *diags)
{
    return words_read(
        texts,
        WORDS(GRANTS, "grant", "ask, issue, signal, assert_auth, assert_subject, assert_device, relay"), bits,
        diags);
}

enum pdp_err config_roles(const struct conf_texts *texts, uint32_t *bits, struct diags *diags)
{
    return words_read(texts, WORDS(ROLES, "role", "auditor, analyst, architect"), bits, diags);
}

// ---- One peer ----------------------------------------------------------------------------------------

struct peer_node {
    struct str certificate, relay, name;
    const struct conf_node *listener;
    int64_t uid, gid; // -1: not given
    struct conf_texts grants, asserts, tenants, roles;
};

#define FIELD(key, kind, member, text)                                                        \
    {                                                                                         \
        .name = key, .type = kind, .offset = offsetof(struct peer_node, member), .help = text \
    }
#define ID_FIELD(key, member, text)                                                                          \
    {                                                                                                        \
        .name = key, .type = CONF_INT, .offset = offsetof(struct peer_node, member), .most = UINT32_MAX - 1, \
        .help = text                                                                                         \
    }

static const struct conf_field PEER_FIELDS[] = {
    FIELD("certificate", CONF_TEXT, certificate, "the name that its certificate proves; `*.` for one label"),
    ID_FIELD("uid", uid, "of an ipc peer"),
    ID_FIELD("gid", gid, "a group of an ipc peer"),
    FIELD("listener", CONF_EXPR, listener, "the address that it came by, as it is configured"),
    FIELD("relay", CONF_TEXT, relay, "the name under which another peer, or an adapter, asks for it"),
    FIELD("name", CONF_TEXT, name, "what it is called; else as its certificate, listener or origin says"),
    FIELD("grants", CONF_TEXTS, grants, "ask, issue, signal, relay; ask where it is absent"),
    FIELD("may_assert", CONF_TEXTS, asserts, "subject, roles, authentication, device"),
    FIELD("tenants", CONF_TEXTS, tenants, "for which it may speak; all where it is absent"),
    FIELD("roles", CONF_TEXTS, roles, "at the admin endpoint: auditor, analyst, architect"),
};

static enum pdp_err tenants_take(const struct conf_texts *texts, struct config *config,
                                 struct peer_rule *rule)
{
    struct str *tenants = ARENA_ARRAY(&config->arena, struct str, texts->count + 1);
    if (tenants == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < texts->count; i++) {
        tenants[i] = texts->nodes[i]->text;
    }
    rule->tenants = tenants;
    rule->tenant_count = texts->count;
    return PDP_ERR_OK;
}

// A star stands in front, for one whole label, or nowhere.
static bool pattern_right(struct str pattern)
{
    size_t from = str_starts(pattern, STR("*.")) ? 2 : 0;
    return pattern.len > from && str_find_byte(pattern, '*', from) >= pattern.len;
}

static enum pdp_err peer_check(const struct conf_node *node, const struct peer_node *read,
                               struct diags *diags)
{
    bool connects =
        read->certificate.at != NULL || read->uid >= 0 || read->gid >= 0 || read->listener != NULL;
    if (!connects && read->relay.at == NULL) {
        return diag_error(
            diags, PDP_ERR_MISSING, node->place,
            "a peer is known by `certificate`, `uid`, `gid`, `listener` or `relay`, and none is given");
    }
    if (read->relay.at != NULL && (connects || read->name.at != NULL || read->roles.nodes != NULL)) {
        return diag_error(
            diags, PDP_ERR_SYNTAX, conf_get(node, "relay")->place,
            "what another peer asks for is known by `relay` alone, is called so, and has no roles");
    }
    if (read->certificate.at != NULL && !pattern_right(read->certificate)) {
        return diag_error(diags, PDP_ERR_SYNTAX, conf_get(node, "certificate")->place,
                          "a star is written `*.` in front of a name, and stands for one label");
    }
    if (read->name.len > NODE_NAME_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, conf_get(node, "name")->place, "a name is at most 256 bytes");
    }
    if (read->tenants.nodes != NULL && read->tenants.count == 0) {
        return diag_error(diags, PDP_ERR_RANGE, conf_get(node, "tenants")->place,
                          "a peer that may speak for no tenant can do nothing; leave `tenants` out for all");
    }
    return PDP_ERR_OK;
}

static enum pdp_err peer_take(const struct conf_node *node, struct config *config, struct peer_rule *rule,
                              struct diags *diags)
{
    struct peer_node read = {.uid = -1, .gid = -1};
    TRY(conf_read(node, PEER_FIELDS, COUNT_OF(PEER_FIELDS), "a peer", &read, &config->arena, diags));
    TRY(peer_check(node, &read, diags));
    const char *why = "";
    if (read.listener != NULL && url_parse(read.listener->text, &rule->listener, &why) != PDP_ERR_OK) {
        return diag_error(diags, PDP_ERR_SYNTAX, read.listener->place, "%s", why);
    }
    uint32_t grants = GRANT_ASK, asserts = 0;
    if (read.grants.nodes != NULL) {
        TRY(words_read(&read.grants,
                       WORDS(PEER_GRANTS, "grant of a peer",
                             "ask, issue, signal, relay; what it may assert stands in `may_assert`"),
                       &grants, diags));
    }
    TRY(words_read(&read.asserts,
                   WORDS(ASSERTS, "word of `may_assert`", "subject, roles, authentication, device"), &asserts,
                   diags));
    if (read.relay.at != NULL && (grants & GRANT_RELAY) != 0) {
        return diag_error(diags, PDP_ERR_RANGE, conf_get(node, "grants")->place,
                          "what another peer asks for asks for nobody else: `relay` is no grant of it");
    }
    TRY(config_roles(&read.roles, &rule->roles, diags));
    rule->certificate = read.certificate;
    rule->relay = read.relay;
    rule->name = read.name;
    rule->has_listener = read.listener != NULL;
    rule->has_uid = read.uid >= 0;
    rule->has_gid = read.gid >= 0;
    rule->uid = (uint32_t)read.uid;
    rule->gid = (uint32_t)read.gid;
    rule->grants = grants | asserts;
    return tenants_take(&read.tenants, config, rule);
}

enum pdp_err config_peers(const struct conf_node *node, struct config *config, struct diags *diags)
{
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    if (node->count > CONFIG_PEERS_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, node->place, "at most %d peers", CONFIG_PEERS_MAX);
    }
    struct peer_rule *rules = ARENA_ARRAY(&config->arena, struct peer_rule, node->count + 1);
    if (rules == NULL) {
        return PDP_ERR_NOMEM;
    }
    enum pdp_err err = PDP_ERR_OK;
    for (size_t i = 0; i < node->count; i++) {
        rules[i] = (struct peer_rule){0};
        enum pdp_err one = peer_take(node->items[i], config, &rules[i], diags);
        err = one != PDP_ERR_OK ? one : err;
    }
    config->peers = (struct peer_rules){rules, node->count};
    return err;
}
