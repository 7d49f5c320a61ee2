// SPDX-License-Identifier: Apache-2.0
#include "engine/snapshot.h"

#include "engine/anew.h"
#include "engine/written.h"
#include "seal/seal.h"

#include <stdlib.h>

static const size_t DOCS_MOST = 1000000;

static void base_free(struct snapshot *base)
{
    if (atomic_fetch_sub(&base->uses, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < SNAPSHOT_WORKERS_MAX; i++) {
        cel_frame_free(&base->rooms[i].frame);
        policy_scratch_free(&base->rooms[i].policy);
        free(atomic_load(&base->rooms[i].hits));
    }
    shadow_world_drop(&base->shadow);
    for (uint32_t i = 0; base->counters != NULL && i < base->facts.counters; i++) {
        counters_free(&base->counters[i]);
    }
    cel_program_free(&base->program);
    geo_set_free(&base->geo);
    arena_fini(&base->arena);
    free(base);
}

void snapshot_free(struct snapshot **snapshot)
{
    struct snapshot *s = STEAL(*snapshot);
    if (s == NULL) {
        return;
    }
    struct snapshot *base = s->base;
    policy_lists_free(&s->lists);
    if (s != base) {
        free(s);
    }
    base_free(base);
}

bool snapshot_scratch_make(struct snapshot *snapshot, size_t index)
{
    struct snapshot_scratch *scratch = &snapshot->scratch[index];
    if (scratch->frame == NULL && cel_frame_new(snapshot->program, &scratch->frame) != PDP_ERR_OK) {
        return false;
    }
    if (atomic_load_explicit(&scratch->hits, memory_order_relaxed) ==
        NULL) { // without memory it counts nothing
        atomic_store(&scratch->hits,
                     calloc(policy_rule_count(snapshot->policies) + 1, sizeof(atomic_ullong)));
    }
    return scratch->policy != NULL || policy_scratch_new(snapshot->policies, &scratch->policy) == PDP_ERR_OK;
}

// ---- Digest: over names and contents of all inputs, lengths in front, so that nothing can slide -----

static void digest_str(struct seal_hash *sha, struct str s)
{
    uint64_t len = s.len;
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(len >> (8 * i));
    }
    seal_hash_add(sha, bytes, sizeof bytes);
    seal_hash_add(sha, s.at, s.len);
}

// How many bytes of the files' names are the folder that all stand in: where it is on a machine is no input.
static size_t common_folder(const struct snapshot_input *input)
{
    struct str first = input->file_count > 0 ? input->files[0].name : (struct str){0};
    size_t common = first.len;
    for (size_t i = 1; i < input->file_count; i++) {
        size_t at = 0;
        while (at < common && at < input->files[i].name.len && input->files[i].name.at[at] == first.at[at]) {
            at++;
        }
        common = at;
    }
    while (common > 0 && first.at[common - 1] != '/') {
        common--;
    }
    return common;
}

static enum pdp_err digest_begin(const struct snapshot_input *input, struct seal_hash **sha)
{
    TRY(seal_hash_new(sha));
    size_t folder = common_folder(input);
    for (size_t i = 0; i < input->file_count; i++) {
        digest_str(*sha, str_sub(input->files[i].name, folder, input->files[i].name.len));
        digest_str(*sha, input->files[i].text);
    }
    for (size_t i = 0; i < input->geo_count; i++) {
        digest_str(*sha, input->geo[i].text);
    }
    return PDP_ERR_OK;
}

static void digest_lists(struct seal_hash *sha, const struct policy_lists *lists)
{
    struct policy_list_facts list;
    digest_str(sha, STR("")); // no file has this name: such a text is never one of files
    for (uint32_t i = 0; i < policy_list_count(lists); i++) {
        if (policy_list_describe(lists, i, 0, &list) && list.file.len > 0) {
            digest_str(sha, list.name);
            digest_str(sha, list.missing ? STR("lost") : STR("read"));
            seal_hash_add(sha, list.sha256, list.missing ? 0 : SEAL_BYTES);
        }
    }
}

