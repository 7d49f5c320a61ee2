// SPDX-License-Identifier: Apache-2.0
// Which bundles this daemon may serve: signed by whom, not expired, and never an older one than before, which
// is remembered in the state folder.
#ifndef DAEMON_STATE_BUNDLES_H
#define DAEMON_STATE_BUNDLES_H

#include "daemon/config/config.h"
#include "seal/served.h"

#define BUNDLES_WHY_MAX 700
#define BUNDLES_SIGNER_MAX 80 // `ed25519:` and 64 hex digits

// A bundle as status and log show it.
struct bundle_facts {
    char name[BUNDLE_NAME_MAX + 1]; // empty: it could not be read
    char digest[80];
    int64_t version, expires_s;
    char signers[BUNDLE_SIGNATURES_MAX][BUNDLES_SIGNER_MAX]; // those that are known and valid
    size_t signer_count;
};

struct bundles;

// Opens the state folder, locks it for this process where `writes`, and reads what was served last. CORRUPT,
// BUSY or IO with words and a hint in `why`; nothing is ever reset here. `config` is borrowed.
MUST_USE enum pdp_err bundles_open(const struct config *config, bool writes, struct bundles **out,
                                   char why[static BUNDLES_WHY_MAX]);
void bundles_close(struct bundles **bundles);
// Gives the folder to another process, which may remember others meanwhile: nothing is remembered here until
// bundles_regain. BUSY: another has it. Any thread.
void bundles_yield(struct bundles *bundles);
MUST_USE enum pdp_err bundles_regain(struct bundles *bundles);
bool bundles_first(const struct bundles *bundles); // nothing was served here before

// May it be served now? NONE, or the first reason against it, with words and a hint in `why`. The keys are
// read anew, so that a reload takes up changed ones. `facts` are filled in either case.
enum served_refusal bundles_judge(struct bundles *bundles, const struct bundle *bundle, int64_t now_s,
                                  struct bundle_facts *facts, char why[static BUNDLES_WHY_MAX]);
// The same of one that was served here before and is to be served again, by somebody's explicit order: it may
// be older than what was served last. What is remembered stays as it is, so that a reload goes on from there.
enum served_refusal bundles_judge_again(struct bundles *bundles, const struct bundle *bundle, int64_t now_s,
                                        struct bundle_facts *facts, char why[static BUNDLES_WHY_MAX]);
// Remembers it, durably, before it is served; NONE, or STATE with words in `why`, and then it must not be
// served. Nothing is written where it was remembered before, or `writes` is off.
enum served_refusal bundles_remember(struct bundles *bundles, const struct bundle *bundle,
                                     char why[static BUNDLES_WHY_MAX]);

#endif
