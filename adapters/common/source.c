// SPDX-License-Identifier: Apache-2.0
#include "common/source.h"

#include "common/cookie.h"

#include <stdlib.h>

static const struct {
    const char *word;
    enum source_kind kind;
} WORDS[] = {{"cookie:", SOURCE_COOKIE}, {"header:", SOURCE_HEADER}, {"claim:", SOURCE_CLAIM}};

// Cuts the path into its steps, in place.
static enum pdp_err cut_path(struct source *out)
{
    char *to = out->text;
    out->steps[out->step_count++] = to;
    for (const char *from = out->text; *from != '\0'; from++) {
        if (from[0] == '\\' && from[1] != '\0') {
            *to++ = *++from;
        } else if (*from == '.') {
            *to++ = '\0';
            if (out->step_count == SOURCE_STEPS_MOST) {
                return PDP_ERR_SYNTAX;
            }
            out->steps[out->step_count++] = to;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    for (size_t i = 0; i < out->step_count; i++) {
        if (out->steps[i][0] == '\0') {
            return PDP_ERR_SYNTAX;
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err check(struct source *out)
{
    switch (out->kind) {
    case SOURCE_CLAIM:
        return cut_path(out);
    case SOURCE_COOKIE:
    case SOURCE_HEADER: // names of headers are tokens too
        return cookie_named(text_of(out->text)) ? PDP_ERR_OK : PDP_ERR_SYNTAX;
    case SOURCE_FIXED:
        return out->text[0] != '\0' ? PDP_ERR_OK : PDP_ERR_SYNTAX;
    case SOURCE_NONE:
        break;
    }
    return PDP_ERR_SYNTAX;
}

enum pdp_err source_parse(const char *text, unsigned may, struct source *out)
{
    *out = (struct source){.kind = SOURCE_FIXED};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        size_t len = strlen(WORDS[i].word);
        if (strncmp(text, WORDS[i].word, len) == 0) {
            out->kind = WORDS[i].kind;
            text += len;
            break;
        }
    }
    bool allowed = (may & SOURCE_MAY(out->kind)) != 0;
    out->text = allowed ? strdup(text) : NULL;
    enum pdp_err err = !allowed ? PDP_ERR_SYNTAX : out->text == NULL ? PDP_ERR_NOMEM : check(out);
    if (err != PDP_ERR_OK) {
        source_fini(out);
    }
    return err;
}

void source_fini(struct source *source)
{
    free(source->text);
    *source = (struct source){0};
}

const json_t *source_claim(const struct source *source, const json_t *claims)
{
    const json_t *at = source->kind == SOURCE_CLAIM ? claims : NULL;
    for (size_t i = 0; i < source->step_count; i++) {
        at = json_object_get(at, source->steps[i]);
    }
    return json_is_null(at) ? NULL : at;
}
