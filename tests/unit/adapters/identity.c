// SPDX-License-Identifier: Apache-2.0
#include "common/identity.h"

#include "signer.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW_MS INT64_C(1800000000000)
#define CLAIMS(more) "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1800000300" more "}"
#define MOST 12

static char path[] = "identity.XXXXXX";
static json_t *key;

static void begin(void)
{
    key = signer_key("{\"kty\":\"RSA\",\"bits\":2048}", "one");
    char *text = signer_set(&key, 1, NULL);
    signer_write(path, text);
    free(text);
}

static void end(void)
{
    unlink(path);
    json_decref(key);
}

static void say(void *user, enum pdp_log_level level, const char *event, const char *text)
{
    (void)user, (void)level, (void)event, (void)text;
}

// Settings as `name=value`; `@` is the file of keys.
static enum pdp_err make(const char *const *said, struct identity **identity, struct pdp_adapter_wrong *wrong)
{
    static char names[MOST][64];
    struct pdp_setting settings[MOST];
    struct pdp_adapter_setup setup = {.size = sizeof setup, .settings = settings, .log = say};
    *wrong = (struct pdp_adapter_wrong){.setting = SIZE_MAX};
    for (size_t i = 0; said[i] != NULL && i < MOST; i++) {
        const char *equals = strchr(said[i], '=');
        snprintf(names[i], sizeof names[i], "%.*s", (int)(equals - said[i]), said[i]);
        settings[i] = (struct pdp_setting){names[i], strcmp(equals + 1, "@") == 0 ? path : equals + 1};
        setup.setting_count = i + 1;
    }
    return identity_new(&setup, identity, wrong);
}

#define TOKENS "jwks=@", "jwt-issuer=https://idp.example", "jwt-audience=shop"
#define BEARER "authorization: Bearer @"

