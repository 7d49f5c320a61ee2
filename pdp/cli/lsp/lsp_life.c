// SPDX-License-Identifier: Apache-2.0
// Lifecycle, and what the editor tells of documents.
#include "cli/lsp/lsp_inner.h"

// ---- Lifecycle ----------------------------------------------------------------------------------

static bool has_text(const json_t *list, struct str text)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        found = found || str_eq(lsp_string(json_array_get(list, i)), text);
    }
    return found;
}

static const json_t *below(const json_t *value, const char *first, const char *second, const char *third)
{
    return json_object_get(json_object_get(json_object_get(value, first), second), third);
}

static void add_root(struct lsp *lsp, struct str uri, bool named)
{
    AUTO(buf_fini) struct buf path = {0};
    if (lsp_uri_path(uri, &path)) {
        lsp_space_root(&lsp->space, buf_view(&path), named);
    }
}

// A folder of the settings: a URI, a path, or a path from the first folder of the workspace on.
static void add_named(struct lsp *lsp, struct str folder)
{
    AUTO(buf_fini) struct buf path = {0};
    if (str_starts(folder, STR("file:"))) {
        add_root(lsp, folder, true);
        return;
    }
    if (folder.len > 0 && folder.at[0] != '/' && lsp->space.root_count > 0) {
        buf_str(&path, lsp->space.roots[0]);
        buf_byte(&path, '/');
    }
    buf_str(&path, folder);
    while (path.len > 1 && path.at[path.len - 1] == '/') {
        path.len--;
    }
    if (path.len > 0 && path.at[0] == '/' && !path.failed) {
        lsp_space_root(&lsp->space, buf_view(&path), true);
    }
}

static void read_roots(struct lsp *lsp, const json_t *params)
{
    const json_t *folders = json_object_get(params, "workspaceFolders");
    for (size_t i = 0; i < json_array_size(folders); i++) {
        add_root(lsp, lsp_string(json_object_get(json_array_get(folders, i), "uri")), false);
    }
    if (lsp->space.root_count == 0) {
        add_root(lsp, lsp_string(json_object_get(params, "rootUri")), false);
    }
    if (lsp->space.root_count == 0) {
        lsp_space_root(&lsp->space, lsp_string(json_object_get(params, "rootPath")), false);
    }
    const json_t *named = json_object_get(json_object_get(params, "initializationOptions"), "folders");
    for (size_t i = 0; i < json_array_size(named); i++) {
        add_named(lsp, lsp_string(json_array_get(named, i)));
    }
}

static json_t *capabilities(const struct lsp *lsp)
{
    return json_pack("{s:s,s:{s:b,s:i,s:b},s:{s:[s,s,s,s,s]},s:b,s:b,s:b,s:b,s:b,s:{s:[s]},s:{s:{s:b,s:b}}}",
                     "positionEncoding", lsp->utf8 ? "utf-8" : "utf-16", "textDocumentSync", "openClose", 1,
                     "change", 2, "save", 1, "completionProvider", "triggerCharacters", ".", "\"", "'", ":",
                     "[", "hoverProvider", 1, "definitionProvider", 1, "referencesProvider", 1,
                     "documentSymbolProvider", 1, "documentFormattingProvider", 1, "codeActionProvider",
                     "codeActionKinds", "quickfix", "workspace", "workspaceFolders", "supported", 1,
                     "changeNotifications", 1);
}

json_t *lsp_initialize(struct lsp_ask *ask)
{
    struct lsp *lsp = ask->lsp;
    const json_t *client = json_object_get(ask->params, "capabilities");
    if (lsp->state != LSP_FRESH) {
        ask->error = LSP_INVALID_REQUEST;
        ask->why = "`initialize` was sent already";
        return NULL;
    }
    lsp->state = LSP_READY;
    lsp->utf8 =
        has_text(json_object_get(json_object_get(client, "general"), "positionEncodings"), STR("utf-8"));
    lsp->markdown = has_text(below(client, "textDocument", "hover", "contentFormat"), STR("markdown"));
    lsp->watches = json_is_true(below(client, "workspace", "didChangeWatchedFiles", "dynamicRegistration"));
    read_roots(lsp, ask->params);
    return json_pack("{s:o,s:{s:s,s:s}}", "capabilities", capabilities(lsp), "serverInfo", "name", "pdpctl",
                     "version", PDP_VERSION);
}

void lsp_initialized(struct lsp *lsp, const json_t *params)
{
    (void)params;
    if (!lsp->watches) {
        return;
    }
    lsp_request(lsp, "client/registerCapability",
                json_pack("{s:[{s:s,s:s,s:{s:[{s:s},{s:s}]}}]}", "registrations", "id", "files", "method",
                          "workspace/didChangeWatchedFiles", "registerOptions", "watchers", "globPattern",
                          "**/*.{yaml,yml}", "globPattern", "**/*.txt"));
}

