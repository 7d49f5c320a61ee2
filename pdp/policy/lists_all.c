// SPDX-License-Identifier: Apache-2.0
// All lists of a snapshot, apart from the rules that ask them: another file of one needs no compile.
#include "policy/networks.h"

#include "conf/conf.h"

#include <stdlib.h>

enum pdp_err lists_all_new(size_t count, struct policy_lists **out)
{
    *out = calloc(1, sizeof **out + count * sizeof(struct lists_set *));
    if (*out == NULL) {
        return PDP_ERR_NOMEM;
    }
    (*out)->count = count;
    return PDP_ERR_OK;
}

void policy_lists_free(struct policy_lists **lists_ptr)
{
    struct policy_lists *lists = STEAL(*lists_ptr);
    if (lists != NULL) {
        networks_free(&lists->networks);
    }
    for (size_t i = 0; lists != NULL && i < lists->count; i++) {
        lists_free(&lists->at[i]);
    }
    free(lists);
}

// The same sets, without what is compiled of them.
static enum pdp_err share_sets(const struct policy_lists *lists, struct policy_lists **out)
{
    TRY(lists_all_new(lists->count, out));
    for (size_t i = 0; i < lists->count; i++) {
        (*out)->at[i] = lists->at[i] != NULL ? lists_hold(lists->at[i]) : NULL;
    }
    return PDP_ERR_OK;
}

enum pdp_err policy_lists_share(const struct policy_lists *lists, struct policy_lists **out)
{
    *out = NULL;
    AUTO(policy_lists_free) struct policy_lists *same = NULL;
    TRY(share_sets(lists, &same));
    TRY(networks_build(same, lists->networks, &same->networks));
    *out = STEAL(same);
    return PDP_ERR_OK;
}

static const struct lists_set *set_at(const struct policy_lists *lists, uint32_t list)
{
    return lists != NULL && list < lists->count ? lists->at[list] : NULL;
}

enum truth policy_contains(const struct policy_lists *lists, uint32_t list, const struct value *value,
                           int64_t now_ms)
{
    const struct lists_set *set = set_at(lists, list);
    return set != NULL ? lists_contains(set, value, now_ms) : TRUTH_UNSURE;
}

int64_t policy_list_until(const struct policy_lists *lists, uint32_t list, int64_t now_ms)
{
    const struct lists_set *set = set_at(lists, list);
    return set != NULL ? lists_until(set, now_ms) : INT64_MAX;
}

void policy_lists_loaded(struct policy_lists *lists, int64_t now_ms)
{
    for (size_t i = 0; i < lists->count; i++) {
        if (lists->at[i] != NULL && lists->at[i]->loaded_ms == LISTS_UNKNOWN) { // else others read it already
            lists->at[i]->loaded_ms = now_ms;
        }
    }
}

size_t policy_list_count(const struct policy_lists *lists)
{
    return lists->count;
}

bool policy_list_describe(const struct policy_lists *lists, uint32_t list, int64_t now_ms,
                          struct policy_list_facts *out)
{
    static const char *const KINDS[] = {[CEL_SET_STRING] = "string",
                                        [CEL_SET_CIDR] = "cidr",
                                        [CEL_SET_COUNTRY] = "country",
                                        [CEL_SET_ASN] = "asn"};
    const struct lists_set *set = set_at(lists, list);
    *out = (struct policy_list_facts){0};
    if (set == NULL) {
        return false;
    }
    *out = (struct policy_list_facts){
        .name = set->head.name,
        .file = set->head.file,
        .version = set->version,
        .kind = KINDS[set->head.kind],
        .network = set->head.network != NULL ? set->head.network->name : NULL,
        .entries = set->entries,
        .bytes = lists_bytes(set),
        .updated_ms = set->updated_ms,
        .loaded_ms = set->loaded_ms,
        .max_age_ms = set->head.max_age_ms,
        .refused_ms = atomic_load_explicit(&set->refused_ms, memory_order_relaxed),
        .missing = set->missing,
        .stale = lists_stale(set, now_ms),
        .sha256 = set->sha256,
    };
    return true;
}

// ---- Reading files anew -----------------------------------------------------------------------------

struct rereading {
    const struct policy_files *files;
    struct hash_key seed;
    int64_t now_ms;
    struct diags *diags;
    struct policy_lists *lists;
    size_t read;
};

static const struct source *source_of(struct diags *diags, struct str name, struct str text)
{
    struct source *source = ARENA_NEW(&diags->arena, struct source);
    bool ok = true;
    if (source != NULL) {
        *source = (struct source){arena_str(&diags->arena, name, &ok), text};
    }
    return ok ? source : NULL;
}

