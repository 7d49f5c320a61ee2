// SPDX-License-Identifier: Apache-2.0
#include "cli/change/trial.h"

#include "base/time.h"
#include "cli/change/change.h"

#include <math.h>

#define SETUP_MS INT64_C(2000) // between two things that happen before the question
#define SESSION_ID "session-1"
#define OWN_AGENT "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

uint32_t luck_below(struct luck *luck, uint32_t limit)
{
    luck->state += UINT64_C(0x9E3779B97F4A7C15); // splitmix64
    uint64_t z = luck->state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return limit > 0 ? (uint32_t)((z >> 32) * limit >> 32) : 0;
}

// ---- Values ------------------------------------------------------------------------------------------

void trial_init(struct trial *trial, struct arena *arena)
{
    *trial = (struct trial){.arena = arena,
                            .now_ms = TRIAL_NOW,
                            .session = true,
                            .evidence = NAN,
                            .gap_ms = SETUP_MS,
                            .pace_ms = SETUP_MS};
}

static struct trial_value *find(const struct trial *trial, struct str path)
{
    for (uint32_t i = 0; i < trial->count; i++) {
        if (str_eq(trial->list[i].path, path)) {
            return (struct trial_value *)(uintptr_t)&trial->list[i];
        }
    }
    return NULL;
}

void trial_put(struct trial *trial, struct str path, struct value value)
{
    struct trial_value *there = find(trial, path);
    if (there != NULL) {
        there->value = value;
    } else if (trial->count < TRIAL_VALUES_MOST) {
        trial->list[trial->count++] = (struct trial_value){path, value};
    }
}

void trial_drop(struct trial *trial, struct str path)
{
    struct trial_value *there = find(trial, path);
    if (there != NULL) {
        *there = trial->list[--trial->count];
    }
}

const struct value *trial_get(const struct trial *trial, struct str path)
{
    const struct trial_value *there = find(trial, path);
    return there != NULL ? &there->value : NULL;
}

// ---- Where a name stands in a question ---------------------------------------------------------------

static bool is_one_of(struct str text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(text, str_of(list[i]))) {
            return true;
        }
    }
    return false;
}

static struct str after(struct str path, const char *root)
{
    size_t len = strlen(root);
    return str_starts(path, str_of(root)) ? str_sub(path, len, path.len) : (struct str){0};
}

bool trial_is_said(struct str path)
{
    static const char *const SESSION[] = {"auth_time", "acr", "amr"};
    static const char *const DEVICE[] = {"fingerprint", "managed", "user_agent"};
    static const char *const NETWORK[] = {"ip", "forwarded_for"};
    static const char *const ROOTS[] = {"subject.", "action.", "resource.", "context."};
    for (size_t i = 0; i < COUNT_OF(ROOTS); i++) {
        if (after(path, ROOTS[i]).len > 0) {
            return true;
        }
    }
    return str_eq(path, STR("tenant")) || is_one_of(after(path, "session."), SESSION, COUNT_OF(SESSION)) ||
           is_one_of(after(path, "device."), DEVICE, COUNT_OF(DEVICE)) ||
           after(path, "device.components.").len > 0 ||
           is_one_of(after(path, "network."), NETWORK, COUNT_OF(NETWORK));
}

// `subject.roles` is `subject.properties.roles` of the question, `session.acr` is `context.session.acr`.
static struct str wire_path(struct arena *arena, struct str path)
{
    static const struct {
        const char *root;
        const char *own[4]; // that stand beside the properties
    } OPEN[] = {{"subject.", {"type", "id", NULL, NULL}},
                {"action.", {"name", NULL, NULL, NULL}},
                {"resource.", {"type", "id", NULL, NULL}}};
    for (size_t i = 0; i < COUNT_OF(OPEN); i++) {
        struct str rest = after(path, OPEN[i].root);
        size_t own = 0;
        while (OPEN[i].own[own] != NULL) {
            own++;
        }
        bool plain = is_one_of(rest, OPEN[i].own, own) || str_starts(rest, STR("properties."));
        if (rest.len > 0 && !plain) {
            return arena_printf(arena, "%sproperties." STR_FMT, OPEN[i].root, STR_ARG(rest));
        }
    }
    bool inner = after(path, "session.").len + after(path, "device.").len + after(path, "network.").len > 0;
    return inner ? arena_printf(arena, "context." STR_FMT, STR_ARG(path)) : path;
}

// ---- A tree of maps ------------------------------------------------------------------------------------

struct branch {
    struct str key;
    struct value leaf;
    struct branch *first, *next;
};

static struct branch *child_of(struct arena *arena, struct branch *parent, struct str key)
{
    struct branch **at = &parent->first;
    for (; *at != NULL; at = &(*at)->next) {
        if (str_eq((*at)->key, key)) {
            return *at;
        }
    }
    *at = ARENA_NEW(arena, struct branch);
    if (*at != NULL) {
        (*at)->key = key;
    }
    return *at;
}

