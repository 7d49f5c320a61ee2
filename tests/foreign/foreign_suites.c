// SPDX-License-Identifier: Apache-2.0
// The inputs of two public suites through our readers: JSONTestSuite and yaml-test-suite. None may crash one;
// what we read must be what the suite says; where we differ, it is in a table here with the reason. use:
// foreign_suites FOLDER
#include "conf/conf.h"
#include "wire/wire.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct difference {
    const char *name, *reason;
};

static struct {
    unsigned json, json_read, yaml, yaml_read, compared, refused_valid, read_invalid, wrong;
} total;

static void wrong(const char *name, const char *what, struct str more)
{
    total.wrong++;
    printf("FAILED %s: %s: " STR_FMT "\n", name, what, STR_ARG(more));
}

static const char *reason_of(const struct difference *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].reason;
        }
    }
    return NULL;
}

// In memory of exactly its size, so that AddressSanitizer sees a read past its end. false: there is no such
// file.
static bool read_file(const char *folder, const char *name, struct str *out)
{
    char path[4096];
    static char room[1 << 20];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    *out = STR("");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(room, 1, sizeof room, file);
    fclose(file);
    char *exact = malloc(len + (len == 0));
    invariant(exact != NULL);
    memcpy(exact, room, len);
    *out = (struct str){exact, len};
    return true;
}

static void free_text(struct str *text)
{
    free((void *)text->at);
}

// Whatever a text is, the other reader must take it too, or refuse it.
static void cross(struct str text, bool as_yaml)
{
    struct arena arena;
    struct value value;
    struct fault why = {0};
    struct diags diags;
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct source source = {STR("cross"), text};
    arena_init(&arena, 0, (size_t)64 << 20);
    diags_init(&diags, 20);
    enum pdp_err err = as_yaml ? conf_parse(&source, &arena, &diags, &docs, &count)
                               : wire_decode_most(WIRE_JSON, text, 1 << 20, &arena, &value, &why);
    invariant(err == PDP_ERR_OK || diags.errors > 0 || why.what[0] != '\0');
    diags_fini(&diags);
    arena_fini(&arena);
}

// ---- JSON -----------------------------------------------------------------------------------------------

// Valid JSON that we refuse, because a question could mean two things by it or cost too much.
static const struct difference JSON_STRICTER[] = {
    {"y_object_duplicated_key.json", "duplicate keys are refused: parsers differ in which of them counts"},
    {"y_object_duplicated_key_and_value.json", "duplicate keys are refused, with equal values too"},
    {"y_object_escaped_null_in_key.json", "a NUL may stand in text, but not in a key"},
};

static void try_json(const char *folder, const char *name)
{
    struct str text;
    struct arena arena;
    struct value value;
    struct fault why = {0};
    if (!read_file(folder, name, &text)) {
        return;
    }
    arena_init(&arena, 0, (size_t)64 << 20);
    bool read = wire_decode_most(WIRE_JSON, text, 1 << 20, &arena, &value, &why) == PDP_ERR_OK;
    const char *reason = reason_of(JSON_STRICTER, COUNT_OF(JSON_STRICTER), name);
    if (name[0] == 'n' && read) {
        wrong(name, "is no JSON, and was read", text);
    } else if (name[0] == 'y' && !read && reason == NULL) {
        wrong(name, "is JSON, and was refused", str_of(why.what));
    } else if (read && reason != NULL) {
        wrong(name, "was read, though it is listed as refused", str_of(reason));
    }
    cross(text, true);
    total.json++;
    total.json_read += read;
    arena_fini(&arena);
    free_text(&text);
}

// ---- YAML -----------------------------------------------------------------------------------------------

// Parts of YAML that we do not take, by what the reader says of them.
static const char *const OUTSIDE[] = {
    "tags (",
    "anchors (",
    "aliases (",
    "directives are not supported",
    "a tab in front of a line",
    "a key must be text",
    "a key is empty",
};

#define EMPTY_KEY "a key may not be left out, and libyaml says so in its own words"
#define DIRECTIVE "directives are not taken"
#define COLON "in a flow, libyaml does not begin a word with a colon, nor a line with the colon of a key"
#define QUESTION \
    "in a flow, libyaml takes a question mark for the sign of a key: `{?foo: x}` has the key `foo`"
