// SPDX-License-Identifier: Apache-2.0
#include "risk/agent_words.h"

#include "risk.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES 2048

// The next line that is no comment, its `count` fields parted by bars. false: there is none.
static bool next_line(FILE *file, char line[static LINE_BYTES], struct str *fields, size_t count)
{
    do {
        if (fgets(line, LINE_BYTES, file) == NULL) {
            return false;
        }
    } while (line[0] == '#');
    struct str rest = {line, strcspn(line, "\n")};
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? str_find_byte(rest, '|', 0) : rest.len;
        fields[i] = str_sub(rest, 0, end);
        rest = str_sub(rest, end + 1, rest.len);
    }
    return true;
}

static FILE *open_data(const char *path)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    return file;
}

Test(risk_agent, reads_what_real_agents_say)
{
    char line[LINE_BYTES];
    struct str f[6];
    size_t read = 0;
    FILE *file = open_data("tests/data/agents.txt");
    for (; next_line(file, line, f, COUNT_OF(f)); read++) {
        struct risk_agent is;
        memset(&is, 0xff, sizeof is);
        risk_agent_read(f[5], &is);
        struct str family = risk_agent_family(is.family), os = risk_agent_os(is.os);
        struct str device = risk_agent_class(is.device);
        int64_t version = -1;
        cr_expect(str_eq(family, f[0]), STR_FMT ": family " STR_FMT, STR_ARG(f[5]), STR_ARG(family));
        cr_expect(str_eq(os, f[1]), STR_FMT ": system " STR_FMT, STR_ARG(f[5]), STR_ARG(os));
        cr_expect(str_eq(device, f[2]), STR_FMT ": device " STR_FMT, STR_ARG(f[5]), STR_ARG(device));
        cr_assert(str_to_i64(f[3], &version), STR_FMT, STR_ARG(f[5]));
        cr_expect_eq(is.version, version, STR_FMT ": version %u", STR_ARG(f[5]), is.version);
        cr_expect_eq(is.tool, str_eq(f[4], STR("y")), STR_FMT ": tool %d", STR_ARG(f[5]), is.tool);
    }
    (void)fclose(file);
    cr_expect_geq(read, 300, "%zu", read);
}

static struct sighting sighting_of(struct str text)
{
    struct risk_agent is;
    risk_agent_read(text, &is);
    return (struct sighting){.agent_family = is.family,
                             .agent_os = is.os,
                             .agent_version = is.version,
                             .agent_class = is.device,
                             .flags = SIGHT_HAS_AGENT};
}

Test(risk_agent, tells_a_version_from_a_change)
{
    static const char *const VERDICTS[] = {"same", "newer", "older", "another"};
    char line[2 * LINE_BYTES];
    struct str f[3];
    size_t read = 0;
    FILE *file = open_data("tests/data/agent_pairs.txt");
    for (; next_line(file, line, f, COUNT_OF(f)); read++) {
        struct sighting was = sighting_of(f[1]), is = sighting_of(f[2]);
        const char *verdict = VERDICTS[risk_agent_compare(&was, &is)];
        cr_expect(str_eq(f[0], str_of(verdict)), STR_FMT "\n" STR_FMT "\n%s, not " STR_FMT, STR_ARG(f[1]),
                  STR_ARG(f[2]), verdict, STR_ARG(f[0]));
    }
    (void)fclose(file);
    cr_expect_geq(read, 35, "%zu", read);
}

// Each word of the table alone: all are found by their first letter, and in any case.
Test(risk_agent, knows_every_word_of_its_table)
{
    for (unsigned i = 0; i < AGENT_FIRST[26]; i++) {
        const struct agent_mark *mark = &AGENT_MARKS[i];
        struct risk_agent is, loud;
        char upper[AGENT_WORD_MAX + 1] = {0};
        cr_assert(mark->len > 1 && mark->len <= AGENT_WORD_MAX && strlen(mark->word) == mark->len, "%u", i);
        cr_expect(i == 0 || strcmp(AGENT_MARKS[i - 1].word, mark->word) < 0, "%s", mark->word);
        for (size_t k = 0; k < mark->len; k++) {
            upper[k] =
                (char)(mark->word[k] >= 'a' && mark->word[k] <= 'z' ? mark->word[k] & ~0x20 : mark->word[k]);
        }
        risk_agent_read((struct str){mark->word, mark->len}, &is);
        risk_agent_read((struct str){upper, mark->len}, &loud);
        cr_expect_eq(is.family, mark->rank != 0 ? mark->family : FAMILY_UNKNOWN, "%s", mark->word);
        cr_expect_eq(is.os, mark->os_rank != 0 ? mark->os : OS_UNKNOWN, "%s", mark->word);
        cr_expect(is.family == loud.family && is.os == loud.os && is.device == loud.device, "%s", upper);
        cr_expect(mark->rank != 0 || mark->os_rank != 0 || mark->device != 0 || mark->number != 0, "%s",
                  mark->word);
    }
}

// A word in the middle is a product only with its version: a phone is called so.
Test(risk_agent, a_phones_name_is_no_browser)
{
    struct risk_agent is;
    risk_agent_read(
        STR("Mozilla/5.0 (Linux; Android 12; motorola edge plus; Puppeteer; curl) AppleWebKit/537.36 "
            "(KHTML, like Gecko) Chrome/112.0.0.0 Mobile Safari/537.36"),
        &is);
    cr_expect(str_eq(risk_agent_family(is.family), STR("chrome")));
    cr_expect(!is.tool);
}

Test(risk_agent, takes_any_bytes)
{
    char bytes[512];
    uint64_t state = 3;
    for (int n = 0; n < 20000; n++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = n % 2 == 0 ? (char)(state >> 56) : "bot-.cChromE/ 9"[(state >> 40) % 15];
        }
        struct risk_agent is;
        risk_agent_read((struct str){bytes, (size_t)n % sizeof bytes}, &is);
        cr_assert(risk_agent_family(is.family).len > 0 && risk_agent_os(is.os).len > 0);
        cr_assert_lt(is.device, SIGHT_CLASS_COUNT);
    }
    cr_expect(str_eq(risk_agent_family(UINT16_MAX), risk_agent_family(0)));
    cr_expect(str_eq(risk_agent_os(UINT16_MAX), risk_agent_os(0)));
    cr_expect(str_eq(risk_agent_class(UINT8_MAX), risk_agent_class(0)));
}

Test(risk_agent, a_text_is_read_up_to_a_kilobyte)
{
    char text[1100];
    struct risk_agent is;
    memset(text, ' ', sizeof text);
    memcpy(text, "Mozilla/5.0", 11);
    memcpy(text + 1012, "Chrome/120.0", 12);
    risk_agent_read((struct str){text, sizeof text}, &is);
    cr_expect_eq(is.version, 120);
    memmove(text + 1024, text + 1012, 12);
    memset(text + 1012, ' ', 12);
    risk_agent_read((struct str){text, sizeof text}, &is);
    cr_expect_eq(is.family, FAMILY_UNKNOWN);
}

Test(risk_agent, a_version_ends_somewhere)
{
    struct risk_agent is;
    risk_agent_read(STR("curl/99999999999999999999999"), &is);
    cr_expect_eq(is.version, UINT16_MAX);
    risk_agent_read(STR("curl/"), &is);
    cr_expect_eq(is.version, 0);
    risk_agent_read(STR("Mozilla/4.0 (compatible; MSIE 7.0; Trident/65535.0"), &is);
    cr_expect_eq(is.version, UINT16_MAX);
}
