// SPDX-License-Identifier: Apache-2.0
#include "client/flow_inner.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static const char SUITES_12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const int CHAIN_MOST = 4; // certificates between the daemon's and its CA

struct flow_tls {
    SSL_CTX *context;
    SSL *ssl;       // NULL: no connection
    BIO *from, *to; // the socket's two ways; of ssl
    bool secure;
    bool address; // `name` is an address, not a name
    char name[256];
};

void flow_tls_free(struct flow_tls **tls_ptr)
{
    struct flow_tls *tls = STEAL(*tls_ptr);
    if (tls != NULL) {
        SSL_free(tls->ssl);
        SSL_CTX_free(tls->context);
        free(tls);
    }
}

// A key with a pass phrase would ask for it on a terminal.
static int no_phrase(char *out, int size, int writes, void *user)
{
    (void)out;
    (void)size;
    (void)writes;
    (void)user;
    return -1;
}

// A file that cannot be read is another mistake than one that cannot be used.
static enum pdp_err failed(void)
{
    bool system = false;
    for (unsigned long code = 0; (code = ERR_get_error()) != 0;) {
        system |= ERR_SYSTEM_ERROR(code);
    }
    return system ? PDP_ERR_IO : PDP_ERR_MALFORMED;
}

static enum pdp_err settle(SSL_CTX *context, const struct pdp_options *options)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(context, no_phrase);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_verify_depth(context, CHAIN_MOST);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, SUITES_12) != 1) {
        ERR_clear_error();
        return PDP_ERR_UNSUPPORTED;
    }
    if (SSL_CTX_load_verify_file(context, options->ca_file) != 1) {
        return failed();
    }
    if (options->cert_file != NULL &&
        (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1 ||
         SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1 ||
         SSL_CTX_check_private_key(context) != 1)) {
        return failed();
    }
    return PDP_ERR_OK;
}

static bool is_address(const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    bool is = address != NULL;
    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    return is;
}

enum pdp_err flow_tls_new(const char *url, const char *host, const struct pdp_options *options,
                          struct flow_tls **out)
{
    *out = NULL;
    if (!str_starts(str_of(url), STR("tls+tcp://"))) {
        return PDP_ERR_OK;
    }
    if (options->ca_file == NULL || (options->cert_file == NULL) != (options->key_file == NULL)) {
        return PDP_ERR_MISSING;
    }
    struct str name = str_of(options->server_name != NULL ? options->server_name : host);
    AUTO(flow_tls_free) struct flow_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL || name.len == 0 || name.len >= sizeof tls->name) {
        return tls == NULL ? PDP_ERR_NOMEM : PDP_ERR_RANGE;
    }
    memcpy(tls->name, name.at, name.len);
    tls->address = is_address(tls->name);
    ERR_clear_error();
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL) {
        ERR_clear_error();
        return PDP_ERR_NOMEM;
    }
    TRY(settle(tls->context, options));
    *out = STEAL(tls);
    return PDP_ERR_OK;
}

// ---- A connection
// ----------------------------------------------------------------------------------------------

void flow_tls_end(struct flow_tls *tls)
{
    SSL_free(tls->ssl);
    tls->ssl = NULL;
    tls->secure = false;
}

// Who the other side must be: by its certificate, whatever else it says.
static bool expect_name(struct flow_tls *tls)
{
    if (tls->address) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), tls->name) == 1;
    }
    SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(tls->ssl, tls->name) == 1 && SSL_set_tlsext_host_name(tls->ssl, tls->name) == 1;
}

static enum pdp_err shake(struct flow_tls *tls)
{
    ERR_clear_error();
    int done = SSL_do_handshake(tls->ssl);
    int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, done);
    ERR_clear_error();
    // SSL_VERIFY_PEER ends the handshake by itself where the certificate is not good.
    tls->secure = done == 1 && SSL_get_verify_result(tls->ssl) == X509_V_OK;
    return tls->secure || why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? PDP_ERR_OK
                                                                                    : PDP_ERR_DENIED;
}

enum pdp_err flow_tls_begin(struct flow_tls *tls)
{
    flow_tls_end(tls);
    tls->ssl = SSL_new(tls->context);
    BIO *from = BIO_new(BIO_s_mem()), *to = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || from == NULL || to == NULL) {
        BIO_free(from);
        BIO_free(to);
        return PDP_ERR_NOMEM;
    }
    SSL_set_bio(tls->ssl, from, to);
    tls->from = from;
    tls->to = to;
    SSL_set_connect_state(tls->ssl);
    return expect_name(tls) ? shake(tls) : PDP_ERR_NOMEM;
}

static enum pdp_err open_all(struct flow_tls *tls, struct buf *out)
{
    for (;;) {
        if (!buf_room(out, SSL3_RT_MAX_PLAIN_LENGTH)) {
            return PDP_ERR_NOMEM;
        }
        size_t got = 0;
        ERR_clear_error();
        if (SSL_read_ex(tls->ssl, out->at + out->len, out->cap - out->len, &got) != 1) {
            int why = SSL_get_error(tls->ssl, 0);
            ERR_clear_error();
            return why == SSL_ERROR_WANT_READ     ? PDP_ERR_OK
                   : why == SSL_ERROR_ZERO_RETURN ? PDP_ERR_CLOSED
                                                  : PDP_ERR_MALFORMED;
        }
        out->len += got;
    }
}

enum pdp_err flow_tls_arrived(struct flow_tls *tls, struct str bytes, bool *secure, struct buf *out)
{
    *secure = false;
    size_t taken = 0;
    if (BIO_write_ex(tls->from, bytes.at, bytes.len, &taken) != 1 || taken != bytes.len) {
        ERR_clear_error();
        return PDP_ERR_NOMEM;
    }
    if (!tls->secure) {
        TRY(shake(tls));
    }
    *secure = tls->secure;
    return tls->secure ? open_all(tls, out) : PDP_ERR_OK;
}

enum pdp_err flow_tls_seal(struct flow_tls *tls, struct str bytes)
{
    size_t taken = 0;
    ERR_clear_error();
    bool ok = SSL_write_ex(tls->ssl, bytes.at, bytes.len, &taken) == 1 && taken == bytes.len;
    ERR_clear_error();
    return ok ? PDP_ERR_OK : PDP_ERR_IO;
}

struct str flow_tls_pending(struct flow_tls *tls)
{
    char *at = NULL;
    long len = tls->ssl != NULL ? BIO_get_mem_data(tls->to, &at) : 0;
    return (struct str){at, len > 0 ? (size_t)len : 0};
}

void flow_tls_sent(struct flow_tls *tls, size_t sent)
{
    char drop[4096];
    while (sent > 0) {
        size_t got = 0;
        size_t want = sent < sizeof drop ? sent : sizeof drop;
        if (BIO_read_ex(tls->to, drop, want, &got) != 1) {
            break;
        }
        sent -= got;
    }
}
