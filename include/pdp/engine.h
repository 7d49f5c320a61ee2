// SPDX-License-Identifier: Apache-2.0
// libpdp-engine: the same decision in this process. No network, no files, no clock: all is given.
#ifndef PDP_ENGINE_H
#define PDP_ENGINE_H

#include <pdp/question.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pdp_engine;

// One file as bytes. The name is how messages call it.
struct pdp_file {
    const char *name;
    const void *bytes;
    size_t len;
};

// Gives the bytes of something by name: OK with *bytes and *len, which must live until pdp_engine_open
// returns.
typedef enum pdp_err (*pdp_read)(void *user, const char *name, const void **bytes, size_t *len);

// Zeroed fields mean none or the default. `size` is sizeof(struct pdp_engine_options).
struct pdp_engine_options {
    size_t size;
    const struct pdp_file *policies; // the YAML documents of a policy folder, in any order
    size_t policy_count;
    const struct pdp_file *geo; // databases of MaxMind's schema
    size_t geo_count;
    pdp_read read_file; // files that `List` documents name
    pdp_read read_zone; // TZif bytes of a time zone such as `Europe/Berlin`
    void *user;
    unsigned char key[16]; // random, drawn anew at each start: hash tables and ids stand on it
    uint64_t sessions_max; // remembered at once; default 100000
    const char *gateway;   // the name under which policies see the asker; default `local`
    // Fills `out` with `len` random bytes, for ids of sessions that events have made here (`mint`); false:
    // none could be had. Called by any thread that gives an event, with `user`, which then lives as long as
    // the engine. NULL: no ids are made. Programs built before there was this field need not know it.
    bool (*random)(void *user, void *out, size_t len);
};

// Compiles policies into an engine. now_ms: milliseconds since 1970.
// On failure *engine is NULL and *why, where `why` is not NULL, holds all mistakes with places, for people;
// free it with free(). Warnings of a good folder are given in *why too; NULL where there is nothing to say.
// Any thread. Cost: milliseconds and up with the number of rules.
PDP_API enum pdp_err pdp_engine_open(const struct pdp_engine_options *options, int64_t now_ms,
                                     struct pdp_engine **engine, char **why);
// When no thread uses it any more. Leaves NULL behind.
PDP_API void pdp_engine_close(struct pdp_engine **engine);

// Decides a question, or with pdp_engine_event takes an event, at now_ms. As pdp_decide: *answer is never an
// allow unless OK is returned, and NULL, which reads as deny, only where memory is out. Any number of threads
// at once. The session's risk state moves on inside the engine. Cost: microseconds.
PDP_API enum pdp_err pdp_engine_decide(struct pdp_engine *engine, const struct pdp_question *question,
                                       int64_t now_ms, struct pdp_answer **answer);
PDP_API enum pdp_err pdp_engine_event(struct pdp_engine *engine, const struct pdp_question *event,
                                      int64_t now_ms, struct pdp_answer **answer);

#ifdef __cplusplus
}
#endif
#endif
