// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"

#include "base/time.h"
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

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

bool local_now(const struct cli_args *args, int64_t *ms)
{
    if (args->now == NULL || local_time(str_of(args->now), ms)) {
        return true;
    }
    (void)cli_bad("such as 2026-11-22T20:33:00Z, or milliseconds since 1970", "`--now %s` is no time",
                  args->now);
    return false;
}

static bool ago(struct str text, int64_t *ms)
{
    struct timespec now;
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (!str_starts(text, STR("-")) || !time_duration_parse(str_sub(text, 1, text.len), &seconds, &nanos) ||
        seconds < 0) {
        return false;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    *ms = ((int64_t)now.tv_sec - seconds) * TIME_MS_PER_S;
    return true;
}

bool local_past(const char *flag, const char *text, int64_t *ms)
{
    int64_t epoch_s = 0;
    uint32_t nanos = 0;
    if (text == NULL || str_to_i64(str_of(text), ms) || ago(str_of(text), ms)) {
        return true;
    }
    if (!time_parse(str_of(text), &epoch_s, &nanos)) {
        (void)cli_bad("such as 2026-11-23T08:00:00Z, milliseconds since 1970, or -2h", "`--%s %s` is no time",
                      flag, text);
        return false;
    }
    *ms = epoch_s * TIME_MS_PER_S + nanos / 1000000;
    return true;
}

int local_count(const char *path, size_t mistakes)
{
    return cli_bad(NULL, "`%s` has %zu mistake%s", path, mistakes, mistakes == 1 ? "" : "s");
}

static int say(struct diags *diags, const char *dir)
{
    struct buf text = {0};
    diags_render(diags, &text);
    fflush(stdout);
    if (text.len > 0) {
        fwrite(text.at, 1, text.len, stderr);
    }
    buf_fini(&text);
    if (diags->errors == 0) {
        return CLI_DONE;
    }
    return dir != NULL ? local_count(dir, diags->errors) : CLI_BAD;
}

static void json_mistake(const struct diag *diag, struct emit *emit)
{
    uint32_t line = 0, column = 0;
    place_line_col(diag->place, &line, &column);
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "severity", diag->severity == DIAG_ERROR ? STR("error") : STR("warning"));
    emit_key_str(emit, "err", str_of(pdp_err_name(diag->err)));
    if (diag->place.src != NULL) {
        emit_key_str(emit, "file", diag->place.src->name);
        emit_key_int(emit, "line", line);
        emit_key_int(emit, "column", column);
    }
    emit_key_str(emit, "message", diag->message);
    if (diag->hint.len != 0) {
        emit_key_str(emit, "hint", diag->hint);
    }
    emit_end(emit);
}

// What a refused folder is to a program: `check --json` prints it on standard output.
static int say_json(const struct diags *diags)
{
    struct buf out = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &out);
    emit_map(&emit, SIZE_MAX);
    emit_key_bool(&emit, "ok", false);
    emit_key_int(&emit, "errors", (int64_t)diags->errors);
    emit_key_int(&emit, "warnings", (int64_t)diags->warnings);
    emit_key(&emit, STR("diagnostics"));
    emit_list(&emit, SIZE_MAX);
    for (size_t i = 0; i < diags->count; i++) {
        json_mistake(&diags->list[i], &emit);
    }
    emit_end(&emit);
    emit_end(&emit);
    buf_byte(&out, '\n');
    int code = cli_write(&out, CLI_BAD);
    buf_fini(&out);
    return code;
}

int local_say(const struct cli_args *args, const char *path, struct diags *diags)
{
    bool checks = args->policies == NULL; // `check DIR` alone names its folder so
    return diags->errors != 0 && checks && args->json ? say_json(diags) : say(diags, path);
}

int local_compile(const struct cli_args *args, const char *path, const struct snapshot_input *input,
                  struct snapshot **out)
{
    struct diags diags;
    diags_init(&diags, 1000);
    enum pdp_err err = snapshot_build(input, REPLAY_KEY, &diags, out);
    int said = local_say(args, path, &diags); // never without a word: see snapshot_build
    int code = said != CLI_DONE ? said : err == PDP_ERR_OK ? CLI_DONE : CLI_BAD;
    diags_fini(&diags);
    return code;
}

