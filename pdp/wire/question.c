// SPDX-License-Identifier: Apache-2.0
#include "wire/question.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define QUESTION_ARENA_MAX (1u << 20)
#define QUESTION_BLOCK 2048
#define PLACE_PATH_MAX 32

// A map's or list's entries hang below it in the order in which they came.
struct node {
    struct node *next, *first, *last;
    struct str key;
    struct value value; // kind alone of a MAP or LIST
    size_t count;
};

// Where the last path led but for its last name: the next one mostly begins alike. Not there: `map` is NULL.
struct place {
    struct node *map;
    int depth; // of its entries
    size_t len;
    char path[PLACE_PATH_MAX]; // with its last dot
};

struct pdp_question {
    struct arena arena;
    struct node root;
    enum pdp_err err;
    struct place place;
};

static const struct value EMPTY_MAP = {.kind = VALUE_MAP};

enum pdp_err pdp_question_new(struct pdp_question **question)
{
    *question = calloc(1, sizeof **question);
    if (*question == NULL) {
        return PDP_ERR_NOMEM;
    }
    arena_init(&(*question)->arena, QUESTION_BLOCK, QUESTION_ARENA_MAX);
    (*question)->root.value = EMPTY_MAP;
    return PDP_ERR_OK;
}

void pdp_question_free(struct pdp_question **question)
{
    if (question != NULL && *question != NULL) {
        arena_fini(&(*question)->arena);
        free(*question);
        *question = NULL;
    }
}

void pdp_question_reset(struct pdp_question *question)
{
    arena_reset(&question->arena);
    question->root = (struct node){.value = EMPTY_MAP};
    question->err = PDP_ERR_OK;
    question->place.map = NULL;
}

enum pdp_err pdp_question_error(const struct pdp_question *question)
{
    return question != NULL ? question->err : PDP_ERR_MISSING;
}

// ---- The tree --------------------------------------------------------------------------------------

static struct node *child_of(const struct node *map, struct str key)
{
    for (struct node *at = map->first; at != NULL; at = at->next) {
        if (str_eq(at->key, key)) {
            return at;
        }
    }
    return NULL;
}

static struct node *append(struct arena *arena, struct node *parent, struct str key)
{
    struct node *child = arena_alloc(arena, sizeof *child, _Alignof(struct node));
    if (child == NULL) {
        return NULL;
    }
    *child = (struct node){.key = key, .value = value_null()};
    if (parent->last != NULL) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->count++;
    return child;
}

// The next name of a dotted path, up to a dot or the end. One with `\.` and `\\` in it is written to `room`,
// where they are taken for what they stand for. false at a bad path.
static bool next_name(struct str path, size_t *at, char room[static REQUEST_ID_MAX], struct str *out)
{
    size_t from = *at, len = 0;
    while (*at < path.len && path.at[*at] != '.' && path.at[*at] != '\\') {
        *at += 1;
    }
    if (*at == path.len || path.at[*at] == '.') {
        *out = str_sub(path, from, *at - from);
        return out->len > 0 && out->len <= REQUEST_ID_MAX;
    }
    for (*at = from; *at < path.len && path.at[*at] != '.'; *at += 1) {
        *at += path.at[*at] == '\\' ? 1 : 0;
        if (*at >= path.len || len >= REQUEST_ID_MAX) {
            return false;
        }
        room[len++] = path.at[*at];
    }
    *out = (struct str){room, len};
    return len > 0;
}

// The child of this name, made where it is not there yet.
static enum pdp_err descend(struct pdp_question *question, struct node *at, struct str key, struct node **out)
{
    if (at->value.kind == VALUE_NULL) {
        at->value = EMPTY_MAP;
    }
    if (at->value.kind != VALUE_MAP) {
        return PDP_ERR_TYPE;
    }
    *out = child_of(at, key);
    if (*out != NULL) {
        return PDP_ERR_OK;
    }
    bool ok = str_is_utf8(key);
    if (!ok) {
        return PDP_ERR_UTF8;
    }
    key = arena_str(&question->arena, key, &ok);
    *out = ok ? append(&question->arena, at, key) : NULL;
    return *out != NULL ? PDP_ERR_OK : PDP_ERR_LIMIT;
}

