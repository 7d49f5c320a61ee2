// SPDX-License-Identifier: Apache-2.0
#include "conf/scan.h"

#include "conf/conf.h"

static const uint32_t BOM = 0xFEFF;

uint32_t scan_bom(struct str text)
{
    return str_starts(text, STR("\xEF\xBB\xBF")) ? 3 : 0;
}

static enum pdp_err refuse(const struct source *source, struct diags *diags, size_t at, size_t next,
                           uint32_t cp)
{
    struct place place = {source, (uint32_t)at, (uint32_t)(next - at)};
    enum pdp_err err = PDP_ERR_SYNTAX;
    if (cp == 0) {
        err = diag_error(diags, err, place, "a NUL byte");
        diag_hint(diags, "is this a text file?");
    } else if (cp == '\r') {
        err = diag_error(diags, err, place, "a carriage return without a line feed");
        diag_hint(diags, "end lines with a line feed");
    } else if (cp == BOM) {
        err = diag_error(diags, err, place, "a byte order mark inside the text");
    } else if (cp == 0x85 || cp == 0x2028 || cp == 0x2029) {
        err = diag_error(diags, err, place, "an unusual line break, U+%04X", (unsigned)cp);
        diag_hint(diags, "inside double quotes, write `\\u%04x`", (unsigned)cp);
    } else {
        err = diag_error(diags, err, place, "a control character, U+%04X", (unsigned)cp);
        diag_hint(diags, "inside double quotes, write `\\u%04x`", (unsigned)cp);
    }
    return err;
}

// What libyaml would refuse too (it must never be the one to find it), and what would end a line for
// libyaml but not for an editor.
static bool refused(struct str text, size_t next, uint32_t cp)
{
    if (cp == '\r') {
        return next >= text.len || text.at[next] != '\n';
    }
    return (cp < 0x20 && cp != '\t' && cp != '\n') || (cp >= 0x7F && cp <= 0x9F) || cp == 0x2028 ||
           cp == 0x2029 || cp == BOM || cp == 0xFFFE || cp == 0xFFFF;
}

enum pdp_err scan_source(const struct source *source, struct diags *diags)
{
    struct str text = source->text;
    if (text.len > CONF_BYTES_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, (struct place){source, 0, 0},
                          "the file holds more than %u MiB", CONF_BYTES_MAX >> 20);
    }
    for (size_t at = scan_bom(text); at < text.len;) {
        unsigned char byte = (unsigned char)text.at[at];
        if (byte >= 0x20 && byte < 0x7F) {
            at++;
            continue;
        }
        size_t next = at;
        uint32_t cp = 0;
        if (!str_next_cp(text, &next, &cp)) {
            enum pdp_err err = diag_error(diags, PDP_ERR_UTF8, (struct place){source, (uint32_t)at, 1},
                                          "byte 0x%02X is not valid UTF-8", byte);
            if (at == 0 && (str_starts(text, STR("\xFF\xFE")) || str_starts(text, STR("\xFE\xFF")))) {
                diag_hint(diags, "the file is UTF-16: save it as UTF-8");
            }
            return err;
        }
        if (refused(text, next, cp)) {
            return refuse(source, diags, at, next, cp);
        }
        at = next;
    }
    return PDP_ERR_OK;
}

static size_t line_start(struct str text, size_t at)
{
    while (at > 0 && text.at[at - 1] != '\n') {
        at--;
    }
    return at;
}

uint32_t scan_tab_indent(struct str text, uint32_t from)
{
    size_t line = line_start(text, from);
    while (line < text.len) {
        size_t tab = SIZE_MAX;
        size_t at = line;
        for (; at < text.len && (text.at[at] == ' ' || text.at[at] == '\t'); at++) {
            tab = tab == SIZE_MAX && text.at[at] == '\t' ? at : tab;
        }
        bool blank = at >= text.len || text.at[at] == '\n' || text.at[at] == '\r';
        if (tab != SIZE_MAX && !blank && tab >= from) {
            return (uint32_t)tab;
        }
        line = str_find_byte(text, '\n', at);
        line += line < text.len;
    }
    return (uint32_t)text.len;
}

static bool continues(struct str text, uint32_t at)
{
    return at < text.len && ((unsigned char)text.at[at] & 0xC0) == 0x80;
}

uint32_t scan_byte_of(struct scan_cursor *cursor, size_t cp)
{
    while (cursor->cp < cp && cursor->byte < cursor->text.len) {
        do {
            cursor->byte++;
        } while (continues(cursor->text, cursor->byte));
        cursor->cp++;
    }
    while (cursor->cp > cp && cursor->byte > 0) {
        do {
            cursor->byte--;
        } while (cursor->byte > 0 && continues(cursor->text, cursor->byte));
        cursor->cp--;
    }
    return cursor->byte;
}
