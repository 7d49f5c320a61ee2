// SPDX-License-Identifier: Apache-2.0
// Strict operators and functions, by name and by the kinds of what they are given.
#include "base/num.h"
#include "base/time.h"
#include "diff/plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NANOS INT64_C(1000000000)
__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 wide_natural;

static struct value of_uint(uint64_t u)
{
    return (struct value){.kind = VALUE_UINT, .as.u = u};
}

// ---- Arithmetic -----------------------------------------------------------------------------------------

static bool nanos_of(const struct value *v, int64_t *out)
{
    bool negative = v->as.i < 0 || v->flag != 0;
    return num_mul(v->as.i, NANOS, out) && num_add(*out, negative ? -(int64_t)v->n : (int64_t)v->n, out);
}

static struct value of_nanos(int64_t nanos)
{
    struct value v = {.kind = VALUE_DURATION, .as.i = nanos / NANOS};
    v.n = (uint32_t)llabs(nanos % NANOS);
    v.flag = nanos < 0 && v.as.i == 0;
    return v;
}

// In 128 bits, so that only the result is checked.
static struct value move(const struct value *time, const struct value *by, int sign)
{
    int64_t nanos = 0;
    if (!nanos_of(by, &nanos)) {
        return plain_error();
    }
    wide at = (wide)time->as.i * NANOS + time->n + (wide)sign * nanos;
    wide seconds = at / NANOS, rest = at % NANOS;
    seconds -= rest < 0;
    rest += rest < 0 ? NANOS : 0;
    if (seconds < TIME_MIN_S || seconds > TIME_MAX_S) {
        return plain_error();
    }
    return (struct value){.kind = VALUE_TIMESTAMP, .n = (uint32_t)rest, .as.i = (int64_t)seconds};
}

static struct value checked(wide n)
{
    return n < INT64_MIN || n > INT64_MAX ? plain_error() : value_int((int64_t)n);
}

static struct value integers(char sign, int64_t a, int64_t b)
{
    if ((sign == '/' || sign == '%') && b == 0) {
        return plain_error();
    }
    switch (sign) {
    case '+':
        return checked((wide)a + b);
    case '-':
        return checked((wide)a - b);
    case '*':
        return checked((wide)a * b);
    case '/':
        return checked((wide)a / b);
    default: // the smallest integer by -1 overflows as the division does
        return a == INT64_MIN && b == -1 ? plain_error() : checked((wide)a % b);
    }
}

static struct value naturals(char sign, uint64_t a, uint64_t b)
{
    wide_natural n = 0;
    if (((sign == '/' || sign == '%') && b == 0) || (sign == '-' && b > a)) {
        return plain_error();
    }
    switch (sign) {
    case '+':
        n = (wide_natural)a + b;
        break;
    case '-':
        n = a - b;
        break;
    case '*':
        n = (wide_natural)a * b;
        break;
    case '/':
        n = a / b;
        break;
    default:
        n = a % b;
    }
    return n > UINT64_MAX ? plain_error() : of_uint((uint64_t)n);
}

static double divided(double a, double b)
{
    if (b != 0) {
        return a / b;
    }
    return a == 0 || isnan(a) || isnan(b) ? NAN : signbit(a) == signbit(b) ? INFINITY : -INFINITY;
}

static struct value reals(char sign, double a, double b)
{
    switch (sign) {
    case '+':
        return value_double(a + b);
    case '-':
        return value_double(a - b);
    case '*':
        return value_double(a * b);
    case '/':
        return value_double(divided(a, b));
    default:
        return plain_error();
    }
}

static struct value joined(const struct plain *p, const struct value *a, const struct value *b)
{
    struct value out = *a;
    out.n = a->n + b->n;
    if (a->kind == VALUE_LIST) {
        struct value *list = ARENA_ARRAY(p->arena, struct value, out.n + 1);
        for (uint32_t i = 0; i < out.n; i++) {
            list[i] = i < a->n ? a->as.list[i] : b->as.list[i - a->n];
        }
        out.as.list = list;
        return out;
    }
    char *text = arena_alloc(p->arena, out.n + 1, 1);
    for (uint32_t i = 0; i < out.n; i++) {
        text[i] = i < a->n ? a->as.text[i] : b->as.text[i - a->n];
    }
    out.as.text = text;
    return out;
}

