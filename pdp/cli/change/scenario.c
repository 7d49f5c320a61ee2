// SPDX-License-Identifier: Apache-2.0
// A session's life as a Scenario that people can read: who, with which claims, from which device stands apart
// from what was asked.
#include "cli/change/life.h"

#include "base/time.h"
#include "cli/change/change.h"
#include "cli/change/scenario_text.h"
#include "geo/geo.h"

#include <math.h>
#include <stdlib.h>

#define FIXTURES_MOST 256

enum part {
    PART_SUBJECT,
    PART_SESSION,
    PART_DEVICE,
    PART_COUNT
};

// Parts of questions that come again: as flow text, by which they are known, and by the name that they get.
struct fixture {
    enum part part;
    struct str text, name;
};

struct writing {
    const struct life *life;
    struct buf *out;
    struct arena arena;
    struct fixture fixtures[FIXTURES_MOST];
    size_t count;
    uint32_t parts[PART_COUNT]; // so many there are of each
};

// ---- Fixtures
// ----------------------------------------------------------------------------------------------

static const struct value *inner_of(const struct life_step *step)
{
    const struct value *event = value_get(step->root, STR("event"));
    return event != NULL ? event : step->root;
}

// `key: value` of those of a map that are among the names, joined; empty where there are none.
static struct str some_of(struct writing *w, const struct value *map, const char *const *names, size_t count)
{
    AUTO(buf_fini) struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        const struct value *value = value_get(map, str_of(names[i]));
        if (value != NULL && !(value->kind == VALUE_MAP && value->n == 0)) {
            buf_printf(&text, "%s%s: ", text.len > 0 ? ", " : "", names[i]);
            scenario_value(&text, value);
        }
    }
    return arena_str(&w->arena, buf_view(&text), NULL);
}

static struct str part_text(struct writing *w, const struct life_step *step, enum part part)
{
    static const char *const SUBJECT[] = {"subject"}, *const SESSION[] = {"session"},
                             *const DEVICE[] = {"device", "network"};
    const struct value *inner = inner_of(step), *context = value_get(inner, STR("context"));
    if (part == PART_SUBJECT) {
        return some_of(w, inner, SUBJECT, 1);
    }
    struct str text = part == PART_SESSION ? some_of(w, context, SESSION, 1) : some_of(w, context, DEVICE, 2);
    return text.len > 0 ? arena_printf(&w->arena, "context: {" STR_FMT "}", STR_ARG(text)) : text;
}

// A name from a subject's id: letters, digits and dashes.
static struct str name_of(struct writing *w, const struct life_step *step, enum part part)
{
    static const char *const WORDS[] = {"subject", "claims", "device"};
    const struct value *id = value_path(inner_of(step), STR("subject.id"));
    AUTO(buf_fini) struct buf text = {0};
    for (uint32_t i = 0;
         part == PART_SUBJECT && id != NULL && id->kind == VALUE_STRING && i < id->n && i < 40; i++) {
        char c = id->as.text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        buf_byte(&text, (unsigned char)(plain ? c : '-'));
    }
    bool letter = text.len > 0 && ((text.at[0] | 32) >= 'a' && (text.at[0] | 32) <= 'z');
    if (!letter) {
        buf_clear(&text);
        buf_str(&text, str_of(WORDS[part]));
    }
    uint32_t number = ++w->parts[part];
    if (number > 1 || part == PART_DEVICE) {
        buf_printf(&text, "-%u", number);
    }
    return arena_str(&w->arena, buf_view(&text), NULL);
}

// The fixture of a step's part; NULL: it has none, or there are too many.
static const struct fixture *fixture_of(struct writing *w, const struct life_step *step, enum part part)
{
    struct str text = part_text(w, step, part);
    for (size_t i = 0; i < w->count; i++) {
        if (w->fixtures[i].part == part && str_eq(w->fixtures[i].text, text)) {
            return &w->fixtures[i];
        }
    }
    if (text.len == 0 || w->count == FIXTURES_MOST) {
        return NULL;
    }
    w->fixtures[w->count] = (struct fixture){part, text, name_of(w, step, part)};
    return &w->fixtures[w->count++];
}

