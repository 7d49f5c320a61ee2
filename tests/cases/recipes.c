// SPDX-License-Identifier: Apache-2.0
// docs/RECIPES.md is true: its YAML blocks make one folder, and every question gets the answer that stands
// below it.
#include "base/time.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW INT64_C(1796630400000) // 2026-12-07T08:00:00Z
#define PAGE "docs/RECIPES.md"

enum {
    BLOCKS_MOST = 64
};

struct page {
    struct buf text;
    struct snapshot_file files[BLOCKS_MOST]; // the YAML blocks
    size_t file_count, question_count;
};

static void page_read(struct page *page)
{
    FILE *in = fopen(PAGE, "rb");
    cr_assert_not_null(in, PAGE);
    *page = (struct page){.file_count = 0};
    for (size_t got = 1; got > 0;) {
        cr_assert(buf_room(&page->text, 1 << 16));
        got = fread(page->text.at + page->text.len, 1, 1 << 16, in);
        page->text.len += got;
    }
    fclose(in);
}

// The next fenced block of a language from *at on; *at is then behind it. false: there is none.
static bool next_block(struct str text, const char *fence, size_t *at, struct str *block)
{
    size_t begin = str_find(text, str_of(fence), *at);
    if (begin == SIZE_MAX) {
        return false;
    }
    begin += strlen(fence);
    size_t end = str_find(text, STR("\n```"), begin);
    cr_assert_neq(end, SIZE_MAX, "a block without an end");
    *block = str_sub(text, begin, end - begin + 1);
    *at = end + strlen("\n```\n");
    return true;
}

static void find_files(struct page *page)
{
    static char names[BLOCKS_MOST][32];
    struct str block;
    for (size_t at = 0; next_block(buf_view(&page->text), "\n```yaml\n", &at, &block); page->file_count++) {
        cr_assert_lt(page->file_count, BLOCKS_MOST);
        snprintf(names[page->file_count], sizeof *names, "recipe-%02zu.yaml", page->file_count);
        page->files[page->file_count] =
            (struct snapshot_file){.name = str_of(names[page->file_count]), .text = block};
    }
}

static enum pdp_err zone(void *user, struct str name, struct str *text)
{
    static char bytes[1 << 16];
    char path[256];
    (void)user;
    *text = (struct str){0};
    snprintf(path, sizeof path, "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        return PDP_ERR_UNKNOWN;
    }
    *text = (struct str){bytes, fread(bytes, 1, sizeof bytes, in)};
    fclose(in);
    return PDP_ERR_OK;
}

static void load(struct harness *h, const struct snapshot_file *files, size_t count)
{
    const struct snapshot_input input = {
        .files = files, .file_count = count, .read_zone = zone, .now_ms = NOW};
    cr_expect(harness_load_input(h, &input), "%s", (const char *)h->said.at);
}

// What stands between `word` and the next comma, or the end of the line; empty where it is not there.
static struct str told(struct str line, const char *word)
{
    size_t at = str_find(line, str_of(word), 0);
    if (at == SIZE_MAX) {
        return (struct str){"", 0};
    }
    at += strlen(word);
    size_t end = str_find_byte(line, ',', at);
    return str_sub(line, at, end - at);
}

static int64_t asked_at(struct str line)
{
    int64_t s = NOW / 1000;
    uint32_t nanos = 0;
    if (str_starts(line, STR("answers at "))) {
        size_t end = str_find(line, STR(": "), 0);
        cr_assert(time_parse(str_sub(line, 11, end - 11), &s, &nanos), STR_FMT, STR_ARG(line));
    }
    return s * 1000;
}

static void expect(struct harness *h, struct str line, const char *path, struct str want)
{
    cr_expect(str_eq(str_of(harness_get(h, path)), want), STR_FMT "\n%s: " STR_FMT, STR_ARG(line), path,
              STR_ARG(buf_view(&h->answer)));
}

static void expect_answer(struct harness *h, struct str line)
{
    if (str_eq(line, STR("answers: recorded"))) {
        expect(h, line, "event.recorded", STR("true"));
        return;
    }
    expect(h, line, "context.effect",
           told(line, "Z: ").len > 0 ? told(line, "Z: ") : told(line, "answers: "));
    expect(h, line, "context.code", told(line, ", code "));
    expect(h, line, "context.rule", told(line, ", rule "));
    expect(h, line, "context.shadow.effect", told(line, ", shadow "));
    struct str missing = str_of(harness_get(h, "context.missing")), named = told(line, ", names ");
    cr_expect(named.len > 0 ? str_find(missing, named, 0) != SIZE_MAX : missing.len == 0,
              STR_FMT "\n" STR_FMT, STR_ARG(line), STR_ARG(buf_view(&h->answer)));
}

static void ask_all(struct page *page, struct harness *h)
{
    struct str text = buf_view(&page->text), block;
    for (size_t at = 0; next_block(text, "\n```json\n", &at, &block); page->question_count++) {
        char json[4096];
        size_t end = str_find_byte(text, '\n', at + 1);
        struct str line = str_sub(text, at + 1, end - at - 1);
        cr_assert(str_starts(line, STR("answers")), "no answer below\n" STR_FMT, STR_ARG(block));
        cr_assert_lt(block.len, sizeof json);
        snprintf(json, sizeof json, STR_FMT, STR_ARG(block));
        harness_ask(h, asked_at(line), json);
        expect_answer(h, line);
    }
}

Test(cases_recipes, answer_as_they_say)
{
    struct harness h = {0};
    struct page page;
    page_read(&page);
    find_files(&page);
    load(&h, page.files, page.file_count);
    ask_all(&page, &h);
    cr_expect_geq(page.file_count, 13, "%zu", page.file_count);
    cr_expect_geq(page.question_count, 40, "%zu", page.question_count);
    harness_fini(&h);
    buf_fini(&page.text);
}

// Each beside the first, so that a reader may take one alone.
Test(cases_recipes, stand_alone)
{
    struct page page;
    page_read(&page);
    find_files(&page);
    for (size_t i = 1; i < page.file_count; i++) {
        struct harness h = {0};
        const struct snapshot_file both[] = {page.files[0], page.files[i]};
        load(&h, both, COUNT_OF(both));
        harness_fini(&h);
    }
    buf_fini(&page.text);
}
