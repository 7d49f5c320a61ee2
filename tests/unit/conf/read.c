// SPDX-License-Identifier: Apache-2.0
#include "conf/conf.h"

#include <criterion/criterion.h>

struct filled {
    struct str text, id;
    bool truth;
    int64_t number, duration, any_duration, time;
    double real;
    int choice;
    struct conf_texts texts;
    const struct conf_node *any, *map, *list, *expr;
};

static const char *const COLOURS[] = {"red", "green", "blue", NULL};

#define AT(field) .offset = offsetof(struct filled, field)
static const struct conf_field FIELDS[] = {
    {"text", CONF_TEXT, AT(text)},
    {"id", CONF_ID, AT(id)},
    {"truth", CONF_BOOL, AT(truth)},
    {"number", CONF_INT, AT(number), .least = -5, .most = 100},
    {"real", CONF_NUMBER, AT(real), .least = 0, .most = 1},
    {"duration", CONF_DURATION, AT(duration), .most = 86400000},
    {"any_duration", CONF_DURATION, AT(any_duration), .least = -3600000, .most = 3600000},
    {"time", CONF_TIME, AT(time)},
    {"choice", CONF_CHOICE, AT(choice), .choices = COLOURS},
    {"texts", CONF_TEXTS, AT(texts)},
    {"any", CONF_ANY, AT(any)},
    {"map", CONF_MAPPING, AT(map)},
    {"list", CONF_SEQUENCE, AT(list)},
    {"expr", CONF_EXPR, AT(expr)},
};
static const struct conf_field NEEDED[] = {
    {"id", CONF_ID, true, AT(id)},
    {"text", CONF_TEXT, true, AT(text)},
};

struct run {
    struct source source;
    struct arena arena;
    struct diags diags;
    struct buf words;
    struct filled out;
    enum pdp_err err;
};

static void run_fini(struct run *r)
{
    arena_fini(&r->arena);
    diags_fini(&r->diags);
    buf_fini(&r->words);
}

static void run(struct run *r, const char *text, const struct conf_field *fields, size_t count)
{
    *r = (struct run){.source = {STR("p.yaml"), str_of(text)}};
    arena_init(&r->arena, 0, 0);
    diags_init(&r->diags, 100);
    struct conf_doc *docs = NULL;
    size_t found = 0;
    cr_assert_eq(conf_parse(&r->source, &r->arena, &r->diags, &docs, &found), PDP_ERR_OK, "%s", text);
    r->err = conf_read(docs[0].root, fields, count, "a thing", &r->out, &r->arena, &r->diags);
    diags_render(&r->diags, &r->words);
    buf_byte(&r->words, '\0');
}

Test(conf_read, fills_a_struct)
{
    AUTO(run_fini) struct run r;
    run(&r,
        "text: 12\nid: a-b_c.9\ntruth: true\nnumber: -5\nreal: 0.25\nduration: 1h30m\nany_duration: -15m\n"
        "time: 2026-11-22T20:33:00.5+01:00\nchoice: blue\ntexts: [a, 'b']\nany: ~\nmap: {a: 1}\nlist: []\n"
        "expr: a == 1\n",
        FIELDS, COUNT_OF(FIELDS));
    cr_assert_eq(r.err, PDP_ERR_OK, "%s", (char *)r.words.at);
    cr_expect(str_eq(r.out.text, STR("12")) && str_eq(r.out.id, STR("a-b_c.9")) && r.out.truth);
    cr_expect_eq(r.out.number, -5);
    cr_expect_eq(r.out.real, 0.25);
    cr_expect_eq(r.out.duration, 5400000);
    cr_expect_eq(r.out.any_duration, -900000);
    cr_expect_eq(r.out.time, 1795375980500, "%lld", (long long)r.out.time);
    cr_expect_eq(r.out.choice, 2);
    cr_expect(r.out.texts.count == 2 && str_eq(r.out.texts.nodes[1]->text, STR("b")));
    cr_expect(r.out.any->kind == CONF_NULL && r.out.map->count == 1 && r.out.list->count == 0);
    cr_expect(str_eq(r.out.expr->text, STR("a == 1")));
}