#define LINES "libyaml wants a key on one line, also in a flow"
#define ROOT "a document that is a scalar without `---` goes on after a line that ends it"
#define END "`...` in front of any document"
#define PERCENT "a line in a flow that begins with `%` is a directive for libyaml"
#define BLANKS \
    "blanks at the very end of a literal, without a line feed, are no line of their own for libyaml"
#define COMMENT "libyaml takes a comment without a blank in front of it"
#define INDENT "libyaml takes lines of a flow or of quoted text that are not indented"
#define DASH "libyaml takes a dash alone in a flow for text"
#define SPACES "libyaml takes empty lines in front of a folded scalar that are indented more than its text"

// Valid YAML 1.2 that libyaml, a reader of YAML 1.1, does not take, and what it takes though it is not valid.
static const struct difference YAML_ODD[] = {
    {"2JQS", EMPTY_KEY},    {"CFD4", EMPTY_KEY},    {"M2N8-00", EMPTY_KEY}, {"NHX8", EMPTY_KEY},
    {"NKF9", EMPTY_KEY},    {"S3PD", EMPTY_KEY},    {"SM9W-01", EMPTY_KEY}, {"UKK6-00", EMPTY_KEY},
    {"FRK4", EMPTY_KEY},    {"2LFX", DIRECTIVE},    {"6LVF", DIRECTIVE},    {"BEC7", DIRECTIVE},
    {"MUS6-05", DIRECTIVE}, {"MUS6-06", DIRECTIVE}, {"4ABK", COLON},        {"4MUZ-00", COLON},
    {"4MUZ-01", COLON},     {"4MUZ-02", COLON},     {"58MP", COLON},        {"5MUD", COLON},
    {"5T43", COLON},        {"DBG4", COLON},        {"HM87-00", COLON},     {"K3WX", COLON},
    {"VJP3-01", COLON},     {"652Z", QUESTION},     {"HM87-01", QUESTION},  {"9SA2", LINES},
    {"NJ66", LINES},        {"7Z25", ROOT},         {"DK3J", ROOT},         {"FP8R", ROOT},
    {"M7A3", ROOT},         {"HWV9", END},          {"QT73", END},          {"UT92", PERCENT},
    {"JEF9-02", BLANKS},    {"L24T-01", BLANKS},    {"9JBA", COMMENT},      {"CVW2", COMMENT},
    {"SU5Z", COMMENT},      {"X4QW", COMMENT},      {"9C9N", INDENT},       {"QB6E", INDENT},
    {"G5U8", DASH},         {"YJV2", DASH},         {"S98Z", SPACES},
};

static bool is_outside(struct diags *diags)
{
    struct buf out = {0};
    bool is = false;
    diags_render(diags, &out);
    for (size_t i = 0; i < COUNT_OF(OUTSIDE); i++) {
        is = is || str_find(buf_view(&out), str_of(OUTSIDE[i]), 0) != SIZE_MAX;
    }
    buf_fini(&out);
    return is;
}

static bool same(const struct conf_node *node, const json_t *json);

static bool same_map(const struct conf_node *node, const json_t *json)
{
    bool is = json_is_object(json) && json_object_size(json) == node->count;
    for (size_t i = 0; is && i < node->count; i++) {
        struct str key = node->entries[i].key->text;
        is = same(node->entries[i].value, json_object_getn(json, key.at, key.len));
    }
    return is;
}

static bool same_list(const struct conf_node *node, const json_t *json)
{
    bool is = json_is_array(json) && json_array_size(json) == node->count;
    for (size_t i = 0; is && i < node->count; i++) {
        is = same(node->items[i], json_array_get(json, i));
    }
    return is;
}

