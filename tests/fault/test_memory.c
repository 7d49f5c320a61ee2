// SPDX-License-Identifier: Apache-2.0
// The n-th allocation fails, for every n, alone and with all that follow it: while policies are compiled, an
// engine is made, policies are swapped, and messages are answered. Nothing crashes, nothing leaks
// (LeakSanitizer, in a build with it), nothing that must not be allowed is allowed, and the same call done
// again succeeds.
#include "support/harness.h"

#include <stdio.h>
#include <stdlib.h>

// ---- An allocator that fails on demand -----------------------------------------------------------------

#ifdef FAULT_WRAP
#define OURS(name) __wrap_##name
#define REAL(name) __real_##name
void *__real_aligned_alloc(size_t align, size_t bytes);
#else
#define OURS(name) name
#define REAL(name) __libc_##name
void *__libc_memalign(size_t align, size_t bytes);
#define __libc_aligned_alloc __libc_memalign
#endif

void *REAL(malloc)(size_t bytes);
void *REAL(calloc)(size_t count, size_t bytes);
void *REAL(realloc)(void *at, size_t bytes);
void *OURS(malloc)(size_t bytes);
void *OURS(calloc)(size_t count, size_t bytes);
void *OURS(realloc)(void *at, size_t bytes);
void *OURS(aligned_alloc)(size_t align, size_t bytes);

static bool armed, lasting; // lasting: whatever follows fails too
static size_t left, fired;

static bool fails(void)
{
    if (!armed || (left > 1 && left-- > 0)) {
        return false;
    }
    if (fired > 0 && !lasting) {
        return false;
    }
    fired++;
    return true;
}

void *OURS(malloc)(size_t bytes)
{
    return fails() ? NULL : REAL(malloc)(bytes);
}

void *OURS(calloc)(size_t count, size_t bytes)
{
    return fails() ? NULL : REAL(calloc)(count, bytes);
}

void *OURS(realloc)(void *at, size_t bytes)
{
    return fails() ? NULL : REAL(realloc)(at, bytes);
}

void *OURS(aligned_alloc)(size_t align, size_t bytes)
{
    return fails() ? NULL : REAL(aligned_alloc)(align, bytes);
}

static void arm(size_t number, bool and_all_after)
{
    armed = true;
    lasting = and_all_after;
    left = number;
    fired = 0;
}

// Did an allocation fail since arm()?
static bool disarm(void)
{
    armed = false;
    return fired > 0;
}

// ---- Reporting -----------------------------------------------------------------------------------------

static unsigned checks, failures;

static void expect(bool good, const char *what, const char *step, size_t number, bool all_after)
{
    checks++;
    if (!good) {
        failures++;
        printf("%s, allocation %zu%s: %s\n", step, number, all_after ? " and all after" : "", what);
    }
}

// A step is done with the n-th allocation failing, for n from 1 until none does.
static void each(const char *name, void (*step)(const char *name, size_t number, bool all_after))
{
    for (int all_after = 0; all_after < 2; all_after++) {
        size_t number = 1;
        for (;; number++) {
            step(name, number, all_after != 0);
            if (fired == 0 || number > 100000) {
                break;
            }
        }
        printf("%s: %zu allocations%s\n", name, number - 1, all_after ? ", and all after" : "");
    }
}

