// SPDX-License-Identifier: Apache-2.0
// A schema as stable text.
#include "policy/schema.h"

static void put_texts(struct buf *out, const struct str *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct value value = value_str(texts[i]);
        buf_str(out, i > 0 ? STR(", ") : STR(""));
        value_print(out, &value, 4096);
    }
}

static void put_type(struct buf *out, const struct cel_slot_info *info)
{
    static const char *const NAMES[CEL_TYPE_COUNT] = {
        [CEL_DYN] = "dyn",           [CEL_BOOL] = "bool",     [CEL_INT] = "int",
        [CEL_DOUBLE] = "double",     [CEL_STRING] = "string", [CEL_TIMESTAMP] = "timestamp",
        [CEL_DURATION] = "duration", [CEL_IP] = "ip",         [CEL_LIST_STRING] = "[string]",
        [CEL_LIST_DYN] = "list",     [CEL_MAP_DYN] = "map",   [CEL_LIST_INT] = "[int]",
    };
    if (info->schema->value_count > 0) {
        buf_str(out, STR("one of "));
        put_texts(out, info->schema->values, info->schema->value_count);
    } else {
        buf_str(out, str_of(NAMES[info->type] != NULL ? NAMES[info->type] : "dyn"));
    }
}

static void put_attr(struct buf *out, const struct schema_attr *attr)
{
    const struct cel_schema *schema = attr->info.schema;
    buf_printf(out, "attribute " STR_FMT ": ", STR_ARG(attr->info.path));
    put_type(out, &attr->info);
    if (schema->max_items > 0) {
        buf_printf(out, ", at most %u items", schema->max_items);
    }
    if (schema->max_bytes > 0) {
        buf_printf(out, ", at most %u bytes", schema->max_bytes);
    }
    if (attr->required) {
        buf_str(out, attr->kind_count > 0 ? STR(", required of ") : STR(", required"));
        put_texts(out, attr->kinds, attr->kind_count);
    }
    buf_str(out, schema->sensitive ? STR(", sensitive\n") : STR("\n"));
}

void policy_schema_print(const struct policy_schema *schema, struct buf *out)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        put_attr(out, &schema->attrs[i]);
    }
    for (uint32_t i = 0; i < schema->closed_count; i++) {
        buf_printf(out, "%s" STR_FMT, i > 0 ? ", " : "closed ", STR_ARG(schema->closed[i]));
    }
    buf_str(out, schema->closed_count > 0 ? STR("\n") : STR(""));
}
