// SPDX-License-Identifier: Apache-2.0
#include "cli/change/tally.h"

#include <math.h>
#include <stdlib.h>

static const struct hash_key KEY = {UINT64_C(0x696d70616374), 1};

void tally_init(struct tally *tally)
{
    *tally = (struct tally){0};
    arena_init(&tally->arena, 0, 0);
    map_init(&tally->by_group, KEY);
    map_init(&tally->by_subject, KEY);
    map_init(&tally->by_denied, KEY);
}

void tally_fini(struct tally *tally)
{
    map_fini(&tally->by_group);
    map_fini(&tally->by_subject);
    map_fini(&tally->by_denied);
    free(tally->groups);
    free(tally->subjects);
    free(tally->denied);
    free(tally->sessions);
    arena_fini(&tally->arena);
}

// Room for one more; false, with `failed` set, where memory is out.
static bool grow(struct tally *tally, void **list, uint32_t *cap, uint32_t count, size_t item)
{
    if (count < *cap) {
        return true;
    }
    uint32_t more = *cap == 0 ? 64 : *cap * 2;
    void *bigger = realloc(*list, more * item);
    if (bigger == NULL) {
        tally->failed = true;
        return false;
    }
    *list = bigger;
    *cap = more;
    return true;
}

// The number under a key; where there is none, `next` is kept for it. false: memory is out.
static bool number_of(struct tally *tally, struct map *map, struct str key, uint32_t next, uint64_t *out)
{
    *out = next;
    if (map_get(map, key, out)) {
        return true;
    }
    bool ok = true;
    struct str kept = arena_str(&tally->arena, key, &ok);
    if (!ok || map_put(map, kept, next) != PDP_ERR_OK) {
        tally->failed = true;
        return false;
    }
    return true;
}

static struct str keep(struct tally *tally, struct str text)
{
    return text.len > 0 ? arena_str(&tally->arena, text, NULL) : (struct str){0};
}

// ---- Groups ----------------------------------------------------------------------------------------

static void put_part(struct buf *key, struct str part)
{
    buf_str(key, part);
    buf_byte(key, '\0');
}

static void put_group_key(struct buf *key, const struct tally_first *first)
{
    const struct view *views[] = {&first->was, &first->is};
    for (size_t i = 0; i < COUNT_OF(views); i++) {
        put_part(key, views[i]->effect);
        put_part(key, views[i]->code);
        put_part(key, views[i]->rule);
        put_part(key, views[i]->strength);
        buf_printf(key, "%lld", (long long)views[i]->max_age_s);
        buf_byte(key, '\0');
    }
}

static struct tally_group *group_of(struct tally *tally, const struct tally_first *first)
{
    AUTO(buf_fini) struct buf key = {0};
    uint64_t at = 0;
    put_group_key(&key, first);
    bool known = map_get(&tally->by_group, buf_view(&key), &at);
    if (known) {
        return &tally->groups[at];
    }
    if (tally->group_count == TALLY_GROUPS_MOST) {
        return NULL;
    }
    if (key.failed ||
        !grow(tally, (void **)&tally->groups, &tally->group_cap, tally->group_count, sizeof *tally->groups) ||
        !number_of(tally, &tally->by_group, buf_view(&key), tally->group_count, &at)) {
        return NULL;
    }
    struct tally_group *group = &tally->groups[tally->group_count++];
    *group = (struct tally_group){.first = *first, .subject = TALLY_NONE};
    group->first.action = keep(tally, first->action);
    group->first.type = keep(tally, first->type);
    group->first.resource = keep(tally, first->resource);
    group->first.subject = keep(tally, first->subject);
    group->first.was = view_copy(&tally->arena, &first->was);
    group->first.is = view_copy(&tally->arena, &first->is);
    return group;
}

