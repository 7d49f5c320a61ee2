// SPDX-License-Identifier: Apache-2.0
#include "risk/traffic.h"

static const double NONE = -1; // no question of it yet

static double held(double score)
{
    return score <= 0 ? 0 : score < 100 ? score : 100;
}

static struct traffic_column column(struct arena *arena, size_t room, bool *good)
{
    struct traffic_column made = {ARENA_ARRAY(arena, double, room + 1), 0};
    *good = *good && made.scores != NULL;
    return made;
}

static void put(struct traffic_column *to, double score)
{
    to->scores[to->count++] = score;
}

static void raise(double *highest, uint32_t number, uint32_t most, double score)
{
    if (number > 0 && number <= most && score > highest[number]) {
        highest[number] = score;
    }
}

// The highest score of each that has one; number 0 is nobody.
static struct traffic_column keep(double *highest, uint32_t most)
{
    struct traffic_column kept = {highest, 0};
    for (uint32_t i = 1; i <= most; i++) {
        if (highest[i] > NONE) {
            highest[kept.count++] = highest[i];
        }
    }
    return kept;
}

static double *none(struct arena *arena, uint32_t most, bool *good)
{
    double *highest = arena_alloc(arena, ((size_t)most + 1) * sizeof *highest, _Alignof(double));
    *good = *good && highest != NULL;
    for (uint32_t i = 0; highest != NULL && i <= most; i++) {
        highest[i] = NONE;
    }
    return highest;
}

static void sort_all(struct traffic *t)
{
    struct traffic_column *all[] = {&t->questions,     &t->sessions,   &t->users,   &t->hard_questions,
                                    &t->hard_sessions, &t->hard_users, &t->attacks, &t->others};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        measure_sort(all[i]->scores, all[i]->count);
    }
}

static void add(struct traffic *t, const struct traffic_question *q)
{
    double score = held(q->score);
    size_t bin = (size_t)(score / (100.0 / TRAFFIC_BINS));
    t->bins[bin < TRAFFIC_BINS ? bin : TRAFFIC_BINS - 1]++;
    put(&t->questions, score);
    if (q->hard > 0) {
        put(&t->hard_questions, score);
    }
    if (q->known) {
        put(q->attack ? &t->attacks : &t->others, score);
    }
}

enum pdp_err traffic_build(const struct traffic_question *questions, size_t count, uint32_t sessions,
                           uint32_t users, struct arena *arena, struct traffic *out)
{
    *out = (struct traffic){0};
    bool good = true;
    struct traffic t = {.questions = column(arena, count, &good),
                        .hard_questions = column(arena, count, &good),
                        .attacks = column(arena, count, &good),
                        .others = column(arena, count, &good)};
    double *of_session = none(arena, sessions, &good), *hard_session = none(arena, sessions, &good);
    double *of_user = none(arena, users, &good), *hard_user = none(arena, users, &good);
    if (!good) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct traffic_question *q = &questions[i];
        add(&t, q);
        raise(of_session, q->session, sessions, held(q->score));
        raise(of_user, q->user, users, held(q->score));
        if (q->hard > 0) {
            raise(hard_session, q->session, sessions, held(q->score));
            raise(hard_user, q->user, users, held(q->score));
        }
    }
    t.sessions = keep(of_session, sessions);
    t.users = keep(of_user, users);
    t.hard_sessions = keep(hard_session, sessions);
    t.hard_users = keep(hard_user, users);
    sort_all(&t);
    *out = t;
    return PDP_ERR_OK;
}

static size_t taken(const struct traffic_column *from, double threshold)
{
    return measure_at_least(from->scores, from->count, threshold);
}

static double share(size_t part, size_t all)
{
    return all > 0 ? (double)part / (double)all : 0;
}

void traffic_rates(const struct traffic *t, double threshold, struct traffic_rates *out)
{
    *out = (struct traffic_rates){.question_count = taken(&t->questions, threshold),
                                  .attack_count = taken(&t->attacks, threshold),
                                  .other_count = taken(&t->others, threshold)};
    out->questions = share(out->question_count, t->questions.count);
    out->sessions = share(taken(&t->sessions, threshold), t->sessions.count);
    out->users = share(taken(&t->users, threshold), t->users.count);
    out->ended = share(taken(&t->hard_questions, threshold), t->questions.count);
    out->ended_sessions = share(taken(&t->hard_sessions, threshold), t->sessions.count);
    out->ended_users = share(taken(&t->hard_users, threshold), t->users.count);
    out->attacks = share(out->attack_count, t->attacks.count);
    out->others = share(out->other_count, t->others.count);
}
