// SPDX-License-Identifier: Apache-2.0
#include "policy/lists.h"

#include <criterion/criterion.h>

static const struct hash_key SEED = {1, 2};

struct read {
    struct source source;
    struct diags diags;
    struct buf words;
    struct lists_set *set;
    enum pdp_err err;
};

static void read_fini(struct read *read)
{
    lists_free(&read->set);
    diags_fini(&read->diags);
    buf_fini(&read->words);
}

static struct read *read_text(enum cel_set_kind kind, struct str text)
{
    static struct read read;
    const struct lists_head head = {.name = STR("l"),
                                    .file = STR("l.txt"),
                                    .kind = kind,
                                    .version = STR("of the document"),
                                    .updated_ms = 77};
    read = (struct read){.source = {STR("l.txt"), text}};
    diags_init(&read.diags, 100);
    read.err = lists_file_read(&head, &read.source, SEED, &read.diags, &read.set);
    diags_render(&read.diags, &read.words);
    cr_expect_eq(read.err == PDP_ERR_OK, read.set != NULL);
    cr_expect_eq(read.err == PDP_ERR_OK, read.diags.errors == 0);
    return &read;
}

// ---- What a file may look like ------------------------------------------------------------------------

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    const char *name;
    struct str text;
    size_t entries;
    const char *in[4], *out[4];
} LOOKS[] = {
    {"plain", TEXT("a\nb\n"), 2, {"a", "b"}, {"c", "", "A"}},
    {"no line end at the end", TEXT("a\nb"), 2, {"a", "b"}, {"a\nb"}},
    {"CR LF", TEXT("a\r\nb\r\n"), 2, {"a", "b"}, {"a\r"}},
    {"byte order mark",
     TEXT("\xEF\xBB\xBF"
          "a\nb\n"),
     2,
     {"a", "b"},
     {"\xEF\xBB\xBF"
      "a"}},
    {"byte order mark before the header", TEXT("\xEF\xBB\xBF# ours\na\n"), 1, {"a"}, {"# ours"}},
    {"blanks around", TEXT("  a \t\n\t\n   \nb  # c\n"), 2, {"a", "b"}, {"b  # c", "c", ""}},
    {"blanks within", TEXT("a b\n"), 1, {"a b"}, {"a"}},
    {"comments", TEXT("# one\na # two\n  # three\n\n#\nb\t#four\n"), 2, {"a", "b"}, {"one", "a # two"}},
    {"no comment without a blank", TEXT("user#1\n"), 1, {"user#1"}, {"user"}},
    {"twice", TEXT("a\na\nb\na\n"), 4, {"a", "b"}, {"c"}},
    {"other letters",
     TEXT("j\xC3\xBCrgen\n\xF0\x9F\x94\x92\n"),
     2,
     {"j\xC3\xBCrgen", "\xF0\x9F\x94\x92"},
     {"j"}},
    {"bytes that are none in a comment", TEXT("# caf\xE9\na # \xFF\n"), 1, {"a"}, {"caf"}},
};

Test(policy_lists_file, takes_what_editors_write)
{
    for (size_t i = 0; i < COUNT_OF(LOOKS); i++) {
        struct read *read = read_text(CEL_SET_STRING, LOOKS[i].text);
        cr_assert_eq(read->err, PDP_ERR_OK, "%s: " STR_FMT, LOOKS[i].name, STR_ARG(buf_view(&read->words)));
        cr_expect_eq(read->words.len, 0, "%s", LOOKS[i].name);
        cr_expect_eq(read->set->entries, LOOKS[i].entries, "%s: %zu", LOOKS[i].name, read->set->entries);
        for (size_t k = 0; k < 4 && LOOKS[i].in[k] != NULL; k++) {
            const struct value value = value_str(str_of(LOOKS[i].in[k]));
            cr_expect_eq(lists_contains(read->set, &value, 77), TRUTH_YES, "%s: %zu", LOOKS[i].name, k);
        }
        for (size_t k = 0; k < 4 && LOOKS[i].out[k] != NULL; k++) {
            const struct value value = value_str(str_of(LOOKS[i].out[k]));
            cr_expect_eq(lists_contains(read->set, &value, 77), TRUTH_NO, "%s: %zu", LOOKS[i].name, k);
        }
        read_fini(read);
    }
}

