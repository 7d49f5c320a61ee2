// SPDX-License-Identifier: Apache-2.0
#include "haproxy/request.h"

#include "unit/haproxy/hex.h"

#include <criterion/criterion.h>
#include <stdio.h>

// A message of `n` arguments.
#define MESSAGE(n) "05 \"check\" " n " "
#define METHOD "06 \"method\" 08 03 \"GET\" "
#define TARGET "06 \"target\" 08 04 \"/a?b\" "
#define NEEDED METHOD TARGET
#define HEADERS(len) "07 \"headers\" 09 " len " "

static const struct {
    const char *name, *payload, *cookie, *header; // cookie, header: of the session
    const char *why;                              // NULL: it is a request
    // What it then says.
    const char *address, *session, *forwarded, *agent;
} CASES[] = {
    {"the least", MESSAGE("02") NEEDED, "", "", NULL, NULL, NULL, NULL, NULL},
    {"IPv4", MESSAGE("03") NEEDED "02 \"ip\" 06 7f000001", "", "", NULL, "127.0.0.1", NULL, NULL, NULL},
    {"IPv6", MESSAGE("03") NEEDED "02 \"ip\" 07 20010db8000000000000000000000001", "", "", NULL,
     "2001:db8::1", NULL, NULL, NULL},
    {"an address as text", MESSAGE("03") NEEDED "02 \"ip\" 08 07 \"1.2.3.4\"", "", "", NULL, "1.2.3.4", NULL,
     NULL, NULL},
    {"no address", MESSAGE("03") NEEDED "02 \"ip\" 00", "", "", NULL, NULL, NULL, NULL, NULL},
    {"a session", MESSAGE("03") NEEDED "07 \"session\" 08 03 \"s-1\"", "", "", NULL, NULL, "s-1", NULL, NULL},
    {"a cookie", MESSAGE("03") NEEDED "06 \"cookie\" 08 0c \"a=1; sid=s-1\"", "sid", "", NULL, NULL, "s-1",
     NULL, NULL},
    {"no cookie at all", MESSAGE("03") NEEDED "06 \"cookie\" 00", "sid", "", NULL, NULL, NULL, NULL, NULL},
    {"a session wins over the cookie",
     MESSAGE("04") NEEDED "07 \"session\" 08 03 \"s-2\" 06 \"cookie\" 08 07 \"sid=s-1\"", "sid", "", NULL,
     NULL, "s-2", NULL, NULL},
    {"cookies of two lines",
     MESSAGE("03") NEEDED HEADERS("1f") "06 \"cookie\" 03 \"a=1\" 06 \"Cookie\" 0a \"b=2; sid=x\" 00 00",
     "sid", "", NULL, NULL, "x", NULL, NULL},
    {"the same cookie twice",
     MESSAGE("03") NEEDED HEADERS("1c") "06 \"cookie\" 05 \"sid=y\" 06 \"cookie\" 05 \"sid=x\" 00 00", "sid",
     "", "the session's cookie is there twice with different values", NULL, NULL, NULL, NULL},
    {"the same cookie twice, alike",
     MESSAGE("03") NEEDED HEADERS("1c") "06 \"cookie\" 05 \"sid=x\" 06 \"cookie\" 05 \"sid=x\" 00 00", "sid",
     "", NULL, NULL, "x", NULL, NULL},
    {"a session's header", MESSAGE("03") NEEDED HEADERS("0e") "07 \"x-token\" 03 \"s-1\" 00 00", "",
     "X-Token", NULL, NULL, "s-1", NULL, NULL},
    {"a session's header twice",
     MESSAGE("03") NEEDED HEADERS("1a") "07 \"x-token\" 03 \"s-1\" 07 \"x-token\" 03 \"s-2\" 00 00", "",
     "X-Token", "header `of the session` is there twice with different values", NULL, NULL, NULL, NULL},
    {"two lines of X-Forwarded-For",
     MESSAGE("03") NEEDED HEADERS("39") "0f \"x-forwarded-for\" 05 \"1, 22\" 0f \"X-Forwarded-For\" 03 "
                                        "\"333\" 0a \"user-agent\" 01 \"u\" 00 00",
     "", "", NULL, NULL, NULL, "1 22 333", "u"},
    {"X-Forwarded-For as an argument", MESSAGE("03") NEEDED "0d \"forwarded_for\" 08 04 \"1,,2\"", "", "",
     NULL, NULL, NULL, "1  2", NULL},
    {"two user agents",
     MESSAGE("03") NEEDED HEADERS("1c") "0a \"user-agent\" 01 \"u\" 0a \"user-agent\" 01 \"v\" 00 00", "", "",
     "header `user-agent` is there twice with different values", NULL, NULL, NULL, NULL},
    {"two user agents, but an argument",
     MESSAGE("04") NEEDED HEADERS("1c") "0a \"user-agent\" 01 \"u\" 0a \"user-agent\" 01 \"v\" 00 00 "
                                        "0a \"user_agent\" 08 01 \"w\"",
     "", "", NULL, NULL, NULL, NULL, "w"},

    {"no method", MESSAGE("01") TARGET, "", "", "argument `method` is missing", NULL, NULL, NULL, NULL},
    {"no target", MESSAGE("01") METHOD, "", "", "argument `target` is missing", NULL, NULL, NULL, NULL},
    {"a target that is null", MESSAGE("02") METHOD "06 \"target\" 00", "", "", "argument `target` is missing",
     NULL, NULL, NULL, NULL},
    {"no message", "", "", "", "there is no message", NULL, NULL, NULL, NULL},
    {"two messages", MESSAGE("02") NEEDED MESSAGE("00"), "", "", "there is more than one message", NULL, NULL,
     NULL, NULL},
    {"cut", MESSAGE("03") NEEDED, "", "", "the message ends too early", NULL, NULL, NULL, NULL},
    {"an argument twice", MESSAGE("03") NEEDED METHOD, "", "", "argument `method` is there twice", NULL, NULL,
     NULL, NULL},
    {"one that is not known", MESSAGE("03") NEEDED "0c \"forwaded_for\" 00", "", "",
     "argument `forwaded_for` is not known", NULL, NULL, NULL, NULL},
    {"one without a name", MESSAGE("03") NEEDED "00 00", "", "", "argument `` is not known", NULL, NULL, NULL,
     NULL},
    {"a method that is a number", MESSAGE("02") TARGET "06 \"method\" 03 01", "", "",
     "argument `method` is no text", NULL, NULL, NULL, NULL},
    {"a binary host", MESSAGE("03") NEEDED "04 \"host\" 09 01 00", "", "", "argument `host` is no text", NULL,
     NULL, NULL, NULL},
    {"https as text", MESSAGE("03") NEEDED "05 \"https\" 08 01 \"1\"", "", "",
     "argument `https` is no boolean", NULL, NULL, NULL, NULL},
    {"an address that is a number", MESSAGE("03") NEEDED "02 \"ip\" 03 01", "", "",
     "argument `ip` is no address", NULL, NULL, NULL, NULL},
    {"headers as text", MESSAGE("03") NEEDED "07 \"headers\" 08 02 \"xx\"", "", "",
     "argument `headers` is not what `req.hdrs_bin` gives", NULL, NULL, NULL, NULL},
    {"headers without an end", MESSAGE("03") NEEDED HEADERS("03") "01 \"a\" 00", "", "",
     "argument `headers` ends too early", NULL, NULL, NULL, NULL},
    {"headers behind their end", MESSAGE("03") NEEDED HEADERS("03") "00 00 00", "", "",
     "a header has no name", NULL, NULL, NULL, NULL},
    {"a header without a name", MESSAGE("03") NEEDED HEADERS("03") "00 01 \"x\"", "", "",
     "a header has no name", NULL, NULL, NULL, NULL},
    {"headers, and X-Forwarded-For again",
     MESSAGE("04") NEEDED HEADERS("02") "00 00 0d \"forwarded_for\" 08 01 \"1\"", "", "",
     "argument `forwarded_for` says again what `headers` says", NULL, NULL, NULL, NULL},
    {"the session's cookie cannot be there", MESSAGE("02") NEEDED, "sid", "",
     "argument `headers` or `cookie` is missing, which has the session's cookie", NULL, NULL, NULL, NULL},
    {"the session's header cannot be there", MESSAGE("02") NEEDED, "", "x-token",
     "argument `headers` is missing, which has the session's header", NULL, NULL, NULL, NULL},
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

Test(haproxy_request, what_a_message_says)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct hex bytes = hex_of(CASES[i].payload);
        struct request_rules rules = {text_of(CASES[i].cookie), text_of(CASES[i].header)};
        struct request request;
        enum pdp_err err =
            request_read((struct spop_reader){bytes.at, bytes.at + bytes.len}, &rules, &request);
        cr_expect_eq(err, CASES[i].why == NULL ? PDP_ERR_OK : PDP_ERR_MALFORMED, "%s: %s", CASES[i].name,
                     request.why);
        cr_expect_str_eq(request.why, CASES[i].why != NULL ? CASES[i].why : "", "%s: %s", CASES[i].name,
                         request.why);
        bool known = err == PDP_ERR_OK;
        cr_expect(says(request.facts.method, known ? "GET" : NULL), "%s", CASES[i].name);
        cr_expect(says(request.facts.target, known ? "/a?b" : NULL), "%s", CASES[i].name);
        cr_expect(says(request.facts.address, CASES[i].address), "%s", CASES[i].name);
        cr_expect(says(request.facts.session_id, CASES[i].session), "%s", CASES[i].name);
        cr_expect(says(request.facts.user_agent, CASES[i].agent), "%s", CASES[i].name);
        cr_expect(forwards(&request.facts, CASES[i].forwarded), "%s", CASES[i].name);
    }
}

