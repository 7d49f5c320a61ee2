// SPDX-License-Identifier: Apache-2.0
// What is said of texts. Conditions compare them, and look for beginnings, ends and parts: of each way in
// which these can hold together one text is made and asked.
#include "cli/explain/claim.h"

#include "model/path.h"

enum {
    PARTS_MOST = 4,
};

struct text {
    struct str text;
    bool named; // a condition compares with it; else it stands for all that are like it
    bool holds;
    bool barred; // by what is said already
};
struct texts {
    struct claim *claim;
    const struct attribute *at;
    bool path;
    struct str parts[PARTS_MOST];
    uint32_t part_count;
    struct text *list;
    uint32_t count;
    bool good;
};

static bool is_text(const struct option_test *test)
{
    return test->value.kind == VALUE_STRING && (test->kind == TEST_IS || test->kind == TEST_STARTS ||
                                                test->kind == TEST_ENDS || test->kind == TEST_PART);
}

static bool meets(enum test_kind kind, struct str text, struct str with)
{
    return kind == TEST_STARTS ? str_starts(text, with)
           : kind == TEST_ENDS ? str_ends(text, with)
           : kind == TEST_PART ? str_find(text, with, 0) != SIZE_MAX
                               : str_eq(text, with);
}

static void put(struct texts *t, struct str text, bool named)
{
    struct str canonical = {0};
    const char *why = NULL;
    struct arena *arena = t->claim->options->arena;
    if (t->path &&
        (path_canonical(text, arena, &canonical, &why) != PDP_ERR_OK || !str_eq(canonical, text))) {
        return; // no question names it
    }
    for (uint32_t i = 0; i < t->count; i++) {
        if (str_eq(t->list[i].text, text)) {
            t->list[i].named = t->list[i].named || named;
            return;
        }
    }
    t->good = t->good && text.at != NULL && t->count < CLAIM_VALUES_MOST;
    if (t->good) {
        t->list[t->count++] = (struct text){.text = text, .named = named};
    }
}

// What is in no text that a condition names.
static struct str between(const struct texts *t)
{
    static const struct str TRIED[] = {{"~", 1}, {"_", 1}, {"-", 1}, {"q", 1}, {"Q", 1}, {"7", 1}};
    for (size_t i = 0; i < COUNT_OF(TRIED); i++) {
        bool met = false;
        for (uint32_t k = 0; k < t->at->test_count; k++) {
            const struct option_test *test = &t->at->tests[k];
            met = met || (is_text(test) && str_find(value_text(&test->value), TRIED[i], 0) != SIZE_MAX);
        }
        if (!met) {
            return TRIED[i];
        }
    }
    return (struct str){0};
}

static void put_made(struct texts *t, struct str first, struct str last)
{
    struct str gap = between(t);
    struct arena *arena = t->claim->options->arena;
    t->good = t->good && gap.len > 0;
    first = t->path && first.len == 0 ? STR("/") : first;
    for (unsigned set = 0; t->good && set < 1U << t->part_count; set++) {
        struct str text = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(first), STR_ARG(gap));
        for (uint32_t i = 0; i < t->part_count; i++) {
            if ((set >> i & 1) != 0) {
                text = arena_printf(arena, STR_FMT STR_FMT STR_FMT, STR_ARG(text), STR_ARG(t->parts[i]),
                                    STR_ARG(gap));
            }
        }
        put(t, arena_printf(arena, STR_FMT STR_FMT, STR_ARG(text), STR_ARG(last)), false);
    }
}

static struct str text_of(const struct texts *t, uint32_t test, enum test_kind kind, bool *is)
{
    if (test == t->at->test_count) { // none of them
        *is = true;
        return (struct str){0};
    }
    *is = is_text(&t->at->tests[test]) && t->at->tests[test].kind == kind;
    return *is ? value_text(&t->at->tests[test].value) : (struct str){0};
}

static void make(struct texts *t)
{
    uint32_t count = t->at->test_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct option_test *test = &t->at->tests[i];
        if (test->kind == TEST_BOUND) {
            t->good = false; // texts in the order of letters
        } else if (is_text(test) && test->kind == TEST_IS) {
            put(t, value_text(&test->value), true);
        } else if (is_text(test) && test->kind == TEST_PART && t->part_count < PARTS_MOST) {
            t->parts[t->part_count++] = value_text(&test->value);
        } else {
            t->good = t->good && test->kind != TEST_PART;
        }
    }
    for (uint32_t i = 0; i <= count; i++) {
        bool starts = false, ends = false;
        struct str first = text_of(t, i, TEST_STARTS, &starts);
        for (uint32_t k = 0; k <= count && starts; k++) {
            struct str last = text_of(t, k, TEST_ENDS, &ends);
            if (ends) {
                put_made(t, first, last);
            }
        }
    }
}

static void ask(struct texts *t, const struct option *option)
{
    struct whatif to = option->to;
    for (uint32_t i = 0; i < t->count; i++) {
        to.value = value_str(t->list[i].text);
        t->list[i].holds = claim_holds(t->claim, &to);
    }
}

// The texts that were tried and do, and the one of the option itself.
static bool keep_these(struct texts *t, struct whatif *kept, uint32_t count, const struct option *option)
{
    if (kept == NULL) {
        return false;
    }
    kept[count++] = option->to;
    t->claim->kept[t->claim->at] = kept;
    t->claim->kept_count[t->claim->at] = count;
    return true;
}

