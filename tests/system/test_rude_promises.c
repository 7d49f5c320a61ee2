// SPDX-License-Identifier: Apache-2.0
// Attacks on what is promised: an ended session is never allowed again, a probe moves nothing, nobody ends
// what is not theirs, and what is left out or mistyped widens nothing.
#include "system/rude.h"

#define POLICIES                                                        \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n" \
    "  - {id: read, effect: allow, actions: [GET]}\n"                   \
    "  - {id: over, effect: terminate, when: 'has(context.end) && context.end == \"now\"'}\n"

// 2099-11-23T08:00:00Z: what begins here is not forgotten while the test runs.
#define NOON INT64_C(4098931200000)
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static struct daemon daemon_;

// A session of its own for every test.
struct who {
    char session[64];
    const char *subject, *type, *tenant, *roles; // the last two may be NULL
    int64_t auth_s;
    int64_t at_ms; // 0: the real clock
};

static struct who alice(const char *session)
{
    struct who who = {.subject = "alice", .type = "user", .auth_s = NOON / 1000 - 60, .at_ms = NOON};
    (void)snprintf(who.session, sizeof who.session, "%s", session);
    return who;
}

// `context` is more of the context, with a comma in front.
static json_t *question_of(const struct who *who, const char *id, const char *context)
{
    char text[2048], tenant[64] = "", roles[64] = "", more[160] = "";
    if (who->tenant != NULL) {
        (void)snprintf(tenant, sizeof tenant, "\"tenant\": \"%s\",", who->tenant);
    }
    if (who->roles != NULL) {
        (void)snprintf(roles, sizeof roles, ", \"properties\": {\"roles\": [\"%s\"]}", who->roles);
    }
    if (id != NULL) {
        (void)snprintf(more, sizeof more, "\"request_id\": \"%s\",", id);
    }
    (void)snprintf(text, sizeof text,
                   "{%s%s\"subject\": {\"type\": \"%s\", \"id\": \"%s\"%s}, \"action\": {\"name\": \"GET\"}, "
                   "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}, "
                   "\"context\": {\"session\": {\"id\": \"%s\", \"auth_time\": %lld}%s}}",
                   tenant, more, who->type, who->subject, roles, who->session, (long long)who->auth_s,
                   context);
    json_t *root = json_loads(text, JSON_ALLOW_NUL, NULL);
    CHECK(root != NULL);
    return root;
}

static json_t *event_of(const struct who *who, const char *type, const char *id)
{
    json_t *question = question_of(who, NULL, "");
    json_t *event =
        json_pack("{s:s, s:O, s:O}", "type", type, "subject", json_object_get(question, "subject"), "context",
                  json_object_get(question, "context"));
    json_t *root = json_pack("{s:s, s:o}", "request_id", id, "event", event);
    json_decref(question);
    return root;
}

// Sends it at the time given; frees it. The answer is the caller's.
static json_t *send_at(int64_t at_ms, json_t *root)
{
    if (at_ms != 0 && json_object_get(root, "event") != NULL) {
        json_object_set_new(root, "at", json_integer(at_ms));
    } else if (at_ms != 0) {
        root = json_pack("{s:I, s:o}", "at", (json_int_t)at_ms, "request", root);
    }
    char *text = json_dumps(root, JSON_COMPACT);
    json_t *answer = text != NULL ? asked(&daemon_, "decide.ipc", text) : NULL;
    free(text);
    json_decref(root);
    return answer;
}

static const char *effect_at(int64_t at_ms, json_t *root)
{
    json_t *answer = send_at(at_ms, root);
    const char *effect = effect_of(answer);
    json_decref(answer);
    return effect;
}

static const char *asks(const struct who *who, const char *id, const char *context)
{
    return effect_at(who->at_ms, question_of(who, id, context));
}

