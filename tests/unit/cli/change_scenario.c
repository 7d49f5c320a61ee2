// SPDX-License-Identifier: Apache-2.0
// Whatever a recording holds: the Scenario that is written of it says the same, and stands as `fmt` has it.
#include "cli/change/life.h"
#include "cli/edit/format.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define START INT64_C(1795424400000)
#define TEXTS_MADE 3000

// Words and characters that YAML, or one who reads it, takes for something else.
static const char *const ODD[] = {"\302\205",
                                  "\342\200\250",
                                  "\342\200\251",
                                  "\357\273\277",
                                  "\357\277\276",
                                  "\357\277\277",
                                  "\302\200",
                                  "\302\237",
                                  "\302\240",
                                  "\360\237\230\200",
                                  "\303\274",
                                  "\177",
                                  "\001",
                                  "\037",
                                  "\t",
                                  "\n",
                                  "\r",
                                  "\033",
                                  "\\",
                                  "\\n",
                                  "\"",
                                  "'",
                                  ": ",
                                  " #",
                                  "#",
                                  "{",
                                  "}",
                                  "[",
                                  "]",
                                  ",",
                                  "&",
                                  "*",
                                  "!",
                                  "|",
                                  ">",
                                  "%",
                                  "@",
                                  "`",
                                  "-",
                                  "- ",
                                  "?",
                                  "? ",
                                  ":",
                                  " ",
                                  "  ",
                                  "/",
                                  ".",
                                  "~",
                                  "null",
                                  "Null",
                                  "true",
                                  "YES",
                                  "off",
                                  ".nan",
                                  "nan",
                                  "inf",
                                  ".inf",
                                  "0x1f",
                                  "1e3",
                                  "12:30:00",
                                  "2026-11-23",
                                  "<<",
                                  "=",
                                  "---",
                                  "...",
                                  "a",
                                  "B",
                                  "7",
                                  "_",
                                  "\342\200\256",
                                  "\357\277\275",
                                  "{{",
                                  "\360\237\277\276"};

static uint64_t state = 7;

static uint32_t below(uint32_t limit)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % limit);
}

static struct value odd_text(struct arena *arena)
{
    struct buf out = {0};
    for (uint32_t parts = below(5); parts > 0; parts--) {
        buf_str(&out, str_of(ODD[below(COUNT_OF(ODD))]));
    }
    struct value text = value_str(arena_str(arena, buf_view(&out), NULL));
    buf_fini(&out);
    return text;
}

static struct value *list_of(struct arena *arena, uint32_t count, struct value *out)
{
    struct value *list = ARENA_ARRAY(arena, struct value, count + (size_t)1);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = odd_text(arena);
    }
    *out = (struct value){.kind = VALUE_LIST, .n = count, .as.list = list};
    return list;
}

// Properties whose keys and values are odd, each key once.
static struct value odd_map(struct arena *arena)
{
    static const double NUMBERS[] = {0.5, -1e300, 1e-9, 3, 12345678.25};
    struct value_entry *map = ARENA_ARRAY(arena, struct value_entry, 5);
    for (uint32_t i = 0; i < 5; i++) {
        struct value key = odd_text(arena);
        map[i].key = value_str(arena_printf(arena, "%u" STR_FMT, i, STR_ARG(value_text(&key))));
        map[i].key = below(2) == 0
                         ? value_str(arena_printf(arena, STR_FMT "%u", STR_ARG(value_text(&key)), i))
                         : map[i].key;
        map[i].value = odd_text(arena);
    }
    (void)list_of(arena, below(4), &map[1].value);
    if (below(3) == 0) {
        map[2].value = value_double(NUMBERS[below(COUNT_OF(NUMBERS))]);
        map[3].value = value_int(below(2) == 0 ? INT64_MIN : INT64_MAX);
    }
    if (below(3) == 0) {
        map[4].value = below(2) == 0 ? value_null() : value_bool(below(2) == 0);
    }
    return (struct value){.kind = VALUE_MAP, .n = 5, .as.map = map};
}

static struct value map_of(struct arena *arena, const char *a, struct value x, const char *b, struct value y)
{
    struct value_entry *map = ARENA_ARRAY(arena, struct value_entry, 2);
    map[0] = (struct value_entry){value_str(str_of(a)), x};
    map[1] = (struct value_entry){value_str(str_of(b)), y};
    return (struct value){.kind = VALUE_MAP, .n = b != NULL ? 2 : 1, .as.map = map};
}