static bool any_file(const struct policy_lists *lists)
{
    struct policy_list_facts list;
    for (uint32_t i = 0; i < policy_list_count(lists); i++) {
        if (policy_list_describe(lists, i, 0, &list) && list.file.len > 0) {
            return true;
        }
    }
    return false;
}

// Over the digest of all parts but the lists' files, and a digest of each of those: the same whether all was
// compiled or one file was read anew.
static enum pdp_err digest_end(struct snapshot *s)
{
    unsigned char hash[SEAL_BYTES];
    memcpy(hash, s->parts, sizeof hash);
    if (any_file(s->lists)) {
        AUTO(seal_hash_free) struct seal_hash *sha = NULL;
        TRY(seal_hash_new(&sha));
        digest_lists(sha, s->lists);
        seal_hash_add(sha, s->parts, sizeof s->parts);
        TRY(seal_hash_end(sha, hash));
    }
    static const char HEX[] = "0123456789abcdef";
    memcpy(s->digest, "sha256:", 7);
    for (size_t i = 0; i < sizeof hash; i++) {
        s->digest[7 + 2 * i] = HEX[hash[i] >> 4];
        s->digest[8 + 2 * i] = HEX[hash[i] & 15];
    }
    s->digest_len = 7 + 2 * sizeof hash;
    return PDP_ERR_OK;
}

// Zones that documents name are inputs as they are: each enters the digest as it is read, in the order of the
// documents. One that cannot be read is another input than an empty one.
struct named {
    const struct snapshot_input *input;
    struct seal_hash *sha;
};

static enum pdp_err named_zone(void *user, struct str name, struct str *text)
{
    struct named *named = user;
    const struct snapshot_input *input = named->input;
    *text = (struct str){0};
    enum pdp_err err =
        input->read_zone != NULL ? input->read_zone(input->user, name, text) : PDP_ERR_UNSUPPORTED;
    digest_str(named->sha, name);
    digest_str(named->sha, err == PDP_ERR_OK ? STR("read") : STR("lost"));
    digest_str(named->sha, err == PDP_ERR_OK ? *text : (struct str){0});
    return err;
}

static struct policy_files files_of(const struct snapshot_input *input)
{
    return (struct policy_files){input->read_file, input->user};
}

// ---- Reading -----------------------------------------------------------------------------------

// Sources live as long as the diagnostics, which point at them even where no snapshot came of it. Nothing in
// the snapshot may keep a pointer into them.
static const struct source *source_of(struct diags *diags, const struct snapshot_file *file)
{
    struct source *source = ARENA_NEW(&diags->arena, struct source);
    if (source != NULL) {
        *source = (struct source){file->name, file->text};
    }
    return source;
}

struct doc_list {
    struct conf_doc *docs;
    size_t count, cap;
};

static void doc_list_free(struct doc_list *list)
{
    free(list->docs);
}

static enum pdp_err doc_list_add(struct doc_list *list, const struct conf_doc *docs, size_t count)
{
    if (count > DOCS_MOST - list->count) {
        return PDP_ERR_LIMIT;
    }
    if (list->count + count > list->cap) {
        size_t cap = (list->count + count) * 2;
        struct conf_doc *more = realloc(list->docs, cap * sizeof *more);
        if (more == NULL) {
            return PDP_ERR_NOMEM;
        }
        list->docs = more;
        list->cap = cap;
    }
    for (size_t i = 0; i < count; i++) {
        list->docs[list->count++] = docs[i];
    }
    return PDP_ERR_OK;
}

// What to do about a file that could not be read.
static void hint_unread(enum pdp_err err, struct diags *diags)
{
    static const struct {
        enum pdp_err err;
        const char *hint;
    } HINTS[] = {
        {PDP_ERR_IO, "make it readable for the user that runs this, or move it out of the folder"},
        {PDP_ERR_MISSING, "it is a link that leads to no file: mend it, or remove it"},
        {PDP_ERR_TYPE, "only files are read, and links to files: move it out of the folder"},
        {PDP_ERR_LIMIT, "put its documents into several files"},
        {PDP_ERR_REFUSED, "rename it, or give it another ending where it is not to be served"},
    };
    for (size_t i = 0; i < COUNT_OF(HINTS); i++) {
        if (HINTS[i].err == err) {
            diag_hint(diags, "%s", HINTS[i].hint);
        }
    }
}

