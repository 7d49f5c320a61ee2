// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/webhook_place.h"

#include "daemon/file.h"
#include "daemon/log.h"

#include <stdatomic.h>
#include <stdio.h>

enum {
    PATH_MOST = 4096,
    TEXT_MOST = 256
};

static bool path_of(const char *state, size_t number, char out[PATH_MOST])
{
    int len = state != NULL ? snprintf(out, PATH_MOST, "%s/webhook-%zu", state, number) : -1;
    return len > 0 && len < PATH_MOST;
}

// `pdp-webhook 1 DONE_MS CUTOFF clean|open`
bool webhook_place_parse(struct str text, struct webhook_place *out)
{
    static const struct str HEAD = {"pdp-webhook 1 ", 14};
    struct webhook_place place = {.known = true};
    *out = (struct webhook_place){0};
    if (!str_starts(text, HEAD) || text.at[text.len - 1] != '\n') {
        return false;
    }
    struct str rest = str_sub(text, HEAD.len, text.len - HEAD.len - 1);
    size_t first = str_find_byte(rest, ' ', 0), second = str_find_byte(rest, ' ', first + 1);
    if (second >= rest.len || !str_to_i64(str_sub(rest, 0, first), &place.done_ms) ||
        !str_to_u64(str_sub(rest, first + 1, second - first - 1), &place.cutoff)) {
        return false;
    }
    struct str word = str_sub(rest, second + 1, SIZE_MAX);
    place.clean = str_eq(word, STR("clean"));
    if (!place.clean && !str_eq(word, STR("open"))) {
        return false;
    }
    *out = place;
    return true;
}

void webhook_place_read(const char *state, size_t number, struct webhook_place *out)
{
    char path[PATH_MOST];
    struct buf text = {0};
    const char *why = "";
    *out = (struct webhook_place){0};
    if (!path_of(state, number, path)) {
        return;
    }
    enum pdp_err err = file_take(path, TEXT_MOST, &text, NULL, &why);
    if (err == PDP_ERR_OK && !webhook_place_parse(buf_view(&text), out)) {
        *out = (struct webhook_place){.known = true}; // from the first end that is remembered on
        log_one(LOG_LEVEL_WARN, "webhook_place_bad", "meaning",
                "all ends that are remembered are told again");
    } else if (err != PDP_ERR_OK && err != PDP_ERR_MISSING) {
        *out = (struct webhook_place){.known = true};
        log_one(LOG_LEVEL_WARN, "webhook_place_bad", "error", why);
    }
    buf_fini(&text);
}

void webhook_place_write(const char *state, size_t number, const struct webhook_place *place)
{
    static atomic_bool told;
    char path[PATH_MOST], text[TEXT_MOST];
    const char *why = "";
    if (!path_of(state, number, path)) {
        return;
    }
    int len = snprintf(text, sizeof text, "pdp-webhook 1 %lld %llu %s\n", (long long)place->done_ms,
                       (unsigned long long)place->cutoff, place->clean ? "clean" : "open");
    bool written = file_replace(path, (struct str){text, (size_t)len}, 0600, &why) == PDP_ERR_OK;
    if (!written && !atomic_exchange(&told, true)) {
        log_one(LOG_LEVEL_WARN, "webhook_place_not_kept", "error", why);
    }
}
