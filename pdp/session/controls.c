// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/controls_inner.h"

static const char *const LACKS[CONTROL_KIND_COUNT] = {
#define X(name, word, lacks) [CONTROL_##name] = lacks,
    CONTROL_KIND_LIST(X)
#undef X
};

const char *control_lacks(enum control_kind kind)
{
    return (unsigned)kind < CONTROL_KIND_COUNT ? LACKS[kind] : "";
}

// ---- Facts -----------------------------------------------------------------------------------------

static enum truth text_key(const struct session_table *table, struct str text, struct control_key *key)
{
    if (text.at == NULL) {
        return TRUTH_UNSURE;
    }
    key->value = controls_text(table, text);
    return TRUTH_YES;
}

static enum truth number_key(uint64_t number, struct control_key *key)
{
    key->value = (struct hash128){.lo = number};
    return number != 0 ? TRUTH_YES : TRUTH_UNSURE;
}

// The key of what is known, for kinds of which a question has one value. A question without a session is
// about none: that is no, not unsure.
static enum truth fact_key(const struct session_table *table, const struct control_facts *facts,
                           enum control_kind kind, struct control_key *key)
{
    *key = (struct control_key){.kind = (uint8_t)kind};
    switch (kind) {
    case CONTROL_ALL:
        return TRUTH_YES;
    case CONTROL_SESSION:
        key->value = controls_ref(facts->session);
        return facts->has_session ? TRUTH_YES : TRUTH_NO;
    case CONTROL_FAMILY:
        key->value = controls_ref(facts->family);
        return facts->has_session ? TRUTH_YES : TRUTH_NO;
    case CONTROL_SUBJECT:
        return text_key(table, facts->subject_id, key);
    case CONTROL_DEVICE:
        return number_key(facts->device, key);
    case CONTROL_ASN:
        return number_key(facts->asn, key);
    case CONTROL_COUNTRY:
        return number_key(facts->country, key);
    case CONTROL_JA4:
        return text_key(table, facts->ja4, key);
    case CONTROL_GATEWAY:
        return text_key(table, facts->gateway, key);
    case CONTROL_TENANT:
        return text_key(table, facts->tenant, key);
    default:
        return TRUTH_UNSURE; // ADDRESS, ROLE: not one value
    }
}

enum truth control_rest(const struct control *control, const struct control_facts *facts)
{
    const struct control_target *target = &control->target;
    if (target->type.len > 0 && !str_eq(target->type, facts->subject_type)) {
        return facts->subject_type.at == NULL ? TRUTH_UNSURE : TRUTH_NO;
    }
    if (target->tenant.len > 0 && !str_eq(target->tenant, facts->tenant)) {
        return facts->tenant.at == NULL ? TRUTH_UNSURE : TRUTH_NO;
    }
    return TRUTH_YES;
}

static bool role_is(const struct value *role)
{
    return role->kind == VALUE_STRING;
}

static enum truth has_role(const struct session_table *table, const struct control_facts *facts,
                           const struct control_key *key)
{
    enum truth found = facts->roles != NULL ? TRUTH_NO : TRUTH_UNSURE;
    for (uint32_t i = 0; facts->roles != NULL && i < facts->roles->n; i++) {
        const struct value *role = &facts->roles->as.list[i];
        if (!role_is(role)) {
            found = TRUTH_UNSURE;
        } else if (hash128_eq(controls_text(table, value_text(role)), key->value)) {
            return TRUTH_YES;
        }
    }
    return found;
}

static enum truth has_address(const struct control_facts *facts, const struct control *control)
{
    struct control_key key;
    bool v4 = facts->ip.v4;
    if (!facts->has_ip) {
        return TRUTH_UNSURE;
    }
    if (control->key.bits > (v4 ? 32 : 128)) {
        return TRUTH_NO;
    }
    controls_ip(&facts->ip, control->key.bits, &key);
    return controls_same(&key, &control->key) ? TRUTH_YES : TRUTH_NO;
}

enum truth control_names(const struct session_table *table, const struct control *control,
                         const struct control_facts *facts)
{
    enum truth truth = TRUTH_NO;
    struct control_key key;
    if (control->key.kind == CONTROL_ADDRESS) {
        truth = has_address(facts, control);
    } else if (control->key.kind == CONTROL_ROLE) {
        truth = has_role(table, facts, &control->key);
    } else {
        truth = fact_key(table, facts, (enum control_kind)control->key.kind, &key);
        truth = truth == TRUTH_YES && !controls_same(&key, &control->key) ? TRUTH_NO : truth;
    }
    enum truth rest = control_rest(control, facts);
    return truth == TRUTH_NO || rest == TRUTH_NO     ? TRUTH_NO
           : truth == TRUTH_YES && rest == TRUTH_YES ? TRUTH_YES
                                                     : TRUTH_UNSURE;
}

struct hash128 control_family(const struct session_table *table, const struct session_record *record)
{
    const struct {
        struct hash128 subject;
        int64_t first_seen_ms;
    } beginning = {record->subject, record->first_seen_ms};
    _Static_assert(sizeof beginning == 24, "no padding is hashed");
    return controls_text(table, (struct str){(const char *)&beginning, sizeof beginning});
}

void control_family_print(const struct session_table *table, const struct session_record *record,
                          char out[static 32])
{
    session_ref_print(control_family(table, record), out);
    out[0] = CONTROLS_FAMILY_LETTER;
}