// Parses every file, so that every mistake is told; the first error is returned.
static enum pdp_err parse_files(const struct snapshot_input *input, struct snapshot *s, struct diags *diags,
                                struct doc_list *out)
{
    enum pdp_err first = PDP_ERR_OK;
    for (size_t i = 0; i < input->file_count; i++) {
        const struct snapshot_file *file = &input->files[i];
        if (file->docs != NULL) {
            TRY(doc_list_add(out, file->docs, file->doc_count));
            continue;
        }
        const struct source *source = source_of(diags, file);
        if (source == NULL) {
            return PDP_ERR_NOMEM;
        }
        if (file->err != PDP_ERR_OK) {
            first = diag_error(diags, file->err, (struct place){source, 0, 0}, "cannot be read: " STR_FMT,
                               STR_ARG(file->why));
            hint_unread(file->err, diags);
            continue;
        }
        struct conf_doc *docs = NULL;
        size_t count = 0;
        enum pdp_err err = conf_parse(source, &s->arena, diags, &docs, &count);
        first = first == PDP_ERR_OK ? err : first;
        if (err == PDP_ERR_OK && count == 0) {
            diag_warning(diags, (struct place){source, 0, 0}, "the file holds no document");
        }
        TRY(doc_list_add(out, docs, count));
    }
    return first;
}

static enum pdp_err read_geo(const struct snapshot_input *input, struct snapshot *s, struct diags *diags)
{
    enum pdp_err first = PDP_ERR_OK;
    TRY(geo_set_new(&s->geo));
    for (size_t i = 0; i < input->geo_count; i++) {
        const struct snapshot_file *file = &input->geo[i];
        char why[160] = "";
        enum pdp_err err = file->err;
        if (err == PDP_ERR_OK) {
            err = geo_set_add(s->geo, file->name, file->text.at, file->text.len, why);
        }
        if (err == PDP_ERR_OK) {
            continue;
        }
        struct source *name_only = ARENA_NEW(&diags->arena, struct source);
        if (name_only == NULL) {
            return PDP_ERR_NOMEM;
        }
        name_only->name = file->name;
        struct place place = {name_only, 0, 0};
        struct str said = file->err != PDP_ERR_OK ? file->why : str_of(why);
        if (input->geo_optional) {
            diag_warning(diags, place, "geo database not used: " STR_FMT, STR_ARG(said));
        } else {
            (void)diag_error(diags, err, place, "geo database refused: " STR_FMT, STR_ARG(said));
            first = first == PDP_ERR_OK ? err : first;
        }
    }
    return first;
}

static void keep_first(enum pdp_err *first, enum pdp_err err)
{
    *first = *first == PDP_ERR_OK ? err : *first;
}

// What Scopes say of each document; NULL where the policies were refused.
static enum pdp_err find_scopes(const struct doc_list *list, struct snapshot *s, const uint32_t **out)
{
    *out = NULL;
    uint32_t *scopes = ARENA_ARRAY(&s->arena, uint32_t, list->count + 1);
    if (scopes == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; s->policies != NULL && i < list->count; i++) {
        scopes[i] = policy_scope(s->policies, list->docs[i].source->name);
    }
    *out = s->policies != NULL ? scopes : NULL;
    return PDP_ERR_OK;
}

// All readers run even where an earlier one failed: each reports its own mistakes.
static enum pdp_err read_docs(struct named *named, const struct doc_list *list, struct hash_key seed,
                              struct snapshot *s, struct diags *diags)
{
    enum pdp_err first = policy_names_read(list->docs, list->count, &s->arena, diags, &s->names);
    s->names.conditions = named->input->conditions;
    TRY(attrs_declare_all(&s->env, s->names.counters, s->names.counter_count, &s->arena));
    keep_first(&first, policy_schema_read(list->docs, list->count, &s->arena, diags, &s->env, &s->schema));
    s->env.sets = s->names.sets;
    s->env.set_count = s->names.set_count;
    s->env.strengths = s->names.strengths;
    s->env.strength_count = s->names.strength_count;
    s->env.zone = named_zone;
    s->env.zone_user = named;
    TRY(cel_program_new(&s->env, NULL, &s->program));

