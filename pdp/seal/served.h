// SPDX-License-Identifier: Apache-2.0
// Which bundle was served last: what a daemon keeps across restarts, and what that forbids.
#ifndef SEAL_SERVED_H
#define SEAL_SERVED_H

#include "seal/sign.h"

enum {
    SERVED_BYTES_MAX = 512
};

struct served {
    bool known; // false: none was served yet
    char name[BUNDLE_NAME_MAX + 1];
    int64_t version;
    uint8_t digest[SEAL_BYTES];
};

// X(name, word in logs and status, text for people)
#define SERVED_REFUSAL_LIST(X)                                                         \
    X(NONE, "none", "it can be served")                                                \
    X(UNREADABLE, "unreadable", "the file cannot be read")                             \
    X(MALFORMED, "malformed", "the file is no bundle, or was changed")                 \
    X(KEYS, "keys", "a key cannot be read")                                            \
    X(SIGNATURES, "signatures", "too few of the keys have signed it")                  \
    X(EXPIRED, "expired", "it has expired")                                            \
    X(NAME, "other-name", "another bundle than this was served here before")           \
    X(ROLLBACK, "rollback", "a later version was served before")                       \
    X(CONTENT, "other-content", "this version was served before with another content") \
    X(POLICIES, "policies", "its policies do not compile")                             \
    X(STATE, "state", "what is served could not be remembered")

enum served_refusal {
#define X(name, word, text) SERVED_##name,
    SERVED_REFUSAL_LIST(X)
#undef X
    SERVED_REFUSAL_COUNT
};

const char *served_refusal_word(enum served_refusal refusal);
const char *served_refusal_text(enum served_refusal refusal);

// May this bundle be served at now_s after what was served last? NONE, EXPIRED, NAME, ROLLBACK or CONTENT.
enum served_refusal served_judge(const struct served *last, const struct bundle *bundle, int64_t now_s);
// What is remembered once it is served.
struct served served_of(const struct bundle *bundle);

// The one text that stands for *served, with a digest of its own; NOMEM, or what seal_sha256 returns.
MUST_USE enum pdp_err served_write(const struct served *served, struct buf *out);
// CORRUPT, with *out zeroed, where the text is not byte for byte what served_write gives.
MUST_USE enum pdp_err served_read(struct str text, struct served *out);

#endif
