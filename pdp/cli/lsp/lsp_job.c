// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_job.h"

#include "cli/edit/shapes.h"
#include "cli/lint/findings.h"
#include "cli/test/suite.h"
#include "daemon/folder.h"

#include <stdlib.h>
#include <unistd.h>

static const struct hash_key SEED = {UINT64_C(0x6c7370), 1}; // of tables that nobody attacks

// ---- What a folder holds ------------------------------------------------------------------------

// How messages name a file: from the workspace on, or from the folder's own name on.
static size_t front_of(const struct lsp_space *space, struct str dir)
{
    size_t front = 0;
    for (size_t i = 0; i < space->root_count; i++) {
        struct str root = space->roots[i];
        bool in = str_starts(dir, root) && dir.len > root.len && dir.at[root.len] == '/';
        front = in && root.len + 1 > front ? root.len + 1 : front;
    }
    while (front == 0 && dir.len > 1) {
        size_t slash = dir.len;
        while (slash > 0 && dir.at[slash - 1] != '/') {
            slash--;
        }
        return slash;
    }
    return front;
}

// Which kinds of documents a text holds, by its lines `kind: …`: somebody may be writing one of them.
static void note_kinds(const struct shapes *shapes, struct str text, bool *tests, bool *policies)
{
    static const struct str KEY = {"kind:", 5};
    for (size_t at = str_find(text, KEY, 0); at != SIZE_MAX; at = str_find(text, KEY, at + 1)) {
        struct str line = str_sub(text, at + KEY.len, str_find_byte(text, '\n', at) - at - KEY.len);
        struct str kind = str_trim(str_sub(line, 0, str_find_byte(line, '#', 0)));
        bool test = str_eq(kind, STR("Test")) || str_eq(kind, STR("Scenario")) || str_eq(kind, STR("Given"));
        bool top = at == 0 || text.at[at - 1] == '\n';
        *tests = *tests || (top && test);
        *policies = *policies || (top && !test && shape_named(shapes->list, shapes->count, kind) != NULL);
    }
}

// A folder that holds tests and no policies is one of scenarios for others: all of its files are tests.
static void tests_alone(struct lsp_job *job)
{
    bool tests = false;
    bool policies = false;
    struct shapes shapes;
    if (shapes_all(&job->arena, &shapes) != PDP_ERR_OK) {
        return;
    }
    for (size_t i = 0; i < job->count; i++) {
        note_kinds(&shapes, lsp_blob_str(job->files[i].text), &tests, &policies);
    }
    for (size_t i = 0; tests && !policies && i < job->count; i++) {
        job->files[i].test = true;
    }
}

struct lsp_job *lsp_job_new(const struct lsp_space *space, const struct lsp_folder *folder,
                            enum lsp_lane lane, int64_t now_ms)
{
    struct lsp_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return NULL;
    }
    arena_init(&job->arena, 0, 0);
    job->lane = lane;
    job->round = folder->round;
    job->now_ms = now_ms;
    job->no_disk = space->no_disk;
    job->dir = arena_printf(&job->arena, "%s%c", folder->dir.at, '\0');
    job->files = ARENA_ARRAY(&job->arena, struct lsp_job_file, folder->count + 1);
    size_t front = front_of(space, folder->dir);
    for (size_t i = 0; job->files != NULL && i < folder->count; i++) {
        const struct lsp_file *file = folder->files[i];
        struct lsp_blob *text = lsp_file_text(file);
        AUTO(lsp_blob_drop)
        struct lsp_blob *empty = text == NULL && file->lost ? lsp_blob_new((struct str){NULL, 0}) : NULL;
        text = text != NULL ? text : empty;
        if (text == NULL) {
            continue;
        }
        struct str path = arena_str(&job->arena, file->path, NULL);
        job->files[job->count++] = (struct lsp_job_file){
            .path = path,
            .name = str_sub(path, front, path.len),
            .text = lsp_blob_hold(text),
            .parsed =
                file->parsed != NULL && file->parsed->text == text ? lsp_parsed_hold(file->parsed) : NULL,
            .test = folder_is_test(path),
            .lost = text == empty,
        };
    }
    if (job->dir.len == 0 || job->files == NULL) {
        lsp_job_free(&job);
        return NULL;
    }
    tests_alone(job);
    return job;
}