static void remember(struct place *place, struct str path, struct node *map, int depth)
{
    place->map = path.len > 0 && path.len < sizeof place->path ? map : NULL;
    if (place->map != NULL) {
        place->depth = depth;
        place->len = path.len;
        memcpy(place->path, path.at, path.len);
    }
}

// Finds or makes the node at a path, *depth levels below the root.
static enum pdp_err reach(struct pdp_question *question, struct str path, struct node **out, int *depth)
{
    struct place *place = &question->place;
    bool known = place->map != NULL && path.len > place->len && memcmp(path.at, place->path, place->len) == 0;
    struct node *at = known ? place->map : &question->root;
    size_t offset = known ? place->len : 0;
    for (*depth = known ? place->depth : 1;; ++*depth) {
        char room[REQUEST_ID_MAX];
        struct str name;
        size_t from = offset;
        if (!next_name(path, &offset, room, &name)) {
            return PDP_ERR_SYNTAX;
        }
        if (*depth >= REQUEST_DEPTH_MAX) {
            return PDP_ERR_DEPTH;
        }
        struct node *map = at;
        TRY(descend(question, map, name, &at));
        if (offset == path.len) {
            remember(place, str_sub(path, 0, from), map, *depth);
            *out = at;
            return PDP_ERR_OK;
        }
        offset++; // the dot
    }
}

static enum pdp_err stick(struct pdp_question *question, enum pdp_err err)
{
    if (question->err == PDP_ERR_OK) {
        question->err = err;
    }
    return question->err;
}

static void replace(struct node *node, struct value value)
{
    node->value = value;
    node->first = node->last = NULL;
    node->count = 0;
}

// What hung below it is gone, and the place that is remembered may be.
static void overwrite(struct pdp_question *question, struct node *node, struct value value)
{
    if (node->first != NULL) {
        question->place.map = NULL;
    }
    replace(node, value);
}

static enum pdp_err set_value(struct pdp_question *question, const char *path, struct value value)
{
    if (question == NULL) {
        return PDP_ERR_MISSING;
    }
    if (question->err != PDP_ERR_OK) {
        return question->err;
    }
    struct node *node = NULL;
    int depth = 0;
    enum pdp_err err = reach(question, str_of(path), &node, &depth);
    if (err == PDP_ERR_OK) {
        overwrite(question, node, value);
    }
    return stick(question, err);
}

static enum pdp_err copy_text(struct pdp_question *question, struct str text, struct value *out)
{
    if (text.at == NULL) {
        *out = value_null();
        return PDP_ERR_OK;
    }
    if (text.len > REQUEST_BYTES_MAX) {
        return PDP_ERR_LIMIT;
    }
    bool ok = str_is_utf8(text);
    if (!ok) {
        return PDP_ERR_UTF8;
    }
    *out = value_str(arena_str(&question->arena, text, &ok));
    return ok ? PDP_ERR_OK : PDP_ERR_LIMIT;
}

enum pdp_err pdp_question_set_text_n(struct pdp_question *question, const char *path, const char *text,
                                     size_t len)
{
    if (question == NULL || question->err != PDP_ERR_OK) {
        return pdp_question_error(question);
    }
    struct value value;
    enum pdp_err err = copy_text(question, (struct str){text, len}, &value);
    return err == PDP_ERR_OK ? set_value(question, path, value) : stick(question, err);
}

enum pdp_err pdp_question_set_text(struct pdp_question *question, const char *path, const char *text)
{
    return pdp_question_set_text_n(question, path, text, text != NULL ? strlen(text) : 0);
}

enum pdp_err pdp_question_set_int(struct pdp_question *question, const char *path, int64_t number)
{
    return set_value(question, path, value_int(number));
}

enum pdp_err pdp_question_set_double(struct pdp_question *question, const char *path, double number)
{
    if (question != NULL && !isfinite(number)) {
        return stick(question, PDP_ERR_RANGE);
    }
    return set_value(question, path, value_double(number));
}

enum pdp_err pdp_question_set_bool(struct pdp_question *question, const char *path, bool yes)
{
    return set_value(question, path, value_bool(yes));
}

