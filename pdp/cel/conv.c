// SPDX-License-Identifier: Apache-2.0
// Conversions between types.
#include "base/time.h"
#include "cel/frame.h"
#include "cel/lib.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct value failed(enum func_id func)
{
    return frame_error(CEL_ERROR_CONVERT, func);
}

static struct value out_of_range(void)
{
    return frame_error(CEL_ERROR_OVERFLOW, 0);
}

struct value conv_dyn(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame, (void)count;
    return args[0];
}

struct value conv_type(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame, (void)count;
    return (struct value){.kind = VALUE_TYPE, .as.i = args[0].kind};
}

struct value conv_bool(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    static const struct {
        const char *text;
        bool is;
    } WORDS[] = {{"true", true},   {"True", true},   {"TRUE", true},   {"t", true},  {"1", true},
                 {"false", false}, {"False", false}, {"FALSE", false}, {"f", false}, {"0", false}};
    (void)frame;
    if (args[0].kind == VALUE_BOOL) {
        return args[0];
    }
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_BOOL, args, count);
    }
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (str_eq(value_text(&args[0]), str_of(WORDS[i].text))) {
            return value_bool(WORDS[i].is);
        }
    }
    return failed(F_BOOL);
}

struct value conv_int(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    int64_t i = 0;
    (void)frame;
    switch (args[0].kind) {
    case VALUE_INT:
        return args[0];
    case VALUE_UINT:
        return args[0].as.u <= INT64_MAX ? value_int((int64_t)args[0].as.u) : out_of_range();
    case VALUE_DOUBLE: // open at both ends: there the double was rounded already
        if (!(args[0].as.d > -9223372036854775808.0 && args[0].as.d < 9223372036854775808.0)) {
            return out_of_range();
        }
        return value_int((int64_t)args[0].as.d);
    case VALUE_STRING:
        return str_to_i64(value_text(&args[0]), &i) ? value_int(i) : failed(F_INT);
    case VALUE_TIMESTAMP:
        return value_int(args[0].as.i);
    default:
        return frame_no_overload(F_INT, args, count);
    }
}

struct value conv_uint(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value out = {.kind = VALUE_UINT};
    (void)frame;
    switch (args[0].kind) {
    case VALUE_UINT:
        return args[0];
    case VALUE_INT:
        out.as.u = (uint64_t)args[0].as.i;
        return args[0].as.i >= 0 ? out : out_of_range();
    case VALUE_DOUBLE:
        if (!(args[0].as.d > -1 && args[0].as.d < 18446744073709551616.0)) {
            return out_of_range();
        }
        out.as.u = args[0].as.d < 0 ? 0 : (uint64_t)args[0].as.d;
        return args[0].as.d < 0 ? out_of_range() : out;
    case VALUE_STRING:
        return str_to_u64(value_text(&args[0]), &out.as.u) ? out : failed(F_UINT);
    default:
        return frame_no_overload(F_UINT, args, count);
    }
}

static struct value double_of_text(struct str text)
{
    static const struct {
        const char *text;
        double is;
    } WORDS[] = {{"NaN", NAN},
                 {"Infinity", INFINITY},
                 {"-Infinity", -INFINITY},
                 {"Inf", INFINITY},
                 {"-Inf", -INFINITY}};
    double d = 0;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (str_eq(text, str_of(WORDS[i].text))) {
            return value_double(WORDS[i].is);
        }
    }
    return str_to_double(text, &d) && isfinite(d) ? value_double(d) : failed(F_DOUBLE);
}

struct value conv_double(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    switch (args[0].kind) {
    case VALUE_DOUBLE:
        return args[0];
    case VALUE_INT:
        return value_double((double)args[0].as.i);
    case VALUE_UINT:
        return value_double((double)args[0].as.u);
    case VALUE_STRING:
        return double_of_text(value_text(&args[0]));
    default:
        return frame_no_overload(F_DOUBLE, args, count);
    }
}

// The shortest decimal that reads back as the same double: 17 digits always do.
void conv_print_double(struct buf *out, double d)
{
    char text[40];
    if (isnan(d) || isinf(d)) {
        buf_str(out, isnan(d) ? STR("NaN") : d > 0 ? STR("Infinity") : STR("-Infinity"));
        return;
    }
    int digits = 1;
    do {
        snprintf(text, sizeof text, "%.*e", digits - 1, d);
    } while (strtod(text, NULL) != d && ++digits <= 17);
    const char *e = strchr(text, 'e');
    long exponent = e != NULL ? strtol(e + 1, NULL, 10) : 0;
    if (exponent < -4 || exponent >= 21) {
        buf_str(out, str_of(text));
        return;
    }
    char plain[64];
    int decimals = digits - 1 - (int)exponent;
    snprintf(plain, sizeof plain, "%.*f", decimals > 0 ? decimals : 0, d);
    buf_str(out, str_of(plain));
}

