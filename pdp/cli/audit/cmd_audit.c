// SPDX-License-Identifier: Apache-2.0
#include "cli/audit/audit_cli.h"

#include "audit/export.h"
#include "audit/proof.h"
#include "audit/verify.h"
#include "base/time.h"
#include "cli/local.h"
#include "cli/output.h"
#include "daemon/file.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    RECEIPT_MOST = 65536,
    RECORD_MOST = 1 << 20
};

// ---- What was asked ----------------------------------------------------------------------------------

static int where_read(const struct cli_args *args, struct query_where **out)
{
    struct diags diags;
    struct buf said = {0};
    if (args->where == NULL) {
        return CLI_DONE;
    }
    diags_init(&diags, 10);
    enum pdp_err err = query_where_new(str_of(args->where), &diags, out);
    diags_render(&diags, &said);
    bool said_why = said.len > 0;
    if (said_why) {
        fwrite(said.at, 1, said.len, stderr);
    }
    buf_fini(&said);
    diags_fini(&diags);
    return err == PDP_ERR_OK ? CLI_DONE : said_why ? CLI_BAD : cli_bad(NULL, "out of memory");
}

static int query_read(const struct cli_args *args, struct query *out)
{
    *out = (struct query){
        .session = str_of(args->session),
        .subject = str_of(args->subject),
        .gateway = str_of(args->gateway),
        .effect = str_of(args->effect),
        .rule = str_of(args->rule),
        .since_ms = INT64_MIN,
        .until_ms = INT64_MAX,
        .unseal = true,
    };
    if (!local_past("since", args->since, &out->since_ms) ||
        !local_past("until", args->until, &out->until_ms)) {
        return CLI_BAD;
    }
    if (args->session != NULL && !str_starts(out->session, STR("s_"))) {
        return cli_bad(
            "ids are secrets, and in no record: `pdpctl session show` tells the reference of an id",
            "`--session %s` is no reference of a session (s_...)", args->session);
    }
    return where_read(args, &out->where);
}

static int failed(const struct audit_reader *reader, enum pdp_err err)
{
    const char *why = audit_reader_why(reader);
    return cli_bad(NULL, "the audit log cannot be read: %s", why[0] != '\0' ? why : pdp_err_text(err));
}

// ---- query, export -------------------------------------------------------------------------------------

struct printing {
    enum export_form form;
    bool table;
    int64_t left;
    struct buf out;
    int code;
};

static struct str text_at(const struct query_record *record, const char *path)
{
    const struct value *value = value_path(&record->fields, str_of(path));
    return value != NULL && value->kind == VALUE_STRING ? value_text(value) : (struct str){0};
}

static struct str first_of(const struct query_record *record, const char *const *paths, size_t count)
{
    struct str text = {0};
    for (size_t i = 0; i < count && text.len == 0; i++) {
        text = text_at(record, paths[i]);
    }
    return text;
}

static void put_cell(struct buf *out, struct str text, int width)
{
    size_t before = out->len;
    buf_escaped(out, text.len > 0 ? text : STR("-"));
    while (out->len - before < (size_t)width) {
        buf_byte(out, ' ');
    }
    buf_byte(out, ' ');
}

// One line for people: when, what, who, why.
static void put_row(const struct query_record *record, struct buf *out)
{
    static const char *const WHAT[] = {"effect", "event", "op", "kind"};
    static const char *const WHY[] = {"rule", "reason", "code", "result"};
    static const char *const WHO[] = {"subject", "by"};
    static const char *const ON[] = {"resource", "target", "of"};
    const struct value *time = value_get(&record->fields, STR("time"));
    struct value at = value_time_ms(time != NULL && time->kind == VALUE_INT ? time->as.i : 0);
    struct buf when = {0};
    time_print(&when, at.as.i, at.n);
    buf_printf(out, "%-8" PRIu64 " ", record->index);
    put_cell(out, buf_view(&when), 24);
    put_cell(out, first_of(record, WHAT, COUNT_OF(WHAT)), 12);
    put_cell(out, record->sealed == QUERY_FORGOTTEN ? STR("forgotten") : first_of(record, WHO, COUNT_OF(WHO)),
             16);
    put_cell(out, text_at(record, "action"), 8);
    put_cell(out, first_of(record, ON, COUNT_OF(ON)), 24);
    put_cell(out, text_at(record, "gateway"), 12);
    buf_escaped(out, first_of(record, WHY, COUNT_OF(WHY)));
    buf_byte(out, '\n');
    buf_fini(&when);
}

