// SPDX-License-Identifier: Apache-2.0
// From what was found in a folder to what the editor shows.
#include "cli/lsp/lsp_inner.h"

#include "base/hash.h"

#include <stdlib.h>

static const struct hash_key KEY = {UINT64_C(0x74656c6c), 2};

// Is the folder to be looked at in this lane?
static bool due(struct lsp *lsp, struct lsp_folder *folder, enum lsp_lane lane)
{
    if (lane == LSP_CHECK) {
        lsp_folder_refresh(&lsp->space, folder);
    }
    return folder->dir.at != NULL && (lane == LSP_CHECK ? folder->dirty : folder->unlinted && !folder->dirty);
}

struct lsp_job *lsp_job_take(struct lsp *lsp, enum lsp_lane lane, int64_t now_ms)
{
    for (size_t i = 0; !lsp->job_out[lane] && i < lsp->space.folder_count; i++) {
        struct lsp_folder *folder = lsp->space.folders[i];
        if (!due(lsp, folder, lane)) {
            continue;
        }
        folder->round += lane == LSP_CHECK;
        struct lsp_job *job = lsp_job_new(&lsp->space, folder, lane, now_ms);
        folder->dirty = folder->dirty && job == NULL;
        folder->unlinted = false;
        lsp->job_out[lane] = job != NULL;
        return job;
    }
    return NULL;
}

static json_t *finding_json(const struct lsp *lsp, const struct lsp_lines *lines,
                            const struct lsp_finding *found)
{
    AUTO(buf_fini) struct buf message = {0};
    buf_str(&message, found->message);
    if (found->hint.len > 0) {
        buf_str(&message, STR("\nhint: "));
        buf_str(&message, found->hint);
    }
    json_t *out =
        json_pack("{s:o,s:i,s:s,s:o}", "range", lsp_range_in(lsp, lines, found->at, found->len), "severity",
                  (int)found->severity, "source", "pdpctl", "message", lsp_json(buf_view(&message)));
    if (out != NULL && found->code.len > 0) {
        json_object_set_new(out, "code", lsp_json(found->code));
    }
    if (out != NULL && found->href.len > 0) {
        json_object_set_new(out, "codeDescription", json_pack("{s:o}", "href", lsp_json(found->href)));
    }
    return out;
}

// Where what has no place of its own is shown: at the top of an open document of the folder, or of its first.
static size_t homeless(const struct lsp_job *job, const struct lsp_folder *folder)
{
    for (size_t i = 0; i < job->count; i++) {
        const struct lsp_file *file = lsp_folder_file(folder, job->files[i].path);
        if (file != NULL && file->open != NULL && !job->files[i].test) {
            return i;
        }
    }
    return 0;
}

static void tell_file(struct lsp *lsp, struct lsp_file *file, json_t *list)
{
    char *dumped = json_dumps(list, JSON_COMPACT);
    struct str whole = str_of(dumped);
    uint64_t told = json_array_size(list) == 0 ? 0 : hash_64(KEY, whole.at, whole.len) | 1;
    free(dumped);
    bool known = file->open == NULL || file->told_version == file->version;
    if (told == file->told && known) {
        json_decref(list);
        return;
    }
    file->told = told;
    file->told_version = file->version;
    json_t *params = json_pack("{s:o,s:o}", "uri", lsp_json(file->uri), "diagnostics", list);
    if (file->open != NULL) {
        json_object_set_new(params, "version", json_integer((json_int_t)file->version));
    }
    lsp_notify(lsp, "textDocument/publishDiagnostics", params);
}

// What was parsed on the way need not be parsed again.
static void keep_parsed(struct lsp_job *job, const struct lsp_folder *folder)
{
    for (size_t i = 0; folder != NULL && i < job->count; i++) {
        struct lsp_file *file =
            job->files[i].parsed != NULL ? lsp_folder_file(folder, job->files[i].path) : NULL;
        if (file != NULL && file->parsed != job->files[i].parsed &&
            lsp_file_text(file) == job->files[i].text) {
            lsp_parsed_drop(&file->parsed);
            file->parsed = STEAL(job->files[i].parsed);
        }
    }
}

// The file that a finding is shown in: what has no place, at `home`.
static size_t shown_in(const struct lsp_job *job, const struct lsp_finding *found, size_t home)
{
    return found->file < job->count ? found->file : home;
}

static size_t count_in(const struct lsp_job *job, size_t file, size_t home)
{
    size_t count = 0;
    for (size_t i = 0; i < job->found; i++) {
        count += shown_in(job, &job->findings[i], home) == file;
    }
    return count;
}

