// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"

#include <inttypes.h>
#include <unistd.h>

static const char *const LEVELS[] = {"info", "warn", "error"};
static const size_t LINE_MAX_BYTES = 65536;

void log_begin(struct log_line *line, enum log_level level, const char *event)
{
    *line = (struct log_line){.text.limit = LINE_MAX_BYTES};
    buf_printf(&line->text, "level=%s event=%s", LEVELS[level], event);
}

static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        if (byte <= ' ' || byte >= 0x7F || byte == '"' || byte == '=' || byte == '\\') {
            return false;
        }
    }
    return value.len > 0;
}

void log_str(struct log_line *line, const char *key, struct str value)
{
    buf_printf(&line->text, " %s=", key);
    if (is_plain(value)) {
        buf_str(&line->text, value);
        return;
    }
    buf_byte(&line->text, '"');
    for (size_t at = 0; at < value.len;) {
        size_t quote = str_find_byte(value, '"', at);
        buf_escaped(&line->text, str_sub(value, at, quote - at));
        if (quote < value.len) {
            buf_str(&line->text, STR("\\x22"));
        }
        at = quote + 1;
    }
    buf_byte(&line->text, '"');
}

void log_text(struct log_line *line, const char *key, const char *value)
{
    log_str(line, key, str_of(value));
}

void log_int(struct log_line *line, const char *key, int64_t value)
{
    buf_printf(&line->text, " %s=%" PRId64, key, value);
}

void log_end(struct log_line *line)
{
    line->text.limit = 0;
    line->text.failed = false;
    buf_byte(&line->text, '\n');
    struct str rest = buf_view(&line->text);
    while (rest.len > 0) {
        ssize_t len = write(STDERR_FILENO, rest.at, rest.len);
        if (len <= 0) {
            break; // nobody reads the log: serving goes on
        }
        rest = str_sub(rest, (size_t)len, rest.len);
    }
    buf_fini(&line->text);
}

void log_one(enum log_level level, const char *event, const char *key, const char *value)
{
    struct log_line line;
    log_begin(&line, level, event);
    log_text(&line, key, value);
    log_end(&line);
}
