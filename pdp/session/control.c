// SPDX-License-Identifier: Apache-2.0
#include "session/controls_inner.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    struct str word;
} KINDS[CONTROL_KIND_COUNT] = {
#define X(name, word, lacks) [CONTROL_##name] = {{word, sizeof(word) - 1}},
    CONTROL_KIND_LIST(X)
#undef X
};

const char *control_kind_name(enum control_kind kind)
{
    return (unsigned)kind < CONTROL_KIND_COUNT ? KINDS[kind].word.at : "all";
}

bool control_kind_read(struct str word, enum control_kind *out)
{
    *out = CONTROL_ALL;
    for (int i = 0; i < CONTROL_KIND_COUNT; i++) {
        if (str_eq(word, KINDS[i].word)) {
            *out = (enum control_kind)i;
            return true;
        }
    }
    return false;
}

// ---- Values: text of a kind to its key, and to canonical text --------------------------------------

struct reading {
    const struct session_table *table;
    struct str value;
    struct buf *text; // canonical
    struct control_key *key;
};

static bool read_all(const struct reading *r)
{
    return r->value.len == 0;
}

static bool read_text(const struct reading *r)
{
    buf_str(r->text, r->value);
    r->key->value = controls_text(r->table, r->value);
    return r->value.len > 0;
}

static bool read_session(const struct reading *r)
{
    buf_str(r->text, r->value);
    bool whole = session_ref_read(r->value, &r->key->value);
    r->key->value = controls_ref(r->key->value);
    return whole;
}

static bool read_family(const struct reading *r)
{
    char ref[26];
    if (r->value.len != sizeof ref || r->value.at[0] != CONTROLS_FAMILY_LETTER) {
        return false;
    }
    memcpy(ref, r->value.at, sizeof ref);
    ref[0] = 's';
    buf_str(r->text, r->value);
    bool whole = session_ref_read((struct str){ref, sizeof ref}, &r->key->value);
    r->key->value = controls_ref(r->key->value);
    return whole;
}

static bool read_device(const struct reading *r)
{
    buf_str(r->text, r->value);
    r->key->value = (struct hash128){.lo = session_hash(r->table, r->value)};
    return r->value.len > 0;
}

static bool read_address(const struct reading *r)
{
    struct ip ip;
    if (!ip_parse(r->value, &ip)) {
        return false;
    }
    ip_print(r->text, &ip);
    controls_ip(&ip, ip.v4 ? 32 : 128, r->key);
    return true;
}

static bool read_prefix(const struct reading *r)
{
    struct cidr cidr;
    if (!cidr_parse(r->value, false, &cidr)) {
        return false;
    }
    cidr_print(r->text, &cidr);
    controls_ip(&cidr.base, cidr.bits, r->key);
    return true;
}

// `AS3320` or `3320`.
static bool read_asn(const struct reading *r)
{
    uint64_t asn = 0;
    struct str digits = str_starts(r->value, STR("AS")) ? str_sub(r->value, 2, r->value.len) : r->value;
    if (!str_to_u64(digits, &asn) || asn == 0 || asn > UINT32_MAX) {
        return false;
    }
    buf_printf(r->text, "AS%llu", (unsigned long long)asn);
    r->key->value.lo = asn;
    return true;
}

static bool read_country(const struct reading *r)
{
    if (r->value.len != 2) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        char c = r->value.at[i];
        if (c < 'A' || c > 'Z') {
            return false;
        }
        r->key->value.lo = r->key->value.lo << 8 | (unsigned char)c;
    }
    buf_str(r->text, r->value);
    return true;
}