static const struct {
    const char *name;
    const char *said[MOST];    // settings
    const char *headers[MOST]; // `@` at the end of one is a token of these claims
    const char *claims;
    bool unbelieved;
    enum identity_verdict verdict;
    const char *subject, *session, *tenant, *roles, *amr, *acr; // NULL: none; lists with a comma between
    int64_t auth_time_s;                                        // 0: none
} CASES[] = {
    {"nothing is said", {NULL}, {"cookie: sid=1", "authorization: Bearer x"}, NULL, .verdict = IDENTITY_ASK},
    {"a session by a cookie",
     {"session=cookie:sid"},
     {"Cookie: a=1; sid=s-1"},
     NULL,
     .verdict = IDENTITY_ASK,
     .session = "s-1"},
    {"a cookie in another line",
     {"session=cookie:sid"},
     {"cookie: a=1", "cookie: sid=s-1"},
     NULL,
     .verdict = IDENTITY_ASK,
     .session = "s-1"},
    {"a cookie twice",
     {"session=cookie:sid"},
     {"cookie: sid=s-1; sid=s-2"},
     NULL,
     .verdict = IDENTITY_REFUSED},
    {"a cookie twice, in two lines",
     {"session=cookie:sid"},
     {"cookie: sid=s-1", "cookie: sid=s-2"},
     NULL,
     .verdict = IDENTITY_REFUSED},
    {"an empty cookie", {"session=cookie:sid"}, {"cookie: sid="}, NULL, .verdict = IDENTITY_ASK},
    {"a session by a header",
     {"session=header:X-Session"},
     {"x-session: s-1"},
     NULL,
     .verdict = IDENTITY_ASK,
     .session = "s-1"},
    {"which needs nobody's word",
     {"session=header:X-Session"},
     {"x-session: s-1"},
     NULL,
     .unbelieved = true,
     .verdict = IDENTITY_ASK,
     .session = "s-1"},
    {"a session twice",
     {"session=header:X-Session"},
     {"x-session: s-1", "X-SESSION: s-1"},
     NULL,
     .verdict = IDENTITY_REFUSED},

    {"a subject by a header",
     {"subject=header:X-User", "session=cookie:sid"},
     {"x-user: alice", "cookie: sid=s-1"},
     NULL,
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .session = "s-1"},
    {"that is not believed, and no session of its owner",
     {"subject=header:X-User", "session=cookie:sid"},
     {"x-user: alice", "cookie: sid=s-1"},
     NULL,
     .unbelieved = true,
     .verdict = IDENTITY_ASK},
    {"a subject twice",
     {"subject=header:X-User"},
     {"x-user: alice", "x-user: root"},
     NULL,
     .verdict = IDENTITY_REFUSED},
    {"a subject that is empty", {"subject=header:X-User"}, {"x-user:  "}, NULL, .verdict = IDENTITY_ASK},
    {"a subject is demanded",
     {"subject=header:X-User", "anonymous=refuse"},
     {NULL},
     NULL,
     .verdict = IDENTITY_NO_TOKEN},
    {"a subject is demanded, of one that is not believed",
     {"subject=header:X-User", "anonymous=refuse"},
     {"x-user: alice"},
     NULL,
     .unbelieved = true,
     .verdict = IDENTITY_NO_TOKEN},
    {"all of it by headers",
     {"subject=header:X-User", "tenant=header:X-Tenant", "roles=header:X-Roles", "auth-time=header:X-Time",
      "acr=header:X-Acr", "amr=header:X-Amr"},
     {"x-user: alice", "x-tenant: acme", "x-roles: hr, it,,sales", "x-time: 1799990000", "x-acr: aal2",
      "x-amr: pwd otp"},
     NULL,
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .tenant = "acme",
     .roles = "hr,it,sales",
     .amr = "pwd,otp",
     .acr = "aal2",
     .auth_time_s = 1799990000},
    {"nothing of it where it is not believed",
     {"subject=header:X-User", "tenant=header:X-Tenant", "roles=header:X-Roles", "auth-time=header:X-Time",
      "acr=header:X-Acr", "amr=header:X-Amr"},
     {"x-user: alice", "x-tenant: acme", "x-roles: hr", "x-time: 1799990000", "x-acr: aal2", "x-amr: pwd"},
     NULL,
     .unbelieved = true,
     .verdict = IDENTITY_ASK},
    {"a tenant that is fixed", {"tenant=acme"}, {NULL}, NULL, .verdict = IDENTITY_ASK, .tenant = "acme"},
    {"a time that is none",
     {"auth-time=header:X-Time"},
     {"x-time: yesterday"},
     NULL,
     .verdict = IDENTITY_REFUSED},
    {"a time beyond all",
     {"auth-time=header:X-Time"},
     {"x-time: 999999999999999999999"},
     NULL,
     .verdict = IDENTITY_REFUSED},

    {"a token",
     {TOKENS},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"acr\":\"aal2\",\"amr\":[\"pwd\",\"otp\"],\"auth_time\":1799990000.9"),
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .acr = "aal2",
     .amr = "pwd,otp",
     .auth_time_s = 1799990000},
    {"a token, and a session in it",
     {TOKENS, "session=claim:sid"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"sid\":\"s-1\""),
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .session = "s-1"},
    {"a scheme in other letters",
     {TOKENS},
     {"AUTHORIZATION: bEARER   @"},
     CLAIMS(",\"sub\":\"alice\""),
     .verdict = IDENTITY_ASK,
     .subject = "alice"},
    {"a token in a cookie",
     {TOKENS, "jwt=cookie:at"},
     {"cookie: at=@"},
     CLAIMS(",\"sub\":\"alice\""),
     .verdict = IDENTITY_ASK,
     .subject = "alice"},
    {"a token in a header of its own",
     {TOKENS, "jwt=header:X-Token"},
     {"x-token: @"},
     CLAIMS(",\"sub\":\"alice\""),
     .verdict = IDENTITY_ASK,
     .subject = "alice"},
    {"a token needs nobody's word",
     {TOKENS},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\""),
     .unbelieved = true,
     .verdict = IDENTITY_ASK,
     .subject = "alice"},
    {"two tokens",
     {TOKENS},
     {BEARER, "authorization: Bearer x"},
     CLAIMS(",\"sub\":\"alice\""),
     .verdict = IDENTITY_REFUSED},
    {"roles further in",
     {TOKENS, "roles=claim:realm_access.roles"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"realm_access\":{\"roles\":[\"hr\",\"it\"]}"),
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .roles = "hr,it"},
    {"roles under a name with dots",
     {TOKENS, "roles=claim:https://shop\\.example/roles"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"https://shop.example/roles\":[\"hr\"]"),
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .roles = "hr"},
    {"roles as a scope",
     {TOKENS, "roles=claim:scope"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"scope\":\"read  write\""),
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .roles = "read,write"},
    {"roles of another type",
     {TOKENS, "roles=claim:roles"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"roles\":[\"hr\",1]"),
     .verdict = IDENTITY_BAD_TOKEN},
    {"roles in a map",
     {TOKENS, "roles=claim:roles"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"roles\":{}"),
     .verdict = IDENTITY_BAD_TOKEN},
    {"null is nothing",
     {TOKENS, "roles=claim:roles", "session=claim:sid"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"roles\":null,\"sid\":null"),
     .verdict = IDENTITY_ASK,
     .subject = "alice"},
    {"a token without a subject", {TOKENS}, {BEARER}, CLAIMS(""), .verdict = IDENTITY_BAD_TOKEN},
    {"a subject that is a number", {TOKENS}, {BEARER}, CLAIMS(",\"sub\":7"), .verdict = IDENTITY_BAD_TOKEN},
    {"a session that is a number",
     {TOKENS, "session=claim:sid"},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"sid\":7"),
     .verdict = IDENTITY_BAD_TOKEN},
    {"a time that is text",
     {TOKENS},
     {BEARER},
     CLAIMS(",\"sub\":\"alice\",\"auth_time\":\"1799990000\""),
     .verdict = IDENTITY_BAD_TOKEN},
    {"a token that has expired",
     {TOKENS},
     {BEARER},
     "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1,\"sub\":\"alice\"}",
     .verdict = IDENTITY_BAD_TOKEN},
    {"what is no token", {TOKENS}, {"authorization: Bearer opaque"}, NULL, .verdict = IDENTITY_BAD_TOKEN},
    {"another scheme is no token", {TOKENS}, {"authorization: Basic YTpi"}, NULL, .verdict = IDENTITY_ASK},
    {"no token", {TOKENS}, {NULL}, NULL, .verdict = IDENTITY_ASK},
    {"no token where one is demanded",
     {TOKENS, "anonymous=refuse"},
     {NULL},
     NULL,
     .verdict = IDENTITY_NO_TOKEN},
    {"a cookie without its token is nobody's",
     {TOKENS, "session=cookie:sid"},
     {"cookie: sid=s-1"},
     NULL,
     .verdict = IDENTITY_ASK},
    {"a cookie with its token",
     {TOKENS, "session=cookie:sid"},
     {"cookie: sid=s-1", BEARER},
     CLAIMS(",\"sub\":\"alice\""),
     .verdict = IDENTITY_ASK,
     .subject = "alice",
     .session = "s-1"},
    {"a subject of a header is not looked for beside tokens",
     {TOKENS},
     {"x-user: root"},
     NULL,
     .verdict = IDENTITY_ASK},
};

