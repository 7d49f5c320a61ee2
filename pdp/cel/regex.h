// SPDX-License-Identifier: Apache-2.0
// Patterns: PCRE2 held to what RE2 accepts.
#ifndef CEL_REGEX_H
#define CEL_REGEX_H

#include "base/buf.h"
#include "model/verdict.h"

#define REGEX_BYTES_MAX 4096

struct regex;         // compiled; immutable, any number of threads
struct regex_scratch; // one worker's match data, limits and JIT stack

// *why (static or in *message, which has room for REGEX_WHY_MAX) and *at say what is wrong where.
#define REGEX_WHY_MAX 160
MUST_USE enum pdp_err regex_new(struct str pattern, struct regex **out, char why[REGEX_WHY_MAX], size_t *at);
void regex_free(struct regex **regex);
bool regex_is_jit(const struct regex *regex);
// Refuses what RE2 does not accept. Exposed for tests.
MUST_USE enum pdp_err regex_vet(struct str pattern, struct buf *translated, const char **why, size_t *at);

// What every match holds. Where the pattern is no more than that, PCRE2 is not needed at all.
enum regex_form {
    REGEX_FORM_ANY,    // PCRE2 must look, unless a literal is not there
    REGEX_FORM_WHOLE,  // ^prefix$
    REGEX_FORM_PREFIX, // ^prefix
    REGEX_FORM_LINE,   // ^prefix.*$
    REGEX_FORM_SUFFIX, // suffix$
    REGEX_FORM_PART,   // part
};
struct regex_gate {
    uint8_t form;                    // enum regex_form
    struct str prefix, suffix, part; // empty: none; in `memory`
    char *memory;
};
// Of a pattern as regex_vet translated it. Zeroed on failure.
MUST_USE enum pdp_err regex_gate_read(struct str translated, struct regex_gate *out);
void regex_gate_fini(struct regex_gate *gate);
const struct regex_gate *regex_gate_of(const struct regex *regex);

MUST_USE enum pdp_err regex_scratch_new(uint32_t match_limit, struct regex_scratch **out);
void regex_scratch_free(struct regex_scratch **scratch);
// 1: found somewhere in text; 0: not; -1: it took too long or failed.
int regex_find(const struct regex *regex, struct regex_scratch *scratch, struct str text);

#endif
