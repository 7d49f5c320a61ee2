// SPDX-License-Identifier: Apache-2.0
// Searches page by page: nothing twice, nothing left out, and no token where it does not belong.
#include "engine/search.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

// `count` records, of which every `nth` may be read (0: none).
static void load(struct harness *h, int count, int nth)
{
    AUTO(buf_fini) struct buf yaml = {0};
    buf_str(&yaml, STR(HEAD("Policy", "p") "rules: [{id: r, effect: allow, when: resource.open}]\n"));
    buf_str(&yaml, STR(HEAD("Entities", "e") "type: record\nentities:"));
    buf_str(&yaml, count == 0 ? STR(" []\n") : STR("\n"));
    for (int i = 0; i < count; i++) {
        bool open = nth > 0 && i % nth == 0;
        buf_printf(&yaml, "  - {id: r%05d, properties: {open: %s}}\n", i, open ? "true" : "false");
    }
    buf_byte(&yaml, '\0');
    cr_assert(harness_load(h, (const char *)yaml.at), "%s", (const char *)h->said.at);
}

// One page; `more` stands behind the search. The token of the next, in `token`.
static void ask(struct harness *h, const char *more, char token[static 1024])
{
    AUTO(buf_fini) struct buf message = {0};
    buf_printf(&message,
               "{'search': 'resource', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': "
               "'read'}, 'resource': {'type': 'record'}%s}",
               more);
    buf_byte(&message, '\0');
    harness_ask(h, HARNESS_NOW, (const char *)message.at);
    snprintf(token, 1024, "%s", harness_get(h, "page.next_token"));
}

static const struct {
    const char *name;
    int count, nth, limit;
    size_t pages, results, least; // pages in all, results in all, results of the first page
} PAGES[] = {
    {"one that is not full", 7, 1, 10, 1, 7, 7},
    {"one that is full to the last", 7, 1, 7, 1, 7, 7},
    {"a page with one more", 8, 1, 7, 2, 8, 7},
    {"one each", 5, 1, 1, 5, 5, 1},
    {"as many as one may look at", 1000, 1, 1000, 1, 1000, 1000},
    {"more than one may look at", 2500, 1, 5000, 3, 2500, 1000},
    {"some of them", 2500, 3, 400, 3, 834, 334}, // 1000 looked at, then 1000, then the rest
    {"none of them", 2500, 0, 1000, 3, 0, 0},
    {"nothing at all", 0, 0, 10, 1, 0, 0},
};

static void walk(struct harness *h, size_t i)
{
    char token[1024] = "";
    char last[16] = "";
    size_t pages = 0, results = 0;
    do {
        char more[1200];
        snprintf(more, sizeof more, ", 'request_id': 'p%zu', 'page': {'limit': %d, 'token': '%s'}", pages,
                 PAGES[i].limit, token);
        ask(h, more, token);
        const struct value *list = value_get(&h->root, STR("results"));
        cr_assert(list != NULL, "%s: " STR_FMT, PAGES[i].name, STR_ARG(buf_view(&h->answer)));
        cr_expect(pages > 0 || list->n == PAGES[i].least, "%s: %u", PAGES[i].name, list->n);
        cr_expect_eq(value_path(&h->root, STR("page.total")) != NULL, pages == 0 && token[0] == '\0', "%s",
                     PAGES[i].name);
        for (uint32_t k = 0; k < list->n; k++) {
            struct str id = value_text(value_get(&list->as.list[k], STR("id")));
            cr_assert(str_cmp(id, str_of(last)) > 0, "%s: " STR_FMT " behind %s", PAGES[i].name, STR_ARG(id),
                      last);
            snprintf(last, sizeof last, STR_FMT, STR_ARG(id));
        }
        results += list->n;
        pages++;
    } while (token[0] != '\0' && pages < 100);
    cr_expect_eq(pages, PAGES[i].pages, "%s: %zu pages", PAGES[i].name, pages);
    cr_expect_eq(results, PAGES[i].results, "%s: %zu results", PAGES[i].name, results);
}

Test(engine_search_token, pages_are_the_whole)
{
    for (size_t i = 0; i < COUNT_OF(PAGES); i++) {
        struct harness h = {0};
        load(&h, PAGES[i].count, PAGES[i].nth);
        walk(&h, i);
        harness_fini(&h);
    }
}

