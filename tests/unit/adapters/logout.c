// SPDX-License-Identifier: Apache-2.0
// What makes a logout token, and that each is acted on once.
#include "http/logout_token.h"

#include "common/replay.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW_S INT64_C(1800000000)
#define EVENTS "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"
#define REST "\"iat\":1800000000,\"exp\":1800000120,\"jti\":\"j-1\""

Test(http_logout_token, reads_what_the_text_of_the_standard_asks)
{
    static const struct {
        const char *name, *claims, *why; // NULL: it is one
    } TOKENS[] = {
        {"of a subject", "{" EVENTS "," REST ",\"sub\":\"alice\"}", NULL},
        {"of a session", "{" EVENTS "," REST ",\"sid\":\"s-1\"}", NULL},
        {"of both, with more", "{" EVENTS "," REST ",\"sub\":\"alice\",\"sid\":\"s-1\",\"x\":1}", NULL},
        {"an event that says more",
         "{\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{\"a\":1},\"urn:b\":{}}," REST
         ",\"sub\":\"alice\"}",
         NULL},
        {"of nobody", "{" EVENTS "," REST "}", "neither `sub` nor `sid`"},
        {"of an empty subject", "{" EVENTS "," REST ",\"sub\":\"\"}", "neither"},
        {"of a subject that is a number", "{" EVENTS "," REST ",\"sub\":1,\"sid\":\"s-1\"}", "neither"},
        {"no events", "{" REST ",\"sub\":\"alice\"}", "`events`"},
        {"events in a list",
         "{\"events\":[\"http://schemas.openid.net/event/backchannel-logout\"]," REST ",\"sub\":\"alice\"}",
         "`events`"},
        {"another event",
         "{\"events\":{\"http://schemas.openid.net/event/frontchannel-logout\":{}}," REST
         ",\"sub\":\"alice\"}",
         "`events`"},
        {"an event that is no object",
         "{\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":true}," REST
         ",\"sub\":\"alice\"}",
         "`events`"},
        {"a nonce", "{" EVENTS "," REST ",\"sub\":\"alice\",\"nonce\":\"n\"}", "`nonce`"},
        {"a nonce of null", "{" EVENTS "," REST ",\"sub\":\"alice\",\"nonce\":null}", "`nonce`"},
        {"no iat", "{" EVENTS ",\"exp\":1800000120,\"jti\":\"j\",\"sub\":\"alice\"}", "`iat`"},
        {"iat as text",
         "{" EVENTS ",\"iat\":\"1800000000\",\"exp\":1800000120,\"jti\":\"j\",\"sub\":\"alice\"}", "`iat`"},
        {"issued long ago",
         "{" EVENTS ",\"iat\":1799999339,\"exp\":1800000120,\"jti\":\"j\",\"sub\":\"alice\"}", "`iat`"},
        {"issued a while ago",
         "{" EVENTS ",\"iat\":1799999340,\"exp\":1800000120,\"jti\":\"j\",\"sub\":\"alice\"}", NULL},
        {"no jti", "{" EVENTS ",\"iat\":1800000000,\"exp\":1800000120,\"sub\":\"alice\"}", "`jti`"},
        {"an empty jti", "{" EVENTS ",\"iat\":1800000000,\"exp\":1800000120,\"jti\":\"\",\"sub\":\"alice\"}",
         "`jti`"},
    };
    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        struct logout_token token;
        json_t *claims = json_loads(TOKENS[i].claims, 0, NULL);
        cr_assert_not_null(claims, "%s", TOKENS[i].name);
        const char *why = logout_token_read(claims, NOW_S * 1000, &token);
        cr_expect(TOKENS[i].why == NULL ? why == NULL : why != NULL && strstr(why, TOKENS[i].why) != NULL,
                  "%s: %s", TOKENS[i].name, why != NULL ? why : "taken");
        cr_expect(why != NULL || token.until_s > 1800000120, "%s", TOKENS[i].name);
        json_decref(claims);
    }
}

Test(http_logout_token, is_acted_on_once)
{
    struct replay *replay = replay_new();
    cr_assert_not_null(replay);
    cr_expect_not(replay_has(replay, TEXT("a"), 10));
    replay_note(replay, TEXT("a"), 20, 10);
    cr_expect(replay_has(replay, TEXT("a"), 19));
    cr_expect_not(replay_has(replay, TEXT("a"), 20));
    cr_expect_not(replay_has(replay, TEXT("ab"), 10));
    // Full: what is over first gives way.
    char id[16];
    for (int i = 0; i < REPLAY_MOST; i++) {
        int len = snprintf(id, sizeof id, "n%d", i);
        replay_note(replay, (struct text){id, (size_t)len}, 1000 + i, 10);
    }
    cr_expect_not(replay_has(replay, TEXT("a"), 10));
    cr_expect(replay_has(replay, TEXT("n0"), 10) && replay_has(replay, TEXT("n4095"), 10));
    replay_note(replay, TEXT("one more"), 5000, 10);
    cr_expect_not(replay_has(replay, TEXT("n0"), 10));
    cr_expect(replay_has(replay, TEXT("n1"), 10) && replay_has(replay, TEXT("one more"), 10));
    replay_free(&replay);
    cr_expect_null(replay);
}
