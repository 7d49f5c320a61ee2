// SPDX-License-Identifier: Apache-2.0
#include "daemon/folder.h"

#include "base/num.h"
#include "conf/conf.h"
#include "daemon/file.h"
#include "policy/policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t LIST_BYTES_MAX = 64 * 1024 * 1024;
static const size_t ZONE_BYTES_MAX = 256 * 1024;
static const size_t GEO_BYTES_MAX = (size_t)1024 * 1024 * 1024;
static const size_t ALL_BYTES_MAX = (size_t)3 * 1024 * 1024 * 1024;
static const size_t FILES_MAX = 10000;
static const int DEPTH_MAX = 16;
static const char ZONES[] = "/usr/share/zoneinfo/";

struct folder {
    struct arena arena;
    struct str dir; // NUL-terminated
    struct snapshot_file *files;
    size_t count, cap;
    struct snapshot_file *tests;
    size_t test_count, test_cap;
    bool tests_read;
    struct snapshot_file *geo;
    size_t geo_count;
    struct packed *packed; // NULL: it is a folder
    struct str bytes;      // of the bundle
};

// ---- One file ------------------------------------------------------------------------------------

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static enum pdp_err fail(struct folder *folder, struct str *why, enum pdp_err err, const char *what)
{
    *why = arena_str(&folder->arena, str_of(what), NULL);
    return err;
}

static enum pdp_err fill(struct folder *folder, int fd, size_t size, struct str *text, struct str *why)
{
    char *at = arena_alloc(&folder->arena, size + 1, 1);
    if (at == NULL) {
        return fail(folder, why, PDP_ERR_NOMEM, "memory is out");
    }
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, at + len, size - len);
        if (got < 0) {
            return fail(folder, why, PDP_ERR_IO, strerror(errno));
        }
        if (got == 0) {
            break; // it was cut meanwhile; the digest is over what was read
        }
        len += (size_t)got;
    }
    *text = (struct str){at, len};
    return PDP_ERR_OK;
}

static enum pdp_err file_read(struct folder *folder, const char *path, size_t most, struct str *text,
                              struct str *why)
{
    *text = (struct str){0};
    *why = (struct str){0};
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO must not hold us up
    struct stat info;
    if (fd < 0 && errno == ENXIO) { // a socket
        return fail(folder, why, PDP_ERR_TYPE, "not a file");
    }
    if (fd < 0 || fstat(fd, &info) != 0) {
        return fail(folder, why, PDP_ERR_IO, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(folder, why, PDP_ERR_TYPE, "not a file");
    }
    if ((uint64_t)info.st_size > most) {
        *why = arena_printf(&folder->arena, "larger than %zu MiB", most >> 20);
        return PDP_ERR_LIMIT;
    }
    return fill(folder, fd, (size_t)info.st_size, text, why);
}

// ---- The folder ------------------------------------------------------------------------------------

bool folder_is_test(struct str name)
{
    return str_ends(name, STR("_test.yaml")) || str_ends(name, STR("_test.yml"));
}

static enum pdp_err list_add(struct snapshot_file **list, size_t *count, size_t *cap, struct str name)
{
    if (*count == FILES_MAX) {
        return PDP_ERR_LIMIT;
    }
    if (*count == *cap) {
        size_t more = *cap == 0 ? 64 : *cap * 2;
        struct snapshot_file *files = realloc(*list, more * sizeof *files);
        if (files == NULL) {
            return PDP_ERR_NOMEM;
        }
        *list = files;
        *cap = more;
    }
    (*list)[(*count)++] = (struct snapshot_file){.name = name};
    return PDP_ERR_OK;
}

// What tests say is no part of what is served.
static enum pdp_err folder_add(struct folder *folder, struct str name)
{
    return folder_is_test(name) ? list_add(&folder->tests, &folder->test_count, &folder->test_cap, name)
                                : list_add(&folder->files, &folder->count, &folder->cap, name);
}

static void dir_close(DIR **dir)
{
    if (*dir != NULL) {
        closedir(*dir);
    }
}

static bool is_document(struct str name)
{
    return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml"));
}

// From its last dot on. The name ends in NUL.
static const char *ending_of(struct str name)
{
    const char *dot = strrchr(name.at, '.');
    return dot != NULL ? dot : "";
}

// `.YAML` was meant as one, and a policy that is passed over would be missed by nobody until it is needed.
static bool is_nearly(struct str name)
{
    return !is_document(name) &&
           (strcasecmp(ending_of(name), ".yaml") == 0 || strcasecmp(ending_of(name), ".yml") == 0);
}

static enum pdp_err folder_walk(struct folder *folder, const char *path, int depth);

static enum pdp_err folder_entry(struct folder *folder, const char *path, const struct dirent *entry,
                                 int depth)
{
    // The NUL is part of the text's memory, not of the text.
    size_t len = strlen(path);
    bool slash = len > 0 && path[len - 1] == '/';
    struct str name = arena_printf(&folder->arena, "%s%s%s%c", path, slash ? "" : "/", entry->d_name, '\0');
    if (name.len == 0) {
        return PDP_ERR_NOMEM;
    }
    name.len--;
    struct stat info;
    bool known = lstat(name.at, &info) == 0;
    if (known && S_ISDIR(info.st_mode)) {
        return folder_walk(folder, name.at, depth + 1);
    }
    return is_document(name) || is_nearly(name) ? folder_add(folder, name) : PDP_ERR_OK;
}

// Names first, so that texts are read in their order. Links to folders are not followed: they may go round.
static enum pdp_err folder_walk(struct folder *folder, const char *path, int depth)
{
    if (depth > DEPTH_MAX) {
        return PDP_ERR_DEPTH;
    }
    AUTO(dir_close) DIR *dir = opendir(path);
    if (dir == NULL) {
        return PDP_ERR_IO;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            TRY(folder_entry(folder, path, entry, depth));
        }
    }
    return PDP_ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct snapshot_file *)a)->name, ((const struct snapshot_file *)b)->name);
}

