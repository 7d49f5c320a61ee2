// SPDX-License-Identifier: Apache-2.0
#include "cli/audit/audit_cli.h"

#include "cli/local.h"

#include "client/client.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    PATH_BYTES = 4096,
    REPLY_MOST = 1 << 22,
    WHY_BYTES = 300
};

struct audit_reader {
    struct audit_folder *folder; // NULL: through a daemon
    struct pdp_client *client;
    int32_t deadline_ms;
    struct buf message, reply;
    struct arena arena;
    struct value root;
    char why[WHY_BYTES];
    // The part of a file that the daemon gave last: proofs and scans read on.
    char name[SEGMENT_NAME_BYTES];
    uint64_t at;
    struct buf part;
};

void audit_reader_close(struct audit_reader **reader_ptr)
{
    struct audit_reader *reader = STEAL(*reader_ptr);
    if (reader != NULL) {
        audit_folder_close(&reader->folder);
        pdp_close(&reader->client);
        buf_fini(&reader->message);
        buf_fini(&reader->reply);
        buf_fini(&reader->part);
        arena_fini(&reader->arena);
        free(reader);
    }
}

bool audit_reader_is_live(const struct audit_reader *reader)
{
    return reader->folder == NULL;
}

const char *audit_reader_why(const struct audit_reader *reader)
{
    return reader->why;
}

// ---- Through a daemon ------------------------------------------------------------------------------------

static void begin(struct audit_reader *reader, struct emit *emit, const char *op)
{
    buf_clear(&reader->message);
    emit_init(emit, WIRE_CBOR, &reader->message);
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "op", str_of(op));
}

static enum pdp_err fail(struct audit_reader *reader, enum pdp_err err, struct str why)
{
    snprintf(reader->why, sizeof reader->why, STR_FMT, STR_ARG(why));
    return err;
}

static enum pdp_err ask(struct audit_reader *reader, struct emit *emit)
{
    struct fault why;
    emit_end(emit);
    if (reader->message.failed) {
        return PDP_ERR_NOMEM;
    }
    buf_clear(&reader->reply);
    arena_reset(&reader->arena);
    enum pdp_err err =
        client_call(reader->client, buf_view(&reader->message), reader->deadline_ms, &reader->reply);
    if (err != PDP_ERR_OK) {
        return fail(reader, err, str_of(pdp_err_text(err)));
    }
    struct str bytes = buf_view(&reader->reply);
    if (wire_decode_most(wire_form_of(bytes), bytes, REPLY_MOST, &reader->arena, &reader->root, &why) !=
        PDP_ERR_OK) {
        return fail(reader, PDP_ERR_MALFORMED, STR("its answer cannot be read"));
    }
    const struct value *ok = value_get(&reader->root, STR("ok")),
                       *error = value_get(&reader->root, STR("error"));
    if (ok != NULL && ok->kind == VALUE_BOOL && ok->as.b) {
        return PDP_ERR_OK;
    }
    return fail(reader, PDP_ERR_REFUSED,
                error != NULL && error->kind == VALUE_STRING ? value_text(error)
                                                             : STR("this is no admin endpoint"));
}

static bool is_true(const struct audit_reader *reader, const char *key)
{
    const struct value *value = value_get(&reader->root, str_of(key));
    return value != NULL && value->kind == VALUE_BOOL && value->as.b;
}

static struct str bytes_of(const struct audit_reader *reader, const char *key)
{
    const struct value *value = value_get(&reader->root, str_of(key));
    return value != NULL && value->kind == VALUE_BYTES ? value_text(value) : (struct str){0};
}

static enum pdp_err remote_list(void *user, struct audit_segments *out)
{
    struct audit_reader *reader = user;
    struct emit emit;
    begin(reader, &emit, "audit.list");
    TRY(ask(reader, &emit));
    const struct value *names = value_get(&reader->root, STR("segments"));
    for (uint32_t i = 0; names != NULL && names->kind == VALUE_LIST && i < names->n; i++) {
        char name[SEGMENT_NAME_BYTES + 1];
        snprintf(name, sizeof name, STR_FMT, STR_ARG(value_text(&names->as.list[i])));
        TRY(audit_segments_add(out, name));
    }
    audit_segments_sort(out);
    return PDP_ERR_OK;
}

// As much from `at` on as the daemon gives at once.
static enum pdp_err fetch(struct audit_reader *reader, const char *name, uint64_t at)
{
    struct emit emit;
    reader->name[0] = '\0';
    begin(reader, &emit, "audit.read");
    emit_key_str(&emit, "file", str_of(name));
    emit_key_int(&emit, "offset", (int64_t)at);
    TRY(ask(reader, &emit));
    if (is_true(reader, "missing")) {
        return PDP_ERR_MISSING;
    }
    buf_clear(&reader->part);
    buf_str(&reader->part, bytes_of(reader, "bytes"));
    if (reader->part.failed) {
        return PDP_ERR_NOMEM;
    }
    snprintf(reader->name, sizeof reader->name, "%s", name);
    reader->at = at;
    return PDP_ERR_OK;
}