static void expect_refused(struct harness *h, const char *why)
{
    cr_expect_str_eq(harness_get(h, "context.error.field"), "page.token", "%s: " STR_FMT, why,
                     STR_ARG(buf_view(&h->answer)));
    cr_expect_str_eq(harness_effect(h), "deny/malformed", "%s", why);
    cr_expect(value_get(&h->root, STR("results")) == NULL, "%s", why);
}

static const struct {
    const char *name, *more;
    bool good;
} OTHERS[] = {
    {"the same search", "'page': {'limit': 2, 'token': '%s'}", true},
    {"the same in another order", "'page': {'token': '%s', 'limit': 2}", true},
    {"another id of the message",
     "'request_id': 'x', 'deadline_ms': 100, 'page': {'limit': 2, 'token': '%s'}", true},
    {"what is said with null", "'context': null, 'page': {'limit': 2, 'token': '%s', 'properties': null}",
     false},
    {"another limit", "'page': {'limit': 3, 'token': '%s'}", false},
    {"no limit", "'page': {'token': '%s'}", false},
    {"a context", "'context': {'a': 1}, 'page': {'limit': 2, 'token': '%s'}", false},
    {"another tenant", "'tenant': 'acme', 'page': {'limit': 2, 'token': '%s'}", false},
    {"explained", "'explain': 'full', 'page': {'limit': 2, 'token': '%s'}", false},
    {"with something behind", "'page': {'limit': 2, 'token': '%s='}", false},
    {"with something before", "'page': {'limit': 2, 'token': 'A%s'}", false},
};

Test(engine_search_token, belongs_to_one_search)
{
    struct harness h = {0};
    char token[1024], next[1024];
    load(&h, 9, 1);
    ask(&h, ", 'page': {'limit': 2}", token);
    cr_assert_gt(strlen(token), 40);
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        AUTO(buf_fini) struct buf more = {0};
        const char *hole = strstr(OTHERS[i].more, "%s");
        buf_printf(&more, ", %.*s%s%s", (int)(hole - OTHERS[i].more), OTHERS[i].more, token, hole + 2);
        buf_byte(&more, '\0');
        ask(&h, (const char *)more.at, next);
        if (OTHERS[i].good) {
            cr_expect_str_eq(harness_get(&h, "page.count"), "2", "%s: " STR_FMT, OTHERS[i].name,
                             STR_ARG(buf_view(&h.answer)));
            cr_expect_str_neq(next, token, "%s", OTHERS[i].name);
        } else {
            expect_refused(&h, OTHERS[i].name);
        }
    }
    harness_fini(&h);
}

Test(engine_search_token, belongs_to_who_asked_and_where)
{
    struct harness h = {0}, other = {0};
    char token[1024], next[1024], more[1200];
    load(&h, 9, 1);
    ask(&h, ", 'page': {'limit': 2}", token);
    snprintf(more, sizeof more, ", 'page': {'limit': 2, 'token': '%s'}", token);
    h.peer.name = STR("another");
    ask(&h, more, next);
    expect_refused(&h, "another peer");
    h.peer.name = STR("test");
    load(&h, 20, 1); // other policies: the place is still one
    ask(&h, more, next);
    cr_expect_str_eq(harness_get(&h, "page.count"), "2");
    // Another engine with the same key and peer takes it, with another key it does not.
    load(&other, 9, 1);
    ask(&other, more, next);
    cr_expect_str_eq(harness_get(&other, "page.count"), "2");
    other.worker->engine->config.key.k0++;
    ask(&other, more, next);
    expect_refused(&other, "another key");
    harness_fini(&other);
    harness_fini(&h);
}

// Every bit of it counts, and what it holds is not to be read.
Test(engine_search_token, cannot_be_changed)
{
    struct harness h = {0};
    char token[1024], next[1024], more[1200];
    load(&h, 9, 1);
    ask(&h, ", 'page': {'limit': 2}", token);
    cr_expect(strstr(token, "r0000") == NULL);
    for (size_t i = 0; token[i] != '\0'; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        snprintf(more, sizeof more, ", 'page': {'limit': 2, 'token': '%s'}", token);
        ask(&h, more, next);
        expect_refused(&h, token);
        token[i] = was;
    }
    harness_fini(&h);
}
