// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"

#include "base/time.h"
#include "cli/output.h"
#include "engine/packer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// ---- build -----------------------------------------------------------------------------------------

static int encode(struct packer *packer, const char *dir, const struct bundle *head, struct buf *out)
{
    struct bundle_fault why;
    size_t len = strlen(dir);
    size_t front = len > 0 && dir[len - 1] == '/' ? len : len + 1;
    enum pdp_err err = packer_write(packer, head, front, out, &why);
    if (err == PDP_ERR_OK) {
        return CLI_DONE;
    }
    if (err == PDP_ERR_NOMEM) {
        return cli_bad(NULL, "out of memory");
    }
    struct buf name = {0};
    buf_escaped(&name, why.name);
    int code = cli_bad("a bundle holds plain relative names: `leavers.txt` rather than `./leavers.txt`",
                       "`" STR_FMT "` cannot go into a bundle: %s", STR_ARG(buf_view(&name)), why.what);
    buf_fini(&name);
    return code;
}

static int build(const struct cli_args *args, const char *dir, const struct bundle *head, struct buf *out,
                 char digest[static 80])
{
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    AUTO(packer_free) struct packer *packer = NULL;
    char why[FOLDER_WHY_MAX];
    if (folder_read(dir, NULL, 0, &folder, why) != PDP_ERR_OK) {
        return cli_bad("name a folder of *.yaml documents", "`%s` cannot be loaded: %s", dir, why);
    }
    struct diags diags;
    diags_init(&diags, 100);
    enum pdp_err misnamed = folder_misnamed(folder, &diags);
    int said = local_say(args, dir, &diags);
    diags_fini(&diags);
    if (misnamed != PDP_ERR_OK) {
        return said != CLI_DONE ? said : cli_bad(NULL, "out of memory");
    }
    struct snapshot_input input = folder_input(folder);
    if (packer_new(&input, &packer) != PDP_ERR_OK) {
        return cli_bad(NULL, "out of memory");
    }
    input = packer_input(packer);
    int code = local_compile(args, dir, &input, &snapshot);
    if (code != CLI_DONE) {
        return code;
    }
    if (packer_lost(packer).len > 0) {
        return cli_bad("a bundle holds all that its documents name: put the file there, or take the list out",
                       "the file `" STR_FMT "` of a list cannot be read", STR_ARG(packer_lost(packer)));
    }
    struct str text = snapshot_digest(snapshot);
    snprintf(digest, 80, STR_FMT, STR_ARG(text));
    return encode(packer, dir, head, out);
}

static int head_of(const struct cli_args *args, struct bundle *out)
{
    int64_t expires_s = 0;
    uint32_t nanos = 0;
    *out = (struct bundle){.name = str_of(args->name != NULL ? args->name : "policies"),
                           .version = args->version};
    if (args->output == NULL || args->version == 0 || args->expires == NULL) {
        return cli_bad("pdpctl build DIR -o FILE --version N --expires T", "`%s` is missing",
                       args->output == NULL ? "--output FILE"
                       : args->version == 0 ? "--version N"
                                            : "--expires T");
    }
    if (!time_parse(str_of(args->expires), &expires_s, &nanos) || nanos != 0 || expires_s <= 0) {
        return cli_bad("such as 2027-01-31T00:00:00Z, in whole seconds", "`--expires %s` is no time",
                       args->expires);
    }
    const char *wrong = bundle_name_wrong(out->name);
    if (wrong != NULL) {
        return cli_bad(wrong, "`--name %s` cannot be used", args->name);
    }
    out->expires_s = expires_s;
    if (expires_s <= (int64_t)time(NULL)) {
        fprintf(stderr, "pdpctl: warning: this bundle has expired: no daemon takes it\n");
    }
    return CLI_DONE;
}

static void put_facts(const struct cli_args *args, const struct bundle *bundle, const char *snapshot,
                      struct buf *out)
{
    static const struct {
        enum bundle_kind kind;
        const char *name;
    } KINDS[] = {{BUNDLE_DOCUMENT, "documents"}, {BUNDLE_LISTED, "lists"}, {BUNDLE_ZONE, "zones"}};
    struct buf expires = {0};
    struct emit emit;
    char digest[80];
    int64_t bytes = (int64_t)bundle->body.len + 1;
    packed_digest(bundle, digest);
    time_print(&expires, bundle->expires_s, 0);
    if (args->json) {
        emit_init(&emit, WIRE_JSON, out);
        emit_map(&emit, SIZE_MAX);
        emit_key_bool(&emit, "ok", true);
        emit_key_str(&emit, "name", bundle->name);
        emit_key_int(&emit, "version", bundle->version);
        emit_key_str(&emit, "expires", buf_view(&expires));
        emit_key_str(&emit, "digest", str_of(digest));
        emit_key_str(&emit, "snapshot", str_of(snapshot));
        for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
            emit_key_int(&emit, KINDS[i].name, (int64_t)bundle->count_of[KINDS[i].kind]);
        }
        emit_key_int(&emit, "bytes", bytes);
        emit_end(&emit);
        buf_byte(out, '\n');
    } else {
        buf_printf(out, "name       " STR_FMT "\nversion    %" PRId64 "\nexpires    " STR_FMT "\n",
                   STR_ARG(bundle->name), bundle->version, STR_ARG(buf_view(&expires)));
        buf_printf(out, "digest     %s\nsnapshot   %s\n", digest, snapshot);
        for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
            buf_printf(out, "%-10s %zu\n", KINDS[i].name, bundle->count_of[KINDS[i].kind]);
        }
        buf_printf(out, "bytes      %" PRId64 "\n", bytes);
    }
    buf_fini(&expires);
}

int cmd_build(const struct cli_args *args)
{
    AUTO(buf_fini) struct buf bytes = {0}, said = {0};
    struct bundle head, made;
    struct bundle_fault fault;
    char snapshot[80] = "";
    int code = head_of(args, &head);
    code = code == CLI_DONE ? output_report("--output", args->output) : code;
    code = code == CLI_DONE ? build(args, args->positional[0], &head, &bytes, snapshot) : code;
    if (code != CLI_DONE) {
        return code;
    }
    if (bundle_read(buf_view(&bytes), &made, &fault) != PDP_ERR_OK) {
        return cli_bad(NULL, "the bundle cannot be read again: %s", fault.what);
    }
    if (output_write(args->output, &bytes, 0666) != CLI_DONE) {
        return CLI_BAD;
    }
    put_facts(args, &made, snapshot, &said);
    return cli_write(&said, CLI_DONE);
}
