// SPDX-License-Identifier: Apache-2.0
#include "haproxy/notify.h"

#include "unit/haproxy/hex.h"

#include <criterion/criterion.h>
#include <stdio.h>

// A message of `n` arguments.
#define MESSAGE(n) "05 \"check\" " n " "
#define METHOD "06 \"method\" 08 03 \"GET\" "
#define TARGET "06 \"target\" 08 04 \"/a?b\" "
#define NEEDED METHOD TARGET
#define NEEDS_HEADERS "argument `headers` is missing, in which the settings look for the session and the user"
#define HEADERS(len) "07 \"headers\" 09 " len " "

static const struct {
    const char *name, *payload, *setting; // `name=value`, or none
    const char *why;                      // NULL: it is a request
    // What it then says.
    const char *address, *session, *forwarded, *agent, *subject;
} CASES[] = {
    {.name = "the least", .payload = MESSAGE("02") NEEDED},
    {.name = "IPv4", .payload = MESSAGE("03") NEEDED "02 \"ip\" 06 7f000001", .address = "127.0.0.1"},
    {.name = "IPv6",
     .payload = MESSAGE("03") NEEDED "02 \"ip\" 07 20010db8000000000000000000000001",
     .address = "2001:db8::1"},
    {.name = "an address as text",
     .payload = MESSAGE("03") NEEDED "02 \"ip\" 08 07 \"1.2.3.4\"",
     .address = "1.2.3.4"},
    {.name = "no address", .payload = MESSAGE("03") NEEDED "02 \"ip\" 00"},
    {.name = "a session", .payload = MESSAGE("03") NEEDED "07 \"session\" 08 03 \"s-1\"", .session = "s-1"},
    {.name = "a cookie",
     .payload = MESSAGE("03") NEEDED "06 \"cookie\" 08 0c \"a=1; sid=s-1\"",
     .setting = "session=cookie:sid",
     .session = "s-1"},
    {.name = "no cookie at all",
     .payload = MESSAGE("03") NEEDED "06 \"cookie\" 00",
     .setting = "session=cookie:sid"},
    {.name = "a session wins over the cookie",
     .payload = MESSAGE("04") NEEDED "07 \"session\" 08 03 \"s-2\" 06 \"cookie\" 08 07 \"sid=s-1\"",
     .setting = "session=cookie:sid",
     .session = "s-2"},
    {.name = "cookies of two lines",
     .payload =
         MESSAGE("03") NEEDED HEADERS("1f") "06 \"cookie\" 03 \"a=1\" 06 \"Cookie\" 0a \"b=2; sid=x\" 00 00",
     .setting = "session=cookie:sid",
     .session = "x"},
    {.name = "the same cookie twice",
     .payload =
         MESSAGE("03") NEEDED HEADERS("1c") "06 \"cookie\" 05 \"sid=y\" 06 \"cookie\" 05 \"sid=x\" 00 00",
     .setting = "session=cookie:sid",
     .why = "a cookie that says who asks is there twice, with different values"},
    {.name = "the same cookie twice, alike",
     .payload =
         MESSAGE("03") NEEDED HEADERS("1c") "06 \"cookie\" 05 \"sid=x\" 06 \"cookie\" 05 \"sid=x\" 00 00",
     .setting = "session=cookie:sid",
     .session = "x"},
    {.name = "a session's header",
     .payload = MESSAGE("03") NEEDED HEADERS("0e") "07 \"x-token\" 03 \"s-1\" 00 00",
     .setting = "session=header:X-Token",
     .session = "s-1"},
    {.name = "a session's header twice",
     .payload =
         MESSAGE("03") NEEDED HEADERS("1a") "07 \"x-token\" 03 \"s-1\" 07 \"x-token\" 03 \"s-2\" 00 00",
     .setting = "session=header:X-Token",
     .why = "a header that says who asks is there twice"},
    {.name = "two lines of X-Forwarded-For",
     .payload =
         MESSAGE("03") NEEDED HEADERS("39") "0f \"x-forwarded-for\" 05 \"1, 22\" 0f \"X-Forwarded-For\" 03 "
                                            "\"333\" 0a \"user-agent\" 01 \"u\" 00 00",
     .forwarded = "1 22 333",
     .agent = "u"},
    {.name = "X-Forwarded-For as an argument",
     .payload = MESSAGE("03") NEEDED "0d \"forwarded_for\" 08 04 \"1,,2\"",
     .forwarded = "1  2"},
    {.name = "two user agents",
     .payload =
         MESSAGE("03") NEEDED HEADERS("1c") "0a \"user-agent\" 01 \"u\" 0a \"user-agent\" 01 \"v\" 00 00",
     .why = "header `user-agent` is there twice with different values"},
    {.name = "two user agents, but an argument",
     .payload =
         MESSAGE("04") NEEDED HEADERS("1c") "0a \"user-agent\" 01 \"u\" 0a \"user-agent\" 01 \"v\" 00 00 "
                                            "0a \"user_agent\" 08 01 \"w\"",
     .agent = "w"},
    {.name = "a user that a trusted proxy names",
     .payload =
         MESSAGE("04") NEEDED "02 \"ip\" 06 7f000001 " HEADERS("0f") "06 \"x-user\" 05 \"alice\" 00 00",
     .setting = "subject=header:X-User",
     .address = "127.0.0.1",
     .subject = "alice"},
    {.name = "a user that a client names",
     .payload =
         MESSAGE("04") NEEDED "02 \"ip\" 06 01020304 " HEADERS("0f") "06 \"x-user\" 05 \"alice\" 00 00",
     .setting = "subject=header:X-User",
     .address = "1.2.3.4"},
    {.name = "a user whom an argument names",
     .payload = MESSAGE("05") NEEDED
     "02 \"ip\" 06 01020304 " HEADERS("0f") "06 \"x-user\" 05 \"alice\" 00 00 07 \"subject\" 08 03 \"bob\"",
     .setting = "subject=header:X-User",
     .address = "1.2.3.4",
     .subject = "bob"},
    {.name = "nobody, with a session",
     .payload = MESSAGE("04") NEEDED "07 \"subject\" 00 07 \"session\" 08 03 \"s-1\""},
    {.name = "nobody, where somebody must be",
     .payload = MESSAGE("03") NEEDED HEADERS("02") "00 00",
     .setting = "anonymous=refuse",
     .why = "there is no subject, and `anonymous` is `refuse`"},
    {.name = "somebody, by an argument",
     .payload = MESSAGE("04") NEEDED HEADERS("02") "00 00 07 \"subject\" 08 03 \"bob\"",
     .setting = "anonymous=refuse",
     .subject = "bob"},
    {.name = "no method", .payload = MESSAGE("01") TARGET, .why = "argument `method` is missing"},
    {.name = "no target", .payload = MESSAGE("01") METHOD, .why = "argument `target` is missing"},
    {.name = "a target that is null",
     .payload = MESSAGE("02") METHOD "06 \"target\" 00",
     .why = "argument `target` is missing"},
    {.name = "no message", .payload = "", .why = "there is no message"},
    {.name = "two messages",
     .payload = MESSAGE("02") NEEDED MESSAGE("00"),
     .why = "there is more than one message"},
    {.name = "cut", .payload = MESSAGE("03") NEEDED, .why = "the message ends too early"},
    {.name = "an argument twice",
     .payload = MESSAGE("03") NEEDED METHOD,
     .why = "argument `method` is there twice"},
    {.name = "one that is not known",
     .payload = MESSAGE("03") NEEDED "0c \"forwaded_for\" 00",
     .why = "argument `forwaded_for` is not known"},
    {.name = "one without a name",
     .payload = MESSAGE("03") NEEDED "00 00",
     .why = "argument `` is not known"},
    {.name = "a method that is a number",
     .payload = MESSAGE("02") TARGET "06 \"method\" 03 01",
     .why = "argument `method` is no text"},
    {.name = "a binary host",
     .payload = MESSAGE("03") NEEDED "04 \"host\" 09 01 00",
     .why = "argument `host` is no text"},
    {.name = "https as text",
     .payload = MESSAGE("03") NEEDED "05 \"https\" 08 01 \"1\"",
     .why = "argument `https` is no boolean"},
    {.name = "an address that is a number",
     .payload = MESSAGE("03") NEEDED "02 \"ip\" 03 01",
     .why = "argument `ip` is no address"},
    {.name = "headers as text",
     .payload = MESSAGE("03") NEEDED "07 \"headers\" 08 02 \"xx\"",
     .why = "argument `headers` is not what `req.hdrs_bin` gives"},
    {.name = "headers without an end",
     .payload = MESSAGE("03") NEEDED HEADERS("03") "01 \"a\" 00",
     .why = "argument `headers` ends too early"},
    {.name = "headers behind their end",
     .payload = MESSAGE("03") NEEDED HEADERS("03") "00 00 00",
     .why = "a header has no name"},
    {.name = "a header without a name",
     .payload = MESSAGE("03") NEEDED HEADERS("03") "00 01 \"x\"",
     .why = "a header has no name"},
    {.name = "headers, and X-Forwarded-For again",
     .payload = MESSAGE("04") NEEDED HEADERS("02") "00 00 0d \"forwarded_for\" 08 01 \"1\"",
     .why = "argument `forwarded_for` says again what `headers` says"},
    {.name = "the session's cookie cannot be there",
     .payload = MESSAGE("02") NEEDED,
     .setting = "session=cookie:sid",
     .why = NEEDS_HEADERS},
    {.name = "the session's header cannot be there",
     .payload = MESSAGE("02") NEEDED,
     .setting = "session=header:X-Token",
     .why = NEEDS_HEADERS},
};

