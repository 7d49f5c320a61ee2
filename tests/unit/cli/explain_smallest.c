// SPDX-License-Identifier: Apache-2.0
// The smallest change, against every change of the kinds that docs/EXPLAIN.md names, asked of the engine
// itself.
#include "cli/explain/account.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

// ---- A small world: four attributes, and rules over them ---------------------------------------

enum {
    NUMBER,
    TRUTH,
    TEXT,
    ROLES,
    TIME, // 1: when the exception expires
    ATTRIBUTES
};
static const char *const PATHS[ATTRIBUTES] = {"context.n", "context.b", "context.t", "subject.roles", "now"};
#define EXPIRES INT64_C(1893456000000) // 2030-01-01T00:00:00Z
static const char *const TEXTS[] = {"a", "b", "ab", "c"};
// Texts that no condition names; what is said of many values has to hold for these too.
static const char *const OTHERS[] = {"~", "a~", "ab~", "b~", "~a", "~b~", "~abc", "~c", "", "bca"};
static const char *const NAMES[] = {"x", "y", "z"};

// What an attribute holds. Texts: their number, -1 - n another one. Roles: a bit each.
struct held {
    bool there;
    int value;
};
struct world {
    uint64_t seed;
    char yaml[8192];
    size_t len;
    bool bounds[16];             // numbers that something is compared with
    bool texts[COUNT_OF(TEXTS)]; // likewise
    bool ends[COUNT_OF(TEXTS)];  // likewise, as a beginning or a part
    bool roles[COUNT_OF(NAMES)], left_out[ATTRIBUTES], reads[ATTRIBUTES];
    struct held is[ATTRIBUTES];
};

static unsigned draw(struct world *w, unsigned below)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->seed >> 33) % below;
}

static void put(struct world *w, const char *text)
{
    w->len += (size_t)snprintf(w->yaml + w->len, sizeof w->yaml - w->len, "%s", text);
}

static void put_number(struct world *w)
{
    static const struct {
        const char *before, *after;
        int sign, plus; // what it is compared with: sign * bound + plus
    } FORMS[] = {{"context.n < ", "", 1, 0},      {"context.n >= ", "", 1, 0},
                 {"context.n == ", "", 1, 0},     {"context.n > ", "", 1, 0},
                 {"", " <= context.n", 1, 0},     {"context.n != ", "", 1, 0},
                 {"context.n + 1 < ", "", 1, -1}, {"10 - context.n > ", "", -1, 10}};
    char text[64];
    int bound = 2 + (int)draw(w, 6);
    unsigned form = draw(w, COUNT_OF(FORMS));
    snprintf(text, sizeof text, "%s%d%s", FORMS[form].before, bound, FORMS[form].after);
    w->bounds[FORMS[form].sign * bound + FORMS[form].plus] = true;
    w->reads[NUMBER] = true;
    put(w, text);
}

static void put_truth(struct world *w)
{
    static const char *const FORMS[] = {"context.b", "!context.b", "context.b == true", "has(context.b)"};
    unsigned form = draw(w, COUNT_OF(FORMS));
    w->left_out[TRUTH] |= form == 3;
    w->reads[TRUTH] = true;
    put(w, FORMS[form]);
}

static void put_text(struct world *w)
{
    char text[96];
    unsigned a = draw(w, COUNT_OF(TEXTS)), b = draw(w, COUNT_OF(TEXTS)), form = draw(w, 6);
    w->reads[TEXT] = true;
    w->texts[a] |= form < 3;
    w->texts[b] |= form == 2;
    w->ends[a] |= form == 3 || form == 5;
    w->left_out[TEXT] |= form == 4;
    if (form == 2) {
        snprintf(text, sizeof text, "context.t in ['%s', '%s']", TEXTS[a], TEXTS[b]);
    } else if (form == 3) {
        snprintf(text, sizeof text, "context.t.startsWith('%s')", TEXTS[a]);
    } else if (form == 5) {
        snprintf(text, sizeof text, "context.t.contains('%s')", TEXTS[a]);
    } else if (form == 4) {
        snprintf(text, sizeof text, "!has(context.t)");
    } else {
        snprintf(text, sizeof text, "context.t %s '%s'", form == 0 ? "==" : "!=", TEXTS[a]);
    }
    put(w, text);
}

