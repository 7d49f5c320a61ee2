// SPDX-License-Identifier: Apache-2.0
// Runs the public CEL conformance tests in their JSON form: cel-conformance DIR [EXCEPTIONS].
// EXCEPTIONS names tests, `file section/name` a line, that are expected to fail; docs/CEL.md says why.
#include "cel/extra.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define VARS_MAX 16

struct one_case {
    const json_t *json;
    struct arena *arena;
    struct cel_attr_decl attrs[VARS_MAX];
    const struct type *types[VARS_MAX];
    struct value values[VARS_MAX];
    bool bound[VARS_MAX];
    size_t count;
    struct extra_func funcs[VARS_MAX];
    size_t func_count;
};

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text != NULL ? text : "";
}

// ---- types ----

static const struct type *type_of(struct arena *arena, const json_t *json)
{
    static const struct {
        const char *name;
        enum type_kind kind;
    } PRIMITIVES[] = {{"BOOL", T_BOOL},     {"INT64", T_INT},     {"UINT64", T_UINT},
                      {"DOUBLE", T_DOUBLE}, {"STRING", T_STRING}, {"BYTES", T_BYTES}};
    const char *primitive = text_of(json, "primitive");
    for (size_t i = 0; i < COUNT_OF(PRIMITIVES); i++) {
        if (strcmp(primitive, PRIMITIVES[i].name) == 0) {
            return types_of(PRIMITIVES[i].kind);
        }
    }
    const json_t *list = json_object_get(json, "list_type"), *map = json_object_get(json, "map_type");
    const json_t *opaque = json_object_get(json, "abstract_type"),
                 *param = json_object_get(json, "type_param");
    if (list != NULL) {
        return types_list(arena, type_of(arena, json_object_get(list, "elem_type")));
    }
    if (map != NULL) {
        return types_map(arena, type_of(arena, json_object_get(map, "key_type")),
                         type_of(arena, json_object_get(map, "value_type")));
    }
    if (opaque != NULL) {
        const struct type *args[8];
        uint32_t count = 0;
        size_t i;
        json_t *arg;
        json_array_foreach(json_object_get(opaque, "parameter_types"), i, arg)
        {
            if (count < 8) {
                args[count++] = type_of(arena, arg);
            }
        }
        return types_opaque(arena, str_of(text_of(opaque, "name")), args, count);
    }
    if (param != NULL) {
        return types_param(arena, (uint32_t)(json_string_value(param)[0] - 'T'));
    }
    return types_of(json_object_get(json, "null") != NULL ? T_NULL : T_DYN);
}

// ---- values ----

static int digit(char c)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(DIGITS, c) : NULL;
    return at != NULL ? (int)(at - DIGITS) : -1;
}

static struct value bytes_of(struct arena *arena, const char *base64)
{
    size_t len = strlen(base64), n = 0;
    unsigned char *out = arena_alloc(arena, len + 1, 1);
    unsigned bits = 0, held = 0;
    for (size_t i = 0; i < len && digit(base64[i]) >= 0; i++) {
        bits = (bits << 6 | (unsigned)digit(base64[i])) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[n++] = (unsigned char)(bits >> held);
        }
    }
    struct value v = value_str((struct str){(const char *)out, n});
    v.kind = VALUE_BYTES;
    return v;
}

static double real_of(const json_t *json)
{
    return json_is_string(json) ? strtod(json_string_value(json), NULL) : json_number_value(json);
}

static struct value type_value(const char *name)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } NAMES[] = {{"google.protobuf.Timestamp", VALUE_TIMESTAMP},
                 {"google.protobuf.Duration", VALUE_DURATION},
                 {"null_type", VALUE_NULL},
                 {"net.IP", VALUE_IP},
                 {"net.CIDR", VALUE_CIDR},
                 {"optional_type", VALUE_OPTIONAL}};
    struct value v = {.kind = VALUE_TYPE};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (strcmp(name, NAMES[i].name) == 0) {
            v.as.i = NAMES[i].kind;
        }
    }
    for (int kind = 0; v.as.i == 0 && kind < VALUE_KIND_COUNT; kind++) {
        if (strcmp(name, value_kind_name((enum value_kind)kind)) == 0) {
            v.as.i = kind;
        }
    }
    return v;
}

static struct value value_of(struct arena *arena, const json_t *json);

