// SPDX-License-Identifier: Apache-2.0
// Fixtures, and what a case lays over them, to a question or an event.
#include "cli/test/reading.h"

#include "wire/wire.h"

#define FIXTURES_SHOWN 64

static const struct conf_node *named(const struct conf_node *given, struct str name)
{
    for (size_t i = 0; given != NULL && i < given->count; i++) {
        if (str_eq(given->entries[i].key->text, name)) {
            return given->entries[i].value;
        }
    }
    return NULL;
}

static const struct conf_node *fixture(const struct ground *ground, struct str name)
{
    return named(ground->given, name);
}

// What is laid over the fixture of that name; NULL: nothing.
static const struct conf_node *above(const struct ground *ground, struct str name)
{
    return ground->over != NULL ? named(ground->over->given, name) : NULL;
}

static void no_fixture(struct reading *r, const struct ground *ground, const struct conf_node *node)
{
    struct str names[FIXTURES_SHOWN];
    size_t count = 0;
    for (; ground->given != NULL && count < ground->given->count && count < FIXTURES_SHOWN; count++) {
        names[count] = ground->given->entries[count].key->text;
    }
    reading_fail(r, PDP_ERR_UNKNOWN, node->place, "`given` has no fixture `" STR_FMT "`",
                 STR_ARG(reading_shown(r, node->text)));
    reading_hint(r, node->text, names, count, "there are");
}

bool ask_check(struct reading *r, const struct ground *ground, const struct conf_texts *with)
{
    bool good = true;
    for (size_t i = 0; i < with->count; i++) {
        const struct conf_node *found = fixture(ground, with->nodes[i]->text);
        if (found == NULL) {
            no_fixture(r, ground, with->nodes[i]);
        }
        good = good && found != NULL && found->kind == CONF_MAP; // the map that it is not was told before
    }
    return good;
}

static void lay(struct compose *compose, const struct conf_node *map, struct value *into)
{
    if (map != NULL && map->kind == CONF_MAP) {
        compose_lay(compose, map, into);
    }
}

static struct value composed(struct compose *compose, const struct ground *ground, const struct asked *asked)
{
    struct value root = {.kind = VALUE_MAP};
    lay(compose, ground->request, &root);
    lay(compose, ground->over != NULL ? ground->over->request : NULL, &root);
    for (size_t i = 0; i < asked->with.count; i++) {
        lay(compose, fixture(ground, asked->with.nodes[i]->text), &root);
        lay(compose, above(ground, asked->with.nodes[i]->text), &root);
    }
    lay(compose, asked->subject.len > 0 ? fixture(ground, asked->subject) : NULL, &root);
    lay(compose, asked->resource.len > 0 ? fixture(ground, asked->resource) : NULL, &root);
    if (asked->action.len > 0) {
        struct value action = {.kind = VALUE_MAP};
        const struct value *held = value_get(&root, STR("action"));
        action = held != NULL && held->kind == VALUE_MAP ? *held : action;
        compose_put(compose, STR("name"), value_str(asked->action), &action);
        compose_put(compose, STR("action"), action, &root);
    }
    lay(compose, asked->event != NULL ? asked->event : asked->request, &root);
    return root;
}

bool ask_meant_so(const struct suite_claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (claims[i].kind == SUITE_CODE || claims[i].kind == SUITE_RECORDED) {
            return true;
        }
    }
    return false;
}

#define LAYERS_MOST 64

// What a question is made of, the uppermost first.
static size_t layers_of(const struct ground *ground, const struct asked *asked,
                        const struct conf_node *layers[LAYERS_MOST])
{
    size_t count = 0;
    layers[count++] = asked->event != NULL ? asked->event : asked->request;
    layers[count++] = asked->resource.len > 0 ? fixture(ground, asked->resource) : NULL;
    layers[count++] = asked->subject.len > 0 ? fixture(ground, asked->subject) : NULL;
    for (size_t i = asked->with.count; i-- > 0 && count + 3 < LAYERS_MOST;) {
        layers[count++] = above(ground, asked->with.nodes[i]->text);
        layers[count++] = fixture(ground, asked->with.nodes[i]->text);
    }
    layers[count++] = ground->over != NULL ? ground->over->request : NULL;
    layers[count++] = ground->request;
    return count;
}

// Where a field stands that cannot be read, or as much of its path as there is; NULL: nothing, or it is told.
static bool find_fault(struct reading *r, const struct ground *ground, const struct asked *asked,
                       struct str path, const struct conf_node **where)
{
    const struct conf_node *layers[LAYERS_MOST];
    size_t count = layers_of(ground, asked, layers), deepest = 0;
    *where = NULL;
    if (asked->event != NULL && str_starts(path, STR("event."))) {
        path = str_sub(path, 6, SIZE_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        size_t depth = 0;
        const struct conf_node *found = layers[i] != NULL ? fields_find(layers[i], path, &depth) : NULL;
        if (depth > deepest) {
            deepest = depth;
            *where = found;
        }
        if (layers[i] != NULL && fields_told(r, layers[i])) {
            return false;
        }
    }
    if (*where != NULL && fields_told(r, *where)) {
        return false;
    }
    if (*where != NULL) {
        fields_tell(r, *where);
    }
    return true;
}

// As the engine would read it: better said here than played to nobody's use.
static void check_readable(struct reading *r, const struct ground *ground, const struct asked *asked,
                           const struct value *root, const struct suite_play *play)
{
    const struct conf_node *where = NULL;
    struct request request;
    struct fault why = {{0}, {0}};
    if (request_read(root, &request, &why) == PDP_ERR_OK) {
        return;
    }
    if (ask_meant_so(play->claims, play->claim_count)) {
        return;
    }
    if (!find_fault(r, ground, asked, str_of(why.field), &where)) {
        return;
    }
    reading_fail(r, PDP_ERR_MALFORMED, where != NULL ? where->place : play->place,
                 "the %s cannot be read: `%s` %s", play->message.len > 0 ? "event" : "question", why.field,
                 why.what);
    diag_hint(r->diags, "complete it, or expect `code: malformed`");
}

void ask_encode(struct reading *r, const struct value *root, struct suite_play *play)
{
    AUTO(buf_fini) struct buf out = {0};
    struct emit emit;
    bool ok = true;
    emit_init(&emit, WIRE_CBOR, &out);
    emit_value(&emit, root);
    play->message = arena_str(r->arena, buf_view(&out), &ok);
    reading_note(r, ok && !out.failed ? PDP_ERR_OK : PDP_ERR_NOMEM);
}

void ask_make(struct reading *r, const struct ground *ground, const struct asked *asked, bool repeated,
              struct suite_play *play, bool *varies)
{
    struct compose compose = {
        .arena = r->arena, .now_ms = play->at_ms, .turn = repeated ? (int64_t)play->turn : -1};
    struct value inner = composed(&compose, ground, asked);
    struct value *root = reading_array(r, 1, sizeof *root);
    if (root == NULL) {
        return;
    }
    *root = inner;
    if (asked->event != NULL) {
        *root = (struct value){.kind = VALUE_MAP};
        compose_put(&compose, STR("event"), inner, root);
    }
    if (ground->tenant.len > 0 && value_get(root, STR("tenant")) == NULL) {
        compose_put(&compose, STR("tenant"), value_str(ground->tenant), root);
    }
    reading_note(r, compose.failed ? PDP_ERR_NOMEM : PDP_ERR_OK);
    play->root = root;
    if (asked->event != NULL) {
        ask_encode(r, root, play);
    }
    check_readable(r, ground, asked, root, play);
    *varies = compose.varies;
}
