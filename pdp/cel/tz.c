// SPDX-License-Identifier: Apache-2.0
// HOT
#include "cel/tz.h"

#include <stdlib.h>

enum {
    MOST_TIMES = 4096,
    MOST_TYPES = 256,
    DAY_S = 86400
};

struct tz_rule { // when a POSIX footer switches
    char form;   // 'M' month.week.day, 'J' day without 29 February, 'N' day with it
    int32_t month, week, day;
    int32_t time_s;
};

struct tz {
    size_t count;
    int64_t *times;   // when offset i begins
    int32_t *offsets; // i + 1: from times[i]; 0: before all
    bool has_footer, has_dst;
    int32_t std_s, dst_s;
    struct tz_rule begin, end;
};

struct reader {
    const unsigned char *at;
    size_t len;
};

static bool take(struct reader *r, size_t count, struct reader *out)
{
    if (count > r->len) {
        return false;
    }
    *out = (struct reader){r->at, count};
    r->at += count;
    r->len -= count;
    return true;
}

static int64_t big(const unsigned char *at, size_t bytes)
{
    uint64_t value = bytes == 4 && (at[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++) {
        value = (value << 8) | at[i];
    }
    return (int64_t)value;
}

struct header {
    unsigned char version;
    size_t ut, std, leap, times, types, chars;
};

static bool read_header(struct reader *r, struct header *out)
{
    struct reader h;
    if (!take(r, 44, &h) || memcmp(h.at, "TZif", 4) != 0) {
        return false;
    }
    size_t counts[6];
    for (size_t i = 0; i < 6; i++) {
        int64_t n = big(h.at + 20 + 4 * i, 4);
        if (n < 0 || n > MOST_TIMES) {
            return false;
        }
        counts[i] = (size_t)n;
    }
    *out = (struct header){h.at[4], counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
    return out->types >= 1 && out->types <= MOST_TYPES;
}

static size_t body_bytes(const struct header *h, size_t time_bytes)
{
    return h->times * (time_bytes + 1) + h->types * 6 + h->chars + h->leap * (time_bytes + 4) + h->std +
           h->ut;
}

static bool read_body(struct reader *r, const struct header *h, size_t time_bytes, struct tz *tz)
{
    struct reader body, times, indexes, types;
    if (!take(r, body_bytes(h, time_bytes), &body) || !take(&body, h->times * time_bytes, &times) ||
        !take(&body, h->times, &indexes) || !take(&body, h->types * 6, &types)) {
        return false;
    }
    size_t first = 0; // before all transitions: the first type that is standard time
    for (size_t i = h->types; i-- > 0;) {
        first = types.at[i * 6 + 4] == 0 ? i : first;
    }
    tz->offsets[0] = (int32_t)big(types.at + first * 6, 4);
    for (size_t i = 0; i < h->times; i++) {
        size_t type = indexes.at[i];
        if (type >= h->types) {
            return false;
        }
        tz->times[i] = big(times.at + i * time_bytes, time_bytes);
        tz->offsets[i + 1] = (int32_t)big(types.at + type * 6, 4);
        bool sane = tz->offsets[i + 1] > -2 * DAY_S && tz->offsets[i + 1] < 2 * DAY_S;
        if (!sane || (i > 0 && tz->times[i] <= tz->times[i - 1])) {
            return false;
        }
    }
    tz->count = h->times;
    return tz->offsets[0] > -2 * DAY_S && tz->offsets[0] < 2 * DAY_S;
}

// ---- the footer: `CET-1CEST,M3.5.0,M10.5.0/3` ----

static int peek(const struct reader *r)
{
    return r->len > 0 ? r->at[0] : -1;
}

static bool eat(struct reader *r, int c)
{
    if (peek(r) != c) {
        return false;
    }
    r->at++;
    r->len--;
    return true;
}

static bool number(struct reader *r, int32_t most, int32_t *out)
{
    int32_t value = 0;
    size_t digits = 0;
    while (peek(r) >= '0' && peek(r) <= '9' && digits < 4) {
        value = value * 10 + (peek(r) - '0');
        eat(r, peek(r));
        digits++;
    }
    *out = value;
    return digits > 0 && value <= most;
}

static bool zone_name(struct reader *r)
{
    size_t from = r->len;
    if (eat(r, '<')) {
        while (peek(r) > 0 && peek(r) != '>') {
            eat(r, peek(r));
        }
        return eat(r, '>');
    }
    while ((peek(r) | 32) >= 'a' && (peek(r) | 32) <= 'z' && peek(r) > 0) {
        eat(r, peek(r));
    }
    return from - r->len >= 3;
}

static bool clock(struct reader *r, int32_t *seconds)
{
    int32_t hour = 0, minute = 0, second = 0, sign = 1;
    if (eat(r, '-')) {
        sign = -1;
    } else {
        eat(r, '+');
    }
    if (!number(r, 167, &hour) || (eat(r, ':') && !number(r, 59, &minute)) ||
        (eat(r, ':') && !number(r, 59, &second))) {
        return false;
    }
    *seconds = sign * (hour * 3600 + minute * 60 + second);
    return true;
}

static bool rule(struct reader *r, struct tz_rule *out)
{
    *out = (struct tz_rule){.form = 'N', .time_s = 7200};
    if (eat(r, 'M')) {
        out->form = 'M';
        if (!number(r, 12, &out->month) || !eat(r, '.') || !number(r, 5, &out->week) || !eat(r, '.') ||
            !number(r, 6, &out->day) || out->month < 1 || out->week < 1) {
            return false;
        }
    } else {
        out->form = eat(r, 'J') ? 'J' : 'N';
        if (!number(r, 365, &out->day) || (out->form == 'J' && out->day < 1)) {
            return false;
        }
    }
    return !eat(r, '/') || clock(r, &out->time_s);
}

static bool read_footer(struct reader *r, struct tz *tz)
{
    if (!eat(r, '\n')) {
        return false;
    }
    if (peek(r) == '\n') {
        return true; // no rule: the last offset stays
    }
    int32_t west = 0;
    if (!zone_name(r) || !clock(r, &west)) {
        return false;
    }
    tz->has_footer = true;
    tz->std_s = -west;
    if (peek(r) == '\n') {
        return true;
    }
    tz->has_dst = true;
    tz->dst_s = tz->std_s + 3600;
    if (!zone_name(r)) {
        return false;
    }
    if (peek(r) != ',') {
        if (!clock(r, &west)) {
            return false;
        }
        tz->dst_s = -west;
    }
    return eat(r, ',') && rule(r, &tz->begin) && eat(r, ',') && rule(r, &tz->end) && eat(r, '\n');
}

void tz_free(struct tz **tz)
{
    if (*tz != NULL) {
        free((*tz)->times);
        free((*tz)->offsets);
        free(*tz);
        *tz = NULL;
    }
}

static enum pdp_err make(size_t times, struct tz **out)
{
    AUTO(tz_free) struct tz *tz = calloc(1, sizeof *tz);
    if (tz == NULL) {
        return PDP_ERR_NOMEM;
    }
    tz->times = calloc(times + 1, sizeof *tz->times);
    tz->offsets = calloc(times + 1, sizeof *tz->offsets);
    if (tz->times == NULL || tz->offsets == NULL) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(tz);
    return PDP_ERR_OK;
}

enum pdp_err tz_fixed(int32_t offset_s, struct tz **out)
{
    *out = NULL;
    TRY(make(0, out));
    (*out)->offsets[0] = offset_s;
    return PDP_ERR_OK;
}

enum pdp_err tz_new(struct str tzif, struct tz **out)
{
    *out = NULL;
    struct reader r = {(const unsigned char *)tzif.at, tzif.len}, skipped;
    struct header h;
    if (!read_header(&r, &h)) {
        return PDP_ERR_MALFORMED;
    }
    size_t time_bytes = 4;
    if (h.version >= '2') {
        time_bytes = 8;
        if (!take(&r, body_bytes(&h, 4), &skipped) || !read_header(&r, &h)) {
            return PDP_ERR_MALFORMED;
        }
    }
    AUTO(tz_free) struct tz *tz = NULL;
    TRY(make(h.times, &tz));
    if (!read_body(&r, &h, time_bytes, tz) || (time_bytes == 8 && !read_footer(&r, tz))) {
        return PDP_ERR_MALFORMED;
    }
    *out = STEAL(tz);
    return PDP_ERR_OK;
}

bool tz_parse_fixed(struct str name, int32_t *offset_s)
{
    *offset_s = 0;
    if (str_eq(name, STR("UTC")) || str_eq(name, STR("Z"))) {
        return true;
    }
    int32_t sign = 1, parts[2] = {0, 0};
    if (name.len == 6 && (name.at[0] == '+' || name.at[0] == '-')) {
        sign = name.at[0] == '-' ? -1 : 1;
        name = str_sub(name, 1, 5);
    }
    if (name.len != 5 || name.at[2] != ':') {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        char tens = name.at[3 * i], ones = name.at[3 * i + 1];
        if (tens < '0' || tens > '9' || ones < '0' || ones > '9') {
            return false;
        }
        parts[i] = (tens - '0') * 10 + (ones - '0');
    }
    *offset_s = sign * (parts[0] * 3600 + parts[1] * 60);
    return parts[0] <= 18 && parts[1] <= 59;
}

// ---- looking up ----

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Local second at which a rule switches in a year, before the offset in force is taken off.
static int64_t rule_second(const struct tz_rule *rule, int32_t year)
{
    int64_t day = 0;
    if (rule->form == 'M') {
        int64_t first = time_days(year, rule->month, 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7;
        day = first + (rule->day - weekday + 7) % 7 + 7 * (int64_t)(rule->week - 1);
        int64_t next = rule->month == 12 ? time_days(year + 1, 1, 1) : time_days(year, rule->month + 1, 1);
        day -= day >= next ? 7 : 0;
    } else {
        day = time_days(year, 1, 1) + rule->day;
        day -= rule->form == 'J' && (rule->day < 60 || !is_leap(year)) ? 1 : 0;
    }
    return day * DAY_S + rule->time_s;
}

static int32_t footer_offset(const struct tz *tz, int64_t epoch_s, int64_t *until_s)
{
    *until_s = INT64_MAX;
    if (!tz->has_dst) {
        return tz->std_s;
    }
    // The last switch at or before the time and the first after it, of this year and its neighbours.
    int32_t year = time_civil(epoch_s).year;
    int64_t last = INT64_MIN;
    int32_t offset = tz->std_s;
    for (int32_t y = year - 1; y <= year + 1; y++) {
        int64_t begin = rule_second(&tz->begin, y) - tz->std_s;
        int64_t end = rule_second(&tz->end, y) - tz->dst_s;
        if (begin <= epoch_s && begin >= last) {
            last = begin;
            offset = tz->dst_s;
        }
        if (end <= epoch_s && end > last) {
            last = end;
            offset = tz->std_s;
        }
        if (begin > epoch_s && begin < *until_s) {
            *until_s = begin;
        }
        if (end > epoch_s && end < *until_s) {
            *until_s = end;
        }
    }
    return offset;
}

int32_t tz_offset(const struct tz *tz, int64_t epoch_s, int64_t *until_s)
{
    size_t low = 0, high = tz->count; // times[low - 1] <= epoch_s < times[low]
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tz->times[middle] <= epoch_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == tz->count && tz->has_footer) {
        return footer_offset(tz, epoch_s, until_s);
    }
    *until_s = low < tz->count ? tz->times[low] : INT64_MAX;
    return tz->offsets[low];
}
