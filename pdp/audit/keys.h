// SPDX-License-Identifier: Apache-2.0
// The keys that sign checkpoints: `key` with the seeds (mode 0600), `vkeys` with what verifiers need.
#ifndef AUDIT_KEYS_H
#define AUDIT_KEYS_H

#include "audit/note.h"
#include "audit/vault.h"

enum {
    AUDIT_SEEDS_MAX = 4,
    AUDIT_VKEYS_BYTES_MAX = 16384
};

// The newest first. While a key is replaced the older ones sign too.
struct audit_keys {
    char origin[NOTE_NAME_MAX + 1];
    struct note_key keys[AUDIT_SEEDS_MAX];
    uint8_t seeds[AUDIT_SEEDS_MAX][ED25519_SEED_BYTES];
    size_t count;
};

// MISSING where there is no `key` file, CORRUPT where it is none.
MUST_USE enum pdp_err audit_keys_load(const char *dir, struct audit_keys *out);
// Draws the first key of a log and writes both files. An empty origin is drawn too.
MUST_USE enum pdp_err audit_keys_make(const char *dir, const char *origin, vault_draw *draw,
                                      struct audit_keys *out);
// Puts a new key in front, and drops the oldest above AUDIT_SEEDS_MAX; `vkeys` keeps all.
MUST_USE enum pdp_err audit_keys_rotate(const char *dir, vault_draw *draw, struct audit_keys *keys);
void audit_keys_wipe(struct audit_keys *keys);

// Signs the text of a checkpoint with every key, appended.
MUST_USE enum pdp_err audit_keys_sign(const struct audit_keys *keys, struct str text, struct buf *out);
// Public keys, a line each, as `vkeys` has them; *count of at most NOTE_KEYS_MAX. MALFORMED names no key.
MUST_USE enum pdp_err audit_vkeys_read(struct str text, struct note_key keys[static NOTE_KEYS_MAX],
                                       size_t *count);

#endif