static enum pdp_err remote_read(void *user, const char *name, uint64_t at, void *out, size_t len, size_t *got)
{
    struct audit_reader *reader = user;
    *got = 0;
    while (*got < len) {
        uint64_t from = at + *got;
        bool held =
            strcmp(reader->name, name) == 0 && from >= reader->at && from < reader->at + reader->part.len;
        if (!held) {
            TRY(fetch(reader, name, from));
        }
        struct str part = str_sub(buf_view(&reader->part), (size_t)(from - reader->at), len - *got);
        if (part.len == 0) {
            break;
        }
        memcpy((char *)out + *got, part.at, part.len);
        *got += part.len;
    }
    return PDP_ERR_OK;
}

static enum pdp_err remote_unseal(void *user, const struct envelope *envelope, struct buf *out)
{
    struct audit_reader *reader = user;
    struct emit emit;
    begin(reader, &emit, "audit.unseal");
    emit_key(&emit, STR("record"));
    emit_bytes(&emit, envelope->record);
    TRY(ask(reader, &emit));
    if (is_true(reader, "forgotten")) {
        return PDP_ERR_MISSING;
    }
    buf_str(out, bytes_of(reader, "personal"));
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

struct audit_source audit_reader_source(struct audit_reader *reader)
{
    return reader->folder != NULL ? audit_folder_source(reader->folder)
                                  : (struct audit_source){remote_list, remote_read, remote_unseal, reader};
}

enum pdp_err audit_reader_forget(struct audit_reader *reader, const struct audit_person *person,
                                 struct str reason, int64_t *keys)
{
    struct emit emit;
    *keys = 0;
    begin(reader, &emit, "audit.forget");
    emit_key_str(&emit, "tenant", person->tenant);
    emit_key_str(&emit, "subject_type", person->type);
    emit_key_str(&emit, "subject", person->id);
    emit_key_str(&emit, "reason", reason);
    TRY(ask(reader, &emit));
    const struct value *count = value_get(&reader->root, STR("keys"));
    *keys = count != NULL && count->kind == VALUE_INT ? count->as.i : 0;
    return PDP_ERR_OK;
}

enum pdp_err audit_reader_rotate(struct audit_reader *reader)
{
    struct emit emit;
    begin(reader, &emit, "audit.rotate_key");
    return ask(reader, &emit);
}

// ---- Opening ---------------------------------------------------------------------------------------------

// The state folder, or the log's own.
void audit_folder_of(const struct cli_args *args, char out[static 4096])
{
    struct stat info;
    bool nested = snprintf(out, PATH_BYTES, "%s/audit", args->state) < PATH_BYTES && stat(out, &info) == 0 &&
                  S_ISDIR(info.st_mode);
    if (!nested) {
        snprintf(out, PATH_BYTES, "%s", args->state);
    }
}

static int open_folder(const struct cli_args *args, struct audit_reader *reader)
{
    char path[PATH_BYTES];
    audit_folder_of(args, path);
    enum pdp_err err = audit_folder_open(path, &reader->folder);
    struct audit_segments segments = {0};
    struct audit_source source = audit_reader_source(reader);
    err = err == PDP_ERR_OK ? source.list(source.user, &segments) : err;
    bool empty = segments.count == 0;
    audit_segments_fini(&segments);
    if (err != PDP_ERR_OK || empty) {
        return cli_bad("name the folder that pdpd has as `--state`, or the audit folder itself",
                       "`--state %s` holds no audit log%s%s", args->state, err != PDP_ERR_OK ? ": " : "",
                       err != PDP_ERR_OK ? pdp_err_text(err) : "");
    }
    return CLI_DONE;
}

int audit_reader_open(const struct cli_args *args, struct audit_reader **out)
{
    *out = NULL;
    if ((args->state == NULL) == (args->connect == NULL)) {
        return cli_bad(
            "`--state /var/lib/pdp` reads files, `--connect ipc:///run/pdp/admin.sock` asks a daemon",
            "one of `--state DIR` and `--connect URL` is needed");
    }
    AUTO(audit_reader_close) struct audit_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return cli_bad(NULL, "out of memory");
    }
    arena_init(&reader->arena, 0, 0);
    reader->deadline_ms = (int32_t)args->deadline_ms;
    if (args->state != NULL) {
        int code = open_folder(args, reader);
        if (code != CLI_DONE) {
            return code;
        }
    } else {
        int code = cli_connect(args, &reader->client);
        if (code != CLI_DONE) {
            return code;
        }
    }
    *out = STEAL(reader);
    return CLI_DONE;
}