// ---- Policies of every kind ----------------------------------------------------------------------------

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
static const char
    POLICIES[] =
        HEAD("Policy",
             "p") "target: resource.type == \"route\"\ncombine: deny-unless-allow\n"
                  "variables: {open: 'within(now, \"Mon-Fri 07:00-19:00\", \"Europe/Berlin\")', hr: '\"hr\" "
                  "in subject.roles'}\n"
                  "rules:\n"
                  "  - {id: read, effect: allow, actions: [GET, HEAD], resources: ['/a', '/b/**'], when: "
                  "'vars.hr || true'}\n"
                  "  - {id: clear, effect: deny, when: 'subject.clearance == \"low\"', obligations: [{type: "
                  "log, properties: {level: 3}}]}\n"
                  "  - {id: net, effect: deny, when: 'network.ip in lists.office || subject.id in "
                  "lists.leavers'}\n"
                  "  - {id: word, effect: deny, when: 'subject.id.matches(\"^adm[0-9]+$\") && vars.open'}\n"
                  "  - {id: old, effect: terminate, when: 'risk.level >= level(\"critical\")'}\n"
                  "  - {id: some, effect: deny, when: 'subject.roles.exists(r, r + \"x\" == \"y\")'}\n"
                  "  - {id: mfa, effect: step_up, actions: [POST], require: {strength: mfa, max_age: "
                  "15m}}\n" HEAD(
                      "Strengths",
                      "s") "levels:\n  - {name: pwd, proves: '\"pwd\" in session.amr', ask: {acr_values: "
                           "[aal1]}}\n"
                           "  - {name: mfa, proves: 'session.acr == \"aal2\"', ask: {acr_values: "
                           "[aal2]}}\n" HEAD("List", "office") "type: cidr\nnetwork: own_egress\nentries: "
                                                               "[10.0.0.0/8, "
                                                               "'2001:db8::/32']\n" HEAD("List", "leavers") "type: string\nfile: leavers.txt\n" HEAD(
                                                                   "List",
                                                                   "asns") "type: asn\nnetwork: "
                                                                           "carrier\nentries: "
                                                                           "[AS64500]\n" HEAD(
                                                                               "SessionPolicy",
                                                                               "all") "target:"
                                                                                      " subjec"
                                                                                      "t.type "
                                                                                      "== "
                                                                                      "\"user"
                                                                                      "\"\nlim"
                                                                                      "its: "
                                                                                      "{idle: "
                                                                                      "1h, "
                                                                                      "absolut"
                                                                                      "e: "
                                                                                      "12h}"
                                                                                      "\n" HEAD(
                                                                                          "RiskModel",
                                                                                          "m") "signals:\n  "
                                                                                               "fingerprint-"
                                                                                               "change: "
                                                                                               "{evidence: "
                                                                                               "5, alone: 2, "
                                                                                               "half_life: "
                                                                                               "12h, "
                                                                                               "on_missing: "
                                                                                               "skip}\n"
                                                                                               "  "
                                                                                               "request-rate:"
                                                                                               " {evidence: "
                                                                                               "3, "
                                                                                               "half_life: "
                                                                                               "10m, lambda: "
                                                                                               "1, factor: "
                                                                                               "5, burst: "
                                                                                               "100}\n"
                                                                                               "strengths: "
                                                                                               "{mfa: 4}\n";

static const char ENTITIES[] = "---\n"
                               "apiVersion: pdp/v1\n"
                               "kind: Entities\n"
                               "metadata: {name: e}\n"
                               "type: route\n"
                               "attributes: fill\n"
                               "ids: lists.leavers\n"
                               "entities: [/a, {id: /b/c, properties: {tags: [x, {y: 1}]}}, /c]\n"
                               "actions: [GET, {name: POST, properties: {soft: true}}]\n";

static const struct hash_key KEY = {11, 22};
static char zone[1 << 16];
static size_t zone_len;

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    (void)user;
    (void)path;
    *text = STR("mallory # gone\ntrent\n");
    return PDP_ERR_OK;
}

static enum pdp_err read_zone(void *user, struct str name, struct str *text)
{
    (void)user;
    (void)name;
    *text = (struct str){zone, zone_len};
    return zone_len > 0 ? PDP_ERR_OK : PDP_ERR_UNKNOWN;
}

// What is said where there is no memory, and whether it was.
static struct {
    const char *words;
    bool said;
} WORDS[] = {{"error: policies cannot be loaded: out of memory\n", false},
             {"error: lists cannot be read: out of memory\n", false},
             {"error: out of memory\n", false}};

static void note_words(struct diags *diags)
{
    struct buf text = {0};
    diags_render(diags, &text);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        WORDS[i].said = WORDS[i].said || str_find(buf_view(&text), str_of(WORDS[i].words), 0) != SIZE_MAX;
    }
    buf_fini(&text);
}

