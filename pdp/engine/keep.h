// SPDX-License-Identifier: Apache-2.0
// What is kept besides sessions, users and controls: sketches of sources and the like, as one file of
// sections.
#ifndef ENGINE_KEEP_H
#define ENGINE_KEEP_H

#include "engine/engine.h"

#define KEEP_WHY_MAX 160

// The file's bytes, appended. While it serves, from any one thread. What comes in meanwhile may be in it or
// not.
MUST_USE enum pdp_err engine_keep(struct engine *engine, struct buf *out);
// Takes it back, before anything is asked. What cannot be used is left as it begins, and *why says which
// (empty: all was used). CORRUPT: it is no such file, or a section of it is not what was written. UNKNOWN: it
// was made with other keys. OK with a *why: somebody else's section, or a later version's, was passed over.
MUST_USE enum pdp_err engine_recall(struct engine *engine, struct str bytes, char why[static KEEP_WHY_MAX]);

#endif
