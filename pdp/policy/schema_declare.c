// SPDX-License-Identifier: Apache-2.0
// All declared attributes together, and what conditions may read then.
#include "policy/schema_inner.h"

#include <stdlib.h>

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }
#define PROPERTIES(root)                                                           \
    {                                                                              \
        TEXT(root), TEXT(root), TEXT(root ".properties"), TEXT(root ".properties") \
    }
const struct schema_root SCHEMA_ROOTS[SCHEMA_ROOT_COUNT] = {
    PROPERTIES("subject"),
    PROPERTIES("action"),
    PROPERTIES("resource"),
    {TEXT("context"), TEXT("context"), {NULL, 0}, {NULL, 0}},
    {TEXT("device.components"), TEXT("device.components"), TEXT("context.device.components"),
     TEXT("context")},
};

bool schema_is_under(struct str path, struct str above)
{
    return path.len > above.len && path.at[above.len] == '.' && str_starts(path, above);
}

static const struct cel_attr_decl *find_attr(const struct cel_env *env, struct str path)
{
    for (size_t i = 0; i < env->attr_count; i++) {
        if (str_eq(env->attrs[i].path, path)) {
            return &env->attrs[i];
        }
    }
    return NULL;
}

bool schema_id_of(const struct cel_env *env, struct str owner, uint32_t *id)
{
    const struct cel_attr_decl *attr = find_attr(env, owner);
    if (attr != NULL) {
        *id = attr->id;
        return true;
    }
    for (size_t i = 0; i < env->root_count; i++) {
        if (str_eq(env->roots[i].name, owner)) {
            *id = env->roots[i].id;
            return true;
        }
    }
    return false;
}

// ---- All of them together ---------------------------------------------------------------------------

// A dot comes before all that a name holds, so what is under an attribute follows it.
static int by_path(const void *a, const void *b)
{
    const struct schema_draft *one = a, *two = b;
    int order = str_cmp(one->attr.info.path, two->attr.info.path);
    if (order != 0) {
        return order;
    }
    order = str_cmp(one->place.src->name, two->place.src->name);
    return order != 0 ? order : (one->place.at > two->place.at) - (one->place.at < two->place.at);
}

static bool same_texts(const struct str *a, uint32_t a_count, const struct str *b, uint32_t b_count)
{
    bool same = a_count == b_count;
    for (uint32_t i = 0; same && i < a_count; i++) {
        same = str_eq(a[i], b[i]);
    }
    return same;
}

static bool same(const struct schema_draft *a, const struct schema_draft *b)
{
    const struct cel_schema *x = a->schema, *y = b->schema;
    return a->attr.info.type == b->attr.info.type && a->attr.required == b->attr.required &&
           x->max_items == y->max_items && x->max_bytes == y->max_bytes && x->sensitive == y->sensitive &&
           same_texts(x->values, x->value_count, y->values, y->value_count) &&
           same_texts(a->attr.kinds, a->attr.kind_count, b->attr.kinds, b->attr.kind_count);
}

static void refuse_pair(struct schema_reader *r, const struct schema_draft *first,
                        const struct schema_draft *second, bool under)
{
    uint32_t line = 0, col = 0;
    build_fail(&r->build, PDP_ERR_DUPLICATE, second->place, NULL,
               under ? "`" STR_FMT "` is a field of what is declared as a whole"
                     : "`" STR_FMT "` is declared in another way elsewhere",
               STR_ARG(second->attr.info.path));
    place_line_col(first->place, &line, &col);
    diag_hint(r->build.diags, "`" STR_FMT "` is declared at " STR_FMT ":%u", STR_ARG(first->attr.info.path),
              STR_ARG(first->place.src->name), line);
}

// Leaves each attribute once, in the order of their paths.
static void unite(struct schema_reader *r)
{
    uint32_t kept = 0;
    qsort(r->drafts, r->count, sizeof *r->drafts, by_path);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct schema_draft *draft = &r->drafts[i];
        const struct schema_draft *last = kept > 0 ? &r->drafts[kept - 1] : NULL;
        bool twice = last != NULL && str_eq(last->attr.info.path, draft->attr.info.path);
        bool under = last != NULL && schema_is_under(draft->attr.info.path, last->attr.info.path);
        if (under || (twice && !same(last, draft))) {
            refuse_pair(r, last, draft, under);
        }
        if (!twice && !under) {
            r->drafts[kept++] = *draft;
        }
    }
    r->count = kept;
}

static bool is_closed(const struct schema_reader *r, uint32_t root)
{
    for (uint32_t i = 0; i < r->count && !r->open[root]; i++) {
        if (r->drafts[i].root == root) {
            return true;
        }
    }
    return false;
}

