// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/shapes.h"

#include "cli/edit/schema.h"

#include <criterion/criterion.h>

static bool says_enough(const struct conf_field *field)
{
    return field->type != CONF_ANY && field->type != CONF_MAPPING && field->type != CONF_SEQUENCE;
}

static bool is_head(const struct conf_field *field)
{
    return strcmp(field->name, "apiVersion") == 0 || strcmp(field->name, "kind") == 0 ||
           strcmp(field->name, "metadata") == 0;
}

// Every key that holds more than its type says has its form; and every form and tie is of a key that is
// there.
static void check_shape(const struct conf_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct conf_field *field = &shape->fields[i];
        bool nested = shape_nest(shape, str_of(field->name)) != NULL;
        cr_expect(nested || says_enough(field) || is_head(field), "%s: %s has no form", shape->name,
                  field->name);
        cr_expect(field->help != NULL && field->help[0] != '\0', "%s: %s has no help", shape->name,
                  field->name);
    }
    for (size_t i = 0; i < shape->nest_count; i++) {
        const struct conf_nest *nest = &shape->nests[i];
        bool there = shape_field(shape, str_of(nest->key)) != NULL;
        cr_expect(there || strcmp(nest->key, "weights") == 0, "%s has no key %s", shape->name, nest->key);
        if (nest->of != NULL) {
            check_shape(nest->of);
        }
    }
    for (size_t i = 0; i < shape->tie_count; i++) {
        cr_expect(shape_field(shape, str_of(shape->ties[i].keys[0])) != NULL, "%s: a tie of nothing",
                  shape->name);
    }
}

Test(cli_shapes, say_what_stands_below_every_key)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    struct shapes shapes;
    cr_assert_eq(shapes_all(&arena, &shapes), PDP_ERR_OK);
    cr_expect_geq(shapes.count, 11);
    for (size_t i = 0; i < shapes.count; i++) {
        check_shape(shapes.list[i]);
    }
}

static void collect(void *user, const struct conf_node *scalar)
{
    buf_str(user, scalar->text);
    buf_byte(user, ';');
}

Test(cli_shapes, find_every_expression)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf found = {0};
    arena_init(&arena, 0, 0);
    diags_init(&diags, 10);
    struct source source = {STR("a.yaml"), STR("kind: Policy\n"
                                               "target: a\n"
                                               "variables: {x: b, y: c}\n"
                                               "rules:\n"
                                               "  - {id: one, effect: deny, when: d, reason: no}\n"
                                               "  - id: two\n"
                                               "    when:\n"
                                               "      all:\n"
                                               "        - e\n"
                                               "        - not: {any: [f, g]}\n"
                                               "      other: no\n")};
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct shapes shapes;
    cr_assert_eq(conf_parse(&source, &arena, &diags, &docs, &count), PDP_ERR_OK);
    cr_assert_eq(shapes_all(&arena, &shapes), PDP_ERR_OK);
    shape_exprs(shapes_of(&shapes, docs[0].root), docs[0].root, collect, &found);
    cr_expect(str_eq(buf_view(&found), STR("a;b;c;d;e;f;g;")), STR_FMT, STR_ARG(buf_view(&found)));
}

Test(cli_shapes, are_written_as_json_schema)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(buf_fini) struct buf out = {0};
    struct shapes shapes;
    arena_init(&arena, 0, 0);
    cr_assert_eq(shapes_all(&arena, &shapes), PDP_ERR_OK);
    static const char *const CHOICES[] = {"a", "b", NULL};
    static const struct conf_field FIELDS[] = {
        {"id", CONF_ID, true, 0, NULL, 0, 0, "its \"name\""},
        {"one", CONF_CHOICE, false, 0, CHOICES, 0, 0, "which"},
        {"many", CONF_INT, false, 0, NULL, 1, INT64_MAX, "how many"},
    };
    static const struct conf_tie TIES[] = {{CONF_BOND_NEED, {"many", "one", "b"}}};
    static const struct conf_shape SMALL = {"Small", FIELDS, COUNT_OF(FIELDS), NULL, 0, TIES, 1};
    schema_print(&shapes, &SMALL, &out);
    const char *wanted = "{\n"
                         "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                         "  \"title\": \"Small\",\n"
                         "  \"type\": \"object\",\n"
                         "  \"properties\": {\n"
                         "    \"id\": {\n"
                         "      \"description\": \"its \\\"name\\\"\",\n"
                         "      \"type\": \"string\",\n"
                         "      \"pattern\": \"^[A-Za-z][A-Za-z0-9._-]{0,127}$\"\n"
                         "    },\n"
                         "    \"one\": {\n"
                         "      \"description\": \"which\",\n"
                         "      \"enum\": [\n"
                         "        \"a\",\n"
                         "        \"b\"\n"
                         "      ]\n"
                         "    },\n"
                         "    \"many\": {\n"
                         "      \"description\": \"how many\",\n"
                         "      \"type\": \"integer\",\n"
                         "      \"minimum\": 1\n"
                         "    }\n"
                         "  },\n"
                         "  \"required\": [\n"
                         "    \"id\"\n"
                         "  ],\n"
                         "  \"allOf\": [\n"
                         "    {\n"
                         "      \"if\": {\n"
                         "        \"properties\": {\n"
                         "          \"one\": {\n"
                         "            \"const\": \"b\"\n"
                         "          }\n"
                         "        }\n"
                         "      },\n"
                         "      \"then\": {\n"
                         "        \"required\": [\n"
                         "          \"many\"\n"
                         "        ]\n"
                         "      },\n"
                         "      \"else\": {\n"
                         "        \"not\": {\n"
                         "          \"required\": [\n"
                         "            \"many\"\n"
                         "          ]\n"
                         "        }\n"
                         "      }\n"
                         "    }\n"
                         "  ],\n"
                         "  \"additionalProperties\": false,\n";
    cr_expect(str_starts(buf_view(&out), str_of(wanted)), STR_FMT, STR_ARG(buf_view(&out)));
    cr_expect(str_ends(buf_view(&out), STR("\n  }\n}\n")));
}