// ---- Header -------------------------------------------------------------------------------------------

static const struct {
    const char *text, *version;
    int64_t updated_ms;
} HEADERS[] = {
    {"a\n", "of the document", 77},
    {"# version: 3\na\n", "3", 77},
    {"#version:3\n\n#   updated:   1970-01-01T00:00:01.5Z  \n# more\na\n", "3", 1500},
    {"# updated: 1970-01-01T01:00:00+01:00\r\n# version: 2026-11-27.1\r\na\r\n", "2026-11-27.1", 0},
    {"# Version: three of them\n# the version: 3\n# updated yesterday\na\n", "of the document", 77},
    {"a # version: 3\n", "of the document", 77}, // behind an entry it is a comment as others are
};

Test(policy_lists_file, reads_the_header)
{
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        struct read *read = read_text(CEL_SET_STRING, str_of(HEADERS[i].text));
        cr_assert_eq(read->err, PDP_ERR_OK, "%zu: " STR_FMT, i, STR_ARG(buf_view(&read->words)));
        cr_expect(str_eq(read->set->version, str_of(HEADERS[i].version)), "%zu", i);
        cr_expect_eq(read->set->updated_ms, HEADERS[i].updated_ms, "%zu", i);
        read_fini(read);
    }
}

// ---- Mistakes -----------------------------------------------------------------------------------------

static const struct {
    enum cel_set_kind kind;
    struct str text;
    const char *said;
} MISTAKES[] = {
    {CEL_SET_CIDR, TEXT("10.0.0.0/8\n\n  10.1.2.3/8 # x\n"),
     "l.txt:3:3: error: `10.1.2.3/8` is not an address or prefix\n"
     "    3 |   10.1.2.3/8 # x\n"
     "      |   ^~~~~~~~~~\n"
     "  hint: bits are set below the prefix; did you mean `10.0.0.0/8`?\n"},
    {CEL_SET_CIDR, TEXT("nope\r\n10.0.0.0/8\r\nnope"),
     "l.txt:1:1: error: `nope` is not an address or prefix\n"
     "    1 | nope\n"
     "      | ^~~~\n"
     "  hint: such as `10.20.0.0/16`, `2001:db8::/32` or `192.0.2.1`\n"
     "l.txt:3:1: error: `nope` is not an address or prefix\n"
     "    3 | nope\n"
     "      | ^~~~\n"
     "  hint: such as `10.20.0.0/16`, `2001:db8::/32` or `192.0.2.1`\n"},
    {CEL_SET_STRING, TEXT("a\nb\0c\n"),
     "l.txt:2:1: error: an entry holds a control character\n"
     "    2 | b\\x00c\n"
     "      | ^~~\n"
     "  hint: a list is UTF-8 text, one entry a line, and lines end with LF or CR LF\n"},
    {CEL_SET_STRING, TEXT("a\rb\rc"),
     "l.txt:1:1: error: an entry holds a control character\n"
     "    1 | a\\x0db\\x0dc\n"
     "      | ^~~~~\n"
     "  hint: a list is UTF-8 text, one entry a line, and lines end with LF or CR LF\n"},
    {CEL_SET_STRING, TEXT("a\ncaf\xE9\n"),
     "l.txt:2:1: error: an entry is not valid UTF-8\n"
     "    2 | caf\\xe9\n"
     "      | ^~~~\n"},
    {CEL_SET_STRING, TEXT("# version: 3 of them\na\n"),
     "l.txt:1:12: error: `3 of them` is no version\n"
     "    1 | # version: 3 of them\n"
     "      |            ^~~~~~~~~\n"
     "  hint: one word of at most 64 bytes, such as `2026-11-27.1`\n"},
    {CEL_SET_STRING, TEXT("# version:\n# updated: yesterday\na\n"),
     "l.txt:1:1: error: `` is no version\n"
     "    1 | # version:\n"
     "      | ^~~~~~~~~~\n"
     "  hint: one word of at most 64 bytes, such as `2026-11-27.1`\n"
     "l.txt:2:12: error: `yesterday` is no time\n"
     "    2 | # updated: yesterday\n"
     "      |            ^~~~~~~~~\n"
     "  hint: write it as RFC 3339, such as `2026-11-27T06:00:00Z`\n"},
    {CEL_SET_STRING, TEXT("# version: 3\n# version: 4\na\n# updated: 2026-11-27T06:00:00Z\n"),
     "l.txt:2:1: error: the header tells this twice\n"
     "    2 | # version: 4\n"
     "      | ^~~~~~~~~~~~\n"
     "  hint: leave one of them\n"
     "l.txt:4:1: error: a header stands above the first entry\n"
     "    4 | # updated: 2026-11-27T06:00:00Z\n"
     "      | ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
     "  hint: move it up, or write the comment in other words\n"},
};