    struct policy_files files = files_of(named->input);
    keep_first(&first, policy_set_read(list->docs, list->count, &s->names, s->program, &files, seed,
                                       &s->arena, diags, &s->lists, &s->policies));
    const uint32_t *scopes = NULL;
    TRY(find_scopes(list, s, &scopes));
    keep_first(&first, session_policies_read(list->docs, list->count, scopes, s->program, &s->arena, diags,
                                             &s->sessions));
    keep_first(&first, risk_model_read(list->docs, list->count, s->program, s->names.strengths,
                                       s->names.strength_count, &s->arena, diags, &s->risk));
    if (s->names.conditions && first == PDP_ERR_OK) {
        TRY(written_read(list->docs, list->count, s->program, s->policies));
    }
    return first;
}

static enum pdp_err name_strengths(struct hash_key key, struct snapshot *s)
{
    s->strength_names = ARENA_ARRAY(&s->arena, uint32_t, s->names.strength_count + 1);
    if (s->strength_names == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < s->names.strength_count; i++) {
        uint32_t half = (uint32_t)hash_64(key, s->names.strengths[i].at, s->names.strengths[i].len);
        s->strength_names[i] = half > SESSION_PROOF_RENEWED ? half : SESSION_PROOF_RENEWED + 1;
    }
    return PDP_ERR_OK;
}

// What is in shadow, as a number by which a world is known again after a reload.
static enum pdp_err name_shadow(struct snapshot *s)
{
    static const struct hash_key KEY = {UINT64_C(0x736861646f77), 1};
    AUTO(buf_fini) struct buf text = {0};
    if (!policy_shadows(s->policies)) {
        return PDP_ERR_OK;
    }
    policy_shadow_print(s->policies, &text);
    s->shadow_hits = ARENA_ARRAY(&s->arena, atomic_ullong, policy_rule_count(s->policies) + 1);
    if (text.failed || s->shadow_hits == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < policy_rule_count(s->policies); i++) {
        atomic_init(&s->shadow_hits[i], 0);
    }
    s->shadow_meaning = hash_64(KEY, text.at, text.len) | 1;
    return PDP_ERR_OK;
}

static void count_facts(struct snapshot *s)
{
    struct policy_describe policies = {0};
    policy_set_describe(s->policies, &policies);
    s->facts = (struct snapshot_facts){
        .policies = policies.policies,
        .rules = policies.rules,
        .lists = policies.lists,
        .strengths = policies.strengths,
        .counters = policies.counters,
        .geo_databases = (uint32_t)geo_set_count(s->geo),
        .geo_facts = geo_set_facts(s->geo),
    };
}

// A folder without a Policy would deny everything: far likelier a deployment that went wrong than anybody's
// wish.
static enum pdp_err refuse_empty(const struct snapshot *s, struct diags *diags)
{
    if (s->facts.policies > 0) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = diag_error(diags, PDP_ERR_MISSING, (struct place){0}, "no Policy document is here");
    diag_hint(diags, "without one everything would be denied");
    return err;
}

static enum pdp_err build(const struct snapshot_input *input, struct hash_key seed, struct diags *diags,
                          struct doc_list *list, struct snapshot *s)
{
    AUTO(seal_hash_free) struct seal_hash *sha = NULL;
    TRY(digest_begin(input, &sha));
    struct named named = {input, sha};
    enum pdp_err first = parse_files(input, s, diags, list);
    if (first == PDP_ERR_NOMEM || first == PDP_ERR_LIMIT) {
        return first;
    }
    keep_first(&first, read_geo(input, s, diags));
    keep_first(&first, read_docs(&named, list, seed, s, diags));
    if (first == PDP_ERR_OK && diags->errors > 0) {
        first = PDP_ERR_REFUSED;
    }
    TRY(first);
    s->env.zone = NULL; // zones were compiled in; `named` ends here
    s->env.zone_user = NULL;
    TRY(cel_seal(s->program));
    TRY(policy_set_index(s->policies, diags));
    policy_lists_loaded(s->lists, input->now_ms);
    s->expires_ms = input->expires_ms > 0 ? input->expires_ms : INT64_MAX;
    TRY(name_strengths(seed, s));
    TRY(name_shadow(s));
    TRY(seal_hash_end(sha, s->parts));
    TRY(digest_end(s));
    count_facts(s);
    s->counters = ARENA_ARRAY(&s->arena, struct counters_table *, s->facts.counters + 1);
    if (s->counters == NULL) {
        return PDP_ERR_NOMEM;
    }
    return refuse_empty(s, diags);
}

