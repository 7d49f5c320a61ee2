// SPDX-License-Identifier: Apache-2.0
#include "model/search.h"

#include "model/fault.h"

static const struct str PARTS[SEARCH_PART_COUNT] = {[SEARCH_NONE] = {"none", 4},
#define X(name, text) [SEARCH_##name] = {text, sizeof(text) - 1},
                                                    SEARCH_PART_LIST(X)
#undef X
};

const char *search_part_name(enum search_part part)
{
    return PARTS[(unsigned)part < SEARCH_PART_COUNT ? part : SEARCH_NONE].at;
}

static bool is_there(const struct value *v)
{
    return v != NULL && v->kind != VALUE_NULL;
}

bool search_is(const struct value *root)
{
    return is_there(value_get(root, STR("search")));
}

// ---- Parts of the message -------------------------------------------------------------------------

// A message that is two would be answered as one by us and read as the other by whoever wrote it.
static enum pdp_err check_alone(const struct value *root, struct fault *why)
{
    static const char *const OTHERS[] = {"event", "evaluations", "hits"};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        if (is_there(value_get(root, str_of(OTHERS[i])))) {
            return fault_set(why, OTHERS[i], "stands beside `search`: send each by itself");
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err read_part(const struct value *root, enum search_part *out, struct fault *why)
{
    const struct value *word = value_get(root, STR("search"));
    for (int i = SEARCH_NONE + 1; i < SEARCH_PART_COUNT; i++) {
        if (value_is_text(word, PARTS[i])) {
            *out = (enum search_part)i;
            return PDP_ERR_OK;
        }
    }
    return fault_set(why, "search", "expected `subject`, `resource` or `action`");
}

static enum pdp_err read_limit(const struct value *limit, struct search *out, struct fault *why)
{
    if (!is_there(limit)) {
        return PDP_ERR_OK;
    }
    if (limit->kind != VALUE_INT || limit->as.i < 1) {
        return fault_set(why, "page.limit", "expected a whole number from 1 to %d", SEARCH_LIMIT_MAX);
    }
    out->limit = limit->as.i < SEARCH_LIMIT_MAX ? (uint32_t)limit->as.i : SEARCH_LIMIT_MAX;
    return PDP_ERR_OK;
}

static enum pdp_err read_page(const struct value *root, struct search *out, struct fault *why)
{
    const struct value *page = value_get(root, STR("page"));
    if (!is_there(page)) {
        return PDP_ERR_OK;
    }
    if (page->kind != VALUE_MAP) {
        return fault_set(why, "page", "expected a map, found %s",
                         value_kind_name((enum value_kind)page->kind));
    }
    const struct value *token = value_get(page, STR("token"));
    if (is_there(token) && token->kind != VALUE_STRING) {
        return fault_set(why, "page.token", "expected text, found %s",
                         value_kind_name((enum value_kind)token->kind));
    }
    if (is_there(token) && token->n > 0) { // an empty one is that of the first page
        out->token = value_text(token);
    }
    return read_limit(value_get(page, STR("limit")), out, why);
}

// ---- Trees without some of their entries ------------------------------------------------------------

static bool is_one_of(struct str key, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(key, str_of(names[i]))) {
            return true;
        }
    }
    return false;
}

// The entries of *out, which may be changed.
static struct value_entry *without(const struct value *map, const char *const *names, size_t count,
                                   struct arena *arena, struct value *out)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, (size_t)map->n + 1);
    *out = (struct value){.kind = VALUE_MAP, .as.map = entries};
    for (uint32_t i = 0; entries != NULL && i < map->n; i++) {
        if (!is_one_of(value_text(&map->as.map[i].key), names, count)) {
            entries[out->n++] = map->as.map[i];
        }
    }
    return entries;
}

// The map under a key; NULL where there is none.
static struct value *inner_map(struct value_entry *entries, uint32_t count, struct str key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (str_eq(value_text(&entries[i].key), key)) {
            return entries[i].value.kind == VALUE_MAP ? &entries[i].value : NULL;
        }
    }
    return NULL;
}

static enum pdp_err drop_inner(struct value *map, const char *name, struct arena *arena)
{
    const struct value was = *map;
    return without(&was, &name, 1, arena, map) != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

// What is left is read as a question.
static enum pdp_err without_searched(const struct value *root, enum search_part part, struct arena *arena,
                                     struct value *out)
{
    static const char *const NAMES[] = {"search", "page", "action"};
    bool actions = part == SEARCH_ACTION;
    struct value_entry *entries = without(root, NAMES, actions ? 3 : 2, arena, out);
    if (entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct value *searched = actions ? NULL : inner_map(entries, out->n, PARTS[part]);
    return searched != NULL ? drop_inner(searched, "id", arena) : PDP_ERR_OK;
}

// A page that says nothing but where it begins is as if there were none.
static void drop_empty_page(struct value_entry *entries, struct value *map)
{
    for (uint32_t i = 0; i < map->n; i++) {
        const struct value *page = &entries[i].value;
        bool empty = page->kind == VALUE_NULL || (page->kind == VALUE_MAP && page->n == 0);
        if (empty && str_eq(value_text(&entries[i].key), STR("page"))) {
            entries[i] = entries[--map->n];
            return;
        }
    }
}

enum pdp_err search_common(const struct value *root, struct arena *arena, struct value *out)
{
    static const char *const NAMES[] = {"request_id", "deadline_ms", "gateway"};
    struct value_entry *entries = without(root, NAMES, COUNT_OF(NAMES), arena, out);
    if (entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct value *page = inner_map(entries, out->n, STR("page"));
    if (page != NULL) {
        TRY(drop_inner(page, "token", arena));
    }
    drop_empty_page(entries, out);
    return PDP_ERR_OK;
}

// ---- The whole ----------------------------------------------------------------------------------------

enum pdp_err search_read(const struct value *root, struct arena *arena, struct search *out, struct fault *why)
{
    *out = (struct search){.limit = SEARCH_LIMIT_MAX};
    struct value question = value_null();
    TRY(check_alone(root, why));
    TRY(read_part(root, &out->part, why));
    TRY(without_searched(root, out->part, arena, &question));
    enum pdp_err err = request_read_search(&question, out->part, &out->request, why);
    out->request.root = *root;
    TRY(err);
    return read_page(root, out, why);
}