static bool says(struct text text, const char *expected)
{
    return expected == NULL ? text.at == NULL : text.at != NULL && text_eq(text, text_of(expected));
}

static bool forwards(const struct facts *facts, const char *expected)
{
    struct text left = text_of(expected), entry;
    size_t i = 0;
    while (text_cut(&left, ' ', &entry)) {
        if (i >= facts->forwarded_count || !text_eq(facts->forwarded_for[i], entry)) {
            return false;
        }
        i++;
    }
    return i == facts->forwarded_count;
}

static void say(void *user, enum pdp_log_level level, const char *event, const char *text)
{
    (void)user, (void)level, (void)event, (void)text;
}

static struct identity *identity_of(const char *said)
{
    char name[32];
    const char *equals = strchr(said, '=');
    struct pdp_setting setting = {name, equals != NULL ? equals + 1 : ""};
    struct pdp_adapter_setup setup = {
        .size = sizeof setup, .settings = &setting, .setting_count = equals != NULL, .log = say};
    struct pdp_adapter_wrong wrong;
    struct identity *identity = NULL;
    (void)snprintf(name, sizeof name, "%.*s", (int)(equals != NULL ? equals - said : 0), said);
    cr_assert_eq(identity_new(&setup, &identity, &wrong), PDP_ERR_OK, "%s", said);
    return identity;
}