Test(policy_lists_file, tells_mistakes_word_for_word)
{
    for (size_t i = 0; i < COUNT_OF(MISTAKES); i++) {
        struct read *read = read_text(MISTAKES[i].kind, MISTAKES[i].text);
        cr_expect_neq(read->err, PDP_ERR_OK, "%zu", i);
        cr_expect(str_eq(buf_view(&read->words), str_of(MISTAKES[i].said)), "%zu: said\n" STR_FMT, i,
                  STR_ARG(buf_view(&read->words)));
        read_fini(read);
    }
}

Test(policy_lists_file, warns_of_an_empty_list)
{
    static const char *const TEXTS[] = {"", "# version: 3\n\n"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct read *read = read_text(CEL_SET_CIDR, str_of(TEXTS[i]));
        cr_assert_eq(read->err, PDP_ERR_OK);
        cr_expect_eq(read->diags.warnings, 1);
        cr_expect(str_find(buf_view(&read->words), STR("warning: the list is empty\n"), 0) != SIZE_MAX,
                  STR_FMT, STR_ARG(buf_view(&read->words)));
        read_fini(read);
    }
}

Test(policy_lists_file, gives_up_on_what_is_no_list)
{
    AUTO(buf_fini) struct buf text = {0};
    for (int i = 0; i < 1000000; i++) {
        buf_str(&text, STR("10.0.0.0/8\n"));
    }
    for (int i = 0; i < 1000000; i++) {
        buf_str(&text, STR("no\n"));
    }
    struct read *read = read_text(CEL_SET_CIDR, buf_view(&text));
    cr_expect_eq(read->diags.errors, 21);
    cr_expect(
        str_ends(buf_view(&read->words),
                 STR("l.txt:1000021:1: error: more than 20 mistakes: the rest of the file was not read\n"
                     "1000021 | no\n"
                     "        | ^~\n")),
        STR_FMT, STR_ARG(buf_view(&read->words)));
    read_fini(read);
}

Test(policy_lists_file, refuses_a_long_line)
{
    AUTO(buf_fini) struct buf text = {0};
    for (size_t i = 0; i < LISTS_ENTRY_MAX; i++) {
        buf_byte(&text, 'x');
    }
    struct read *read = read_text(CEL_SET_STRING, buf_view(&text));
    cr_expect_eq(read->err, PDP_ERR_OK);
    const struct value value = value_str(buf_view(&text));
    cr_expect_eq(lists_contains(read->set, &value, 0), TRUTH_YES);
    read_fini(read);
    buf_byte(&text, 'x');
    read = read_text(CEL_SET_STRING, buf_view(&text));
    cr_expect_eq(read->err, PDP_ERR_LIMIT);
    cr_expect(
        str_starts(buf_view(&read->words), STR("l.txt:1:1: error: an entry is longer than 4096 bytes\n")));
    read_fini(read);
}
