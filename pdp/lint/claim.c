// SPDX-License-Identifier: Apache-2.0
#include "lint/claim.h"

#include "lint/globs.h"
#include "model/path.h"

enum {
    CANDIDATES_MOST = 256,
    WEEK_MINUTES = 7 * 24 * 60,
    WEEK_WORDS = (WEEK_MINUTES + 63) / 64,
    DAY_MINUTES = 24 * 60
};

struct judge {
    struct regex_scratch *scratch;
    struct arena *arena;
};

struct str claim_text(const struct claim *claim, uint32_t n)
{
    if (n >= claim->count) {
        return (struct str){NULL, 0};
    }
    if (claim->kind == CLAIM_TEXTS) {
        return claim->as.texts[n];
    }
    bool text = claim->kind == CLAIM_VALUES && claim->as.values[n].kind == VALUE_STRING;
    const struct value *v = text ? &claim->as.values[n] : NULL;
    return v == NULL ? (struct str){NULL, 0} : v->n > 0 ? value_text(v) : STR("");
}

// ---- One text ---------------------------------------------------------------------------------------

static enum truth truth_of(bool yes)
{
    return yes ? TRUTH_YES : TRUTH_NO;
}

static enum truth among(const struct claim *claim, struct str text)
{
    for (uint32_t i = 0; i < claim->count; i++) {
        struct str one = claim_text(claim, i);
        if (one.at != NULL && str_eq(one, text)) {
            return TRUTH_YES;
        }
    }
    return TRUTH_NO;
}

static enum truth any_glob(const struct claim *claim, struct str text)
{
    for (uint32_t i = 0; i < claim->count; i++) {
        if (glob_match(&claim->as.globs[i], text)) {
            return TRUTH_YES;
        }
    }
    return TRUTH_NO;
}

static enum truth matches(const struct judge *j, const struct claim *claim, struct str text)
{
    int found = regex_find(claim->as.regex, j->scratch, text);
    return found < 0 ? TRUTH_UNSURE : truth_of(found == 1);
}

static enum truth in_list(const struct claim *claim, struct str text)
{
    struct value value = value_str(text);
    return claim->as.list != NULL ? lists_contains(claim->as.list, &value, INT64_MIN) : TRUTH_UNSURE;
}

static enum truth is_path(const struct judge *j, struct str text)
{
    struct str canonical = {0};
    const char *why = NULL;
    enum pdp_err err = path_canonical(text, j->arena, &canonical, &why);
    return err == PDP_ERR_NOMEM ? TRUTH_UNSURE : truth_of(err == PDP_ERR_OK && str_eq(canonical, text));
}

// What the claim, not its negation, says of a text; UNSURE: it cannot be told here.
static enum truth of_text(const struct judge *j, const struct claim *claim, struct str text)
{
    switch (claim->kind) {
    case CLAIM_VALUES:
    case CLAIM_TEXTS:
        return among(claim, text);
    case CLAIM_PREFIX:
        return truth_of(str_starts(text, claim->as.text));
    case CLAIM_SUFFIX:
        return truth_of(str_ends(text, claim->as.text));
    case CLAIM_PART:
        return truth_of(str_find(text, claim->as.text, 0) != SIZE_MAX);
    case CLAIM_GLOBS:
        return any_glob(claim, text);
    case CLAIM_REGEX:
        return matches(j, claim, text);
    case CLAIM_PATH:
        return is_path(j, text);
    case CLAIM_LIST:
        return in_list(claim, text);
    default:
        return TRUTH_UNSURE;
    }
}

static bool all_take(const struct judge *j, const struct claim *const *claims, size_t count, struct str text)
{
    for (size_t i = 0; i < count; i++) {
        enum truth truth = of_text(j, claims[i], text);
        if (truth == (claims[i]->yes ? TRUTH_NO : TRUTH_YES)) {
            return false;
        }
    }
    return true;
}

// How many texts a claim lists; UINT32_MAX: it lists none, or too many.
static uint32_t listed(const struct claim *claim)
{
    const struct lists_set *list = claim->kind == CLAIM_LIST ? claim->as.list : NULL;
    bool strings = list != NULL && list->head.kind == CEL_SET_STRING && list->entries <= CANDIDATES_MOST;
    bool texts = claim->kind == CLAIM_VALUES || claim->kind == CLAIM_TEXTS;
    uint32_t count = strings ? (uint32_t)list->entries : texts ? claim->count : UINT32_MAX;
    return claim->yes && count <= CANDIDATES_MOST ? count : UINT32_MAX;
}