static struct value list_of(struct arena *arena, const json_t *values)
{
    size_t count = json_array_size(values);
    struct value *list = arena_zero(arena, count + 1, sizeof *list, 8);
    for (size_t i = 0; i < count; i++) {
        list[i] = value_of(arena, json_array_get(values, i));
    }
    return (struct value){.kind = VALUE_LIST, .n = (uint32_t)count, .as.list = list};
}

static struct value map_of(struct arena *arena, const json_t *entries)
{
    size_t count = json_array_size(entries);
    struct value_entry *map = arena_zero(arena, count + 1, sizeof *map, 8);
    for (size_t i = 0; i < count; i++) {
        map[i].key = value_of(arena, json_object_get(json_array_get(entries, i), "key"));
        map[i].value = value_of(arena, json_object_get(json_array_get(entries, i), "value"));
    }
    return (struct value){.kind = VALUE_MAP, .n = (uint32_t)count, .as.map = map};
}

static struct value value_of(struct arena *arena, const json_t *json)
{
    void *iter = json_object_iter((json_t *)json);
    const char *key = iter != NULL ? json_object_iter_key(iter) : "";
    const json_t *held = iter != NULL ? json_object_iter_value(iter) : NULL;
    const char *text = json_string_value(held) != NULL ? json_string_value(held) : "";
    if (strcmp(key, "bool_value") == 0) {
        return value_bool(json_is_true(held));
    }
    if (strcmp(key, "int64_value") == 0) {
        return value_int(strtoll(text, NULL, 10));
    }
    if (strcmp(key, "uint64_value") == 0) {
        return (struct value){.kind = VALUE_UINT, .as.u = strtoull(text, NULL, 10)};
    }
    if (strcmp(key, "double_value") == 0) {
        return value_double(real_of(held));
    }
    if (strcmp(key, "string_value") == 0) {
        return value_str((struct str){text, json_string_length(held)});
    }
    if (strcmp(key, "bytes_value") == 0) {
        return bytes_of(arena, text);
    }
    if (strcmp(key, "list_value") == 0) {
        return list_of(arena, json_object_get(held, "values"));
    }
    if (strcmp(key, "map_value") == 0) {
        return map_of(arena, json_object_get(held, "entries"));
    }
    return strcmp(key, "type_value") == 0 ? type_value(text) : value_null();
}

// As the suite compares: kinds must agree, NaN is NaN, maps have no order.
static bool same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->as.b == b->as.b;
    case VALUE_DOUBLE:
        return a->as.d == b->as.d || (a->as.d != a->as.d && b->as.d != b->as.d);
    case VALUE_STRING:
    case VALUE_BYTES:
        return str_eq(value_text(a), value_text(b));
    case VALUE_LIST:
        for (uint32_t i = 0; a->n == b->n && i < a->n; i++) {
            if (!same(&a->as.list[i], &b->as.list[i])) {
                return false;
            }
        }
        return a->n == b->n;
    case VALUE_MAP:
        for (uint32_t i = 0; a->n == b->n && i < a->n; i++) {
            bool found = false;
            for (uint32_t n = 0; !found && n < b->n; n++) {
                found = same(&a->as.map[i].key, &b->as.map[n].key) &&
                        same(&a->as.map[i].value, &b->as.map[n].value);
            }
            if (!found) {
                return false;
            }
        }
        return a->n == b->n;
    default:
        return a->as.u == b->as.u;
    }
}

// ---- one case ----

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    const struct one_case *c = user;
    *out = c->values[slot->id];
    return c->bound[slot->id];
}

static enum pdp_err zone(void *user, struct str name, struct str *tzif)
{
    static char bytes[1 << 16];
    char path[256];
    (void)user;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
    FILE *file = strstr(path, "..") == NULL ? fopen(path, "rb") : NULL;
    if (file == NULL) {
        return PDP_ERR_UNKNOWN;
    }
    *tzif = (struct str){bytes, fread(bytes, 1, sizeof bytes, file)};
    fclose(file);
    return PDP_ERR_OK;
}

static size_t variable(struct one_case *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++) {
        if (str_eq(c->attrs[i].path, str_of(name))) {
            return i;
        }
    }
    size_t at = c->count < VARS_MAX - 1 ? c->count++ : c->count;
    c->attrs[at] = (struct cel_attr_decl){.path = str_of(name), .id = (uint32_t)at};
    c->types[at] = types_of(T_DYN);
    return at;
}

