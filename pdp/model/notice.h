// SPDX-License-Identifier: Apache-2.0
// What a gateway that keeps answers must hear of, since it makes them void.
#ifndef MODEL_NOTICE_H
#define MODEL_NOTICE_H

#include "base/str.h"

#include <pdp/effect.h>

#define NOTICE_REF_BYTES 32

// Zero is the one that drops everything. X(name, word on the wire, what it means to who keeps answers)
#define NOTICE_KIND_LIST(X)                                                                    \
    X(RESYNC, "resync", "some notices were lost: no kept answer holds")                        \
    X(ENDED, "ended", "a session has ended: none of its answers holds, nor will one")          \
    X(CUTOFF, "cutoff", "sessions of a subject that began before some time are over")          \
    X(STEP_UP, "step_up", "a session must prove more: none of its kept answers holds")         \
    X(LOCK, "lock", "a lock was set or lifted")                                                \
    X(POLICY_EPOCH, "policy_epoch", "other policies serve: answers of another epoch are void") \
    X(CONTROLS_EPOCH, "controls_epoch", "analysts' controls have changed")                     \
    X(HEARTBEAT, "heartbeat", "nothing has happened; says what `seq` and the epochs are")

enum notice_kind {
#define X(name, text, meaning) NOTICE_##name,
    NOTICE_KIND_LIST(X)
#undef X
    NOTICE_KIND_COUNT
};

struct notice {
    enum notice_kind kind;
    enum pdp_code code;         // of ENDED, CUTOFF, LOCK: why
    uint32_t epoch;             // of the session, after it
    char ref[NOTICE_REF_BYTES]; // of ENDED, STEP_UP: the session's reference as answers carry it, NUL-filled
    uint64_t seq;               // from 1, without gaps; of a HEARTBEAT the last that was given out
    int64_t at_ms;
    uint64_t policy_epoch, controls_epoch; // that hold from then on
};

const char *notice_kind_name(enum notice_kind kind);
// false, with *out RESYNC, for a word that is none.
bool notice_kind_of(struct str word, enum notice_kind *out);

#endif
