// SPDX-License-Identifier: Apache-2.0
// Patterns by backtracking and hours by a walk over the days: the simple ones that the generator writes.
#include "base/time.h"
#include "diff/plain.h"

// ---- Patterns: letters, `.`, `[a-z_]`, `[^…]`, `\d`, each with `*`, `+`, `?`; `^` first, `$` last
// -------------

struct atom {
    size_t from, len; // in the pattern
};

static bool atom_holds(struct str pattern, struct atom atom, uint32_t cp)
{
    const char *at = pattern.at + atom.from;
    if (at[0] == '.') {
        return cp != '\n';
    }
    if (at[0] == '\\') {
        return at[1] == 'd' ? cp >= '0' && cp <= '9' : cp == (unsigned char)at[1];
    }
    if (at[0] != '[') {
        size_t place = 0;
        uint32_t wanted = 0;
        str_next_cp(str_sub(pattern, atom.from, atom.len), &place, &wanted);
        return cp == wanted;
    }
    bool negated = at[1] == '^', in = false;
    for (size_t i = negated ? 2 : 1; i + 1 < atom.len; i++) {
        bool range = at[i + 1] == '-' && i + 3 < atom.len;
        uint32_t low = (unsigned char)at[i], high = (unsigned char)at[range ? i + 2 : i];
        in = in || (cp >= low && cp <= high);
        i += range ? 2 : 0;
    }
    return in != negated;
}

static struct atom atom_at(struct str pattern, size_t at)
{
    size_t to = at;
    uint32_t cp = 0;
    if (pattern.at[at] == '[') {
        return (struct atom){at, str_find_byte(pattern, ']', at) + 1 - at};
    }
    if (pattern.at[at] == '\\') {
        return (struct atom){at, 2};
    }
    str_next_cp(pattern, &to, &cp);
    return (struct atom){at, to - at};
}

static bool rest_holds(struct str pattern, size_t at, struct str text, size_t place)
{
    if (at == pattern.len) {
        return true;
    }
    if (pattern.at[at] == '$' && at + 1 == pattern.len) {
        return place == text.len;
    }
    struct atom atom = atom_at(pattern, at);
    size_t after = at + atom.len;
    char many = after < pattern.len ? pattern.at[after] : '\0';
    bool repeated = many == '*' || many == '+' || many == '?';
    size_t next = after + (repeated ? 1 : 0);
    if ((many == '*' || many == '?') && rest_holds(pattern, next, text, place)) {
        return true;
    }
    uint32_t cp = 0;
    if (place == text.len || (str_next_cp(text, &place, &cp), !atom_holds(pattern, atom, cp))) {
        return false;
    }
    if (rest_holds(pattern, next, text, place)) {
        return true;
    }
    for (; many == '*' || many == '+';) { // one more of the same
        if (place == text.len || (str_next_cp(text, &place, &cp), !atom_holds(pattern, atom, cp))) {
            return false;
        }
        if (rest_holds(pattern, next, text, place)) {
            return true;
        }
    }
    return false;
}

bool plain_matches(struct str text, struct str pattern)
{
    uint32_t cp = 0;
    size_t bar = str_find_byte(pattern, '|', 0);
    if (bar < pattern.len) {
        return plain_matches(text, str_sub(pattern, 0, bar)) ||
               plain_matches(text, str_sub(pattern, bar + 1, pattern.len));
    }
    if (str_starts(pattern, STR("^"))) {
        return rest_holds(pattern, 1, text, 0);
    }
    for (size_t from = 0;; str_next_cp(text, &from, &cp)) {
        if (rest_holds(pattern, 0, text, from)) {
            return true;
        }
        if (from >= text.len) {
            return false;
        }
    }
}

// ---- Hours: `Mon-Fri 07:00-19:00, Sat,Sun 22:00-02:00`
// --------------------------------------------------------

static int day_of(struct str *text)
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    for (int i = 0; i < 7; i++) {
        if (str_starts(*text, str_of(DAYS[i]))) {
            *text = str_sub(*text, 3, text->len);
            return i;
        }
    }
    return -1;
}

static bool took(struct str *text, const char *sign)
{
    bool is = str_starts(*text, str_of(sign));
    *text = str_sub(*text, is ? strlen(sign) : 0, text->len);
    return is;
}

static int64_t clock_of(struct str *text)
{
    int64_t s = ((text->at[0] - '0') * 10 + (text->at[1] - '0')) * 3600 +
                ((text->at[3] - '0') * 10 + (text->at[4] - '0')) * 60;
    *text = str_sub(*text, 5, text->len);
    return s;
}

static unsigned days_of(struct str *text, unsigned before)
{
    unsigned days = took(text, "daily") ? 0x7f : 0;
    for (int first = 0; (first = day_of(text)) >= 0; took(text, ",")) {
        int last = took(text, "-") ? day_of(text) : first;
        days |= 1U << first;
        for (int day = first; day != last;) {
            day = (day + 1) % 7;
            days |= 1U << day;
        }
    }
    took(text, " ");
    return days != 0 ? days : before;
}

bool plain_within(int64_t epoch_s, struct str hours, struct str zone)
{
    unsigned days = 0x7f;
    if (zone.at[0] == '+' || zone.at[0] == '-') {
        struct str clock = str_sub(zone, 1, zone.len);
        epoch_s += clock_of(&clock) * (zone.at[0] == '-' ? -1 : 1);
    }
    struct civil now = time_civil(epoch_s);
    int64_t second = now.hour * 3600 + now.minute * 60 + now.second;
    int yesterday = (now.weekday + 6) % 7;
    while (hours.len > 0) {
        days = days_of(&hours, days);
        int64_t from = clock_of(&hours);
        took(&hours, "-");
        int64_t to = clock_of(&hours);
        took(&hours, ",");
        took(&hours, " ");
        bool today_in = (days >> now.weekday & 1) != 0, yesterday_in = (days >> yesterday & 1) != 0;
        bool crosses = to <= from;
        if ((today_in && second >= from && (crosses || second < to)) ||
            (crosses && yesterday_in && second < to)) {
            return true;
        }
    }
    return false;
}