void control_facts_of(const struct session_table *table, const struct session_view *view,
                      struct control_facts *out)
{
    const struct sighting *last = &view->record.last;
    size_t tenant = strnlen(view->tenant, sizeof view->tenant);
    size_t type = strnlen(view->subject_type, sizeof view->subject_type);
    size_t id = strnlen(view->subject_id, sizeof view->subject_id);
    *out = (struct control_facts){
        .has_session = true,
        .session = view->record.id,
        .family = control_family(table, &view->record),
        .device = (last->flags & SIGHT_HAS_FINGERPRINT) != 0 ? last->fingerprint : 0,
        .has_ip = (last->flags & SIGHT_HAS_IP) != 0,
        .ip = last->ip,
        .asn = last->asn,
        .country = last->country,
    };
    // A listing cuts long names, and knows none from an empty one; the id of a tombstone may be nobody's.
    if (tenant > 0 && tenant < TABLE_NAME_MAX) {
        out->tenant = (struct str){view->tenant, tenant};
    }
    if (type > 0 && type < TABLE_NAME_MAX) {
        out->subject_type = (struct str){view->subject_type, type};
    }
    out->gateway = view->gateway.len > 0 ? view->gateway : (struct str){0};
    if (id > 0) {
        out->subject_id = (struct str){view->subject_id, id};
    }
}

// ---- Looking up ------------------------------------------------------------------------------------

struct find {
    const struct controls *set;
    const struct controls_part *part;
    const struct control_facts *facts;
    int64_t now_ms;
    void (*each)(void *user, const struct control *control, enum truth truth);
    void *user;
};

static void find_key(const struct find *f, const struct control_key *key)
{
    for (uint32_t at = f->part->heads[controls_bucket(f->part, key)]; at != 0; at = f->set->next[at - 1]) {
        const struct control *control = f->set->all[at - 1];
        if (!controls_same(&control->key, key) || f->now_ms >= control->expires_ms) {
            continue;
        }
        enum truth truth = control_rest(control, f->facts);
        if (truth != TRUTH_NO) {
            f->each(f->user, control, truth);
        }
    }
}

// What they ask for is missing: any may be meant. Those that deny come first, and one is enough.
static void find_missing(const struct find *f, enum control_kind kind)
{
    const struct controls_part *part = f->part;
    for (uint32_t i = part->kind_from[kind]; i < part->kind_from[kind + 1]; i++) {
        const struct control *control = part->by_kind[i];
        if (f->now_ms >= control->expires_ms || control_rest(control, f->facts) == TRUTH_NO) {
            continue;
        }
        f->each(f->user, control, TRUTH_UNSURE);
        if (control->effect != PDP_EFFECT_STEP_UP) {
            return;
        }
    }
}

static void find_address(const struct find *f)
{
    const struct ip *ip = &f->facts->ip;
    if (!f->facts->has_ip) {
        find_missing(f, CONTROL_ADDRESS);
        return;
    }
    for (unsigned word = 0; word < 3; word++) {
        uint64_t lengths = f->part->lengths[ip->v4][word];
        for (; lengths != 0; lengths &= lengths - 1) {
            struct control_key key;
            controls_ip(ip, word * 64 + (unsigned)__builtin_ctzll(lengths), &key);
            find_key(f, &key);
        }
    }
}

static void find_roles(const struct find *f)
{
    const struct value *roles = f->facts->roles;
    bool certain = roles != NULL;
    for (uint32_t i = 0; roles != NULL && i < roles->n; i++) {
        struct control_key key = {.kind = CONTROL_ROLE};
        if (role_is(&roles->as.list[i])) {
            key.value = controls_text(f->set->table, value_text(&roles->as.list[i]));
            find_key(f, &key);
        } else {
            certain = false;
        }
    }
    if (!certain) {
        find_missing(f, CONTROL_ROLE);
    }
}

static void find_kind(const struct find *f, enum control_kind kind)
{
    struct control_key key;
    if (kind == CONTROL_ADDRESS) {
        find_address(f);
    } else if (kind == CONTROL_ROLE) {
        find_roles(f);
    } else {
        enum truth truth = fact_key(f->set->table, f->facts, kind, &key);
        if (truth == TRUTH_YES) {
            find_key(f, &key);
        } else if (truth == TRUTH_UNSURE) {
            find_missing(f, kind);
        }
    }
}

void controls_find(const struct controls *controls, enum controls_part_id part,
                   const struct control_facts *facts, int64_t now_ms,
                   void (*each)(void *user, const struct control *control, enum truth truth), void *user)
{
    const struct find find = {controls, &controls->parts[part], facts, now_ms, each, user};
    for (uint32_t kinds = find.part->kinds & ~(UINT32_C(1) << CONTROL_WHERE); kinds != 0;
         kinds &= kinds - 1) {
        find_kind(&find, (enum control_kind)__builtin_ctz(kinds));
    }
}

bool controls_ask(const struct controls *controls, enum controls_part_id part, enum control_kind kind)
{
    return controls != NULL && (controls->parts[part].kinds >> kind & 1) != 0;
}

const struct control *const *controls_of(const struct controls *controls, enum controls_part_id part,
                                         enum control_kind kind, size_t *count)
{
    *count = 0;
    if (!controls_ask(controls, part, kind)) {
        return NULL;
    }
    const struct controls_part *of = &controls->parts[part];
    *count = of->kind_from[kind + 1] - of->kind_from[kind];
    return &of->by_kind[of->kind_from[kind]];
}

bool controls_any(const struct controls *controls, enum controls_part_id part)
{
    return controls != NULL && controls->parts[part].count > 0;
}