static void grow(struct arena *arena, struct branch *root, struct str path, struct value value)
{
    struct branch *at = root;
    for (size_t from = 0; at != NULL && from <= path.len;) {
        size_t dot = str_find_byte(path, '.', from);
        at = child_of(arena, at, str_sub(path, from, dot - from));
        from = dot + 1;
    }
    if (at != NULL) {
        at->leaf = value;
    }
}

static struct value whole(struct arena *arena, const struct branch *branch)
{
    uint32_t count = 0;
    for (const struct branch *at = branch->first; at != NULL; at = at->next) {
        count++;
    }
    if (count == 0) {
        return branch->leaf;
    }
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, count);
    struct value map = {.kind = VALUE_MAP, .as.map = entries};
    for (const struct branch *at = branch->first; entries != NULL && at != NULL; at = at->next) {
        entries[map.n++] = (struct value_entry){value_str(at->key), whole(arena, at)};
    }
    return map;
}

// As a question carries it: times in seconds, addresses as text.
static struct value said(struct arena *arena, struct value value)
{
    AUTO(buf_fini) struct buf text = {0};
    if (value.kind == VALUE_TIMESTAMP) {
        return value_int(value.as.i);
    }
    if (value.kind == VALUE_IP) {
        ip_print(&text, value.as.ip);
    } else if (value.kind == VALUE_DURATION) {
        buf_printf(&text, "%llds", (long long)value.as.i);
    } else if (value.kind == VALUE_UINT) {
        return value_int((int64_t)(value.as.u & INT64_MAX));
    } else {
        return value;
    }
    return value_str(arena_str(arena, buf_view(&text), NULL));
}

static bool is_context(struct str path)
{
    return str_starts(path, STR("device.")) || str_starts(path, STR("network."));
}

// ---- Steps ---------------------------------------------------------------------------------------------

// The subject's own device and place.
static void put_own(const struct trial *trial, struct branch *root, const char *above)
{
    static const struct {
        const char *path, *text;
    } OWN[] = {
        {"device.fingerprint", "own-device"}, {"device.user_agent", OWN_AGENT}, {"network.ip", "10.0.0.9"}};
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        grow(trial->arena, root, arena_printf(trial->arena, "%s.%s", above, OWN[i].path),
             value_str(str_of(OWN[i].text)));
    }
}

// The question, with the session of that id; NULL: with none.
static struct value question(const struct trial *trial, const char *session, bool quiet)
{
    struct branch root = {0};
    for (uint32_t i = 0; i < trial->count; i++) {
        struct str path = trial->list[i].path;
        bool of_session = str_starts(path, STR("session."));
        if (!trial_is_said(path) || (of_session && session == NULL) || (quiet && is_context(path))) {
            continue;
        }
        grow(trial->arena, &root, wire_path(trial->arena, path), said(trial->arena, trial->list[i].value));
    }
    if (session != NULL) {
        grow(trial->arena, &root, STR("context.session.id"), value_str(str_of(session)));
    }
    if (quiet) {
        put_own(trial, &root, "context");
    }
    return whole(trial->arena, &root);
}

static void put_said(const struct trial *trial, struct branch *root, const char *path, struct str to)
{
    const struct value *value = trial_get(trial, str_of(path));
    if (value != NULL) {
        grow(trial->arena, root, to, said(trial->arena, *value));
    }
}

// All that is said of the subject, and where not `quiet` of device and network.
static void put_who(const struct trial *trial, struct branch *root, bool quiet)
{
    for (uint32_t i = 0; i < trial->count; i++) {
        struct str path = trial->list[i].path;
        bool wanted =
            str_starts(path, STR("subject.")) || (is_context(path) && !quiet && trial_is_said(path));
        if (wanted) {
            struct str to = wire_path(trial->arena, path);
            grow(trial->arena, root, arena_printf(trial->arena, "event." STR_FMT, STR_ARG(to)),
                 said(trial->arena, trial->list[i].value));
        }
    }
}

static struct value event(const struct trial *trial, const char *type, const char *session)
{
    struct branch root = {0};
    bool signal = strcmp(type, "signal") == 0, login = strcmp(type, "login") == 0;
    put_said(trial, &root, "tenant", STR("tenant"));
    grow(trial->arena, &root, STR("event.type"), value_str(str_of(type)));
    put_who(trial, &root, signal || trial->quiet);
    grow(trial->arena, &root, STR("event.context.session.id"), value_str(str_of(session)));
    if (signal) {
        grow(trial->arena, &root, STR("event.properties.evidence"), value_double(trial->evidence));
        return whole(trial->arena, &root);
    }
    if (trial->quiet) {
        put_own(trial, &root, "event.context");
    }
    put_said(trial, &root, "session.acr", STR("event.properties.acr"));
    put_said(trial, &root, "session.amr", STR("event.properties.amr"));
    if (login) {
        put_said(trial, &root, "session.auth_time", STR("event.context.session.auth_time"));
    }
    if (login && trial->remember) {
        grow(trial->arena, &root, STR("event.properties.remember_device"), value_bool(true));
    }
    return whole(trial->arena, &root);
}