// `recorded`, or the code of the refusal.
static const char *tells(const struct who *who, const char *type, const char *id)
{
    static char out[64];
    json_t *answer = send_at(who->at_ms, event_of(who, type, id));
    bool recorded = strcmp(at_path(answer, "event.recorded"), "true") == 0;
    (void)snprintf(out, sizeof out, "%.60s", recorded ? "recorded" : at_path(answer, "event.code"));
    json_decref(answer);
    return out;
}

static bool is(const char *got, const char *wanted, const char *what)
{
    bool same = strcmp(got, wanted) == 0;
    if (!same) {
        (void)fprintf(stderr, "%s: %s instead of %s\n", what, got, wanted);
    }
    return same;
}

static void analyst_ends(const char *session)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"op\": \"session.terminate\", \"session\": \"%s\", \"reason\": \"test\"}", session);
    json_t *root = asked(&daemon_, "admin.ipc", text);
    CHECK(strcmp(at_path(root, "ok"), "true") == 0);
    json_decref(root);
}

// All that an analyst sees of a session, as text: the caller's to free. NULL: not known.
static char *session_seen(const char *session)
{
    char text[256];
    (void)snprintf(text, sizeof text, "{\"op\": \"session.show\", \"session\": \"%s\"}", session);
    json_t *root = asked(&daemon_, "admin.ipc", text);
    char *out =
        strcmp(at_path(root, "ok"), "true") == 0 ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(root);
    return out;
}

static bool session_known(const char *session)
{
    char *seen = session_seen(session);
    free(seen);
    return seen != NULL;
}

// ---- An ended session ---------------------------------------------------------------------------

static void end_by_rule(const struct who *who)
{
    CHECK(is(asks(who, "end", ", \"end\": \"now\""), "terminate/policy", "ended by a rule"));
}

static void end_by_analyst(const struct who *who)
{
    analyst_ends(who->session);
}

static void end_by_logout(const struct who *who)
{
    CHECK(is(tells(who, "logout", "bye"), "recorded", "logout"));
}

static void end_by_fixation(const struct who *who)
{
    struct who other = *who;
    other.subject = "mallory";
    CHECK(is(asks(&other, "mine", ""), "terminate/fixation", "fixation"));
}

static void end_by_age(const struct who *who)
{
    struct who later = *who;
    later.at_ms += 25 * HOUR;
    CHECK(is(asks(&later, "late", ""), "terminate/expired", "too old"));
}

static void end_in_a_batch(const struct who *who)
{
    json_t *root = question_of(who, NULL, "");
    json_t *context = json_deep_copy(json_object_get(root, "context"));
    json_object_set_new(context, "end", json_string("now"));
    json_object_set_new(root, "evaluations", json_pack("[{}, {s:o}, {}]", "context", context));
    json_t *answer = send_at(who->at_ms, root);
    for (size_t i = 0; i < 3; i++) {
        CHECK(is(effect_of(json_array_get(json_object_get(answer, "evaluations"), i)),
                 i < 2 ? "terminate/policy" : "terminate/terminated", "an item beside one that ends"));
    }
    json_decref(answer);
}

static const struct {
    const char *name;
    void (*end)(const struct who *who);
} ENDS[] = {
    {"by rule", end_by_rule},         {"by analyst", end_by_analyst}, {"by logout", end_by_logout},
    {"by fixation", end_by_fixation}, {"by age", end_by_age},         {"in a batch", end_in_a_batch},
};

static void never_allowed(const char *way, const char *how, const char *effect)
{
    bool allowed = strncmp(effect, "allow", 5) == 0 || strcmp(effect, "no answer") == 0;
    CHECK(!allowed);
    if (allowed) {
        (void)fprintf(stderr, "%s, then %s: %s\n", way, how, effect);
    }
}

