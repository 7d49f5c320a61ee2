// SPDX-License-Identifier: Apache-2.0
#include "risk/labels.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;
static struct diags diags;
static struct labels labels;
static struct buf said;

static enum pdp_err read(const char *text)
{
    static struct source source;
    source = (struct source){STR("labels"), str_of(text)};
    arena_init(&arena, 0, 0);
    diags_init(&diags, LABELS_MISTAKES_MOST);
    buf_clear(&said);
    enum pdp_err err = labels_read(&source, &arena, &diags, &labels);
    diags_render(&diags, &said);
    buf_byte(&said, '\0');
    return err;
}

static void done(void)
{
    diags_fini(&diags);
    arena_fini(&arena);
}

static int truth(const struct label *label)
{
    return label == NULL ? -1 : label->attack;
}

static const char *const GOOD[] = {
    "{\"line\": 3, \"label\": 1}\n\n  {\"label\": false, \"request_id\": "
    "\"r,\\\"9\"}\r\n{\"line\":5,\"label\":0.0}\n",
    "\xEF\xBB\xBF{\"line\": 3, \"label\": true}\n{\"request_id\": \"r,\\\"9\", \"label\": \"0\", \"of\": "
    "{}}\n"
    "{\"line\": 5, \"request_id\": \"x\", \"label\": 0}",
    "label,who,line,request_id\n1,me,3,\n0,,,\"r,\"\"9\"\nFalse,you, 5 ,x\n",
    "\r\nline,request_id,label\r\n3,,1.0\r\n,\"r,\"\"9\",0.0\r\n5,\"\",false\r\n",
};

Test(risk_labels, reads_json_lines_and_csv_alike)
{
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        cr_assert_eq(read(GOOD[i]), PDP_ERR_OK, "%zu: %s", i, (const char *)said.at);
        cr_expect_eq(labels.line_count, (size_t)2, "%zu", i);
        cr_expect_eq(labels.id_count, (size_t)1, "%zu", i);
        cr_expect_eq(truth(labels_of_line(&labels, 3)), 1, "%zu", i);
        cr_expect_eq(truth(labels_of_line(&labels, 5)), 0, "%zu", i);
        cr_expect_eq(truth(labels_of_line(&labels, 4)), -1, "%zu", i);
        cr_expect_eq(truth(labels_of_line(&labels, 0)), -1, "%zu", i);
        cr_expect_eq(truth(labels_of_id(&labels, STR("r,\"9"))), 0, "%zu", i);
        cr_expect_eq(truth(labels_of_id(&labels, STR("r"))), -1, "%zu", i);
        cr_expect_eq(truth(labels_of_id(&labels, STR("zz"))), -1, "%zu", i);
        done();
    }
}

static const struct {
    const char *text, *mistake;
} BAD[] = {
    {"", "labels: error: no labels"},
    {"line,label\n", "labels:1:1: error: no labels"},
    {"{\"line\": 1, \"label\": 2}", "labels:1:1: error: `2` is no label"},
    {"{\"line\": 1}", "labels:1:1: error: `label` is missing"},
    {"{\"line\": 1, \"label\": null}", "labels:1:1: error: `label` is missing"},
    {"{\"line\": 1, \"label\": [1]}", "labels:1:1: error: `?` is no label"},
    {"{\"line\": 0, \"label\": 1}", "labels:1:1: error: `line` is no number of a line"},
    {"{\"line\": \"7\", \"label\": 1}", "labels:1:1: error: `line` is no number of a line"},
    {"{\"label\": 1}", "labels:1:1: error: neither `line` nor `request_id`"},
    {"{\"request_id\": 7, \"label\": 1}", "labels:1:1: error: `request_id` is no text"},
    {"{\"request_id\": \"\", \"label\": 1}", "labels:1:1: error: `request_id` is no text"},
    {"{\"line\": 1, \"label\": 1}\n{oops}", "labels:2:1: error: no JSON object: "},
    {"{\"line\": 1, \"label\": 1}\n[1]", "labels:2:1: error: no JSON object: another value"},
    {"{\"line\": 7, \"label\": 1}\n\n {\"line\": 7, \"label\": 0}",
     "labels:3:2: error: labelled already, on line 1"},
    {"request_id,label\na,1\nb,1\na,1", "labels:4:1: error: labelled already, on line 2"},
    {"7,1\n8,0", "labels:1:1: error: no header of labels"},
    {"line,truth\n8,0", "labels:1:1: error: no header of labels"},
    {"line,label\n8", "labels:2:1: error: `label` is missing"},
    {"line,label\n\"8,1", "labels:2:1: error: a quote does not close its cell"},
    {"line,label\n\"8\"9,1", "labels:2:1: error: a quote does not close its cell"},
    {"line,label\n-8,1", "labels:2:1: error: `line` is no number of a line"},
};