void lsp_job_free(struct lsp_job **job_ptr)
{
    struct lsp_job *job = STEAL(*job_ptr);
    if (job != NULL) {
        for (size_t i = 0; i < job->count; i++) {
            lsp_blob_drop(&job->files[i].text);
            lsp_parsed_drop(&job->files[i].parsed);
        }
        free(job->findings);
        arena_fini(&job->arena);
        free(job);
    }
}

// ---- Findings -----------------------------------------------------------------------------------

static struct lsp_finding *add(struct lsp_job *job)
{
    if (job->found == LSP_FINDINGS_MAX) {
        job->dropped++;
        return NULL;
    }
    if (job->found == job->cap) {
        size_t cap = job->cap == 0 ? 32 : job->cap * 2;
        struct lsp_finding *grown = realloc(job->findings, cap * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        job->findings = grown;
        job->cap = cap;
    }
    job->findings[job->found] = (struct lsp_finding){0};
    return &job->findings[job->found++];
}

// The file whose text a source is; count: none of them.
static size_t file_of(const struct lsp_job *job, const struct source *source)
{
    for (size_t i = 0; source != NULL && i < job->count; i++) {
        if (source->text.at == job->files[i].text->at || str_eq(source->name, job->files[i].name)) {
            return i;
        }
    }
    return job->count;
}

static struct str said(struct lsp_job *job, const struct diag *diag, size_t file)
{
    if (file < job->count || diag->place.src == NULL) {
        return arena_str(&job->arena, diag->message, NULL);
    }
    uint32_t line = 0, col = 0; // such as of a list's file
    place_line_col(diag->place, &line, &col);
    return arena_printf(&job->arena, STR_FMT ":%u: " STR_FMT, STR_ARG(diag->place.src->name), line,
                        STR_ARG(diag->message));
}

static void take(struct lsp_job *job, const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->list[i];
        struct lsp_finding *finding = add(job);
        if (finding == NULL) {
            continue;
        }
        bool error = diag->severity == DIAG_ERROR;
        finding->file = file_of(job, diag->place.src);
        finding->at = diag->place.at;
        finding->len = diag->place.len;
        finding->severity = error ? LSP_ERROR : LSP_WARNING;
        finding->code = error ? str_of(pdp_err_name(diag->err)) : (struct str){NULL, 0};
        finding->message = said(job, diag, finding->file);
        finding->hint = arena_str(&job->arena, diag->hint, NULL);
    }
}

// Its documents of policies, or its tests, for the compiler.
static const struct snapshot_file *files_of(struct lsp_job *job, bool tests, size_t *count)
{
    struct snapshot_file *files = ARENA_ARRAY(&job->arena, struct snapshot_file, job->count + 1);
    *count = 0;
    for (size_t i = 0; files != NULL && i < job->count; i++) {
        struct lsp_job_file *file = &job->files[i];
        if (file->test != tests) {
            continue;
        }
        if (file->parsed == NULL) {
            lsp_parsed_new(file->text, file->name, &file->parsed);
        }
        files[(*count)++] =
            (struct snapshot_file){.name = file->name,
                                   .text = lsp_blob_str(file->text),
                                   .err = file->lost ? PDP_ERR_UNSUPPORTED : PDP_ERR_OK, // any may be why
                                   .why = STR("it is no plain file of 4 MiB at most, or may not be read"),
                                   .docs = file->parsed != NULL ? file->parsed->docs : NULL,
                                   .doc_count = file->parsed != NULL ? file->parsed->doc_count : 0};
    }
    return files;
}

// ---- Compiling ----------------------------------------------------------------------------------

static enum pdp_err no_file(void *user, struct str path, struct str *text)
{
    (void)user;
    (void)path;
    *text = (struct str){NULL, 0};
    return PDP_ERR_IO;
}

static enum pdp_err no_zone(void *user, struct str name, struct str *tzif)
{
    (void)user;
    (void)name;
    *tzif = (struct str){NULL, 0};
    return PDP_ERR_UNKNOWN;
}