// The same question in CBOR, with the keys of its maps forwards or backwards.
static void in_cbor(const char *way, const struct who *who, bool backwards)
{
    unsigned char cbor[2048];
    static char answer[65536];
    json_t *root =
        json_pack("{s:I, s:o}", "at", (json_int_t)who->at_ms, "request", question_of(who, "first", ""));
    int fd = connect_ipc(&daemon_, "decide.ipc");
    ssize_t len = fd >= 0 && shake(fd)
                      ? ask_bytes(fd, SP_IPC, 1, cbor, cbor_of(root, backwards, cbor), answer, sizeof answer)
                      : -1;
    CHECK(len > 0);
    bool ended = len > 0 && memmem(answer, (size_t)len, "terminate", 9) != NULL &&
                 memmem(answer, (size_t)len, "allow", 5) == NULL;
    CHECK(ended);
    if (!ended) {
        (void)fprintf(stderr, "%s, then in CBOR\n", way);
    }
    (void)close(fd);
    json_decref(root);
}

static void as_a_batch(const char *way, const struct who *who, const char *semantic)
{
    json_t *root = question_of(who, "first", "");
    json_object_set_new(root, "evaluations",
                        json_pack("[{}, {s:s}, {s:{s:s}}]", "request_id", "first", "action", "name", "GET"));
    json_object_set_new(root, "options", json_pack("{s:s}", "evaluations_semantic", semantic));
    json_t *answer = send_at(who->at_ms, root), *items = json_object_get(answer, "evaluations");
    CHECK(json_array_size(items) > 0);
    for (size_t i = 0; i < json_array_size(items); i++) {
        never_allowed(way, "in a batch", effect_of(json_array_get(items, i)));
    }
    json_decref(answer);
}

static void subjects_alike(const char *way, const struct who *who)
{
    static const char *const ALIKE[] = {"Alice",       "alice ",      " alice",      "alice\\u0000",
                                        "al\\u0131ce", "\\u0430lice", "alic\\u0065", "ali\\u00adce"};
    for (size_t i = 0; i < COUNT_OF(ALIKE); i++) {
        struct who other = *who;
        other.subject = ALIKE[i];
        never_allowed(way, ALIKE[i], asks(&other, "first", ""));
    }
    static const char *const TENANTS[] = {"acme", "Acme", " "};
    for (size_t i = 0; i < COUNT_OF(TENANTS); i++) {
        struct who other = *who;
        other.tenant = TENANTS[i];
        never_allowed(way, "another tenant", asks(&other, "first", ""));
    }
    struct who typed = *who;
    typed.type = "service";
    never_allowed(way, "another type", asks(&typed, "first", ""));
}

static void at_other_times(const char *way, const struct who *who)
{
    static const int64_t STEPS[] = {-400 * 24 * HOUR, -48 * HOUR, -HOUR,          -1, 1, HOUR, 23 * HOUR,
                                    24 * HOUR,        49 * HOUR,  400 * 24 * HOUR};
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        struct who then = *who;
        then.at_ms += STEPS[i];
        never_allowed(way, "at another time", asks(&then, NULL, ""));
        then.auth_s = then.at_ms / 1000 - 1; // and authenticated just before
        never_allowed(way, "at another time, fresh", asks(&then, NULL, ""));
        then.auth_s = then.at_ms / 1000 + 59;
        never_allowed(way, "at another time, in the future", asks(&then, NULL, ""));
    }
}

static void events_after(const char *way, const struct who *who)
{
    static const char *const TYPES[] = {"login",        "start",          "step_up_passed", "signal",
                                        "login_failed", "step_up_failed", "logout"};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "again-%zu", i);
        (void)tells(who, TYPES[i], i == 0 ? "hello" : id); // the first is the login that there was, once more
        never_allowed(way, TYPES[i], asks(who, NULL, ""));
    }
}

static void an_ended_session_stays_ended(void)
{
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "ended-%zu", i);
        struct who who = alice(name);
        if (i % 2 == 0) {
            CHECK(is(tells(&who, "login", "hello"), "recorded", "login"));
        }
        CHECK(is(asks(&who, "first", ""), "allow/policy", "before the end"));
        ENDS[i].end(&who);
        CHECK(strncmp(asks(&who, "first", ""), "terminate", 9) == 0); // the repeat of what was allowed
        in_cbor(ENDS[i].name, &who, false);
        in_cbor(ENDS[i].name, &who, true);
        never_allowed(ENDS[i].name, "under a new id", asks(&who, "second", ""));
        never_allowed(ENDS[i].name, "as a probe", asks(&who, NULL, ", \"purpose\": \"probe\""));
        as_a_batch(ENDS[i].name, &who, "execute_all");
        as_a_batch(ENDS[i].name, &who, "permit_on_first_permit");
        events_after(ENDS[i].name, &who);
        subjects_alike(ENDS[i].name, &who);
        at_other_times(ENDS[i].name, &who);
    }
}