enum pdp_err pdp_question_set_texts(struct pdp_question *question, const char *path, const char *const *texts,
                                    size_t count)
{
    if (question == NULL || question->err != PDP_ERR_OK) {
        return pdp_question_error(question);
    }
    struct node *node = NULL;
    int depth = 0;
    enum pdp_err err = reach(question, str_of(path), &node, &depth);
    if (err != PDP_ERR_OK) {
        return stick(question, err);
    }
    overwrite(question, node, (struct value){.kind = VALUE_LIST});
    for (size_t i = 0; i < count && err == PDP_ERR_OK; i++) {
        struct value value;
        err = copy_text(question, str_of(texts[i]), &value);
        struct node *item = err == PDP_ERR_OK ? append(&question->arena, node, (struct str){NULL, 0}) : NULL;
        if (item != NULL) {
            item->value = value;
        } else if (err == PDP_ERR_OK) {
            err = PDP_ERR_LIMIT;
        }
    }
    return stick(question, err);
}

// ---- From bytes ------------------------------------------------------------------------------------

static enum pdp_err graft(struct arena *arena, const struct value *value, struct node *node, int depth)
{
    if (depth > REQUEST_DEPTH_MAX) {
        return PDP_ERR_DEPTH;
    }
    bool map = value->kind == VALUE_MAP;
    replace(node, map || value->kind == VALUE_LIST ? (struct value){.kind = value->kind} : *value);
    for (size_t i = 0; (map || value->kind == VALUE_LIST) && i < value->n; i++) {
        struct str key = map ? value_text(&value->as.map[i].key) : (struct str){NULL, 0};
        struct node *child = append(arena, node, key);
        if (child == NULL) {
            return PDP_ERR_LIMIT;
        }
        TRY(graft(arena, map ? &value->as.map[i].value : &value->as.list[i], child, depth + 1));
    }
    return PDP_ERR_OK;
}

static enum pdp_err decode_into(struct pdp_question *question, enum wire_form form, struct str bytes,
                                struct node *node, int depth, struct fault *why)
{
    if (bytes.len > REQUEST_BYTES_MAX) {
        return PDP_ERR_LIMIT;
    }
    bool ok = true; // the decoded texts point into this copy
    bytes = arena_str(&question->arena, bytes, &ok);
    if (!ok) {
        return PDP_ERR_LIMIT;
    }
    struct value value = value_null();
    TRY(wire_decode(form, bytes, &question->arena, &value, why));
    return graft(&question->arena, &value, node, depth);
}

enum pdp_err pdp_question_set_json(struct pdp_question *question, const char *path, const char *json)
{
    if (question == NULL || question->err != PDP_ERR_OK) {
        return pdp_question_error(question);
    }
    struct node *node = NULL;
    int depth = 0;
    enum pdp_err err = reach(question, str_of(path), &node, &depth);
    if (err == PDP_ERR_OK) {
        struct fault why = {0};
        question->place.map = NULL;
        err = decode_into(question, WIRE_JSON, str_of(json), node, depth + 1, &why);
    }
    return stick(question, err);
}

static void explain(enum pdp_err err, const struct fault *fault, char *why, size_t why_bytes)
{
    if (why == NULL || why_bytes == 0) {
        return;
    }
    if (fault->what[0] != '\0') {
        (void)snprintf(why, why_bytes, "%s%s%s", fault->field, fault->field[0] != '\0' ? ": " : "",
                       fault->what);
    } else {
        (void)snprintf(why, why_bytes, "%s", pdp_err_text(err));
    }
}

enum pdp_err pdp_question_from_bytes(const void *bytes, size_t len, struct pdp_question **question, char *why,
                                     size_t why_bytes)
{
    struct fault fault = {0};
    TRY(pdp_question_new(question));
    struct str text = {bytes, len};
    enum pdp_err err = decode_into(*question, wire_form_of(text), text, &(*question)->root, 1, &fault);
    if (err == PDP_ERR_OK && (*question)->root.value.kind != VALUE_MAP) {
        (void)snprintf(fault.what, sizeof fault.what,
                       "a question is a map such as `{\"subject\": …}`, not a %s",
                       value_kind_name((*question)->root.value.kind));
        err = PDP_ERR_MALFORMED;
    }
    if (err != PDP_ERR_OK) {
        explain(err, &fault, why, why_bytes);
        pdp_question_free(question);
    }
    return err;
}

