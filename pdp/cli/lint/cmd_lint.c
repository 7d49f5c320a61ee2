// SPDX-License-Identifier: Apache-2.0
// `pdpctl lint`: findings over a folder that compiles.
#include "cli/local.h"

#include "cli/lint/findings.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct hash_key LINT_KEY = {UINT64_C(0x7064702d6c696e74), 1};

struct linted {
    struct diags diags; // conditions point into its sources
    struct snapshot *snapshot;
    struct source *sources;
    struct lint_findings findings;
};

static void linted_fini(struct linted *linted)
{
    lint_findings_fini(&linted->findings);
    snapshot_free(&linted->snapshot);
    free(linted->sources);
    diags_fini(&linted->diags);
}

// Every code that `--code` names, as a bit; all where there is none.
static int wanted_codes(const struct cli_args *args, uint64_t *out)
{
    *out = args->codes.count == 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < args->codes.count; i++) {
        enum lint_code code = lint_code_of(str_of(args->codes.at[i]));
        if (code == LINT_COUNT) {
            return cli_bad("a code such as L01, or its word such as unreachable-rule",
                           "there is no finding `%s`", args->codes.at[i]);
        }
        *out |= UINT64_C(1) << code;
    }
    return CLI_DONE;
}

static enum pdp_err find(struct linted *linted, const struct snapshot_input *files, int64_t now_ms)
{
    linted->sources = calloc(files->file_count + 1, sizeof *linted->sources);
    return linted->sources == NULL ? PDP_ERR_NOMEM
                                   : findings_of(linted->snapshot, files->files, files->file_count, now_ms,
                                                 linted->sources, &linted->findings);
}

static int compile_refused(struct linted *linted, const char *path)
{
    struct buf text = {0};
    diags_render(&linted->diags, &text);
    fflush(stdout);
    fwrite(text.at != NULL ? (const char *)text.at : "", 1, text.len, stderr);
    buf_fini(&text);
    return local_count(path, linted->diags.errors);
}

static void keep_wanted(struct lint_findings *findings, uint64_t wanted)
{
    size_t kept = 0;
    for (size_t i = 0; i < findings->count; i++) {
        if ((wanted >> findings->list[i].code & 1) != 0) {
            findings->list[kept++] = findings->list[i];
        }
    }
    findings->count = kept;
}

// ---- Shown --------------------------------------------------------------------------------------------

static void show_people(const struct lint_findings *findings, struct buf *out)
{
    lint_render(findings, out);
    if (findings->count == 0) {
        buf_str(out, STR("no finding"));
    } else {
        buf_printf(out, "%zu finding%s", findings->count, findings->count == 1 ? "" : "s");
    }
    if (findings->silenced > 0) {
        buf_printf(out, ", %zu silenced", findings->silenced);
    }
    buf_byte(out, '\n');
}

static void emit_finding(struct emit *emit, const struct lint_finding *finding)
{
    const struct lint_row *row = &LINT_ROWS[finding->code];
    uint32_t line = 0, column = 0;
    place_line_col(finding->place, &line, &column);
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "code", row->code);
    emit_key_str(emit, "name", row->word);
    emit_key_str(emit, "severity", row->severity == LINT_SEVERITY_NOTE ? STR("note") : STR("warning"));
    if (finding->place.src != NULL) {
        emit_key_str(emit, "file", finding->place.src->name);
        emit_key_int(emit, "line", line);
        emit_key_int(emit, "column", column);
    }
    emit_key_str(emit, "message", finding->message);
    emit_key_str(emit, "hint", finding->hint);
    emit_end(emit);
}

static void show_json(const struct lint_findings *findings, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key_bool(&emit, "ok", findings->count == 0);
    emit_key_int(&emit, "silenced", (int64_t)findings->silenced);
    emit_key(&emit, STR("findings"));
    emit_list(&emit, SIZE_MAX);
    for (size_t i = 0; i < findings->count; i++) {
        emit_finding(&emit, &findings->list[i]);
    }
    emit_end(&emit);
    emit_end(&emit);
    buf_byte(out, '\n');
}

static int lint(const struct cli_args *args, struct folder *folder, uint64_t wanted, int64_t now_ms)
{
    struct linted linted = {.snapshot = NULL};
    struct buf out = {0};
    diags_init(&linted.diags, 1000);
    lint_findings_init(&linted.findings);
    struct snapshot_input input = folder_input(folder);
    input.conditions = true;
    input.now_ms = now_ms;
    enum pdp_err err = snapshot_build(&input, LINT_KEY, &linted.diags, &linted.snapshot);
    int code = err == PDP_ERR_OK ? CLI_DONE : compile_refused(&linted, args->positional[0]);
    if (code == CLI_DONE && find(&linted, &input, now_ms) != PDP_ERR_OK) {
        code = cli_bad(NULL, "out of memory");
    }
    if (code == CLI_DONE) {
        keep_wanted(&linted.findings, wanted);
        (args->json ? show_json : show_people)(&linted.findings, &out);
        code = cli_write(&out, linted.findings.count == 0 ? CLI_DONE : CLI_NO);
    }
    buf_fini(&out);
    linted_fini(&linted);
    return code;
}

int cmd_lint(const struct cli_args *args)
{
    struct timespec clock;
    uint64_t wanted = 0;
    AUTO(folder_free) struct folder *folder = NULL;
    clock_gettime(CLOCK_REALTIME, &clock);
    int64_t now_ms = (int64_t)clock.tv_sec * 1000 + clock.tv_nsec / 1000000;
    if (!local_now(args, &now_ms)) {
        return CLI_BAD;
    }
    int code = wanted_codes(args, &wanted);
    code = code == CLI_DONE ? local_read(args, args->positional[0], &folder) : code;
    return code == CLI_DONE ? lint(args, folder, wanted, now_ms) : code;
}