// Recordings of last year are played on the clock of then; what ended in them stays ended.
static void the_past_is_played_whole(void)
{
    struct who who = alice("last-year");
    who.at_ms = ((int64_t)time(NULL) - 365 * 24 * 3600) * 1000;
    who.auth_s = who.at_ms / 1000 - 60;
    CHECK(is(asks(&who, "first", ""), "allow/policy", "last year"));
    CHECK(is(asks(&who, "end", ", \"end\": \"now\""), "terminate/policy", "ended last year"));
    struct who live = alice("last-year-live");
    live.at_ms = who.at_ms;
    live.auth_s = who.auth_s;
    CHECK(is(asks(&live, "first", ""), "allow/policy", "last year"));
    (void)poll(NULL, 0, 2500); // a sweep goes by
    who.at_ms += MINUTE;
    never_allowed("by rule last year", "a minute later", asks(&who, "again", ""));
    CHECK(session_known(live.session));
}

// ---- Probes -------------------------------------------------------------------------------------

static void a_probe_moves_nothing(void)
{
    static const char PROBE[] = ", \"purpose\": \"probe\"",
                      ENDING[] = ", \"purpose\": \"probe\", \"end\": \"now\"";
    struct who who = alice("probed"), none = alice("probed-never-seen"), thief = who, late = who;
    CHECK(is(asks(&none, NULL, PROBE), "allow/policy", "a probe of what is not known"));
    CHECK(!session_known(none.session));
    CHECK(is(asks(&who, "first", ""), "allow/policy", "before the probes"));
    char *before = session_seen(who.session);
    CHECK(before != NULL);
    thief.subject = "mallory";
    late.at_ms += 30 * HOUR;
    CHECK(is(asks(&who, NULL, PROBE), "allow/policy", "a probe"));
    CHECK(is(asks(&who, "p", PROBE), "allow/policy", "a probe with an id"));
    CHECK(is(asks(&who, NULL, ENDING), "deny/policy", "a probe of what would end"));
    CHECK(is(asks(&thief, NULL, PROBE), "deny/fixation", "a probe by another"));
    CHECK(is(asks(&late, NULL, PROBE), "deny/expired", "a probe after the end"));
    for (int i = 0; i < 100; i++) {
        struct who then = who;
        then.at_ms += i;
        (void)asks(&then, NULL,
                   ", \"purpose\": \"probe\", \"device\": {\"fingerprint\": \"x\"}, \"network\": {\"ip\": "
                   "\"192.0.2.1\"}");
    }
    json_t *root = question_of(&who, NULL, ENDING);
    json_object_set_new(root, "evaluations", json_pack("[{}, {}]"));
    json_t *answer = send_at(who.at_ms, root);
    CHECK(is(effect_of(json_array_get(json_object_get(answer, "evaluations"), 0)), "deny/policy",
             "a batch of probes"));
    json_decref(answer);
    char *after = session_seen(who.session);
    bool same = before != NULL && after != NULL && strcmp(before, after) == 0;
    CHECK(same);
    if (!same) {
        (void)fprintf(stderr, "before %s\nafter  %s\n", before, after);
    }
    CHECK(is(asks(&who, "p", ""), "allow/policy", "an id that a probe used"));
    free(before);
    free(after);
}

// ---- Somebody else's session --------------------------------------------------------------------

