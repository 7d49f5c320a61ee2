// SPDX-License-Identifier: Apache-2.0
// The file of a list: a header of comments, then an entry a line.
#include "policy/lists.h"

#include "base/country.h"
#include "base/time.h"
#include "seal/seal.h"

#define MISTAKES_MOST 20 // of one file: what has more is no list, and the rest of it is not looked at
#define VERSION_MOST 64  // bytes

struct reading {
    const struct source *source;
    struct diags *diags;
    struct lists_set *set;
    struct lists_building building;
    enum pdp_err first;
    size_t mistakes;
    bool begun, has_version, has_updated; // entries; what the header told
};

// ---- Mistakes ---------------------------------------------------------------------------------------

static const struct {
    const char *what, *hint;
} WORDS[] = {
    [CEL_SET_STRING] = {"text", NULL},
    [CEL_SET_CIDR] = {"an address or prefix", "such as `10.20.0.0/16`, `2001:db8::/32` or `192.0.2.1`"},
    [CEL_SET_COUNTRY] = {"a country", "two letters of ISO 3166, such as `DE`"},
    [CEL_SET_ASN] = {"an AS number", "such as `AS3320` or `3320`"},
};

static void refuse_syntax(enum cel_set_kind kind, struct str text, struct place place, struct diags *diags)
{
    struct cidr cidr;
    AUTO(buf_fini) struct buf shown = {0};
    buf_escaped(&shown, str_sub(text, 0, 80));
    (void)diag_error(diags, PDP_ERR_SYNTAX, place, "`" STR_FMT "` is not %s", STR_ARG(buf_view(&shown)),
                     WORDS[kind].what);
    if (kind == CEL_SET_CIDR && cidr_parse(text, true, &cidr)) {
        AUTO(buf_fini) struct buf fixed = {0};
        cidr_print(&fixed, &cidr);
        diag_hint(diags, "bits are set below the prefix; did you mean `" STR_FMT "`?",
                  STR_ARG(buf_view(&fixed)));
    } else if (str_find_byte(text, '#', 0) < text.len) {
        diag_hint(diags, "a comment behind an entry begins with a blank and `#`");
    } else if (WORDS[kind].hint != NULL) {
        diag_hint(diags, "%s", WORDS[kind].hint);
    }
}

void lists_refuse(enum pdp_err err, enum cel_set_kind kind, struct str text, struct place place,
                  struct diags *diags)
{
    if (err == PDP_ERR_LIMIT) {
        (void)diag_error(diags, err, place, "an entry is longer than %d bytes", LISTS_ENTRY_MAX);
    } else if (err == PDP_ERR_UTF8) {
        (void)diag_error(diags, err, place, "an entry is not valid UTF-8");
    } else if (err == PDP_ERR_RANGE) {
        (void)diag_error(diags, err, place, "an entry holds a control character");
        diag_hint(diags, "a list is UTF-8 text, one entry a line, and lines end with LF or CR LF");
    } else {
        refuse_syntax(kind, text, place, diags);
    }
}

void lists_doubt(enum cel_set_kind kind, struct str text, struct place place, struct diags *diags)
{
    struct str meant;
    const char *hint;
    if (kind != CEL_SET_COUNTRY || !country_mistaken(text, &meant, &hint)) {
        return;
    }
    diag_warning(diags, place, "`" STR_FMT "` is no country of ISO 3166", STR_ARG(text));
    if (meant.len > 0) {
        diag_hint(diags, "did you mean `" STR_FMT "`?", STR_ARG(meant));
    } else {
        diag_hint(diags, "%s", hint);
    }
}

static void note(struct reading *r, enum pdp_err err)
{
    r->first = r->first == PDP_ERR_OK ? err : r->first;
}

static struct place place_of(const struct reading *r, struct str part)
{
    return (struct place){r->source, (uint32_t)(part.at - r->source->text.at), (uint32_t)part.len};
}

// ---- Lines ------------------------------------------------------------------------------------------

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// `#` begins a comment at the start of a line and after a blank: `user#1` is an entry.
static struct str without_comment(struct str line)
{
    for (size_t at = str_find_byte(line, '#', 0); at < line.len; at = str_find_byte(line, '#', at + 1)) {
        if (at == 0 || is_blank(line.at[at - 1])) {
            return str_sub(line, 0, at);
        }
    }
    return line;
}

// The next line that is not empty, without blanks around it; false after the last. A byte order mark in front
// of the first is passed over.
static bool next_line(struct str text, size_t *at, struct str *line)
{
    if (*at == 0 && str_starts(text, STR("\xEF\xBB\xBF"))) {
        *at = 3;
    }
    while (*at < text.len) {
        size_t end = str_find_byte(text, '\n', *at);
        *line = str_trim(str_sub(text, *at, end - *at));
        *at = end + 1;
        if (line->len > 0) {
            return true;
        }
    }
    return false;
}

// ---- Header -----------------------------------------------------------------------------------------