// All of which the test is so hold, and the words stand for these.
static bool keep(struct texts *t, const struct option *option, enum test_kind kind, struct str with, bool is)
{
    struct whatif *kept = ARENA_ARRAY(t->claim->options->arena, struct whatif, t->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; kept != NULL && i < t->count; i++) {
        if (meets(kind, t->list[i].text, with) == is) {
            if (!t->list[i].holds) {
                return false;
            }
            kept[count] = option->to;
            kept[count++].value = value_str(t->list[i].text);
        }
    }
    return keep_these(t, kept, count, option);
}

// Any but those that were named and do not do.
static bool say_others(struct texts *t, struct option *option)
{
    struct whatif *kept = ARENA_ARRAY(t->claim->options->arena, struct whatif, t->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; kept != NULL && i < t->count; i++) {
        struct value value = value_str(t->list[i].text);
        if (t->list[i].holds) {
            kept[count] = option->to;
            kept[count++].value = value;
        } else if (!t->list[i].named) {
            return false;
        } else if (option->than.kind == VALUE_ERROR) {
            option->than = value;
            option->say = OPTION_OTHER;
        } else if (!str_eq(t->list[i].text, value_text(&option->than))) {
            if (option->but_count == OPTIONS_BUT_MOST) {
                return false;
            }
            option->but[option->but_count++] = value;
        }
    }
    return keep_these(t, kept, count, option);
}

// Do all fail that meet a test, and is it no case of another such one?
static bool is_barred(const struct texts *t, const struct option_test *test)
{
    bool any = false;
    for (uint32_t i = 0; i < t->count; i++) {
        bool met = meets(test->kind, t->list[i].text, value_text(&test->value));
        if (met && t->list[i].holds) {
            return false;
        }
        any = any || met;
    }
    return any;
}

static bool is_case_of(const struct option_test *test, const struct option_test *other)
{
    bool one = test->kind == other->kind || other->kind == TEST_PART;
    return test != other && one && meets(other->kind, value_text(&test->value), value_text(&other->value));
}

static bool is_first_barred(const struct texts *t, const struct option_test *test)
{
    bool first = is_text(test) && test->kind != TEST_IS && is_barred(t, test);
    for (uint32_t i = 0; first && i < t->at->test_count; i++) {
        const struct option_test *other = &t->at->tests[i];
        first = !is_text(other) || other->kind == TEST_IS || !is_case_of(test, other) || !is_barred(t, other);
    }
    return first;
}

static bool say_also(struct option *option, bool first, enum option_say say, struct value than)
{
    if (first) {
        option->say = say;
        option->than = than;
        return true;
    }
    bool fits = option->also_count < OPTIONS_BUT_MOST;
    if (fits) {
        option->also[option->also_count++] = (struct option_also){say, than};
    }
    return fits;
}

// Any that does not begin, end, hold as all do that fail; and none of those that were named.
static bool say_without(struct texts *t, struct option *option)
{
    static const enum option_say SAYS[] = {
        [TEST_STARTS] = OPTION_NOT_STARTS, [TEST_ENDS] = OPTION_NOT_ENDS, [TEST_PART] = OPTION_NOT_PART};
    struct whatif *kept = ARENA_ARRAY(t->claim->options->arena, struct whatif, t->count + 1);
    bool good = kept != NULL, first = true;
    uint32_t count = 0;
    for (uint32_t i = 0; good && i < t->count; i++) {
        t->list[i].barred = false;
    }
    for (uint32_t i = 0; good && i < t->at->test_count; i++) {
        const struct option_test *test = &t->at->tests[i];
        if (is_first_barred(t, test)) {
            good = say_also(option, first, SAYS[test->kind], test->value);
            first = false;
            for (uint32_t k = 0; k < t->count; k++) {
                t->list[k].barred =
                    t->list[k].barred || meets(test->kind, t->list[k].text, value_text(&test->value));
            }
        }
    }
    good = good && !first;
    for (uint32_t i = 0; good && i < t->count; i++) {
        const struct text *text = &t->list[i];
        if (text->holds) {
            kept[count] = option->to;
            kept[count++].value = value_str(text->text);
        } else if (!text->barred) {
            good = text->named && say_also(option, false, OPTION_OTHER, value_str(text->text));
        }
    }
    if (good) {
        option->but_count = 0;
        kept[count++] = option->to;
        t->claim->kept[t->claim->at] = kept;
        t->claim->kept_count[t->claim->at] = count;
    }
    return good;
}

bool claim_texts(struct claim *c, struct option *option)
{
    static const enum test_kind KINDS[OPTION_SAYS] = {
        [OPTION_STARTS] = TEST_STARTS, [OPTION_ENDS] = TEST_ENDS, [OPTION_PART] = TEST_PART};
    struct texts t = {.claim = c, .at = c->change->attributes[c->at], .good = true};
    t.path = str_eq(t.at->path, STR("resource.path"));
    t.list = ARENA_ARRAY(c->options->arena, struct text, CLAIM_VALUES_MOST);
    if (t.list == NULL) {
        return false;
    }
    make(&t);
    if (!t.good) {
        return false;
    }
    ask(&t, option);
    if (option->say == OPTION_OTHER || option->say == OPTION_GIVEN) {
        return say_others(&t, option) || say_without(&t, option);
    }
    return keep(&t, option, KINDS[option->say], value_text(&option->than), true);
}