static enum pdp_err build(struct str yaml, struct buf *said, struct snapshot **out)
{
    const struct snapshot_file files[] = {{.name = STR("e.yaml"), .text = str_of(ENTITIES)},
                                          {.name = STR("p.yaml"), .text = yaml}};
    struct snapshot_input input = {.files = files,
                                   .file_count = COUNT_OF(files),
                                   .read_file = read_file,
                                   .read_zone = read_zone,
                                   .now_ms = HARNESS_NOW};
    struct diags diags;
    diags_init(&diags, 50);
    enum pdp_err err = snapshot_build(&input, KEY, &diags, out);
    note_words(&diags);
    diags_render(&diags, said);
    if (err != PDP_ERR_OK && diags.errors == 0) {
        err = PDP_ERR_OK; // refused without a word: the caller sees that
    }
    diags_fini(&diags);
    return err;
}

static struct snapshot *built(struct str yaml)
{
    struct buf said = {0};
    struct snapshot *snapshot = NULL;
    if (build(yaml, &said, &snapshot) != PDP_ERR_OK) {
        printf("the policies of this test are refused:\n" STR_FMT, STR_ARG(buf_view(&said)));
        exit(2);
    }
    buf_fini(&said);
    return snapshot;
}

static void compile(const char *name, size_t number, bool all_after)
{
    struct buf said = {0};
    struct snapshot *snapshot = NULL;
    arm(number, all_after);
    enum pdp_err err = build(str_of(POLICIES), &said, &snapshot);
    if (disarm()) {
        expect(err == PDP_ERR_OK ? snapshot != NULL : snapshot == NULL,
               "refused without a word, or half a snapshot", name, number, all_after);
        // One that was built all the same (words could not be kept) must be whole.
        struct snapshot *whole = built(str_of(POLICIES));
        expect(snapshot == NULL || str_eq(snapshot_digest(snapshot), snapshot_digest(whole)),
               "another digest", name, number, all_after);
        snapshot_free(&whole);
    }
    snapshot_free(&snapshot);
    buf_fini(&said);
}

// The file of a list read anew: all or nothing, and what serves is as it was.
static void relist(const char *name, size_t number, bool all_after)
{
    const struct snapshot_input input = {.read_file = read_file, .now_ms = HARNESS_NOW};
    struct snapshot *from = built(str_of(POLICIES)), *shared = NULL, *snapshot = NULL;
    struct diags diags;
    diags_init(&diags, 50);
    arm(number, all_after);
    enum pdp_err first = snapshot_share(from, &shared);
    enum pdp_err err = snapshot_reload_lists(from, STR(""), &input, KEY, &diags, &snapshot);
    bool failed = disarm();
    note_words(&diags);
    expect((first == PDP_ERR_OK) == (shared != NULL) && (err == PDP_ERR_OK) == (snapshot != NULL),
           "half made", name, number, all_after);
    expect(err == PDP_ERR_OK || (failed && diags.errors > 0), "refused without a word", name, number,
           all_after);
    expect(snapshot == NULL || str_eq(snapshot_digest(snapshot), snapshot_digest(from)), "another digest",
           name, number, all_after);
    diags_fini(&diags);
    snapshot_free(&from); // in the order in which a daemon lets go of them
    snapshot_free(&snapshot);
    snapshot_free(&shared);
}

// A folder with mistakes is refused, whatever cannot be told of them.
static void refuse(const char *name, size_t number, bool all_after)
{
    static const char BAD[] =
        HEAD("Policy", "p") "rules:\n  - {id: a, effect: alow, when: 'nosuch == 1'}\n  - {id: a, effect: "
                            "allow, when: 'geo.contry == \"DE\"', resources: ['a*b']}\n" HEAD(
                                "List", "l") "type: cidr\n"
                                             "entries: [10.0.0.1/8]\n";
    struct buf said = {0};
    struct snapshot *snapshot = NULL;
    arm(number, all_after);
    enum pdp_err err = build(str_of(BAD), &said, &snapshot);
    (void)disarm();
    expect(err != PDP_ERR_OK && snapshot == NULL, "taken, or refused without a word", name, number,
           all_after);
    snapshot_free(&snapshot);
    buf_fini(&said);
}

