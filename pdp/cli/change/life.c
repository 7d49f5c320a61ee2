// SPDX-License-Identifier: Apache-2.0
#include "cli/change/life.h"

#include "engine/record.h"
#include "session/session.h"

#include <math.h>
#include <stdlib.h>

static const struct value *at(const struct value *map, const char *path)
{
    return value_path(map, str_of(path));
}

struct str life_text(const struct value *map, const char *path)
{
    const struct value *found = at(map, path);
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

static int64_t int_at(const struct value *map, const char *path)
{
    const struct value *found = at(map, path);
    return found != NULL && found->kind == VALUE_INT ? found->as.i : 0;
}

static double double_at(const struct value *map, const char *path)
{
    const struct value *found = at(map, path);
    return found == NULL                 ? NAN
           : found->kind == VALUE_DOUBLE ? found->as.d
           : found->kind == VALUE_INT    ? (double)found->as.i
                                         : NAN;
}

static bool true_at(const struct value *map, const char *path)
{
    const struct value *found = at(map, path);
    return found != NULL && found->kind == VALUE_BOOL && found->as.b;
}

static struct str keep(struct life *life, struct str text)
{
    return text.len > 0 ? arena_str(&life->arena, text, NULL) : (struct str){0};
}

// ---- Questions -----------------------------------------------------------------------------------------

static struct str session_name(struct life *life, uint32_t number)
{
    return life->other == 0 ? arena_printf(&life->arena, "session-%u", number)
           : number == 1    ? arena_printf(&life->arena, "other-%u", life->other)
                            : arena_printf(&life->arena, "other-%u-%u", life->other, number);
}

// A copy in which the session's id, which no record has, is a name of its own. `next`: of the id that
// replaces it.
static struct value copy_value(struct life *life, const struct value *value, bool next)
{
    struct value copy = *value;
    if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES) {
        bool secret = value_is_text(value, STR("***"));
        struct str text = secret ? session_name(life, life->ids + next) : keep(life, value_text(value));
        copy.as.text = text.at != NULL ? text.at : "";
        copy.n = (uint32_t)text.len;
    } else if (value->kind == VALUE_LIST) {
        struct value *list = ARENA_ARRAY(&life->arena, struct value, value->n + (size_t)1);
        for (uint32_t i = 0; list != NULL && i < value->n; i++) {
            list[i] = copy_value(life, &value->as.list[i], next);
        }
        copy.as.list = list;
        copy.n = list != NULL ? value->n : 0;
    } else if (value->kind == VALUE_MAP) {
        struct value_entry *map = ARENA_ARRAY(&life->arena, struct value_entry, value->n + (size_t)1);
        for (uint32_t i = 0; map != NULL && i < value->n; i++) {
            map[i].key = copy_value(life, &value->as.map[i].key, false);
            map[i].value = copy_value(life, &value->as.map[i].value,
                                      next || value_is_text(&value->as.map[i].key, STR("new_id")));
        }
        copy.as.map = map;
        copy.n = map != NULL ? value->n : 0;
    }
    return copy;
}

static void put(struct value *map, const char *key, struct value value)
{
    struct value_entry *entries = (struct value_entry *)(uintptr_t)map->as.map;
    if (value.kind != VALUE_STRING || value.n > 0) {
        entries[map->n++] = (struct value_entry){value_str(str_of(key)), value};
    }
}

static struct value new_map(struct life *life)
{
    struct value_entry *entries = ARENA_ARRAY(&life->arena, struct value_entry, 8);
    life->failed = life->failed || entries == NULL;
    return (struct value){.kind = VALUE_MAP, .as.map = entries};
}

static struct value text_value(struct life *life, const struct value *fields, const char *path)
{
    return value_str(keep(life, life_text(fields, path)));
}

