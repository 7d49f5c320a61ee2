// SPDX-License-Identifier: Apache-2.0
// Counter documents: by what, in which window, what each question adds.
#include "policy/build.h"
#include "policy/shapes.h"

#include "base/time.h"

#include <math.h>

static const int64_t WINDOW_LEAST_MS = TIME_MS_PER_S;
static const int64_t WINDOW_MOST_MS = INT64_C(366) * 24 * 3600 * 1000;

struct document {
    struct build_head head;
    struct conf_texts key;
    int64_t window_ms;
    const struct conf_node *add, *when;
    int on;
};

static const char *const ONS[] = {"allow", "any", NULL};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"key", CONF_TEXTS, true, offsetof(struct document, key), NULL, 0, 0, "attributes that it counts by"},
    {"window", CONF_DURATION, true, offsetof(struct document, window_ms), NULL, WINDOW_LEAST_MS,
     WINDOW_MOST_MS, "what is older no longer counts"},
    {"add", CONF_ANY, false, offsetof(struct document, add), NULL, 0, 0, "what a question adds; left out: 1"},
    {"when", CONF_ANY, false, offsetof(struct document, when), NULL, 0, 0,
     "which questions count; left out: each"},
    {"on", CONF_CHOICE, false, offsetof(struct document, on), ONS, 0, 0,
     "allow: only what was allowed; any: all that was judged"},
};

static const struct conf_nest SHAPE_COUNTER_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"add", CONF_FORM_EXPR, NULL},
    {"when", CONF_FORM_WHEN, NULL},
};
const struct conf_shape SHAPE_COUNTER = {
    "Counter", DOCUMENT, COUNT_OF(DOCUMENT), SHAPE_COUNTER_NESTS, COUNT_OF(SHAPE_COUNTER_NESTS), NULL, 0};

// One document while it is read.
struct reading {
    struct build *build;
    const struct conf_doc *doc;
    const struct document *document;
    struct policy_counter *out;
};

// ---- What it may read --------------------------------------------------------------------------------

// They are run before the question is scored, for conditions of all kinds to read the counter.
static void check_reads(struct reading *r, const struct conf_node *node, const char *key, uint32_t expr)
{
    static const struct str CLOSED[] = {{"risk", 4}, {"travel", 6}, {"counters", 8}};
    for (size_t i = 0; expr != SET_NO_EXPR && i < COUNT_OF(CLOSED); i++) {
        if (cel_reads(r->build->program, expr, CLOSED[i])) {
            build_fail(r->build, PDP_ERR_REFUSED, node->place,
                       "what a question adds is known before it is scored: test this in the rule that reads "
                       "the counter",
                       "`%s` of a Counter cannot read `" STR_FMT "`", key, STR_ARG(CLOSED[i]));
        }
    }
}

// ---- Key --------------------------------------------------------------------------------------------

static void read_key_part(struct reading *r, const struct conf_node *node, uint32_t *slots)
{
    static const struct build_vars NONE = {NULL, 0};
    struct build *build = r->build;
    uint32_t slot = 0;
    uint32_t expr = when_expr(build, node, CEL_DYN, &NONE);
    if (expr == SET_NO_EXPR) {
        return;
    }
    if (!cel_is_attr(build->program, expr, &slot)) {
        build_fail(build, PDP_ERR_TYPE, node->place, "such as `subject.id` or `network.ip`",
                   "`" STR_FMT "` is no attribute", STR_ARG(build_shown(build, node->text)));
        return;
    }
    check_reads(r, node, "key", expr);
    for (uint32_t i = 0; i < r->out->key_count; i++) {
        if (slots[i] == slot) {
            build_fail(build, PDP_ERR_DUPLICATE, node->place, NULL, "`" STR_FMT "` stands in the key twice",
                       STR_ARG(build_shown(build, node->text)));
            return;
        }
    }
    slots[r->out->key_count++] = slot;
}

