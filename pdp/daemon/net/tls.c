// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const int CHAIN_MOST = 4; // certificates between a peer's and its CA
static const char SUITES_12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char SUITES_13[] = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
static const char GROUPS[] = "X25519:P-256:P-384";

struct tls {
    struct tls_config config;
    pthread_mutex_t lock; // of what follows
    SSL_CTX *context;
    struct tls_facts facts;
};

// ---- Loading -----------------------------------------------------------------------------------------

static enum pdp_err refuse(char why[TLS_WHY_MAX], const char *path, const char *what, enum pdp_err err)
{
    snprintf(why, TLS_WHY_MAX, "`%s`: %s", path, what);
    return err;
}

// With the first thing that OpenSSL has to say, which is the cause.
static enum pdp_err refuse_openssl(char why[TLS_WHY_MAX], const char *path, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    snprintf(why, TLS_WHY_MAX, "`%s`: %s: %s", path, what, reason != NULL ? reason : "no reason is known");
    bool system = ERR_SYSTEM_ERROR(code);
    ERR_clear_error();
    return system ? PDP_ERR_IO : PDP_ERR_MALFORMED;
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

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) {
        return 0;
    }
    return (int64_t)timegm(&tm);
}

static bool is_now(const ASN1_TIME *from, const ASN1_TIME *until)
{
    return (from == NULL || X509_cmp_current_time(from) < 0) &&
           (until == NULL || X509_cmp_current_time(until) > 0);
}

static enum pdp_err load_own(const struct tls_config *config, bool strict, SSL_CTX *context,
                             struct tls_facts *facts, char why[TLS_WHY_MAX])
{
    if (SSL_CTX_use_certificate_chain_file(context, config->cert) != 1) {
        return refuse_openssl(why, config->cert, "is no certificate in PEM");
    }
    if (SSL_CTX_use_PrivateKey_file(context, config->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return refuse_openssl(why, config->key, "is no key of the certificate");
    }
    X509 *cert = SSL_CTX_get0_certificate(context);
    facts->cert_until_s = seconds_of(X509_get0_notAfter(cert));
    if (X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0) != 1) {
        return refuse(why, config->cert, "is no certificate of a server", PDP_ERR_MALFORMED);
    }
    if (strict && !is_now(X509_get0_notBefore(cert), X509_get0_notAfter(cert))) {
        return refuse(why, config->cert, "has expired, or is not valid yet", PDP_ERR_STALE);
    }
    return PDP_ERR_OK;
}

// What OpenSSL works out of a certificate when it is first looked at is worked out before loops share it.
static void look_at_all(X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        if (cert != NULL) {
            (void)X509_check_purpose(cert, -1, 0);
        }
    }
}

static enum pdp_err load_ca(const struct tls_config *config, SSL_CTX *context, char why[TLS_WHY_MAX])
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(config->ca);
    if (names == NULL || sk_X509_NAME_num(names) == 0 ||
        X509_STORE_load_file(SSL_CTX_get_cert_store(context), config->ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return refuse_openssl(why, config->ca, "holds no certificates in PEM");
    }
    SSL_CTX_set_client_CA_list(context, names);
    look_at_all(SSL_CTX_get_cert_store(context));
    return PDP_ERR_OK;
}

// One that nobody whom we trust has signed would shut everybody out.
static bool crl_signed(X509_STORE *store, X509_CRL *crl)
{
    bool is = false;
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(all) && !is; i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        is = cert != NULL && X509_NAME_cmp(X509_get_subject_name(cert), X509_CRL_get_issuer(crl)) == 0 &&
             X509_CRL_verify(crl, X509_get0_pubkey(cert)) == 1;
    }
    ERR_clear_error();
    return is;
}