static void put_fixtures(struct writing *w)
{
    for (size_t i = 0; i < w->life->count; i++) {
        for (int part = 0; part < PART_COUNT; part++) {
            (void)fixture_of(w, &w->life->steps[i], (enum part)part);
        }
    }
    buf_str(w->out, w->count > 0 ? STR("given:\n") : STR(""));
    for (size_t at = 0; at < w->count * PART_COUNT; at++) {
        size_t i = at % w->count;
        if (w->fixtures[i].part != (enum part)(at / w->count)) {
            continue;
        }
        buf_str(w->out, STR("  "));
        scenario_text(w->out, w->fixtures[i].name);
        buf_str(w->out, STR(": {"));
        buf_str(w->out, w->fixtures[i].text);
        buf_str(w->out, STR("}\n"));
    }
}

// ---- Places --------------------------------------------------------------------------------------------

static void put_fact(struct buf *out, const char *key, struct str text)
{
    if (text.len > 0) {
        buf_printf(out, ", %s: ", key);
        scenario_text(out, text);
    }
}

static void put_number(struct buf *out, const char *key, double number)
{
    if (!isnan(number)) {
        buf_printf(out, ", %s: %.10g", key, number);
    }
}

static void put_flags(struct buf *out, const struct life_place *place)
{
    static const struct {
        const char *name;
        uint32_t flag, of;
    } FLAGS[] = {{"anonymous", SIGHT_ANONYMOUS, GEO_ANONYMITY},
                 {"vpn", SIGHT_VPN, GEO_ANONYMITY},
                 {"hosting", SIGHT_HOSTING, GEO_ANONYMITY},
                 {"proxy", SIGHT_PROXY, GEO_ANONYMITY},
                 {"tor", SIGHT_TOR, GEO_ANONYMITY},
                 {"residential_proxy", SIGHT_RESIDENTIAL_PROXY, GEO_ANONYMITY},
                 {"carrier", SIGHT_CARRIER, GEO_LINK},
                 {"relay", SIGHT_RELAY, 0}};
    bool any = false;
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        if ((place->flags & FLAGS[i].flag) != 0) {
            buf_printf(out, ", %s: true", FLAGS[i].name);
            any = any || FLAGS[i].of == GEO_ANONYMITY;
        }
    }
    if (!any && (place->known & GEO_ANONYMITY) != 0) {
        buf_str(out, STR(", anonymous: false"));
    }
}

static bool is_first_of(const struct life *life, size_t step)
{
    for (size_t i = 0; i < step; i++) {
        if (str_eq(life->steps[i].place.ip, life->steps[step].place.ip)) {
            return false;
        }
    }
    return true;
}

static void put_places(struct writing *w)
{
    bool any = false;
    for (size_t i = 0; i < w->life->count; i++) {
        const struct life_place *place = &w->life->steps[i].place;
        AUTO(buf_fini) struct buf facts = {0};
        if (place->ip.len == 0 || place->known == 0 || !is_first_of(w->life, i)) {
            continue;
        }
        put_fact(&facts, "country", place->country);
        put_fact(&facts, "continent", place->continent);
        put_fact(&facts, "city", place->city);
        put_number(&facts, "latitude", place->latitude);
        put_number(&facts, "longitude", place->longitude);
        put_number(&facts, "radius_km", isnan(place->latitude) ? NAN : place->radius_km);
        put_number(&facts, "asn", place->asn > 0 ? (double)place->asn : NAN);
        put_fact(&facts, "org", place->org);
        put_flags(&facts, place);
        if (facts.len > 2) {
            bool six = str_find_byte(place->ip, ':', 0) < place->ip.len;
            buf_str(w->out, any ? STR("") : STR("places: # as the databases answered then\n"));
            buf_printf(w->out, "  \"" STR_FMT "/%s\": {" STR_FMT "}\n", STR_ARG(place->ip),
                       six ? "128" : "32", STR_ARG(str_sub(buf_view(&facts), 2, facts.len)));
            any = true;
        }
    }
}

// ---- Steps ---------------------------------------------------------------------------------------------

static void put_span(struct buf *out, int64_t ms)
{
    ms = ms < 0 ? 0 : ms;
    bool whole = ms % TIME_MS_PER_S == 0;
    buf_printf(out, "+%lld%s", (long long)(whole ? ms / TIME_MS_PER_S : ms), whole ? "s" : "ms");
}