static void put_roles(struct world *w)
{
    char text[64];
    unsigned role = draw(w, COUNT_OF(NAMES));
    w->reads[ROLES] = w->roles[role] = true;
    snprintf(text, sizeof text, draw(w, 3) == 0 ? "!('%s' in subject.roles)" : "'%s' in subject.roles",
             NAMES[role]);
    put(w, text);
}

static void put_condition(struct world *w)
{
    static void (*const ATOMS[])(struct world *) = {put_number, put_truth, put_text, put_roles};
    unsigned count = 1 + draw(w, 3);
    const char *join = draw(w, 2) == 0 ? " && " : " || ";
    put(w, "\"");
    for (unsigned i = 0; i < count; i++) {
        put(w, i > 0 ? join : "");
        ATOMS[draw(w, COUNT_OF(ATOMS))](w);
    }
    put(w, "\"");
}

static void put_rule(struct world *w, unsigned number)
{
    static const char *const EFFECTS[] = {"allow", "allow", "deny", "terminate", "step_up"};
    const char *effect = EFFECTS[draw(w, COUNT_OF(EFFECTS))];
    char text[128];
    snprintf(text, sizeof text, "  - id: r%u\n    effect: %s\n    when: ", number, effect);
    put(w, text);
    put_condition(w);
    put(w, strcmp(effect, "step_up") == 0 ? "\n    require: {strength: mfa}\n" : "\n");
}

static void put_policies(struct world *w)
{
    static const char *const ALGORITHMS[] = {"most-restrictive", "most-restrictive", "first-match",
                                             "deny-unless-allow"};
    char text[128];
    put(w, "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"
           "  - {name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}\n");
    for (unsigned p = 0, count = 1 + draw(w, 2); p < count; p++) {
        snprintf(text, sizeof text,
                 "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\n", p,
                 ALGORITHMS[draw(w, COUNT_OF(ALGORITHMS))]);
        put(w, text);
        if (draw(w, 4) == 0) {
            put(w, "target: ");
            put_condition(w);
            put(w, "\n");
        }
        put(w, "rules:\n");
        for (unsigned r = 0, rules = 1 + draw(w, 3); r < rules; r++) {
            put_rule(w, r);
        }
    }
    if (draw(w, 4) == 0) {
        put(w, "---\napiVersion: pdp/v1\nkind: Exception\nmetadata: {name: e}\nlifts: ['*']\n"
               "expires: 2030-01-01T00:00:00Z\nwhen: ");
        put_condition(w);
        put(w, "\n");
        w->reads[TIME] = true;
    }
}

static void make_world(struct world *w, uint64_t seed)
{
    *w = (struct world){.seed = seed};
    put_policies(w);
    w->is[TIME].there = true;
    for (int a = 0; a < TIME; a++) {
        static const unsigned MOST[] = {9, 2, COUNT_OF(TEXTS), 1U << COUNT_OF(NAMES)};
        w->is[a] = (struct held){draw(w, 5) != 0, (int)draw(w, MOST[a])};
    }
}

// ---- Asking ------------------------------------------------------------------------------------

static const char *text_of(int value)
{
    return value < 0 ? OTHERS[-1 - value] : TEXTS[value];
}

static void put_json(const struct held *is, struct buf *out)
{
    buf_printf(out, "{'subject': {'type': 'user', 'id': 'u', 'properties': {");
    if (is[ROLES].there) {
        const char *comma = "";
        buf_printf(out, "'roles': [");
        for (unsigned i = 0; i < COUNT_OF(NAMES); i++) {
            if ((is[ROLES].value >> i & 1) != 0) {
                buf_printf(out, "%s'%s'", comma, NAMES[i]);
                comma = ", ";
            }
        }
        buf_printf(out, "]");
    }
    buf_printf(out, "}}, 'action': {'name': 'a'}, 'resource': {'type': 'r', 'id': 'i'}, 'context': {'c': 1");
    if (is[NUMBER].there) {
        buf_printf(out, ", 'n': %d", is[NUMBER].value);
    }
    if (is[TRUTH].there) {
        buf_printf(out, ", 'b': %s", is[TRUTH].value != 0 ? "true" : "false");
    }
    if (is[TEXT].there) {
        buf_printf(out, ", 't': '%s'", text_of(is[TEXT].value));
    }
    buf_printf(out, "}}");
    buf_byte(out, '\0');
}