static struct value between_times(const struct value *a, const struct value *b)
{
    wide nanos = ((wide)a->as.i - b->as.i) * NANOS + (int64_t)a->n - (int64_t)b->n;
    return nanos < INT64_MIN || nanos > INT64_MAX ? plain_error() : of_nanos((int64_t)nanos);
}

static struct value arithmetic(const struct plain *p, char sign, const struct value *a, const struct value *b)
{
    bool plus = sign == '+', minus = sign == '-';
    int64_t x = 0, y = 0;
    if (a->kind == VALUE_TIMESTAMP && b->kind == VALUE_DURATION && (plus || minus)) {
        return move(a, b, plus ? 1 : -1);
    }
    if (a->kind == VALUE_DURATION && b->kind == VALUE_TIMESTAMP && plus) {
        return move(b, a, 1);
    }
    if (a->kind != b->kind) {
        return plain_error();
    }
    switch (a->kind) {
    case VALUE_INT:
        return integers(sign, a->as.i, b->as.i);
    case VALUE_UINT:
        return naturals(sign, a->as.u, b->as.u);
    case VALUE_DOUBLE:
        return reals(sign, a->as.d, b->as.d);
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_LIST:
        return plus ? joined(p, a, b) : plain_error();
    case VALUE_TIMESTAMP:
        return minus ? between_times(a, b) : plain_error();
    case VALUE_DURATION:
        if ((!plus && !minus) || !nanos_of(a, &x) || !nanos_of(b, &y)) {
            return plain_error();
        }
        return (plus ? num_add(x, y, &x) : num_sub(x, y, &x)) ? of_nanos(x) : plain_error();
    default:
        return plain_error();
    }
}

static struct value negated(const struct value *v)
{
    int64_t nanos = 0;
    switch (v->kind) {
    case VALUE_INT:
        return checked(-(wide)v->as.i);
    case VALUE_DOUBLE:
        return value_double(-v->as.d);
    case VALUE_DURATION:
        return nanos_of(v, &nanos) && nanos != INT64_MIN ? of_nanos(-nanos) : plain_error();
    default:
        return plain_error();
    }
}

// ---- Conversions ----------------------------------------------------------------------------------------

static struct value kept(const struct plain *p, const struct buf *buf)
{
    return value_str(arena_str(p->arena, buf_view(buf), NULL));
}

static void print_double(struct buf *out, double d)
{
    char text[40];
    if (isnan(d) || isinf(d)) {
        buf_str(out, isnan(d) ? STR("NaN") : d > 0 ? STR("Infinity") : STR("-Infinity"));
        return;
    }
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d) {
            break;
        }
    }
    int exponent = d == 0 ? 0
                          : (snprintf(text, sizeof text, "%.*e", digits - 1, d),
                             (int)strtol(strchr(text, 'e') + 1, NULL, 10));
    if (exponent < -4 || exponent >= 21) {
        buf_printf(out, "%.*e", digits - 1, d);
    } else {
        int decimals = digits - 1 - exponent;
        buf_printf(out, "%.*f", decimals > 0 ? decimals : 0, d);
    }
}

static void print_duration(struct buf *out, const struct value *v)
{
    bool negative = v->as.i < 0 || v->flag != 0;
    buf_printf(out, "%s%lld", negative ? "-" : "", llabs((long long)v->as.i));
    if (v->n != 0) {
        buf_printf(out, ".%09u", v->n);
        while (out->at[out->len - 1] == '0') {
            out->len--;
        }
    }
    buf_byte(out, 's');
}

static struct value to_string(const struct plain *p, const struct value *v)
{
    unsigned char room[128];
    struct buf out = {.at = room, .cap = sizeof room, .limit = sizeof room};
    struct value text = *v;
    text.kind = VALUE_STRING;
    switch (v->kind) {
    case VALUE_STRING:
        return *v;
    case VALUE_BYTES:
        return str_is_utf8(value_text(v)) ? text : plain_error();
    case VALUE_BOOL:
        buf_str(&out, v->as.b ? STR("true") : STR("false"));
        break;
    case VALUE_INT:
        buf_printf(&out, "%lld", (long long)v->as.i);
        break;
    case VALUE_UINT:
        buf_printf(&out, "%llu", (unsigned long long)v->as.u);
        break;
    case VALUE_DOUBLE:
        print_double(&out, v->as.d);
        break;
    case VALUE_TIMESTAMP:
        time_print(&out, v->as.i, v->n);
        break;
    case VALUE_DURATION:
        print_duration(&out, v);
        break;
    case VALUE_IP:
        ip_print(&out, v->as.ip);
        break;
    case VALUE_CIDR:
        cidr_print(&out, v->as.cidr);
        break;
    default:
        return plain_error();
    }
    return kept(p, &out);
}