static void nobody_ends_what_is_not_theirs(void)
{
    struct who who = alice("victim"), own = alice("the-attacker's"), claim = alice("claimed");
    CHECK(is(asks(&who, "first", ""), "allow/policy", "the victim"));
    char *seen = session_seen(who.session);
    json_t *shown = json_loads(seen != NULL ? seen : "", 0, NULL);
    char ref[64];
    (void)snprintf(ref, sizeof ref, "%s", at_path(shown, "session.ref"));
    json_decref(shown);
    free(seen);

    // In the same name, in the same tenant, by the public reference: other sessions, all of them.
    CHECK(is(asks(&claim, NULL, ", \"end\": \"now\""), "deny/policy", "an end at first sight"));
    CHECK(!session_known(claim.session));
    CHECK(is(asks(&own, NULL, ""), "allow/policy", "the attacker's own"));
    CHECK(is(asks(&own, NULL, ", \"end\": \"now\""), "terminate/policy", "ends the attacker's own"));
    (void)snprintf(claim.session, sizeof claim.session, "%s", ref);
    CHECK(ref[0] == 's');
    (void)asks(&claim, NULL, "");
    (void)asks(&claim, NULL, ", \"end\": \"now\"");
    static const char *const ALIKE[] = {"Victim", "victim ", "victim\\u0000", " victim"};
    for (size_t i = 0; i < COUNT_OF(ALIKE); i++) {
        struct who other = alice(ALIKE[i]);
        (void)asks(&other, NULL, "");
        (void)asks(&other, NULL, ", \"end\": \"now\"");
    }
    // A batch that ends one session says so of every item, and ends that one alone.
    json_t *root = question_of(&who, NULL, "");
    struct who third = alice("third");
    (void)asks(&third, NULL, "");
    json_t *ending = question_of(&third, NULL, ", \"end\": \"now\"");
    json_object_set_new(root, "evaluations",
                        json_pack("[{}, {s:O}]", "context", json_object_get(ending, "context")));
    json_decref(ending);
    json_decref(send_at(who.at_ms, root));
    CHECK(!session_known("no such session"));
    // Failed proofs in the victim's name.
    for (int i = 0; i < 50; i++) {
        char id[32];
        struct who other = alice("guessing");
        (void)snprintf(id, sizeof id, "fail-%d", i);
        (void)tells(&other, "login_failed", id);
        (void)tells(&other, "step_up_failed", id);
        (void)tells(&other, "logout", id);
    }
    CHECK(is(asks(&who, "last", ""), "allow/policy", "the victim, after all that"));
}

// ---- Repeats ------------------------------------------------------------------------------------

static void a_repeat_is_one_in_any_form(void)
{
    struct who who = alice("repeated");
    CHECK(is(asks(&who, "first", ""), "allow/policy", "the first"));
    char *before = session_seen(who.session);
    for (int i = 0; i < 10; i++) {
        struct who then = who;
        then.at_ms += i; // later, too
        json_t *answer = send_at(then.at_ms, question_of(&then, "first", ""));
        CHECK(strcmp(at_path(answer, "context.repeated"), "true") == 0);
        json_decref(answer);
    }
    unsigned char cbor[2048];
    static char text[65536];
    for (int i = 0; i < 4; i++) {
        json_t *root =
            json_pack("{s:I, s:o}", "at", (json_int_t)who.at_ms, "request", question_of(&who, "first", ""));
        int fd = connect_ipc(&daemon_, "decide.ipc");
        ssize_t len = fd >= 0 && shake(fd)
                          ? ask_bytes(fd, SP_IPC, 1, cbor, cbor_of(root, i % 2 != 0, cbor), text, sizeof text)
                          : -1;
        CHECK(len > 0 && memmem(text, (size_t)len, "repeated", 8) != NULL);
        (void)close(fd);
        json_decref(root);
    }
    char *after = session_seen(who.session);
    CHECK(before != NULL && after != NULL && strcmp(before, after) == 0);
    free(before);
    free(after);
    json_t *other = question_of(&who, "first", "");
    json_object_set_new(json_object_get(other, "resource"), "id", json_string("/b"));
    CHECK(is(effect_at(who.at_ms, other), "deny/malformed", "the same id for another resource"));
    struct who changed = who;
    changed.roles = "staff";
    CHECK(is(asks(&changed, "first", ""), "deny/malformed", "the same id with other roles"));
    CHECK(
        is(asks(&who, "first", ", \"end\": \"now\""), "deny/malformed", "the same id with another context"));
    CHECK(is(asks(&who, "first", ""), "allow/policy", "the same id and question"));
}