static bool means(const struct conf_node *node, const struct value *value);

static bool means_parts(const struct conf_node *node, const struct value *value)
{
    bool map = value->kind == VALUE_MAP;
    bool good = node->kind == (map ? CONF_MAP : CONF_LIST) && node->count == value->n;
    for (uint32_t i = 0; good && i < value->n; i++) {
        good = map ? str_eq(node->entries[i].key->text, value_text(&value->as.map[i].key)) &&
                         means(node->entries[i].value, &value->as.map[i].value)
                   : means(node->items[i], &value->as.list[i]);
    }
    return good;
}

static bool means(const struct conf_node *node, const struct value *value)
{
    double number = 0;
    int64_t whole = 0;
    switch (value->kind) {
    case VALUE_MAP:
    case VALUE_LIST:
        return means_parts(node, value);
    case VALUE_STRING:
        return node->kind == CONF_SCALAR && str_eq(node->text, value_text(value)) &&
               (node->quoted || node->text.at[0] == '/' || (node->text.at[0] | 32) >= 'a');
    case VALUE_NULL:
        return node->kind == CONF_NULL;
    case VALUE_BOOL:
        return !node->quoted && str_eq(node->text, value->as.b ? STR("true") : STR("false"));
    case VALUE_INT:
        return !node->quoted && str_to_i64(node->text, &whole) && whole == value->as.i;
    default:
        return !node->quoted && str_to_double(node->text, &number) && !(number < value->as.d) &&
               !(number > value->as.d);
    }
}

static void check_text(const struct buf *out, const struct value *properties, const struct value *asked)
{
    const struct source source = {STR("incident_test.yaml"), buf_view(out)};
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct arena arena;
    struct diags diags;
    struct buf clean = {0}, said = {0};
    arena_init(&arena, 0, 0);
    diags_init(&diags, 10);
    enum pdp_err err = conf_parse(&source, &arena, &diags, &docs, &count);
    for (size_t i = 0; i < diags.count; i++) {
        buf_str(&said, diags.list[i].message);
    }
    cr_assert(err == PDP_ERR_OK && count == 1, STR_FMT "\n" STR_FMT, STR_ARG(buf_view(&said)),
              STR_ARG(source.text));
    const struct conf_node *given = conf_get(docs[0].root, "given");
    const struct conf_node *subject = conf_get(given->entries[0].value, "subject");
    cr_assert(means(conf_get(subject, "properties"), properties), STR_FMT, STR_ARG(source.text));
    const struct conf_node *request = conf_get(conf_get(docs[0].root, "steps")->items[0], "request");
    cr_assert(means(conf_get(request, "resource"), asked), STR_FMT, STR_ARG(source.text));
    cr_assert_eq(format_source(&source, &diags, &clean), PDP_ERR_OK, STR_FMT, STR_ARG(source.text));
    cr_assert(str_eq(source.text, buf_view(&clean)), "`fmt` writes it otherwise:\n" STR_FMT "\n" STR_FMT,
              STR_ARG(source.text), STR_ARG(buf_view(&clean)));
    buf_fini(&clean);
    buf_fini(&said);
    diags_fini(&diags);
    arena_fini(&arena);
}

Test(change_scenario, odd_texts_are_read_back_as_they_were)
{
    for (uint32_t i = 0; i < TEXTS_MADE; i++) {
        struct life life = {.ref = STR("s_0123456789abcdef01234567"), .ended_ms = INT64_MAX, .ids = 1};
        struct life_step step = {.at_ms = START,
                                 .before = UINT32_MAX,
                                 .view = {.effect = STR("allow")},
                                 .place = {.latitude = NAN, .longitude = NAN, .radius_km = NAN}};
        struct buf out = {0};
        arena_init(&life.arena, 0, 0);
        struct value properties = odd_map(&life.arena), resource = odd_text(&life.arena);
        struct value subject = map_of(&life.arena, "id", odd_text(&life.arena), "properties", properties);
        resource = map_of(&life.arena, "type", odd_text(&life.arena), "id", resource);
        struct value root = map_of(&life.arena, "subject", subject, "resource", resource);
        step.root = &root;
        step.gateway = value_text(&resource.as.map[0].value);
        life.why = life.ended_by = step.gateway;
        life.ended_ms = below(2) == 0 ? INT64_MAX : START;
        life.steps = &step;
        life.count = 1;
        life_write(&life, 0, &out);
        check_text(&out, &properties, &resource);
        buf_fini(&out);
        arena_fini(&life.arena);
    }
}