static struct value to_int(const struct value *v)
{
    int64_t i = 0;
    switch (v->kind) {
    case VALUE_INT:
        return *v;
    case VALUE_UINT:
        return checked(v->as.u);
    case VALUE_DOUBLE:
        return v->as.d > -0x1p63 && v->as.d < 0x1p63 ? value_int((int64_t)v->as.d) : plain_error();
    case VALUE_STRING:
        return str_to_i64(value_text(v), &i) ? value_int(i) : plain_error();
    case VALUE_TIMESTAMP:
        return value_int(v->as.i);
    default:
        return plain_error();
    }
}

static struct value to_uint(const struct value *v)
{
    uint64_t u = 0;
    switch (v->kind) {
    case VALUE_UINT:
        return *v;
    case VALUE_INT:
        return v->as.i >= 0 ? of_uint((uint64_t)v->as.i) : plain_error();
    case VALUE_DOUBLE:
        return v->as.d >= 0 && v->as.d < 0x1p64 ? of_uint((uint64_t)v->as.d) : plain_error();
    case VALUE_STRING:
        return str_to_u64(value_text(v), &u) ? of_uint(u) : plain_error();
    default:
        return plain_error();
    }
}

static const struct {
    const char *text;
    double is;
} ODD_NUMBERS[] = {
    {"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}, {"Inf", INFINITY}, {"-Inf", -INFINITY}};

static struct value to_double(const struct value *v)
{
    double d = 0;
    switch (v->kind) {
    case VALUE_DOUBLE:
        return *v;
    case VALUE_INT:
        return value_double((double)v->as.i);
    case VALUE_UINT:
        return value_double((double)v->as.u);
    case VALUE_STRING:
        for (size_t i = 0; i < COUNT_OF(ODD_NUMBERS); i++) {
            if (value_is_text(v, str_of(ODD_NUMBERS[i].text))) {
                return value_double(ODD_NUMBERS[i].is);
            }
        }
        return str_to_double(value_text(v), &d) ? value_double(d) : plain_error();
    default:
        return plain_error();
    }
}

static struct value to_bool(const struct value *v)
{
    static const char *const WORDS[] = {"true",  "True",  "TRUE",  "t", "1",
                                        "false", "False", "FALSE", "f", "0"};
    for (size_t i = 0; v->kind == VALUE_STRING && i < COUNT_OF(WORDS); i++) {
        if (value_is_text(v, str_of(WORDS[i]))) {
            return value_bool(i < COUNT_OF(WORDS) / 2);
        }
    }
    return v->kind == VALUE_BOOL ? *v : plain_error();
}

static struct value to_timestamp(const struct value *v)
{
    struct value out = {.kind = VALUE_TIMESTAMP};
    if (v->kind == VALUE_INT) {
        out.as.i = v->as.i;
        return out.as.i < TIME_MIN_S || out.as.i > TIME_MAX_S ? plain_error() : out;
    }
    bool parsed = v->kind == VALUE_STRING && time_parse(value_text(v), &out.as.i, &out.n);
    return v->kind == VALUE_TIMESTAMP ? *v : parsed ? out : plain_error();
}

static struct value to_duration(const struct value *v)
{
    int64_t seconds = 0, nanos = 0;
    int32_t part = 0;
    bool parsed = v->kind == VALUE_STRING && time_duration_parse(value_text(v), &seconds, &part) &&
                  num_mul(seconds, NANOS, &nanos) && num_add(nanos, (int64_t)part, &nanos);
    return v->kind == VALUE_DURATION ? *v : parsed ? of_nanos(nanos) : plain_error();
}

static struct value to_ip(const struct plain *p, const struct value *v)
{
    struct ip *ip = ARENA_NEW(p->arena, struct ip);
    bool parsed = v->kind == VALUE_STRING && ip_parse_unmapped(value_text(v), ip);
    return v->kind == VALUE_IP ? *v : parsed ? (struct value){.kind = VALUE_IP, .as.ip = ip} : plain_error();
}

// The address stays as it was written; only comparing masks it.
static struct value to_cidr(const struct plain *p, const struct value *v)
{
    struct cidr *cidr = ARENA_NEW(p->arena, struct cidr);
    if (v->kind != VALUE_STRING || !cidr_parse(value_text(v), true, cidr)) {
        return v->kind == VALUE_CIDR ? *v : plain_error();
    }
    struct str address = str_sub(value_text(v), 0, str_find_byte(value_text(v), '/', 0));
    bool parsed = ip_parse_unmapped(address, &cidr->base);
    return parsed ? (struct value){.kind = VALUE_CIDR, .as.cidr = cidr} : plain_error();
}

// ---- Functions ------------------------------------------------------------------------------------------

static struct value size_of(const struct value *v)
{
    switch (v->kind) {
    case VALUE_STRING:
        return value_int((int64_t)str_count_cp(value_text(v)));
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        return value_int(v->n);
    default:
        return plain_error();
    }
}

static struct value element(const struct value *of, const struct value *index)
{
    if (of->kind == VALUE_LIST) {
        for (uint32_t i = 0; i < of->n; i++) {
            struct value at = value_int(i);
            if (plain_equal(&at, index)) {
                return of->as.list[i];
            }
        }
    }
    for (uint32_t i = 0; of->kind == VALUE_MAP && i < of->n; i++) {
        if (plain_equal(&of->as.map[i].key, index)) {
            return of->as.map[i].value;
        }
    }
    return plain_error();
}

static struct value contains_ip(const struct plain *p, const struct value *args)
{
    struct value ip = to_ip(p, &args[1]);
    if (args[0].kind != VALUE_CIDR || ip.kind != VALUE_IP) {
        return plain_error();
    }
    const struct cidr *net = args[0].as.cidr;
    unsigned skip = net->base.v4 ? 96 : 0;
    bool same = net->base.v4 == ip.as.ip->v4;
    for (unsigned bit = skip; same && bit < skip + net->bits; bit++) {
        unsigned mask = 0x80U >> bit % 8;
        same = (net->base.bytes[bit / 8] & mask) == (ip.as.ip->bytes[bit / 8] & mask);
    }
    return value_bool(same);
}

static struct value time_part(const struct value *args, size_t count, const char *what)
{
    static const char *const PARTS[] = {"getFullYear",  "getMonth",       "getDate",  "getDayOfMonth",
                                        "getDayOfWeek", "getDayOfYear",   "getHours", "getMinutes",
                                        "getSeconds",   "getMilliseconds"};
    size_t part = 0;
    while (strcmp(PARTS[part], what) != 0) {
        part++;
    }
    if (args[0].kind == VALUE_DURATION && count == 1 && part >= 6) {
        int64_t sign = args[0].as.i < 0 || args[0].flag != 0 ? -1 : 1;
        const int64_t parts[] = {args[0].as.i / 3600, args[0].as.i / 60, args[0].as.i,
                                 sign * (args[0].n / 1000000)};
        return value_int(parts[part - 6]);
    }
    if (args[0].kind != VALUE_TIMESTAMP || count != 1) {
        return plain_error();
    }
    struct civil c = time_civil(args[0].as.i);
    const int64_t parts[] = {c.year,    c.month - 1, c.day,    c.day - 1, c.weekday,
                             c.yearday, c.hour,      c.minute, c.second,  args[0].n / 1000000};
    return value_int(parts[part]);
}

static struct value ordered(const struct value *args, const char *sign)
{
    int order = plain_order(&args[0], &args[1]);
    if (order == 3) {
        return plain_error();
    }
    bool holds = sign[0] == '<' ? order == -1 : order == 1;
    return value_bool(order != 2 && (holds || (sign[1] == '=' && order == 0)));
}

static struct value named(struct str name, const struct str *names, size_t count, enum value_kind kind)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(name, names[i])) {
            return (struct value){.kind = (uint8_t)kind, .as.i = (int64_t)i};
        }
    }
    return plain_error();
}

