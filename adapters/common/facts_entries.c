// SPDX-License-Identifier: Apache-2.0
#include "common/facts_entries.h"

enum {
    CBOR_UINT = 0,
    CBOR_NEGATIVE = 1,
    CBOR_TEXT = 3,
    CBOR_LIST = 4,
    CBOR_MAP = 5
};

struct writer {
    unsigned char *at, *end;
    bool full; // something did not fit: nothing of it counts
};

static void put_head(struct writer *w, unsigned major, uint64_t n)
{
    unsigned bytes = n < 24 ? 0 : n <= UINT8_MAX ? 1 : n <= UINT16_MAX ? 2 : n <= UINT32_MAX ? 4 : 8;
    unsigned info = bytes == 0 ? (unsigned)n : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27;
    if (w->full || (size_t)(w->end - w->at) < bytes + 1) {
        w->full = true;
        return;
    }
    *w->at++ = (unsigned char)(major << 5 | info);
    for (unsigned i = bytes; i-- > 0;) {
        *w->at++ = (unsigned char)(n >> (8 * i));
    }
}

static void put_text(struct writer *w, struct text text)
{
    put_head(w, CBOR_TEXT, text.len);
    if (w->full || (size_t)(w->end - w->at) < text.len) {
        w->full = true;
        return;
    }
    if (text.len > 0) {
        memcpy(w->at, text.at, text.len);
        w->at += text.len;
    }
}

static void put_int(struct writer *w, int64_t i)
{
    put_head(w, i < 0 ? CBOR_NEGATIVE : CBOR_UINT, i < 0 ? ~(uint64_t)i : (uint64_t)i);
}

// A key and a map of so many entries; nothing at all where there is none.
static bool put_map(struct writer *w, struct text key, size_t count)
{
    if (count > 0) {
        put_text(w, key);
        put_head(w, CBOR_MAP, count);
    }
    return count > 0;
}

static size_t is(struct text text)
{
    return text.at != NULL ? 1 : 0;
}

static void put_field(struct writer *w, struct text key, struct text value)
{
    if (value.at != NULL) {
        put_text(w, key);
        put_text(w, value);
    }
}

static void put_list(struct writer *w, struct text key, const struct text *list, size_t count)
{
    if (count > 0) {
        put_text(w, key);
        put_head(w, CBOR_LIST, count);
    }
    for (size_t i = 0; i < count; i++) {
        put_text(w, list[i]);
    }
}

static size_t any(size_t count)
{
    return count > 0 ? 1 : 0;
}

// ---- The parts of a question
// -----------------------------------------------------------------------------------

struct properties {
    const struct facts_property *at;
    size_t count;
};

static size_t of_kind(struct properties properties, bool of_subject)
{
    size_t count = 0;
    for (size_t i = 0; i < properties.count; i++) {
        count += properties.at[i].of_subject == of_subject;
    }
    return count;
}

static void put_kind(struct writer *w, struct properties properties, bool of_subject)
{
    for (size_t i = 0; i < properties.count; i++) {
        if (properties.at[i].of_subject == of_subject) {
            put_text(w, properties.at[i].name);
            put_text(w, properties.at[i].value);
        }
    }
}

static void put_subject(struct writer *w, const struct facts *facts, struct properties properties)
{
    static const struct text ANONYMOUS = {"anonymous", 9};
    bool known = facts->subject_id.at != NULL;
    struct text type = facts->subject_type.at != NULL ? facts->subject_type : TEXT("user");
    size_t more = known ? any(facts->role_count) + of_kind(properties, true) : 0;
    (void)put_map(w, TEXT("subject"), 2 + any(more));
    put_field(w, TEXT("type"), known ? type : ANONYMOUS);
    put_field(w, TEXT("id"), known ? facts->subject_id : ANONYMOUS);
    if (put_map(w, TEXT("properties"), more)) {
        put_list(w, TEXT("roles"), facts->roles, facts->role_count);
        put_kind(w, properties, true);
    }
}

static void put_resource(struct writer *w, const struct facts *facts, struct properties properties)
{
    char lower[16];
    struct text scheme = facts->scheme.len <= sizeof lower ? facts->scheme : (struct text){0};
    for (size_t i = 0; i < scheme.len; i++) {
        bool upper = scheme.at[i] >= 'A' && scheme.at[i] <= 'Z';
        lower[i] = (char)(upper ? scheme.at[i] - 'A' + 'a' : scheme.at[i]);
    }
    scheme.at = scheme.at != NULL ? lower : NULL;
    size_t more = is(facts->host) + is(scheme) + of_kind(properties, false);
    (void)put_map(w, TEXT("resource"), 1 + is(facts->target) + any(more));
    put_field(w, TEXT("type"), TEXT("route"));
    put_field(w, TEXT("id"), facts->target);
    if (put_map(w, TEXT("properties"), more)) {
        put_field(w, TEXT("host"), facts->host);
        put_field(w, TEXT("scheme"), scheme);
        put_kind(w, properties, false);
    }
}

static void put_session(struct writer *w, const struct facts *facts)
{
    size_t count = is(facts->session_id) == 0
                       ? 0
                       : 1 + is(facts->acr) + any(facts->amr_count) + (facts->has_auth_time ? 1 : 0);
    if (put_map(w, TEXT("session"), count)) {
        put_field(w, TEXT("id"), facts->session_id);
        put_field(w, TEXT("acr"), facts->acr);
        put_list(w, TEXT("amr"), facts->amr, facts->amr_count);
        if (facts->has_auth_time) {
            put_text(w, TEXT("auth_time"));
            put_int(w, facts->auth_time_s);
        }
    }
}

static size_t device_count(const struct facts *facts)
{
    return is(facts->fingerprint) + is(facts->user_agent) + is(facts->ja4);
}

static void put_device(struct writer *w, const struct facts *facts)
{
    if (put_map(w, TEXT("device"), device_count(facts))) {
        put_field(w, TEXT("fingerprint"), facts->fingerprint);
        put_field(w, TEXT("user_agent"), facts->user_agent);
        if (put_map(w, TEXT("components"), is(facts->ja4))) {
            put_field(w, TEXT("ja4"), facts->ja4);
        }
    }
}

static size_t network_count(const struct facts *facts)
{
    return is(facts->address) + any(facts->forwarded_count);
}

static void put_network(struct writer *w, const struct facts *facts)
{
    if (put_map(w, TEXT("network"), network_count(facts))) {
        put_field(w, TEXT("ip"), facts->address);
        put_list(w, TEXT("forwarded_for"), facts->forwarded_for, facts->forwarded_count);
    }
}

enum pdp_err facts_entries(const struct facts *facts, const struct facts_property *properties,
                           size_t property_count, unsigned char *out, size_t room, size_t *len, size_t *count)
{
    struct writer writer = {out, out + room, false}, *w = &writer;
    struct properties all = {properties, property_count};
    size_t parts = is(facts->session_id) + any(device_count(facts)) + any(network_count(facts));
    *len = 0;
    *count = is(facts->tenant) + 3 + any(parts);
    put_field(w, TEXT("tenant"), facts->tenant);
    put_subject(w, facts, all);
    (void)put_map(w, TEXT("action"), 1);
    put_field(w, TEXT("name"), facts->method.at != NULL ? facts->method : TEXT(""));
    put_resource(w, facts, all);
    if (put_map(w, TEXT("context"), parts)) {
        put_session(w, facts);
        put_device(w, facts);
        put_network(w, facts);
    }
    *len = writer.full ? 0 : (size_t)(writer.at - out);
    return writer.full ? PDP_ERR_LIMIT : PDP_ERR_OK;
}