// What is left of a question of which only the record's own fields were kept.
static struct value guess(struct life *life, const struct value *fields)
{
    struct value root = new_map(life), subject = new_map(life), action = new_map(life),
                 resource = new_map(life);
    struct value context = new_map(life), session = new_map(life), device = new_map(life),
                 network = new_map(life);
    if (life->failed) {
        return value_null();
    }
    put(&subject, "type", text_value(life, fields, "subject_type"));
    put(&subject, "id", text_value(life, fields, "subject"));
    put(&action, "name", text_value(life, fields, "action"));
    put(&resource, "type", text_value(life, fields, "resource_type"));
    put(&resource, "id", text_value(life, fields, "resource"));
    put(&session, "id", value_str(session_name(life, life->ids)));
    put(&device, "fingerprint", text_value(life, fields, "fingerprint"));
    put(&device, "user_agent", text_value(life, fields, "user_agent"));
    put(&network, "ip", text_value(life, fields, "sent_ip"));
    put(&context, "session", session);
    put(&context, "device", device);
    put(&context, "network", network);
    put(&root, "tenant", text_value(life, fields, "tenant"));
    put(&root, "subject", subject);
    put(&root, "context", context);
    if (life_text(fields, "event").len == 0) {
        put(&root, "action", action);
        put(&root, "resource", resource);
        return root;
    }
    struct value event = new_map(life), whole = new_map(life);
    if (life->failed) {
        return value_null();
    }
    put(&event, "type", text_value(life, fields, "event"));
    put(&event, "subject", subject);
    put(&event, "context", context);
    put(&whole, "tenant", text_value(life, fields, "tenant"));
    put(&whole, "event", event);
    return whole;
}

// ---- Records -------------------------------------------------------------------------------------------

static void read_place(struct life *life, const struct value *fields, struct life_place *out)
{
    *out = (struct life_place){.ip = keep(life, life_text(fields, "ip")),
                               .country = keep(life, life_text(fields, "geo.country")),
                               .continent = keep(life, life_text(fields, "geo.continent")),
                               .city = keep(life, life_text(fields, "city")),
                               .org = keep(life, life_text(fields, "geo.org")),
                               .latitude = double_at(fields, "lat"),
                               .longitude = double_at(fields, "lon"),
                               .radius_km = double_at(fields, "radius_km"),
                               .asn = int_at(fields, "geo.asn"),
                               .flags = (uint32_t)int_at(fields, "geo.flags"),
                               .known = (uint32_t)int_at(fields, "geo.known")};
}

static void read_view(struct life *life, const struct value *fields, bool event, struct life_step *out)
{
    struct view view = {.effect = life_text(fields, "effect"),
                        .code = life_text(fields, "code"),
                        .rule = life_text(fields, "rule"),
                        .why = life_text(fields, "reason"),
                        .level = life_text(fields, "risk.level"),
                        .score = double_at(fields, "risk.score")};
    view.has_risk = !isnan(view.score);
    if (event) {
        view.effect = true_at(fields, "recorded") ? STR("recorded") : STR("refused");
    }
    view.over = str_eq(life_text(fields, "session.state"), STR("terminated"));
    out->view = view_copy(&life->arena, &view);
}

// The session as it was before, of the bytes that scoring read.
static bool read_before(const struct value *fields, struct session_record *out)
{
    const struct value *bytes = at(fields, "before.session");
    if (bytes == NULL || bytes->kind != VALUE_BYTES || bytes->n != sizeof *out ||
        int_at(fields, "before.form") != RECORD_BEFORE_FORM) {
        return false;
    }
    memcpy(out, bytes->as.text, sizeof *out);
    return true;
}

// How many questions the session had asked when this one came.
static uint32_t requests_before(const struct value *fields)
{
    struct session_record record;
    return read_before(fields, &record) ? record.requests : UINT32_MAX;
}

static struct life_step *new_step(struct life *life)
{
    if (life->count == life->cap) {
        size_t cap = life->cap == 0 ? 64 : life->cap * 2;
        struct life_step *bigger =
            cap <= 2 * LIFE_STEPS_MOST ? realloc(life->steps, cap * sizeof *bigger) : NULL;
        if (bigger == NULL) {
            life->failed = true;
            return NULL;
        }
        life->steps = bigger;
        life->cap = cap;
    }
    life->steps[life->count] = (struct life_step){0};
    return &life->steps[life->count++];
}

