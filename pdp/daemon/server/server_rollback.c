// SPDX-License-Identifier: Apache-2.0
// Going back to what was served here: by an order, in force until the next deliberate reload.
#include "base/num.h"
#include "base/time.h"
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t PREFIX_LEAST = 6; // digits of a digest; shorter is a number of servings
static const size_t BACK_DIGITS_MOST = 3;

static void text_keep(char *out, size_t size, struct str text)
{
    size_t len = text.len < size ? text.len : size - 1;
    while (len < text.len && len > 0 && ((unsigned char)text.at[len] & 0xC0) == 0x80) {
        len--; // no part of a character
    }
    if (len > 0) {
        memcpy(out, text.at, len);
    }
    out[len] = '\0';
}

// ---- Which one -----------------------------------------------------------------------------------------

struct servings {
    struct archive_entry *list; // the last first
    size_t count;
    struct archive_pin pin;
};

static bool has_prefix(const char *digest, struct str prefix)
{
    struct str hex = str_sub(str_of(digest), sizeof "sha256:" - 1, SIZE_MAX);
    struct str wanted =
        str_starts(prefix, STR("sha256:")) ? str_sub(prefix, sizeof "sha256:" - 1, SIZE_MAX) : prefix;
    return wanted.len >= PREFIX_LEAST && str_starts(hex, wanted);
}

static const struct archive_entry *by_digest(const struct servings *served, struct str to, const char **why)
{
    const struct archive_entry *found = NULL;
    for (size_t i = 0; i < served->count; i++) {
        const struct archive_entry *one = &served->list[i];
        if (!has_prefix(one->snapshot, to) && !has_prefix(one->sources, to)) {
            continue;
        }
        if (found != NULL && strcmp(found->sources, one->sources) != 0) {
            *why = "several that were served begin so: say more of the digest";
            return NULL;
        }
        found = found == NULL ? one : found;
    }
    *why =
        found == NULL ? "nothing that was served begins so: `pdpctl rollback --list` shows what was" : *why;
    return found;
}

static const struct archive_entry *by_time(const struct servings *served, int64_t at_ms, const char **why)
{
    for (size_t i = 0; i < served->count; i++) {
        if (served->list[i].since_ms <= at_ms) {
            return &served->list[i];
        }
    }
    *why = "what was served then is not kept any more";
    return NULL;
}

// 1 is the one before that which serves. Going back twice by number must not bring back what was gone back
// from.
static const struct archive_entry *by_number(const struct servings *served, int64_t back, const char **why)
{
    if (back < 1 || (uint64_t)back >= served->count) {
        *why = "so many servings are not kept: `pdpctl rollback --list` shows what is";
        return NULL;
    }
    const struct archive_entry *found = &served->list[back];
    if (served->pin.at_ms != 0 && strcmp(found->snapshot, served->pin.from) == 0) {
        *why =
            "this is what was rolled back from: where it is meant, name it by its digest, or `pdpctl reload`";
        return NULL;
    }
    return found;
}

static const struct archive_entry *choose(const struct servings *served, struct str to, const char **why)
{
    int64_t number = 0, seconds = 0;
    uint32_t nanos = 0;
    const struct archive_entry *found =
        to.len <= BACK_DIGITS_MOST && str_to_i64(to, &number) ? by_number(served, number, why)
        : time_parse(to, &seconds, &nanos)
            ? by_time(served, num_mul_sat(seconds, TIME_MS_PER_S) + (int64_t)(nanos / 1000000), why)
            : by_digest(served, to, why);
    if (found != NULL && found->sources[0] == '\0') {
        *why = "its sources could not be kept when it was served";
        return NULL;
    }
    if (found != NULL && found->until_ms == 0) {
        *why = "it is what serves";
        return NULL;
    }
    return found;
}

static void fill_pin(const struct servings *served, const struct archive_entry *to, struct archive_pin *out)
{
    const char *from = served->pin.at_ms != 0 ? served->pin.from : served->list[0].snapshot;
    out->at_ms = clock_now().wall_ms;
    memcpy(out->from, from, sizeof out->from);
    memcpy(out->to, to->snapshot, sizeof out->to);
    memcpy(out->sources, to->sources, sizeof out->sources);
}

