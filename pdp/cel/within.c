// SPDX-License-Identifier: Apache-2.0
// HOT
#include "cel/within.h"

enum {
    DAY_S = 86400,
    WEEK_DAYS = 7
};

static const struct str DAYS[WEEK_DAYS] = {
    {"Sun", 3}, {"Mon", 3}, {"Tue", 3}, {"Wed", 3}, {"Thu", 3}, {"Fri", 3}, {"Sat", 3},
};

static enum pdp_err wrong(struct str *why, const char *what)
{
    *why = str_of(what);
    return PDP_ERR_SYNTAX;
}

static int day_of(struct str name)
{
    for (int i = 0; i < WEEK_DAYS; i++) {
        if (str_eq(name, DAYS[i])) {
            return i;
        }
    }
    return -1;
}

// `Mon`, `Mon-Fri`, `Fri-Mon` or `daily`.
static bool parse_days(struct str text, uint8_t *out)
{
    if (str_eq(text, STR("daily"))) {
        *out = 0x7f;
        return true;
    }
    size_t dash = str_find_byte(text, '-', 0);
    int from = day_of(str_sub(text, 0, dash));
    int to = dash < text.len ? day_of(str_sub(text, dash + 1, text.len)) : from;
    if (from < 0 || to < 0) {
        return false;
    }
    *out = 0;
    for (int day = from;; day = (day + 1) % WEEK_DAYS) {
        *out = (uint8_t)(*out | 1u << day);
        if (day == to) {
            return true;
        }
    }
}

static bool parse_clock(struct str text, int32_t *seconds)
{
    if (text.len != 5 || text.at[2] != ':') {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        if (i != 2 && (text.at[i] < '0' || text.at[i] > '9')) {
            return false;
        }
    }
    int32_t hour = (text.at[0] - '0') * 10 + (text.at[1] - '0');
    int32_t minute = (text.at[3] - '0') * 10 + (text.at[4] - '0');
    *seconds = hour * 3600 + minute * 60;
    return minute <= 59 && *seconds <= DAY_S;
}

static bool parse_hours(struct str text, struct within_span *out)
{
    size_t dash = str_find_byte(text, '-', 0);
    if (!parse_clock(str_trim(str_sub(text, 0, dash)), &out->from_s) || dash >= text.len ||
        !parse_clock(str_trim(str_sub(text, dash + 1, text.len)), &out->to_s) || out->from_s >= DAY_S) {
        return false;
    }
    out->to_s += out->to_s <= out->from_s ? DAY_S : 0;
    return true;
}

// One part between commas: days, hours, or both.
static bool parse_part(struct str part, uint8_t *days, bool *has_days, struct within_span *span,
                       bool *has_hours)
{
    bool digit = part.len > 0 && part.at[0] >= '0' && part.at[0] <= '9';
    size_t space = digit ? 0 : str_find_byte(part, ' ', 0);
    struct str hours = str_trim(str_sub(part, space, part.len));
    *has_days = !digit;
    *has_hours = hours.len > 0;
    return part.len > 0 && (digit || parse_days(str_sub(part, 0, space), days)) &&
           (!*has_hours || parse_hours(hours, span));
}

enum pdp_err within_parse(struct str text, struct window *out, struct str *why)
{
    *out = (struct window){.count = 0};
    uint8_t days = 0x7f, listed = 0;
    bool open = false; // days were listed that have no hours yet
    for (size_t at = 0; at <= text.len;) {
        size_t comma = str_find_byte(text, ',', at);
        struct within_span span = {0};
        uint8_t part_days = 0;
        bool has_days = false, has_hours = false;
        if (!parse_part(str_trim(str_sub(text, at, comma - at)), &part_days, &has_days, &span, &has_hours)) {
            return wrong(why, "these hours cannot be read");
        }
        if (has_days) {
            listed = open ? (uint8_t)(listed | part_days) : part_days;
            days = listed;
            open = true;
        }
        if (has_hours) {
            if (out->count == WITHIN_SPANS_MAX) {
                return wrong(why, "too many hours");
            }
            span.days = days;
            out->spans[out->count++] = span;
            open = false;
        }
        at = comma + 1;
    }
    return open ? wrong(why, "days without hours") : PDP_ERR_OK;
}

// The local clock: seconds since the Monday-less epoch, as if it were UTC.
static bool holds_local(const struct window *window, int64_t local_s)
{
    int64_t day = local_s >= 0 ? local_s / DAY_S : -((-local_s + DAY_S - 1) / DAY_S);
    int32_t second = (int32_t)(local_s - day * DAY_S);
    int weekday = (int)(((day + 4) % 7 + 7) % 7);
    int before = (weekday + 6) % 7;
    for (size_t i = 0; i < window->count; i++) {
        const struct within_span *span = &window->spans[i];
        if ((span->days >> weekday & 1) != 0 && second >= span->from_s && second < span->to_s) {
            return true;
        }
        if ((span->days >> before & 1) != 0 && second + DAY_S < span->to_s) {
            return true;
        }
    }
    return false;
}

bool within_holds(const struct window *window, int64_t epoch_s)
{
    int64_t until = 0;
    return holds_local(window, epoch_s + tz_offset(window->tz, epoch_s, &until));
}

// The next local second after `local_s` at which some span begins or ends on some day.
static int64_t next_mark(const struct window *window, int64_t local_s)
{
    int64_t day = local_s >= 0 ? local_s / DAY_S : -((-local_s + DAY_S - 1) / DAY_S);
    int64_t next = (day + 1) * DAY_S;
    for (size_t i = 0; i < window->count; i++) {
        int64_t marks[] = {day * DAY_S + window->spans[i].from_s,
                           day * DAY_S + window->spans[i].to_s % DAY_S};
        for (size_t n = 0; n < COUNT_OF(marks); n++) {
            if (marks[n] > local_s && marks[n] < next) {
                next = marks[n];
            }
        }
    }
    return next;
}

int64_t within_edge(const struct window *window, int64_t epoch_s)
{
    const int64_t last = epoch_s + 9 * (int64_t)DAY_S;
    bool holds = within_holds(window, epoch_s);
    // A day has at most two marks a span and midnight, and an offset changes rarely.
    for (int64_t at = epoch_s; at < last;) {
        int64_t until = 0;
        int32_t offset = tz_offset(window->tz, at, &until);
        int64_t next = next_mark(window, at + offset) - offset;
        next = next < until ? next : until;
        if (next >= last) {
            break;
        }
        if (within_holds(window, next) != holds) {
            return next;
        }
        at = next;
    }
    return last;
}
