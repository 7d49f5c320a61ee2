// SPDX-License-Identifier: Apache-2.0
#include "common/identity_setup.h"

#include "common/fetch.h"
#include "common/settings.h"

#include <stdlib.h>

#define REMEMBERED 4096 // tokens
#define SECOND_MS INT64_C(1000)
#define DAY_MS INT64_C(86400000)

// ---- Sources --------------------------------------------------------------------------------------

static enum pdp_err read_source(const struct pdp_adapter_setup *setup, const char *name, unsigned may,
                                const char *otherwise, struct source *out, struct pdp_adapter_wrong *wrong)
{
    const char *said = setting_text(setup, name), *text = said != NULL ? said : otherwise;
    enum pdp_err err = text != NULL ? source_parse(text, may, out) : PDP_ERR_OK;
    if (err == PDP_ERR_SYNTAX) {
        return setting_wrong(setup, name, wrong, err, "`%.100s` is none of%s%s%s%s", text,
                             (may & SOURCE_MAY(SOURCE_FIXED)) != 0 ? " a text," : "",
                             (may & SOURCE_MAY(SOURCE_COOKIE)) != 0 ? " `cookie:NAME`," : "",
                             (may & SOURCE_MAY(SOURCE_HEADER)) != 0 ? " `header:NAME`," : "",
                             (may & SOURCE_MAY(SOURCE_CLAIM)) != 0 ? " `claim:PATH`" : "");
    }
    return err == PDP_ERR_OK ? err : setting_wrong(setup, NULL, wrong, err, "out of memory");
}

// With keys, what tokens usually say is looked for without being told.
static const char *usual(const char *setting, bool tokens)
{
    static const char *const USUAL[][2] = {{"subject", "claim:sub"},
                                           {"auth-time", "claim:auth_time"},
                                           {"acr", "claim:acr"},
                                           {"amr", "claim:amr"},
                                           {"jwt", "header:authorization"}};
    for (size_t i = 0; tokens && i < COUNT_OF(USUAL); i++) {
        if (strcmp(USUAL[i][0], setting) == 0) {
            return USUAL[i][1];
        }
    }
    return NULL;
}

static enum pdp_err read_sources(const struct pdp_adapter_setup *setup, struct identity *out,
                                 struct pdp_adapter_wrong *wrong)
{
    bool tokens = setting_text(setup, "jwks") != NULL;
    const struct {
        const char *setting;
        unsigned may;
        struct source *source;
    } ALL[] = {
#define X(field, setting, may) {setting, may, &out->field},
        IDENTITY_SOURCES(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(ALL); i++) {
        enum pdp_err err = read_source(setup, ALL[i].setting, ALL[i].may, usual(ALL[i].setting, tokens),
                                       ALL[i].source, wrong);
        if (err != PDP_ERR_OK) {
            return err;
        }
        if (!tokens && ALL[i].source->kind == SOURCE_CLAIM) {
            return setting_wrong(setup, ALL[i].setting, wrong, PDP_ERR_MISSING,
                                 "a claim is one of a token: say by `jwks` what tokens are checked by");
        }
    }
    return PDP_ERR_OK;
}

// ---- Tokens ---------------------------------------------------------------------------------------

static size_t count_of(const struct pdp_adapter_setup *setup, const char *name)
{
    size_t at = 0, count = 0;
    while (setting_next(setup, name, &at) != NULL) {
        count++;
    }
    return count;
}

static void free_list(const char ***list)
{
    for (size_t i = 0; *list != NULL && (*list)[i] != NULL; i++) {
        free((void *)(*list)[i]);
    }
    free((void *)*list);
    *list = NULL;
}

// All values of a setting, copied, with a NULL behind. NULL where memory is out.
static const char **list_of(const struct pdp_adapter_setup *setup, const char *name)
{
    size_t at = 0, count = count_of(setup, name);
    const char **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i] = strdup(setting_next(setup, name, &at));
        if (list[i] == NULL) {
            free_list(&list);
        }
    }
    return list;
}