static const struct {
    bool (*read)(const struct reading *reading);
    const char *wrong;
} VALUES[CONTROL_KIND_COUNT] = {
    [CONTROL_ALL] = {read_all, "`all` takes no value"},
    [CONTROL_SESSION] = {read_session, "a session is named by its whole ref: `s_` and 24 small hex digits"},
    [CONTROL_FAMILY] = {read_family, "a family is named by `f_` and 24 small hex digits"},
    [CONTROL_SUBJECT] = {read_text, "a subject is named by its id"},
    [CONTROL_DEVICE] = {read_device, "a device is named by its fingerprint"},
    [CONTROL_ADDRESS] = {read_address, "an address is such as `203.0.113.7` or `2001:db8::1`"},
    [CONTROL_PREFIX] = {read_prefix, "a prefix is such as `203.0.113.0/24`, with no bits below it"},
    [CONTROL_ASN] = {read_asn, "a network is such as `AS3320`"},
    [CONTROL_COUNTRY] = {read_country, "a country is two capital letters, such as `DE`"},
    [CONTROL_JA4] = {read_text, "a ja4 is named by its text"},
    [CONTROL_ROLE] = {read_text, "a role is named by its text"},
    [CONTROL_GATEWAY] = {read_text, "a gateway is named by its peer's name"},
    [CONTROL_WHERE] = {read_text, "a condition is an expression"},
    [CONTROL_RULE] = {read_text,
                      "a rule is named as answers name it: `policy/rule`, or a whole policy by its name"},
    [CONTROL_SIGNAL] = {read_text, "a signal is named by its id, such as `new-asn`"},
    [CONTROL_GEO] = {read_all, "`geo` takes no value: all facts of places are meant"},
    [CONTROL_TENANT] = {read_text, "a tenant is named by its id"},
};

// ---- One control -----------------------------------------------------------------------------------

static const char *effect_wrong(const struct control *spec)
{
    bool steps = spec->effect == PDP_EFFECT_STEP_UP;
    if (control_kind_mutes(spec->target.kind)) {
        bool plain = spec->effect == PDP_EFFECT_ALLOW && !spec->cut_off && !spec->pardon &&
                     spec->target.tenant.len == 0;
        return plain ? NULL : "a rule, signal or geo can be muted: nothing else can be done with it";
    }
    if (spec->target.kind == CONTROL_WHERE && (spec->pardon || spec->cut_off)) {
        return "a condition names whom a lock is about, and nothing else: `session terminate` takes one too";
    }
    if (spec->pardon) {
        bool plain = spec->effect == PDP_EFFECT_ALLOW && !spec->cut_off && spec->strength.len == 0;
        return plain ? NULL : "a pardon sets evidence aside: it has no effect of its own";
    }
    if (spec->cut_off) {
        return spec->effect != PDP_EFFECT_TERMINATE ? "a cut-off ends sessions: it has no other effect"
               : spec->before_ms <= 0               ? "a cut-off needs the time before which sessions end"
                                                    : NULL;
    }
    if (spec->effect != PDP_EFFECT_DENY && spec->effect != PDP_EFFECT_TERMINATE && !steps) {
        return "a lock's effect is deny, step_up or terminate";
    }
    if (steps != (spec->strength.len > 0) || spec->max_age_s < 0 || (!steps && spec->max_age_s != 0)) {
        return "a lock that asks a step_up, and no other, says which strength it requires";
    }
    return NULL;
}

static const char *texts_wrong(const struct control *spec)
{
    bool where = spec->target.kind == CONTROL_WHERE;
    const struct {
        struct str text;
        size_t least, most;
        const char *wrong;
    } TEXTS[] = {
        {spec->target.value, 0, where ? CONTROL_WHERE_MAX : CONTROL_VALUE_MAX,
         where ? "a condition has at most 2000 bytes" : "a target's value has at most 255 bytes"},
        {spec->target.tenant, 0, CONTROL_VALUE_MAX, "a tenant has at most 255 bytes"},
        {spec->target.type, 0, CONTROL_VALUE_MAX, "a subject's type has at most 255 bytes"},
        {spec->signals, 0, CONTROL_SIGNALS_MAX, "the names of signals have at most 1024 bytes"},
        {spec->strength, 0, CONTROL_STRENGTH_MAX, "a strength's name has at most 128 bytes"},
        {spec->author, 1, CONTROL_AUTHOR_MAX, "who gives the order has a name of 1 to 255 bytes"},
        {spec->reason, 1, CONTROL_REASON_MAX, "a `reason` of 1 to 500 bytes is required"},
        {spec->message, 0, CONTROL_MESSAGE_MAX, "a message has at most 500 bytes"},
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        if (TEXTS[i].text.len < TEXTS[i].least || TEXTS[i].text.len > TEXTS[i].most ||
            !str_is_utf8(TEXTS[i].text)) {
            return TEXTS[i].wrong;
        }
    }
    return NULL;
}