static void read_key(struct reading *r)
{
    const struct conf_texts *key = &r->document->key;
    const struct conf_node *node = conf_get(r->doc->root, "key");
    if (node == NULL) { // and reported
        return;
    }
    if (node->kind == CONF_LIST && node->count == 0) {
        build_fail(r->build, PDP_ERR_MISSING, node->place, "`[tenant]` counts for all of a tenant together",
                   "`key` is empty");
    }
    if (key->count > POLICY_COUNTER_KEYS_MOST) {
        build_fail(r->build, PDP_ERR_LIMIT, node->place, NULL, "more than %d attributes in `key`",
                   POLICY_COUNTER_KEYS_MOST);
        return;
    }
    uint32_t *slots = build_array(r->build, key->count, sizeof(*slots));
    for (size_t i = 0; slots != NULL && i < key->count; i++) {
        read_key_part(r, key->nodes[i], slots);
    }
    r->out->key = slots;
}

// ---- Expressions ------------------------------------------------------------------------------------

static bool is_present(struct reading *r, const struct conf_node *node, const char *key, const char *hint)
{
    if (node != NULL && node->kind == CONF_NULL) {
        build_fail(r->build, PDP_ERR_MISSING, build_key_place(r->doc->root, key), hint, "`%s` is empty", key);
        return false;
    }
    return node != NULL;
}

static bool is_amount(const struct value *value)
{
    return (value->kind == VALUE_INT && value->as.i >= 0) || value->kind == VALUE_UINT ||
           (value->kind == VALUE_DOUBLE && value->as.d >= 0 && isfinite(value->as.d));
}

static void read_add(struct reading *r)
{
    const struct conf_node *node = r->document->add;
    r->out->add = SET_NO_EXPR;
    if (!is_present(r, node, "add", "leave `add` out to add 1 a question")) {
        return;
    }
    r->out->add = when_expr(r->build, node, CEL_DOUBLE, &r->build->shared);
    check_reads(r, node, "add", r->out->add);
    (void)when_bound(r->build, r->out->add, 0, node->place, "the counter", r->out->name);
    const struct value *constant = cel_constant_value(r->build->program, r->out->add);
    if (constant != NULL && !is_amount(constant)) {
        build_fail(r->build, PDP_ERR_RANGE, node->place, NULL, "a counter adds a number from 0 up");
    }
}

static void read_when(struct reading *r)
{
    const struct conf_node *node = r->document->when;
    r->out->when = SET_NO_EXPR;
    if (is_present(r, node, "when", "leave `when` out where each question counts")) {
        r->out->when = when_read(r->build, node, &r->build->shared);
        check_reads(r, node, "when", r->out->when);
        (void)when_bound(r->build, r->out->when, 0, node->place, "the counter", r->out->name);
    }
}

// ---- The document -----------------------------------------------------------------------------------

static const char *words(struct build *build, struct str name, const char *what)
{
    struct str text = arena_printf(build->arena, "`counters." STR_FMT "`: %s", STR_ARG(name), what);
    if (text.len == 0) {
        build_note(build, PDP_ERR_NOMEM);
    }
    return text.at;
}

static struct policy_counter *counter_of(struct build *build, struct str name)
{
    for (size_t i = 0; i < build->names->counter_count; i++) {
        if (str_eq(build->names->counters[i], name)) {
            return &build->set->counters[i];
        }
    }
    return NULL; // its name was refused
}

void read_counter(struct build *build, const struct conf_doc *doc)
{
    struct document document = {0};
    build_note(build, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Counter", &document, build->arena,
                                build->diags));
    struct policy_counter refused = {0};
    struct policy_counter *counter = counter_of(build, build_doc_name(doc));
    counter = counter != NULL && counter->name.len == 0 ? counter : &refused;
    struct reading r = {build, doc, &document, counter};
    *counter = (struct policy_counter){
        .name = build_copy(build, build_doc_name(doc)),
        .window_ms = document.window_ms,
        .any = document.on == 1,
    };
    counter->bad_add = words(build, counter->name, "what this question adds is no number from 0 up");
    counter->bad_when = words(build, counter->name, "its `when` is no truth");
    counter->bad_key = words(build, counter->name, "a key is text, a number, a truth or an address");
    counter->bad_past = words(build, counter->name, "a question in its window could not be counted");
    conditions_of(build, POLICY_OWNER_COUNTER, counter->name, STR(""));
    build->conditions.values = true; // what may be of any type would count as a condition else
    read_key(&r);
    read_add(&r);
    build->conditions.values = false;
    read_when(&r);
}

const struct policy_counter *policy_counters(const struct policy_set *set, size_t *count)
{
    *count = set->counter_count;
    return set->counters;
}
