// SPDX-License-Identifier: Apache-2.0
#include "lint/claim.h"

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

// The claim that leaves the fewest texts; NULL: none leaves so few.
static const struct claim *fewest(const struct claim *const *claims, size_t count)
{
    const struct claim *best = NULL;
    for (size_t i = 0; i < count; i++) {
        bool lists = claims[i]->yes && (claims[i]->kind == CLAIM_VALUES || claims[i]->kind == CLAIM_TEXTS);
        if (lists && claims[i]->count <= CANDIDATES_MOST &&
            (best == NULL || claims[i]->count < best->count)) {
            best = claims[i];
        }
    }
    return best;
}

static bool some_candidate(const struct judge *j, const struct claim *from, const struct claim *const *claims,
                           size_t count)
{
    for (uint32_t i = 0; i < from->count; i++) {
        struct str text = claim_text(from, i);
        if (text.at != NULL && all_take(j, claims, count, text)) {
            return true;
        }
    }
    return false;
}

// ---- Two claims about any text --------------------------------------------------------------------------

static struct str cut(struct str *rest)
{
    size_t end = str_find_byte(*rest, '/', 0);
    struct str segment = str_sub(*rest, 0, end);
    rest->at = end < rest->len ? rest->at + end + 1 : NULL;
    rest->len = end < rest->len ? rest->len - end - 1 : 0;
    return segment;
}

static bool rest_is_all(struct str rest)
{
    return rest.at != NULL && str_eq(rest, STR("**"));
}

// Does every path of pattern `a` match pattern `b`?
static bool glob_within(struct str a, struct str b)
{
    while (a.at != NULL && b.at != NULL) {
        struct str x = cut(&a), y = cut(&b);
        bool all = str_eq(x, STR("**"));
        if (str_eq(y, STR("**"))) {
            return true;
        }
        if (all || (str_eq(y, STR("*")) ? x.len == 0 : !str_eq(x, y))) {
            return false;
        }
    }
    return (a.at == NULL && b.at == NULL) || (a.at == NULL && rest_is_all(b));
}

// Is there no path that both match?
static bool globs_apart(struct str a, struct str b)
{
    while (a.at != NULL && b.at != NULL) {
        struct str x = cut(&a), y = cut(&b);
        bool wild_x = str_eq(x, STR("*")), wild_y = str_eq(y, STR("*"));
        if (str_eq(x, STR("**")) || str_eq(y, STR("**"))) {
            return false;
        }
        if (wild_x && wild_y) {
            continue;
        }
        if (wild_x ? y.len == 0 : wild_y ? x.len == 0 : !str_eq(x, y)) {
            return true;
        }
    }
    return (a.at != NULL && !rest_is_all(a)) || (b.at != NULL && !rest_is_all(b));
}

// What every path of a pattern starts with.
static struct str glob_start(const struct glob *glob)
{
    bool all = str_eq(str_sub(glob->text, glob->fixed, SIZE_MAX), STR("**"));
    return str_sub(glob->text, 0, glob->fixed - (all && glob->fixed > 0 ? 1 : 0));
}

static bool globs_start(const struct claim *globs, struct str prefix)
{
    for (uint32_t i = 0; i < globs->count; i++) {
        if (!str_starts(glob_start(&globs->as.globs[i]), prefix)) {
            return false;
        }
    }
    return true;
}

bool claim_globs_within(const struct glob *a, size_t count, const struct glob *b, size_t others)
{
    for (size_t i = 0; i < count; i++) {
        bool held = false;
        for (size_t k = 0; k < others && !held; k++) {
            held = glob_within(a[i].text, b[k].text);
        }
        if (!held) {
            return false;
        }
    }
    return true;
}

// Every text that starts with `prefix` matches `/a/**`, where /a/ begins the prefix.
static bool prefix_in_globs(struct str prefix, const struct claim *globs)
{
    for (uint32_t i = 0; i < globs->count; i++) {
        const struct glob *glob = &globs->as.globs[i];
        bool all = str_eq(str_sub(glob->text, glob->fixed, SIZE_MAX), STR("**"));
        if (all && str_starts(prefix, str_sub(glob->text, 0, glob->fixed))) {
            return true;
        }
    }
    return false;
}

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

// ---- Networks -----------------------------------------------------------------------------------------

static bool cidr_within(const struct cidr *a, const struct cidr *b)
{
    return a->base.v4 == b->base.v4 && a->bits >= b->bits && cidr_holds(b, &a->base);
}

static bool cidrs_apart(const struct cidr *a, const struct cidr *b)
{
    return !cidr_within(a, b) && !cidr_within(b, a);
}

// Prefixes nest or lie apart, and a list keeps the outermost alone.
static struct cidr list_cidr(const struct lists_set *list, size_t at)
{
    struct cidr cidr = {.base = {.v4 = at < list->v4.levels[0].count}};
    if (cidr.base.v4) {
        uint32_t key = (uint32_t)list->v4.levels[0].keys[at];
        cidr.base.bytes[10] = cidr.base.bytes[11] = 0xFF;
        for (int i = 0; i < 4; i++) {
            cidr.base.bytes[12 + i] = (uint8_t)(key >> (24 - 8 * i));
        }
        cidr.bits = list->v4_bits[at];
        return cidr;
    }
    at -= list->v4.levels[0].count;
    const struct rank_key128 *key = &list->v6.levels[0].keys[at];
    for (int i = 0; i < 8; i++) {
        cidr.base.bytes[i] = (uint8_t)(key->hi >> (56 - 8 * i));
        cidr.base.bytes[8 + i] = (uint8_t)(key->lo >> (56 - 8 * i));
    }
    cidr.bits = list->v6_bits[at];
    return cidr;
}

