// SPDX-License-Identifier: Apache-2.0
// List documents, and the files that they name.
#include "policy/build.h"

struct document {
    struct build_head head;
    int type;
    int64_t max_age_ms, updated_ms;
    struct str file;
    const struct conf_node *entries;
};

static const char *const TYPES[] = {"string", "cidr", "country", "asn", NULL};
static const enum cel_set_kind KINDS[] = {CEL_SET_STRING, CEL_SET_CIDR, CEL_SET_COUNTRY, CEL_SET_ASN};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"type", CONF_CHOICE, true, offsetof(struct document, type), TYPES, 0, 0, "what its entries are"},
    {"max_age", CONF_DURATION, false, offsetof(struct document, max_age_ms), NULL, 0, 0,
     "older is stale, and stale is unsure"},
    {"updated", CONF_TIME, false, offsetof(struct document, updated_ms), NULL, 0, 0,
     "when its entries were true; without it, when they were loaded"},
    {"entries", CONF_SEQUENCE, false, offsetof(struct document, entries), NULL, 0, 0, "its members"},
    {"file", CONF_TEXT, false, offsetof(struct document, file), NULL, 0, 0,
     "its members, one a line, `#` comments"},
};

static const struct {
    const char *what, *hint;
} WORDS[] = {
    [CEL_SET_STRING] = {"text", NULL},
    [CEL_SET_CIDR] = {"an address or prefix", "such as `10.20.0.0/16`, `2001:db8::/32` or `192.0.2.1`"},
    [CEL_SET_COUNTRY] = {"a country", "two letters of ISO 3166, such as `DE`"},
    [CEL_SET_ASN] = {"an AS number", "such as `AS3320` or `3320`"},
};

static void refuse_entry(struct build *build, const struct lists_set *set, struct str text,
                         struct place place)
{
    struct cidr cidr;
    build_fail(build, PDP_ERR_SYNTAX, place, NULL, "`" STR_FMT "` is not %s",
               STR_ARG(build_shown(build, text)), WORDS[set->kind].what);
    if (set->kind == CEL_SET_CIDR && cidr_parse(text, true, &cidr)) {
        AUTO(buf_fini) struct buf fixed = {0};
        cidr_print(&fixed, &cidr);
        diag_hint(build->diags, "bits are set below the prefix; did you mean `" STR_FMT "`?",
                  STR_ARG(buf_view(&fixed)));
    } else if (WORDS[set->kind].hint != NULL) {
        diag_hint(build->diags, "%s", WORDS[set->kind].hint);
    }
}

static void add_entry(struct build *build, struct lists_set *set, struct str text, struct place place)
{
    enum pdp_err err = lists_add(set, text);
    if (err != PDP_ERR_OK) {
        refuse_entry(build, set, text, place);
    }
}

static void read_entries(struct build *build, struct lists_set *set, const struct conf_node *entries)
{
    enum pdp_err err = lists_room(set, entries->count, build->set->seed, build->arena);
    build_note(build, err);
    for (size_t i = 0; err == PDP_ERR_OK && i < entries->count; i++) {
        const struct conf_node *entry = entries->items[i];
        if (entry->kind != CONF_SCALAR) {
            build_fail(build, PDP_ERR_TYPE, entry->place, NULL, "an entry must be text");
            continue;
        }
        // `NO` is Norway here, and nothing else.
        add_entry(build, set, set->kind == CEL_SET_STRING ? build_copy(build, entry->text) : entry->text,
                  entry->place);
    }
    lists_sort(set);
}

// One line of a file without its comment and blanks; false after the last.
static bool next_line(struct str text, size_t *at, struct str *line)
{
    if (*at >= text.len) {
        return false;
    }
    size_t end = str_find_byte(text, '\n', *at);
    struct str all = str_sub(text, *at, end - *at);
    *line = str_trim(str_sub(all, 0, str_find_byte(all, '#', 0)));
    *at = end + 1;
    return true;
}

