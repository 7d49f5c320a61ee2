// SPDX-License-Identifier: Apache-2.0
// What the HTTP adapter takes apart by itself. The first byte tells what the rest is: `t` a file of tokens,
// `b` the value of an Authorization header, `i` an issuer; anything else is the path of a request.
#include "http/metadata.h"
#include "http/route.h"
#include "http/tokens.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool yes)
{
    if (!yes) {
        abort();
    }
}

static void a_file(struct text file)
{
    struct tokens tokens;
    size_t line = 0;
    const char *why = NULL;
    enum pdp_err err = tokens_parse(file, &tokens, &line, &why);
    must(tokens.count <= TOKENS_MAX &&
         (err == PDP_ERR_OK || (tokens.list == NULL && tokens.count == 0 && why[0] != '\0')));
    for (size_t i = 0; i < tokens.count; i++) {
        must(tokens.list[i].name[0] != '\0' && strlen(tokens.list[i].name) <= TOKENS_NAME_MAX);
    }
    must(tokens_find(&tokens, file) == NULL); // nobody guesses a digest
    tokens_fini(&tokens);
}

static void a_header(struct text value)
{
    struct text token;
    bool found = tokens_bearer(value, &token);
    must(found == (token.len > 0) && token.len < (found ? value.len : 1));
}

static void an_issuer(struct text text)
{
    char *issuer = strndup(text.at, text.len);
    must(issuer != NULL && (!metadata_issuer_right(issuer) || strncmp(issuer, "https://", 8) == 0));
    free(issuer);
}

static void a_path(struct text path)
{
    static const struct http_endpoint ENDPOINTS[] = {
        {.path = "/access/v1/evaluation", .tenants = true},
        {.path = "/.well-known/authzen-configuration", .tenant_below = true},
        {.path = "/check", .below = true}};
    for (size_t i = 0; i < COUNT_OF(ENDPOINTS); i++) {
        struct text tenant;
        bool is = route_path_is(&ENDPOINTS[i], path, &tenant);
        must(!is || path.len >= strlen(ENDPOINTS[i].path));
        must(!is || tenant.at == NULL || (tenant.len > 0 && memchr(tenant.at, '/', tenant.len) == NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct {
        char kind;
        void (*try)(struct text text);
    } KINDS[] = {{'t', a_file}, {'b', a_header}, {'i', an_issuer}};
    struct text text = {(const char *)bytes, len};
    for (size_t i = 0; len > 0 && i < COUNT_OF(KINDS); i++) {
        if (text.at[0] == KINDS[i].kind) {
            KINDS[i].try((struct text){text.at + 1, len - 1});
            return 0;
        }
    }
    a_path(text);
    return 0;
}
