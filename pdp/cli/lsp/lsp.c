// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    QUEUE_MAX = 10000
};

enum pdp_err lsp_new(const struct lsp_options *options, struct lsp **out)
{
    *out = NULL;
    struct lsp *lsp = calloc(1, sizeof *lsp);
    if (lsp == NULL) {
        return PDP_ERR_NOMEM;
    }
    lsp->options = *options;
    lsp->space.no_disk = options->no_disk;
    lsp->ended = -1;
    arena_init(&lsp->arena, 0, 0);
    *out = lsp;
    return PDP_ERR_OK;
}

void lsp_free(struct lsp **lsp_ptr)
{
    struct lsp *lsp = STEAL(*lsp_ptr);
    if (lsp == NULL) {
        return;
    }
    for (size_t i = 0; i < lsp->queued; i++) {
        json_decref(lsp->queue[i].message);
    }
    free(lsp->queue);
    lsp_space_fini(&lsp->space);
    lsp_frame_fini(&lsp->frame);
    buf_fini(&lsp->out);
    arena_fini(&lsp->arena);
    free(lsp);
}

struct buf *lsp_out(struct lsp *lsp)
{
    return &lsp->out;
}

size_t lsp_waiting(const struct lsp *lsp)
{
    return lsp->queued;
}

uint64_t lsp_changes(const struct lsp *lsp)
{
    return lsp->changes;
}

int lsp_ended(const struct lsp *lsp)
{
    return lsp->ended;
}

void lsp_log(const struct lsp *lsp, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    if (lsp->options.log == NULL) {
        return;
    }
    va_start(args, fmt);
    int len = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    size_t most = sizeof line - 1;
    lsp->options.log(lsp->options.user, (struct str){line, len < 0              ? 0
                                                           : (size_t)len < most ? (size_t)len
                                                                                : most});
}

// ---- JSON ---------------------------------------------------------------------------------------

json_t *lsp_json(struct str text)
{
    if (text.len == 0) {
        return json_string("");
    }
    json_t *out = json_stringn(text.at, text.len);
    if (out == NULL) {
        AUTO(buf_fini) struct buf escaped = {0};
        buf_escaped(&escaped, text);
        out = json_stringn((const char *)escaped.at, escaped.len);
    }
    return out;
}

struct str lsp_string(const json_t *value)
{
    return json_is_string(value) ? (struct str){json_string_value(value), json_string_length(value)}
                                 : (struct str){NULL, 0};
}

static json_t *position_json(struct lsp_position at)
{
    return json_pack("{s:I,s:I}", "line", (json_int_t)at.line, "character", (json_int_t)at.character);
}

json_t *lsp_range(const struct lsp *lsp, struct str text, size_t at, size_t len)
{
    struct lsp_position from = lsp_position(text, at, lsp->utf8);
    struct lsp_position to = lsp_position(text, at + len, lsp->utf8);
    return json_pack("{s:o,s:o}", "start", position_json(from), "end", position_json(to));
}

json_t *lsp_range_in(const struct lsp *lsp, const struct lsp_lines *lines, size_t at, size_t len)
{
    struct lsp_position from = lsp_lines_position(lines, at, lsp->utf8);
    struct lsp_position to = lsp_lines_position(lines, at + len, lsp->utf8);
    return json_pack("{s:o,s:o}", "start", position_json(from), "end", position_json(to));
}

json_t *lsp_location(const struct lsp *lsp, const struct lsp_file *file, size_t at, size_t len)
{
    return json_pack("{s:o,s:o}", "uri", lsp_json(file->uri), "range",
                     lsp_range(lsp, lsp_blob_str(lsp_file_text(file)), at, len));
}

static bool read_number(const json_t *value, uint32_t *out)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    *out = number < 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    return number >= 0;
}

bool lsp_read_position(const json_t *value, struct lsp_position *out)
{
    *out = (struct lsp_position){0, 0};
    return read_number(json_object_get(value, "line"), &out->line) &&
           read_number(json_object_get(value, "character"), &out->character);
}

// ---- Sending ------------------------------------------------------------------------------------

static int put_bytes(const char *at, size_t len, void *user)
{
    buf_put(user, at, len);
    return 0;
}

void lsp_send(struct lsp *lsp, json_t *message)
{
    AUTO(buf_fini) struct buf body = {0};
    if (message != NULL && json_dump_callback(message, put_bytes, &body, JSON_COMPACT) == 0 && !body.failed) {
        lsp_frame_put(&lsp->out, buf_view(&body));
    } else {
        lsp_log(lsp, "event=lsp_lost why=\"out of memory\"");
    }
    json_decref(message);
}