static void declare_function(struct one_case *c, const char *name, const json_t *function)
{
    size_t i, n;
    json_t *overload, *param;
    json_array_foreach(json_object_get(function, "overloads"), i, overload)
    {
        const struct type **params = arena_zero(c->arena, 8, sizeof *params, 8);
        struct extra_func *func = &c->funcs[c->func_count++];
        *func = (struct extra_func){.name = str_of(name), .params = params};
        func->result = type_of(c->arena, json_object_get(overload, "result_type"));
        json_array_foreach(json_object_get(overload, "params"), n, param)
        {
            params[func->count++] = type_of(c->arena, param);
        }
    }
}

static void read_case(struct one_case *c)
{
    size_t i;
    json_t *decl, *binding;
    const char *name;
    json_array_foreach(json_object_get(c->json, "type_env"), i, decl)
    {
        const json_t *ident = json_object_get(decl, "ident"), *function = json_object_get(decl, "function");
        if (function != NULL) {
            declare_function(c, text_of(decl, "name"), function);
        } else {
            c->types[variable(c, text_of(decl, "name"))] = type_of(c->arena, json_object_get(ident, "type"));
        }
    }
    json_object_foreach(json_object_get((json_t *)c->json, "bindings"), name, binding)
    {
        size_t at = variable(c, name);
        c->values[at] = value_of(c->arena, json_object_get(binding, "value"));
        c->bound[at] = true;
    }
}

static bool judge_value(struct one_case *c, const struct value *got, const json_t *wanted, struct buf *why)
{
    struct value want = wanted != NULL ? value_of(c->arena, wanted) : value_bool(true);
    if (same(got, &want)) {
        return true;
    }
    buf_str(why, STR("got "));
    value_print(why, got, 200);
    if (got->kind == VALUE_ERROR) {
        buf_printf(why, " (error %u)", got->n);
    }
    buf_str(why, STR(", expected "));
    value_print(why, &want, 200);
    return false;
}

static bool judge_type(struct one_case *c, const struct type *got, const json_t *wanted, struct buf *why)
{
    const struct type *want = type_of(c->arena, wanted);
    if (types_equal(got, want)) {
        return true;
    }
    buf_str(why, STR("deduced "));
    types_print(why, got);
    buf_str(why, STR(", expected "));
    types_print(why, want);
    return false;
}

static bool run_expr(struct one_case *c, struct cel_program *program, uint32_t expr, struct buf *why)
{
    const json_t *typed = json_object_get(c->json, "typed_result"),
                 *wanted = json_object_get(c->json, "value");
    struct cel_frame *frame = NULL;
    struct cel_host host = {.resolve = resolve, .user = c};
    wanted = typed != NULL ? json_object_get(typed, "result") : wanted;
    if (cel_seal(program) != PDP_ERR_OK || cel_frame_new(program, &frame) != PDP_ERR_OK) {
        return false;
    }
    cel_begin(frame, &host, c->arena, 0);
    struct value got = cel_run(frame, expr);
    bool good = json_object_get(c->json, "eval_error") != NULL ? got.kind == VALUE_ERROR
                                                               : judge_value(c, &got, wanted, why);
    if (!good && json_object_get(c->json, "eval_error") != NULL) {
        buf_str(why, STR("expected an error, got "));
        value_print(why, &got, 200);
    }
    cel_frame_free(&frame);
    return good;
}

static bool run_case(struct one_case *c, struct buf *why)
{
    const json_t *typed = json_object_get(c->json, "typed_result");
    struct cel_env env = {.attrs = c->attrs, .attr_count = c->count, .zone = zone};
    struct cel_extra extra = {.container = str_of(text_of(c->json, "container")), .attr_types = c->types};
    extra.funcs = c->funcs;
    extra.func_count = c->func_count;
    extra.untyped = json_is_true(json_object_get(c->json, "disable_check"));
    extra.no_macros = json_is_true(json_object_get(c->json, "disable_macros"));
    struct cel_program *program = NULL;
    if (cel_program_new(&env, NULL, &program) != PDP_ERR_OK) {
        return false;
    }
    cel_set_extra(program, &extra);
    struct diags diags;
    diags_init(&diags, 8);
    const json_t *expr = json_object_get(c->json, "expr");
    struct cel_text text = {.text = {json_string_value(expr), json_string_length(expr)}};
    uint32_t id = 0;
    bool good = cel_add(program, &text, CEL_DYN, NULL, 0, 0, &diags, &id) == PDP_ERR_OK;
    if (!good) { // a mistake that is found early is an error all the same
        diags_render(&diags, why);
        good = json_object_get(c->json, "eval_error") != NULL;
    } else if (typed != NULL) {
        good = judge_type(c, extra.deduced, json_object_get(typed, "deduced_type"), why);
    }
    if (good && id != UINT32_MAX && !json_is_true(json_object_get(c->json, "check_only"))) {
        good = run_expr(c, program, id, why);
    }
    diags_fini(&diags);
    cel_program_free(&program);
    return good;
}