static enum pdp_effect ask(struct harness *h, const struct held *is)
{
    AUTO(buf_fini) struct buf json = {0};
    put_json(is, &json);
    harness_ask(h, is[TIME].value != 0 ? EXPIRES : HARNESS_NOW, (const char *)json.at);
    for (unsigned e = 0; e < PDP_EFFECT_COUNT; e++) {
        if (strcmp(harness_get(h, "context.effect"), pdp_effect_name((enum pdp_effect)e)) == 0) {
            return (enum pdp_effect)e;
        }
    }
    cr_assert_fail("no effect");
    return PDP_EFFECT_DENY;
}

// ---- All changes -------------------------------------------------------------------------------

struct other {
    struct held to;
    double size;
};
struct others {
    struct other list[64];
    size_t count;
};

static void add(const struct world *w, int attribute, struct held to, double size, struct others *out)
{
    bool missing = !w->is[attribute].there;
    bool same = to.there == w->is[attribute].there && (missing || to.value == w->is[attribute].value);
    if (!same) {
        out->list[out->count++] = (struct other){to, size + (missing && to.there ? 0.5 : 0)};
    }
}

static double distance(int a, int b)
{
    double d = fabs((double)a - b) / fmax(fmax(fabs((double)a), fabs((double)b)), 1);
    return d / (1 + d);
}

static void all_numbers(const struct world *w, struct others *out)
{
    for (int bound = 0; bound < 16; bound++) {
        for (int to = bound - 1; w->bounds[bound] && to <= bound + 1; to++) {
            add(w, NUMBER, (struct held){true, to},
                w->is[NUMBER].there ? distance(to, w->is[NUMBER].value) : 1, out);
        }
    }
}

static void all_texts(const struct world *w, struct others *out)
{
    bool any = false;
    for (int i = 0; i < (int)COUNT_OF(TEXTS); i++) {
        if (w->texts[i] || w->ends[i]) {
            add(w, TEXT, (struct held){true, i}, 1, out);
            any = true;
        }
    }
    if (any) {
        add(w, TEXT, (struct held){true, -1}, 2, out);
    } else if (w->left_out[TEXT] && !w->is[TEXT].there) {
        add(w, TEXT, (struct held){true, -1}, 1, out);
    }
    if (w->left_out[TEXT]) {
        add(w, TEXT, (struct held){false, 0}, 2, out);
    }
}

static void all_roles(const struct world *w, struct others *out)
{
    int had = w->is[ROLES].there ? w->is[ROLES].value : 0;
    for (int turned = 0; turned < 1 << COUNT_OF(NAMES); turned++) {
        bool tested = true;
        for (unsigned i = 0; i < COUNT_OF(NAMES); i++) {
            tested = tested && ((turned >> i & 1) == 0 || w->roles[i]);
        }
        if (tested) {
            double size = turned == 0 ? 1 : __builtin_popcount((unsigned)turned);
            add(w, ROLES, (struct held){true, had ^ turned}, size, out);
        }
    }
}

static void all_of(const struct world *w, int attribute, struct others *out)
{
    *out = (struct others){.count = 0};
    if (!w->reads[attribute]) {
        return;
    }
    switch (attribute) {
    case NUMBER:
        all_numbers(w, out);
        break;
    case TRUTH:
        add(w, TRUTH, (struct held){true, 0}, 1, out);
        add(w, TRUTH, (struct held){true, 1}, 1, out);
        if (w->left_out[TRUTH]) {
            add(w, TRUTH, (struct held){false, 0}, 2, out);
        }
        break;
    case TEXT:
        all_texts(w, out);
        break;
    case TIME: {
        double days = (double)(EXPIRES - HARNESS_NOW) / 86400000;
        add(w, TIME, (struct held){true, 1}, days / (1 + days), out);
        break;
    }
    default:
        all_roles(w, out);
    }
}