static size_t list_cidrs(const struct lists_set *list)
{
    return list->v4.levels[0].count + list->v6.levels[0].count;
}

// *within: all of the list lies in `cidr`; *holds: the list holds all of it; *apart: they share nothing.
static void list_beside(const struct lists_set *list, const struct cidr *cidr, bool *within, bool *holds,
                        bool *apart)
{
    size_t count = list != NULL ? list_cidrs(list) : SIZE_MAX;
    *within = *apart = count <= CANDIDATES_MOST;
    *holds = false;
    for (size_t i = 0; i < count && count <= CANDIDATES_MOST; i++) {
        struct cidr one = list_cidr(list, i);
        *within = *within && cidr_within(&one, cidr);
        *holds = *holds || cidr_within(cidr, &one);
        *apart = *apart && cidrs_apart(&one, cidr);
    }
}

static bool lists_meet(const struct lists_set *a, const struct lists_set *b, bool *within)
{
    bool meet = false;
    size_t count = a != NULL && b != NULL ? list_cidrs(a) : SIZE_MAX;
    *within = count <= CANDIDATES_MOST;
    for (size_t i = 0; i < count && count <= CANDIDATES_MOST; i++) {
        struct cidr one = list_cidr(a, i);
        bool in = false, holds = false, apart = false;
        list_beside(b, &one, &in, &holds, &apart);
        *within = *within && holds;
        meet = meet || !apart;
    }
    return meet || count > CANDIDATES_MOST;
}

// An address as the network that it alone is.
static bool as_cidr(const struct claim *claim, struct cidr *out)
{
    if (claim->kind == CLAIM_IP) {
        *out = (struct cidr){*claim->as.ip, claim->as.ip->v4 ? 32 : 128};
        return true;
    }
    if (claim->kind == CLAIM_CIDR) {
        *out = cidr_network(claim->as.cidr);
        return true;
    }
    return false;
}

static bool network_within(const struct claim *a, const struct claim *b, bool *apart)
{
    struct cidr x, y;
    bool in = false, holds = false, whole_a = as_cidr(a, &x), whole_b = as_cidr(b, &y);
    *apart = false;
    if (whole_a && whole_b) {
        *apart = cidrs_apart(&x, &y);
        return cidr_within(&x, &y);
    }
    if (whole_a) {
        list_beside(b->as.list, &x, &in, &holds, apart);
        return holds;
    }
    if (whole_b) {
        list_beside(a->as.list, &y, &in, &holds, apart);
        return in;
    }
    *apart = !lists_meet(a->as.list, b->as.list, &in);
    return in;
}

// ---- All together -------------------------------------------------------------------------------------

// Does all that satisfies `a` satisfy `b`? Only where that is certain.
static bool implies(const struct judge *j, const struct claim *a, const struct claim *b)
{
    bool apart = false;
    if (a->about == VALUE_IP) {
        return network_within(a, b, &apart);
    }
    switch (a->kind) {
    case CLAIM_VALUES:
    case CLAIM_TEXTS:
        return texts_in_claim(j, a, b);
    case CLAIM_PREFIX:
        return b->kind == CLAIM_GLOBS ? prefix_in_globs(a->as.text, b) : text_in_claim(a, b);
    case CLAIM_SUFFIX:
    case CLAIM_PART:
        return text_in_claim(a, b);
    case CLAIM_GLOBS:
        return b->kind == CLAIM_GLOBS ? claim_globs_within(a->as.globs, a->count, b->as.globs, b->count)
                                      : b->kind == CLAIM_PREFIX && globs_start(a, b->as.text);
    default:
        return false;
    }
}

// A pattern without wildcards is one path; what others match begins in one way.
static bool glob_meets(const struct glob *glob, struct str prefix)
{
    struct str start = glob_start(glob);
    bool whole = glob->fixed == glob->text.len;
    return str_starts(start, prefix) || (!whole && str_starts(prefix, start));
}

static bool all_apart(const struct claim *globs, const struct claim *others)
{
    for (uint32_t i = 0; i < globs->count; i++) {
        const struct glob *glob = &globs->as.globs[i];
        if (others->kind == CLAIM_PREFIX && glob_meets(glob, others->as.text)) {
            return false;
        }
        for (uint32_t k = 0; others->kind == CLAIM_GLOBS && k < others->count; k++) {
            if (!globs_apart(glob->text, others->as.globs[k].text)) {
                return false;
            }
        }
    }
    return others->kind == CLAIM_PREFIX || others->kind == CLAIM_GLOBS;
}

// Does nothing satisfy both? Only where that is certain.
static bool excludes(const struct claim *a, const struct claim *b)
{
    bool apart = false;
    if (a->about == VALUE_IP) {
        (void)network_within(a, b, &apart);
        return apart;
    }
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
    const struct claim *from = fewest(claims, count);
    if (from != NULL) {
        return some_candidate(&judge, from, claims, count);
    }
    const struct claim *last = claims[count - 1]; // the others agreed before it was said
    for (size_t i = 0; i + 1 < count; i++) {
        if (clash(&judge, claims[i], last)) {
            return false;
        }
    }
    return true;
}