static struct snapshot *snapshot_new(void)
{
    struct snapshot *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->base = s;
        s->scratch = s->rooms;
        atomic_init(&s->uses, 1);
    }
    return s;
}

enum pdp_err snapshot_build(const struct snapshot_input *input, struct hash_key seed, struct diags *diags,
                            struct snapshot **out)
{
    *out = NULL;
    AUTO(snapshot_free) struct snapshot *s = snapshot_new();
    AUTO(doc_list_free) struct doc_list list = {0};
    enum pdp_err err = PDP_ERR_NOMEM;
    if (s != NULL) {
        arena_init(&s->arena, 256 * 1024, 0);
        err = build(input, seed, diags, &list, s);
    }
    if (err != PDP_ERR_OK && diags->errors == 0) {
        (void)diag_error(diags, err, (struct place){0}, "policies cannot be loaded: %s", pdp_err_text(err));
    }
    TRY(err);
    *out = STEAL(s);
    return PDP_ERR_OK;
}

// ---- Lists read anew -------------------------------------------------------------------------------

// A snapshot on the base of another; takes the lists over.
static enum pdp_err stand_on(const struct snapshot *from, struct policy_lists **lists, struct snapshot **out)
{
    struct snapshot *s = malloc(sizeof *s);
    if (s == NULL) {
        return PDP_ERR_NOMEM;
    }
    memcpy(s, from, sizeof *s); // but for what only a base has
    memset(&s->arena, 0, sizeof s->arena);
    memset(s->rooms, 0, sizeof s->rooms);
    s->next = NULL;
    s->epoch = 0;
    s->lists = STEAL(*lists);
    atomic_fetch_add(&s->base->uses, 1);
    *out = s;
    return PDP_ERR_OK;
}

enum pdp_err snapshot_share(const struct snapshot *from, struct snapshot **out)
{
    AUTO(policy_lists_free) struct policy_lists *lists = NULL;
    *out = NULL;
    TRY(policy_lists_share(from->lists, &lists));
    return stand_on(from, &lists, out);
}

enum pdp_err snapshot_elsewhere(const struct snapshot *from, const struct geo_set *geo, struct snapshot **out)
{
    TRY(snapshot_share(from, out));
    (*out)->geo = (struct geo_set *)(uintptr_t)geo; // is read only; and only a base frees its own
    return PDP_ERR_OK;
}

enum pdp_err snapshot_reload_lists(const struct snapshot *from, struct str list,
                                   const struct snapshot_input *input, struct hash_key seed,
                                   struct diags *diags, struct snapshot **out)
{
    *out = NULL;
    AUTO(policy_lists_free) struct policy_lists *lists = NULL;
    AUTO(snapshot_free) struct snapshot *s = NULL;
    const struct policy_files files = files_of(input);
    enum pdp_err err = policy_lists_reread(from->lists, list, &files, seed, input->now_ms, diags, &lists);
    if (err == PDP_ERR_OK) {
        err = stand_on(from, &lists, &s);
    }
    if (err == PDP_ERR_OK) {
        err = digest_end(s);
    }
    if (err != PDP_ERR_OK && diags->errors == 0) {
        (void)diag_error(diags, err, (struct place){0}, "lists cannot be read: %s", pdp_err_text(err));
    }
    TRY(err);
    *out = STEAL(s);
    return PDP_ERR_OK;
}

struct str snapshot_digest(const struct snapshot *snapshot)
{
    return (struct str){snapshot->digest, snapshot->digest_len};
}

void snapshot_describe(const struct snapshot *snapshot, struct snapshot_facts *out)
{
    *out = snapshot->facts;
}

const struct geo_set *snapshot_geo(const struct snapshot *snapshot)
{
    return snapshot->geo;
}