static bool print_record(void *user, const struct query_record *record)
{
    struct printing *printing = user;
    if (printing->table) {
        put_row(record, &printing->out);
    } else {
        export_put(printing->form, record, &printing->out);
        buf_byte(&printing->out, '\n');
    }
    if (printing->out.len > 65536) {
        printing->code = cli_write(&printing->out, CLI_DONE);
        buf_clear(&printing->out);
    }
    return --printing->left > 0 && printing->code == CLI_DONE;
}

static int print_all(const struct cli_args *args, struct printing *printing)
{
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    AUTO(query_where_free) struct query_where *where = NULL;
    struct query query;
    uint64_t unreadable = 0;
    int code = query_read(args, &query);
    where = query.where;
    code = code == CLI_DONE ? audit_reader_open(args, &reader) : code;
    if (code != CLI_DONE) {
        buf_fini(&printing->out);
        return code;
    }
    struct audit_source source = audit_reader_source(reader);
    enum pdp_err err = audit_query(&source, &query, print_record, printing, &unreadable);
    code = cli_write(&printing->out, printing->code);
    buf_fini(&printing->out);
    if (err != PDP_ERR_OK) {
        return failed(reader, err);
    }
    if (unreadable > 0) {
        fprintf(stderr,
                "pdpctl: warning: %" PRIu64 " records cannot be read; `pdpctl audit verify` tells more\n",
                unreadable);
    }
    return code;
}

int cmd_audit_query(const struct cli_args *args)
{
    struct printing printing = {.form = EXPORT_JSONL, .table = !args->json, .left = args->limit};
    if (printing.table) {
        buf_printf(&printing.out, "%-8s %-24s %-12s %-16s %-8s %-24s %-12s %s\n", "RECORD", "TIME", "WHAT",
                   "WHO", "ACTION", "ON", "GATEWAY", "WHY");
    }
    return print_all(args, &printing);
}

int cmd_audit_export(const struct cli_args *args)
{
    struct printing printing = {.form = args->as != NULL ? export_form_of(str_of(args->as)) : EXPORT_JSONL,
                                .left = INT64_MAX};
    if (printing.form == EXPORT_FORM_COUNT) {
        return cli_bad("one of jsonl, ocsf, ecs", "`--as %s` is no form", args->as);
    }
    return print_all(args, &printing);
}

// ---- Keys and checkpoints --------------------------------------------------------------------------------

struct trust {
    struct note_key keys[CLI_VALUES_MAX];
    size_t count;
    struct buf kept;
};

static void trust_drop(struct trust *trust)
{
    buf_fini(&trust->kept);
}

// `--vkey` and `--checkpoint`.
static int trust_read(const struct cli_args *args, struct trust *out)
{
    const char *why = "";
    for (size_t i = 0; i < args->vkeys.count; i++) {
        if (note_key_read(str_of(args->vkeys.at[i]), &out->keys[i]) != PDP_ERR_OK) {
            return cli_bad("a line of `vkeys` in the audit folder, as it was when the log began",
                           "`--vkey %s` is no key of a log", args->vkeys.at[i]);
        }
        out->count++;
    }
    if (args->checkpoint != NULL &&
        file_take(args->checkpoint, NOTE_BYTES_MAX, &out->kept, NULL, &why) != PDP_ERR_OK) {
        return cli_bad(NULL, "`%s` cannot be read: %s", args->checkpoint, why);
    }
    return CLI_DONE;
}

static void say_fault(const struct verify_fault *fault)
{
    AUTO(buf_fini) struct buf text = {0};
    buf_printf(&text, "pdpctl: the audit log is not as it was written: ");
    if (fault->file[0] != '\0') {
        buf_printf(&text, "`%s`: ", fault->file);
    }
    buf_escaped(&text, str_of(fault->what));
    if (fault->has_record) {
        buf_printf(&text, " (record %" PRIu64 ")", fault->record);
    }
    if (fault->has_offset) {
        buf_printf(&text, " (at byte %" PRIu64 ")", fault->offset);
    }
    fprintf(stderr, STR_FMT "\n", STR_ARG(buf_view(&text)));
}