struct writing {
    const struct trial *trial;
    struct trial_step *steps;
    size_t count;
};

static void add(struct writing *to, bool is_event, struct value root)
{
    if (to->count < TRIAL_STEPS_MOST - 1 || (!is_event && to->count < TRIAL_STEPS_MOST)) {
        to->steps[to->count++] = (struct trial_step){.event = is_event, .root = root};
    }
}

// Times are counted back from the question, which is asked at its own.
static void set_times(struct writing *to)
{
    const struct trial *trial = to->trial;
    size_t asked = (size_t)trial->repeats + 1 < to->count ? (size_t)trial->repeats + 1 : to->count;
    int64_t at = trial->now_ms;
    for (size_t i = to->count; i-- > 0;) {
        to->steps[i].at_ms = at;
        bool among = to->count - i < asked;
        if (i > 0 && i <= trial->others && trial->now_ms - at < trial->early_ms) {
            at = trial->now_ms - trial->early_ms;
        }
        at -= among ? trial->pace_ms : to->count - i == asked ? trial->gap_ms : SETUP_MS;
    }
}

size_t trial_steps(const struct trial *trial, struct trial_step steps[static TRIAL_STEPS_MOST])
{
    struct writing to = {trial, steps, 0};
    const char *session = trial->session ? SESSION_ID : NULL;
    for (uint32_t i = 0; i < trial->others && trial->session; i++) {
        struct str other = arena_printf(trial->arena, "other-%u%c", i + 1, '\0');
        add(&to, true, event(trial, "login", other.at != NULL ? other.at : "other"));
    }
    if (trial->login && trial->session) {
        add(&to, true, event(trial, "login", SESSION_ID));
    }
    if (trial->quiet && trial->session) {
        add(&to, false, question(trial, session, true));
    }
    if (!isnan(trial->evidence) && trial->session) {
        add(&to, true, event(trial, "signal", SESSION_ID));
    }
    for (uint32_t i = 0; i < trial->failed && trial->session; i++) {
        add(&to, true, event(trial, "step_up_failed", SESSION_ID));
    }
    if (trial->passed && trial->session) {
        add(&to, true, event(trial, "step_up_passed", SESSION_ID));
    }
    struct trial other = *trial;
    if (trial->stranger) {
        trial_put(&other, STR("subject.id"), value_str(STR("somebody-else")));
    }
    for (uint32_t i = 0; i < trial->repeats; i++) {
        add(&to, false, question(&other, trial->stranger ? NULL : session, false));
    }
    add(&to, false, question(trial, session, false));
    set_times(&to);
    return to.count;
}

struct str trial_places(const struct trial *trial)
{
    const struct value *ip = trial_get(trial, STR("network.ip"));
    AUTO(buf_fini) struct buf text = {0};
    struct emit emit;
    bool any = false;
    if (ip == NULL) {
        return (struct str){0};
    }
    struct value address = said(trial->arena, *ip);
    if (address.kind != VALUE_STRING) {
        return (struct str){0};
    }
    bool six = str_find_byte(value_text(&address), ':', 0) < address.n;
    emit_init(&emit, WIRE_JSON, &text);
    emit_map(&emit, SIZE_MAX);
    emit_key(&emit,
             arena_printf(trial->arena, STR_FMT "/%s", STR_ARG(value_text(&address)), six ? "128" : "32"));
    emit_map(&emit, SIZE_MAX);
    for (uint32_t i = 0; i < trial->count; i++) {
        struct str fact = after(trial->list[i].path, "geo.");
        if (fact.len > 0) {
            emit_key(&emit, fact);
            emit_value(&emit, &trial->list[i].value);
            any = true;
        }
    }
    emit_end(&emit);
    emit_end(&emit);
    return any ? arena_str(trial->arena, buf_view(&text), NULL) : (struct str){0};
}

void trial_line(const struct trial_step *step, struct emit *emit)
{
    AUTO(buf_fini) struct buf at = {0};
    time_print_ms(&at, step->at_ms);
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "at", buf_view(&at));
    if (!step->event) {
        emit_key(emit, STR("request"));
        emit_value(emit, &step->root);
    }
    for (uint32_t i = 0; step->event && i < step->root.n; i++) {
        emit_key(emit, value_text(&step->root.as.map[i].key));
        emit_value(emit, &step->root.as.map[i].value);
    }
    emit_end(emit);
}