// What a look found in a file, as a number; 0 is never one.
static uint64_t hash_of(const struct lsp_job *job, size_t file)
{
    uint64_t hash = 1;
    for (size_t i = 0; i < job->found; i++) {
        const struct lsp_finding *found = &job->findings[i];
        if (found->file == file) {
            uint64_t parts[] = {hash, (uint64_t)found->at << 32 | found->len,
                                hash_64(KEY, found->message.at, found->message.len),
                                hash_64(KEY, found->code.at, found->code.len)};
            hash = hash_64(KEY, parts, sizeof parts) | 1;
        }
    }
    return hash;
}

static void gather(const struct lsp *lsp, const struct lsp_job *job, size_t file, size_t home, json_t *list)
{
    AUTO(arena_fini) struct arena arena;
    struct lsp_lines lines = {.count = 0};
    arena_init(&arena, 0, 0);
    for (size_t i = 0; i < job->found; i++) {
        const struct lsp_finding *found = &job->findings[i];
        if (shown_in(job, found, home) != file) {
            continue;
        }
        if (lines.count == 0) {
            lsp_lines_of(lsp_blob_str(job->files[file].text), &arena, &lines);
        }
        json_array_append_new(list, finding_json(lsp, &lines, found));
    }
}

// All that is known of one file: what the compiler said last, and what lint said of this very text. As long
// as lint has not looked, and nothing else has changed, what is shown stays: it would only flicker.
static void tell_one(struct lsp *lsp, struct lsp_folder *folder, size_t number, size_t home)
{
    const struct lsp_job *checked = folder->checked;
    const struct lsp_job_file *own = &checked->files[number];
    struct lsp_file *file = lsp_folder_file(folder, own->path);
    const struct lsp_job_file *linted =
        folder->linted != NULL ? lsp_job_find(folder->linted, own->path) : NULL;
    bool fresh = own->test || (linted != NULL && linted->text == own->text);
    bool has_checked = count_in(checked, number, home) > 0;
    size_t linted_at = linted != NULL ? (size_t)(linted - folder->linted->files) : SIZE_MAX;
    uint64_t lint = fresh && linted != NULL ? hash_of(folder->linted, linted_at) : 0;
    if (file == NULL || (folder->unlinted && !fresh && !has_checked && !file->told_checked)) {
        return;
    }
    bool same = !has_checked && !file->told_checked && lint != 0 && lint == file->told_lint &&
                (file->open == NULL || file->told_version == file->version);
    if (same) {
        return;
    }
    json_t *list = json_array();
    gather(lsp, checked, number, home, list);
    if (fresh && linted != NULL) {
        gather(lsp, folder->linted, linted_at, SIZE_MAX, list);
    }
    file->told_checked = has_checked;
    file->told_lint = lint;
    tell_file(lsp, file, list);
}

static void tell_folder(struct lsp *lsp, struct lsp_folder *folder)
{
    size_t home = homeless(folder->checked, folder);
    for (size_t i = 0; i < folder->checked->count; i++) {
        tell_one(lsp, folder, i, home);
    }
    for (size_t i = 0; i < folder->count; i++) { // files that are gone; one that cannot be read is there
        struct lsp_file *file = folder->files[i];
        if (lsp_file_text(file) == NULL && !file->lost && file->told != 0) {
            tell_file(lsp, file, json_array());
        }
    }
}

void lsp_job_give(struct lsp *lsp, struct lsp_job **job_ptr)
{
    AUTO(lsp_job_free) struct lsp_job *job = STEAL(*job_ptr);
    if (job == NULL) {
        return;
    }
    lsp->job_out[job->lane] = false;
    struct str dir = str_sub(job->dir, 0, job->dir.len - 1);
    struct lsp_folder *folder = lsp_space_folder(&lsp->space, dir);
    keep_parsed(job, folder);
    if (folder == NULL || folder->dirty || folder->round != job->round) {
        return; // another look is due anyway
    }
    lsp_log(lsp, "event=lsp_looked lane=%s files=%zu findings=%zu", job->lane == LSP_CHECK ? "check" : "lint",
            job->count, job->found);
    struct lsp_job **kept = job->lane == LSP_CHECK ? &folder->checked : &folder->linted;
    folder->unlinted = job->lane == LSP_CHECK && job->compiles;
    lsp_job_free(kept);
    *kept = STEAL(job);
    if (folder->checked != NULL) {
        tell_folder(lsp, folder);
    }
}
