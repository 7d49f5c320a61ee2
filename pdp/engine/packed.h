// SPDX-License-Identifier: Apache-2.0
// A bundle's bytes as what a snapshot is made from. Signatures, expiry and versions are the caller's to judge
// first.
#ifndef ENGINE_PACKED_H
#define ENGINE_PACKED_H

#include "engine/engine.h"
#include "seal/served.h"

struct packed; // borrows the bytes

// `called` is how messages name the bundle: its documents are `called/web.yaml`. NOMEM, or what bundle_read
// returns with *why.
MUST_USE enum pdp_err packed_new(struct str bytes, struct str called, struct packed **out,
                                 struct bundle_fault *why);
void packed_free(struct packed **packed);
const struct bundle *packed_bundle(const struct packed *packed);

// For snapshot_build: documents, and what they name out of the bundle alone. The caller adds geo and the
// time. The digest of the snapshot is that of the folder from which the bundle was made.
struct snapshot_input packed_input(struct packed *packed);

// `sha256:…` of the body, as text.
void packed_digest(const struct bundle *bundle, char out[static 80]);

#endif
