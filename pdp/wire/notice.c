// SPDX-License-Identifier: Apache-2.0
#include "wire/notice.h"

#include "base/num.h"

enum {
    REF_LEN = 26
};
static const int64_t INTERVAL_MOST_MS = INT64_C(3600) * 1000;
static const int64_t AGO_MOST_MS = INT64_C(3600) * 1000;

bool notice_ref_read(struct str text, char out[static NOTICE_REF_BYTES])
{
    memset(out, 0, NOTICE_REF_BYTES);
    if (text.len != REF_LEN || !str_starts(text, STR("s_"))) {
        return false;
    }
    for (size_t i = 2; i < text.len; i++) {
        if (!((text.at[i] >= '0' && text.at[i] <= '9') || (text.at[i] >= 'a' && text.at[i] <= 'f'))) {
            return false;
        }
    }
    memcpy(out, text.at, text.len);
    return true;
}

// ---- Writing ---------------------------------------------------------------------------------------

static void put_number(struct emit *emit, const char *key, uint64_t number)
{
    emit_key_int(emit, key, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

// Into an open map.
static void put_bulletin(struct emit *emit, const struct bulletin *bulletin)
{
    const struct notice *notice = &bulletin->notice;
    emit_key_str(emit, "notice", str_of(notice_kind_name(notice->kind)));
    put_number(emit, "seq", notice->seq);
    emit_key_int(emit, "at", notice->at_ms);
    emit_key_int(emit, "boot", bulletin->boot);
    put_number(emit, "policy_epoch", notice->policy_epoch);
    put_number(emit, "controls_epoch", notice->controls_epoch);
    if (notice->ref[0] != '\0') {
        emit_key_str(emit, "ref", (struct str){notice->ref, strnlen(notice->ref, sizeof notice->ref)});
        emit_key_int(emit, "epoch", notice->epoch);
    }
    if (notice->kind == NOTICE_ENDED || notice->kind == NOTICE_CUTOFF || notice->kind == NOTICE_LOCK) {
        emit_key_str(emit, "code", str_of(pdp_code_name(notice->code)));
    }
    emit_key_int(emit, "interval", bulletin->interval_ms);
    if (bulletin->checkpoint.len > 0) {
        emit_key_str(emit, "checkpoint", bulletin->checkpoint);
    }
}

void notice_write(const struct bulletin *bulletin, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, out);
    emit_map(&emit, EMIT_FEW);
    put_bulletin(&emit, bulletin);
    emit_end(&emit);
}

void order_write(const struct order *order, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, out);
    emit_map(&emit, EMIT_FEW);
    emit_key_int(&emit, "order", order->number);
    if (order->everything) {
        emit_key_bool(&emit, "everything", true);
    }
    emit_texts(&emit, STR("refs"), order->refs, order->ref_count);
    put_bulletin(&emit, &order->now);
    emit_end(&emit);
}

void confirmation_write(const struct confirmation *confirmation, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, out);
    emit_map(&emit, EMIT_FEW);
    emit_key_int(&emit, "order", confirmation->number);
    emit_key_int(&emit, "boot", confirmation->boot);
    emit_key_str(&emit, "name", confirmation->name);
    put_number(&emit, "seq", confirmation->seq);
    put_number(&emit, "kept", confirmation->kept);
    emit_end(&emit);
}

void hits_write(const struct hit *hits, size_t count, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, out);
    emit_map(&emit, 1);
    emit_key(&emit, STR("hits"));
    emit_list(&emit, count);
    for (size_t i = 0; i < count; i++) {
        emit_map(&emit, 3);
        emit_key_str(&emit, "ref", hits[i].ref);
        emit_key_int(&emit, "count", hits[i].count);
        emit_key_int(&emit, "ago", hits[i].ago_ms);
        emit_end(&emit);
    }
    emit_end(&emit);
    emit_end(&emit);
}

// ---- Reading ---------------------------------------------------------------------------------------

static bool int_of(const struct value *map, struct str key, int64_t least, int64_t most, int64_t *out)
{
    const struct value *v = value_get(map, key);
    *out = v != NULL && v->kind == VALUE_INT ? v->as.i : 0;
    return v != NULL && v->kind == VALUE_INT && *out >= least && *out <= most;
}

static bool number_of(const struct value *map, struct str key, uint64_t *out)
{
    int64_t number = 0;
    bool ok = int_of(map, key, 0, INT64_MAX, &number);
    *out = (uint64_t)number;
    return ok;
}

static struct str text_of(const struct value *map, struct str key)
{
    const struct value *v = value_get(map, key);
    return v != NULL && v->kind == VALUE_STRING ? value_text(v) : (struct str){0};
}

static enum pdp_err open_map(struct str bytes, struct arena *arena, struct value *root)
{
    struct fault why = {0};
    *root = value_null();
    if (bytes.len > NOTICE_BYTES_MAX || wire_form_of(bytes) != WIRE_CBOR) {
        return PDP_ERR_MALFORMED;
    }
    TRY(wire_decode_most(WIRE_CBOR, bytes, NOTICE_BYTES_MAX, arena, root, &why));
    return root->kind == VALUE_MAP ? PDP_ERR_OK : PDP_ERR_MALFORMED;
}

static enum pdp_code code_of(struct str word)
{
    for (int i = 0; i < PDP_CODE_COUNT; i++) {
        if (str_eq(word, str_of(pdp_code_name((enum pdp_code)i)))) {
            return (enum pdp_code)i;
        }
    }
    return PDP_CODE_TERMINATED;
}