static enum pdp_err crl_check(const struct tls_config *config, bool strict, X509_STORE *store,
                              struct tls_facts *facts, char why[TLS_WHY_MAX])
{
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
        X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(all, i));
        if (crl == NULL) {
            continue;
        }
        if (!crl_signed(store, crl)) {
            return refuse(why, config->crl, "holds a list that none of the CAs has signed",
                          PDP_ERR_MALFORMED);
        }
        if (strict && !is_now(X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl))) {
            return refuse(why, config->crl, "holds a list that has expired, or is not valid yet",
                          PDP_ERR_STALE);
        }
        int64_t until_s = seconds_of(X509_CRL_get0_nextUpdate(crl));
        if (until_s != 0 && (facts->crl_until_s == 0 || until_s < facts->crl_until_s)) {
            facts->crl_until_s = until_s;
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err load_crl(const struct tls_config *config, bool strict, SSL_CTX *context,
                             struct tls_facts *facts, char why[TLS_WHY_MAX])
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP *files = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (files == NULL || X509_load_crl_file(files, config->crl, X509_FILETYPE_PEM) < 1) {
        return refuse_openssl(why, config->crl, "holds no revocation list in PEM");
    }
    TRY(crl_check(config, strict, store, facts, why));
    // Each certificate of a chain, not the last alone: an intermediate CA may have been taken back.
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return PDP_ERR_OK;
}

// Nothing is resumed, so that each connection shows its certificate anew.
static bool context_settle(const struct tls_config *config, SSL_CTX *context)
{
    static const int MODES[] = {SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, SSL_VERIFY_PEER,
                                SSL_VERIFY_NONE};
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    // A turn ends with each record that carries no bytes of ours: a peer that sends only such holds no loop.
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(context, no_phrase);
    SSL_CTX_set_verify(context, MODES[config->clients], NULL);
    SSL_CTX_set_verify_depth(context, CHAIN_MOST);
    return SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, SUITES_12) == 1 &&
           SSL_CTX_set_ciphersuites(context, SUITES_13) == 1 &&
           SSL_CTX_set1_groups_list(context, GROUPS) == 1;
}

static enum pdp_err context_load(const struct tls_config *config, bool strict, SSL_CTX *context,
                                 struct tls_facts *facts, char why[TLS_WHY_MAX])
{
    *facts = (struct tls_facts){0};
    if (context == NULL || !context_settle(config, context)) {
        snprintf(why, TLS_WHY_MAX, "OpenSSL offers no TLS as it is needed");
        ERR_clear_error();
        return PDP_ERR_UNSUPPORTED;
    }
    TRY(load_own(config, strict, context, facts, why));
    if (config->ca != NULL) {
        TRY(load_ca(config, context, why));
    }
    return config->crl != NULL ? load_crl(config, strict, context, facts, why) : PDP_ERR_OK;
}

static enum pdp_err context_new(const struct tls_config *config, bool strict, SSL_CTX **out,
                                struct tls_facts *facts, char why[TLS_WHY_MAX])
{
    ERR_clear_error();
    *out = SSL_CTX_new(TLS_server_method());
    enum pdp_err err = context_load(config, strict, *out, facts, why);
    if (err != PDP_ERR_OK) {
        SSL_CTX_free(*out);
        *out = NULL;
    }
    return err;
}

enum pdp_err tls_new(const struct tls_config *config, struct tls **out, char why[TLS_WHY_MAX])
{
    *out = NULL;
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        snprintf(why, TLS_WHY_MAX, "memory is out");
        return PDP_ERR_NOMEM;
    }
    tls->config = *config;
    pthread_mutex_init(&tls->lock, NULL);
    enum pdp_err err = context_new(config, false, &tls->context, &tls->facts, why);
    if (err != PDP_ERR_OK) {
        tls_free(&tls);
        return err;
    }
    tls->facts.generation = 1;
    *out = tls;
    return PDP_ERR_OK;
}

void tls_free(struct tls **tls_ptr)
{
    struct tls *tls = STEAL(*tls_ptr);
    if (tls != NULL) {
        SSL_CTX_free(tls->context);
        pthread_mutex_destroy(&tls->lock);
        free(tls);
    }
}

enum pdp_err tls_reload(struct tls *tls, char why[TLS_WHY_MAX])
{
    SSL_CTX *fresh = NULL;
    struct tls_facts facts;
    TRY(context_new(&tls->config, true, &fresh, &facts, why));
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->context;
    facts.generation = tls->facts.generation + 1;
    tls->context = fresh;
    tls->facts = facts;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old); // connections hold it as long as they need it
    return PDP_ERR_OK;
}

void tls_facts(struct tls *tls, struct tls_facts *out)
{
    pthread_mutex_lock(&tls->lock);
    *out = tls->facts;
    pthread_mutex_unlock(&tls->lock);
}

const struct tls_config *tls_config_of(const struct tls *tls)
{
    return &tls->config;
}

