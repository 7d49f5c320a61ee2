// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

static const char *const LEVELS[] = {"info", "warn", "error"};
static const size_t LINE_MAX_BYTES = 65536;
static const int PATIENCE_MS = 100; // with a reader that is behind

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

// One line at a time, so that the room that poll sees is still there when it is filled.
static struct {
    pthread_mutex_t lock;
    bool stuck; // nobody read the last time: not waited for again until there is room
    bool cut;   // the last line lacks its end
    uint64_t lost;
} out = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool has_room(void)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    out.stuck = poll(&fd, 1, out.stuck ? 0 : PATIENCE_MS) <= 0;
    return !out.stuck;
}

// false: nobody reads the log, or the disk is full. Serving goes on.
static bool put(struct str text)
{
    size_t whole = text.len;
    while (text.len > 0) {
        size_t most =
            text.len < PIPE_BUF ? text.len : PIPE_BUF; // what a pipe that has room takes without blocking
        ssize_t len = has_room() ? write(STDERR_FILENO, text.at, most) : -1;
        if (len <= 0) {
            out.cut |= text.len < whole;
            return false;
        }
        text = str_sub(text, (size_t)len, text.len);
    }
    return true;
}

static void tell_lost(void)
{
    if (out.lost == 0) {
        return;
    }
    struct buf text = {0};
    buf_printf(&text, "%slevel=warn event=log_lost lines=%" PRIu64 "\n", out.cut ? "\n" : "", out.lost);
    if (put(buf_view(&text))) {
        out.lost = 0;
        out.cut = false;
    }
    buf_fini(&text);
}

void log_end(struct log_line *line)
{
    line->text.limit = 0;
    line->text.failed = false;
    buf_byte(&line->text, '\n');
    pthread_mutex_lock(&out.lock);
    tell_lost();
    if (!put(buf_view(&line->text))) {
        out.lost++;
    }
    pthread_mutex_unlock(&out.lock);
    buf_fini(&line->text);
}

void log_one(enum log_level level, const char *event, const char *key, const char *value)
{
    struct log_line line;
    log_begin(&line, level, event);
    log_text(&line, key, value);
    log_end(&line);
}