uint64_t server_rollback(void *user, const struct peer *by, struct str to, struct str reason,
                         struct admin_taking taking, const char **why)
{
    struct server *server = user;
    struct servings served = {.list = calloc(ARCHIVE_MOST, sizeof *served.list)};
    struct archive_pin pin = {0};
    uint64_t number = 0;
    if (served.list == NULL) {
        *why = "memory is out";
        return 0;
    }
    served.count = archive_list(server->archive, served.list, ARCHIVE_MOST);
    archive_pin(server->archive, &served.pin);
    const struct archive_entry *found = choose(&served, to, why);
    if (found != NULL) {
        fill_pin(&served, found, &pin);
        text_keep(pin.by, sizeof pin.by, by->name);
        text_keep(pin.reason, sizeof pin.reason, reason);
        *why = "too many wait for a reload";
        number =
            compiler_ask_back(server->compiler, &pin, (struct compile_order){taking.preview, taking.confirm});
    }
    free(served.list);
    return number;
}

void server_served(void *user, void (*each)(void *emit, const struct admin_served *one), void *emit)
{
    struct server *server = user;
    struct archive_entry *list = calloc(ARCHIVE_MOST, sizeof *list);
    size_t count = list != NULL ? archive_list(server->archive, list, ARCHIVE_MOST) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct archive_entry *one = &list[i];
        const struct admin_served shown = {.since_ms = one->since_ms,
                                           .until_ms = one->until_ms,
                                           .snapshot = one->snapshot,
                                           .sources = one->sources,
                                           .name = one->name,
                                           .by = one->by,
                                           .reason = one->reason,
                                           .version = one->version,
                                           .bytes = one->bytes,
                                           .kept = one->sources[0] != '\0'};
        each(emit, &shown);
    }
    free(list);
}

// ---- In force ------------------------------------------------------------------------------------------

static void alarm_rolled(struct server *server, const struct archive_pin *pin)
{
    char message[600];
    (void)snprintf(
        message, sizeof message,
        "rolled back from %s to %s by `%s`: what is configured is not served until `pdpctl reload`",
        pin->from, pin->to, pin->by);
    server_alarm(server, ADMIN_ALARM_ROLLED_BACK, pin->at_ms != 0, message);
}

static void log_rolled(const char *event, const struct archive_pin *pin, const char *by)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, event);
    log_text(&line, "from", pin->from);
    log_text(&line, "to", pin->to);
    log_text(&line, "by", by);
    log_text(&line, "reason", pin->reason);
    log_end(&line);
}

bool server_rolled(struct server *server)
{
    struct archive_pin pin;
    archive_pin(server->archive, &pin);
    return pin.at_ms != 0;
}

void server_rolled_start(struct server *server, const struct compiled *compiled)
{
    if (compiled->pin.at_ms != 0) {
        alarm_rolled(server, &compiled->pin);
        log_rolled("rolled_back", &compiled->pin, compiled->pin.by);
    }
}

bool server_rolled_settle(struct server *server, const struct compiled *compiled)
{
    struct archive_pin was;
    archive_pin(server->archive, &was);
    if (compiled->lists || (compiled->pin.at_ms == 0 && was.at_ms == 0)) {
        return false;
    }
    archive_set_pin(server->archive, &compiled->pin);
    alarm_rolled(server, &compiled->pin);
    if (compiled->pin.at_ms != 0) {
        log_rolled("rolled_back", &compiled->pin, compiled->pin.by);
    } else {
        log_rolled("rollback_ended", &was, compiled->by);
    }
    return true;
}

bool server_rolled_refuses_signal(struct server *server)
{
    if (!server_rolled(server)) {
        return false;
    }
    log_one(LOG_LEVEL_WARN, "reload_refused", "error",
            "a roll-back is in force: `pdpctl reload` ends it and serves what is configured");
    return true;
}

struct compiled *server_compile_start(struct server *server)
{
    struct archive_pin pin;
    archive_pin(server->archive, &pin);
    if (pin.at_ms == 0) {
        return compile_run(server->config, server->bundles, server->seed, true);
    }
    struct compiled *out = compile_back(server->config, server->bundles, server->archive, &pin, server->seed);
    if (out != NULL && out->snapshot == NULL) {
        log_one(LOG_LEVEL_ERROR, "rollback_lost", "meaning",
                "a roll-back is in force and cannot be served; to serve what is configured, delete "
                "`served/index` in "
                "the state folder");
    }
    return out;
}

void server_rolled_show(struct server *server, struct admin_status *out)
{
    struct archive_pin *pin = &server->pin_shown;
    archive_pin(server->archive, pin);
    out->rolled = (struct admin_rolled){
        .at_ms = pin->at_ms, .from = pin->from, .to = pin->to, .by = pin->by, .reason = pin->reason};
}
