// SPDX-License-Identifier: Apache-2.0
#include "http/tokens.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool name_right(struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];
        if (c <= 0x20 || c >= 0x7f) {
            return false;
        }
    }
    return name.len > 0 && name.len <= TOKENS_NAME_MAX;
}

static bool digest_of(struct text word, unsigned char digest[TOKENS_DIGEST])
{
    static const char KIND[] = "sha256:";
    size_t kind = sizeof KIND - 1;
    if (word.len != kind + (size_t)2 * TOKENS_DIGEST || memcmp(word.at, KIND, kind) != 0) {
        return false;
    }
    for (size_t i = 0; i < TOKENS_DIGEST; i++) {
        int high = hex(word.at[kind + 2 * i]), low = hex(word.at[kind + 2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        digest[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static struct text cut_word(struct text *rest)
{
    *rest = text_trim(*rest);
    size_t len = 0;
    while (len < rest->len && rest->at[len] != ' ' && rest->at[len] != '\t') {
        len++;
    }
    struct text word = {rest->at, len};
    *rest = text_trim((struct text){rest->at + len, rest->len - len});
    return word;
}

static bool listed(const struct tokens *tokens, const unsigned char digest[TOKENS_DIGEST])
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (memcmp(tokens->list[i].digest, digest, TOKENS_DIGEST) == 0) {
            return true;
        }
    }
    return false;
}

static enum pdp_err parse_line(struct text rest, struct tokens *out, const char **why)
{
    struct text name = cut_word(&rest), digest = cut_word(&rest);
    struct token token = {0};
    if (!name_right(name)) {
        *why = "expected a name of 1 to 128 bytes without blanks";
        return PDP_ERR_SYNTAX;
    }
    if (!digest_of(digest, token.digest) || rest.len > 0) {
        *why = "expected `sha256:` and 64 hexadecimal digits behind the name, and nothing else";
        return PDP_ERR_SYNTAX;
    }
    if (out->count == TOKENS_MAX) {
        *why = "more than 4096 tokens";
        return PDP_ERR_LIMIT;
    }
    if (listed(out, token.digest)) {
        *why = "this token is listed twice";
        return PDP_ERR_DUPLICATE;
    }
    memcpy(token.name, name.at, name.len);
    out->list[out->count++] = token;
    return PDP_ERR_OK;
}

enum pdp_err tokens_parse(struct text file, struct tokens *out, size_t *line, const char **why)
{
    *out = (struct tokens){0};
    *line = 0;
    *why = "";
    out->list = calloc(TOKENS_MAX, sizeof *out->list);
    if (out->list == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct text one;
    while (text_cut(&file, '\n', &one)) {
        ++*line;
        if (one.len > 0 && one.at[one.len - 1] == '\r') {
            one.len--;
        }
        one = text_trim(one);
        enum pdp_err err = one.len == 0 || one.at[0] == '#' ? PDP_ERR_OK : parse_line(one, out, why);
        if (err != PDP_ERR_OK) {
            tokens_fini(out);
            return err;
        }
    }
    return PDP_ERR_OK;
}

void tokens_fini(struct tokens *tokens)
{
    free(tokens->list);
    *tokens = (struct tokens){0};
}

static bool shape_right(struct text token)
{
    for (size_t i = 0; i < token.len; i++) {
        unsigned char c = (unsigned char)token.at[i];
        if (c <= 0x20 || c >= 0x7f) {
            return false;
        }
    }
    return token.len >= TOKENS_SHORTEST && token.len <= TOKENS_LONGEST;
}

const struct token *tokens_find(const struct tokens *tokens, struct text token)
{
    unsigned char digest[TOKENS_DIGEST];
    if (!shape_right(token) || gnutls_hash_fast(GNUTLS_DIG_SHA256, token.at, token.len, digest) != 0) {
        return NULL;
    }
    const struct token *found = NULL;
    for (size_t i = 0; i < tokens->count; i++) {
        unsigned differ = 0;
        for (size_t j = 0; j < TOKENS_DIGEST; j++) {
            differ |= (unsigned)(tokens->list[i].digest[j] ^ digest[j]);
        }
        found = differ == 0 ? &tokens->list[i] : found;
    }
    explicit_bzero(digest, sizeof digest);
    return found;
}

bool tokens_bearer(struct text value, struct text *token)
{
    static const char SCHEME[] = "bearer";
    size_t len = sizeof SCHEME - 1;
    *token = (struct text){0};
    if (value.len <= len || strncasecmp(value.at, SCHEME, len) != 0 || value.at[len] != ' ') {
        return false;
    }
    *token = text_trim((struct text){value.at + len, value.len - len});
    return token->len > 0;
}