// A plain scalar is text here until a field says what it should be: then `12` is a number.
static bool same_scalar(const struct conf_node *node, const json_t *json)
{
    char *end = NULL;
    char text[64] = "";
    memcpy(text, node->text.at, node->text.len < sizeof text ? node->text.len : 0);
    if (json_is_string(json)) {
        return str_eq(node->text, (struct str){json_string_value(json), json_string_length(json)});
    }
    if (node->quoted) {
        return false;
    }
    if (json_is_boolean(json)) {
        return str_eq(node->text, json_is_true(json) ? STR("true") : STR("false"));
    }
    return json_is_number(json) &&
           (strtod(text, &end) == json_number_value(json) || strncmp(text, "0o", 2) == 0);
}

static bool same(const struct conf_node *node, const json_t *json)
{
    switch (node->kind) {
    case CONF_NULL:
        return json_is_null(json) || (json_is_string(json) && json_string_length(json) == 0);
    case CONF_SCALAR:
        return same_scalar(node, json);
    case CONF_LIST:
        return same_list(node, json);
    case CONF_MAP:
        return same_map(node, json);
    }
    return false;
}

// Documents one after the other; an empty one is null there and left out here.
static bool same_documents(const struct conf_doc *docs, size_t count, struct str text)
{
    size_t at = 0, next = 0;
    while (at < text.len) {
        json_error_t error;
        json_t *json = json_loadb(text.at + at, text.len - at,
                                  JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        if (json == NULL) {
            break; // white space at the end
        }
        at += (size_t)error.position;
        bool empty = json_is_null(json) && (next == count || docs[next].root->kind != CONF_NULL);
        bool is = empty || (next < count && same(docs[next].root, json));
        next += !empty;
        json_decref(json);
        if (!is) {
            return false;
        }
    }
    return next == count;
}

static void judge_yaml(const char *folder, const char *name, const struct conf_doc *docs, size_t count)
{
    struct str json;
    if (read_file(folder, "in.json", &json)) {
        total.compared++;
        if (!same_documents(docs, count, json) && reason_of(YAML_ODD, COUNT_OF(YAML_ODD), name) == NULL) {
            wrong(name, "was read as something else than", json);
        }
        free_text(&json);
    }
}

static void try_yaml(const char *parent, const char *name)
{
    char folder[2048];
    struct str error, text;
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct diags diags;
    struct arena arena;
    snprintf(folder, sizeof folder, "%s/%s", parent, name);
    if (!read_file(folder, "in.yaml", &text)) {
        return;
    }
    bool invalid = read_file(folder, "error", &error),
         odd = reason_of(YAML_ODD, COUNT_OF(YAML_ODD), name) != NULL;
    struct source source = {STR("in.yaml"), text};
    arena_init(&arena, 0, (size_t)64 << 20);
    diags_init(&diags, 20);
    bool read = conf_parse(&source, &arena, &diags, &docs, &count) == PDP_ERR_OK;
    cross(text, false);
    total.yaml++;
    total.yaml_read += read;
    total.read_invalid += read && invalid;
    total.refused_valid += !read && !invalid;
    if (read && invalid && !odd) {
        wrong(name, "is no YAML, and was read", text);
    } else if (!read && !invalid && !odd && !is_outside(&diags)) {
        struct buf out = {0};
        diags_render(&diags, &out);
        wrong(name, "is YAML, and was refused", buf_view(&out));
        buf_fini(&out);
    } else if (read && !invalid) {
        judge_yaml(folder, name, docs, count);
    }
    diags_fini(&diags);
    arena_fini(&arena);
    free_text(&text);
    if (invalid) {
        free_text(&error);
    }
}

static void each(const char *folder, const char *sub, void (*try)(const char *, const char *))
{
    char path[1024];
    struct dirent **names = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, sub);
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') {
            try(path, names[i]->d_name);
        }
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: foreign_suites FOLDER\n");
        return 2;
    }
    each(argv[1], "json", try_json);
    each(argv[1], "yaml", try_yaml);
    printf("JSON: %u inputs, %u read; YAML: %u inputs, %u read, %u of them compared, %u valid ones outside "
           "of what we take, "
           "%u invalid ones that libyaml takes; %u differences\n",
           total.json, total.json_read, total.yaml, total.yaml_read, total.compared, total.refused_valid,
           total.read_invalid, total.wrong);
    return total.wrong == 0 && total.json > 100 && total.yaml > 100 ? 0 : 1;
}