// What names no session, and should, is of every session.
static void read_session(const struct value *root, struct notice *out)
{
    bool named = notice_ref_read(text_of(root, STR("ref")), out->ref);
    int64_t epoch = 0;
    (void)int_of(root, STR("epoch"), 0, UINT32_MAX, &epoch);
    out->epoch = (uint32_t)epoch;
    if (!named && (out->kind == NOTICE_ENDED || out->kind == NOTICE_STEP_UP)) {
        out->kind = NOTICE_RESYNC;
    }
}

static enum pdp_err bulletin_of(const struct value *root, struct bulletin *out)
{
    struct bulletin read = {0};
    struct notice *notice = &read.notice;
    const struct value *kind = value_get(root, STR("notice"));
    if (kind == NULL || kind->kind != VALUE_STRING || !number_of(root, STR("seq"), &notice->seq) ||
        !int_of(root, STR("at"), 0, INT64_MAX, &notice->at_ms) ||
        !int_of(root, STR("boot"), 1, INT64_MAX, &read.boot) ||
        !number_of(root, STR("policy_epoch"), &notice->policy_epoch) ||
        !number_of(root, STR("controls_epoch"), &notice->controls_epoch) ||
        !int_of(root, STR("interval"), 1, INTERVAL_MOST_MS, &read.interval_ms)) {
        return PDP_ERR_MALFORMED;
    }
    (void)notice_kind_of(value_text(kind), &notice->kind);
    notice->code = code_of(text_of(root, STR("code")));
    read_session(root, notice);
    read.checkpoint = str_sub(text_of(root, STR("checkpoint")), 0, NOTICE_CHECKPOINT_MAX);
    *out = read;
    return PDP_ERR_OK;
}

enum pdp_err notice_read(struct str bytes, struct arena *arena, struct bulletin *out)
{
    *out = (struct bulletin){0};
    struct value root;
    TRY(open_map(bytes, arena, &root));
    return bulletin_of(&root, out);
}

static enum pdp_err refs_of(const struct value *list, struct arena *arena, struct order *out)
{
    if (list == NULL) {
        return PDP_ERR_OK;
    }
    if (list->kind != VALUE_LIST || list->n > NOTICE_REFS_MAX) {
        return PDP_ERR_MALFORMED;
    }
    out->refs = ARENA_ARRAY(arena, struct str, (size_t)list->n + 1);
    for (size_t i = 0; out->refs != NULL && i < list->n; i++) {
        char ref[NOTICE_REF_BYTES];
        if (list->as.list[i].kind != VALUE_STRING || !notice_ref_read(value_text(&list->as.list[i]), ref)) {
            return PDP_ERR_MALFORMED;
        }
        out->refs[out->ref_count++] = value_text(&list->as.list[i]);
    }
    return out->refs != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

enum pdp_err order_read(struct str bytes, struct arena *arena, struct order *out)
{
    *out = (struct order){0};
    struct value root;
    struct order read = {0};
    int64_t number = 0;
    const struct value *all = NULL;
    TRY(open_map(bytes, arena, &root));
    TRY(bulletin_of(&root, &read.now));
    TRY(refs_of(value_get(&root, STR("refs")), arena, &read));
    all = value_get(&root, STR("everything"));
    if (!int_of(&root, STR("order"), 0, INT32_MAX, &number) || (all != NULL && all->kind != VALUE_BOOL)) {
        return PDP_ERR_MALFORMED;
    }
    read.number = (uint32_t)number;
    read.everything = all != NULL && all->as.b;
    *out = read;
    return PDP_ERR_OK;
}

enum pdp_err confirmation_read(struct str bytes, struct arena *arena, struct confirmation *out)
{
    *out = (struct confirmation){0};
    struct value root;
    struct confirmation read = {0};
    int64_t number = 0;
    TRY(open_map(bytes, arena, &root));
    read.name = text_of(&root, STR("name"));
    if (!int_of(&root, STR("order"), 0, INT32_MAX, &number) ||
        !int_of(&root, STR("boot"), 1, INT64_MAX, &read.boot) || !number_of(&root, STR("seq"), &read.seq) ||
        !number_of(&root, STR("kept"), &read.kept) || read.name.len == 0 || read.name.len > NOTICE_NAME_MAX) {
        return PDP_ERR_MALFORMED;
    }
    read.number = (uint32_t)number;
    *out = read;
    return PDP_ERR_OK;
}

enum pdp_err hits_read(const struct value *list, struct arena *arena, struct hit **hits, size_t *count)
{
    *hits = NULL;
    *count = 0;
    if (list == NULL || list->kind != VALUE_LIST || list->n == 0 || list->n > NOTICE_HITS_MAX) {
        return PDP_ERR_MALFORMED;
    }
    struct hit *read = ARENA_ARRAY(arena, struct hit, list->n);
    if (read == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < list->n; i++) {
        char ref[NOTICE_REF_BYTES];
        const struct value *one = &list->as.list[i];
        read[i].ref = text_of(one, STR("ref"));
        if (one->kind != VALUE_MAP || !notice_ref_read(read[i].ref, ref) ||
            !int_of(one, STR("count"), 1, UINT32_MAX, &read[i].count) ||
            !int_of(one, STR("ago"), 0, AGO_MOST_MS, &read[i].ago_ms)) {
            return PDP_ERR_MALFORMED;
        }
    }
    *hits = read;
    *count = list->n;
    return PDP_ERR_OK;
}