// ---- Engine, workers, publishing -----------------------------------------------------------------------

static const struct engine_config CONFIG = {.key = {11, 22}, .id_prefix = 7};
static const struct peer PEER = {.name = {"test", 4}, .hash = 5, .grants = GRANT_ALL};

static void start(const char *name, size_t number, bool all_after)
{
    struct engine *engine = NULL;
    struct worker *worker = NULL;
    arm(number, all_after);
    enum pdp_err err = engine_new(&CONFIG, &engine);
    enum pdp_err second = err == PDP_ERR_OK ? worker_new(engine, &worker) : err;
    bool failed = disarm();
    expect((err == PDP_ERR_OK) == (engine != NULL) && (second == PDP_ERR_OK) == (worker != NULL), "half made",
           name, number, all_after);
    expect(!failed || second != PDP_ERR_OK, "made without its memory", name, number, all_after);
    worker_free(&worker);
    engine_free(&engine);
}

struct setup {
    struct engine *engine;
    struct worker *worker;
    struct buf out;
};

static void begin(struct setup *s)
{
    *s = (struct setup){0};
    struct snapshot *snapshot = built(str_of(POLICIES));
    if (engine_new(&CONFIG, &s->engine) != PDP_ERR_OK) {
        exit(2);
    }
    engine_publish(s->engine, &snapshot);
    if (worker_new(s->engine, &s->worker) != PDP_ERR_OK) {
        exit(2);
    }
}

static void end(struct setup *s)
{
    worker_free(&s->worker);
    engine_free(&s->engine);
    buf_fini(&s->out);
}

static bool holds(const struct setup *s, const char *words)
{
    return str_find(buf_view(&s->out), str_of(words), 0) != SIZE_MAX;
}

static const char *const ALLOWED = "{\"subject\":{\"type\":\"user\",\"id\":\"alice\",\"properties\":{"
                                   "\"roles\":[\"hr\"],\"clearance\":\"high\"}},\"action\":"
                                   "{\"name\":\"GET\"},\"resource\":{\"type\":\"route\",\"id\":\"/b/"
                                   "c\"},\"context\":{\"session\":{\"id\":\"s1\",\"auth_time\":"
                                   "1795420800,\"amr\":[\"pwd\"]},\"device\":{\"fingerprint\":\"f\",\"user_"
                                   "agent\":\"Mozilla/5.0 Firefox/133.0\"},\"network\":"
                                   "{\"ip\":\"203.0.113.7\"}}}";
// No clearance is stated: unsure, so a deny.
static const char *const DENIED = "{\"subject\":{\"type\":\"user\",\"id\":\"alice\",\"properties\":{"
                                  "\"roles\":[\"hr\"]}},\"action\":{\"name\":\"GET\"},"
                                  "\"resource\":{\"type\":\"route\",\"id\":\"/b/"
                                  "c\"},\"context\":{\"session\":{\"id\":\"s1\",\"auth_time\":1795420800},"
                                  "\"network\":{\"ip\":\"203.0.113.7\"}}}";
static const char *const LOGIN =
    "{\"request_id\":\"e1\",\"event\":{\"type\":\"login\",\"subject\":{\"type\":\"user\",\"id\":\"alice\"},"
    "\"context\":"
    "{\"session\":{\"id\":\"s1\"}},\"properties\":{\"amr\":[\"pwd\"],\"acr\":\"aal2\"}}}";

static void say(struct setup *s, struct str message, int64_t now_ms)
{
    buf_fini(&s->out);
    engine_answer(s->worker, &PEER, message, now_ms, &s->out);
}

static struct buf as_cbor(const char *json)
{
    struct buf out = {0};
    struct arena arena;
    struct value root;
    struct fault why;
    arena_init(&arena, 0, 0);
    if (wire_decode(WIRE_JSON, str_of(json), &arena, &root, &why) != PDP_ERR_OK) {
        exit(2);
    }
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, &out);
    emit_value(&emit, &root);
    arena_fini(&arena);
    return out;
}