static void refuse_header(struct reading *r, struct str value, struct str line, const char *what,
                          const char *hint)
{
    AUTO(buf_fini) struct buf shown = {0};
    buf_escaped(&shown, str_sub(value, 0, 80));
    note(r, diag_error(r->diags, PDP_ERR_SYNTAX, place_of(r, value.len > 0 ? value : line),
                       "`" STR_FMT "` is no %s", STR_ARG(buf_view(&shown)), what));
    diag_hint(r->diags, "%s", hint);
    r->mistakes++;
}

static void read_version(struct reading *r, struct str value, struct str line)
{
    bool right = value.len > 0 && value.len <= VERSION_MOST && str_is_utf8(value);
    for (size_t i = 0; right && i < value.len; i++) {
        right = (unsigned char)value.at[i] > ' ' && value.at[i] != 0x7F;
    }
    if (!right) {
        refuse_header(r, value, line, "version", "one word of at most 64 bytes, such as `2026-11-27.1`");
        return;
    }
    bool copied = true;
    r->has_version = true;
    r->set->version = arena_str(&r->set->arena, value, &copied);
    note(r, copied ? PDP_ERR_OK : PDP_ERR_NOMEM);
}

static void read_updated(struct reading *r, struct str value, struct str line)
{
    int64_t s = 0;
    uint32_t nanos = 0;
    if (!time_parse(value, &s, &nanos)) {
        refuse_header(r, value, line, "time", "write it as RFC 3339, such as `2026-11-27T06:00:00Z`");
        return;
    }
    r->has_updated = true;
    r->set->updated_ms = s * TIME_MS_PER_S + nanos / 1000000;
}

static void misplaced(struct reading *r, struct str line, const char *what, const char *hint)
{
    note(r, diag_error(r->diags, PDP_ERR_DUPLICATE, place_of(r, line), "%s", what));
    diag_hint(r->diags, "%s", hint);
    r->mistakes++;
}

// `# version: X` and `# updated: T`; all other comments are anybody's.
static void read_comment(struct reading *r, struct str line)
{
    static const struct {
        struct str name;
        void (*read)(struct reading *r, struct str value, struct str line);
    } HEADER[] = {{{"version:", 8}, read_version}, {{"updated:", 8}, read_updated}};
    struct str body = str_trim(str_sub(line, 1, line.len));
    for (size_t i = 0; i < COUNT_OF(HEADER); i++) {
        if (!str_starts(body, HEADER[i].name)) {
            continue;
        }
        if (r->begun) {
            misplaced(r, line, "a header stands above the first entry",
                      "move it up, or write the comment in other words");
        } else if (i == 0 ? r->has_version : r->has_updated) {
            misplaced(r, line, "the header tells this twice", "leave one of them");
        } else {
            HEADER[i].read(r, str_trim(str_sub(body, HEADER[i].name.len, body.len)), line);
        }
        return;
    }
}

// ---- The whole file ---------------------------------------------------------------------------------

static void read_entry(struct reading *r, struct str entry)
{
    enum pdp_err err = lists_add(&r->building, entry);
    r->begun = true;
    if (err != PDP_ERR_OK) {
        lists_refuse(err, r->set->head.kind, entry, place_of(r, entry), r->diags);
        note(r, err);
        r->mistakes++;
    } else {
        lists_doubt(r->set->head.kind, entry, place_of(r, entry), r->diags);
    }
}

static void read_lines(struct reading *r)
{
    struct str line;
    for (size_t at = 0; next_line(r->source->text, &at, &line);) {
        if (r->mistakes == MISTAKES_MOST) {
            note(r, diag_error(r->diags, PDP_ERR_LIMIT, place_of(r, line),
                               "more than %d mistakes: the rest of the file was not read", MISTAKES_MOST));
            return;
        }
        if (line.at[0] == '#') {
            read_comment(r, line);
        } else {
            read_entry(r, str_trim(without_comment(line)));
        }
    }
}

// An empty list is seldom meant: a download that failed looks like that.
static void warn_empty(const struct reading *r)
{
    if (r->set->entries == 0 && r->first == PDP_ERR_OK) {
        diag_warning(r->diags, (struct place){r->source, 0, 0}, "the list is empty");
        diag_hint(r->diags, "nothing is in `lists." STR_FMT "`", STR_ARG(r->set->head.name));
    }
}

static enum pdp_err read_text(struct reading *r, struct hash_key seed)
{
    struct str line;
    size_t entries = 0, bytes = 0;
    for (size_t at = 0; next_line(r->source->text, &at, &line);) {
        bool entry = line.at[0] != '#';
        entries += entry;
        bytes += entry ? line.len : 0;
    }
    TRY(lists_begin(&r->building, r->set, entries, bytes, seed));
    read_lines(r);
    TRY(r->first);
    warn_empty(r);
    return lists_end(&r->building);
}

enum pdp_err lists_file_read(const struct lists_head *head, const struct source *source, struct hash_key seed,
                             struct diags *diags, struct lists_set **out)
{
    *out = NULL;
    AUTO(lists_free) struct lists_set *set = NULL;
    TRY(lists_new(head, &set));
    TRY(seal_sha256(source->text.at, source->text.len, set->sha256));
    struct reading r = {.source = source, .diags = diags, .set = set};
    enum pdp_err err = read_text(&r, seed);
    lists_building_fini(&r.building);
    TRY(err);
    *out = STEAL(set);
    return PDP_ERR_OK;
}
