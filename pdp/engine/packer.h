// SPDX-License-Identifier: Apache-2.0
// A bundle made from what a snapshot was made from: its documents, and what they named, noted as it was read.
#ifndef ENGINE_PACKER_H
#define ENGINE_PACKER_H

#include "engine/engine.h"
#include "seal/bundle.h"

struct packer; // borrows the input, and the texts that it gives

MUST_USE enum pdp_err packer_new(const struct snapshot_input *from, struct packer **out);
void packer_free(struct packer **packer);
// For snapshot_build or snapshot_reload_lists: the same input, with an eye on what is read.
struct snapshot_input packer_input(struct packer *packer);
struct str
packer_lost(const struct packer *packer); // the first file of a list that could not be read; or empty

// The bundle, without signatures: the same bytes for the same sources, wherever they were read. `head` as for
// bundle_write; of the documents' names the first `front` bytes are left out. NOMEM, or what bundle_write
// returns.
MUST_USE enum pdp_err packer_write(struct packer *packer, const struct bundle *head, size_t front,
                                   struct buf *out, struct bundle_fault *why);
// The bundle `old` with those files in it replaced that were read since.
MUST_USE enum pdp_err packer_write_over(struct packer *packer, const struct bundle *old, struct buf *out,
                                        struct bundle_fault *why);

#endif