// What is left of the context once fixtures were taken out of it.
static void put_context(struct buf *out, const struct value *context, bool first)
{
    static const char *const TAKEN[] = {"session", "device", "network"};
    bool any = false;
    for (uint32_t i = 0; context != NULL && context->kind == VALUE_MAP && i < context->n; i++) {
        bool taken = false;
        for (size_t k = 0; k < COUNT_OF(TAKEN); k++) {
            taken = taken || value_is_text(&context->as.map[i].key, str_of(TAKEN[k]));
        }
        if (taken) {
            continue;
        }
        buf_str(out, any ? STR(", ") : first ? STR("context: {") : STR(", context: {"));
        scenario_text(out, value_text(&context->as.map[i].key));
        buf_str(out, STR(": "));
        scenario_value(out, &context->as.map[i].value);
        any = true;
    }
    buf_str(out, any ? STR("}") : STR(""));
}

static void put_asked(struct buf *out, const struct life_step *step)
{
    static const char *const QUESTION[] = {"action", "resource"}, *const EVENT[] = {"type", "properties"};
    const struct value *inner = inner_of(step);
    const char *const *keys = step->event ? EVENT : QUESTION;
    bool any = false;
    buf_str(out, step->event ? STR("    event: {") : STR("    request: {"));
    for (size_t i = 0; i < 2; i++) {
        const struct value *value = value_get(inner, str_of(keys[i]));
        if (value != NULL) {
            buf_printf(out, "%s%s: ", any ? ", " : "", keys[i]);
            scenario_value(out, value);
            any = true;
        }
    }
    put_context(out, value_get(inner, STR("context")), !any);
    buf_str(out, STR("}\n"));
}

static void put_with(struct writing *w, const struct life_step *step)
{
    bool any = false;
    for (int part = 0; part < PART_COUNT; part++) {
        const struct fixture *fixture = fixture_of(w, step, (enum part)part);
        if (fixture != NULL) {
            buf_str(w->out, any ? STR(", ") : STR("    with: ["));
            scenario_text(w->out, fixture->name);
            any = true;
        }
    }
    buf_str(w->out, any ? STR("]\n") : STR(""));
}

// Before the incident what was answered; from it on whatever stops it. What another device asks meanwhile is
// only played: whether that is the rightful user's, the log does not say.
static void put_expect(struct writing *w, size_t at, size_t incident)
{
    const struct life_step *step = &w->life->steps[at];
    const struct fixture *own = fixture_of(w, step, PART_DEVICE);
    if (step->event || step->other != 0 || step->view.effect.len == 0) {
        return;
    }
    if (at < incident) {
        buf_str(w->out, STR("    expect: {effect: "));
        scenario_text(w->out, step->view.effect);
        buf_str(w->out, STR("}\n"));
    } else if (own == fixture_of(w, &w->life->steps[incident], PART_DEVICE)) {
        buf_printf(w->out, "    expect: {effect: [deny, step_up, terminate]} # was " STR_FMT,
                   STR_ARG(step->view.effect));
        if (step->view.has_risk) {
            buf_printf(w->out, ", risk %.1f " STR_FMT, step->view.score, STR_ARG(step->view.level));
        }
        buf_byte(w->out, '\n');
    }
}

// Questions that the session asked and the log has not: of allows one in so many is kept where it is set so.
static void put_gap(struct writing *w, size_t at)
{
    const struct life_step *step = &w->life->steps[at];
    uint32_t known = 0;
    size_t last = at;
    while (last-- > 0) {
        const struct life_step *one = &w->life->steps[last];
        if (one->other == step->other && one->before != UINT32_MAX) {
            break;
        }
        known += one->other == step->other && !one->event;
    }
    if (step->before == UINT32_MAX || last >= w->life->count) {
        return;
    }
    const struct life_step *was = &w->life->steps[last];
    uint32_t expected = was->before + !was->event + known;
    if (step->before > expected) {
        buf_printf(w->out, "  # here %u question%s of the session %s not in the log\n",
                   step->before - expected, step->before - expected == 1 ? "" : "s",
                   step->before - expected == 1 ? "is" : "are");
    }
}

static void put_step(struct writing *w, size_t at, size_t incident)
{
    const struct life_step *step = &w->life->steps[at];
    put_gap(w, at);
    if (step->guessed) {
        buf_str(w->out,
                STR("  # this one was not kept whole: properties, claims and the rest are not known\n"));
    }
    buf_printf(w->out, "  - %sat: ", at == incident ? "name: incident\n    " : "");
    put_span(w->out, at == 0 ? 0 : step->at_ms - w->life->steps[at - 1].at_ms);
    buf_byte(w->out, '\n');
    put_with(w, step);
    put_asked(w->out, step);
    put_expect(w, at, incident);
}