int local_read(const struct cli_args *args, const char *path, struct folder **out)
{
    char why[FOLDER_WHY_MAX] = "";
    struct stat info;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        return folder_unpack(path, args->geo.at, args->geo.count, out, why) == PDP_ERR_OK
                   ? CLI_DONE
                   : cli_bad("name a folder of *.yaml documents, or a bundle that `pdpctl build` made",
                             "`%s` cannot be loaded: %s", path, why);
    }
    return folder_read(path, args->geo.at, args->geo.count, out, why) == PDP_ERR_OK
               ? CLI_DONE
               : cli_bad("name a folder of *.yaml documents", "`%s` cannot be loaded: %s", path, why);
}

static void note_bundle(const struct bundle *bundle, struct local *out)
{
    out->packed = bundle != NULL;
    if (bundle != NULL) {
        memcpy(out->bundle, bundle->name.at, bundle->name.len);
        out->version = bundle->version;
        out->expires_s = bundle->expires_s;
    }
}

int local_serve(const struct folder *folder, struct snapshot **snapshot, struct local *out)
{
    *out = (struct local){.peer = {.name = STR("pdpctl"), .hash = 1, .grants = GRANT_ALL | GRANT_SIMULATE}};
    note_bundle(folder_bundle(folder), out);
    const struct engine_config config = {.key = REPLAY_KEY, .id_prefix = UINT64_C(0x7265706c6179)};
    if (engine_new(&config, &out->engine) != PDP_ERR_OK ||
        worker_new(out->engine, &out->worker) != PDP_ERR_OK) {
        local_close(out);
        return cli_bad(NULL, "out of memory");
    }
    snapshot_parts(*snapshot, &out->parts);
    engine_publish(out->engine, snapshot);
    return CLI_DONE;
}

int local_open(const struct cli_args *args, struct local *out)
{
    const char *path = args->policies != NULL ? args->policies : args->positional[0];
    *out = (struct local){0};
    return path != NULL ? local_open_at(args, path, out)
                        : cli_bad("give `--policies DIR`", "no policy folder is named");
}

static int open_at(const struct cli_args *args, const char *path, bool conditions, struct local *out)
{
    *out = (struct local){0};
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    int code = local_read(args, path, &folder);
    if (code == CLI_DONE) {
        struct snapshot_input input = folder_input(folder);
        input.conditions = conditions;
        code = local_compile(args, path, &input, &snapshot);
    }
    return code == CLI_DONE ? local_serve(folder, &snapshot, out) : code;
}

int local_open_at(const struct cli_args *args, const char *path, struct local *out)
{
    return open_at(args, path, false, out);
}

int local_open_written(const struct cli_args *args, struct local *out)
{
    *out = (struct local){0};
    return args->policies != NULL ? open_at(args, args->policies, true, out)
                                  : cli_bad("give `--policies DIR`", "no policy folder is named");
}

void local_close(struct local *local)
{
    worker_free(&local->worker);
    engine_free(&local->engine);
}

bool local_explain(const struct buf *question, struct buf *out)
{
    struct arena arena;
    struct value root;
    struct fault why;
    arena_init(&arena, 0, 0);
    bool read = wire_decode(wire_form_of(buf_view(question)), buf_view(question), &arena, &root, &why) ==
                    PDP_ERR_OK &&
                root.kind == VALUE_MAP;
    if (read) {
        struct emit emit;
        emit_init(&emit, WIRE_JSON, out);
        emit_map(&emit, SIZE_MAX);
        for (uint32_t i = 0; i < root.n; i++) {
            if (!value_is_text(&root.as.map[i].key, STR("explain"))) {
                emit_key(&emit, value_text(&root.as.map[i].key));
                emit_value(&emit, &root.as.map[i].value);
            }
        }
        emit_key_str(&emit, "explain", STR("full"));
        emit_end(&emit);
    } else {
        buf_put(out, question->at, question->len);
    }
    arena_fini(&arena);
    return read;
}