static void expect_text(const char *name, const char *what, struct text is, const char *wanted)
{
    if (wanted == NULL) {
        cr_expect_null(is.at, "%s: %s is %.*s", name, what, (int)is.len, is.at != NULL ? is.at : "");
    } else {
        cr_expect(is.at != NULL && text_eq(is, text_of(wanted)), "%s: %s is `%.*s`", name, what, (int)is.len,
                  is.at != NULL ? is.at : "");
    }
}

static void expect_list(const char *name, const char *what, const struct text *list, size_t count,
                        const char *wanted)
{
    char joined[512] = "";
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(joined + len, sizeof joined - len, "%s%.*s", i > 0 ? "," : "",
                                (int)list[i].len, list[i].at);
    }
    cr_expect_str_eq(joined, wanted != NULL ? wanted : "", "%s: %s", name, what);
}

static void try_case(size_t at)
{
    static char lines[MOST][8192];
    struct identity_header headers[MOST];
    struct pdp_adapter_wrong wrong;
    struct identity *identity = NULL;
    size_t count = 0;
    cr_assert_eq(make(CASES[at].said, &identity, &wrong), PDP_ERR_OK, "%s: %s", CASES[at].name, wrong.why);
    char *token = CASES[at].claims != NULL
                      ? signer_rs256(key, "{\"alg\":\"RS256\",\"kid\":\"one\"}", CASES[at].claims)
                      : NULL;
    for (; CASES[at].headers[count] != NULL; count++) {
        const char *from = CASES[at].headers[count], *mark = strchr(from, '@');
        snprintf(lines[count], sizeof lines[count], "%.*s%s",
                 mark != NULL ? (int)(mark - from) : (int)strlen(from), from, mark != NULL ? token : "");
        char *colon = strchr(lines[count], ':');
        *colon = '\0';
        headers[count] = (struct identity_header){text_of(lines[count]), text_of(colon + 1)};
    }
    struct facts facts = {0};
    struct identity_read read;
    identity_read(identity, headers, count, !CASES[at].unbelieved, NOW_MS, &facts, &read);
    const char *name = CASES[at].name;
    cr_expect_eq(read.verdict, CASES[at].verdict, "%s: verdict %d: %s", name, (int)read.verdict, read.why);
    if (CASES[at].verdict == IDENTITY_ASK) {
        expect_text(name, "subject", facts.subject_id, CASES[at].subject);
        expect_text(name, "session", facts.session_id, CASES[at].session);
        expect_text(name, "tenant", facts.tenant, CASES[at].tenant);
        expect_text(name, "acr", facts.acr, CASES[at].acr);
        expect_list(name, "roles", facts.roles, facts.role_count, CASES[at].roles);
        expect_list(name, "amr", facts.amr, facts.amr_count, CASES[at].amr);
        cr_expect_eq(facts.has_auth_time ? facts.auth_time_s : 0, CASES[at].auth_time_s, "%s: auth_time",
                     name);
    } else {
        cr_expect_neq(read.why[0], '\0', "%s: why", name);
    }
    identity_read_fini(&read);
    identity_free(&identity);
    free(token);
}

