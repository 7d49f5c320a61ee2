// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"
#include "cli/output.h"

#include "base/time.h"
#include "daemon/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    KEY_BYTES_MAX = 16384,
    OTHERS_MAY_READ = 0077
};

static void wipe(struct buf *buf)
{
    seal_wipe(buf->at, buf->cap);
    buf_fini(buf);
}

static void put_key_id(struct buf *out, const uint8_t id[static SEAL_BYTES])
{
    buf_str(out, STR("ed25519:"));
    bundle_hex(id, out);
}

// The file's bytes stay with the caller: the bundle points into them.
static int bundle_take(const char *path, struct buf *bytes, struct bundle *out)
{
    const char *why = "";
    struct bundle_fault fault;
    if (file_take(path, BUNDLE_BYTES_MAX, bytes, NULL, &why) != PDP_ERR_OK) {
        return cli_bad(NULL, "`%s` cannot be read: %s", path, why);
    }
    if (bundle_read(buf_view(bytes), out, &fault) != PDP_ERR_OK) {
        struct buf name = {0};
        buf_escaped(&name, str_sub(fault.name, 0, 100));
        int code =
            cli_bad("`pdpctl build` makes bundles", "`%s` is refused at byte %" PRIu64 ": %s%s" STR_FMT "%s",
                    path, fault.offset, fault.what, name.len > 0 ? ": `" : "", STR_ARG(buf_view(&name)),
                    name.len > 0 ? "`" : "");
        buf_fini(&name);
        return code;
    }
    return CLI_DONE;
}

// ---- sign ------------------------------------------------------------------------------------------

static int make_signature(const char *path, const struct bundle *bundle, struct bundle_signature *out)
{
    AUTO(wipe) struct buf pem = {0};
    mode_t mode = 0;
    const char *why = "";
    if (file_take(path, KEY_BYTES_MAX, &pem, &mode, &why) != PDP_ERR_OK) {
        return cli_bad(NULL, "the key `%s` cannot be read: %s", path, why);
    }
    if ((mode & OTHERS_MAY_READ) != 0) {
        fprintf(stderr, "pdpctl: warning: others may read the key `%s`\n  hint: chmod 600 %s\n", path, path);
    }
    if (sign_bundle(bundle, buf_view(&pem), out, &why) != PDP_ERR_OK) {
        return cli_bad("`openssl genpkey -algorithm ed25519 -out KEY.pem` makes one", "`%s`: %s", path, why);
    }
    return CLI_DONE;
}

static bool is_there(const struct bundle *bundle, const struct bundle_signature *signature)
{
    for (size_t i = 0; i < bundle->signature_count; i++) {
        if (memcmp(&bundle->signatures[i], signature, sizeof *signature) == 0) {
            return true;
        }
    }
    return false;
}

static int say_signed(const struct cli_args *args, const struct bundle_signature *signature, bool before)
{
    AUTO(buf_fini) struct buf out = {0}, id = {0};
    struct emit emit;
    put_key_id(&id, signature->key_id);
    if (args->json) {
        emit_init(&emit, WIRE_JSON, &out);
        emit_map(&emit, SIZE_MAX);
        emit_key_bool(&emit, "ok", true);
        emit_key_str(&emit, "key", buf_view(&id));
        emit_key_bool(&emit, "signed_before", before);
        emit_end(&emit);
        buf_byte(&out, '\n');
    } else {
        buf_printf(&out, before ? "was signed by " STR_FMT " already\n" : "signed by " STR_FMT "\n",
                   STR_ARG(buf_view(&id)));
    }
    return cli_write(&out, CLI_DONE);
}

int cmd_sign(const struct cli_args *args)
{
    AUTO(buf_fini) struct buf bytes = {0}, more = {0};
    struct bundle bundle;
    struct bundle_signature signature;
    const char *path = args->positional[0];
    if (args->keys.count != 1) {
        return cli_bad("one key at a time: pdpctl sign FILE --key KEYFILE", "`--key KEYFILE` is %s",
                       args->keys.count == 0 ? "missing" : "given more than once");
    }
    int code = bundle_take(path, &bytes, &bundle);
    code = code == CLI_DONE ? make_signature(args->keys.at[0], &bundle, &signature) : code;
    if (code != CLI_DONE) {
        return code;
    }
    if (is_there(&bundle, &signature)) {
        return say_signed(args, &signature, true);
    }
    if (bundle_put_signature(&bundle, &signature, &more) != PDP_ERR_OK) {
        return cli_bad("build it anew", "`%s` has 16 signatures, and there is no room for more", path);
    }
    if (output_write(path, &more, 0666) != CLI_DONE) {
        return CLI_BAD;
    }
    return say_signed(args, &signature, false);
}

// ---- verify ----------------------------------------------------------------------------------------

struct verdict_of {
    const struct bundle *bundle;
    struct sign_key keys[CLI_VALUES_MAX];
    const char *const *names; // of the keys' files
    size_t key_count, threshold, valid;
    enum sign_state states[BUNDLE_SIGNATURES_MAX];
    bool expired;
};