// The claim that leaves the fewest texts; NULL: none leaves so few.
static const struct claim *fewest(const struct claim *const *claims, size_t count)
{
    const struct claim *best = NULL;
    for (size_t i = 0; i < count; i++) {
        uint32_t most = best != NULL ? listed(best) : UINT32_MAX;
        best = listed(claims[i]) < most ? claims[i] : best;
    }
    return best;
}

// Of a List: its strings stand one behind the other, each behind its length.
static bool some_string(const struct judge *j, const struct lists_strings *strings,
                        const struct claim *const *claims, size_t count)
{
    for (size_t at = 0; at + 2 <= strings->block_len;) {
        const unsigned char *entry = strings->block + at;
        struct str text = {(const char *)entry + 2, (size_t)entry[0] | (size_t)entry[1] << 8};
        if (all_take(j, claims, count, text)) {
            return true;
        }
        at += 2 + text.len;
    }
    return false;
}

static bool some_candidate(const struct judge *j, const struct claim *from, const struct claim *const *claims,
                           size_t count)
{
    if (from->kind == CLAIM_LIST) {
        return some_string(j, &from->as.list->strings, claims, count);
    }
    for (uint32_t i = 0; i < from->count; i++) {
        struct str text = claim_text(from, i);
        if (text.at != NULL && all_take(j, claims, count, text)) {
            return true;
        }
    }
    return false;
}

// ---- Two claims about any text --------------------------------------------------------------------------

static bool text_in_claim(const struct claim *a, const struct claim *b)
{
    struct str text = a->as.text;
    bool part = str_find(text, b->as.text, 0) != SIZE_MAX;
    switch (b->kind) {
    case CLAIM_PREFIX:
        return a->kind == CLAIM_PREFIX && str_starts(text, b->as.text);
    case CLAIM_SUFFIX:
        return a->kind == CLAIM_SUFFIX && str_ends(text, b->as.text);
    case CLAIM_PART:
        return part;
    default:
        return false;
    }
}

static bool texts_in_claim(const struct judge *j, const struct claim *a, const struct claim *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        struct str text = claim_text(a, i);
        if (text.at != NULL && of_text(j, b, text) != TRUTH_YES) {
            return false;
        }
    }
    return a->count <= CANDIDATES_MOST;
}

// Does all that satisfies `a` satisfy `b`? Only where that is certain.
static bool implies(const struct judge *j, const struct claim *a, const struct claim *b)
{
    switch (a->kind) {
    case CLAIM_VALUES:
    case CLAIM_TEXTS:
        return texts_in_claim(j, a, b);
    case CLAIM_PREFIX:
        return b->kind == CLAIM_GLOBS ? globs_hold(b->as.globs, b->count, a->as.text) : text_in_claim(a, b);
    case CLAIM_SUFFIX:
    case CLAIM_PART:
        return text_in_claim(a, b);
    case CLAIM_PATH:
        return b->kind == CLAIM_PREFIX && str_eq(b->as.text, STR("/"));
    case CLAIM_GLOBS:
        return b->kind == CLAIM_GLOBS
                   ? globs_within(a->as.globs, a->count, b->as.globs, b->count)
                   : b->kind == CLAIM_PREFIX && globs_start(a->as.globs, a->count, b->as.text);
    default:
        return false;
    }
}

static bool all_apart(const struct claim *globs, const struct claim *others)
{
    if (others->kind == CLAIM_PREFIX) {
        return globs_never_start(globs->as.globs, globs->count, others->as.text);
    }
    return others->kind == CLAIM_GLOBS &&
           globs_apart(globs->as.globs, globs->count, others->as.globs, others->count);
}

// Every text starts and ends with the empty one, and holds it.
static bool is_empty_part(const struct claim *claim)
{
    bool part = claim->kind == CLAIM_PREFIX || claim->kind == CLAIM_SUFFIX || claim->kind == CLAIM_PART;
    return part && claim->as.text.len == 0;
}

