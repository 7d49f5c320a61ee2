// SPDX-License-Identifier: Apache-2.0
// Names that tests expect, against those that a snapshot has: a rule that is not there can never decide.
#include "cli/test/suite.h"

#include "base/map.h"
#include "engine/watch.h"
#include "policy/set.h"

#include <stdlib.h>

// Names of one sort.
struct sort {
    const char *what;
    struct str *names;
    size_t count;
    struct map known;
};

enum {
    RULES,
    STRENGTHS,
    SIGNALS_OF,
    EXCEPTIONS,
    SORTS
};

struct checking {
    struct sort sorts[SORTS];
    struct diags *diags;
    enum pdp_err first;
};

static void note(struct checking *c, enum pdp_err err)
{
    c->first = c->first == PDP_ERR_OK ? err : c->first;
}

static bool sort_init(struct checking *c, int number, const char *what, size_t most)
{
    struct sort *sort = &c->sorts[number];
    *sort = (struct sort){.what = what, .names = calloc(most + 1, sizeof(struct str))};
    map_init(&sort->known, (struct hash_key){UINT64_C(0x657870656374), 1});
    note(c, sort->names == NULL ? PDP_ERR_NOMEM : PDP_ERR_OK);
    return sort->names != NULL;
}

static void sort_add(struct checking *c, int number, struct str name)
{
    struct sort *sort = &c->sorts[number];
    sort->names[sort->count++] = name;
    note(c, map_put(&sort->known, name, 1));
}

static void gather(struct checking *c, const struct snapshot *snapshot)
{
    struct snapshot_parts parts;
    snapshot_parts(snapshot, &parts);
    size_t rules = policy_rule_count(parts.set), signals = risk_signal_count(parts.risk);
    if (sort_init(c, RULES, "rule", rules)) {
        for (uint32_t i = 0; i < rules; i++) {
            sort_add(c, RULES, policy_rule_name(parts.set, i));
        }
    }
    if (sort_init(c, STRENGTHS, "strength", parts.names->strength_count)) {
        for (size_t i = 0; i < parts.names->strength_count; i++) {
            sort_add(c, STRENGTHS, parts.names->strengths[i]);
        }
    }
    if (sort_init(c, SIGNALS_OF, "signal", signals)) {
        for (size_t i = 0; i < signals; i++) {
            sort_add(c, SIGNALS_OF, risk_signal_name(parts.risk, i));
        }
    }
    if (sort_init(c, EXCEPTIONS, "exception", parts.set->exception_count)) {
        for (uint32_t i = 0; i < parts.set->exception_count; i++) {
            sort_add(c, EXCEPTIONS, parts.set->exceptions[i].name);
        }
    }
}

static void hint(struct checking *c, const struct sort *sort, struct str name)
{
    if (!diag_wants_hint(c->diags)) {
        return;
    }
    int near = str_nearest(name, sort->names, sort->count);
    if (near >= 0) {
        diag_hint(c->diags, "did you mean `" STR_FMT "`?", STR_ARG(sort->names[near]));
        return;
    }
    AUTO(buf_fini) struct buf list = {0};
    for (size_t i = 0; i < sort->count && i < 20; i++) {
        buf_printf(&list, "%s`" STR_FMT "`", i > 0 ? ", " : "", STR_ARG(sort->names[i]));
    }
    if (list.len > 0) {
        diag_hint(c->diags, "there are " STR_FMT "%s", STR_ARG(buf_view(&list)),
                  sort->count > 20 ? ", ..." : "");
    }
}

static void check_name(struct checking *c, int number, struct str name, struct place place)
{
    const struct sort *sort = &c->sorts[number];
    uint64_t found = 0;
    if (name.len == 0 || map_get(&sort->known, name, &found)) {
        return;
    }
    AUTO(buf_fini) struct buf shown = {0};
    buf_escaped(&shown, str_sub(name, 0, 80));
    note(c, diag_error(c->diags, PDP_ERR_UNKNOWN, place, "the policies have no %s `" STR_FMT "`", sort->what,
                       STR_ARG(buf_view(&shown))));
    hint(c, sort, name);
}

static int sort_of(enum suite_claim_kind kind)
{
    switch (kind) {
    case SUITE_RULE:
    case SUITE_RULES:
        return RULES;
    case SUITE_STRENGTH:
        return STRENGTHS;
    case SUITE_EXCEPTIONS:
        return EXCEPTIONS;
    default:
        return -1;
    }
}

static void check_play(struct checking *c, const struct suite_play *play)
{
    for (size_t i = 0; i < play->claim_count; i++) {
        const struct suite_claim *claim = &play->claims[i];
        int sort = sort_of(claim->kind);
        for (size_t k = 0; sort >= 0 && k < claim->text_count; k++) {
            check_name(c, sort, claim->texts[k], claim->nodes[k]->place);
        }
        if (claim->kind == SUITE_SIGNAL) {
            check_name(c, SIGNALS_OF, claim->signal, claim->place);
        }
    }
}

static void check_doc(struct checking *c, const struct suite_doc *doc)
{
    for (size_t i = 0; i < doc->play_count; i++) {
        if (doc->plays[i].turn == 0) { // of a step that is repeated once
            check_play(c, &doc->plays[i]);
        }
    }
}

enum pdp_err suite_check(const struct suite *suite, const struct snapshot *snapshot, struct diags *diags)
{
    struct checking checking = {.diags = diags};
    gather(&checking, snapshot);
    bool ready = checking.first == PDP_ERR_OK;
    for (size_t i = 0; ready && i < suite_count(suite); i++) {
        check_doc(&checking, suite_at(suite, i));
    }
    for (size_t i = 0; i < SORTS; i++) {
        free(checking.sorts[i].names);
        map_fini(&checking.sorts[i].known);
    }
    return checking.first;
}
