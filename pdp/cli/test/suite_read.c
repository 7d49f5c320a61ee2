// SPDX-License-Identifier: Apache-2.0
// Files to documents, and names that they expect against a snapshot.
#include "cli/test/reading.h"

#include <stdlib.h>

struct suite {
    struct arena arena;
    struct suite_doc *docs;
    size_t count;
    struct reading_geo *geo;
};

static void read_doc(struct reading *r, const struct conf_doc *from, struct map seen[2], struct suite *suite)
{
    struct suite_doc *doc = &suite->docs[suite->count];
    *doc = (struct suite_doc){.stops = UINT32_MAX};
    if (!reading_head(r, from, doc)) {
        return;
    }
    if (doc->kind == SUITE_GIVEN) {
        struct reading_over over;
        (void)read_given_doc(r, from, &over); // laid over the scenarios of others
        return;
    }
    suite->count++;
    const char *what = doc->kind == SUITE_TEST ? "Test" : "Scenario";
    reading_once(r, &seen[doc->kind], doc->name, doc->place, what);
    if (doc->kind == SUITE_TEST) {
        read_test(r, from, doc);
    } else {
        read_scenario(r, from, doc);
    }
}

// Room for `more` documents behind those that there are.
static bool make_room(struct reading *r, struct suite *suite, size_t more)
{
    struct suite_doc *larger = reading_array(r, suite->count + more, sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    if (suite->count > 0) {
        memcpy(larger, suite->docs, suite->count * sizeof *larger);
    }
    suite->docs = larger;
    return true;
}

const struct conf_doc *reading_docs(struct reading *r, const struct snapshot_file *file, size_t *count)
{
    struct source *source = ARENA_NEW(&r->diags->arena, struct source);
    struct conf_doc *docs = NULL;
    *count = 0;
    if (source == NULL) {
        reading_note(r, PDP_ERR_NOMEM);
        return NULL;
    }
    *source = (struct source){file->name, file->text};
    if (file->err != PDP_ERR_OK) {
        reading_fail(r, file->err, (struct place){source, 0, 0}, "cannot be read: " STR_FMT,
                     STR_ARG(file->why));
        return NULL;
    }
    enum pdp_err err = conf_parse(source, r->arena, r->diags, &docs, count);
    reading_note(r, err);
    if (err == PDP_ERR_OK && *count == 0) {
        diag_warning(r->diags, (struct place){source, 0, 0}, "the file holds no document");
    }
    return docs;
}

static void read_file(struct reading *r, const struct snapshot_file *file, struct map seen[2],
                      struct suite *suite)
{
    size_t count = 0;
    const struct conf_doc *docs = reading_docs(r, file, &count);
    if (!make_room(r, suite, count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_doc(r, &docs[i], seen, suite);
    }
}

enum pdp_err suite_read(const struct snapshot_file *files, size_t count, struct diags *diags,
                        struct suite **out)
{
    return suite_read_over(files, count, NULL, diags, out);
}

enum pdp_err suite_read_over(const struct snapshot_file *files, size_t count,
                             const struct snapshot_file *given, struct diags *diags, struct suite **out)
{
    *out = NULL;
    AUTO(suite_free) struct suite *suite = calloc(1, sizeof *suite);
    if (suite == NULL) {
        return PDP_ERR_NOMEM;
    }
    arena_init(&suite->arena, 0, 0);
    struct reading reading = {.arena = &suite->arena, .diags = diags};
    struct map seen[2];
    reading_names(&seen[SUITE_TEST]);
    reading_names(&seen[SUITE_SCENARIO]);
    if (given != NULL) {
        read_given(&reading, given);
    }
    for (size_t i = 0; i < count; i++) {
        read_file(&reading, &files[i], seen, suite);
    }
    read_given_end(&reading);
    suite->geo = reading.geo;
    map_fini(&seen[SUITE_TEST]);
    map_fini(&seen[SUITE_SCENARIO]);
    if (reading.first == PDP_ERR_OK && diags->errors > 0) {
        reading.first = PDP_ERR_REFUSED;
    }
    TRY(reading.first);
    *out = STEAL(suite);
    return PDP_ERR_OK;
}

void suite_free(struct suite **suite)
{
    struct suite *s = STEAL(*suite);
    if (s == NULL) {
        return;
    }
    for (struct reading_geo *geo = s->geo; geo != NULL; geo = geo->next) {
        geo_set_free(&geo->set);
    }
    arena_fini(&s->arena);
    free(s);
}

size_t suite_count(const struct suite *suite)
{
    return suite->count;
}

const struct suite_doc *suite_at(const struct suite *suite, size_t index)
{
    return &suite->docs[index];
}