Test(haproxy_notify, what_a_message_says)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct hex bytes = hex_of(CASES[i].payload);
        const char *setting = CASES[i].setting != NULL ? CASES[i].setting : "";
        struct identity *identity = identity_of(setting);
        struct notify_rules rules = {identity, strncmp(setting, "session=", 8) == 0};
        struct notify notify;
        enum pdp_err err =
            notify_read((struct spop_reader){bytes.at, bytes.at + bytes.len}, &rules, 1, &notify);
        bool nobody = strcmp(setting, "anonymous=refuse") == 0;
        enum pdp_err bad = nobody ? PDP_ERR_DENIED : PDP_ERR_MALFORMED;
        cr_expect_eq(err, CASES[i].why == NULL ? PDP_ERR_OK : bad, "%s: %s", CASES[i].name, notify.why);
        cr_expect_str_eq(notify.why, CASES[i].why != NULL ? CASES[i].why : "", "%s: %s", CASES[i].name,
                         notify.why);
        bool known = err == PDP_ERR_OK;
        cr_expect(says(notify.facts.method, known ? "GET" : NULL), "%s", CASES[i].name);
        cr_expect(says(notify.facts.target, known ? "/a?b" : NULL), "%s", CASES[i].name);
        cr_expect(says(notify.facts.address, CASES[i].address), "%s", CASES[i].name);
        cr_expect(says(notify.facts.session_id, CASES[i].session), "%s", CASES[i].name);
        cr_expect(says(notify.facts.user_agent, CASES[i].agent), "%s", CASES[i].name);
        cr_expect(says(notify.facts.subject_id, CASES[i].subject), "%s", CASES[i].name);
        cr_expect(forwards(&notify.facts, CASES[i].forwarded), "%s", CASES[i].name);
        cr_expect_eq(notify.challenge != NULL, err == PDP_ERR_DENIED, "%s", CASES[i].name);
        notify_fini(&notify);
        identity_free(&identity);
    }
}