enum pdp_err lists_file_find(const struct policy_files *files, struct str path, struct diags *diags,
                             const struct source **out)
{
    struct str text = {0};
    *out = NULL;
    TRY(files != NULL && files->read != NULL ? files->read(files->user, path, &text) : PDP_ERR_UNSUPPORTED);
    if ((text.at == NULL && text.len > 0) || text.len > CONF_BYTES_MAX) {
        return PDP_ERR_LIMIT;
    }
    *out = source_of(diags, path, text);
    return *out != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static enum pdp_err refuse(struct rereading *r, struct lists_set *was, enum pdp_err err)
{
    atomic_store_explicit(&was->refused_ms, r->now_ms, memory_order_relaxed);
    return err;
}

static enum pdp_err reread(struct rereading *r, size_t list)
{
    struct lists_set *was = r->lists->at[list];
    struct lists_set *now = NULL;
    const struct source *source = NULL;
    r->read++;
    enum pdp_err err = lists_file_find(r->files, was->head.file, r->diags, &source);
    if (err != PDP_ERR_OK) {
        source = source_of(r->diags, was->head.file, (struct str){0});
        (void)diag_error(r->diags, err, (struct place){source, 0, 0}, "cannot be read: %s",
                         pdp_err_text(err));
        diag_hint(r->diags, "the entries of `lists." STR_FMT "` that were read before serve on",
                  STR_ARG(was->head.name));
        return refuse(r, was, err);
    }
    err = lists_file_read(&was->head, source, r->seed, r->diags, &now);
    if (err != PDP_ERR_OK) {
        return refuse(r, was, err);
    }
    lists_free(&r->lists->at[list]);
    r->lists->at[list] = now;
    return PDP_ERR_OK;
}

static enum pdp_err find(const struct policy_lists *lists, struct str name, struct diags *diags, size_t *out)
{
    struct str names[256];
    size_t count = 0;
    for (size_t i = 0; i < lists->count; i++) {
        if (lists->at[i] != NULL && str_eq(lists->at[i]->head.name, name)) {
            *out = i;
            return PDP_ERR_OK;
        }
        if (lists->at[i] != NULL && count < COUNT_OF(names)) {
            names[count++] = lists->at[i]->head.name;
        }
    }
    AUTO(buf_fini) struct buf shown = {0};
    buf_escaped(&shown, str_sub(name, 0, 80));
    int near = str_nearest(name, names, count);
    enum pdp_err err = diag_error(diags, PDP_ERR_UNKNOWN, (struct place){0},
                                  "no list is called `" STR_FMT "`", STR_ARG(buf_view(&shown)));
    if (near >= 0) {
        diag_hint(diags, "did you mean `" STR_FMT "`?", STR_ARG(names[near]));
    } else {
        diag_hint(diags, "a list that was added is read with all policies");
    }
    return err;
}

static enum pdp_err reread_one(struct rereading *r, struct str name)
{
    size_t list = 0;
    TRY(find(r->lists, name, r->diags, &list));
    if (r->lists->at[list]->head.file.len == 0) {
        enum pdp_err err =
            diag_error(r->diags, PDP_ERR_STATE, (struct place){0},
                       "the entries of `lists." STR_FMT "` stand in its document", STR_ARG(name));
        diag_hint(r->diags, "reload all policies");
        return err;
    }
    return reread(r, list);
}

// All are looked at, so that every mistake is told; one that is bad refuses them all.
static enum pdp_err reread_all(struct rereading *r)
{
    enum pdp_err first = PDP_ERR_OK;
    for (size_t i = 0; i < r->lists->count; i++) {
        if (r->lists->at[i] != NULL && r->lists->at[i]->head.file.len > 0) {
            enum pdp_err err = reread(r, i);
            first = first == PDP_ERR_OK ? err : first;
        }
    }
    if (r->read == 0) {
        return diag_error(r->diags, PDP_ERR_MISSING, (struct place){0}, "no list comes from a file");
    }
    return first;
}

enum pdp_err policy_lists_reread(const struct policy_lists *from, struct str name,
                                 const struct policy_files *files, struct hash_key seed, int64_t now_ms,
                                 struct diags *diags, struct policy_lists **out)
{
    *out = NULL;
    AUTO(policy_lists_free) struct policy_lists *lists = NULL;
    TRY(share_sets(from, &lists));
    struct rereading r = {.files = files, .seed = seed, .now_ms = now_ms, .diags = diags, .lists = lists};
    TRY(name.len > 0 ? reread_one(&r, name) : reread_all(&r));
    TRY(networks_build(lists, from->networks, &lists->networks));
    policy_lists_loaded(lists, now_ms);
    *out = STEAL(lists);
    return PDP_ERR_OK;
}