static void put_fault(struct emit *emit, const struct verify_fault *fault)
{
    emit_key(emit, STR("fault"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "file", str_of(fault->file));
    emit_key_str(emit, "what", str_of(fault->what));
    if (fault->has_record) {
        emit_key_int(emit, "record", (int64_t)fault->record);
    }
    if (fault->has_offset) {
        emit_key_int(emit, "offset", (int64_t)fault->offset);
    }
    emit_end(emit);
}

static int say_verified(const struct cli_args *args, const struct verify_report *report,
                        const struct verify_fault *fault)
{
    AUTO(buf_fini) struct buf out = {0}, key = {0};
    if (report->key.name[0] != '\0') {
        note_key_print(&report->key, &key);
    }
    if (args->json) {
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &out);
        emit_map(&emit, EMIT_FEW);
        emit_key_bool(&emit, "ok", fault == NULL);
        emit_key_int(&emit, "records", (int64_t)(report->records - report->first));
        emit_key_int(&emit, "first", (int64_t)report->first);
        emit_key_int(&emit, "signed", (int64_t)report->signed_records);
        emit_key_int(&emit, "checkpoints", (int64_t)report->checkpoints);
        emit_key_str(&emit, "name", str_of(report->origin));
        emit_key_str(&emit, "key", buf_view(&key));
        if (fault != NULL) {
            put_fault(&emit, fault);
        }
        emit_end(&emit);
        buf_byte(&out, '\n');
    } else if (fault == NULL) {
        buf_printf(&out, "good: %" PRIu64 " records, %" PRIu64 " checkpoints\n",
                   report->records - report->first, report->checkpoints);
        if (report->first > 0) {
            buf_printf(&out, "removed    %" PRIu64 " older records\n", report->first);
        }
        buf_printf(&out, "signed     %" PRIu64 "\nunsigned   %" PRIu64 "\n", report->signed_records,
                   report->records > report->signed_records ? report->records - report->signed_records : 0);
        buf_printf(&out, "name       %s\nkey        " STR_FMT "\n", report->origin, STR_ARG(buf_view(&key)));
    }
    return cli_write(&out, fault == NULL ? CLI_DONE : CLI_NO);
}

static int verify_log(const struct cli_args *args, const struct trust *trust)
{
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    struct verify_report report;
    struct verify_fault fault;
    int code = audit_reader_open(args, &reader);
    if (code != CLI_DONE) {
        return code;
    }
    struct audit_source source = audit_reader_source(reader);
    struct verify_input input = {.source = &source,
                                 .keys = trust->keys,
                                 .key_count = trust->count,
                                 .kept = buf_view(&trust->kept),
                                 .live = audit_reader_is_live(reader)};
    enum pdp_err err = audit_verify(&input, &report, &fault);
    if (err != PDP_ERR_OK && err != PDP_ERR_CORRUPT) {
        return failed(reader, err);
    }
    if (err != PDP_ERR_OK && !args->json) {
        say_fault(&fault);
    }
    return say_verified(args, &report, err == PDP_ERR_OK ? NULL : &fault);
}

// ---- Receipts --------------------------------------------------------------------------------------------

// Without keys of its own, those of the log that is named beside it.
static int receipt_keys(const struct cli_args *args, struct trust *trust,
                        struct note_key keys[static NOTE_KEYS_MAX], size_t *count)
{
    if (trust->count > 0) {
        memcpy(keys, trust->keys, trust->count * sizeof *keys);
        *count = trust->count;
        return CLI_DONE;
    }
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    AUTO(buf_fini) struct buf text = {0};
    if (args->state == NULL && args->connect == NULL) {
        return cli_bad("a line of `vkeys` in the audit folder, as it was when the log began",
                       "`--vkey KEY` is missing: by whom is the receipt believed?");
    }
    int code = audit_reader_open(args, &reader);
    if (code != CLI_DONE) {
        return code;
    }
    struct audit_source source = audit_reader_source(reader);
    if (audit_source_take(&source, "vkeys", AUDIT_VKEYS_BYTES_MAX, &text) != PDP_ERR_OK ||
        audit_vkeys_read(buf_view(&text), keys, count) != PDP_ERR_OK) {
        return cli_bad(NULL, "the log's `vkeys` cannot be read");
    }
    return CLI_DONE;
}

