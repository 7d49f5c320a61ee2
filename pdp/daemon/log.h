// SPDX-License-Identifier: Apache-2.0
// Log lines: `level=info event=ready url=…` on standard error, one write a line, any thread. A reader that
// does not read is not waited for: lines are lost, and `event=log_lost` tells how many when there is room
// again.
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include "base/buf.h"

enum log_level {
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR
};

struct log_line {
    struct buf text;
};

// A line begun with log_begin ends with log_end, which writes it. `event` and keys are ours and fixed; values
// may be anybody's: control bytes are escaped, and what holds a space, a quote or `=` is quoted.
void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_str(struct log_line *line, const char *key, struct str value);
void log_text(struct log_line *line, const char *key, const char *value);
void log_int(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

// A line with one text value.
void log_one(enum log_level level, const char *event, const char *key, const char *value);

#endif