Test(risk_labels, tells_each_mistake_and_its_place)
{
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        cr_expect_neq(read(BAD[i].text), PDP_ERR_OK, "%s", BAD[i].text);
        const char *words = (const char *)said.at;
        cr_expect_eq(strncmp(words, BAD[i].mistake, strlen(BAD[i].mistake)), 0, "%s\n%s", BAD[i].text, words);
        cr_expect_eq(labels.line_count + labels.id_count, (size_t)0);
        done();
    }
}

Test(risk_labels, tells_them_all_and_gives_up_on_what_is_something_else)
{
    struct buf text = {0};
    cr_expect_neq(read("line,label\n1,x\n2,1\n0,1\n"), PDP_ERR_OK);
    cr_expect_eq(diags.errors, (size_t)2);
    done();
    buf_printf(&text, "line,label\n");
    for (int i = 0; i < 1000; i++) {
        buf_printf(&text, "x\n");
    }
    buf_byte(&text, '\0');
    cr_expect_neq(read((const char *)text.at), PDP_ERR_OK);
    cr_expect_eq(diags.errors, (size_t)LABELS_MISTAKES_MOST);
    done();
    buf_fini(&text);
}

Test(risk_labels, finds_each_of_many)
{
    struct buf text = {0};
    buf_printf(&text, "line,label,request_id\n");
    for (int i = 0; i < 5000; i++) {
        int line = i * 3571 % 5000 + 1;
        int truth_of_it = line % 3 == 0;
        if (line % 2 == 0) {
            buf_printf(&text, "%d,%d,\n", line, truth_of_it);
        } else {
            buf_printf(&text, ",%d,r%d\n", truth_of_it, line);
        }
    }
    buf_byte(&text, '\0');
    cr_assert_eq(read((const char *)text.at), PDP_ERR_OK, "%s", (const char *)said.at);
    for (int line = 1; line <= 5000; line++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", line);
        const struct label *label =
            line % 2 == 0 ? labels_of_line(&labels, (uint64_t)line) : labels_of_id(&labels, str_of(id));
        cr_assert_eq(truth(label), line % 3 == 0, "%d", line);
    }
    done();
    buf_fini(&text);
}

Test(risk_labels, takes_no_more_than_it_can_number)
{
    const struct source source = {STR("labels"),
                                  {"line,label\n", UINT32_MAX}}; // so long that it is not looked at
    arena_init(&arena, 0, 0);
    diags_init(&diags, 4);
    cr_expect_eq(labels_read(&source, &arena, &diags, &labels), PDP_ERR_LIMIT);
    cr_expect(str_eq(diags.list[0].message, STR("labels take 4 GiB or more")));
    done();
}

#if !defined(__SANITIZE_ADDRESS__) // twenty million labels take minutes there
Test(risk_labels, are_counted, .timeout = 120)
{
    static const struct str LINE = {"1,1\n", 4};
    AUTO(buf_fini) struct buf text = {0};
    buf_str(&text, STR("line,label\n"));
    for (int i = 0; i <= LABELS_MOST; i++) {
        buf_str(&text, LINE);
    }
    buf_byte(&text, '\0');
    cr_expect_neq(read((const char *)text.at), PDP_ERR_OK);
    cr_expect(str_eq(diags.list[0].message, STR("more than 20000000 labels")), "%s", (const char *)said.at);
    done();
}
#endif