struct tally {
    unsigned passed, failed, excepted;
    const char *exceptions; // the file's text, or NULL
};

// What the public suite itself expects of a case that the collection has wrong; NULL: it is no exception.
static json_t *original_of(const struct tally *tally, const char *file, const json_t *json)
{
    char line[512];
    snprintf(line, sizeof line, "\n%s %s/%s ", file, text_of(json, "section"), text_of(json, "name"));
    const char *at = tally->exceptions != NULL ? strstr(tally->exceptions, line) : NULL;
    if (at == NULL) {
        return NULL;
    }
    at += strlen(line);
    return json_loadb(at, strcspn(at, "\n"), JSON_ALLOW_NUL, NULL);
}

static bool passes(const json_t *json, struct buf *why)
{
    struct arena arena;
    struct one_case *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return false;
    }
    arena_init(&arena, 0, 0);
    c->json = json;
    c->arena = &arena;
    read_case(c);
    bool good = run_case(c, why);
    free(c);
    arena_fini(&arena);
    return good;
}

// An exception must fail by the collection and pass by the original.
static void run_one(struct tally *tally, const char *file, const json_t *json)
{
    struct buf why = {0};
    json_t *original = original_of(tally, file, json);
    bool good = passes(json, &why);
    if (original != NULL && good) {
        buf_str(&why, STR("passes, though it is an exception"));
        good = false;
    } else if (original != NULL) {
        json_t *bettered = json_copy((json_t *)json);
        json_object_set(bettered, "value", original);
        buf_clear(&why);
        good = passes(bettered, &why);
        json_decref(bettered);
    }
    tally->passed += good && original == NULL;
    tally->excepted += good && original != NULL;
    tally->failed += !good;
    if (!good) {
        printf("FAILED %s %s/%s: %s\n  " STR_FMT "\n", file, text_of(json, "section"), text_of(json, "name"),
               text_of(json, "expr"), STR_ARG(buf_view(&why)));
    }
    json_decref(original);
    buf_fini(&why);
}

static void run_file(struct tally *tally, const char *path, const char *name)
{
    json_error_t error;
    json_t *cases = json_load_file(path, JSON_ALLOW_NUL, &error);
    size_t i;
    json_t *json;
    if (cases == NULL) {
        printf("%s: %s\n", path, error.text);
        tally->failed++;
        return;
    }
    json_array_foreach(cases, i, json)
    {
        run_one(tally, name, json);
    }
    json_decref(cases);
}

static int is_json(const struct dirent *entry)
{
    return str_ends(str_of(entry->d_name), STR(".json"));
}

static bool read_exceptions(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return false;
    }
    text[0] = '\n';
    text[1 + fread(text + 1, 1, room - 2, file)] = '\0';
    fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    static char exceptions[1 << 16];
    struct dirent **names = NULL;
    struct tally tally = {0};
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: cel-conformance DIR [EXCEPTIONS]\n");
        return 2;
    }
    if (argc == 3) {
        if (!read_exceptions(argv[2], exceptions, sizeof exceptions)) {
            return 2;
        }
        tally.exceptions = exceptions;
    }
    int count = scandir(argv[1], &names, is_json, alphasort);
    if (count <= 0) {
        fprintf(stderr, "%s: no tests here\n", argv[1]);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
        run_file(&tally, path, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (tally.exceptions != NULL) {
        printf("%u exceptions pass by what the public suite expects\n", tally.excepted);
    }
    printf("%u passed, %u failed\n", tally.passed, tally.failed);
    return tally.failed != 0;
}