// A link that leads nowhere, or round, is no matter of who may read it.
static bool leads_nowhere(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode) && stat(path, &info) != 0 &&
           (errno == ENOENT || errno == ELOOP);
}

static enum pdp_err read_texts(struct folder *folder, struct snapshot_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct snapshot_file *file = &files[i];
        if (is_nearly(file->name)) {
            file->err = fail(folder, &file->why, PDP_ERR_REFUSED,
                             "its name must end in `.yaml` or `.yml`, in small letters");
            continue;
        }
        file->err = file_read(folder, file->name.at, FOLDER_DOCUMENT_MAX, &file->text, &file->why);
        if (file->err == PDP_ERR_NOMEM) {
            return PDP_ERR_NOMEM;
        }
        if (file->err == PDP_ERR_IO && leads_nowhere(file->name.at)) {
            file->err = PDP_ERR_MISSING;
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err folder_geo(struct folder *folder, const char *const *paths, size_t count)
{
    folder->geo = calloc(count + 1, sizeof *folder->geo);
    if (folder->geo == NULL) {
        return PDP_ERR_NOMEM;
    }
    folder->geo_count = count;
    for (size_t i = 0; i < count; i++) {
        struct snapshot_file *file = &folder->geo[i];
        file->name = arena_str(&folder->arena, str_of(paths[i]), NULL);
        file->err = file_read(folder, paths[i], GEO_BYTES_MAX, &file->text, &file->why);
    }
    return PDP_ERR_OK;
}

static enum pdp_err folder_fill(struct folder *folder, const char *dir)
{
    folder->dir = arena_printf(&folder->arena, "%s%c", dir, '\0');
    TRY(folder_walk(folder, dir, 0));
    if (folder->count == 0) {
        return PDP_ERR_MISSING;
    }
    qsort(folder->files, folder->count, sizeof *folder->files, by_name);
    return read_texts(folder, folder->files, folder->count);
}

enum pdp_err folder_tests(struct folder *folder, const struct snapshot_file **files, size_t *count)
{
    *files = folder->tests;
    *count = folder->test_count;
    if (folder->test_count > 0 && !folder->tests_read) {
        qsort(folder->tests, folder->test_count, sizeof *folder->tests, by_name);
        folder->tests_read = true;
        return read_texts(folder, folder->tests, folder->test_count);
    }
    return PDP_ERR_OK;
}

// A text that outlives this look at it.
static enum pdp_err tell_misnamed(const struct source *source, const struct conf_node *kind,
                                  struct diags *diags)
{
    bool ok = true;
    struct source *kept = ARENA_NEW(&diags->arena, struct source);
    struct str name = arena_str(&diags->arena, source->name, &ok);
    struct str text = arena_str(&diags->arena, source->text, &ok);
    if (kept == NULL || !ok) {
        return PDP_ERR_NOMEM;
    }
    *kept = (struct source){name, text};
    enum pdp_err err =
        diag_error(diags, PDP_ERR_REFUSED, (struct place){kept, kind->place.at, kind->place.len},
                   "a file of tests holds documents of kind `Test`, `Scenario` and `Given` only");
    diag_hint(diags, "policies stand in files of other names, which are served");
    return err;
}

static enum pdp_err see_test(struct str path, struct diags *diags)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(buf_fini) struct buf text = {0};
    AUTO(diags_fini) struct diags unsaid;
    struct conf_doc *docs = NULL;
    size_t count = 0;
    const char *why = NULL;
    arena_init(&arena, 0, 0);
    diags_init(&unsaid, 1);
    struct source source = {path, {NULL, 0}};
    enum pdp_err err = file_take(path.at, FOLDER_DOCUMENT_MAX, &text, NULL, &why);
    source.text = buf_view(&text);
    err = err == PDP_ERR_OK ? conf_parse(&source, &arena, &unsaid, &docs, &count) : err;
    if (err != PDP_ERR_OK) {
        return err == PDP_ERR_NOMEM ? err : PDP_ERR_OK;
    }
    for (size_t i = 0; i < count; i++) {
        const struct conf_node *kind = conf_get(docs[i].root, "kind");
        if (kind != NULL && kind->kind == CONF_SCALAR && policy_serves(kind->text)) {
            return tell_misnamed(&source, kind, diags);
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err folder_misnamed(const struct folder *folder, struct diags *diags)
{
    enum pdp_err first = PDP_ERR_OK;
    for (size_t i = 0; i < folder->test_count; i++) {
        enum pdp_err err = see_test(folder->tests[i].name, diags);
        first = first == PDP_ERR_OK ? err : first;
    }
    return first;
}

enum pdp_err folder_read(const char *dir, const char *const *geo, size_t geo_count, struct folder **out,
                         char why[FOLDER_WHY_MAX])
{
    *out = NULL;
    why[0] = '\0';
    AUTO(folder_free) struct folder *folder = calloc(1, sizeof *folder);
    if (folder == NULL) {
        snprintf(why, FOLDER_WHY_MAX, "memory is out");
        return PDP_ERR_NOMEM;
    }
    arena_init(&folder->arena, 0, ALL_BYTES_MAX);
    errno = 0;
    enum pdp_err err = folder_fill(folder, dir);
    if (err == PDP_ERR_OK) {
        err = folder_geo(folder, geo, geo_count);
    }
    if (err != PDP_ERR_OK) {
        const char *what = err == PDP_ERR_IO        ? strerror(errno)
                           : err == PDP_ERR_MISSING ? "no *.yaml or *.yml file in it"
                                                    : pdp_err_text(err);
        snprintf(why, FOLDER_WHY_MAX, "%s", what);
        return err;
    }
    *out = STEAL(folder);
    return PDP_ERR_OK;
}

enum pdp_err folder_open(const char *dir, struct folder **out)
{
    *out = NULL;
    AUTO(folder_free) struct folder *folder = calloc(1, sizeof *folder);
    if (folder == NULL) {
        return PDP_ERR_NOMEM;
    }
    arena_init(&folder->arena, 0, ALL_BYTES_MAX);
    folder->dir = arena_printf(&folder->arena, "%s%c", dir, '\0');
    if (folder->dir.len == 0) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(folder);
    return PDP_ERR_OK;
}

// ---- A bundle ----------------------------------------------------------------------------------------

static enum pdp_err unpack(struct folder *folder, const char *called, char why[FOLDER_WHY_MAX])
{
    struct bundle_fault fault;
    enum pdp_err err = packed_new(folder->bytes, str_of(called), &folder->packed, &fault);
    if (err == PDP_ERR_OK) {
        return err;
    }
    AUTO(buf_fini) struct buf name = {0};
    buf_escaped(&name, str_sub(fault.name, 0, 100));
    snprintf(why, FOLDER_WHY_MAX, "%s%s" STR_FMT "%s, at byte %" PRIu64, fault.what,
             name.len > 0 ? ": `" : "", STR_ARG(buf_view(&name)), name.len > 0 ? "`" : "", fault.offset);
    return err;
}

static enum pdp_err take_file(struct folder *folder, const char *path, char why[FOLDER_WHY_MAX])
{
    struct str said;
    enum pdp_err err = file_read(folder, path, BUNDLE_BYTES_MAX, &folder->bytes, &said);
    if (err != PDP_ERR_OK) {
        snprintf(why, FOLDER_WHY_MAX, STR_FMT, STR_ARG(said));
    }
    return err;
}

// `bytes` at NULL: those of the file.
static enum pdp_err unpack_all(struct str bytes, const char *path, const char *const *geo, size_t geo_count,
                               struct folder **out, char why[FOLDER_WHY_MAX])
{
    *out = NULL;
    snprintf(why, FOLDER_WHY_MAX, "memory is out");
    AUTO(folder_free) struct folder *folder = calloc(1, sizeof *folder);
    if (folder == NULL) {
        return PDP_ERR_NOMEM;
    }
    arena_init(&folder->arena, 0, ALL_BYTES_MAX);
    folder->bytes = bytes;
    if (bytes.at == NULL) {
        TRY(take_file(folder, path, why));
    }
    TRY(unpack(folder, path, why));
    TRY(folder_geo(folder, geo, geo_count));
    *out = STEAL(folder);
    return PDP_ERR_OK;
}

enum pdp_err folder_unpack(const char *path, const char *const *geo, size_t geo_count, struct folder **out,
                           char why[FOLDER_WHY_MAX])
{
    return unpack_all((struct str){0}, path, geo, geo_count, out, why);
}

enum pdp_err folder_of_bytes(struct str bytes, const char *called, const char *const *geo, size_t geo_count,
                             struct folder **out, char why[FOLDER_WHY_MAX])
{
    return unpack_all(bytes, called, geo, geo_count, out, why);
}

const struct bundle *folder_bundle(const struct folder *folder)
{
    return folder->packed != NULL ? packed_bundle(folder->packed) : NULL;
}

struct str folder_bytes(const struct folder *folder)
{
    return folder->bytes;
}

size_t folder_front(const struct folder *folder)
{
    size_t len = folder->dir.len > 0 ? folder->dir.len - 1 : 0; // without its NUL
    return len > 0 && folder->dir.at[len - 1] == '/' ? len : len + 1;
}

void folder_free(struct folder **folder_ptr)
{
    struct folder *folder = STEAL(*folder_ptr);
    if (folder != NULL) {
        free(folder->files);
        free(folder->tests);
        free(folder->geo);
        packed_free(&folder->packed);
        arena_fini(&folder->arena);
        free(folder);
    }
}

// ---- What documents name -----------------------------------------------------------------------------

// Relative, and never upwards.
static bool path_stays_below(struct str path)
{
    if (path.len == 0 || path.at[0] == '/' || memchr(path.at, 0, path.len) != NULL) {
        return false;
    }
    for (size_t at = 0; at <= path.len;) {
        size_t end = str_find_byte(path, '/', at);
        if (str_eq(str_sub(path, at, end - at), STR(".."))) {
            return false;
        }
        at = end + 1;
    }
    return true;
}

static enum pdp_err read_listed(void *user, struct str path, struct str *text)
{
    struct folder *folder = user;
    *text = (struct str){0};
    if (!path_stays_below(path) || path.len > 1024) {
        return PDP_ERR_DENIED;
    }
    struct str full = arena_printf(&folder->arena, "%s/%.*s%c", folder->dir.at, (int)path.len, path.at, '\0');
    struct str why;
    return full.len == 0 ? PDP_ERR_NOMEM : file_read(folder, full.at, LIST_BYTES_MAX, text, &why);
}

static bool zone_name_right(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && c != '/' && c != '_' && c != '-' && c != '+') {
            return false;
        }
    }
    return name.len > 0 && name.len <= 64 && path_stays_below(name);
}

static enum pdp_err read_zone(void *user, struct str name, struct str *tzif)
{
    struct folder *folder = user;
    *tzif = (struct str){0};
    if (!zone_name_right(name)) {
        return PDP_ERR_UNKNOWN;
    }
    struct str full = arena_printf(&folder->arena, "%s%.*s%c", ZONES, (int)name.len, name.at, '\0');
    struct str why;
    if (full.len == 0) {
        return PDP_ERR_NOMEM;
    }
    return file_read(folder, full.at, ZONE_BYTES_MAX, tzif, &why) == PDP_ERR_OK ? PDP_ERR_OK
                                                                                : PDP_ERR_UNKNOWN;
}

struct snapshot_input folder_input(struct folder *folder)
{
    if (folder->packed != NULL) {
        struct snapshot_input input = packed_input(folder->packed);
        input.now_ms = INT64_MAX;
        input.geo = folder->geo;
        input.geo_count = folder->geo_count;
        return input;
    }
    return (struct snapshot_input){
        .now_ms = INT64_MAX,
        .files = folder->files,
        .file_count = folder->count,
        .geo = folder->geo,
        .geo_count = folder->geo_count,
        .read_file = read_listed,
        .read_zone = read_zone,
        .user = folder,
    };
}
