// SPDX-License-Identifier: Apache-2.0
// HOT
// What a schema requires of a question. Asked of the question itself, before its session is looked at: what
// is believed of the authentication later does not count here.
#include "engine/ask.h"

#include "model/fault.h"

static bool is_required(const struct ask *ask, const struct schema_attr *attr)
{
    struct str kind = attr->of_resource ? ask->request->resource_type : ask->request->subject_type;
    for (uint32_t i = 0; i < attr->kind_count; i++) {
        if (str_eq(attr->kinds[i], kind)) {
            return true;
        }
    }
    return attr->kind_count == 0;
}

static bool is_there(struct ask *ask, const struct schema_attr *attr)
{
    struct value value;
    return ask_resolve(ask, &attr->info, &value) && value.kind != VALUE_NULL && value.kind != VALUE_ERROR;
}

static void tell(struct ask *ask, const struct schema_attr *attr, struct str *words, size_t *count)
{
    char field[sizeof ask->worker->fault.field];
    struct str path = attr->info.path;
    if (*count == 0) {
        size_t len = path.len < sizeof field - 1 ? path.len : sizeof field - 1;
        memcpy(field, path.at, len);
        field[len] = '\0';
        (void)fault_set(&ask->worker->fault, field, "is missing; the schema `" STR_FMT "` requires it",
                        STR_ARG(attr->document));
    }
    if (words != NULL && *count < VERDICT_MISSING_MAX) {
        words[(*count)++] = attr->lacks;
    }
}

bool ask_complete(struct ask *ask, const struct str **missing, size_t *count)
{
    const struct policy_schema *schema = &ask->snapshot->schema;
    struct str *words = NULL;
    bool complete = true;
    for (uint32_t i = 0; i < schema->required_count; i++) {
        const struct schema_attr *attr = schema->required[i];
        if (!is_required(ask, attr) || is_there(ask, attr)) {
            continue;
        }
        if (complete) {
            words = ARENA_ARRAY(&ask->worker->arena, struct str, VERDICT_MISSING_MAX);
            *missing = words;
            *count = 0;
        }
        complete = false;
        tell(ask, attr, words, count);
    }
    return complete;
}