static void read_lines(struct build *build, struct lists_set *set, const struct source *source)
{
    struct str line;
    size_t count = 0;
    for (size_t at = 0; next_line(source->text, &at, &line);) {
        count += line.len > 0;
    }
    enum pdp_err err = lists_room(set, count, build->set->seed, build->arena);
    build_note(build, err);
    for (size_t at = 0; err == PDP_ERR_OK && next_line(source->text, &at, &line);) {
        if (line.len == 0) {
            continue;
        }
        struct place place = {source, (uint32_t)(line.at - source->text.at), (uint32_t)line.len};
        if (!str_is_utf8(line)) {
            build_fail(build, PDP_ERR_UTF8, place, NULL, "an entry is not valid UTF-8");
        } else {
            add_entry(build, set, set->kind == CEL_SET_STRING ? build_copy(build, line) : line, place);
        }
    }
    lists_sort(set);
}

// Relative, and never upwards: a folder is deployed as a whole.
static bool stays_below(struct str path)
{
    bool below = path.len > 0 && path.at[0] != '/';
    for (size_t at = 0; below && at < path.len;) {
        size_t end = str_find_byte(path, '/', at);
        below = !str_eq(str_sub(path, at, end - at), STR(".."));
        at = end + 1;
    }
    return below;
}

static void read_file(struct build *build, struct lists_set *set, const struct conf_node *file)
{
    struct str text = {0};
    if (!stays_below(file->text)) {
        build_fail(build, PDP_ERR_DENIED, file->place,
                   "name it relative to the folder of the policies, without `..`",
                   "`" STR_FMT "` lies outside the folder", STR_ARG(build_shown(build, file->text)));
        return;
    }
    enum pdp_err err = build->files != NULL && build->files->read != NULL
                           ? build->files->read(build->files->user, file->text, &text)
                           : PDP_ERR_UNSUPPORTED;
    if (err != PDP_ERR_OK || (text.at == NULL && text.len > 0) || text.len > CONF_BYTES_MAX) {
        diag_warning(build->diags, file->place, "`" STR_FMT "` could not be read: %s",
                     STR_ARG(build_shown(build, file->text)),
                     pdp_err_text(err != PDP_ERR_OK ? err : PDP_ERR_LIMIT));
        diag_hint(build->diags, "until it can, whatever asks `lists." STR_FMT "` is unsure",
                  STR_ARG(set->name));
        set->missing = true;
        return;
    }
    // Lives as long as the diagnostics that show it, which may outlive the set.
    struct source *source = ARENA_NEW(&build->diags->arena, struct source);
    struct str name = arena_str(&build->diags->arena, file->text, NULL);
    if (source == NULL || name.at == NULL) {
        build_note(build, PDP_ERR_NOMEM);
        return;
    }
    *source = (struct source){name, text};
    read_lines(build, set, source);
}

static struct lists_set *set_of(struct build *build, struct str name)
{
    for (size_t i = 0; i < build->names->set_count; i++) {
        if (str_eq(build->names->sets[i].name, name)) {
            return &build->set->lists[build->names->sets[i].id];
        }
    }
    return NULL; // its name was refused
}

void read_list(struct build *build, const struct conf_doc *doc)
{
    struct document document = {.updated_ms = INT64_MIN};
    enum pdp_err err =
        conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "List", &document, build->arena, build->diags);
    build_note(build, err);
    const struct conf_node *file = conf_get(doc->root, "file");
    if ((document.entries != NULL) == (file != NULL)) {
        struct place place = file != NULL ? file->place : conf_get(doc->root, "kind")->place;
        build_fail(build, PDP_ERR_MISSING, place, NULL, "a List has either `entries` or `file`");
        return;
    }
    struct lists_set *set = set_of(build, build_doc_name(doc));
    if (err != PDP_ERR_OK || set == NULL || set->name.len > 0) {
        return;
    }
    set->name = build_copy(build, build_doc_name(doc));
    set->kind = KINDS[document.type];
    set->max_age_ms = document.max_age_ms;
    set->dated = document.updated_ms != INT64_MIN;
    set->updated_ms = set->dated ? document.updated_ms : 0;
    if (file != NULL) {
        read_file(build, set, file);
    } else {
        read_entries(build, set, document.entries);
    }
}