static void print_duration(struct buf *out, const struct value *v)
{
    int64_t nanos = 0;
    if (!time_to_nanos(v, &nanos)) {
        buf_printf(out, "%llds", (long long)v->as.i);
        return;
    }
    uint64_t magnitude = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    char text[48];
    int len =
        snprintf(text, sizeof text, "%s%llu.%09llu", nanos < 0 ? "-" : "",
                 (unsigned long long)(magnitude / 1000000000), (unsigned long long)(magnitude % 1000000000));
    while (len > 0 && text[len - 1] == '0') {
        len--;
    }
    len -= len > 0 && text[len - 1] == '.';
    buf_printf(out, "%.*ss", len, text);
}

// The name of a type as `type()` gives it.
static const char *type_name(int64_t kind)
{
    static const char *const NAMES[VALUE_KIND_COUNT] = {
        [VALUE_NULL] = "null_type",
        [VALUE_TIMESTAMP] = "google.protobuf.Timestamp",
        [VALUE_DURATION] = "google.protobuf.Duration",
        [VALUE_IP] = "net.IP",
        [VALUE_CIDR] = "net.CIDR",
        [VALUE_OPTIONAL] = "optional_type",
    };
    if (kind < 0 || kind >= VALUE_KIND_COUNT) {
        return "unknown";
    }
    return NAMES[kind] != NULL ? NAMES[kind] : value_kind_name((enum value_kind)kind);
}

bool conv_print(struct buf *out, const struct value *v)
{
    switch (v->kind) {
    case VALUE_NULL:
        buf_str(out, STR("null"));
        return true;
    case VALUE_BOOL:
        buf_str(out, v->as.b ? STR("true") : STR("false"));
        return true;
    case VALUE_INT:
        buf_printf(out, "%lld", (long long)v->as.i);
        return true;
    case VALUE_UINT:
        buf_printf(out, "%llu", (unsigned long long)v->as.u);
        return true;
    case VALUE_DOUBLE:
        conv_print_double(out, v->as.d);
        return true;
    case VALUE_STRING:
        buf_str(out, value_text(v));
        return true;
    case VALUE_BYTES:
        buf_str(out, value_text(v));
        return str_is_utf8(value_text(v));
    case VALUE_TIMESTAMP:
        time_print(out, v->as.i, v->n);
        return true;
    case VALUE_DURATION:
        print_duration(out, v);
        return true;
    case VALUE_IP:
        ip_print(out, v->as.ip);
        return true;
    case VALUE_CIDR:
        cidr_print(out, v->as.cidr);
        return true;
    case VALUE_TYPE:
        buf_str(out, str_of(type_name(v->as.i)));
        return true;
    default:
        return false;
    }
}

struct value conv_keep(struct cel_frame *frame, struct buf *buf)
{
    struct value error;
    if (buf->failed) {
        return frame_error(CEL_ERROR_MEMORY, 0);
    }
    char *text = frame_alloc(frame, buf->len, 1, &error);
    if (text == NULL) {
        return error;
    }
    if (buf->len > 0) {
        memcpy(text, buf->at, buf->len);
    }
    return value_str((struct str){text, buf->len});
}

struct value conv_string(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (args[0].kind == VALUE_STRING) {
        return args[0];
    }
    if (args[0].kind == VALUE_NULL || args[0].kind == VALUE_TYPE) {
        return frame_no_overload(F_STRING, args, count);
    }
    unsigned char room[128];
    struct buf buf = {.at = room, .cap = sizeof room, .limit = sizeof room};
    if (args[0].kind == VALUE_BYTES) {
        struct value text = args[0];
        text.kind = VALUE_STRING;
        return str_is_utf8(value_text(&args[0])) ? text : failed(F_STRING);
    }
    return conv_print(&buf, &args[0]) ? conv_keep(frame, &buf) : frame_no_overload(F_STRING, args, count);
}

struct value conv_bytes(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value bytes = args[0];
    (void)frame;
    bytes.kind = VALUE_BYTES;
    return args[0].kind == VALUE_STRING || args[0].kind == VALUE_BYTES
               ? bytes
               : frame_no_overload(F_BYTES, args, count);
}

struct value conv_timestamp(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct value out = {.kind = VALUE_TIMESTAMP};
    (void)frame;
    switch (args[0].kind) {
    case VALUE_TIMESTAMP:
        return args[0];
    case VALUE_INT:
        out.as.i = args[0].as.i;
        return out.as.i >= TIME_MIN_S && out.as.i <= TIME_MAX_S ? out : out_of_range();
    case VALUE_STRING:
        return time_parse(value_text(&args[0]), &out.as.i, &out.n) ? out : failed(F_TIMESTAMP);
    default:
        return frame_no_overload(F_TIMESTAMP, args, count);
    }
}

struct value conv_duration(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    int64_t seconds = 0, nanos = 0;
    int32_t part = 0;
    (void)frame;
    if (args[0].kind == VALUE_DURATION) {
        return args[0];
    }
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_DURATION, args, count);
    }
    if (!time_duration_parse(value_text(&args[0]), &seconds, &part)) {
        return failed(F_DURATION);
    }
    bool fits = __builtin_mul_overflow(seconds, INT64_C(1000000000), &nanos) == 0 &&
                __builtin_add_overflow(nanos, (int64_t)part, &nanos) == 0;
    return fits ? time_of_nanos(nanos) : out_of_range();
}