Test(haproxy_request, everything_else)
{
    struct hex bytes = hex_of(
        MESSAGE("0e") NEEDED
        "04 \"host\" 08 01 \"h\" 05 \"https\" 11 07 \"subject\" 08 05 \"alice\" 0c \"subject_type\" 08 07 "
        "\"service\" "
        "06 \"tenant\" 08 04 \"acme\" 05 \"roles\" 08 06 \"hr, it\" 09 \"auth_time\" 04 f000 03 \"acr\" 08 "
        "04 \"aal1\" "
        "03 \"amr\" 08 07 \"pwd otp\" 03 \"ja4\" 08 01 \"j\" 06 \"device\" 08 01 \"d\" 06 \"scheme\" 00");
    struct request request;
    cr_assert_eq(request_read((struct spop_reader){bytes.at, bytes.at + bytes.len},
                              &(struct request_rules){0}, &request),
                 PDP_ERR_OK, "%s", request.why);
    const struct facts *facts = &request.facts;
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

Test(haproxy_request, times)
{
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        char payload[200];
        (void)snprintf(payload, sizeof payload, "%s%s", MESSAGE("03") NEEDED "09 \"auth_time\" ",
                       TIMES[i].value);
        struct hex bytes = hex_of(payload);
        struct request request;
        enum pdp_err err = request_read((struct spop_reader){bytes.at, bytes.at + bytes.len},
                                        &(struct request_rules){0}, &request);
        cr_expect_eq(err == PDP_ERR_OK, TIMES[i].seconds >= 0, "%s: %s", TIMES[i].value, request.why);
        cr_expect(err != PDP_ERR_OK || request.facts.auth_time_s == TIMES[i].seconds, "%s", TIMES[i].value);
    }
}

Test(haproxy_request, lines_and_entries_have_limits)
{
    unsigned char bytes[1024];
    struct spop_writer out = {bytes, bytes + sizeof bytes, false};
    struct hex head = hex_of(MESSAGE("03") NEEDED "07 \"headers\" 09");
    memcpy(bytes, head.at, head.len);
    out.at += head.len;
    spop_write_number(&out, 33 * 9 + 2);
    for (int i = 0; i < 33; i++) {
        spop_write_text(&out, TEXT("cookie"));
        spop_write_text(&out, TEXT("a"));
    }
    spop_write_text(&out, TEXT(""));
    spop_write_text(&out, TEXT(""));
    struct request request;
    cr_assert_not(out.full);
    cr_expect_eq(request_read((struct spop_reader){bytes, out.at}, &(struct request_rules){0}, &request),
                 PDP_ERR_LIMIT);
    cr_expect_str_eq(request.why, "more than 32 lines of one header");
}