// ---- To bytes --------------------------------------------------------------------------------------

static void emit_node(const struct node *node, struct emit *emit)
{
    if (node->value.kind != VALUE_MAP && node->value.kind != VALUE_LIST) {
        emit_value(emit, &node->value);
        return;
    }
    bool map = node->value.kind == VALUE_MAP;
    if (map) {
        emit_map(emit, node->count);
    } else {
        emit_list(emit, node->count);
    }
    for (const struct node *at = node->first; at != NULL; at = at->next) {
        if (map) {
            emit_key(emit, at->key);
        }
        emit_node(at, emit);
    }
    emit_end(emit);
}

// What is written apart from the rest: the id, and for whom it is asked, which nobody says in a tree.
static bool is_apart(struct str key)
{
    return str_eq(key, STR("request_id")) || str_eq(key, STR("gateway"));
}

// `request_id` and `tenant` belong to the message, not to the event inside it.
static bool is_outer(struct str key)
{
    return is_apart(key) || str_eq(key, STR("tenant"));
}

// All entries of the message, or of the event inside it, but for what is written apart.
static void emit_entries(const struct node *root, bool outer, struct emit *emit)
{
    for (const struct node *at = root->first; at != NULL; at = at->next) {
        if (is_outer(at->key) == outer && !is_apart(at->key)) {
            emit_key(emit, at->key);
            emit_node(at, emit);
        }
    }
}

static size_t count_entries(const struct node *root, bool outer)
{
    size_t count = 0;
    for (const struct node *at = root->first; at != NULL; at = at->next) {
        count += is_outer(at->key) == outer && !is_apart(at->key);
    }
    return count;
}

static void emit_root(const struct node *root, bool event, const struct question_bytes *how,
                      struct emit *emit)
{
    struct str request_id = how->request_id;
    bool deadline = how->deadline_ms > 0 && child_of(root, STR("deadline_ms")) == NULL;
    bool relayed = how->gateway.len > 0;
    const struct node *given = child_of(root, STR("request_id"));
    given = given != NULL && given->value.kind != VALUE_NULL ? given : NULL;
    bool id = given != NULL || request_id.len > 0;
    size_t outer = count_entries(root, true), inner = count_entries(root, false);
    emit_map(emit, outer + (event ? 1 : inner) + (id ? 1 : 0) + (deadline ? 1 : 0) + (relayed ? 1 : 0));
    if (given != NULL) {
        emit_key(emit, given->key);
        emit_node(given, emit);
    } else if (id) {
        emit_key_str(emit, "request_id", request_id);
    }
    if (deadline) {
        emit_key_int(emit, "deadline_ms", how->deadline_ms);
    }
    if (relayed) {
        emit_key_str(emit, "gateway", how->gateway);
    }
    emit_entries(root, true, emit);
    if (event) {
        emit_key(emit, STR("event"));
        emit_map(emit, inner);
    }
    emit_entries(root, false, emit);
    if (event) {
        emit_end(emit);
    }
    emit_end(emit);
}

void question_emit(const struct pdp_question *question, struct str request_id, struct emit *emit)
{
    emit_root(&question->root, false, &(struct question_bytes){.request_id = request_id}, emit);
}

enum pdp_err question_encode(const struct pdp_question *question, const struct question_bytes *how,
                             struct buf *out)
{
    TRY(pdp_question_error(question));
    bool wrap = how->event && child_of(&question->root, STR("event")) == NULL;
    size_t start = out->len;
    struct emit emit;
    emit_init(&emit, how->form, out);
    emit_root(&question->root, wrap, how, &emit);
    if (out->failed) {
        return PDP_ERR_NOMEM;
    }
    return out->len - start > REQUEST_BYTES_MAX ? PDP_ERR_LIMIT : PDP_ERR_OK;
}