// Of the smallest change to each effect, by how many attributes it changes.
struct best {
    double sizes[PDP_EFFECT_COUNT][ATTRIBUTES + 1];
};

static void try_all(struct harness *h, const struct world *w, const struct others *others, struct best *best)
{
    size_t at[ATTRIBUTES] = {0}; // 0: as it is
    for (bool more = true; more;) {
        struct held is[ATTRIBUTES];
        unsigned changed = 0;
        double size = 0;
        for (int a = 0; a < ATTRIBUTES; a++) {
            is[a] = at[a] == 0 ? w->is[a] : others[a].list[at[a] - 1].to;
            size += at[a] == 0 ? 0 : others[a].list[at[a] - 1].size;
            changed += at[a] != 0;
        }
        if (changed > 0 && changed <= CHANGE_ATTRIBUTES_MOST) {
            double *known = &best->sizes[ask(h, is)][changed];
            *known = fmin(*known, size);
        }
        more = false;
        for (int a = 0; a < ATTRIBUTES && !more; a++) {
            at[a] = at[a] == others[a].count ? 0 : at[a] + 1;
            more = at[a] != 0;
        }
    }
}

static double best_of(const struct best *best, unsigned wish, unsigned changed)
{
    double size = INFINITY;
    for (unsigned e = 0; e < PDP_EFFECT_COUNT; e++) {
        size = (wish >> e & 1) != 0 ? fmin(size, best->sizes[e][changed]) : size;
    }
    return size;
}

// ---- Against what is proposed ------------------------------------------------------------------

struct seen {
    struct arena arena;
    struct account account;
    struct buf said; // the changes in words
    bool made;
    unsigned wish;
    struct held to[CHANGES_MOST][ATTRIBUTES];
    const struct option *said_of[CHANGES_MOST][ATTRIBUTES]; // NULL: it stays as it is
    unsigned many, ranges, sets;                            // that were asked, by what was said
    struct world *world;
};

static struct held held_of(int attribute, const struct value *value)
{
    struct held held = {.there = value->kind != VALUE_ERROR};
    if (attribute == ROLES) {
        for (uint32_t i = 0; value->kind == VALUE_LIST && i < value->n; i++) {
            for (unsigned k = 0; k < COUNT_OF(NAMES); k++) {
                held.value |= value_is_text(&value->as.list[i], str_of(NAMES[k])) ? 1 << k : 0;
            }
        }
    } else if (value->kind == VALUE_STRING) {
        held.value = -1;
        for (int i = 0; i < (int)COUNT_OF(TEXTS); i++) {
            held.value = value_is_text(value, str_of(TEXTS[i])) ? i : held.value;
        }
    } else if (attribute == TIME) {
        held.value = 1;
    } else if (value->kind == VALUE_BOOL) {
        held.value = attribute == TRUTH ? value->as.b : -1;
    } else if (value->kind == VALUE_INT) {
        held.value = (int)value->as.i;
    }
    return held;
}

static void keep_text(struct seen *seen, struct value *value)
{
    if (value->kind == VALUE_STRING) {
        *value = value_str(arena_str(&seen->arena, value_text(value), NULL));
    }
}

// What the question says is gone once it is answered.
static const struct option *kept(struct seen *seen, const struct option *option)
{
    struct option *copy = ARENA_NEW(&seen->arena, struct option);
    cr_assert_not_null(copy);
    *copy = *option;
    keep_text(seen, &copy->than);
    keep_text(seen, &copy->to.value);
    for (uint32_t i = 0; i < copy->but_count; i++) {
        keep_text(seen, &copy->but[i]);
    }
    for (uint32_t i = 0; i < copy->also_count; i++) {
        keep_text(seen, &copy->also[i].than);
    }
    return copy;
}