// Is it what holds all attributes of a root that is closed? Reading it would go around the schema.
static bool is_around(const struct schema_reader *r, struct str path)
{
    for (uint32_t i = 0; i < SCHEMA_ROOT_COUNT; i++) {
        if ((str_eq(path, SCHEMA_ROOTS[i].owner) || str_eq(path, SCHEMA_ROOTS[i].other)) && is_closed(r, i)) {
            return true;
        }
    }
    return false;
}

// The same attribute by its second name.
static bool other_name(struct schema_reader *r, const struct schema_draft *draft, struct cel_attr_decl *out)
{
    const struct schema_root *root = &SCHEMA_ROOTS[draft->root];
    struct build *build = &r->build;
    uint32_t id = 0;
    if (draft->reserved || root->other.len == 0 || !schema_id_of(r->env, root->other_owner, &id)) {
        return false;
    }
    struct cel_schema *schema = ARENA_NEW(build->arena, struct cel_schema);
    struct str rest = str_sub(draft->attr.info.path, root->name.len + 1, SCHEMA_PATH_MOST);
    struct str path = arena_printf(build->arena, STR_FMT "." STR_FMT, STR_ARG(root->other), STR_ARG(rest));
    if (schema == NULL || path.len == 0) {
        build_note(build, PDP_ERR_NOMEM);
        return false;
    }
    *schema = *draft->schema;
    schema->base = (uint32_t)root->other_owner.len;
    *out = (struct cel_attr_decl){path, draft->attr.info.type, id, schema};
    return true;
}

static void declare_attrs(struct schema_reader *r)
{
    const struct cel_env *env = r->env;
    size_t most = env->attr_count + 2 * (size_t)r->count, count = 0;
    struct cel_attr_decl *attrs = build_array(&r->build, most, sizeof *attrs);
    if (attrs == NULL) {
        return;
    }
    for (size_t i = 0; i < env->attr_count; i++) {
        if (!is_around(r, env->attrs[i].path)) {
            attrs[count++] = env->attrs[i];
        }
    }
    for (uint32_t i = 0; i < r->count; i++) {
        const struct cel_slot_info *info = &r->drafts[i].attr.info;
        attrs[count++] = (struct cel_attr_decl){info->path, info->type, info->id, info->schema};
        count += other_name(r, &r->drafts[i], &attrs[count]) ? 1 : 0;
    }
    r->env->attrs = attrs;
    r->env->attr_count = count;
}

static void declare_roots(struct schema_reader *r)
{
    const struct cel_env *env = r->env;
    struct cel_root_decl *roots = build_array(&r->build, env->root_count + 1, sizeof *roots);
    size_t count = 0;
    if (roots == NULL) {
        return;
    }
    for (size_t i = 0; i < env->root_count; i++) {
        roots[count] = env->roots[i];
        roots[count].open = roots[count].open && !is_around(r, roots[count].name);
        count++;
    }
    if (is_closed(r, SCHEMA_COMPONENTS)) {
        roots[count++] = (struct cel_root_decl){.name = SCHEMA_ROOTS[SCHEMA_COMPONENTS].other};
    }
    r->env->roots = roots;
    r->env->root_count = count;
}

static void give(struct schema_reader *r, struct policy_schema *out)
{
    struct schema_attr *attrs = build_array(&r->build, r->count, sizeof *attrs);
    struct str *closed = build_array(&r->build, SCHEMA_ROOT_COUNT, sizeof *closed);
    const struct schema_attr **required = build_array(&r->build, r->count, sizeof *required);
    for (uint32_t i = 0; attrs != NULL && required != NULL && i < r->count; i++) {
        struct schema_draft *draft = &r->drafts[i];
        struct cel_slot_info *info = &draft->attr.info;
        info->rest = str_sub(info->path, draft->schema->base + 1, SCHEMA_PATH_MOST);
        draft->attr.of_resource = draft->root == SCHEMA_RESOURCE;
        draft->attr.lacks = arena_printf(r->build.arena, "`" STR_FMT "` is missing", STR_ARG(info->path));
        attrs[out->count++] = draft->attr;
        if (draft->attr.required) {
            required[out->required_count++] = &attrs[i];
        }
    }
    for (uint32_t i = 0; closed != NULL && i < SCHEMA_ROOT_COUNT; i++) {
        if (is_closed(r, i)) {
            closed[out->closed_count++] = SCHEMA_ROOTS[i].name;
        }
    }
    out->attrs = attrs;
    out->required = required;
    out->closed = closed;
}

void schema_declare(struct schema_reader *r, struct policy_schema *out)
{
    unite(r);
    declare_attrs(r);
    declare_roots(r);
    give(r, out);
}