static void expect_served(struct setup *s, const char *name, size_t number, bool all_after)
{
    say(s, str_of(ALLOWED), HARNESS_NOW + 2);
    expect(holds(s, "\"decision\":true"), "no allow afterwards", name, number, all_after);
    say(s, str_of(DENIED), HARNESS_NOW + 3);
    expect(holds(s, "\"decision\":false") && holds(s, "unsure"), "no deny afterwards", name, number,
           all_after);
}

// A worker without warm memory answers one message.
static void cold(const char *name, size_t number, bool all_after, struct str message, bool may_allow)
{
    struct setup s;
    begin(&s);
    arm(number, all_after);
    say(&s, message, HARNESS_NOW + 1);
    (void)disarm();
    size_t was = fired;
    expect(may_allow || !(holds(&s, "\"decision\":true") || holds(&s, "decision\xf5")), "allowed", name,
           number, all_after);
    expect(!holds(&s, "terminate"), "ended a session", name, number, all_after);
    expect_served(&s, name, number, all_after);
    end(&s);
    fired = was;
}

static void json_allowed(const char *name, size_t number, bool all_after)
{
    cold(name, number, all_after, str_of(ALLOWED), true);
}

static void json_denied(const char *name, size_t number, bool all_after)
{
    cold(name, number, all_after, str_of(DENIED), false);
}

// What is found without memory may be less, and never more.
static void json_search(const char *name, size_t number, bool all_after)
{
    static const char SEARCH[] = "{\"search\":\"resource\",\"subject\":{\"type\":\"user\",\"id\":\"alice\","
                                 "\"properties\":{\"roles\":[\"hr\"],"
                                 "\"clearance\":\"high\"}},\"action\":{\"name\":\"GET\"},\"resource\":{"
                                 "\"type\":\"route\"},\"page\":{\"limit\":1},"
                                 "\"context\":{\"session\":{\"id\":\"s1\",\"auth_time\":1795420800,\"amr\":["
                                 "\"pwd\"]},\"network\":{\"ip\":\"203.0.113.7\"}}}";
    struct setup s;
    begin(&s);
    arm(number, all_after);
    say(&s, str_of(SEARCH), HARNESS_NOW + 1);
    bool failed = disarm();
    size_t was = fired;
    bool found = holds(&s, "\"id\":\"/a\"") && holds(&s, "\"next_token\":\"");
    expect(failed || found, "not found", name, number, all_after);
    expect(!holds(&s, "\"/c\"") && !holds(&s, "trent"), "found what is not allowed", name, number, all_after);
    expect_served(&s, name, number, all_after);
    end(&s);
    fired = was;
}

static void cbor_allowed(const char *name, size_t number, bool all_after)
{
    struct buf message = as_cbor(ALLOWED);
    cold(name, number, all_after, buf_view(&message), true);
    buf_fini(&message);
}

static void cbor_denied(const char *name, size_t number, bool all_after)
{
    struct buf message = as_cbor(DENIED);
    cold(name, number, all_after, buf_view(&message), false);
    buf_fini(&message);
}

static void event(const char *name, size_t number, bool all_after)
{
    cold(name, number, all_after, str_of(LOGIN), false);
}

static void batch(const char *name, size_t number, bool all_after)
{
    struct buf message = {0};
    buf_printf(&message, "{\"evaluations\":[%s,%s,%s]}", DENIED, DENIED, DENIED);
    cold(name, number, all_after, buf_view(&message), false);
    buf_fini(&message);
}

static void malformed(const char *name, size_t number, bool all_after)
{
    cold(name, number, all_after,
         STR("{\"subject\":{\"type\":\"user\",\"id\":7},\"request_id\":\"x\\u0041\"}"), false);
}