void life_take(struct life *life, const struct query_record *record, bool event)
{
    const struct value *fields = &record->fields, *question = at(fields, "question");
    int64_t at_ms = int_at(fields, "time");
    bool own = life->other == 0;
    if (true_at(fields, "repeated")) {
        life->repeated += own;
        return;
    }
    if (at_ms > life->ended_ms) {
        life->after_end += own;
        return;
    }
    struct life_step *step = new_step(life);
    struct value *root = ARENA_NEW(&life->arena, struct value);
    if (step == NULL || root == NULL) {
        life->failed = true;
        return;
    }
    life->forgotten += record->sealed == QUERY_FORGOTTEN || record->sealed == QUERY_SEALED;
    step->guessed = question == NULL || question->kind != VALUE_MAP;
    *root = step->guessed ? guess(life, fields) : copy_value(life, question, false);
    step->root = root;
    step->at_ms = at_ms;
    step->event = event;
    step->other = life->other;
    step->index = record->index;
    step->gateway = keep(life, life_text(fields, "gateway"));
    step->before = requests_before(fields);
    read_place(life, fields, &step->place);
    read_view(life, fields, event, step);
    life->ids += event && true_at(fields, "recorded") && str_eq(life_text(fields, "event"), STR("rotate"));
    if (own && life->subject.len == 0) {
        life->subject = keep(life, life_text(fields, "subject"));
        life->type = keep(life, life_text(fields, "subject_type"));
        life->tenant = keep(life, life_text(fields, "tenant"));
    }
    if (own && step->view.over && !life->by_analyst &&
        life->ended_ms == INT64_MAX) { // what ended it stays in
        life->ended_ms = at_ms;
        life->ended_by = step->view.rule.len > 0 ? step->view.rule : step->view.code;
        life->why = step->view.why;
    }
}

static void take_order(struct life *life, const struct value *fields)
{
    if (!str_eq(life_text(fields, "op"), STR("session.terminate")) || !true_at(fields, "ok") ||
        life->ended_ms != INT64_MAX) {
        return;
    }
    life->ended_ms = int_at(fields, "time");
    life->by_analyst = true;
    life->ended_by = keep(life, life_text(fields, "by"));
    life->why = keep(life, life_text(fields, "reason"));
}

static bool take(void *user, const struct query_record *record)
{
    struct life *life = user;
    struct str kind = life_text(&record->fields, "kind");
    if (str_eq(kind, STR("decision")) || str_eq(kind, STR("event"))) {
        life_take(life, record, str_eq(kind, STR("event")));
    } else if (str_eq(kind, STR("order"))) {
        take_order(life, &record->fields);
    }
    return !life->failed;
}

// A session that goes on under another id has another reference; what was before a rotation tells the one
// before.
bool life_older(const struct query_record *record, char older[static LIFE_REF_BYTES])
{
    struct session_record before;
    bool told = str_eq(life_text(&record->fields, "event"), STR("rotate")) &&
                true_at(&record->fields, "recorded") && read_before(&record->fields, &before);
    if (told) {
        session_ref_print(before.id, older);
    }
    return told;
}

static bool find_older(void *user, const struct query_record *record)
{
    return !life_older(record, user);
}

