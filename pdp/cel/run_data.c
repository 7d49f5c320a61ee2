// SPDX-License-Identifier: Apache-2.0
// HOT
// Fields, elements, and the making of lists and maps.
#include "cel/lib.h"
#include "cel/run.h"

struct value run_some(struct cel_frame *frame, struct value value)
{
    struct value error;
    struct value *room = frame_alloc(frame, sizeof *room, _Alignof(struct value), &error);
    if (room == NULL) {
        return error;
    }
    *room = value;
    return (struct value){.kind = VALUE_OPTIONAL, .flag = 1, .as.list = room};
}

struct value run_has_slot(struct cel_frame *frame, const struct node *node)
{
    struct value v = frame_slot(frame, node->a);
    if (v.kind == VALUE_ERROR) {
        // Where only what it is made from is missing, it is not absent.
        return v.n == CEL_ERROR_MISSING && v.as.i == node->a ? value_bool(false) : v;
    }
    return value_bool(true);
}

static struct value field_value(struct cel_frame *f, const struct node *node, const struct value *map)
{
    bool has = node->op == OP_HAS, optional = node->op == OP_OPT_FIELD;
    if (map->kind != VALUE_MAP) {
        return frame_no_overload(F_INDEX, map, 1);
    }
    if (!frame_spend(f, map->n / 32)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    const struct value *found = cmp_find(map, &f->consts[node->b]);
    if (has) {
        return value_bool(found != NULL);
    }
    if (optional) {
        return found != NULL ? run_some(f, *found) : run_none();
    }
    return found != NULL ? *found : frame_error(CEL_ERROR_NO_KEY, node->b);
}

// A field of what an optional holds is optional; of none it is none.
static struct value field_of_optional(struct cel_frame *f, const struct node *node, const struct value *opt)
{
    if (opt->flag == 0) {
        return node->op == OP_HAS ? value_bool(false) : run_none();
    }
    if (opt->as.list->kind != VALUE_MAP) {
        return frame_error(CEL_ERROR_NO_KEY, node->b);
    }
    struct node optional = *node;
    optional.op = node->op == OP_HAS ? OP_HAS : OP_OPT_FIELD;
    return field_value(f, &optional, opt->as.list);
}

struct value run_field(struct cel_frame *frame, const struct node *node)
{
    struct value v = run_node(frame, node->a);
    if (v.kind == VALUE_ERROR) {
        return v;
    }
    return v.kind == VALUE_OPTIONAL ? field_of_optional(frame, node, &v) : field_value(frame, node, &v);
}

// The element that `index` names: 1 found, 0 none, -1 not how this is indexed, -2 out of steps.
static int find_element(struct cel_frame *f, const struct value *of, const struct value *index,
                        const struct value **out)
{
    if (of->kind == VALUE_MAP) {
        if (!frame_spend(f, of->n / 32)) {
            return -2;
        }
        *out = cmp_find(of, index);
        return *out != NULL;
    }
    if (of->kind != VALUE_LIST) {
        return -1;
    }
    struct value at = *index;
    if (at.kind == VALUE_UINT) {
        at = value_int(at.as.u <= INT64_MAX ? (int64_t)at.as.u : -1);
    } else if (at.kind == VALUE_DOUBLE) {
        bool whole = at.as.d >= 0 && at.as.d < 4294967296.0 && (double)(int64_t)at.as.d == at.as.d;
        at = whole ? value_int((int64_t)at.as.d) : *index;
    }
    if (at.kind != VALUE_INT) {
        return -1;
    }
    bool inside = at.as.i >= 0 && at.as.i < of->n;
    *out = inside ? &of->as.list[at.as.i] : NULL;
    return inside;
}

struct value list_index(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    const struct value *found = NULL;
    if (args[0].kind == VALUE_OPTIONAL) {
        return list_opt_index(frame, args, count);
    }
    int is = find_element(frame, &args[0], &args[1], &found);
    if (is < 0) {
        return is == -1 ? frame_no_overload(F_INDEX, args, count) : frame_error(CEL_ERROR_BUDGET, 0);
    }
    if (is == 0) {
        return frame_error(args[0].kind == VALUE_MAP ? CEL_ERROR_NO_KEY : CEL_ERROR_INDEX, -1);
    }
    return *found;
}

struct value list_opt_index(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    const struct value *found = NULL;
    const struct value *of = &args[0];
    if (of->kind == VALUE_OPTIONAL) {
        if (of->flag == 0) {
            return run_none();
        }
        of = of->as.list;
    }
    int is = find_element(frame, of, &args[1], &found);
    if (is < 0) {
        return is == -1 ? frame_no_overload(F_OPT_INDEX, args, count) : frame_error(CEL_ERROR_BUDGET, 0);
    }
    return is == 0 ? run_none() : run_some(frame, *found);
}

struct value list_size(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    switch (args[0].kind) {
    case VALUE_STRING:
        if (!frame_spend(frame, args[0].n / 64)) {
            return frame_error(CEL_ERROR_BUDGET, 0);
        }
        return value_int((int64_t)str_count_cp(value_text(&args[0])));
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        return value_int(args[0].n);
    default:
        return frame_no_overload(F_SIZE, args, count);
    }
}

// Runs one operand that may be an optional element. 1: *out is a value; 0: there is none; -1: an error.
static int run_element(struct cel_frame *f, uint32_t arg, bool optional, struct value *out)
{
    *out = run_node(f, arg & ~NODE_OPTIONAL);
    if (out->kind == VALUE_ERROR) {
        return -1;
    }
    if (!optional) {
        return 1;
    }
    if (out->kind != VALUE_OPTIONAL) {
        *out = frame_no_overload(F_OPT_VALUE, out, 1);
        return -1;
    }
    if (out->flag == 0) {
        return 0;
    }
    *out = *out->as.list;
    return 1;
}

struct value run_list(struct cel_frame *frame, const struct node *node)
{
    struct value error;
    struct value *list = frame_alloc(frame, node->b * sizeof *list, _Alignof(struct value), &error);
    if (list == NULL) {
        return error;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->b; i++) {
        uint32_t arg = frame->args[node->a + i];
        int is = run_element(frame, arg, (arg & NODE_OPTIONAL) != 0, &list[n]);
        if (is < 0) {
            return list[n];
        }
        n += is == 1;
    }
    return (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
}

static bool can_be_key(const struct value *key)
{
    return key->kind == VALUE_STRING || key->kind == VALUE_INT || key->kind == VALUE_UINT ||
           key->kind == VALUE_BOOL;
}

// Adds an entry to a map being made; an error value where the key will not do.
static struct value add_entry(struct cel_frame *f, struct value *map, struct value_entry *room,
                              const struct value *key, const struct value *value)
{
    if (!can_be_key(key)) {
        return frame_no_overload(F_INDEX, key, 1);
    }
    map->as.map = room;
    if (!frame_spend(f, map->n / 8)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    if (cmp_find(map, key) != NULL) {
        return frame_error(CEL_ERROR_OTHER, 0); // the same key twice
    }
    room[map->n++] = (struct value_entry){*key, *value};
    return value_null();
}

struct value run_map(struct cel_frame *frame, const struct node *node)
{
    struct value error;
    struct value_entry *room =
        frame_alloc(frame, node->b / 2 * sizeof *room, _Alignof(struct value_entry), &error);
    if (room == NULL) {
        return error;
    }
    struct value map = {.kind = VALUE_MAP, .as.map = room};
    for (uint32_t i = 0; i + 1 < node->b; i += 2) {
        uint32_t arg = frame->args[node->a + i];
        struct value key = run_node(frame, arg & ~NODE_OPTIONAL), value;
        if (key.kind == VALUE_ERROR) {
            return key;
        }
        int is = run_element(frame, frame->args[node->a + i + 1], (arg & NODE_OPTIONAL) != 0, &value);
        if (is < 0) {
            return value;
        }
        struct value added = is == 1 ? add_entry(frame, &map, room, &key, &value) : value_null();
        if (added.kind == VALUE_ERROR) {
            return added;
        }
    }
    return map;
}

// ---- comprehensions ----

struct walk {
    struct cel_frame *f;
    const struct node *node;
    struct value range;
    uint32_t at;
    uint32_t test, result;
    enum comp_kind comp;
    bool two;
};

static bool step(struct walk *w)
{
    struct value *var = &w->f->locals[w->node->c];
    if (w->at == w->range.n) {
        return false;
    }
    if (w->range.kind == VALUE_MAP) {
        var[0] = w->range.as.map[w->at].key;
        var[1] = w->range.as.map[w->at].value;
    } else if (w->two) {
        var[0] = value_int(w->at);
        var[1] = w->range.as.list[w->at];
    } else {
        var[0] = w->range.as.list[w->at];
    }
    w->at++;
    return true;
}

// Runs the test for the variables as they stand; anything but a truth is an error value.
static struct value test(struct walk *w)
{
    struct value v = run_node(w->f, w->test);
    return v.kind == VALUE_BOOL || v.kind == VALUE_ERROR ? v : frame_no_overload(F_AND, &v, 1);
}

static struct value walk_any(struct walk *w, bool stop)
{
    struct value result = value_bool(!stop);
    while (step(w)) {
        struct value v = test(w);
        if (v.kind == VALUE_BOOL && v.as.b == stop) {
            return v;
        }
        if (v.kind == VALUE_ERROR) {
            if (v.n == CEL_ERROR_BUDGET) {
                return v;
            }
            result = result.kind == VALUE_BOOL ? v : result;
        }
    }
    return result;
}

static struct value walk_one(struct walk *w)
{
    uint32_t found = 0;
    while (step(w)) {
        struct value v = test(w);
        if (v.kind == VALUE_ERROR) {
            return v;
        }
        found += v.as.b;
    }
    return value_bool(found == 1);
}

static struct value walk_list(struct walk *w)
{
    struct value error;
    struct value *list = frame_alloc(w->f, w->range.n * sizeof *list, _Alignof(struct value), &error);
    if (list == NULL) {
        return error;
    }
    uint32_t n = 0;
    while (step(w)) {
        struct value v = test(w);
        if (v.kind == VALUE_ERROR) {
            return v;
        }
        if (!v.as.b) {
            continue;
        }
        list[n] = run_node(w->f, w->result);
        if (list[n].kind == VALUE_ERROR) {
            return list[n];
        }
        n++;
    }
    return (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
}

// The key and value that one turn adds: the walked key, or the one entry of a map.
static struct value entry_of(struct walk *w, struct value *key)
{
    *key = w->f->locals[w->node->c];
    struct value v = run_node(w->f, w->result);
    if (w->comp == COMP_MAP || v.kind == VALUE_ERROR) {
        return v;
    }
    if (v.kind != VALUE_MAP || v.n != 1) {
        return frame_no_overload(F_INDEX, &v, 1);
    }
    *key = v.as.map[0].key;
    return v.as.map[0].value;
}

static struct value walk_map(struct walk *w)
{
    struct value error;
    struct value_entry *room =
        frame_alloc(w->f, w->range.n * sizeof *room, _Alignof(struct value_entry), &error);
    if (room == NULL) {
        return error;
    }
    struct value map = {.kind = VALUE_MAP, .as.map = room};
    while (step(w)) {
        struct value v = test(w), key;
        if (v.kind == VALUE_ERROR) {
            return v;
        }
        if (!v.as.b) {
            continue;
        }
        v = entry_of(w, &key);
        if (v.kind != VALUE_ERROR) {
            struct value value = v;
            v = add_entry(w->f, &map, room, &key, &value);
        }
        if (v.kind == VALUE_ERROR) {
            return v;
        }
    }
    return map;
}

static struct value walk_optional(struct walk *w)
{
    if (w->range.flag == 0) {
        return run_none();
    }
    w->f->locals[w->node->c] = *w->range.as.list;
    struct value v = run_node(w->f, w->test);
    if (v.kind == VALUE_ERROR) {
        return v;
    }
    if (w->comp == COMP_OPT_MAP) {
        return run_some(w->f, v);
    }
    return v.kind == VALUE_OPTIONAL ? v : frame_no_overload(F_OPT_VALUE, &v, 1);
}

static struct value walk(struct walk *w)
{
    switch (w->comp) {
    case COMP_ALL:
        return walk_any(w, false);
    case COMP_EXISTS:
        return walk_any(w, true);
    case COMP_ONE:
        return walk_one(w);
    case COMP_LIST:
        return walk_list(w);
    case COMP_MAP:
    case COMP_ENTRIES:
        return walk_map(w);
    case COMP_OPT_MAP:
    case COMP_OPT_FLAT:
        return walk_optional(w);
    }
    return frame_error(CEL_ERROR_OTHER, 0);
}

struct value run_comp(struct cel_frame *frame, const struct node *node)
{
    const uint32_t *args = &frame->args[node->a];
    struct walk w = {.f = frame, .node = node, .test = args[1], .result = args[2]};
    w.comp = (enum comp_kind)(node->b & 0xff);
    w.two = node->b >> 8 == 2;
    w.range = run_node(frame, args[0]);
    bool optional = w.comp == COMP_OPT_MAP || w.comp == COMP_OPT_FLAT;
    bool right =
        optional ? w.range.kind == VALUE_OPTIONAL : w.range.kind == VALUE_LIST || w.range.kind == VALUE_MAP;
    if (!right) {
        return w.range.kind == VALUE_ERROR ? w.range : frame_no_overload(F_INDEX, &w.range, 1);
    }
    // What a name stands for (cel.bind, vars) was written outside of the walk that reads it, so the variables
    // of both may lie in the same place.
    struct value *vars = &frame->locals[node->c];
    struct value outer[2] = {vars[0], vars[1]};
    struct value value = walk(&w);
    vars[0] = outer[0];
    vars[1] = outer[1];
    return value;
}
