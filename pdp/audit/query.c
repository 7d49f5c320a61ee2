// SPDX-License-Identifier: Apache-2.0
#include "audit/query.h"

#include "audit/walk.h"
#include "cel/cel.h"

#include <stdlib.h>

static const size_t RECORD_MOST = FRAME_BYTES_MAX;

// What records may have; a name that no record has is a mistake in a condition. Of what always has the same
// fields each is named, so that one that is misspelt is noticed.
static const char *const FIELDS[] = {
    "kind",
    "time",
    "id",
    "request_id",
    "gateway",
    "tenant",
    "action",
    "resource",
    "resource_type",
    "effect",
    "code",
    "rule",
    "rules",
    "exceptions",
    "missing",
    "reason",
    "require",
    "risk.score",
    "risk.level",
    "risk.hard",
    "risk.signals",
    "pardons",
    "geo.version",
    "geo.known",
    "geo.flags",
    "geo.unsure",
    "geo.country",
    "geo.continent",
    "geo.org",
    "geo.asn",
    "session.ref",
    "session.epoch",
    "session.state",
    "ended",
    "shadow_effect",
    "valid_until",
    "snapshot",
    "policy_epoch",
    "item",
    "items",
    "by",
    "of",
    "count",
    "op",
    "target",
    "ok",
    "result",
    "event",
    "recorded",
    "repeated",
    "simulated",
    "probe",
    "field",
    "fault",
    "subject",
    "subject_type",
    "ip",
    "ip_why",
    "sent_ip",
    "user_agent",
    "fingerprint",
    "city",
    "lat",
    "lon",
    "radius_km",
    "question",
    "version",
    "keys",
    "before",
};

static const struct cel_root_decl ROOTS[] = {
    {.name = {"risk", 4}},
    {.name = {"geo", 3}},
    {.name = {"session", 7}},
};

struct query_where {
    struct cel_attr_decl attrs[COUNT_OF(FIELDS)];
    struct cel_env env;
    struct cel_program *program;
    struct cel_frame *frame;
    uint32_t expr;
    struct str text; // a copy: the program's places point into it
};

void query_where_free(struct query_where **where_ptr)
{
    struct query_where *where = STEAL(*where_ptr);
    if (where != NULL) {
        cel_frame_free(&where->frame);
        cel_program_free(&where->program);
        free(where);
    }
}

static struct place locate(void *user, uint32_t at, uint32_t len)
{
    return (struct place){user, at, len};
}

enum pdp_err query_where_new(struct str text, struct diags *diags, struct query_where **out)
{
    *out = NULL;
    AUTO(query_where_free) struct query_where *where = calloc(1, sizeof *where);
    static struct source source;
    if (where == NULL) {
        return PDP_ERR_NOMEM;
    }
    source = (struct source){STR("--where"), text};
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
        where->attrs[i] =
            (struct cel_attr_decl){.path = str_of(FIELDS[i]), .type = CEL_DYN, .id = (uint32_t)i};
    }
    where->env = (struct cel_env){.attrs = where->attrs,
                                  .attr_count = COUNT_OF(FIELDS),
                                  .roots = ROOTS,
                                  .root_count = COUNT_OF(ROOTS),
                                  .levels = RISK_LEVEL_NAMES,
                                  .level_count = RISK_LEVEL_COUNT};
    const struct cel_text expr = {text, locate, &source};
    TRY(cel_program_new(&where->env, NULL, &where->program));
    TRY(cel_add(where->program, &expr, CEL_BOOL, NULL, 0, 0, diags, &where->expr));
    TRY(cel_seal(where->program));
    TRY(cel_frame_new(where->program, &where->frame));
    *out = STEAL(where);
    return PDP_ERR_OK;
}

// ---- One record --------------------------------------------------------------------------------------

struct search {
    const struct audit_source *source;
    const struct query *query;
    struct arena arena;
    struct buf plain;
};

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    const struct value *found = value_path(user, slot->path);
    if (found == NULL || found->kind == VALUE_NULL) {
        return false;
    }
    bool time = found->kind == VALUE_INT &&
                (str_eq(slot->path, STR("time")) || str_eq(slot->path, STR("valid_until")));
    *out = time ? value_time_ms(found->as.i) : *found;
    return true;
}

static bool text_fits(const struct value *fields, const char *path, struct str wanted)
{
    const struct value *found = wanted.len > 0 ? value_path(fields, str_of(path)) : NULL;
    return wanted.len == 0 || (found != NULL && value_is_text(found, wanted));
}

static bool rule_fits(const struct value *fields, struct str wanted)
{
    const struct value *rules = value_get(fields, STR("rules"));
    bool fits = text_fits(fields, "rule", wanted);
    for (uint32_t i = 0; !fits && rules != NULL && rules->kind == VALUE_LIST && i < rules->n; i++) {
        fits = value_is_text(&rules->as.list[i], wanted);
    }
    return fits;
}

static bool session_fits(const struct value *fields, struct str wanted)
{
    return text_fits(fields, "session.ref", wanted) || text_fits(fields, "target", wanted);
}