static void count_subject(struct tally *tally, struct tally_group *group, const struct tally_first *first)
{
    AUTO(buf_fini) struct buf key = {0};
    uint64_t at = 0;
    uint32_t number = (uint32_t)(group - tally->groups);
    buf_put(&key, &number, sizeof number);
    buf_str(&key, first->subject);
    if (map_get(&tally->by_subject, buf_view(&key), &at)) {
        tally->subjects[at].count++;
        return;
    }
    if (tally->subject_count == TALLY_SUBJECTS_MOST) {
        group->others++;
        return;
    }
    if (key.failed ||
        !grow(tally, (void **)&tally->subjects, &tally->subject_cap, tally->subject_count,
              sizeof *tally->subjects) ||
        !number_of(tally, &tally->by_subject, buf_view(&key), tally->subject_count, &at)) {
        return;
    }
    tally->subjects[tally->subject_count] = (struct tally_subject){
        .name = keep(tally, first->subject), .count = 1, .line = first->line, .next = group->subject};
    group->subject = tally->subject_count++;
    group->subjects++;
}

// ---- Who is newly denied ---------------------------------------------------------------------------

static int rank(struct str effect)
{
    static const char *const ORDER[] = {"allow", "step_up", "deny", "terminate"};
    for (int i = 0; i < (int)COUNT_OF(ORDER); i++) {
        if (str_eq(effect, str_of(ORDER[i]))) {
            return i;
        }
    }
    return 2; // no answer is a denial
}

static void count_denied(struct tally *tally, const struct tally_first *first)
{
    uint64_t at = 0;
    if (map_get(&tally->by_denied, first->subject, &at)) {
        tally->denied[at].count++;
        return;
    }
    if (tally->denied_count == TALLY_SUBJECTS_MOST) {
        tally->denied_others++;
        return;
    }
    if (!grow(tally, (void **)&tally->denied, &tally->denied_cap, tally->denied_count,
              sizeof *tally->denied) ||
        !number_of(tally, &tally->by_denied, first->subject, tally->denied_count, &at)) {
        return;
    }
    tally->denied[tally->denied_count++] = (struct tally_subject){
        .name = keep(tally, first->subject), .count = 1, .line = first->line, .next = TALLY_NONE};
}

static void count_way(struct tally *tally, const struct tally_first *first)
{
    int was = rank(first->was.effect), is = rank(first->is.effect);
    tally->tightened += is > was;
    tally->loosened += is < was;
    if (was < 2 && is >= 2) {
        count_denied(tally, first);
    }
}

void tally_take(struct tally *tally, const struct tally_first *first, bool event)
{
    bool differs = !view_same(&first->was, &first->is);
    tally->questions += !event;
    tally->events += event;
    tally->scores_differ += first->was.has_risk != first->is.has_risk ||
                            (first->was.has_risk && fabs(first->was.score - first->is.score) > 1e-9);
    if (!differs) {
        return;
    }
    tally->differ += !event;
    tally->events_differ += event;
    struct tally_group *group = group_of(tally, first);
    if (group != NULL) {
        group->count++;
        count_subject(tally, group, first);
    } else {
        tally->others++;
    }
    if (!event) {
        count_way(tally, first);
    }
}

// ---- Sessions: open addressing, and rows that go are filled by those behind them -------------------

static uint32_t place_of(const struct tally *tally, struct str ref)
{
    return (uint32_t)hash_64(KEY, ref.at, ref.len) & (tally->session_cap - 1);
}

static uint32_t find(const struct tally *tally, struct str ref)
{
    uint32_t at = place_of(tally, ref);
    while (tally->sessions[at].ref[0] != '\0' && !str_eq(str_of(tally->sessions[at].ref), ref)) {
        at = (at + 1) & (tally->session_cap - 1);
    }
    return at;
}

static bool widen(struct tally *tally)
{
    struct tally_session *old = tally->sessions;
    uint32_t cap = tally->session_cap;
    if (tally->session_count * 2 < cap) {
        return true;
    }
    struct tally_session *rows = calloc(cap == 0 ? 256 : cap * (size_t)2, sizeof *rows);
    if (rows == NULL) {
        tally->failed = true;
        return false;
    }
    tally->session_cap = cap == 0 ? 256 : cap * 2;
    tally->sessions = rows;
    for (uint32_t i = 0; i < cap; i++) {
        if (old[i].ref[0] != '\0') {
            rows[find(tally, str_of(old[i].ref))] = old[i];
        }
    }
    free(old);
    return true;
}

