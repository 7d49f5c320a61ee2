// SPDX-License-Identifier: Apache-2.0
// What the subject's other sessions did meanwhile: counters, limits of how many live at once, and scores may
// stand on it.
#include "cli/change/life.h"

#include <stdlib.h>

// Ids of other sessions. One that was replaced goes on as the same session.
struct other {
    char ref[LIFE_REF_BYTES];
    uint32_t number, ids;
};

struct others {
    struct life *life;
    const char (*own)[LIFE_REF_BYTES];
    size_t own_count, count;
    struct other list[LIFE_OTHERS_MOST];
};

static bool is_own(const struct others *others, struct str ref)
{
    for (size_t i = 0; i < others->own_count; i++) {
        if (str_eq(ref, str_of(others->own[i]))) {
            return true;
        }
    }
    return false;
}

static struct other *find(struct others *others, struct str ref)
{
    for (size_t i = 0; i < others->count; i++) {
        if (str_eq(ref, str_of(others->list[i].ref))) {
            return &others->list[i];
        }
    }
    return NULL;
}

// The one of that reference, noted where it is new; NULL: there are too many. *was: how many ids it had when
// the record came, which is of the id before where the record replaces one.
static const struct other *know(struct others *others, struct str ref, const struct query_record *record,
                                uint32_t *was)
{
    char older[LIFE_REF_BYTES] = {0};
    struct other *known = find(others, ref);
    const struct other *before = life_older(record, older) ? find(others, str_of(older)) : NULL;
    if (known == NULL && (others->count == LIFE_OTHERS_MOST || ref.len >= LIFE_REF_BYTES)) {
        return NULL;
    }
    if (known == NULL) {
        known = &others->list[others->count++];
        *known = (struct other){.number = before != NULL ? before->number : ++others->life->others,
                                .ids = before != NULL ? before->ids + 1 : 1};
        memcpy(known->ref, ref.at, ref.len);
    }
    *was = before != NULL ? before->ids : known->ids;
    return known;
}

static bool take(void *user, const struct query_record *record)
{
    struct others *others = user;
    struct life *life = others->life;
    struct str ref = life_text(&record->fields, "session.ref"), kind = life_text(&record->fields, "kind");
    bool event = str_eq(kind, STR("event")), question = str_eq(kind, STR("decision"));
    bool same = str_eq(life_text(&record->fields, "tenant"), life->tenant) &&
                str_eq(life_text(&record->fields, "subject_type"), life->type);
    if (ref.len == 0 || (!event && !question) || !same || is_own(others, ref)) {
        return true;
    }
    uint32_t own_ids = life->ids;
    const struct other *other = know(others, ref, record, &life->ids);
    if (other != NULL) {
        life->other = other->number;
        life_take(life, record, event);
    }
    life->other = 0;
    life->ids = own_ids;
    return !life->failed;
}

static int by_time(const void *a, const void *b)
{
    const struct life_step *one = a, *two = b;
    if (one->at_ms != two->at_ms) {
        return one->at_ms < two->at_ms ? -1 : 1;
    }
    return one->index < two->index ? -1 : one->index > two->index;
}

enum pdp_err life_read_others(const struct audit_source *source, const char refs[][LIFE_REF_BYTES],
                              size_t count, struct life *life)
{
    struct others others = {.life = life, .own = refs, .own_count = count};
    uint64_t unreadable = 0;
    if (life->count == 0 || life->subject.len == 0) {
        return PDP_ERR_OK; // of nobody who is known
    }
    const struct query query = {.subject = life->subject,
                                .since_ms = life->steps[0].at_ms,
                                .until_ms = life->steps[life->count - 1].at_ms + 1,
                                .unseal = true};
    TRY(audit_query(source, &query, take, &others, &unreadable));
    if (life->others > 0) {
        qsort(life->steps, life->count, sizeof *life->steps, by_time);
    }
    return life->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}
