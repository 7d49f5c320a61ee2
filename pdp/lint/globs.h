// SPDX-License-Identifier: Apache-2.0
// What patterns of resources say of one another, and of what paths begin with. Each says true only where that
// is certain.
#ifndef LINT_GLOBS_H
#define LINT_GLOBS_H

#include "policy/glob.h"

// Does whatever one of these patterns matches match one of the others, too? Only where each is within one of
// them.
bool globs_within(const struct glob *patterns, size_t count, const struct glob *others, size_t other_count);
// Is there no path that one of these matches, and one of the others?
bool globs_apart(const struct glob *patterns, size_t count, const struct glob *others, size_t other_count);
// Does all that they match start with `prefix`; nothing of it; do they match all that does?
bool globs_start(const struct glob *globs, size_t count, struct str prefix);
bool globs_never_start(const struct glob *globs, size_t count, struct str prefix);
bool globs_hold(const struct glob *globs, size_t count, struct str prefix);

#endif
