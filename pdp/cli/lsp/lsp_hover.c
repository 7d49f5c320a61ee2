// SPDX-License-Identifier: Apache-2.0
// What is shown of the thing under the cursor.
#include "cli/lsp/lsp_token.h"
#include "cli/lsp/lsp_type.h"

#include "engine/attr_words.h"

static void about_words(const struct attr_words *words, struct buf *out)
{
    buf_printf(out, "%s\n\nfrom: %s\n\nmissing: %s", words->is, words->from, words->missing);
}

static void about_attribute(const struct lsp_token *token, struct buf *out)
{
    buf_printf(out, "**" STR_FMT "**: `%s`\n\n", STR_ARG(token->text), attr_words_type(token->attr->type));
    about_words(attr_words((enum attr_id)token->attr->id), out);
}

static void about_root(const struct lsp_token *token, struct buf *out)
{
    buf_printf(out, "**" STR_FMT "**\n\n", STR_ARG(token->text));
    about_words(attr_words_root(token->text), out);
}

static void about_function(const struct lsp_token *token, struct buf *out)
{
    for (size_t i = 0; i < docs_overloads(token->func); i++) {
        buf_str(out, i > 0 ? STR("  \n`") : STR("`"));
        docs_overload(token->func, i, out);
        buf_byte(out, '`');
    }
    buf_printf(out, "\n\n%s", docs_func(token->func));
}

static void about_macro(const struct lsp_token *token, struct buf *out)
{
    buf_printf(out, "`%s`\n\n%s", token->macro->usage, token->macro->help);
}

static void about_key(const struct lsp_token *token, struct buf *out)
{
    const struct conf_field *field = token->field;
    buf_printf(out, "**%s**%s\n\n%s", field->name, field->required ? " (required)" : "", field->help);
    for (size_t i = 0; field->type == CONF_CHOICE && field->choices[i] != NULL; i++) {
        buf_printf(out, "%s`%s`", i == 0 ? "\n\n" : ", ", field->choices[i]);
    }
}

static void about_named(const struct lsp_token *token, struct buf *out)
{
    lsp_name_about(&token->found, out);
}

static void (*const ABOUT[])(const struct lsp_token *token, struct buf *out) = {
    [LSP_TOKEN_KEY] = about_key,
    [LSP_TOKEN_NAMED] = about_named,
    [LSP_TOKEN_ATTRIBUTE] = about_attribute,
    [LSP_TOKEN_ROOT] = about_root,
    [LSP_TOKEN_FUNCTION] = about_function,
    [LSP_TOKEN_MACRO] = about_macro,
};

json_t *lsp_hover(struct lsp_ask *ask)
{
    struct lsp_token token;
    AUTO(buf_fini) struct buf about = {0};
    lsp_token_at(ask->file, ask->at, ask->arena, &token);
    if (token.kind == LSP_TOKEN_NONE) {
        return NULL;
    }
    ABOUT[token.kind](&token, &about);
    if (token.kind == LSP_TOKEN_NAMED && token.found.name->kind == LSP_VARIABLE) {
        AUTO(buf_fini) struct buf type = {0};
        lsp_variable_type(&token.found, ask->arena, &type);
        buf_str(&about, type.len > 0 ? STR("\n\ntype: `") : STR(""));
        buf_str(&about, buf_view(&type));
        buf_str(&about, type.len > 0 ? STR("`") : STR(""));
    }
    return json_pack("{s:{s:s,s:o},s:o}", "contents", "kind", ask->lsp->markdown ? "markdown" : "plaintext",
                     "value", lsp_json(buf_view(&about)), "range",
                     lsp_range(ask->lsp, ask->text, token.at, token.len));
}
