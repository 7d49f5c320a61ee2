// SPDX-License-Identifier: Apache-2.0
// From what was found in a folder to what the editor shows.
#include "cli/edit/lsp_inner.h"

#include "base/hash.h"

#include <stdlib.h>

static const struct hash_key KEY = {UINT64_C(0x74656c6c), 2};

struct lsp_job *lsp_job_take(struct lsp *lsp, int64_t now_ms)
{
    for (size_t i = 0; !lsp->job_out && i < lsp->space.folder_count; i++) {
        struct lsp_folder *folder = lsp->space.folders[i];
        lsp_folder_refresh(&lsp->space, folder);
        if (!folder->dirty || folder->dir.at == NULL) {
            continue;
        }
        struct lsp_job *job = lsp_job_new(&lsp->space, folder, now_ms);
        folder->dirty = job == NULL;
        lsp->job_out = job != NULL;
        return job;
    }
    return NULL;
}

static json_t *finding_json(const struct lsp *lsp, const struct lsp_job *job, const struct lsp_finding *found)
{
    struct str text =
        found->file < job->count ? lsp_blob_str(job->files[found->file].text) : (struct str){NULL, 0};
    AUTO(buf_fini) struct buf message = {0};
    buf_str(&message, found->message);
    if (found->hint.len > 0) {
        buf_str(&message, STR("\nhint: "));
        buf_str(&message, found->hint);
    }
    json_t *out =
        json_pack("{s:o,s:i,s:s,s:o}", "range", lsp_range(lsp, text, found->at, found->len), "severity",
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

// Have the texts stayed what they were?
static bool current(const struct lsp_job *job, const struct lsp_folder *folder)
{
    return folder != NULL && !folder->dirty && job->count <= folder->count;
}

void lsp_job_give(struct lsp *lsp, struct lsp_job **job_ptr)
{
    AUTO(lsp_job_free) struct lsp_job *job = STEAL(*job_ptr);
    lsp->job_out = false;
    if (job == NULL) {
        return;
    }
    struct str dir = str_sub(job->dir, 0, job->dir.len - 1);
    struct lsp_folder *folder = lsp_space_folder(&lsp->space, dir);
    keep_parsed(job, folder);
    if (!current(job, folder)) {
        return; // another look is due anyway
    }
    size_t home = homeless(job, folder);
    for (size_t i = 0; i < job->count; i++) {
        struct lsp_file *file = lsp_folder_file(folder, job->files[i].path);
        json_t *list = json_array();
        for (size_t k = 0; k < job->found; k++) {
            size_t at = job->findings[k].file < job->count ? job->findings[k].file : home;
            if (at == i) {
                json_array_append_new(list, finding_json(lsp, job, &job->findings[k]));
            }
        }
        if (file != NULL) {
            tell_file(lsp, file, list);
        } else {
            json_decref(list);
        }
    }
    for (size_t i = 0; i < folder->count; i++) { // files that are gone
        if (lsp_file_text(folder->files[i]) == NULL && folder->files[i]->told != 0) {
            tell_file(lsp, folder->files[i], json_array());
        }
    }
    lsp_log(lsp, "event=lsp_looked files=%zu findings=%zu", job->count, job->found);
}
