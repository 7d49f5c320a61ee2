// SPDX-License-Identifier: Apache-2.0
#include "envoy/tls.h"

#include "common/settings.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const int CHAIN_MOST = 4;                               // certificates between a gateway's and its CA
static const char SUITES_12[] = "ECDHE+AESGCM:ECDHE+CHACHA20"; // HTTP/2 forbids the others
static const unsigned char H2[] = "\x02h2";

struct authz_tls {
    char *cert, *key, *ca; // paths; ca may be NULL
    pthread_mutex_t lock;  // of `context`
    SSL_CTX *context;
};

// ---- Loading -----------------------------------------------------------------------------------------

// A key with a pass phrase would ask for it on a terminal.
static int no_phrase(char *out, int size, int writes, void *user)
{
    (void)out;
    (void)size;
    (void)writes;
    (void)user;
    return -1;
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                     unsigned in_len, void *user)
{
    (void)ssl;
    (void)user;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, H2, sizeof H2 - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool settle(SSL_CTX *context)
{
    // Nothing is resumed, so that each connection shows its certificate anew.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(context, no_phrase);
    SSL_CTX_set_alpn_select_cb(context, choose_h2, NULL);
    return SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, SUITES_12) == 1;
}

// Which of our files is no good, and why; NULL: all are good.
static const char *load(const struct authz_tls *tls, SSL_CTX *context, const char **setting)
{
    *setting = "cert";
    if (SSL_CTX_use_certificate_chain_file(context, tls->cert) != 1) {
        return "is no certificate in PEM";
    }
    *setting = "key";
    if (SSL_CTX_use_PrivateKey_file(context, tls->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return "is no key of the certificate, in PEM and without a pass phrase";
    }
    *setting = "client-ca";
    if (tls->ca == NULL) {
        return NULL;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(tls->ca);
    if (names == NULL || sk_X509_NAME_num(names) == 0 || SSL_CTX_load_verify_file(context, tls->ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return "holds no certificates in PEM";
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_verify_depth(context, CHAIN_MOST);
    return NULL;
}

static const char *context_new(const struct authz_tls *tls, SSL_CTX **out, const char **setting)
{
    *out = SSL_CTX_new(TLS_server_method());
    *setting = NULL;
    const char *what =
        *out == NULL || !settle(*out) ? "OpenSSL offers no TLS as it is needed" : load(tls, *out, setting);
    if (what != NULL) {
        SSL_CTX_free(*out);
        *out = NULL;
    }
    ERR_clear_error();
    return what;
}

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

enum pdp_err authz_tls_new(const struct pdp_adapter_setup *setup, struct authz_tls **out,
                           struct pdp_adapter_wrong *wrong)
{
    *out = NULL;
    const char *cert = setting_text(setup, "cert"), *key = setting_text(setup, "key");
    const char *ca = setting_text(setup, "client-ca"), *setting = NULL;
    if (cert == NULL && key == NULL && ca == NULL) {
        return PDP_ERR_OK;
    }
    if (cert == NULL || key == NULL) {
        return setting_wrong(setup,
                             cert != NULL  ? "cert"
                             : key != NULL ? "key"
                                           : "client-ca",
                             wrong, PDP_ERR_MISSING, "TLS needs both `cert` and `key`");
    }
    struct authz_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        return PDP_ERR_NOMEM;
    }
    (void)pthread_mutex_init(&tls->lock, NULL);
    tls->cert = copy(cert);
    tls->key = copy(key);
    tls->ca = copy(ca);
    bool copied = tls->cert != NULL && tls->key != NULL && (tls->ca != NULL) == (ca != NULL);
    const char *what = copied ? context_new(tls, &tls->context, &setting) : pdp_err_text(PDP_ERR_NOMEM);
    if (what == NULL) {
        *out = tls;
        return PDP_ERR_OK;
    }
    authz_tls_free(&tls);
    const char *file = setting == NULL ? NULL : setting_text(setup, setting);
    return file == NULL ? setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "%s", what)
                        : setting_wrong(setup, setting, wrong, PDP_ERR_MALFORMED, "`%s` %s", file, what);
}

void authz_tls_free(struct authz_tls **tls_ptr)
{
    struct authz_tls *tls = *tls_ptr;
    *tls_ptr = NULL;
    if (tls == NULL) {
        return;
    }
    SSL_CTX_free(tls->context);
    (void)pthread_mutex_destroy(&tls->lock);
    free(tls->cert);
    free(tls->key);
    free(tls->ca);
    free(tls);
}

enum pdp_err authz_tls_reload(struct authz_tls *tls, char *why, size_t why_bytes)
{
    SSL_CTX *fresh = NULL;
    const char *setting = NULL, *what = context_new(tls, &fresh, &setting);
    if (what != NULL) {
        (void)snprintf(why, why_bytes, "`%s` %s; the certificates that were read before stay",
                       setting != NULL ? setting : "cert", what);
        return PDP_ERR_MALFORMED;
    }
    (void)pthread_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->context;
    tls->context = fresh;
    (void)pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return PDP_ERR_OK;
}

// ---- Connections -------------------------------------------------------------------------------------

SSL *authz_tls_accept(struct authz_tls *tls, int fd)
{
    (void)pthread_mutex_lock(&tls->lock);
    SSL *ssl = SSL_new(tls->context);
    (void)pthread_mutex_unlock(&tls->lock);
    if (ssl != NULL && SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ssl = NULL;
    }
    if (ssl != NULL) {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}

// Printable ASCII alone, and no pattern.
static bool take_name(const ASN1_STRING *from, char name[AUTHZ_NAME_MAX + 1])
{
    int len = ASN1_STRING_length(from);
    const unsigned char *bytes = ASN1_STRING_get0_data(from);
    name[0] = '\0';
    if (len < 1 || len > AUTHZ_NAME_MAX) {
        return false;
    }
    for (int i = 0; i < len; i++) {
        if (bytes[i] <= ' ' || bytes[i] > '~' || bytes[i] == '*') {
            return false;
        }
    }
    memcpy(name, bytes, (size_t)len);
    name[len] = '\0';
    return true;
}

// The first name of a kind. *found: is there one?
static bool name_of_san(const GENERAL_NAMES *all, int kind, bool *found, char name[AUTHZ_NAME_MAX + 1])
{
    *found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
        if (one->type == kind) {
            *found = true;
            return take_name(kind == GEN_DNS ? one->d.dNSName : one->d.uniformResourceIdentifier, name);
        }
    }
    return false;
}

static bool name_of_cn(const X509 *cert, char name[AUTHZ_NAME_MAX + 1])
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return false;
    }
    return take_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), name);
}

static bool name_of(const X509 *cert, char name[AUTHZ_NAME_MAX + 1])
{
    static const int KINDS[] = {GEN_DNS, GEN_URI};
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false, good = false;
    for (size_t i = 0; i < COUNT_OF(KINDS) && !found; i++) {
        good = name_of_san(all, KINDS[i], &found, name);
    }
    GENERAL_NAMES_free(all);
    return found ? good : name_of_cn(cert, name);
}

bool authz_tls_peer(struct authz_tls *tls, SSL *ssl, char name[AUTHZ_NAME_MAX + 1])
{
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    name[0] = '\0';
    SSL_get0_alpn_selected(ssl, &protocol, &len);
    if (len != 2 || memcmp(protocol, "h2", 2) != 0) {
        return false;
    }
    X509 *cert = SSL_get0_peer_certificate(ssl);
    if (tls->ca == NULL) {
        return true;
    }
    return cert != NULL && SSL_get_verify_result(ssl) == X509_V_OK && name_of(cert, name);
}