// Whatever still lives by then is ended, as it was.
static void put_end(struct writing *w)
{
    const struct life *life = w->life;
    const struct life_step *last = &life->steps[life->count - 1];
    while (last > life->steps && last->other != 0) { // of another session in the same instant
        last--;
    }
    const struct value *id = value_path(last->root, STR("context.session.id"));
    if (!life_ordered(life) || id == NULL || id->kind != VALUE_STRING) {
        return;
    }
    buf_str(w->out, STR("  - at: "));
    time_print_ms(w->out, life->ended_ms);
    buf_str(w->out, STR("\n    order: {op: session.terminate, session: "));
    scenario_text(w->out, value_text(id));
    buf_str(w->out, STR(", reason: "));
    scenario_text(w->out, life->why);
    buf_str(w->out, STR("}\n    peer: {name: "));
    scenario_text(w->out, life->ended_by);
    buf_str(w->out, STR("}\n"));
}

// ---- The document ----------------------------------------------------------------------------------------

static void put_lacks(struct writing *w)
{
    const struct life *life = w->life;
    const struct life_step *first = &life->steps[0];
    bool several = false;
    for (size_t i = 1; i < life->count; i++) {
        several = several || !str_eq(life->steps[i].gateway, first->gateway);
    }
    if (first->before != UINT32_MAX && !first->event) {
        buf_printf(w->out,
                   "# The session was known before the first of these records (%u questions): a login, and "
                   "what was proved, may be missing.\n",
                   first->before);
    }
    if (life->forgotten > 0) {
        buf_printf(w->out,
                   "# %llu record%s could not be opened: the user was forgotten, or the keys are not here.\n",
                   (unsigned long long)life->forgotten, life->forgotten == 1 ? "" : "s");
    }
    if (life->repeated > 0) {
        buf_printf(w->out, "# %llu sent again, which moved nothing, left out.\n",
                   (unsigned long long)life->repeated);
    }
    if (life->others > 0) {
        buf_printf(w->out, "# Other sessions of the user meanwhile, which are only played: %u.\n",
                   life->others);
    }
    buf_str(w->out,
            STR("# Not here: what other sessions of the user did before and after, what everybody does, "
                "and what "));
    scenario_comment(w->out, first->gateway.len > 0 ? first->gateway : STR("the gateway"));
    buf_printf(w->out, "%s may assert.\n", several ? " and other gateways" : "");
}

static void put_head(struct writing *w)
{
    const struct life *life = w->life;
    AUTO(buf_fini) struct buf start = {0};
    const struct value *tenant = value_get(life->steps[0].root, STR("tenant"));
    time_print_ms(&start, life->steps[0].at_ms);
    buf_printf(w->out, "# What became of " STR_FMT ", from the audit log.", STR_ARG(life->ref));
    if (life->ended_ms != INT64_MAX) {
        AUTO(buf_fini) struct buf end = {0};
        time_print_ms(&end, life->ended_ms);
        buf_printf(w->out, " Ended %s by ", (const char *)(buf_byte(&end, 0), end.at));
        scenario_comment(w->out, life->ended_by);
        if (life->why.len > 0) {
            buf_str(w->out, STR(": "));
            scenario_comment(w->out, life->why);
        }
        buf_byte(w->out, '.');
    }
    buf_byte(w->out, '\n');
    put_lacks(w);
    buf_printf(w->out,
               "apiVersion: pdp/v1\nkind: Scenario\nmetadata: {name: incident-" STR_FMT
               ", labels: {class: attack}}\n",
               STR_ARG(str_sub(life->ref, 2, 8)));
    buf_printf(w->out, "start: " STR_FMT "\n", STR_ARG(buf_view(&start)));
    if (tenant != NULL && tenant->kind == VALUE_STRING) {
        buf_str(w->out, STR("tenant: "));
        scenario_text(w->out, value_text(tenant));
        buf_byte(w->out, '\n');
    }
}

void life_write(const struct life *life, size_t incident, struct buf *out)
{
    struct writing w = {.life = life, .out = out};
    arena_init(&w.arena, 0, 0);
    put_head(&w);
    put_places(&w);
    put_fixtures(&w);
    buf_str(out, STR("stops: incident\nsteps:\n"));
    for (size_t i = 0; i < life->count; i++) {
        put_step(&w, i, incident);
    }
    put_end(&w);
    if (life->after_end > 0) {
        buf_printf(out, "# %zu more came after the end, and are left out.\n", life->after_end);
    }
    arena_fini(&w.arena);
}
