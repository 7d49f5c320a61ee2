// SPDX-License-Identifier: Apache-2.0
// Located diagnostics: every independent mistake of a folder, with place, line, caret and hint.
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/arena.h"
#include "base/buf.h"

// One text that places point into; outlives every place in it.
struct source {
    struct str name; // as the user knows it: `policies/payments.yaml`
    struct str text;
};

// A stretch of bytes in a source. src NULL: no place is known.
struct place {
    const struct source *src;
    uint32_t at, len;
};

enum diag_severity {
    DIAG_ERROR,
    DIAG_WARNING,
    DIAG_NOTE, // of findings; never among diagnostics of a build
};

struct diag {
    enum diag_severity severity;
    enum pdp_err err;
    struct place place;
    struct str message, hint; // hint is empty where there is none
};

// A list that keeps its own copies of all texts but the sources. At most `most` are kept; what comes
// after is only counted.
struct diags {
    struct arena arena;
    struct diag *list;
    size_t count, cap, most;
    size_t errors, warnings; // all that were added, kept or not
};

void diags_init(struct diags *diags, size_t most);
void diags_fini(struct diags *diags);

// Adds an error and returns `err`, so that a caller can pass it on. Message: lower case, says what is
// wrong and what was expected, no full stop, user text in backquotes (see buf_escaped).
enum pdp_err diag_error(struct diags *diags, enum pdp_err err, struct place place, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void diag_warning(struct diags *diags, struct place place, const char *fmt, ...) PRINTF_LIKE(3, 4);
// Gives the diagnostic added last a hint; the first hint stays.
void diag_hint(struct diags *diags, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Was the diagnostic added last kept, so that it is worth looking for a hint? There may be thousands.
MUST_USE bool diag_wants_hint(const struct diags *diags);

// 1-based line and column (in code points) of a place; 0, 0 where none is known.
void place_line_col(struct place place, uint32_t *line, uint32_t *col);

// `file:line:col: error: message`, the offending line, carets, hint. See CONVENTIONS: the form is fixed.
void diag_render(const struct diag *diag, struct buf *out);
// All of them, sorted by file, then place.
void diags_render(struct diags *diags, struct buf *out);

#endif
