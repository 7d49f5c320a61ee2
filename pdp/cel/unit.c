// SPDX-License-Identifier: Apache-2.0
// Mistakes of one expression: located, worded, counted.
#include "cel/ast.h"

#include <stdarg.h>
#include <stdio.h>

static struct place place_in(const struct unit *unit, uint32_t at, uint32_t len)
{
    struct place place = {0};
    return unit->text->locate != NULL ? unit->text->locate(unit->text->user, at, len) : place;
}

enum pdp_err unit_error(struct unit *unit, enum pdp_err err, uint32_t at, uint32_t len, const char *fmt, ...)
{
    char message[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (unit->err == PDP_ERR_OK) {
        unit->err = err;
    }
    if (unit->diags == NULL) {
        return err;
    }
    return diag_error(unit->diags, err, place_in(unit, at, len), "%s", message);
}

void unit_warning(struct unit *unit, uint32_t at, uint32_t len, const char *fmt, ...)
{
    char message[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (unit->diags != NULL) {
        diag_warning(unit->diags, place_in(unit, at, len), "%s", message);
    }
}

void unit_hint(struct unit *unit, const char *fmt, ...)
{
    char message[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (unit->diags != NULL) {
        diag_hint(unit->diags, "%s", message);
    }
}

const char *unit_quote_str(struct unit *unit, struct str s)
{
    enum {
        MOST = 60
    };
    struct buf buf = {0};
    buf_escaped(&buf, str_sub(s, 0, MOST));
    if (s.len > MOST) {
        buf_str(&buf, STR("…"));
    }
    buf_byte(&buf, 0);
    struct str copy = arena_str(unit->arena, buf_view(&buf), NULL);
    buf_fini(&buf);
    return copy.at != NULL && copy.len > 0 ? copy.at : "";
}

const char *unit_quote(struct unit *unit, uint32_t at, uint32_t len)
{
    return unit_quote_str(unit, str_sub(unit->text->text, at, len));
}
