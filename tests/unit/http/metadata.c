// SPDX-License-Identifier: Apache-2.0
#include "http/metadata.h"

#include <criterion/criterion.h>

Test(http_metadata, knows_an_issuer)
{
    static const char *const GOOD[] = {"https://pdp.example", "https://pdp.example:8443", "https://127.0.0.1",
                                       "https://[::1]:8443", "https://PDP-1.example"};
    static const char *const BAD[] = {"",
                                      "https://",
                                      "http://pdp.example",
                                      "pdp.example",
                                      "https://pdp.example/",
                                      "https://pdp.example/tenant",
                                      "https://pdp.example?x",
                                      "https://pdp.example#x",
                                      "https://user@pdp.example",
                                      "https://pdp.example\"",
                                      "https://pdp example",
                                      "HTTPS://pdp.example"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        cr_expect(metadata_issuer_right(GOOD[i]), "%s", GOOD[i]);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        cr_expect_not(metadata_issuer_right(BAD[i]), "%s", BAD[i]);
    }
}