json_t *lsp_shutdown(struct lsp_ask *ask)
{
    ask->lsp->state = LSP_SHUT;
    return NULL;
}

void lsp_exit(struct lsp *lsp, const json_t *params)
{
    (void)params;
    lsp->ended = lsp->state == LSP_SHUT ? 0 : 1;
}

void lsp_ignore(struct lsp *lsp, const json_t *params)
{
    (void)lsp;
    (void)params;
}

// ---- Documents ----------------------------------------------------------------------------------

static struct lsp_file *named(const struct lsp *lsp, const json_t *params)
{
    const json_t *document = json_object_get(params, "textDocument");
    return lsp_space_find(&lsp->space, lsp_string(json_object_get(document, "uri")));
}

static int64_t version_of(const json_t *params)
{
    return (int64_t)json_integer_value(json_object_get(json_object_get(params, "textDocument"), "version"));
}

void lsp_did_open(struct lsp *lsp, const json_t *params)
{
    lsp->changes++;
    const json_t *document = json_object_get(params, "textDocument");
    struct str uri = lsp_string(json_object_get(document, "uri"));
    struct str text = lsp_string(json_object_get(document, "text"));
    if (uri.len == 0 || text.len > LSP_TEXT_MAX ||
        lsp_space_open(&lsp->space, uri, lsp_blob_new(text), version_of(params)) == NULL) {
        lsp_log(lsp, "event=lsp_open_refused bytes=%zu", text.len);
    }
}

// One change of a text: of a range, or of all of it.
static struct lsp_blob *changed(const struct lsp *lsp, const struct lsp_blob *text, const json_t *change)
{
    const json_t *range = json_object_get(change, "range");
    struct str by = lsp_string(json_object_get(change, "text"));
    struct lsp_position from;
    struct lsp_position to;
    if (range == NULL || json_is_null(range)) {
        return by.len <= LSP_TEXT_MAX ? lsp_blob_new(by) : NULL;
    }
    if (!lsp_read_position(json_object_get(range, "start"), &from) ||
        !lsp_read_position(json_object_get(range, "end"), &to)) {
        return NULL;
    }
    struct str whole = lsp_blob_str(text);
    return lsp_blob_edit(text, lsp_offset(whole, from, lsp->utf8), lsp_offset(whole, to, lsp->utf8), by);
}

void lsp_did_change(struct lsp *lsp, const json_t *params)
{
    lsp->changes++;
    struct lsp_file *file = named(lsp, params);
    const json_t *changes = json_object_get(params, "contentChanges");
    if (file == NULL) {
        return;
    }
    AUTO(lsp_blob_drop) struct lsp_blob *text = lsp_blob_hold(file->open);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        struct lsp_blob *next = changed(lsp, text, json_array_get(changes, i));
        if (next == NULL) { // from here on we would not know the text: better to know none
            lsp_log(lsp, "event=lsp_change_refused");
            lsp_space_close(&lsp->space, file);
            return;
        }
        lsp_blob_drop(&text);
        text = next;
    }
    lsp_space_change(&lsp->space, file, STEAL(text), version_of(params));
}

void lsp_did_save(struct lsp *lsp, const json_t *params)
{
    lsp->changes++;
    (void)params;
    lsp_space_stale(&lsp->space);
}

void lsp_did_close(struct lsp *lsp, const json_t *params)
{
    lsp->changes++;
    struct lsp_file *file = named(lsp, params);
    if (file != NULL) {
        lsp_space_close(&lsp->space, file);
    }
}

void lsp_did_watch(struct lsp *lsp, const json_t *params)
{
    lsp->changes++;
    (void)params;
    lsp_space_stale(&lsp->space);
}

void lsp_did_folders(struct lsp *lsp, const json_t *params)
{
    lsp->changes++;
    const json_t *event = json_object_get(params, "event");
    const json_t *removed = json_object_get(event, "removed");
    const json_t *added = json_object_get(event, "added");
    for (size_t i = 0; i < json_array_size(removed); i++) {
        AUTO(buf_fini) struct buf path = {0};
        if (lsp_uri_path(lsp_string(json_object_get(json_array_get(removed, i), "uri")), &path)) {
            lsp_space_unroot(&lsp->space, buf_view(&path));
        }
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        add_root(lsp, lsp_string(json_object_get(json_array_get(added, i), "uri")), false);
    }
    lsp_space_stale(&lsp->space);
}
