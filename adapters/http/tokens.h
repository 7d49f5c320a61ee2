// SPDX-License-Identifier: Apache-2.0
// The file of `tokens`: a line a token, `NAME sha256:HEX`; `#` begins a comment. Names stand alone in here:
// who may do what is for the daemon to say.
#ifndef HTTP_TOKENS_H
#define HTTP_TOKENS_H

#include "common/text.h"

#include <pdp/err.h>

#define TOKENS_MAX 4096
#define TOKENS_NAME_MAX 128
// 128 bits are 22 characters of base64 and 32 of hexadecimal. A shorter token is never right, whatever is
// listed.
#define TOKENS_SHORTEST 22
#define TOKENS_LONGEST 512
#define TOKENS_DIGEST 32

struct token {
    char name[TOKENS_NAME_MAX + 1];
    unsigned char digest[TOKENS_DIGEST];
};

struct tokens {
    struct token *list;
    size_t count;
};

// A name may have several tokens, so that one can be replaced; a token has one name. SYNTAX, DUPLICATE, LIMIT
// with `why`, where *line is the line; NOMEM. *out is empty on failure.
MUST_USE enum pdp_err tokens_parse(struct text file, struct tokens *out, size_t *line, const char **why);
void tokens_fini(struct tokens *tokens);

// Whose token is this? NULL: nobody's. Looks at every entry, equally long, whatever is found.
const struct token *tokens_find(const struct tokens *tokens, struct text token);

// The token in the value of an `Authorization` header: `Bearer TOKEN`. false: there is none.
MUST_USE bool tokens_bearer(struct text value, struct text *token);

#endif