static enum pdp_err read_algorithms(const struct pdp_adapter_setup *setup, unsigned *algs,
                                    struct pdp_adapter_wrong *wrong)
{
    size_t at = 0;
    *algs = 0;
    for (const char *name = setting_next(setup, "jwt-algorithm", &at); name != NULL;
         name = setting_next(setup, "jwt-algorithm", &at)) {
        enum jwk_alg alg = jwk_alg_of(name);
        if (alg == JWK_ALG_COUNT) {
            return setting_wrong(
                setup, "jwt-algorithm", wrong, PDP_ERR_UNKNOWN,
                "`%.40s` is no algorithm that is accepted: expected one of RS256, RS384, RS512, PS256, "
                "PS384, PS512, ES256, ES384, ES512",
                name);
        }
        *algs |= 1U << alg;
    }
    *algs = *algs != 0 ? *algs : JWK_ALGS_DEFAULT;
    return PDP_ERR_OK;
}

static enum pdp_err read_rules(const struct pdp_adapter_setup *setup, struct identity *out,
                               struct pdp_adapter_wrong *wrong)
{
    static const char *const USUAL[] = {"JWT", "at+jwt"};
    const char *issuer = setting_text(setup, "jwt-issuer");
    struct jwt_rules *rules = &out->rules;
    rules->audience_count = count_of(setup, "jwt-audience");
    rules->type_count = count_of(setup, "jwt-type");
    if (issuer == NULL || issuer[0] == '\0') {
        return setting_wrong(setup, "jwks", wrong, PDP_ERR_MISSING,
                             "say by `jwt-issuer` whose tokens these keys check");
    }
    if (rules->audience_count == 0) {
        return setting_wrong(
            setup, "jwks", wrong, PDP_ERR_MISSING,
            "say by `jwt-audience` whom tokens are meant for: one for somebody else is no proof here");
    }
    out->issuer = strdup(issuer);
    out->audiences = list_of(setup, "jwt-audience");
    out->types = list_of(setup, "jwt-type");
    rules->issuer = out->issuer;
    rules->audiences = out->audiences;
    rules->types = rules->type_count > 0 ? out->types : USUAL;
    rules->type_may_lack = rules->type_count == 0;
    rules->type_count = rules->type_count > 0 ? rules->type_count : COUNT_OF(USUAL);
    if (out->issuer == NULL || out->audiences == NULL || out->types == NULL) {
        return setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    return read_algorithms(setup, &rules->algs, wrong);
}

static enum pdp_err open_keys(const struct pdp_adapter_setup *setup, const char *from, struct identity *out,
                              struct pdp_adapter_wrong *wrong)
{
    struct jwks_about about = {.from = from,
                               .ca = setting_text(setup, "jwks-ca"),
                               .refresh_ms = JWKS_REFRESH_MS,
                               .least_ms = JWKS_LEAST_MS,
                               .max_age_ms = JWKS_MAX_AGE_MS,
                               .log = setup->log,
                               .user = setup->user};
    enum pdp_err err = setting_duration(setup, "jwks-refresh", SECOND_MS, DAY_MS, &about.refresh_ms, wrong);
    err = err == PDP_ERR_OK ? setting_duration(setup, "jwks-retry", SECOND_MS, DAY_MS, &about.least_ms, wrong)
                            : err;
    err = err == PDP_ERR_OK
              ? setting_duration(setup, "jwks-max-age", SECOND_MS, 400 * DAY_MS, &about.max_age_ms, wrong)
              : err;
    if (err != PDP_ERR_OK) {
        return err;
    }
    if (about.max_age_ms < about.refresh_ms) {
        return setting_wrong(setup,
                             setting_text(setup, "jwks-max-age") != NULL ? "jwks-max-age" : "jwks-refresh",
                             wrong, PDP_ERR_RANGE,
                             "keys would be too old (`jwks-max-age`) before they are read again "
                             "(`jwks-refresh`): expected the former to be longer");
    }
    char why[PDP_ADAPTER_WHY_MAX] = "";
    if (fetch_is_unsafe(from)) {
        return setting_wrong(setup, "jwks", wrong, PDP_ERR_UNSUPPORTED,
                             "`%.200s` is not fetched: expected a file or an https URL", from);
    }
    err = jwks_open(&about, &out->keys, why, sizeof why);
    return err == PDP_ERR_OK ? err : setting_wrong(setup, "jwks", wrong, err, "%s", why);
}

static enum pdp_err read_tokens(const struct pdp_adapter_setup *setup, struct identity *out,
                                struct pdp_adapter_wrong *wrong)
{
    static const char *const NEEDS_KEYS[] = {"jwt",          "jwks-ca",      "jwks-refresh",  "jwks-retry",
                                             "jwks-max-age", "jwt-audience", "jwt-algorithm", "jwt-type"};
    const char *from = setting_text(setup, "jwks");
    for (size_t i = 0; from == NULL && i < COUNT_OF(NEEDS_KEYS); i++) {
        if (setting_text(setup, NEEDS_KEYS[i]) != NULL) {
            return setting_wrong(setup, NEEDS_KEYS[i], wrong, PDP_ERR_MISSING,
                                 "this is about tokens: say by `jwks` what they are checked by");
        }
    }
    if (from == NULL) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = read_rules(setup, out, wrong);
    err = err == PDP_ERR_OK ? open_keys(setup, from, out, wrong) : err;
    if (err == PDP_ERR_OK && jwt_new(&out->rules, out->keys, REMEMBERED, &out->jwt) != PDP_ERR_OK) {
        err = setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    return err;
}

// ---- All of it ------------------------------------------------------------------------------------

static enum pdp_err read_rest(const struct pdp_adapter_setup *setup, struct identity *out,
                              struct pdp_adapter_wrong *wrong)
{
    static const char *const CHOICES[] = {"ask", "refuse", NULL};
    const char *type = setting_text(setup, "subject-type");
    int anonymous = 0;
    enum pdp_err err = setting_choice(setup, "anonymous", CHOICES, &anonymous, wrong);
    out->refuses_anonymous = anonymous == 1;
    if (err == PDP_ERR_OK && type != NULL && type[0] == '\0') {
        err = setting_wrong(setup, "subject-type", wrong, PDP_ERR_SYNTAX, "expected a type such as `user`");
    }
    out->subject_type = strdup(type != NULL ? type : "user");
    if (err == PDP_ERR_OK && out->subject_type == NULL) {
        err = setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    return err == PDP_ERR_OK ? trusted_new(setup, &out->trusted, wrong) : err;
}

enum pdp_err identity_new(const struct pdp_adapter_setup *setup, struct identity **identity,
                          struct pdp_adapter_wrong *wrong)
{
    *identity = NULL;
    struct identity *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    enum pdp_err err = read_sources(setup, made, wrong);
    err = err == PDP_ERR_OK ? read_rest(setup, made, wrong) : err;
    err = err == PDP_ERR_OK ? read_tokens(setup, made, wrong) : err;
    if (err != PDP_ERR_OK) {
        identity_free(&made);
        return err;
    }
    *identity = made;
    return PDP_ERR_OK;
}

void identity_free(struct identity **identity)
{
    struct identity *it = identity != NULL ? *identity : NULL;
    if (it == NULL) {
        return;
    }
    jwt_free(&it->jwt);
    jwks_close(&it->keys);
    trusted_free(&it->trusted);
#define X(field, setting, may) source_fini(&it->field);
    IDENTITY_SOURCES(X)
#undef X
    free_list(&it->audiences);
    free_list(&it->types);
    free(it->subject_type);
    free(it->issuer);
    free(it);
    *identity = NULL;
}

void identity_reload(struct identity *identity)
{
    if (identity->keys != NULL) {
        jwks_reload(identity->keys);
    }
}

bool identity_trusts(const struct identity *identity, const char *peer)
{
    return trusted_is(identity->trusted, peer);
}

struct jwks *identity_keys(const struct identity *identity)
{
    return identity->keys;
}

const struct jwt_rules *identity_rules(const struct identity *identity)
{
    return identity->keys != NULL ? &identity->rules : NULL;
}
