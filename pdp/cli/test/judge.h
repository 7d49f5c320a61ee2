// SPDX-License-Identifier: Apache-2.0
// What was expected of an answer against what came.
#ifndef CLI_TEST_JUDGE_H
#define CLI_TEST_JUDGE_H

#include "cli/test/suite.h"

// Of an event, taken out of its answer.
struct judge_event {
    bool recorded, has_risk;
    struct str code, message, level;
    const struct value *missing; // a list, or NULL
    double score;
};
void judge_event_read(const struct value *answer, struct judge_event *out);

// Why an answer says nothing of the policies: the question is malformed, the event was refused, the session
// never began. Empty where it does say something, and where a claim speaks of just that: `code` and
// `recorded`, for a session `missing` and `reason` too. In `arena`, which may be out of memory: then it is
// empty.
struct str judge_void(const struct suite_play *play, const struct verdict *verdict,
                      const struct judge_event *event, const struct fault *fault, struct arena *arena);

// Claims that do not hold, in the order of the document. An answer that is void (`broken`: judge_void's text)
// is a miss without a claim. So is an attack that is not stopped at the step that it names, unless a claim
// says as much. Exactly one of verdict and event is there. Lives in `arena`; false where memory is out.
MUST_USE bool judge(const struct suite_doc *doc, const struct suite_play *play, const struct verdict *verdict,
                    const struct judge_event *event, struct str broken, struct arena *arena,
                    const struct suite_miss **misses, size_t *count);

// `15m`, `1h30m`: as policies write it.
struct str judge_span(int64_t seconds, struct arena *arena);

// Did the admin endpoint carry it out?
bool judge_order_ok(const struct value *answer);
// The same as judge of an order, whose `ok` and `error` can be expected: one that was refused is a miss where
// nothing is expected.
MUST_USE bool judge_order(const struct suite_play *play, const struct value *answer, struct arena *arena,
                          const struct suite_miss **misses, size_t *count);

#endif
