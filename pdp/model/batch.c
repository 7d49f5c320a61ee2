// SPDX-License-Identifier: Apache-2.0
// HOT
#include "model/fault.h"
#include "model/request.h"

static const struct str SEMANTICS[] = {
    [BATCH_EXECUTE_ALL] = {"execute_all", 11},
    [BATCH_DENY_ON_FIRST_DENY] = {"deny_on_first_deny", 18},
    [BATCH_PERMIT_ON_FIRST_PERMIT] = {"permit_on_first_permit", 22},
};

// What an item takes from the batch where it has none of its own.
static const char *const DEFAULTS[] = {"subject", "action",     "resource", "context",
                                       "tenant",  "request_id", "explain"};

struct defaults {
    const struct value_entry *list[COUNT_OF(DEFAULTS)];
    size_t count;
};

static bool is_there(const struct value *v)
{
    return v != NULL && v->kind != VALUE_NULL;
}

static void find_defaults(const struct value *root, struct defaults *out)
{
    *out = (struct defaults){0};
    for (uint32_t i = 0; i < root->n; i++) {
        const struct value_entry *entry = &root->as.map[i];
        for (size_t k = 0; k < COUNT_OF(DEFAULTS) && is_there(&entry->value); k++) {
            if (str_eq(value_text(&entry->key), str_of(DEFAULTS[k]))) {
                out->list[out->count++] = entry;
                break;
            }
        }
    }
}

// An item's own entries, but for its nulls, then the defaults that it lacks. Whole: maps are not merged
// deeper.
static enum pdp_err merge(const struct value *item, const struct defaults *defaults, struct arena *arena,
                          struct value *out)
{
    size_t most = (size_t)item->n + defaults->count;
    struct value_entry *entries = most == 0 ? NULL : ARENA_ARRAY(arena, struct value_entry, most);
    if (most != 0 && entries == NULL) {
        return PDP_ERR_NOMEM;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < item->n; i++) {
        if (is_there(&item->as.map[i].value)) {
            entries[count++] = item->as.map[i];
        }
    }
    for (size_t k = 0; k < defaults->count; k++) {
        if (!is_there(value_get(item, value_text(&defaults->list[k]->key)))) {
            entries[count++] = *defaults->list[k];
        }
    }
    *out = (struct value){.kind = VALUE_MAP, .n = count, .as.map = entries};
    return PDP_ERR_OK;
}

static enum pdp_err read_semantic(const struct value *root, struct batch *out, struct fault *why)
{
    static const char FIELD[] = "options.evaluations_semantic";
    const struct value *options = value_get(root, STR("options"));
    if (!is_there(options)) {
        return PDP_ERR_OK;
    }
    if (options->kind != VALUE_MAP) {
        return fault_set(why, "options", "expected a map, found %s",
                         value_kind_name((enum value_kind)options->kind));
    }
    const struct value *word = value_get(options, STR("evaluations_semantic"));
    if (!is_there(word)) {
        return PDP_ERR_OK;
    }
    for (size_t i = 0; i < COUNT_OF(SEMANTICS); i++) {
        if (value_is_text(word, SEMANTICS[i])) {
            out->semantic = (enum batch_semantic)i;
            return PDP_ERR_OK;
        }
    }
    return fault_set(why, FIELD, "expected `execute_all`, `deny_on_first_deny` or `permit_on_first_permit`");
}

static enum pdp_err read_items(const struct value *root, const struct value *list, struct arena *arena,
                               struct batch *out, struct fault *why)
{
    struct defaults defaults;
    find_defaults(root, &defaults);
    struct value *items = ARENA_ARRAY(arena, struct value, list->n);
    if (items == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < list->n; i++) {
        const struct value *item = &list->as.list[i];
        items[i] = value_null();
        if (item->kind != VALUE_MAP) {
            continue;
        }
        if (is_there(value_get(item, STR("event")))) {
            return fault_set(why, "evaluations", "item %u is an event: send events by themselves", i);
        }
        TRY(merge(item, &defaults, arena, &items[i]));
    }
    out->is_batch = true;
    out->count = list->n;
    out->items = items;
    return PDP_ERR_OK;
}

enum pdp_err batch_read(const struct value *root, struct arena *arena, struct batch *out, struct fault *why)
{
    *out = (struct batch){0};
    const struct value *list = value_get(root, STR("evaluations"));
    if (!is_there(list)) {
        return PDP_ERR_OK;
    }
    if (list->kind != VALUE_LIST) {
        return fault_set(why, "evaluations", "expected a list, found %s",
                         value_kind_name((enum value_kind)list->kind));
    }
    if (list->n == 0) {
        return PDP_ERR_OK;
    }
    if (list->n > REQUEST_BATCH_MAX) {
        enum pdp_err err =
            fault_set(why, "evaluations", "has %u items, at most %d are allowed", list->n, REQUEST_BATCH_MAX);
        return err == PDP_ERR_MALFORMED ? PDP_ERR_LIMIT : err;
    }
    if (is_there(value_get(root, STR("event")))) {
        return fault_set(why, "evaluations", "stands beside `event`: send events by themselves");
    }
    TRY(read_semantic(root, out, why));
    return read_items(root, list, arena, out, why);
}