static struct value of_text(const char *name, const struct value *args)
{
    struct str a = value_text(&args[0]), b = value_text(&args[1]);
    if (args[0].kind != VALUE_STRING || args[1].kind != VALUE_STRING) {
        return plain_error();
    }
    return value_bool(strcmp(name, "startsWith") == 0 ? str_starts(a, b)
                      : strcmp(name, "endsWith") == 0 ? str_ends(a, b)
                      : strcmp(name, "contains") == 0 ? str_find(a, b, 0) != SIZE_MAX
                                                      : plain_matches(a, b));
}

static struct value one_argument(const struct plain *p, const char *name, const struct value *v)
{
    struct value out = *v;
    if (strcmp(name, "size") == 0) {
        return size_of(v);
    }
    if (strcmp(name, "dyn") == 0) {
        return *v;
    }
    if (strcmp(name, "type") == 0) {
        return (struct value){.kind = VALUE_TYPE, .as.i = v->kind};
    }
    if (strcmp(name, "string") == 0) {
        return to_string(p, v);
    }
    if (strcmp(name, "bytes") == 0) {
        out.kind = VALUE_BYTES;
        return v->kind == VALUE_STRING || v->kind == VALUE_BYTES ? out : plain_error();
    }
    if (strcmp(name, "ip") == 0) {
        return to_ip(p, v);
    }
    if (strcmp(name, "cidr") == 0) {
        return to_cidr(p, v);
    }
    if (strcmp(name, "isIP") == 0) {
        return v->kind == VALUE_STRING ? value_bool(to_ip(p, v).kind == VALUE_IP) : plain_error();
    }
    if (strcmp(name, "family") == 0) {
        return v->kind == VALUE_IP ? value_int(v->as.ip->v4 ? 4 : 6) : plain_error();
    }
    if (strcmp(name, "prefixLength") == 0) {
        return v->kind == VALUE_CIDR ? value_int(v->as.cidr->bits) : plain_error();
    }
    if (strcmp(name, "level") == 0) {
        return named(value_text(v), RISK_LEVEL_NAMES, RISK_LEVEL_COUNT, VALUE_LEVEL);
    }
    if (strcmp(name, "strength") == 0) {
        return named(value_text(v), WORLD_STRENGTH_NAMES, WORLD_STRENGTHS, VALUE_STRENGTH);
    }
    return strncmp(name, "get", 3) == 0 ? time_part(v, 1, name) : plain_error();
}

