// SPDX-License-Identifier: Apache-2.0
// A rule set in YAML, loaded as the engine loads one and asked about a world; for every runner of this
// folder.
#ifndef TESTS_DIFF_LOADED_H
#define TESTS_DIFF_LOADED_H

#include "diff/world.h"
#include "policy/policy.h"

enum {
    LOADED_FILES = 16, // with paths
    LOADED_NAMED = 4,  // without
    LOADED_EXTRA = 64
};

struct loaded {
    struct arena arena, made; // of the rule set; of one question
    struct diags diags;
    const char *const *paths; // of the files; NULL: `p0.yaml` to `p3.yaml`
    struct source sources[LOADED_FILES];
    struct policy_names names;
    struct cel_env env;
    struct cel_program *program;
    struct policy_set *set;
    struct policy_lists *lists;
    struct cel_frame *frame;
    struct policy_scratch *scratch;
    struct cel_host host;
    struct world *world;
    uint64_t seed;                // keys the hash tables
    bool conditions;              // keep them as they are written
    const uint64_t *muted;        // rules that are not there; NULL: all are
    uint32_t extra[LOADED_EXTRA]; // conditions beside the rules, in the same program
};

// `files`: each a whole file, the first by path first. `extra`: conditions to be run by loaded_truth. The
// texts and the world are kept until loaded_fini, which is called after a failure too.
MUST_USE enum pdp_err loaded_read(struct loaded *loaded, const struct str *files, size_t file_count,
                                  const struct str *extra, size_t extra_count);
void loaded_fini(struct loaded *loaded);
// What loaded->world answers; valid until the next question.
void loaded_decide(struct loaded *loaded, bool unindexed, struct policy_result *out);
// An extra condition; after loaded_decide, in its question.
enum truth loaded_truth(struct loaded *loaded, size_t extra);

#endif