Test(conf_read, one_text_is_a_list_of_one)
{
    AUTO(run_fini) struct run r;
    run(&r, "texts: solo\n", FIELDS, COUNT_OF(FIELDS));
    cr_expect(r.err == PDP_ERR_OK && r.out.texts.count == 1);
    cr_expect(str_eq(r.out.texts.nodes[0]->text, STR("solo")));
    cr_expect_eq(r.out.choice, 0, "what is not given is left alone");
}

static const struct {
    const char *text;
    enum pdp_err err;
    const char *words; // without the lines that show the source
} REFUSED[] = {
    {"tetx: 1", PDP_ERR_UNKNOWN, "p.yaml:1:1: error: a thing has no key `tetx`|did you mean `text`?"},
    {"zzzzzzzz: 1", PDP_ERR_UNKNOWN,
     "p.yaml:1:1: error: a thing has no key `zzzzzzzz`|its keys are `text`, `id`, `truth`, `number`, `real`, "
     "`duration`, `any_duration`, `time`, `choice`, `texts`, `any`, `map`, `list`, `expr`"},
    {"text: [1]", PDP_ERR_TYPE, "p.yaml:1:7: error: `text` must be text, but is a list|"},
    {"text: {}", PDP_ERR_TYPE, "p.yaml:1:7: error: `text` must be text, but is a mapping|"},
    {"text:", PDP_ERR_MISSING, "p.yaml:1:1: error: `text` is empty|"},
    {"id: 9a", PDP_ERR_SYNTAX,
     "p.yaml:1:5: error: `id` must be a name, but is `9a`|a name starts with a letter and holds letters, "
     "digits, "
     "`-`, `_` and `.`, at most 128"},
    {"id: a b", PDP_ERR_SYNTAX,
     "p.yaml:1:5: error: `id` must be a name, but is `a b`|a name starts with a letter and holds letters, "
     "digits, "
     "`-`, `_` and `.`, at most 128"},
    {"truth: yes", PDP_ERR_TYPE, "p.yaml:1:8: error: `truth` must be true or false, but is `yes`|"},
    {"truth: 'true'", PDP_ERR_TYPE,
     "p.yaml:1:9: error: `truth` must be true or false, but is `true`|remove the quotes"},
    {"number: 1.5", PDP_ERR_TYPE, "p.yaml:1:9: error: `number` must be a whole number, but is `1.5`|"},
    {"number: 101", PDP_ERR_RANGE, "p.yaml:1:9: error: `number` must be from -5 to 100, but is `101`|"},
    {"number: 99999999999999999999", PDP_ERR_TYPE,
     "p.yaml:1:9: error: `number` must be a whole number, but is `99999999999999999999`|"},
    {"real: .nan", PDP_ERR_TYPE, "p.yaml:1:7: error: `real` must be a number, but is `.nan`|"},
    {"real: 1.01", PDP_ERR_RANGE, "p.yaml:1:7: error: `real` must be from 0 to 1, but is `1.01`|"},
    {"duration: 15", PDP_ERR_SYNTAX,
     "p.yaml:1:11: error: `duration` must be a duration, but is `15`|add a unit: ms, s, m, h or d"},
    {"duration: 15min", PDP_ERR_SYNTAX,
     "p.yaml:1:11: error: `duration` must be a duration, but is `15min`|such as `90s`, `15m`, `1h30m` or "
     "`30d`"},
    {"duration: 30m1h", PDP_ERR_SYNTAX,
     "p.yaml:1:11: error: `duration` must be a duration, but is `30m1h`|such as `90s`, `15m`, `1h30m` or "
     "`30d`"},
    {"duration: 0s", PDP_ERR_RANGE,
     "p.yaml:1:11: error: `duration` must be a duration above zero, but is `0s`|"},
    {"duration: -5m", PDP_ERR_RANGE,
     "p.yaml:1:11: error: `duration` must be a duration above zero, but is `-5m`|"},
    {"duration: 2d", PDP_ERR_RANGE,
     "p.yaml:1:11: error: `duration` must be a shorter duration, but is `2d`|"},
    {"any_duration: -2h", PDP_ERR_RANGE,
     "p.yaml:1:15: error: `any_duration` must be a longer duration, but is `-2h`|"},
    {"time: tomorrow", PDP_ERR_SYNTAX,
     "p.yaml:1:7: error: `time` must be a time, but is `tomorrow`|such as `2026-11-22T20:33:00Z`"},
    {"choice: grene", PDP_ERR_UNKNOWN, "p.yaml:1:9: error: `choice` cannot be `grene`|did you mean `green`?"},
    {"choice: pink-ish", PDP_ERR_UNKNOWN,
     "p.yaml:1:9: error: `choice` cannot be `pink-ish`|it is one of `red`, `green`, `blue`"},
    {"texts: [a, [b]]", PDP_ERR_TYPE, "p.yaml:1:12: error: `texts` must be a list of text, but is a list|"},
    {"texts: [a, ~]", PDP_ERR_TYPE, "p.yaml:1:12: error: `texts` must be a list of text, but is nothing|"},
    {"map: [1]", PDP_ERR_TYPE, "p.yaml:1:6: error: `map` must be a mapping, but is a list|"},
    {"list: a", PDP_ERR_TYPE, "p.yaml:1:7: error: `list` must be a list, but is text|"},
    {"expr: ''", PDP_ERR_TYPE, "p.yaml:1:8: error: `expr` must be an expression, but is text|"},
    {"expr: [a]", PDP_ERR_TYPE, "p.yaml:1:7: error: `expr` must be an expression, but is a list|"},
    {"- a", PDP_ERR_TYPE, "p.yaml:1:1: error: a thing must be a mapping|"},
};