// ---- Races --------------------------------------------------------------------------------------

struct racer {
    pthread_t thread;
    const char *text; // the question
    _Atomic bool stop;
    _Atomic int64_t allowed_us; // when the last question began that was allowed
    _Atomic uint64_t asked;
};

static void *racer_main(void *user)
{
    struct racer *racer = user;
    int fd = connect_ipc(&daemon_, "decide.ipc");
    bool open = fd >= 0 && shake(fd);
    char answer[8192];
    while (open && !atomic_load(&racer->stop)) {
        int64_t began = now_us();
        open = ask(fd, SP_IPC, 1, racer->text, answer, sizeof answer);
        if (open && strstr(answer, "\"decision\":true") != NULL) {
            atomic_store(&racer->allowed_us, began);
        }
        atomic_fetch_add(&racer->asked, 1);
    }
    (void)close(fd);
    return NULL;
}

// Several workers are asked about one session all the while that it is ended: none allows it after the word
// is given.
static void an_end_holds_at_once(void)
{
    enum {
        ROUNDS = RUDE_SANITIZED ? 20 : 60,
        RACERS = 4
    };
    for (int round = 0; round < ROUNDS; round++) {
        char name[64];
        (void)snprintf(name, sizeof name, "raced-%d", round);
        struct who who = alice(name);
        who.at_ms = 0;
        who.auth_s = (int64_t)time(NULL) - 5;
        json_t *root = question_of(&who, NULL, "");
        char *text = json_dumps(root, JSON_COMPACT);
        json_decref(root);
        struct racer racers[RACERS] = {{.text = text}, {.text = text}, {.text = text}, {.text = text}};
        for (size_t i = 0; i < RACERS; i++) {
            CHECK(pthread_create(&racers[i].thread, NULL, racer_main, &racers[i]) == 0);
        }
        for (size_t i = 0; i < RACERS; i++) {
            while (atomic_load(&racers[i].asked) < 20 && daemon_lives(&daemon_)) {
                (void)poll(NULL, 0, 0);
            }
        }
        static void (*const HOW[])(const struct who *who) = {end_by_analyst, end_by_rule, end_by_logout};
        HOW[round % 3](&who);
        int64_t acknowledged = now_us();
        uint64_t before = atomic_load(&racers[0].asked);
        while (atomic_load(&racers[0].asked) < before + 20 && daemon_lives(&daemon_)) {
            (void)poll(NULL, 0, 0);
        }
        for (size_t i = 0; i < RACERS; i++) {
            atomic_store(&racers[i].stop, true);
            (void)pthread_join(racers[i].thread, NULL);
            CHECK(atomic_load(&racers[i].allowed_us) > 0 &&
                  atomic_load(&racers[i].allowed_us) < acknowledged);
        }
        free(text);
    }
}

int main(void)
{
    daemon_folder(&daemon_);
    put_file(&daemon_, "policies/web.yaml", POLICIES);
    struct daemon_how how = standard_how();
    for (size_t i = 0; i < COUNT_OF(how.args); i++) {
        if (how.args[i] == NULL) {
            how.args[i] = "--simulate";
            break;
        }
    }
    daemon_spawn(&daemon_, &how);
    CHECK(daemon_ready(&daemon_));
    if (failures == 0) {
        an_ended_session_stays_ended();
        a_probe_moves_nothing();
        nobody_ends_what_is_not_theirs();
        a_repeat_is_one_in_any_form();
        an_end_holds_at_once();
        the_past_is_played_whole();
    }
    CHECK(daemon_stop(&daemon_) == 0);
    daemon_clean(&daemon_);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