static const struct {
    const char *name;
    struct value (*code)(const struct value *v);
} CONVERSIONS[] = {{"int", to_int},   {"uint", to_uint},           {"double", to_double},
                   {"bool", to_bool}, {"timestamp", to_timestamp}, {"duration", to_duration},
                   {"neg", negated}};

struct value plain_call(const struct plain *p, const struct tree *call, const struct value *args,
                        size_t count)
{
    char name[32] = {0};
    if (call->name.len >= sizeof name || count == 0) {
        return plain_error();
    }
    memcpy(name, call->name.at, call->name.len);
    struct value out;
    if (call->member && plain_text(p, call->name, args, count, &out)) {
        return out;
    }
    for (size_t i = 0; count == 1 && i < COUNT_OF(CONVERSIONS); i++) {
        if (strcmp(name, CONVERSIONS[i].name) == 0) {
            return CONVERSIONS[i].code(&args[0]);
        }
    }
    if (strcmp(name, "!") == 0) {
        return args[0].kind == VALUE_BOOL ? value_bool(!args[0].as.b) : plain_error();
    }
    if (strcmp(name, "within") == 0) {
        struct str zone = count == 3 ? value_text(&args[2]) : STR("UTC");
        bool time = args[0].kind == VALUE_TIMESTAMP;
        return time ? value_bool(plain_within(args[0].as.i, value_text(&args[1]), zone)) : plain_error();
    }
    if (count == 1) {
        return one_argument(p, name, &args[0]);
    }
    if (strcmp(name, "[]") == 0) {
        return element(&args[0], &args[1]);
    }
    if (strcmp(name, "containsIP") == 0) {
        return contains_ip(p, args);
    }
    if (name[0] == '<' || name[0] == '>') {
        return ordered(args, name);
    }
    return strchr("+-*/%", name[0]) != NULL ? arithmetic(p, name[0], &args[0], &args[1])
                                            : of_text(name, args);
}