// A reload with a worker whose memory must be made: where it cannot, the worker makes it later, or denies.
static void reload(const char *name, size_t number, bool all_after)
{
    struct setup s;
    begin(&s);
    say(&s, str_of(ALLOWED), HARNESS_NOW);
    struct snapshot *next = built(str_of(POLICIES));
    arm(number, all_after);
    engine_publish(s.engine, &next);
    engine_tidy(s.engine, HARNESS_NOW);
    say(&s, str_of(DENIED), HARNESS_NOW + 1);
    (void)disarm();
    size_t was = fired;
    expect(next == NULL && engine_policy_epoch(s.engine) == 2, "not published", name, number, all_after);
    expect(!holds(&s, "\"decision\":true") && !holds(&s, "terminate"), "allowed or ended", name, number,
           all_after);
    expect_served(&s, name, number, all_after);
    end(&s);
    fired = was;
}

// One session's first question; where memory was out it is denied, and allowed when there is memory again.
static bool begins(struct setup *s, const struct buf *question, unsigned i, const char *name, size_t number,
                   bool all_after)
{
    buf_clear(&s->out);
    armed = fired == 0 || lasting;
    engine_answer(s->worker, &PEER, buf_view(question), HARNESS_NOW + i, &s->out);
    armed = false;
    if (holds(s, "decision\xf5")) {
        return true;
    }
    expect(holds(s, "overloaded") || holds(s, "unsure"), "refused without its reason", name, number,
           all_after);
    buf_clear(&s->out);
    engine_answer(s->worker, &PEER, buf_view(question), HARNESS_NOW + i, &s->out);
    expect(holds(s, "decision\xf5"), "refused again", name, number, all_after);
    lasting = false; // goes on with memory
    return false;
}

// Sessions of many subjects, so that slabs, buckets and indices grow; one allocation of the growth fails.
static void grow(const char *name, size_t number, bool all_after)
{
    enum {
        MANY = 700
    };
    struct setup s;
    unsigned refused = 0;
    begin(&s);
    say(&s, str_of(ALLOWED), HARNESS_NOW);
    struct buf message = {0};
    for (unsigned i = 0; i < MANY; i++) {
        buf_clear(&message);
        buf_printf(&message,
                   "{\"subject\":{\"type\":\"user\",\"id\":\"u%u\",\"properties\":{\"clearance\":\"high\","
                   "\"roles\":[]}},\"action\":"
                   "{\"name\":\"GET\"},\"resource\":{\"type\":\"route\",\"id\":\"/"
                   "a\"},\"context\":{\"session\":{\"id\":\"t%u\",\"auth_time\":"
                   "1795420800},\"network\":{\"ip\":\"203.0.113.7\"}}}",
                   i, i);
        buf_byte(&message, '\0');
        struct buf question = as_cbor((const char *)message.at);
        if (i == 0) {
            arm(number * 5, all_after); // every fifth meets each place that grows
        }
        refused += !begins(&s, &question, i, name, number, all_after);
        buf_fini(&question);
    }
    size_t was = fired;
    struct session_stats stats;
    session_stats(engine_sessions(s.engine), &stats);
    expect(stats.sessions == MANY + 1, "sessions are lost", name, number, all_after);
    expect(fired > 0 || refused == 0, "refused for nothing", name, number, all_after);
    expect_served(&s, name, number, all_after);
    buf_fini(&message);
    end(&s);
    fired = was;
}

static void read_berlin(void)
{
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    if (file != NULL) {
        zone_len = fread(zone, 1, sizeof zone, file);
        fclose(file);
    }
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    read_berlin();
    if (zone_len == 0) {
        printf("skipped: no time zones on this machine (tzdata)\n");
        return 0;
    }
    each("compile", compile);
    each("refuse", refuse);
    each("read lists anew", relist);
    each("engine and worker", start);
    each("question in JSON, allowed", json_allowed);
    each("question in JSON, denied", json_denied);
    each("question in CBOR, allowed", cbor_allowed);
    each("question in CBOR, denied", cbor_denied);
    each("search in JSON", json_search);
    each("event", event);
    each("batch", batch);
    each("malformed", malformed);
    each("reload", reload);
    each("many sessions", grow);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        expect(WORDS[i].said, WORDS[i].words, "never said", 0, false);
    }
    printf("%u checks, %u failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
