// SPDX-License-Identifier: Apache-2.0
// What thresholds would ask of recorded traffic: questions, sessions and users, and of attacks where they are
// known. Pure, off the hot path.
#ifndef RISK_TRAFFIC_H
#define RISK_TRAFFIC_H

#include "base/arena.h"
#include "risk/measure.h"

#define TRAFFIC_BINS 20 // of 5 points of score each

// One scored question.
struct traffic_question {
    double score;           // 0..100
    double log_odds;        // that it is made of
    double hard;            // log-odds that may end a session
    uint32_t session, user; // numbers from 1; 0: of none
    bool above;             // its level is medium or higher
    bool known, attack;     // is it labelled, and as what
};

// Scores in order, ascending; one by session and user is its highest.
struct traffic_column {
    double *scores;
    size_t count;
};

struct traffic {
    struct traffic_column questions, sessions, users;
    struct traffic_column hard_questions, hard_sessions, hard_users; // with evidence that may end a session
    struct traffic_column attacks, others;                           // labelled questions
    size_t bins[TRAFFIC_BINS];
};

// What a threshold takes, each a share of 0..1; 0 where there are none to take a share of.
struct traffic_rates {
    double questions, sessions, users;         // asked to step up
    double ended, ended_sessions, ended_users; // where it ends sessions instead
    double attacks, others;                    // labelled ones, found and troubled
    size_t question_count, attack_count, other_count;
};

// Sorts the questions of `sessions` and `users` (the highest numbers that they have) into columns, in
// `arena`. NOMEM leaves *out empty. A score that is NaN counts as 100.
MUST_USE enum pdp_err traffic_build(const struct traffic_question *questions, size_t count, uint32_t sessions,
                                    uint32_t users, struct arena *arena, struct traffic *out);

// What is not below the threshold.
void traffic_rates(const struct traffic *traffic, double threshold, struct traffic_rates *out);

#endif
