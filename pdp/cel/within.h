// SPDX-License-Identifier: Apache-2.0
// Hours of the week: "Mon-Fri 07:00-19:00, Sat 09:00-12:00".
#ifndef CEL_WITHIN_H
#define CEL_WITHIN_H

#include "cel/tz.h"

#define WITHIN_SPANS_MAX 32

struct within_span {
    uint8_t days;         // bit 0 is Sunday; the day on which it begins
    int32_t from_s, to_s; // since midnight; to_s > 86,400 crosses it
};

struct window {
    struct within_span spans[WITHIN_SPANS_MAX];
    size_t count;
    const struct tz *tz; // borrowed
};

// Days (Mon, Mon-Fri, Mon,Wed,Fri, daily) and hours (07:00-19:00, may cross midnight), windows separated
// by commas; a window without days belongs to those before it. *why is static text.
MUST_USE enum pdp_err within_parse(struct str text, struct window *out, struct str *why);
bool within_holds(const struct window *window, int64_t epoch_s);
// The next second after `epoch_s` at which within_holds may differ; at most 9 days ahead, then that.
int64_t within_edge(const struct window *window, int64_t epoch_s);

#endif