// Does nothing satisfy both? Only where that is certain.
static bool excludes(const struct claim *a, const struct claim *b)
{
    if (a->kind == CLAIM_PREFIX && b->kind == CLAIM_PREFIX) {
        return !str_starts(a->as.text, b->as.text) && !str_starts(b->as.text, a->as.text);
    }
    if (a->kind == CLAIM_SUFFIX && b->kind == CLAIM_SUFFIX) {
        return !str_ends(a->as.text, b->as.text) && !str_ends(b->as.text, a->as.text);
    }
    if (a->kind == CLAIM_GLOBS) {
        return all_apart(a, b);
    }
    return b->kind == CLAIM_GLOBS && all_apart(b, a);
}

static bool clash(const struct judge *j, const struct claim *a, const struct claim *b)
{
    if (a->yes && b->yes) {
        return excludes(a, b);
    }
    if (a->yes != b->yes) {
        return a->yes ? implies(j, a, b) : implies(j, b, a);
    }
    return false;
}

static bool clashes(const struct judge *j, const struct claim *one, const struct claim *const *claims,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (clash(j, claims[i], one)) {
            return true;
        }
    }
    return false;
}

// Of several patterns each may be left to none by another claim.
static bool each_clashes(const struct judge *j, const struct claim *globs, const struct claim *const *claims,
                         size_t count)
{
    for (uint32_t i = 0; i < globs->count; i++) {
        struct claim one = *globs;
        one.as.globs = &globs->as.globs[i];
        one.count = 1;
        if (!clashes(j, &one, claims, count)) {
            return false;
        }
    }
    return true;
}

// ---- Times of the week --------------------------------------------------------------------------------

static void mark_minutes(uint64_t week[WEEK_WORDS], int32_t from, int32_t to)
{
    for (int32_t at = from; at < to;) {
        int32_t bit = at % 64, count = to - at < 64 - bit ? to - at : 64 - bit;
        uint64_t ones = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
        week[at / 64] |= ones << bit;
        at += count;
    }
}

static void mark_window(const struct window *window, uint64_t week[WEEK_WORDS])
{
    memset(week, 0, WEEK_WORDS * sizeof *week);
    for (size_t i = 0; i < window->count; i++) {
        const struct within_span *span = &window->spans[i];
        for (int32_t day = 0; day < 7; day++) {
            int32_t from = day * DAY_MINUTES + span->from_s / 60, to = day * DAY_MINUTES + span->to_s / 60;
            if ((span->days >> day & 1) != 0) { // the last may cross into the first
                mark_minutes(week, from, to < WEEK_MINUTES ? to : WEEK_MINUTES);
                mark_minutes(week, 0, to - WEEK_MINUTES);
            }
        }
    }
}

// Hours of one zone begin and end with whole minutes, so that a week is so many places.
static bool weeks_agree(const struct claim *const *claims, size_t count)
{
    uint64_t left[WEEK_WORDS], week[WEEK_WORDS];
    const struct tz *zone = claims[count - 1]->as.window->tz; // of what was said last
    memset(left, 0xFF, sizeof left);
    left[WEEK_WORDS - 1] >>= (64 - WEEK_MINUTES % 64) % 64;
    for (size_t i = 0; i < count; i++) {
        if (claims[i]->as.window->tz != zone) {
            continue;
        }
        mark_window(claims[i]->as.window, week);
        for (size_t word = 0; word < WEEK_WORDS; word++) {
            left[word] &= claims[i]->yes ? week[word] : ~week[word];
        }
    }
    for (size_t word = 0; word < WEEK_WORDS; word++) {
        if (left[word] != 0) {
            return true;
        }
    }
    return false;
}

// ---- All together -------------------------------------------------------------------------------------

bool claims_agree(const struct claim *const *claims, size_t count, struct regex_scratch *scratch,
                  struct arena *arena)
{
    struct judge judge = {scratch, arena};
    if (count == 0) {
        return true;
    }
    if (claims[0]->about == VALUE_TIMESTAMP) {
        return weeks_agree(claims, count);
    }
    if (claims[0]->about == VALUE_IP) {
        return claim_nets_agree(claims, count);
    }
    const struct claim *from = fewest(claims, count);
    if (from != NULL) {
        return some_candidate(&judge, from, claims, count);
    }
    // The others agreed before the last was said.
    const struct claim *last = claims[count - 1];
    if (clashes(&judge, last, claims, count - 1) || (!last->yes && is_empty_part(last))) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool several = claims[i]->yes && claims[i]->kind == CLAIM_GLOBS && claims[i]->count > 1;
        if (several && each_clashes(&judge, claims[i], claims, count)) {
            return false;
        }
    }
    return true;
}