static enum pdp_err read_one(const struct audit_source *source, const char *ref, struct life *life)
{
    uint64_t unreadable = 0;
    const struct query query = {
        .session = str_of(ref), .since_ms = INT64_MIN, .until_ms = INT64_MAX, .unseal = true};
    TRY(audit_query(source, &query, take, life, &unreadable));
    life->forgotten += unreadable;
    return life->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

enum pdp_err life_read(const struct audit_source *source, struct str ref, struct life *out)
{
    char refs[LIFE_IDS_MOST][LIFE_REF_BYTES] = {{0}};
    uint64_t unreadable = 0;
    size_t count = 1;
    *out = (struct life){.ref = ref, .ended_ms = INT64_MAX, .ids = 1};
    arena_init(&out->arena, 0, 0);
    memcpy(refs[0], ref.at, ref.len < sizeof refs[0] ? ref.len : sizeof refs[0] - 1);
    while (count < LIFE_IDS_MOST) {
        const struct query query = {
            .session = str_of(refs[count - 1]), .since_ms = INT64_MIN, .until_ms = INT64_MAX, .unseal = true};
        TRY(audit_query(source, &query, find_older, refs[count], &unreadable));
        if (refs[count][0] == '\0' || strcmp(refs[count], refs[count - 1]) == 0) {
            break;
        }
        count++;
    }
    for (size_t i = count; i-- > 0;) {
        TRY(read_one(source, refs[i], out));
    }
    return life_read_others(source, (const char(*)[LIFE_REF_BYTES])refs, count, out);
}

void life_fini(struct life *life)
{
    free(life->steps);
    arena_fini(&life->arena);
    *life = (struct life){0};
}

bool life_ordered(const struct life *life)
{
    bool after = life->count > 0 && life->ended_ms >= life->steps[life->count - 1].at_ms;
    return life->by_analyst && after && life->why.len > 0 && life->ended_by.len > 0;
}

// ---- Where it should have been stopped ------------------------------------------------------------------

static unsigned level_of(const struct life_step *step)
{
    for (unsigned i = 0; i < RISK_LEVEL_COUNT; i++) {
        if (step->view.has_risk && str_eq(step->view.level, RISK_LEVEL_NAMES[i])) {
            return i;
        }
    }
    return 0;
}

static bool allowed(const struct life_step *step)
{
    return !step->event && step->other == 0 && str_eq(step->view.effect, STR("allow"));
}

static size_t first_allowed(const struct life *life, size_t from)
{
    for (size_t i = from; i < life->count; i++) {
        if (allowed(&life->steps[i])) {
            return i;
        }
    }
    return LIFE_NONE;
}

static bool same_at(const struct value *a, const struct value *b, const char *path)
{
    return str_eq(life_text(a, path), life_text(b, path));
}

// From the same device at the same address?
static bool same_device(const struct life_step *a, const struct life_step *b)
{
    static const char *const PATHS[] = {"context.device.fingerprint", "context.device.user_agent",
                                        "context.network.ip"};
    bool same = !a->event && !b->event;
    for (size_t i = 0; same && i < COUNT_OF(PATHS); i++) {
        same = same_at(a->root, b->root, PATHS[i]);
    }
    return same;
}

// Where the policy ended it by itself, of whoever it was ended for: that end shows who should have been
// stopped.
static size_t last_allowed(const struct life *life)
{
    const struct life_step *last = NULL;
    for (size_t i = life->count; i-- > 0 && last == NULL;) {
        last = life->steps[i].other == 0 ? &life->steps[i] : NULL;
    }
    bool by_policy = last != NULL && last->view.over && !life->by_analyst;
    for (size_t i = life->count; i-- > 0;) {
        if (allowed(&life->steps[i]) && (!by_policy || same_device(&life->steps[i], last))) {
            return i;
        }
    }
    return LIFE_NONE;
}

size_t life_incident(const struct life *life, int64_t since_ms)
{
    if (since_ms != INT64_MIN) {
        size_t from = 0;
        while (from < life->count && life->steps[from].at_ms < since_ms) {
            from++;
        }
        return first_allowed(life, from);
    }
    size_t last = last_allowed(life), from = last;
    if (last == LIFE_NONE || level_of(&life->steps[last]) == 0) {
        return last;
    }
    for (size_t i = last; i-- > 0;) {
        const struct life_step *step = &life->steps[i];
        if (step->event || step->other != 0 || !step->view.has_risk) {
            continue;
        }
        if (level_of(step) < level_of(&life->steps[last])) {
            break;
        }
        from = allowed(step) ? i : from;
    }
    return from;
}