void lsp_notify(struct lsp *lsp, const char *method, json_t *params)
{
    lsp_send(lsp, json_pack("{s:s,s:s,s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

void lsp_request(struct lsp *lsp, const char *method, json_t *params)
{
    lsp_send(lsp, json_pack("{s:s,s:I,s:s,s:o}", "jsonrpc", "2.0", "id", (json_int_t)++lsp->asked, "method",
                            method, "params", params));
}

static void answer_error(struct lsp *lsp, json_t *id, int code, const char *why)
{
    lsp_send(lsp, json_pack("{s:s,s:O?,s:{s:i,s:s}}", "jsonrpc", "2.0", "id", id, "error", "code", code,
                            "message", why));
}

// Where nobody can tell what a message was about.
static void answer_nobody(struct lsp *lsp, int code, const char *why)
{
    lsp_send(lsp, json_pack("{s:s,s:n,s:{s:i,s:s}}", "jsonrpc", "2.0", "id", "error", "code", code, "message",
                            why));
}

// ---- Receiving ----------------------------------------------------------------------------------

// Takes a request back that waits.
static void cancel(struct lsp *lsp, const json_t *message)
{
    const json_t *id = json_object_get(json_object_get(message, "params"), "id");
    for (size_t i = 0; id != NULL && i < lsp->queued; i++) {
        const json_t *own = json_object_get(lsp->queue[i].message, "id");
        if (own != NULL && json_object_get(lsp->queue[i].message, "method") != NULL &&
            json_equal(own, id) != 0) {
            lsp->queue[i].cancelled = true;
        }
    }
}

static void enqueue(struct lsp *lsp, json_t *message)
{
    if (lsp->queued == lsp->queue_cap) {
        size_t cap = lsp->queue_cap == 0 ? 16 : lsp->queue_cap * 2;
        struct lsp_waiting *grown = cap <= 2 * QUEUE_MAX ? realloc(lsp->queue, cap * sizeof *grown) : NULL;
        if (grown == NULL) {
            answer_nobody(lsp, LSP_INTERNAL_ERROR, "too many messages wait");
            json_decref(message);
            return;
        }
        lsp->queue = grown;
        lsp->queue_cap = cap;
    }
    lsp->queue[lsp->queued++] = (struct lsp_waiting){message, false};
}

static void take(struct lsp *lsp, struct str body)
{
    json_error_t why;
    json_t *message = json_loadb(body.at, body.len, 0, &why);
    if (message == NULL) {
        lsp_log(lsp, "event=lsp_malformed why=\"%s\"", why.text);
        answer_nobody(lsp, LSP_PARSE_ERROR, "a message is no JSON");
    } else if (!json_is_object(message)) {
        answer_nobody(lsp, LSP_INVALID_REQUEST, "a message is no JSON object");
        json_decref(message);
    } else if (str_eq(lsp_string(json_object_get(message, "method")), STR("$/cancelRequest"))) {
        cancel(lsp, message);
        json_decref(message);
    } else {
        enqueue(lsp, message);
    }
}

void lsp_feed(struct lsp *lsp, struct str bytes)
{
    lsp_frame_feed(&lsp->frame, bytes);
    while (lsp->ended < 0) {
        struct str body;
        const char *why;
        switch (lsp_frame_next(&lsp->frame, &body, &why)) {
        case LSP_FRAME_MORE:
            return;
        case LSP_FRAME_MESSAGE:
            take(lsp, body);
            break;
        case LSP_FRAME_LONG:
            answer_nobody(lsp, LSP_INVALID_REQUEST, "a message is longer than 32 MiB");
            break;
        case LSP_FRAME_BROKEN:
            answer_nobody(lsp, LSP_PARSE_ERROR, why);
            lsp_log(lsp, "event=lsp_broken why=\"%s\"", why);
            lsp->ended = 1;
            break;
        }
    }
}

// ---- Answering ----------------------------------------------------------------------------------

static const struct lsp_method *method_of(struct str name)
{
    for (size_t i = 0; i < LSP_METHOD_COUNT; i++) {
        if (str_eq(name, str_of(LSP_METHODS[i].name))) {
            return &LSP_METHODS[i];
        }
    }
    return NULL;
}

// What a request is about: its document and the byte at its position.
static bool resolve(struct lsp_ask *ask, const struct lsp_method *method)
{
    struct lsp *lsp = ask->lsp;
    struct str uri = lsp_string(json_object_get(json_object_get(ask->params, "textDocument"), "uri"));
    struct lsp_position position;
    if (!method->document) {
        return true;
    }
    ask->file = lsp_space_find(&lsp->space, uri);
    ask->error = LSP_INVALID_PARAMS;
    if (ask->file == NULL) {
        ask->why = "the document is not open";
        return false;
    }
    ask->text = lsp_blob_str(ask->file->open);
    if (method->position && !lsp_read_position(json_object_get(ask->params, "position"), &position)) {
        ask->why = "`position` is missing";
        return false;
    }
    ask->at = method->position ? lsp_offset(ask->text, position, lsp->utf8) : 0;
    ask->error = 0;
    return true;
}

static void answer_request(struct lsp *lsp, const json_t *message, json_t *id,
                           const struct lsp_method *method)
{
    struct lsp_ask ask = {.lsp = lsp, .params = json_object_get(message, "params"), .arena = &lsp->arena};
    json_t *result = NULL;
    if (lsp->state == LSP_FRESH && method->ask != lsp_initialize) {
        ask.error = LSP_NOT_INITIALIZED;
        ask.why = "`initialize` comes first";
    } else if (lsp->state == LSP_SHUT) {
        ask.error = LSP_INVALID_REQUEST;
        ask.why = "after `shutdown` comes `exit`";
    } else if (resolve(&ask, method)) {
        arena_reset(&lsp->arena);
        result = method->ask(&ask);
    }
    if (ask.error != 0) {
        json_decref(result);
        answer_error(lsp, id, ask.error, ask.why);
        return;
    }
    lsp_send(lsp, json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", id, "result",
                            result != NULL ? result : json_null()));
}

static void answer(struct lsp *lsp, const struct lsp_waiting *waiting)
{
    const json_t *message = waiting->message;
    json_t *id = json_object_get(message, "id");
    struct str name = lsp_string(json_object_get(message, "method"));
    const struct lsp_method *method = method_of(name);
    if (name.at == NULL) { // the answer to a request of ours, or nothing that we know
        bool reply = json_object_get(message, "result") != NULL || json_object_get(message, "error") != NULL;
        if (!reply) {
            answer_nobody(lsp, LSP_INVALID_REQUEST, "a message has no `method`");
        }
        return;
    }
    if (id == NULL) {
        bool may = lsp->state == LSP_READY || (method != NULL && method->tell == lsp_exit);
        if (method != NULL && method->tell != NULL && may) {
            method->tell(lsp, json_object_get(message, "params"));
        }
        return; // notifications before `initialize`, and those that nobody knows, are dropped
    }
    if (waiting->cancelled) {
        answer_error(lsp, id, LSP_CANCELLED, "cancelled");
    } else if (method == NULL || method->ask == NULL) {
        bool fresh = lsp->state == LSP_FRESH;
        answer_error(lsp, id, fresh ? LSP_NOT_INITIALIZED : LSP_METHOD_NOT_FOUND,
                     fresh ? "`initialize` comes first" : "no such method");
    } else {
        answer_request(lsp, message, id, method);
    }
}

void lsp_answer(struct lsp *lsp)
{
    for (size_t i = 0; i < lsp->queued; i++) {
        if (lsp->ended < 0) {
            answer(lsp, &lsp->queue[i]);
        }
        json_decref(lsp->queue[i].message);
    }
    lsp->queued = 0;
}

const struct lsp_method LSP_METHODS[] = {
    {"initialize", lsp_initialize, NULL, false, false},
    {"shutdown", lsp_shutdown, NULL, false, false},
    {"initialized", NULL, lsp_initialized, false, false},
    {"exit", NULL, lsp_exit, false, false},
    {"textDocument/didOpen", NULL, lsp_did_open, false, false},
    {"textDocument/didChange", NULL, lsp_did_change, false, false},
    {"textDocument/didSave", NULL, lsp_did_save, false, false},
    {"textDocument/didClose", NULL, lsp_did_close, false, false},
    {"workspace/didChangeWatchedFiles", NULL, lsp_did_watch, false, false},
    {"workspace/didChangeWorkspaceFolders", NULL, lsp_did_folders, false, false},
    {"textDocument/completion", lsp_completion, NULL, true, true},
    {"textDocument/hover", lsp_hover, NULL, true, true},
    {"textDocument/definition", lsp_definition, NULL, true, true},
    {"textDocument/references", lsp_references, NULL, true, true},
    {"textDocument/documentSymbol", lsp_symbols, NULL, true, false},
    {"textDocument/codeAction", lsp_actions, NULL, true, false},
    {"textDocument/formatting", lsp_formatting, NULL, true, false},
};
const size_t LSP_METHOD_COUNT = COUNT_OF(LSP_METHODS);
