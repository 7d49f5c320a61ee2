// SPDX-License-Identifier: Apache-2.0
#include "client/tls.h"

#include "base/buf.h"

#include <stdio.h>

enum {
    FILE_BYTES_MAX = 1 << 20,
    HOST_MAX = 256
};

// A whole file as a C string.
static enum pdp_err text_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return PDP_ERR_IO;
    }
    // All at once, so that no copy of a key stays behind where the buffer was before it grew.
    out->limit = FILE_BYTES_MAX;
    bool room = buf_room(out, FILE_BYTES_MAX);
    size_t len = room ? fread(out->at, 1, FILE_BYTES_MAX - 1, file) : 0;
    bool whole = room && ferror(file) == 0 && fgetc(file) == EOF;
    (void)fclose(file);
    out->len = len;
    if (room) {
        out->at[len] = '\0';
    }
    return !room ? PDP_ERR_NOMEM : !whole ? PDP_ERR_IO : PDP_ERR_OK;
}

static void text_wipe(struct buf *text)
{
    if (text->at != NULL) {
        explicit_bzero(text->at, text->cap);
    }
    buf_fini(text);
}

// The host of `tls+tcp://host:port`, without brackets.
static enum pdp_err host_of(const char *url, char out[HOST_MAX])
{
    struct str rest = str_sub(str_of(url), strlen("tls+tcp://"), strlen(url));
    size_t colon = rest.len;
    while (colon > 0 && rest.at[colon - 1] != ':') {
        colon--;
    }
    struct str host = str_sub(rest, 0, colon > 0 ? colon - 1 : 0);
    if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']') {
        host = str_sub(host, 1, host.len - 2);
    }
    if (host.len == 0 || host.len >= HOST_MAX) {
        return PDP_ERR_SYNTAX;
    }
    memcpy(out, host.at, host.len);
    out[host.len] = '\0';
    return PDP_ERR_OK;
}

static enum pdp_err from_nng(int rv)
{
    return rv == 0             ? PDP_ERR_OK
           : rv == NNG_ENOMEM  ? PDP_ERR_NOMEM
           : rv == NNG_ENOTSUP ? PDP_ERR_UNSUPPORTED
           : rv == NNG_ENOENT  ? PDP_ERR_IO
                               : PDP_ERR_MALFORMED;
}

static enum pdp_err own_take(nng_tls_config *config, const struct pdp_options *options)
{
    struct buf cert = {0}, key = {0};
    enum pdp_err err = text_read(options->cert_file, &cert);
    err = err == PDP_ERR_OK ? text_read(options->key_file, &key) : err;
    err = err == PDP_ERR_OK
              ? from_nng(nng_tls_config_own_cert(config, (const char *)cert.at, (const char *)key.at, NULL))
              : err;
    buf_fini(&cert);
    text_wipe(&key);
    return err;
}

static enum pdp_err settle(nng_tls_config *config, const char *url, const struct pdp_options *options)
{
    char host[HOST_MAX];
    TRY(host_of(url, host));
    TRY(from_nng(
        nng_tls_config_server_name(config, options->server_name != NULL ? options->server_name : host)));
    TRY(from_nng(nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED)));
    TRY(from_nng(nng_tls_config_ca_file(config, options->ca_file)));
    return options->cert_file != NULL ? own_take(config, options) : PDP_ERR_OK;
}

enum pdp_err client_tls_new(const char *url, const struct pdp_options *options, nng_tls_config **out)
{
    *out = NULL;
    if (!str_starts(str_of(url), STR("tls+tcp://"))) {
        return PDP_ERR_OK;
    }
    if (options->ca_file == NULL || (options->cert_file == NULL) != (options->key_file == NULL)) {
        return PDP_ERR_MISSING;
    }
    nng_tls_config *config = NULL;
    TRY(from_nng(nng_tls_config_alloc(&config, NNG_TLS_MODE_CLIENT)));
    enum pdp_err err = settle(config, url, options);
    if (err != PDP_ERR_OK) {
        nng_tls_config_free(config);
        return err;
    }
    *out = config;
    return PDP_ERR_OK;
}
