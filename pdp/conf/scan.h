// SPDX-License-Identifier: Apache-2.0
// The bytes of a source before libyaml sees them, and offsets into them.
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "base/diag.h"

// Refuses, with place and hint, what no policy file may hold: over CONF_BYTES_MAX bytes, invalid UTF-8,
// NUL and other control characters, line breaks that editors do not show (CR alone, U+0085, U+2028,
// U+2029), and a byte order mark anywhere but in front. Stops at the first.
MUST_USE enum pdp_err scan_source(const struct source *source, struct diags *diags);

// Bytes of the byte order mark in front: 3 or 0.
uint32_t scan_bom(struct str text);

// Place of the first tab, at or after `from`, in front of the first visible byte of a line; the text's
// length where there is none. `from` is the start of a line, or anywhere inside a line.
uint32_t scan_tab_indent(struct str text, uint32_t from);

// libyaml counts code points and we count bytes: a cursor that walks from the one to the other.
struct scan_cursor {
    struct str text;
    uint32_t byte, cp; // both of the same place
};
uint32_t scan_byte_of(struct scan_cursor *cursor, size_t cp);

#endif
