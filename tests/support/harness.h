// SPDX-License-Identifier: Apache-2.0
// An engine over policies written in the test itself, asked in JSON, on a clock that the test sets.
#ifndef SUPPORT_HARNESS_H
#define SUPPORT_HARNESS_H

#include "engine/engine.h"

struct harness {
    struct engine *engine;
    struct worker *worker;
    struct peer peer;
    struct buf answer, said; // the last answer; what the last load had to say
    struct arena arena;      // of the last answer, decoded
    struct value root;
};

// 2026-11-23T08:00:00Z, a Monday.
#define HARNESS_NOW INT64_C(1795420800000)

// Random bytes are refused. Those that are given are the same in every run: a count from 1, little end first.
extern bool harness_cannot_draw;

// `yaml` is one file, `policies/test.yaml`. False where it was refused: harness.said tells why.
bool harness_load(struct harness *harness, const char *yaml);
// The same with geo databases by path (NULL-terminated); geo_optional as at the daemon's start.
bool harness_load_geo(struct harness *harness, const char *yaml, const char *const *geo_paths);
// The same from several files, each with a name and its text.
bool harness_load_files(struct harness *harness, const struct snapshot_file *files, size_t count);
// A whole folder and its databases, as a daemon would; `input` is borrowed.
bool harness_load_input(struct harness *harness, const struct snapshot_input *input);
void harness_fini(struct harness *harness);

// Asks and decodes the answer. `json` may use ' for ".
void harness_ask(struct harness *harness, int64_t now_ms, const char *json);
// Text, number or truth in the last answer by dotted path, printed; "" where it is not there.
const char *harness_get(struct harness *harness, const char *path);
// `allow`, `deny`, `step_up`, `terminate` of the last answer, followed by `/code`: "deny/unsure".
const char *harness_effect(struct harness *harness);

#endif