static const char *spec_wrong(const struct control *spec)
{
    const char *wrong = texts_wrong(spec);
    wrong = wrong != NULL ? wrong : effect_wrong(spec);
    if (wrong == NULL && ((unsigned)spec->target.kind >= CONTROL_KIND_COUNT || spec->number == 0)) {
        wrong = "a control needs a kind of target";
    }
    if (wrong == NULL && spec->signals.len > 0 && !spec->pardon) {
        wrong = "only a pardon names signals beside its target";
    }
    if (wrong == NULL && spec->target.type.len > 0 && spec->target.kind != CONTROL_SUBJECT) {
        wrong = "only a subject has a type";
    }
    if (wrong == NULL && spec->target.tenant.len > 0 && spec->target.kind == CONTROL_TENANT) {
        wrong = "a tenant is not in another tenant";
    }
    if (wrong == NULL &&
        (spec->expires_ms <= spec->created_ms || spec->expires_ms - spec->created_ms > CONTROL_KEEP_MAX_MS)) {
        wrong = "it ends after it begins, at most 400 days later";
    }
    return wrong;
}

static struct str move_text(char **at, struct str text)
{
    struct str moved = {*at, text.len};
    if (text.len > 0) {
        memcpy(*at, text.at, text.len);
    }
    *at += text.len;
    return text.len > 0 ? moved : (struct str){0};
}

// One block: the control and its texts behind it.
static struct control *copy(const struct control *spec, struct str value, struct str name)
{
    size_t bytes = value.len + name.len + spec->target.tenant.len + spec->target.type.len +
                   spec->strength.len + spec->signals.len + spec->author.len + spec->reason.len +
                   spec->message.len;
    struct control *out = malloc(sizeof *out + bytes);
    if (out == NULL) {
        return NULL;
    }
    *out = *spec;
    atomic_init(&out->held, 1);
    char *at = (char *)(out + 1);
    out->target.value = move_text(&at, value);
    out->target.tenant = move_text(&at, spec->target.tenant);
    out->target.type = move_text(&at, spec->target.type);
    out->strength = move_text(&at, spec->strength);
    out->signals = move_text(&at, spec->signals);
    out->author = move_text(&at, spec->author);
    out->reason = move_text(&at, spec->reason);
    out->message = move_text(&at, spec->message);
    out->name = move_text(&at, name);
    return out;
}

enum pdp_err control_new(const struct session_table *table, const struct control *spec, struct control **out,
                         const char **why)
{
    *out = NULL;
    *why = spec_wrong(spec);
    if (*why != NULL) {
        return PDP_ERR_MALFORMED;
    }
    struct control_key key = {.kind = (uint8_t)spec->target.kind};
    struct buf value = {0}, name = {0};
    buf_printf(&name, "%s/%llu",
               control_kind_mutes(spec->target.kind) ? "mute"
               : spec->pardon                        ? "pardon"
               : spec->cut_off                       ? "cutoff"
                                                     : "lock",
               (unsigned long long)spec->number);
    struct reading reading = {table, spec->target.value, &value, &key};
    bool good = VALUES[spec->target.kind].read(&reading);
    *why = good ? NULL : VALUES[spec->target.kind].wrong;
    if (good && !value.failed && !name.failed) {
        *out = copy(spec, buf_view(&value), buf_view(&name));
    }
    buf_fini(&value);
    buf_fini(&name);
    if (*out == NULL) {
        return good ? PDP_ERR_NOMEM : PDP_ERR_MALFORMED;
    }
    (*out)->key = key;
    return PDP_ERR_OK;
}

void control_drop(struct control **control)
{
    struct control *c = STEAL(*control);
    if (c != NULL && atomic_fetch_sub(&c->held, 1) == 1) {
        free(c);
    }
}

bool control_is_wide(const struct control *control)
{
    struct cidr cidr;
    struct ip ip;
    switch (control->target.kind) {
    case CONTROL_ALL:
        return true;
    case CONTROL_ADDRESS:
        return ip_parse(control->target.value, &ip) && ip_is_private(&ip);
    case CONTROL_PREFIX:
        return cidr_parse(control->target.value, false, &cidr) && cidr_meets_private(&cidr);
    default:
        return false;
    }
}