static void drop(struct tally *tally, uint32_t hole)
{
    uint32_t mask = tally->session_cap - 1;
    tally->session_count--;
    for (uint32_t at = (hole + 1) & mask; tally->sessions[at].ref[0] != '\0'; at = (at + 1) & mask) {
        uint32_t home = place_of(tally, str_of(tally->sessions[at].ref));
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            tally->sessions[hole] = tally->sessions[at];
            hole = at;
        }
    }
    tally->sessions[hole] = (struct tally_session){0};
}

static void put_row(struct tally *tally, uint32_t at, struct str ref, struct str subject)
{
    struct tally_session *row = &tally->sessions[at];
    memcpy(row->ref, ref.at, ref.len);
    memcpy(row->subject, subject.at != NULL ? subject.at : "",
           subject.len < TALLY_NAME_MOST ? subject.len : TALLY_NAME_MOST);
    tally->session_count++;
}

void tally_over(struct tally *tally, struct str ref, struct str subject, uint64_t line, bool was, bool is)
{
    if ((!was && !is) || ref.len == 0 || ref.len >= sizeof tally->sessions->ref || !widen(tally)) {
        return;
    }
    uint32_t at = find(tally, ref);
    if (tally->sessions[at].ref[0] == '\0') {
        if (was && is) {
            return;
        }
        if (tally->session_count == TALLY_SESSIONS_MOST) {
            tally->sessions_lost++;
            return;
        }
        put_row(tally, at, ref, subject);
    }
    struct tally_session *row = &tally->sessions[at];
    row->was_line = row->was_line == 0 && was ? line : row->was_line;
    row->is_line = row->is_line == 0 && is ? line : row->is_line;
    if (row->was_line != 0 && row->is_line != 0) {
        drop(tally, at);
    }
}

// ---- In order ----------------------------------------------------------------------------------------

static int by_count(uint64_t a, uint64_t b, uint64_t a_line, uint64_t b_line)
{
    if (a != b) {
        return a > b ? -1 : 1;
    }
    return a_line == b_line ? 0 : a_line < b_line ? -1 : 1;
}

static int group_order(const void *a, const void *b)
{
    const struct tally_group *one = a, *two = b;
    return by_count(one->count, two->count, one->first.line, two->first.line);
}

static int subject_order(const void *a, const void *b)
{
    const struct tally_subject *one = a, *two = b;
    return by_count(one->count, two->count, one->line, two->line);
}

// Takes the subjects of a group out of the list that links them, in order, and links them anew.
static void sort_subjects(struct tally *tally, struct tally_group *group, struct tally_subject *room)
{
    uint32_t count = 0;
    for (uint32_t at = group->subject; at != TALLY_NONE; at = tally->subjects[at].next) {
        room[count++] = tally->subjects[at];
    }
    qsort(room, count, sizeof *room, subject_order);
    uint32_t at = group->subject;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = tally->subjects[at].next;
        tally->subjects[at] = room[i];
        tally->subjects[at].next = next;
        at = next;
    }
}

void tally_sort(struct tally *tally)
{
    struct tally_subject *room = malloc((tally->subject_count + (size_t)1) * sizeof *room);
    if (room == NULL) {
        tally->failed = true;
        return;
    }
    for (uint32_t i = 0; i < tally->group_count; i++) {
        sort_subjects(tally, &tally->groups[i], room);
    }
    free(room);
    if (tally->group_count > 0) {
        qsort(tally->groups, tally->group_count, sizeof *tally->groups, group_order);
    }
    if (tally->denied_count > 0) {
        qsort(tally->denied, tally->denied_count, sizeof *tally->denied, subject_order);
    }
}