// ---- One connection ----------------------------------------------------------------------------------

static SSL_CTX *context_hold(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *context = tls->context;
    (void)SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&tls->lock);
    return context;
}

SSL *tls_accept(struct tls *tls, int fd)
{
    SSL_CTX *context = context_hold(tls);
    ERR_clear_error();
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}

bool tls_still_good(struct tls *tls, SSL *ssl)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    if (cert == NULL) {
        return tls->config.clients != TLS_CLIENTS_REQUIRED;
    }
    SSL_CTX *context = context_hold(tls);
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    bool good = check != NULL &&
                X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context), cert,
                                    SSL_get_peer_cert_chain(ssl)) == 1 &&
                X509_STORE_CTX_set_default(check, "ssl_client") == 1;
    if (good) {
        X509_STORE_CTX_set_depth(check, CHAIN_MOST);
        good = X509_verify_cert(check) == 1;
    }
    X509_STORE_CTX_free(check);
    SSL_CTX_free(context);
    ERR_clear_error();
    return good;
}

int64_t tls_peer_until_s(SSL *ssl)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    return cert != NULL ? seconds_of(X509_get0_notAfter(cert)) : INT64_MAX;
}

// ---- Names -------------------------------------------------------------------------------------------

// A name goes into logs, policies and tables: nothing that only looks like it, and no pattern.
static bool name_right(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.at[i];
        if (byte < 0x20 || byte == 0x7f || byte == '*') {
            return false;
        }
    }
    return name.len > 0 && name.len <= TLS_NAME_MAX && str_is_utf8(name);
}

static struct str string_of(const ASN1_STRING *string)
{
    int len = ASN1_STRING_length(string);
    return (struct str){(const char *)ASN1_STRING_get0_data(string), len > 0 ? (size_t)len : 0};
}

static enum pdp_err put_name(struct str name, bool lower, struct buf *out)
{
    if (!name_right(name)) {
        return PDP_ERR_MALFORMED;
    }
    for (size_t i = 0; i < name.len; i++) {
        bool upper = lower && name.at[i] >= 'A' && name.at[i] <= 'Z';
        buf_byte(out, (unsigned char)(upper ? name.at[i] + ('a' - 'A') : name.at[i]));
    }
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

// The first DNS name, small; or the one URI. MISSING where there is none of the kind.
static enum pdp_err name_of_san(X509 *cert, enum tls_name_kind kind, struct buf *out)
{
    int found = 0, type = kind == TLS_SAN_URI ? GEN_URI : GEN_DNS;
    int known = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, &known, NULL);
    enum pdp_err err = names != NULL || known == -1 ? PDP_ERR_MISSING : PDP_ERR_MALFORMED;
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != type) {
            continue;
        }
        struct str text = string_of(name->d.ia5);
        if (++found == 1) {
            err = put_name(text, kind == TLS_SAN_DNS, out);
        } else if (kind == TLS_SAN_URI || !name_right(text)) {
            err = PDP_ERR_MALFORMED;
        }
    }
    GENERAL_NAMES_free(names);
    return err;
}

static enum pdp_err name_of_cn(X509 *cert, struct buf *out)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) {
        return PDP_ERR_MISSING;
    }
    if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return PDP_ERR_MALFORMED;
    }
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    enum pdp_err err = PDP_ERR_MALFORMED;
    if (len > 0) {
        err = put_name((struct str){(const char *)text, (size_t)len}, false, out);
    }
    OPENSSL_free(text);
    ERR_clear_error();
    return err;
}

enum pdp_err tls_name_of(const struct tls_config *config, X509 *cert, struct buf *out)
{
    size_t before = out->len;
    for (size_t i = 0; i < config->name_count; i++) {
        enum tls_name_kind kind = config->names[i];
        enum pdp_err err = kind == TLS_CN ? name_of_cn(cert, out) : name_of_san(cert, kind, out);
        if (err != PDP_ERR_MISSING) {
            out->len = err == PDP_ERR_OK ? out->len : before;
            return err;
        }
    }
    return PDP_ERR_MALFORMED;
}

enum pdp_err tls_peer_name(const struct tls *tls, SSL *ssl, struct buf *out)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    return cert == NULL ? PDP_ERR_OK : tls_name_of(&tls->config, cert, out);
}
