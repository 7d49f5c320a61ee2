// SPDX-License-Identifier: Apache-2.0
#include "daemon/server/server_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

// Are the certificates of listeners there, and good?
static bool check_tls(struct config *config, const char **wrong)
{
    static struct server_tls all;
    *wrong = config_tls_wrong(config);
    bool good = *wrong == NULL && server_tls_open(config, &all) == PDP_ERR_OK;
    server_tls_close(&all);
    return good;
}

int server_check(struct config *config)
{
    const char *wrong = config_source_wrong(config);
    AUTO(bundles_close) struct bundles *bundles = NULL;
    if (wrong != NULL) {
        fprintf(stderr, "pdpd: %s\n", wrong);
    }
    if (wrong != NULL || server_bundles_open(config, false, &bundles) != PDP_ERR_OK) {
        return SERVER_BAD_INPUT;
    }
    if (!check_tls(config, &wrong)) {
        fprintf(stderr, "pdpd: %s\n", wrong != NULL ? wrong : "a certificate cannot be used");
        return SERVER_BAD_INPUT;
    }
    if (!server_webhooks_check(config) || !server_adapters_check(config)) {
        return SERVER_BAD_INPUT;
    }
    struct hash_key seed;
    struct compiled *compiled = NULL;
    if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed) {
        compiled = compile_run(config, bundles, seed, false);
    }
    if (compiled == NULL) {
        return SERVER_FAILED;
    }
    server_print(compiled);
    bool ok = compiled->snapshot != NULL;
    if (ok) {
        printf("good: %" PRIu32 " policies, %" PRIu32 " rules, %" PRIu32 " lists, %" PRIu32
               " databases, %s\n",
               compiled->facts.policies, compiled->facts.rules, compiled->facts.lists,
               compiled->facts.geo_databases, compiled->digest);
    } else {
        fprintf(stderr, "pdpd: %s\n", compiled->error);
    }
    compiled_free(&compiled);
    return ok ? SERVER_DONE : SERVER_BAD_INPUT;
}