static void first_line_and_hint(const struct buf *words, struct buf *out)
{
    struct str all = buf_view(words);
    buf_str(out, str_sub(all, 0, str_find_byte(all, '\n', 0)));
    buf_byte(out, '|');
    size_t hint = str_find(all, STR("\n  hint: "), 0);
    if (hint != SIZE_MAX) {
        hint += 9;
        buf_str(out, str_sub(all, hint, str_find_byte(all, '\n', hint) - hint));
    }
    buf_byte(out, '\0');
}

Test(conf_read, refuses_word_for_word)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(run_fini) struct run r;
        AUTO(buf_fini) struct buf got = {0};
        run(&r, REFUSED[i].text, FIELDS, COUNT_OF(FIELDS));
        first_line_and_hint(&r.words, &got);
        cr_expect_eq(r.err, REFUSED[i].err, "%s: %s", REFUSED[i].text, pdp_err_name(r.err));
        cr_expect_str_eq((char *)got.at, REFUSED[i].words, "got %s", (char *)got.at);
    }
}

Test(conf_read, reports_every_mistake_and_fills_the_rest)
{
    AUTO(run_fini) struct run r;
    run(&r, "x: 1\ntruth: 3\nid: fine\n", FIELDS, COUNT_OF(FIELDS));
    cr_expect_eq(r.err, PDP_ERR_UNKNOWN);
    cr_expect_eq(r.diags.errors, 2);
    cr_expect(str_eq(r.out.id, STR("fine")));
}

Test(conf_read, misses_what_is_required)
{
    AUTO(run_fini) struct run r;
    run(&r, "{}", NEEDED, COUNT_OF(NEEDED));
    cr_expect_eq(r.err, PDP_ERR_MISSING);
    cr_expect_str_eq((char *)r.words.at,
                     "p.yaml:1:1: error: a thing needs `id`\n"
                     "    1 | {}\n"
                     "      | ^~\n"
                     "p.yaml:1:1: error: a thing needs `text`\n"
                     "    1 | {}\n"
                     "      | ^~\n",
                     "%s", (char *)r.words.at);
}

static const struct {
    const char *text;
    bool ok;
    int64_t ms;
} DURATIONS[] = {
    {"1ms", true, 1},
    {"90s", true, 90000},
    {"1d2h3m4s5ms", true, 93784005},
    {"0s", true, 0},
    {"-1h", true, -3600000},
    {"", false, 7},
    {"-", false, 7},
    {"h", false, 7},
    {"1", false, 7},
    {"1h1h", false, 7},
    {"1h 2m", false, 7},
    {"99999999999999999d", false, 7},
    {"1w", false, 7},
    {"9223372036854775807ms", true, INT64_MAX},
    {"9223372036854775807d", false, 7},
};

Test(conf_read, durations)
{
    for (size_t i = 0; i < COUNT_OF(DURATIONS); i++) {
        int64_t ms = 7;
        cr_expect_eq(conf_duration(str_of(DURATIONS[i].text), &ms), DURATIONS[i].ok, "%s", DURATIONS[i].text);
        cr_expect_eq(ms, DURATIONS[i].ms, "%s: %lld", DURATIONS[i].text, (long long)ms);
    }
}
