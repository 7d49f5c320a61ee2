// SPDX-License-Identifier: Apache-2.0
#include "http/metadata.h"

#include "common/settings.h"
#include "http/obligations.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define URL_MAX 2048

struct metadata {
    char *issuer;
    json_t *capabilities; // NULL: none
    bool obligations;
};

static const struct {
    const char *key, *path;
} ENDPOINTS[] = {
    {"access_evaluation_endpoint", METADATA_EVALUATION},
    {"access_evaluations_endpoint", METADATA_EVALUATIONS},
    {"search_subject_endpoint", METADATA_SUBJECT},
    {"search_resource_endpoint", METADATA_RESOURCE},
    {"search_action_endpoint", METADATA_ACTION},
};

bool metadata_issuer_right(const char *issuer)
{
    static const char HTTPS[] = "https://";
    size_t scheme = sizeof HTTPS - 1, len = strlen(issuer);
    if (len <= scheme || len > 300 || memcmp(issuer, HTTPS, scheme) != 0) {
        return false;
    }
    for (const char *at = issuer + scheme; *at != '\0'; at++) {
        bool alnum = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!alnum && strchr(".-:[]", *at) == NULL) {
            return false;
        }
    }
    return true;
}

static enum pdp_err read_capabilities(const struct pdp_adapter_setup *setup, struct metadata *metadata,
                                      struct pdp_adapter_wrong *wrong)
{
    size_t at = 0;
    for (const char *one = NULL; (one = setting_next(setup, "capability", &at)) != NULL;) {
        if (strncmp(one, "urn:", 4) != 0) {
            return setting_wrong(setup, "capability", wrong, PDP_ERR_SYNTAX,
                                 "a capability is a URN that is registered, `urn:…`, not `%s`", one);
        }
        metadata->capabilities = metadata->capabilities != NULL ? metadata->capabilities : json_array();
        if (json_array_append_new(metadata->capabilities, json_string(one)) != 0) {
            return setting_wrong(setup, "capability", wrong, PDP_ERR_UTF8, "`%s` is not UTF-8", one);
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err metadata_new(const struct pdp_adapter_setup *setup, bool obligations, struct metadata **out,
                          struct pdp_adapter_wrong *wrong)
{
    *out = NULL;
    const char *issuer = setting_text(setup, "issuer");
    if (issuer == NULL) {
        return setting_text(setup, "capability") == NULL
                   ? PDP_ERR_OK
                   : setting_wrong(setup, "capability", wrong, PDP_ERR_MISSING,
                                   "`capability` takes `issuer` as well");
    }
    if (!metadata_issuer_right(issuer)) {
        return setting_wrong(
            setup, "issuer", wrong, PDP_ERR_SYNTAX,
            "`issuer` is `https://host` or `https://host:port` with nothing behind it, not `%s`", issuer);
    }
    struct metadata *metadata = calloc(1, sizeof *metadata);
    if (metadata == NULL) {
        return PDP_ERR_NOMEM;
    }
    metadata->obligations = obligations;
    metadata->issuer = strdup(issuer);
    enum pdp_err err = metadata->issuer != NULL ? read_capabilities(setup, metadata, wrong) : PDP_ERR_NOMEM;
    if (err != PDP_ERR_OK) {
        metadata_free(&metadata);
    }
    *out = metadata;
    return err;
}

void metadata_free(struct metadata **metadata_ptr)
{
    struct metadata *metadata = *metadata_ptr;
    *metadata_ptr = NULL;
    if (metadata != NULL) {
        json_decref(metadata->capabilities);
        free(metadata->issuer);
        free(metadata);
    }
}

static bool put_url(json_t *root, const char *key, const struct metadata *metadata, struct text tenant,
                    const char *path)
{
    char url[URL_MAX];
    int len = snprintf(url, sizeof url, "%s%s%.*s%s", metadata->issuer, tenant.len > 0 ? "/" : "",
                       (int)tenant.len, tenant.len > 0 ? tenant.at : "", path);
    return len > 0 && (size_t)len < sizeof url && json_object_set_new(root, key, json_string(url)) == 0;
}

char *metadata_of(const struct metadata *metadata, struct text tenant, size_t *len)
{
    json_t *root = json_object();
    bool right = put_url(root, "policy_decision_point", metadata, tenant, "");
    for (size_t i = 0; i < COUNT_OF(ENDPOINTS); i++) {
        right = right && put_url(root, ENDPOINTS[i].key, metadata, tenant, ENDPOINTS[i].path);
    }
    if (metadata->capabilities != NULL) {
        right =
            right && json_object_set_new(root, "capabilities", json_deep_copy(metadata->capabilities)) == 0;
    }
    if (metadata->obligations) {
        right = right && json_object_set_new(root, "supported_obligations", obligations_supported()) == 0;
    }
    char *text = right ? json_dumps(root, JSON_COMPACT) : NULL;
    *len = text != NULL ? strlen(text) : 0;
    json_decref(root);
    return text;
}