static int keys_take(const struct cli_args *args, struct verdict_of *out)
{
    for (size_t i = 0; i < args->keys.count; i++) {
        AUTO(wipe) struct buf pem = {0};
        const char *why = "", *path = args->keys.at[i];
        if (file_take(path, KEY_BYTES_MAX, &pem, NULL, &why) != PDP_ERR_OK) {
            return cli_bad(NULL, "the key `%s` cannot be read: %s", path, why);
        }
        if (sign_key_read(buf_view(&pem), &out->keys[i], &why) != PDP_ERR_OK) {
            return cli_bad("`openssl pkey -in KEY.pem -pubout -out KEY.pub` makes one", "`%s`: %s", path,
                           why);
        }
        for (size_t k = 0; k < i; k++) {
            if (memcmp(out->keys[k].id, out->keys[i].id, SEAL_BYTES) == 0) {
                return cli_bad("give each key once", "`%s` and `%s` are the same key", args->keys.at[k],
                               path);
            }
        }
    }
    out->names = args->keys.at;
    out->key_count = args->keys.count;
    out->threshold = args->threshold > 0 ? (size_t)args->threshold : out->key_count;
    return CLI_DONE;
}

static const char *key_name(const struct verdict_of *v, const struct bundle_signature *signature)
{
    for (size_t k = 0; k < v->key_count; k++) {
        if (memcmp(v->keys[k].id, signature->key_id, SEAL_BYTES) == 0) {
            return v->names[k];
        }
    }
    return NULL;
}

static const char *const STATES[] = {
    [SIGN_UNKNOWN] = "unknown", [SIGN_BAD] = "not valid", [SIGN_VALID] = "valid"};

static bool good(const struct verdict_of *v)
{
    return v->valid >= v->threshold && !v->expired;
}

static void put_text(const struct verdict_of *v, const char *digest, struct str expires, struct buf *out)
{
    const struct bundle *bundle = v->bundle;
    buf_printf(out,
               "name       " STR_FMT "\nversion    %" PRId64 "\nexpires    " STR_FMT "%s\ndigest     %s\n",
               STR_ARG(bundle->name), bundle->version, STR_ARG(expires),
               v->expired ? ", which has passed" : "", digest);
    for (size_t i = 0; i < bundle->signature_count; i++) {
        const char *name = key_name(v, &bundle->signatures[i]);
        buf_str(out, STR("signature  "));
        put_key_id(out, bundle->signatures[i].key_id);
        buf_printf(out, " %s%s", STATES[v->states[i]], name != NULL ? ", " : "");
        buf_escaped(out, str_of(name));
        buf_byte(out, '\n');
    }
    buf_printf(out, "%s: %zu of %zu keys signed it, %zu must have%s\n", good(v) ? "good" : "refused",
               v->valid, v->key_count, v->threshold, v->expired ? "; it has expired" : "");
}

static void put_json(const struct verdict_of *v, const char *digest, struct str expires, struct buf *out)
{
    const struct bundle *bundle = v->bundle;
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key_bool(&emit, "ok", good(v));
    emit_key_str(&emit, "name", bundle->name);
    emit_key_int(&emit, "version", bundle->version);
    emit_key_str(&emit, "expires", expires);
    emit_key_bool(&emit, "expired", v->expired);
    emit_key_str(&emit, "digest", str_of(digest));
    emit_key_int(&emit, "valid", (int64_t)v->valid);
    emit_key_int(&emit, "threshold", (int64_t)v->threshold);
    emit_key(&emit, STR("signatures"));
    emit_list(&emit, SIZE_MAX);
    for (size_t i = 0; i < bundle->signature_count; i++) {
        struct buf id = {0};
        put_key_id(&id, bundle->signatures[i].key_id);
        emit_map(&emit, SIZE_MAX);
        emit_key_str(&emit, "key", buf_view(&id));
        emit_key_str(&emit, "state", str_of(STATES[v->states[i]]));
        emit_end(&emit);
        buf_fini(&id);
    }
    emit_end(&emit);
    emit_end(&emit);
    buf_byte(out, '\n');
}

int cmd_verify(const struct cli_args *args)
{
    AUTO(buf_fini) struct buf bytes = {0}, out = {0}, expires = {0};
    struct bundle bundle;
    struct verdict_of v = {.bundle = &bundle};
    char digest[80];
    int64_t now_ms = (int64_t)time(NULL) * TIME_MS_PER_S;
    if (!local_now(args, &now_ms)) {
        return CLI_BAD;
    }
    if (args->keys.count == 0) {
        return cli_bad("pdpctl verify FILE --key PUBFILE", "`--key PUBFILE` is missing");
    }
    int code = keys_take(args, &v);
    code = code == CLI_DONE ? bundle_take(args->positional[0], &bytes, &bundle) : code;
    if (code != CLI_DONE) {
        return code;
    }
    if (v.threshold > v.key_count) {
        return cli_bad("give as many keys", "`--threshold %zu` is more than there are keys", v.threshold);
    }
    v.valid = sign_verify(&bundle, v.keys, v.key_count, v.states);
    v.expired = now_ms >= bundle.expires_s * TIME_MS_PER_S;
    packed_digest(&bundle, digest);
    time_print(&expires, bundle.expires_s, 0);
    (args->json ? put_json : put_text)(&v, digest, buf_view(&expires), &out);
    return cli_write(&out, good(&v) ? CLI_DONE : CLI_NO);
}
