// SPDX-License-Identifier: Apache-2.0
// Base64 of RFC 4648 §4, with padding: each content has one form, and no other is read.
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

void base64_put(struct buf *out, struct str bytes);
// Appends what the text stands for. false, with nothing appended, where it is not the one form of anything,
// or memory is out.
MUST_USE bool base64_read(struct str text, struct buf *out);
// The same into exactly `len` bytes at `out`, which are zeroed on failure.
MUST_USE bool base64_read_exactly(struct str text, void *out, size_t len);

#endif