Test(common_identity, reads_who_asks, .init = begin, .fini = end)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        try_case(i);
    }
}

Test(common_identity, refuses_settings, .init = begin, .fini = end)
{
    static const struct {
        const char *said[MOST];
        enum pdp_err err;
        const char *why;
    } SAID[] = {
        {{"session=sid"}, PDP_ERR_SYNTAX, "`sid` is none of `cookie:NAME`, `header:NAME`, `claim:PATH`"},
        {{"session=cookie:"}, PDP_ERR_SYNTAX, "`cookie:` is none of"},
        {{"session=cookie:a b"}, PDP_ERR_SYNTAX, "is none of"},
        {{"session=claim:sid"}, PDP_ERR_MISSING, "say by `jwks` what tokens are checked by"},
        {{"subject=cookie:user"}, PDP_ERR_SYNTAX, "is none of `header:NAME`, `claim:PATH`"},
        {{"subject=alice"}, PDP_ERR_SYNTAX, "is none of"},
        {{TOKENS, "roles=claim:a..b"}, PDP_ERR_SYNTAX, "is none of"},
        {{TOKENS, "roles=claim:a.b.c.d.e.f.g.h.i"}, PDP_ERR_SYNTAX, "is none of"},
        {{"jwks=@"}, PDP_ERR_MISSING, "say by `jwt-issuer`"},
        {{"jwks=@", "jwt-issuer=https://idp.example"}, PDP_ERR_MISSING, "say by `jwt-audience`"},
        {{"jwks=/nowhere", "jwt-issuer=i", "jwt-audience=a"}, PDP_ERR_IO, "`/nowhere` cannot be read"},
        {{"jwks=http://idp.example/keys", "jwt-issuer=i", "jwt-audience=a"},
         PDP_ERR_UNSUPPORTED,
         "is not fetched"},
        {{"jwks=http://127.0.0.1:1@idp.example/keys", "jwt-issuer=i", "jwt-audience=a"},
         PDP_ERR_UNSUPPORTED,
         "is not fetched"},
        {{"jwks=ftp://idp.example/keys", "jwt-issuer=i", "jwt-audience=a"},
         PDP_ERR_UNSUPPORTED,
         "is not fetched"},
        {{TOKENS, "jwt-algorithm=HS256"}, PDP_ERR_UNKNOWN, "`HS256` is no algorithm that is accepted"},
        {{TOKENS, "jwt-algorithm=none"}, PDP_ERR_UNKNOWN, "`none` is no algorithm that is accepted"},
        {{"jwt-audience=shop"}, PDP_ERR_MISSING, "this is about tokens"},
        {{TOKENS, "jwks-retry=0s"}, PDP_ERR_RANGE, ""},
        {{TOKENS, "jwks-max-age=5m"}, PDP_ERR_RANGE, "too old"},
        {{"anonymous=maybe"}, PDP_ERR_UNKNOWN, ""},
        {{"trusted=10.0.0.0/33"}, PDP_ERR_SYNTAX, "`10.0.0.0/33` is neither an address nor a network"},
        {{"trusted=gateway"}, PDP_ERR_SYNTAX, "is neither"},
        {{"trusted=10.0.0.0/"}, PDP_ERR_SYNTAX, "is neither"},
        {{"subject-type="}, PDP_ERR_SYNTAX, "expected a type"},
    };
    for (size_t i = 0; i < COUNT_OF(SAID); i++) {
        struct identity *identity = NULL;
        struct pdp_adapter_wrong wrong;
        enum pdp_err err = make(SAID[i].said, &identity, &wrong);
        cr_expect(SAID[i].err == PDP_ERR_UNKNOWN ? err != PDP_ERR_OK : err == SAID[i].err, "%s: %s",
                  SAID[i].said[0], pdp_err_name(err));
        cr_expect(strstr(wrong.why, SAID[i].why) != NULL, "%s: %s", SAID[i].said[0], wrong.why);
        cr_expect_null(identity);
    }
}

