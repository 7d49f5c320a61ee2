// SPDX-License-Identifier: Apache-2.0
// What the parts of the language server share.
#ifndef CLI_LSP_INNER_H
#define CLI_LSP_INNER_H

#include "cli/lsp/lsp.h"
#include "cli/lsp/lsp_where.h"

#include <jansson.h>

enum lsp_state {
    LSP_FRESH, // before `initialize`
    LSP_READY,
    LSP_SHUT // after `shutdown`
};

enum { // of JSON-RPC and the protocol
    LSP_PARSE_ERROR = -32700,
    LSP_INVALID_REQUEST = -32600,
    LSP_METHOD_NOT_FOUND = -32601,
    LSP_INVALID_PARAMS = -32602,
    LSP_INTERNAL_ERROR = -32603,
    LSP_NOT_INITIALIZED = -32002,
    LSP_CANCELLED = -32800
};

struct lsp_waiting {
    json_t *message; // own
    bool cancelled;
};

struct lsp {
    struct lsp_options options;
    struct lsp_frame frame;
    struct lsp_waiting *queue;
    size_t queued, queue_cap;
    struct buf out;
    enum lsp_state state;
    int ended;
    bool utf8;     // positions count bytes
    bool markdown; // in hovers and documentation
    bool watches;  // the editor tells of files if it is asked to
    int64_t asked; // requests of ours
    struct lsp_space space;
    struct arena arena; // of one message
    bool job_out[LSP_LANES];
    uint64_t changes;
};

// A request: what it asks for, and what is answered.
struct lsp_ask {
    struct lsp *lsp;
    const json_t *params;
    struct lsp_file *file; // NULL where the method names none
    struct str text;       // its text
    size_t at;             // the byte of `position`
    struct arena *arena;
    int error; // 0: none
    const char *why;
};

// A method of the protocol. `ask`: a request; `tell`: a notification.
struct lsp_method {
    const char *name;
    json_t *(*ask)(struct lsp_ask *ask); // NULL with error 0 answers null
    void (*tell)(struct lsp *lsp, const json_t *params);
    bool document, position; // what is read of its parameters; without them it is refused
};
extern const struct lsp_method LSP_METHODS[];
extern const size_t LSP_METHOD_COUNT;

void lsp_log(const struct lsp *lsp, const char *fmt, ...) PRINTF_LIKE(2, 3);
void lsp_send(struct lsp *lsp, json_t *message); // takes it over; NULL: memory was out
void lsp_notify(struct lsp *lsp, const char *method, json_t *params);
void lsp_request(struct lsp *lsp, const char *method, json_t *params);

// JSON of text; what is no UTF-8 is escaped.
json_t *lsp_json(struct str text);
struct str lsp_string(const json_t *value); // empty where it is no text
json_t *lsp_range(const struct lsp *lsp, struct str text, size_t at, size_t len);
json_t *lsp_range_in(const struct lsp *lsp, const struct lsp_lines *lines, size_t at, size_t len);
json_t *lsp_location(const struct lsp *lsp, const struct lsp_file *file, size_t at, size_t len);
bool lsp_read_position(const json_t *value, struct lsp_position *out);

// lsp_life.c: lifecycle, and documents.
json_t *lsp_initialize(struct lsp_ask *ask);
json_t *lsp_shutdown(struct lsp_ask *ask);
void lsp_initialized(struct lsp *lsp, const json_t *params);
void lsp_exit(struct lsp *lsp, const json_t *params);
void lsp_did_open(struct lsp *lsp, const json_t *params);
void lsp_did_change(struct lsp *lsp, const json_t *params);
void lsp_did_save(struct lsp *lsp, const json_t *params);
void lsp_did_close(struct lsp *lsp, const json_t *params);
void lsp_did_watch(struct lsp *lsp, const json_t *params);
void lsp_did_folders(struct lsp *lsp, const json_t *params);
void lsp_ignore(struct lsp *lsp, const json_t *params);

json_t *lsp_completion(struct lsp_ask *ask);
json_t *lsp_hover(struct lsp_ask *ask);
json_t *lsp_definition(struct lsp_ask *ask);
json_t *lsp_references(struct lsp_ask *ask);
json_t *lsp_symbols(struct lsp_ask *ask);
json_t *lsp_actions(struct lsp_ask *ask);
json_t *lsp_formatting(struct lsp_ask *ask);

#endif
