// SPDX-License-Identifier: Apache-2.0
// "%s of %d".format([…]), as the strings extension has it.
#include "cel/frame.h"
#include "cel/lib.h"

#include <math.h>
#include <stdlib.h>

enum {
    FORMAT_BYTES_MAX = 65536,
    DEPTH_MAX = 32
};

static bool print_any(struct buf *out, const struct value *v, int depth);

static int by_text(const void *a, const void *b)
{
    const struct str *const *x = a, *const *y = b;
    return str_cmp(**x, **y);
}

static bool print_list(struct buf *out, const struct value *v, int depth)
{
    buf_byte(out, '[');
    for (uint32_t i = 0; i < v->n; i++) {
        if (i > 0) {
            buf_str(out, STR(", "));
        }
        if (!print_any(out, &v->as.list[i], depth)) {
            return false;
        }
    }
    buf_byte(out, ']');
    return true;
}

// Entries in the order of their keys' text: the order of a map means nothing.
static bool print_map(struct buf *out, const struct value *v, int depth)
{
    enum {
        ENTRIES_MAX = 256
    };
    struct buf keys = {.limit = FORMAT_BYTES_MAX};
    struct str texts[ENTRIES_MAX];
    const struct str *order[ENTRIES_MAX];
    size_t ends[ENTRIES_MAX];
    bool good = v->n <= ENTRIES_MAX;
    for (uint32_t i = 0; good && i < v->n; i++) {
        good = print_any(&keys, &v->as.map[i].key, depth);
        ends[i] = keys.len;
    }
    for (uint32_t i = 0; good && i < v->n; i++) {
        size_t from = i > 0 ? ends[i - 1] : 0;
        texts[i] = str_sub(buf_view(&keys), from, ends[i] - from);
        order[i] = &texts[i];
    }
    if (good && v->n > 0) {
        qsort(order, v->n, sizeof *order, by_text);
    }
    buf_byte(out, '{');
    for (uint32_t i = 0; good && i < v->n; i++) {
        buf_str(out, i > 0 ? STR(", ") : STR(""));
        buf_str(out, *order[i]);
        buf_str(out, STR(": "));
        good = print_any(out, &v->as.map[order[i] - texts].value, depth);
    }
    buf_byte(out, '}');
    good = good && !keys.failed;
    buf_fini(&keys);
    return good;
}

static bool print_any(struct buf *out, const struct value *v, int depth)
{
    if (depth > DEPTH_MAX) {
        return false;
    }
    if (v->kind == VALUE_LIST) {
        return print_list(out, v, depth + 1);
    }
    return v->kind == VALUE_MAP ? print_map(out, v, depth + 1) : conv_print(out, v);
}

static void print_base(struct buf *out, uint64_t u, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[64];
    size_t at = sizeof text;
    do {
        text[--at] = digits[u % base];
        u /= base;
    } while (u > 0);
    buf_put(out, text + at, sizeof text - at);
}

static bool print_whole(struct buf *out, const struct value *v, unsigned base, bool upper)
{
    if (v->kind == VALUE_UINT) {
        print_base(out, v->as.u, base, upper);
    } else if (v->kind == VALUE_INT) {
        if (v->as.i < 0) {
            buf_byte(out, '-');
        }
        print_base(out, v->as.i < 0 ? 0 - (uint64_t)v->as.i : (uint64_t)v->as.i, base, upper);
    } else if (v->kind == VALUE_BOOL && base == 2) {
        buf_byte(out, v->as.b ? '1' : '0');
    } else {
        return false;
    }
    return true;
}

static bool print_hex(struct buf *out, const struct value *v, bool upper)
{
    if (v->kind != VALUE_STRING && v->kind != VALUE_BYTES) {
        return print_whole(out, v, 16, upper);
    }
    for (uint32_t i = 0; i < v->n; i++) {
        unsigned byte = (unsigned char)v->as.text[i];
        buf_printf(out, upper ? "%02X" : "%02x", byte);
    }
    return true;
}

static bool as_double(const struct value *v, double *d)
{
    *d = v->kind == VALUE_DOUBLE ? v->as.d
         : v->kind == VALUE_INT  ? (double)v->as.i
         : v->kind == VALUE_UINT ? (double)v->as.u
                                 : 0;
    return v->kind == VALUE_DOUBLE || v->kind == VALUE_INT || v->kind == VALUE_UINT;
}

static bool print_real(struct buf *out, const struct value *v, int decimals, bool scientific)
{
    double d = 0;
    if (!as_double(v, &d)) {
        return false;
    }
    if (isnan(d) || isinf(d)) {
        conv_print_double(out, d);
    } else if (scientific) {
        buf_printf(out, "%.*e", decimals, d);
    } else {
        buf_printf(out, "%.*f", decimals, d);
    }
    return true;
}

static bool print_decimal(struct buf *out, const struct value *v)
{
    if (v->kind == VALUE_DOUBLE) {
        conv_print_double(out, v->as.d);
        return true;
    }
    return print_whole(out, v, 10, false);
}

static bool print_verb(struct buf *out, char verb, int decimals, const struct value *v)
{
    switch (verb) {
    case 's':
        return print_any(out, v, 0);
    case 'd':
        return print_decimal(out, v);
    case 'f':
    case 'e':
        return print_real(out, v, decimals, verb == 'e');
    case 'b':
        return print_whole(out, v, 2, false);
    case 'o':
        return print_whole(out, v, 8, false);
    case 'x':
    case 'X':
        return print_hex(out, v, verb == 'X');
    default:
        return false;
    }
}

// `.3` between the percent sign and the verb; 6 where there is none. -1: wrong.
static int precision(struct str s, size_t *at)
{
    int decimals = 0;
    if (*at >= s.len || s.at[*at] != '.') {
        return 6;
    }
    size_t digits = 0;
    for ((*at)++; *at < s.len && s.at[*at] >= '0' && s.at[*at] <= '9' && digits < 3; (*at)++, digits++) {
        decimals = decimals * 10 + (s.at[*at] - '0');
    }
    return digits == 0 || decimals > 100 ? -1 : decimals;
}

static bool print_format(struct buf *out, struct str s, const struct value *args)
{
    uint32_t used = 0;
    for (size_t at = 0; at < s.len;) {
        size_t percent = str_find_byte(s, '%', at);
        buf_str(out, str_sub(s, at, percent - at));
        if (percent >= s.len) {
            break;
        }
        at = percent + 1;
        if (at < s.len && s.at[at] == '%') {
            buf_byte(out, '%');
            at++;
            continue;
        }
        int decimals = precision(s, &at);
        if (decimals < 0 || at >= s.len || used >= args->n ||
            !print_verb(out, s.at[at], decimals, &args->as.list[used])) {
            return false;
        }
        at++;
        used++;
    }
    return true;
}

struct value format_text(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (args[0].kind != VALUE_STRING || args[1].kind != VALUE_LIST) {
        return frame_no_overload(F_FORMAT, args, count);
    }
    AUTO(buf_fini) struct buf out = {.limit = FORMAT_BYTES_MAX};
    if (!frame_spend(frame, 16 + args[0].n / 8 + args[1].n * 8)) {
        return frame_error(CEL_ERROR_BUDGET, 0);
    }
    if (!print_format(&out, value_text(&args[0]), &args[1])) {
        return frame_error(CEL_ERROR_CONVERT, F_FORMAT);
    }
    return conv_keep(frame, &out);
}