static int take(const char *path, size_t most, struct buf *out)
{
    const char *why = "";
    return file_take(path, most, out, NULL, &why) == PDP_ERR_OK
               ? CLI_DONE
               : cli_bad(NULL, "`%s` cannot be read: %s", path, why);
}

static void record_path(const char *receipt, char out[static 4096])
{
    snprintf(out, 4096, "%s.record", receipt);
}

static int verify_receipt(const struct cli_args *args, struct trust *trust)
{
    AUTO(buf_fini) struct buf text = {0}, record = {0}, out = {0};
    struct note_key keys[NOTE_KEYS_MAX];
    struct proof proof;
    struct checkpoint checkpoint;
    char path[4096];
    size_t count = 0;
    record_path(args->receipt, path);
    int code = receipt_keys(args, trust, keys, &count);
    code = code == CLI_DONE ? take(args->receipt, RECEIPT_MOST, &text) : code;
    code = code == CLI_DONE ? take(path, RECORD_MOST, &record) : code;
    if (code != CLI_DONE) {
        return code;
    }
    enum pdp_err err = proof_read(buf_view(&text), &proof);
    err = err == PDP_ERR_OK ? proof_check(&proof, buf_view(&record), keys, count, &checkpoint) : err;
    if (err != PDP_ERR_OK) {
        (void)cli_bad(NULL, "`%s` proves nothing: %s", args->receipt,
                      err == PDP_ERR_MISSING   ? "none of the keys signed it"
                      : err == PDP_ERR_DENIED  ? "its signature is wrong"
                      : err == PDP_ERR_CORRUPT ? "the record is another, or stands elsewhere"
                                               : "it is no receipt, or was changed");
        return CLI_NO;
    }
    buf_printf(&out, "good: record %" PRIu64 " of " STR_FMT ", signed with %" PRIu64 " records\n",
               proof.index, STR_ARG(checkpoint.origin), checkpoint.size);
    return cli_write(&out, CLI_DONE);
}

int cmd_audit_verify(const struct cli_args *args)
{
    AUTO(trust_drop) struct trust trust = {0};
    int code = trust_read(args, &trust);
    if (code != CLI_DONE) {
        return code;
    }
    return args->receipt != NULL ? verify_receipt(args, &trust) : verify_log(args, &trust);
}

// ---- prove
// -------------------------------------------------------------------------------------------------

struct found {
    bool some;
    uint64_t index;
    struct buf bytes;
};

static bool keep_found(void *user, const struct query_record *record)
{
    struct found *found = user;
    found->some = true;
    found->index = record->index;
    buf_str(&found->bytes, record->bytes);
    return false;
}

static int write_receipt(const char *path, const struct proof *proof, const struct found *found)
{
    AUTO(buf_fini) struct buf text = {0}, out = {0};
    char record[4096];
    proof_write(proof, &text);
    record_path(path, record);
    if (output_write(record, &found->bytes, 0644) != CLI_DONE ||
        output_write(path, &text, 0644) != CLI_DONE) {
        return CLI_BAD;
    }
    buf_printf(&out, "record %" PRIu64 ": `%s` is the receipt, `%s` the record\n", found->index, path,
               record);
    return cli_write(&out, CLI_DONE);
}