static void judged(void *user, const struct watched *watched)
{
    struct seen *seen = user;
    seen->made = account_make(watched, seen->wish, &seen->arena, &seen->account);
    account_changes(&seen->account, &seen->said);
    for (size_t i = 0; i < seen->account.changes.count; i++) {
        const struct change *change = &seen->account.changes.list[i];
        memcpy(seen->to[i], seen->world->is, sizeof seen->to[i]);
        memset(seen->said_of[i], 0, sizeof seen->said_of[i]);
        for (uint32_t k = 0; k < change->count; k++) {
            for (int a = 0; a < ATTRIBUTES; a++) {
                if (str_eq(change->attributes[k]->path, str_of(PATHS[a]))) {
                    seen->said_of[i][a] = kept(seen, change->options[k]);
                    seen->to[i][a] = held_of(a, &change->options[k]->to.value);
                }
            }
        }
    }
}

static void fail_unless(bool holds, const struct seen *seen, const char *what, double a, double b)
{
    AUTO(buf_fini) struct buf json = {0};
    put_json(seen->world->is, &json);
    cr_assert(holds, "%s: %g, %g\n%s\n%s\nwish %u\n" STR_FMT, what, a, b, seen->world->yaml,
              (const char *)json.at, seen->wish, STR_ARG(buf_view(&seen->said)));
}

static bool is_meant_number(const struct option *option, int64_t n)
{
    int64_t than = option->than.as.i, until = option->until.as.i;
    bool ends = option->until_say == OPTION_BELOW || option->until_say == OPTION_AT_MOST;
    bool low = option->say == OPTION_ABOVE      ? n > than
               : option->say == OPTION_AT_LEAST ? n >= than
               : option->say == OPTION_BELOW    ? n < than
               : option->say == OPTION_AT_MOST  ? n <= than
                                                : n == option->to.value.as.i;
    return low && (!ends || (option->until_say == OPTION_BELOW ? n < until : n <= until));
}

static bool is_meant_text(const struct option *option, const char *text)
{
    struct str is = str_of(text), than = value_text(&option->than);
    for (uint32_t i = 0; i < option->also_count; i++) {
        struct str with = value_text(&option->also[i].than);
        if (option->also[i].say == OPTION_NOT_STARTS ? str_starts(is, with)
            : option->also[i].say == OPTION_NOT_PART ? str_find(is, with, 0) != SIZE_MAX
                                                     : str_eq(is, with)) {
            return false;
        }
    }
    bool met = option->than.kind == VALUE_STRING && str_eq(is, than);
    for (uint32_t i = 0; i < option->but_count; i++) {
        met = met || value_is_text(&option->but[i], is);
    }
    switch (option->say) {
    case OPTION_OTHER:
        return !met;
    case OPTION_GIVEN:
        return true;
    case OPTION_STARTS:
    case OPTION_NOT_STARTS:
        return str_starts(is, than) == (option->say == OPTION_STARTS);
    case OPTION_PART:
    case OPTION_NOT_PART:
        return (str_find(is, than, 0) != SIZE_MAX) == (option->say == OPTION_PART);
    default:
        return value_is_text(&option->to.value, is);
    }
}

// A value that the words stand for; what they say nothing of stays.
static void draw_meant(struct seen *seen, size_t change, struct held is[ATTRIBUTES])
{
    memcpy(is, seen->to[change], sizeof seen->to[change]);
    for (int a = NUMBER; a <= TEXT; a += TEXT - NUMBER) {
        const struct option *option = seen->said_of[change][a];
        if (option == NULL || option->to.value.kind == VALUE_ERROR) {
            continue;
        }
        int value = a == NUMBER
                        ? (int)draw(seen->world, 24) - 6
                        : (int)draw(seen->world, COUNT_OF(TEXTS) + COUNT_OF(OTHERS)) - (int)COUNT_OF(OTHERS);
        value = a == NUMBER && draw(seen->world, 10) == 0 ? value * 100000000 : value;
        bool meant = a == NUMBER ? is_meant_number(option, value) : is_meant_text(option, text_of(value));
        is[a].value = meant ? value : is[a].value;
        seen->many += meant;
        seen->ranges += meant && option->until_say != OPTION_IS;
        seen->sets += meant && (option->but_count > 0 || option->say == OPTION_NOT_STARTS ||
                                option->say == OPTION_NOT_PART);
    }
}

