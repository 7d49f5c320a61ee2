// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"

#include "base/time.h"
#include "daemon/folder.h"

#include <stdio.h>

static const struct hash_key REPLAY_KEY = {UINT64_C(0x7064702d7265706c), UINT64_C(0x61792d6b65792d31)};
static const int64_t AT_LEAST_MS = INT64_C(100000000000);

bool local_time(struct str text, int64_t *ms)
{
    int64_t epoch_s = 0;
    uint32_t nanos = 0;
    if (str_to_i64(text, ms)) {
        return *ms >= AT_LEAST_MS;
    }
    if (!time_parse(text, &epoch_s, &nanos)) {
        return false;
    }
    *ms = epoch_s * TIME_MS_PER_S + nanos / 1000000;
    return true;
}

static int say(struct diags *diags, const char *dir)
{
    struct buf text = {0};
    diags_render(diags, &text);
    fflush(stdout);
    fwrite(text.at, 1, text.len, stderr);
    buf_fini(&text);
    return diags->errors == 0 ? CLI_DONE : cli_bad(NULL, "`%s` has %zu mistake%s", dir, diags->errors,
                                                    diags->errors == 1 ? "" : "s");
}

static int build(const struct cli_args *args, const char *dir, struct folder *folder, struct snapshot **out)
{
    struct diags diags;
    struct snapshot_input input = folder_input(folder);
    diags_init(&diags, 1000);
    enum pdp_err err = snapshot_build(&input, REPLAY_KEY, &diags, out);
    int code = say(&diags, dir);
    diags_fini(&diags);
    (void)args;
    return err == PDP_ERR_OK ? code : CLI_BAD;
}

int local_open(const struct cli_args *args, struct local *out)
{
    *out = (struct local){.peer = {.name = STR("pdpctl"), .hash = 1, .grants = GRANT_ALL | GRANT_SIMULATE}};
    const char *dir = args->policies != NULL ? args->policies : args->positional[0];
    if (dir == NULL) {
        return cli_bad("give `--policies DIR`", "no policy folder is named");
    }
    char why[FOLDER_WHY_MAX] = "";
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    if (folder_read(dir, args->geo, args->geo_count, &folder, why) != PDP_ERR_OK) {
        return cli_bad("name a folder of *.yaml documents", "`%s` cannot be loaded: %s", dir, why);
    }
    int code = build(args, dir, folder, &snapshot);
    if (code != CLI_DONE) {
        return code;
    }
    const struct engine_config config = {.key = REPLAY_KEY, .id_prefix = UINT64_C(0x7265706c6179)};
    if (engine_new(&config, &out->engine) != PDP_ERR_OK || worker_new(out->engine, &out->worker) != PDP_ERR_OK) {
        local_close(out);
        return cli_bad(NULL, "out of memory");
    }
    engine_publish(out->engine, &snapshot);
    return CLI_DONE;
}

void local_close(struct local *local)
{
    worker_free(&local->worker);
    engine_free(&local->engine);
}
