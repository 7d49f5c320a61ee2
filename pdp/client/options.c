// SPDX-License-Identifier: Apache-2.0
#include "client/options.h"

#include "client/guard.h"
#include "wire/answer.h"
#include "wire/notice.h"

#include <stdio.h>

#define IN_FLIGHT_DEFAULT 256
#define IN_FLIGHT_MOST 4096
#define ANSWER_BYTES_DEFAULT (4u << 20)
#define RECONNECT_MOST_MS 1000
#define DEADLINE_MOST_MS 3600000

static const struct pdp_options DEFAULTS = {
    .size = sizeof(struct pdp_options),
    .form = PDP_FORM_CBOR,
    .in_flight_max = IN_FLIGHT_DEFAULT,
    .answer_bytes_max = ANSWER_BYTES_DEFAULT,
    .reconnect_ms = RECONNECT_MOST_MS,
};

static bool is_supported(struct str url)
{
    return str_starts(url, STR("ipc://")) || str_starts(url, STR("tcp://")) ||
           str_starts(url, STR("tls+tcp://"));
}

enum pdp_err options_check_url(const char *url)
{
    struct str text = str_of(url);
    if (text.len == 0 || text.len >= OPTIONS_URL_MAX) {
        return PDP_ERR_SYNTAX;
    }
    if (!is_supported(text)) {
        return str_find(text, STR("://"), 0) != SIZE_MAX ? PDP_ERR_UNSUPPORTED : PDP_ERR_SYNTAX;
    }
    return PDP_ERR_OK;
}

// Nothing is kept of which nobody tells when it is void.
static enum pdp_err check_watch(const struct pdp_options *options)
{
    if (options->cache_entries > GUARD_ENTRIES_MAX ||
        (options->cache_entries > 0 && options->notices_url == NULL) ||
        (options->name != NULL && (options->name[0] == '\0' || strlen(options->name) > NOTICE_NAME_MAX))) {
        return PDP_ERR_RANGE;
    }
    const char *const urls[] = {options->notices_url, options->orders_url};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        if (urls[i] != NULL) {
            TRY(options_check_url(urls[i]));
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err options_read(const struct pdp_options *given, struct pdp_options *out)
{
    *out = DEFAULTS;
    if (given == NULL) {
        return PDP_ERR_OK;
    }
    struct pdp_options options = {0};
    if (given->size < sizeof given->size) {
        return PDP_ERR_RANGE;
    }
    memcpy(&options, given, given->size < sizeof options ? given->size : sizeof options);
    if ((options.form != PDP_FORM_CBOR && options.form != PDP_FORM_JSON) ||
        options.in_flight_max > IN_FLIGHT_MOST || options.reconnect_ms < 0) {
        return PDP_ERR_RANGE;
    }
    out->form = options.form;
    out->in_flight_max = options.in_flight_max != 0 ? options.in_flight_max : out->in_flight_max;
    out->answer_bytes_max = options.answer_bytes_max != 0 ? options.answer_bytes_max : out->answer_bytes_max;
    out->reconnect_ms = options.reconnect_ms != 0 ? options.reconnect_ms : out->reconnect_ms;
    out->ca_file = options.ca_file;
    out->cert_file = options.cert_file;
    out->key_file = options.key_file;
    out->server_name = options.server_name;
    out->notices_url = options.notices_url;
    out->orders_url = options.orders_url;
    out->name = options.name;
    out->cache_entries = options.cache_entries;
    return check_watch(out);
}

enum pdp_err options_check_deadline(int32_t deadline_ms)
{
    return deadline_ms >= 1 && deadline_ms <= DEADLINE_MOST_MS ? PDP_ERR_OK : PDP_ERR_RANGE;
}

enum wire_form options_form(enum pdp_form form)
{
    return form == PDP_FORM_JSON ? WIRE_JSON : WIRE_CBOR;
}

struct options_id options_id_of(const unsigned char bytes[static OPTIONS_ID_BYTES])
{
    struct options_id id;
    for (size_t i = 0; i < OPTIONS_ID_BYTES; i++) {
        id.text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        id.text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    id.text[sizeof id.text - 1] = '\0';
    return id;
}

struct pdp_answer *options_deny(enum pdp_err err, const char *away_url)
{
    char why[OPTIONS_URL_MAX + 64];
    (void)snprintf(why, sizeof why, away_url != NULL ? "nobody answers at %s" : "%s",
                   away_url != NULL ? away_url : pdp_err_text(err));
    return answer_deny(err == PDP_ERR_BUSY ? PDP_CODE_OVERLOADED : PDP_CODE_NO_ANSWER, why);
}