// The page of a finding's code, where pages are installed; else empty.
static struct str page_of(struct lsp_job *job, struct str code)
{
    static const char FILE_URI[] = "file://";
    struct str uri = arena_printf(&job->arena, "%s" PDP_DOCS "/lint/" STR_FMT ".md", FILE_URI, STR_ARG(code));
    bool there = uri.len > 0 && !job->no_disk && access(uri.at + strlen(FILE_URI), R_OK) == 0;
    return there ? uri : (struct str){NULL, 0};
}

static void take_lint(struct lsp_job *job, const struct lint_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct lint_finding *from = &findings->list[i];
        const struct lint_row *row = &LINT_ROWS[from->code];
        struct lsp_finding *finding = add(job);
        if (finding == NULL) {
            continue;
        }
        bool note = row->severity == LINT_SEVERITY_NOTE;
        finding->file = file_of(job, from->place.src);
        finding->at = from->place.at;
        finding->len = from->place.len;
        finding->severity = note ? LSP_INFORMATION : LSP_WARNING;
        finding->code = row->code;
        finding->message = arena_str(&job->arena, from->message, NULL);
        finding->hint = arena_str(&job->arena, from->hint, NULL);
        finding->href = page_of(job, row->code);
    }
}

static void lint(struct lsp_job *job, const struct snapshot_file *files, size_t count,
                 const struct snapshot *snapshot)
{
    struct lint_findings findings;
    struct source *sources = ARENA_ARRAY(&job->arena, struct source, count + 1);
    if (sources == NULL) {
        return;
    }
    lint_findings_init(&findings);
    enum pdp_err err = findings_of(snapshot, files, count, job->now_ms, sources, &findings);
    (void)err; // what was found until then counts
    take_lint(job, &findings);
    lint_findings_fini(&findings);
}

// Tests, and names in them that the policies do not have; those only where the policies compile.
static void read_tests(struct lsp_job *job, const struct snapshot *snapshot)
{
    AUTO(suite_free) struct suite *suite = NULL;
    AUTO(diags_fini) struct diags diags;
    size_t count = 0;
    const struct snapshot_file *files = files_of(job, true, &count);
    diags_init(&diags, LSP_FINDINGS_MAX);
    if (count > 0 && suite_read(files, count, &diags, &suite) == PDP_ERR_OK && snapshot != NULL) {
        enum pdp_err err = suite_check(suite, snapshot, &diags);
        (void)err; // what is wrong stands in the diagnostics
    }
    take(job, &diags);
}

// *out NULL where it does not compile; what is wrong then stands in `diags`, which outlive the snapshot.
static void compile(struct lsp_job *job, const struct snapshot_file *files, size_t count, struct diags *diags,
                    struct snapshot **out)
{
    AUTO(folder_free) struct folder *folder = NULL;
    struct snapshot_input input = {.read_file = no_file, .read_zone = no_zone};
    if (!job->no_disk && folder_open(job->dir.at, &folder) == PDP_ERR_OK) {
        input = folder_input(folder);
    }
    input.files = files;
    input.file_count = count;
    input.now_ms = job->now_ms;
    input.conditions = job->lane == LSP_LINT;
    job->compiles = snapshot_build(&input, SEED, diags, out) == PDP_ERR_OK;
}

void lsp_job_run(struct lsp_job *job)
{
    AUTO(diags_fini) struct diags diags;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    size_t count = 0;
    const struct snapshot_file *files = files_of(job, false, &count);
    diags_init(&diags, LSP_FINDINGS_MAX);
    if (count > 0) { // a folder of scenarios alone is for any policies
        compile(job, files, count, &diags, &snapshot);
    }
    if (job->lane == LSP_CHECK) {
        take(job, &diags);
        read_tests(job, snapshot);
    } else if (snapshot != NULL) {
        lint(job, files, count, snapshot);
    }
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct lsp_job_file *)a)->path, ((const struct lsp_job_file *)b)->path);
}

const struct lsp_job_file *lsp_job_find(const struct lsp_job *job, struct str path)
{
    const struct lsp_job_file key = {.path = path};
    return job->count > 0 ? bsearch(&key, job->files, job->count, sizeof *job->files, by_path) : NULL;
}