Test(common_identity, trusts_whom_it_is_told)
{
    static const struct {
        const char *said[MOST], *peer;
        bool trusted;
    } PEERS[] = {
        {{NULL}, "127.0.0.1", true},
        {{NULL}, "::1", true},
        {{NULL}, "", true},
        {{NULL}, "::ffff:127.0.0.9", true},
        {{NULL}, "10.0.0.1", false},
        {{NULL}, "::2", false},
        {{NULL}, "localhost", false},
        {{"trusted=10.1.0.0/16", "trusted=2001:db8::/33"}, "10.1.255.255", true},
        {{"trusted=10.1.0.0/16", "trusted=2001:db8::/33"}, "10.2.0.0", false},
        {{"trusted=10.1.0.0/16", "trusted=2001:db8::/33"}, "::ffff:10.1.2.3", true},
        {{"trusted=10.1.0.0/16", "trusted=2001:db8::/33"}, "2001:db8:7fff::1", true},
        {{"trusted=10.1.0.0/16", "trusted=2001:db8::/33"}, "2001:db8:8000::1", false},
        {{"trusted=10.1.0.0/16", "trusted=2001:db8::/33"}, "127.0.0.1", false},
        {{"trusted=10.1.0.0/16", "trusted=2001:db8::/33"}, "", false},
        {{"trusted=10.1.2.3"}, "10.1.2.3", true},
        {{"trusted=10.1.2.3"}, "10.1.2.4", false},
        {{"trusted=unix"}, "", true},
        {{"trusted=unix"}, "127.0.0.1", false},
        {{"trusted=::ffff:0:0/96"}, "192.0.2.1", true},
        {{"trusted=0.0.0.0/0"}, "192.0.2.1", true},
        {{"trusted=0.0.0.0/0"}, "2001:db8::1", false},
    };
    for (size_t i = 0; i < COUNT_OF(PEERS); i++) {
        struct identity *identity = NULL;
        struct pdp_adapter_wrong wrong;
        cr_assert_eq(make(PEERS[i].said, &identity, &wrong), PDP_ERR_OK, "%s", wrong.why);
        cr_expect_eq(identity_trusts(identity, PEERS[i].peer), PEERS[i].trusted, "case %zu: `%s`", i,
                     PEERS[i].peer);
        identity_free(&identity);
    }
}

Test(common_identity, refuses_more_roles_than_it_asks_about)
{
    static const char *const SAID[] = {"roles=header:X-Roles", NULL};
    static char line[4096];
    struct identity *identity = NULL;
    struct pdp_adapter_wrong wrong;
    cr_assert_eq(make(SAID, &identity, &wrong), PDP_ERR_OK);
    for (size_t roles = IDENTITY_ROLES_MOST; roles <= IDENTITY_ROLES_MOST + 1; roles++) {
        struct facts facts = {0};
        struct identity_read read;
        line[0] = '\0';
        for (size_t i = 0; i < roles; i++) {
            snprintf(line + strlen(line), sizeof line - strlen(line), "r%zu,", i);
        }
        struct identity_header header = {TEXT("x-roles"), text_of(line)};
        identity_read(identity, &header, 1, true, NOW_MS, &facts, &read);
        cr_expect_eq(read.verdict, roles <= IDENTITY_ROLES_MOST ? IDENTITY_ASK : IDENTITY_REFUSED, "%zu",
                     roles);
        identity_read_fini(&read);
    }
    identity_free(&identity);
}