static bool open_fits(const struct query *query, const struct value *fields)
{
    const struct value *time = value_get(fields, STR("time"));
    int64_t at_ms = time != NULL && time->kind == VALUE_INT ? time->as.i : 0;
    return at_ms >= query->since_ms && at_ms < query->until_ms && text_fits(fields, "id", query->id) &&
           text_fits(fields, "gateway", query->gateway) && text_fits(fields, "effect", query->effect) &&
           rule_fits(fields, query->rule) && session_fits(fields, query->session);
}

static bool where_fits(struct search *search, const struct value *fields)
{
    const struct query_where *where = search->query->where;
    if (where == NULL) {
        return true;
    }
    const struct cel_host host = {.resolve = resolve, .user = (void *)(uintptr_t)fields};
    cel_begin(where->frame, &host, &search->arena, 0);
    return cel_truth(where->frame, where->expr) == TRUTH_YES;
}

// The question is kept as bytes: a map of its own.
static void open_question(struct search *search, struct value *fields)
{
    struct value_entry *entries = (struct value_entry *)(uintptr_t)fields->as.map;
    for (uint32_t i = 0; i < fields->n; i++) {
        struct value inner;
        struct fault why;
        if (value_is_text(&entries[i].key, STR("question")) && entries[i].value.kind == VALUE_BYTES &&
            wire_decode_most(WIRE_CBOR, value_text(&entries[i].value), RECORD_MOST, &search->arena, &inner,
                             &why) == PDP_ERR_OK) {
            entries[i].value = inner;
        }
    }
}

// Open fields, then those that were sealed.
static bool join(struct search *search, const struct value *more, struct value *fields)
{
    struct value_entry *all = ARENA_ARRAY(&search->arena, struct value_entry, fields->n + more->n);
    if (all == NULL) {
        return false;
    }
    if (fields->n != 0) {
        memcpy(all, fields->as.map, fields->n * sizeof *all);
    }
    if (more->n != 0) {
        memcpy(all + fields->n, more->as.map, more->n * sizeof *all);
    }
    fields->as.map = all;
    fields->n += more->n;
    return true;
}

static enum query_sealed unseal(struct search *search, const struct envelope *envelope, struct value *fields)
{
    struct value personal;
    struct fault why;
    const struct query *query = search->query;
    if (!envelope->has_sealed) {
        return QUERY_NOTHING_SEALED;
    }
    if (!query->unseal && query->subject.len == 0 && query->where == NULL) {
        return QUERY_SEALED;
    }
    buf_clear(&search->plain);
    enum pdp_err err = search->source->unseal(search->source->user, envelope, &search->plain);
    if (err != PDP_ERR_OK) {
        return err == PDP_ERR_MISSING ? QUERY_FORGOTTEN : QUERY_SEALED;
    }
    if (wire_decode_most(WIRE_CBOR, buf_view(&search->plain), RECORD_MOST, &search->arena, &personal, &why) !=
            PDP_ERR_OK ||
        personal.kind != VALUE_MAP) {
        return QUERY_SEALED;
    }
    open_question(search, &personal);
    return join(search, &personal, fields) ? QUERY_UNSEALED : QUERY_SEALED;
}

// true: `out` holds it, and it fits.
static bool look(struct search *search, const struct walk_item *item, struct query_record *out,
                 uint64_t *unreadable)
{
    struct envelope envelope;
    struct fault why;
    arena_reset(&search->arena);
    *out = (struct query_record){.index = item->record, .bytes = item->frame.bytes};
    memcpy(out->segment, item->segment, sizeof out->segment);
    if (envelope_read(item->frame.bytes, &envelope) != PDP_ERR_OK ||
        wire_decode_most(WIRE_CBOR, envelope.open, RECORD_MOST, &search->arena, &out->fields, &why) !=
            PDP_ERR_OK ||
        out->fields.kind != VALUE_MAP) {
        ++*unreadable;
        return false;
    }
    if (!open_fits(search->query, &out->fields)) {
        return false;
    }
    out->sealed = unseal(search, &envelope, &out->fields);
    return text_fits(&out->fields, "subject", search->query->subject) && where_fits(search, &out->fields);
}

enum pdp_err audit_query(const struct audit_source *source, const struct query *query,
                         bool (*each)(void *user, const struct query_record *record), void *user,
                         uint64_t *unreadable)
{
    struct search search = {.source = source, .query = query};
    AUTO(walk_close) struct walk *walk = NULL;
    *unreadable = 0;
    TRY(walk_open(source, 0, &walk));
    arena_init(&search.arena, 0, 64 * 1024 * 1024);
    enum pdp_err err = PDP_ERR_OK;
    for (bool more = true; more && err == PDP_ERR_OK;) {
        struct walk_item item;
        struct query_record record;
        err = walk_next(walk, &item);
        if (err == PDP_ERR_OK && item.frame.kind == FRAME_RECORD &&
            look(&search, &item, &record, unreadable)) {
            more = each(user, &record);
        }
    }
    // A daemon may be in the middle of writing the last frame.
    bool tail = walk_last(walk) && (err == PDP_ERR_MISSING || err == PDP_ERR_CORRUPT);
    arena_fini(&search.arena);
    seal_wipe(search.plain.at, search.plain.cap);
    buf_fini(&search.plain);
    return err == PDP_ERR_CLOSED || tail ? PDP_ERR_OK : err;
}