static void check_meant(struct harness *h, struct seen *seen, size_t change)
{
    struct held is[ATTRIBUTES];
    for (int i = 0; i < 20; i++) {
        draw_meant(seen, change, is);
        enum pdp_effect then = ask(h, is);
        AUTO(buf_fini) struct buf json = {0};
        put_json(is, &json);
        fail_unless(then == seen->account.changes.list[change].effect, seen, (const char *)json.at, then,
                    (double)change);
    }
}

// What is proposed toward some effects, against the best of all that was tried.
static void check_wish(struct harness *h, struct seen *seen, const struct best *best, unsigned *found)
{
    const struct watch watch = {.judged = judged, .user = seen};
    const struct changes *changes = &seen->account.changes;
    worker_watch(h->worker, &watch);
    enum pdp_effect effect = ask(h, seen->world->is);
    worker_watch(h->worker, NULL);
    unsigned wish = seen->wish != 0 ? seen->wish & ~(1U << effect) : change_wish(effect);
    fail_unless(seen->made && seen->account.same && !changes->cut, seen, "not looked at", 0, 0);
    for (size_t i = 0; i < changes->count; i++) {
        enum pdp_effect then = ask(h, seen->to[i]);
        fail_unless(then == changes->list[i].effect, seen, "another effect", then, changes->list[i].effect);
        fail_unless((wish >> then & 1) != 0, seen, "not what was wished", then, effect);
        check_meant(h, seen, i);
    }
    unsigned count = 1;
    while (count <= CHANGE_ATTRIBUTES_MOST && best_of(best, wish, count) == INFINITY) {
        count++;
    }
    bool some = count <= CHANGE_ATTRIBUTES_MOST;
    fail_unless(some == (changes->count > 0), seen, "is there a change?", some, count);
    if (some) {
        fail_unless(changes->list[0].count == count, seen, "fewer attributes do", changes->list[0].count,
                    count);
        double least = best_of(best, wish, count);
        fail_unless(fabs(changes->list[0].size - least) < 1e-9, seen, "a smaller one does",
                    changes->list[0].size, least);
        (*found)++;
    }
}

static void check_world(struct world *w, unsigned *found, unsigned claims[3])
{
    struct harness h = {0};
    struct seen seen = {.world = w};
    struct others others[ATTRIBUTES];
    struct best best;
    arena_init(&seen.arena, 0, 0);
    cr_assert(harness_load(&h, w->yaml), "%s\n" STR_FMT, w->yaml, STR_ARG(buf_view(&h.said)));
    for (int a = 0; a < ATTRIBUTES; a++) {
        all_of(w, a, &others[a]);
    }
    for (size_t e = 0; e < PDP_EFFECT_COUNT; e++) {
        for (size_t i = 0; i <= ATTRIBUTES; i++) {
            best.sizes[e][i] = INFINITY;
        }
    }
    try_all(&h, w, others, &best);
    for (unsigned e = 0; e <= PDP_EFFECT_COUNT; e++) {
        arena_reset(&seen.arena);
        buf_clear(&seen.said);
        seen.wish = e < PDP_EFFECT_COUNT ? 1U << e : 0;
        check_wish(&h, &seen, &best, found);
    }
    claims[0] += seen.many;
    claims[1] += seen.ranges;
    claims[2] += seen.sets;
    arena_fini(&seen.arena);
    buf_fini(&seen.said);
    harness_fini(&h);
}

Test(explain_smallest, nothing_smaller_would_do)
{
    unsigned found = 0, worlds = 600, claims[3] = {0};
    for (unsigned i = 0; i < worlds; i++) {
        struct world w;
        make_world(&w, 1000 + i);
        check_world(&w, &found, claims);
    }
    cr_expect_gt(found, worlds);
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        cr_expect_gt(claims[i], 50, "%zu: %u", i, claims[i]);
    }
}