Test(haproxy_notify, everything_else)
{
    struct hex bytes = hex_of(
        MESSAGE("0e") NEEDED
        "04 \"host\" 08 01 \"h\" 05 \"https\" 11 07 \"subject\" 08 05 \"alice\" 0c \"subject_type\" 08 07 "
        "\"service\" "
        "06 \"tenant\" 08 04 \"acme\" 05 \"roles\" 08 06 \"hr, it\" 09 \"auth_time\" 04 f000 03 \"acr\" 08 "
        "04 \"aal1\" "
        "03 \"amr\" 08 07 \"pwd otp\" 03 \"ja4\" 08 01 \"j\" 06 \"device\" 08 01 \"d\" 06 \"scheme\" 00");
    struct notify notify;
    cr_assert_eq(notify_read((struct spop_reader){bytes.at, bytes.at + bytes.len}, &(struct notify_rules){0},
                             1, &notify),
                 PDP_ERR_OK, "%s", notify.why);
    const struct facts *facts = &notify.facts;
    cr_expect(says(facts->host, "h") && says(facts->scheme, "https") && says(facts->tenant, "acme"));
    cr_expect(says(facts->subject_id, "alice") && says(facts->subject_type, "service"));
    cr_expect(says(facts->acr, "aal1") && says(facts->ja4, "j") && says(facts->fingerprint, "d"));
    cr_expect(facts->has_auth_time && facts->auth_time_s == 240);
    cr_assert(facts->role_count == 2 && facts->amr_count == 2);
    cr_expect(says(facts->roles[0], "hr") && says(facts->roles[1], "it"));
    cr_expect(says(facts->amr[0], "pwd") && says(facts->amr[1], "otp"));
}

static const struct {
    const char *value;
    int64_t seconds; // -1: no time
} TIMES[] = {
    {"08 0a \"1795370000\"", 1795370000},
    {"08 00", -1},
    {"08 02 \"1x\"", -1},
    {"08 01 \"-\"", -1},
    {"08 0d \"1234567890123\"", -1},
    {"04 fff0fefefefefefefe0e", -1},
    {"11", -1},
};

Test(haproxy_notify, times)
{
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        char payload[200];
        (void)snprintf(payload, sizeof payload, "%s%s", MESSAGE("03") NEEDED "09 \"auth_time\" ",
                       TIMES[i].value);
        struct hex bytes = hex_of(payload);
        struct notify notify;
        enum pdp_err err = notify_read((struct spop_reader){bytes.at, bytes.at + bytes.len},
                                       &(struct notify_rules){0}, 1, &notify);
        cr_expect_eq(err == PDP_ERR_OK, TIMES[i].seconds >= 0, "%s: %s", TIMES[i].value, notify.why);
        cr_expect(err != PDP_ERR_OK || notify.facts.auth_time_s == TIMES[i].seconds, "%s", TIMES[i].value);
    }
}

static void expect_limit(const char *name, unsigned count, const char *why)
{
    static unsigned char bytes[8192];
    struct spop_writer out = {bytes, bytes + sizeof bytes, false};
    struct hex head = hex_of(MESSAGE("03") NEEDED "07 \"headers\" 09");
    memcpy(bytes, head.at, head.len);
    out.at += head.len;
    spop_write_number(&out, count * (strlen(name) + 3) + 2);
    for (unsigned i = 0; i < count; i++) {
        spop_write_text(&out, text_of(name));
        spop_write_text(&out, TEXT("a"));
    }
    spop_write_text(&out, TEXT(""));
    spop_write_text(&out, TEXT(""));
    struct notify notify;
    cr_assert_not(out.full);
    enum pdp_err err =
        notify_read((struct spop_reader){bytes, out.at}, &(struct notify_rules){0}, 1, &notify);
    cr_expect_eq(err, why == NULL ? PDP_ERR_OK : PDP_ERR_LIMIT, "%u %s: %s", count, name, notify.why);
    cr_expect_str_eq(notify.why, why != NULL ? why : "");
    notify_fini(&notify);
}

Test(haproxy_notify, lines_and_entries_have_limits)
{
    expect_limit("x-forwarded-for", 32, NULL);
    expect_limit("x-forwarded-for", 33, "more than 32 lines of X-Forwarded-For");
    expect_limit("x-any", 128, NULL);
    expect_limit("x-any", 129, "more than 128 headers");
}
