// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/indent.h"

// Where it stands in JSON that is broken into lines.
struct lines {
    struct buf *out;
    int depth;
    bool text, escaped; // inside of text; behind a backslash
};

static void new_line(const struct lines *l)
{
    buf_printf(l->out, "\n%*s", 2 * l->depth, "");
}

static void put_byte(struct lines *l, char before, char c, char after)
{
    bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
    bool empty = opens && (after == '}' || after == ']');
    bool emptied = closes && (before == '{' || before == '[');
    if (closes && !emptied) {
        l->depth--;
        new_line(l);
    }
    buf_byte(l->out, (unsigned char)c);
    if (opens && !empty) {
        l->depth++;
        new_line(l);
    } else if (c == ',') {
        new_line(l);
    } else if (c == ':') {
        buf_byte(l->out, ' ');
    }
}

void indent_json(struct str json, struct buf *out)
{
    struct lines l = {.out = out};
    for (size_t i = 0; i < json.len; i++) {
        char c = json.at[i];
        bool quote = c == '"' && !l.escaped;
        l.escaped = l.text && c == '\\' && !l.escaped;
        if (l.text || quote) {
            buf_byte(out, (unsigned char)c);
            l.text = l.text != quote;
        } else {
            put_byte(&l, i > 0 ? json.at[i - 1] : '\0', c, i + 1 < json.len ? json.at[i + 1] : '\0');
        }
    }
    buf_byte(out, '\n');
}
