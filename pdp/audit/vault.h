// SPDX-License-Identifier: Apache-2.0
// A key a user, in a file of their own: who destroys the key has made that user's personal fields unreadable
// in every record, and changed no record.
#ifndef AUDIT_VAULT_H
#define AUDIT_VAULT_H

#include "audit/envelope.h"

struct vault;

struct user_key {
    uint8_t id[ENVELOPE_KEY_ID_BYTES];
    uint8_t key[AEAD_KEY_BYTES];
};

typedef bool vault_draw(void *out, size_t len); // random bytes

// Opens `path`; where `writes`, it is made if it is missing (mode 0600), and a torn last entry is cut.
// CORRUPT where it is no such file, MISSING, IO, LIMIT. `draw` is kept.
MUST_USE enum pdp_err vault_open(const char *path, bool writes, vault_draw *draw, struct vault **out);
void vault_close(struct vault **users);
// The key of a user (tenant, type and id as one text), made where there is none. IO where it cannot be
// written.
MUST_USE enum pdp_err vault_key(struct vault *users, struct str user, struct user_key *out);
// A key by its id; false: it was destroyed, or never was.
bool vault_find(const struct vault *users, const uint8_t id[static ENVELOPE_KEY_ID_BYTES],
                uint8_t key[static AEAD_KEY_BYTES]);
// Durably destroys the keys of a user. *count is how many there were.
MUST_USE enum pdp_err vault_forget(struct vault *users, struct str user, size_t *count);
// Makes durable what vault_key added.
MUST_USE enum pdp_err vault_sync(struct vault *users);

#endif