static int prove(const struct cli_args *args, struct audit_reader *reader, struct found *found)
{
    AUTO(buf_fini) struct buf note = {0};
    struct audit_source source = audit_reader_source(reader);
    struct query query = {.id = str_of(args->positional[0]), .since_ms = INT64_MIN, .until_ms = INT64_MAX};
    struct verify_input input = {.source = &source};
    struct verify_fault fault;
    struct checkpoint checkpoint;
    struct note_key keys[NOTE_KEYS_MAX];
    size_t key_count = 0;
    uint64_t unreadable = 0;
    static struct hash_file hashes;
    struct proof proof = {0};
    enum pdp_err err = audit_query(&source, &query, keep_found, found, &unreadable);
    if (err != PDP_ERR_OK) {
        return failed(reader, err);
    }
    if (!found->some) {
        (void)cli_bad(
            "an answer's `decision_id`; allows may be sampled, and like denials are counted in one record",
            "no record has the id `%s`", args->positional[0]);
        return CLI_NO;
    }
    if (audit_latest(&input, &note, &checkpoint, keys, &key_count, &fault) != PDP_ERR_OK) {
        say_fault(&fault);
        return CLI_NO;
    }
    if (found->index >= checkpoint.size) {
        (void)cli_bad("a checkpoint is signed every second: try again",
                      "record %" PRIu64 " is not signed yet", found->index);
        return CLI_NO;
    }
    hashes = (struct hash_file){.source = &source};
    struct merkle_store store = hash_file_store(&hashes);
    proof.index = found->index;
    proof.checkpoint = buf_view(&note);
    err = merkle_inclusion(&store, found->index, checkpoint.size, &proof.inclusion);
    err =
        err == PDP_ERR_OK ? proof_check(&proof, buf_view(&found->bytes), keys, key_count, &checkpoint) : err;
    if (err != PDP_ERR_OK) {
        (void)cli_bad("`pdpctl audit verify` tells where",
                      "the log does not prove record %" PRIu64 ": it was changed", found->index);
        return CLI_NO;
    }
    return write_receipt(args->output, &proof, found);
}

int cmd_audit_prove(const struct cli_args *args)
{
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    struct found found = {0};
    if (args->output == NULL) {
        return cli_bad("pdpctl audit prove ID --state DIR --output FILE", "`--output FILE` is missing");
    }
    int code = audit_reader_open(args, &reader);
    code = code == CLI_DONE ? prove(args, reader, &found) : code;
    buf_fini(&found.bytes);
    return code;
}

// ---- consistency
// -------------------------------------------------------------------------------------------

static int say_consistent(struct audit_reader *reader, const struct trust *trust)
{
    AUTO(buf_fini) struct buf note = {0}, out = {0};
    struct audit_source source = audit_reader_source(reader);
    struct verify_input input = {.source = &source, .keys = trust->keys, .key_count = trust->count};
    struct verify_fault fault;
    struct checkpoint latest, kept = {0};
    struct note_key keys[NOTE_KEYS_MAX];
    size_t count = 0;
    static struct hash_file hashes;
    static struct merkle_proof proof;
    struct str text;
    if (audit_latest(&input, &note, &latest, keys, &count, &fault) != PDP_ERR_OK) {
        say_fault(&fault);
        return CLI_NO;
    }
    if (note_open(buf_view(&trust->kept), keys, count, &text, NULL) != PDP_ERR_OK ||
        checkpoint_read(text, &kept) != PDP_ERR_OK) {
        (void)cli_bad(NULL, "none of the log's keys signed the checkpoint that was kept");
        return CLI_NO;
    }
    hashes = (struct hash_file){.source = &source};
    struct merkle_store store = hash_file_store(&hashes);
    bool fits = kept.size <= latest.size &&
                merkle_consistency(&store, kept.size, latest.size, &proof) == PDP_ERR_OK &&
                merkle_consistent(kept.size, &kept.root, latest.size, &latest.root, &proof);
    if (!fits) {
        (void)cli_bad("the log was put back or rewritten since: `pdpctl audit verify` tells more",
                      "the log of %" PRIu64 " records has not grown from that of %" PRIu64, latest.size,
                      kept.size);
        return CLI_NO;
    }
    buf_printf(&out, "good: the log of %" PRIu64 " records has grown from that of %" PRIu64 "\n", latest.size,
               kept.size);
    return cli_write(&out, CLI_DONE);
}

int cmd_audit_consistency(const struct cli_args *args)
{
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    AUTO(trust_drop) struct trust trust = {0};
    if (args->checkpoint == NULL) {
        return cli_bad("one that was kept, such as `checkpoint` of the audit folder some time ago",
                       "`--checkpoint FILE` is missing");
    }
    int code = trust_read(args, &trust);
    code = code == CLI_DONE ? audit_reader_open(args, &reader) : code;
    return code == CLI_DONE ? say_consistent(reader, &trust) : code;
}
