// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd does TLS by GnuTLS. It asks for our certificate at each handshake, so that a file that was
// read anew counts from the next connection on; and it asks clients for theirs, but leaves it to us to
// believe them.
#include "http/tls.h"

#include "common/settings.h"
#include "http/file.h"
#include "http/server.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHAIN_MAX = 16,
    BELIEVED_MS = 60000 // a certificate that ran out is noticed so late on a connection that stays
};

// What was read at one time. Handshakes may still hold an older one, so all of them live until the end; there
// is a new one only where a file changed.
struct tls_read {
    struct tls_read *older;
    uint64_t number;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned chain_count;
    gnutls_privkey_t key;
    gnutls_x509_trust_list_t trust; // NULL: no client is believed
    char *bytes[3];                 // of cert, key and client-ca
    size_t lens[3];
};

struct tls {
    char *paths[3]; // client-ca may be NULL
    _Atomic(struct tls_read *) now;
};

static const char *const SETTINGS[] = {"cert", "key", "client-ca"};

// ---- Reading -----------------------------------------------------------------------------------------

static void read_free(struct tls_read **read_ptr)
{
    struct tls_read *read = *read_ptr;
    *read_ptr = NULL;
    if (read == NULL) {
        return;
    }
    for (unsigned i = 0; i < read->chain_count; i++) {
        gnutls_pcert_deinit(&read->chain[i]);
    }
    if (read->key != NULL) {
        gnutls_privkey_deinit(read->key);
    }
    if (read->trust != NULL) {
        gnutls_x509_trust_list_deinit(read->trust, 1);
    }
    for (size_t i = 0; i < COUNT_OF(read->bytes); i++) {
        file_wipe(&read->bytes[i], read->lens[i]);
    }
    free(read);
}

struct wrong_file {
    size_t which;
    char text[PDP_ADAPTER_WHY_MAX];
};

static enum pdp_err wrong_file(struct wrong_file *wrong, size_t which, const char *path, const char *what,
                               enum pdp_err err)
{
    wrong->which = which;
    (void)snprintf(wrong->text, sizeof wrong->text, "`%s`: %s", path, what);
    return err;
}

static gnutls_datum_t datum(const struct tls_read *read, size_t which)
{
    return (gnutls_datum_t){(unsigned char *)read->bytes[which], (unsigned)read->lens[which]};
}

static enum pdp_err read_files(const struct tls *tls, struct tls_read *read, struct wrong_file *wrong)
{
    for (size_t i = 0; i < COUNT_OF(tls->paths); i++) {
        if (tls->paths[i] == NULL) {
            continue;
        }
        enum pdp_err err = file_read(tls->paths[i], &read->bytes[i], &read->lens[i]);
        if (err != PDP_ERR_OK) {
            return wrong_file(wrong, i, tls->paths[i],
                              err == PDP_ERR_IO ? strerror(errno) : pdp_err_text(err), err);
        }
    }
    return PDP_ERR_OK;
}

// Does the key belong to the first certificate of the chain?
static bool key_fits(const struct tls_read *read)
{
    unsigned char ids[2][64];
    size_t lens[2] = {sizeof ids[0], sizeof ids[1]};
    gnutls_pubkey_t pub = NULL;
    bool fits =
        gnutls_pubkey_init(&pub) == 0 && gnutls_pubkey_import_privkey(pub, read->key, 0, 0) == 0 &&
        gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, ids[0], &lens[0]) == 0 &&
        gnutls_pubkey_get_key_id(read->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, ids[1], &lens[1]) == 0 &&
        lens[0] == lens[1] && memcmp(ids[0], ids[1], lens[0]) == 0;
    if (pub != NULL) {
        gnutls_pubkey_deinit(pub);
    }
    return fits;
}

static enum pdp_err read_own(const struct tls *tls, struct tls_read *read, struct wrong_file *wrong)
{
    gnutls_datum_t cert = datum(read, 0), key = datum(read, 1);
    unsigned count = CHAIN_MAX;
    int rc = gnutls_pcert_list_import_x509_raw(read->chain, &count, &cert, GNUTLS_X509_FMT_PEM, 0);
    if (rc != 0 || count == 0) {
        return wrong_file(wrong, 0, tls->paths[0], rc != 0 ? gnutls_strerror(rc) : "no certificate in PEM",
                          PDP_ERR_MALFORMED);
    }
    read->chain_count = count;
    rc = gnutls_privkey_init(&read->key);
    rc = rc == 0 ? gnutls_privkey_import_x509_raw(read->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0) : rc;
    if (rc != 0) {
        return wrong_file(wrong, 1, tls->paths[1], gnutls_strerror(rc), PDP_ERR_MALFORMED);
    }
    if (!key_fits(read)) {
        return wrong_file(wrong, 1, tls->paths[1], "this key does not belong to the certificate of `cert`",
                          PDP_ERR_MALFORMED);
    }
    return PDP_ERR_OK;
}

static enum pdp_err read_trust(const struct tls *tls, struct tls_read *read, struct wrong_file *wrong)
{
    gnutls_datum_t ca = datum(read, 2);
    if (tls->paths[2] == NULL) {
        return PDP_ERR_OK;
    }
    int rc = gnutls_x509_trust_list_init(&read->trust, 0);
    rc = rc == 0 ? gnutls_x509_trust_list_add_trust_mem(read->trust, &ca, NULL, GNUTLS_X509_FMT_PEM, 0, 0)
                 : rc;
    if (rc <= 0) {
        return wrong_file(wrong, 2, tls->paths[2], rc < 0 ? gnutls_strerror(rc) : "no certificate in PEM",
                          PDP_ERR_MALFORMED);
    }
    return PDP_ERR_OK;
}

static bool unchanged(const struct tls_read *was, const struct tls_read *is)
{
    bool same = was != NULL;
    for (size_t i = 0; same && i < COUNT_OF(is->bytes); i++) {
        same = was->lens[i] == is->lens[i] &&
               (is->lens[i] == 0 || memcmp(was->bytes[i], is->bytes[i], is->lens[i]) == 0);
    }
    return same;
}

static enum pdp_err read_anew(struct tls *tls, struct wrong_file *wrong)
{
    struct tls_read *was = atomic_load(&tls->now), *read = calloc(1, sizeof *read);
    if (read == NULL) {
        return wrong_file(wrong, 0, tls->paths[0], pdp_err_text(PDP_ERR_NOMEM), PDP_ERR_NOMEM);
    }
    enum pdp_err err = read_files(tls, read, wrong);
    if (err == PDP_ERR_OK && unchanged(was, read)) {
        read_free(&read);
        return PDP_ERR_OK;
    }
    err = err == PDP_ERR_OK ? read_own(tls, read, wrong) : err;
    err = err == PDP_ERR_OK ? read_trust(tls, read, wrong) : err;
    if (err != PDP_ERR_OK) {
        read_free(&read);
        return err;
    }
    read->older = was;
    read->number = was != NULL ? was->number + 1 : 1;
    atomic_store(&tls->now, read);
    return PDP_ERR_OK;
}

// ---- From settings -----------------------------------------------------------------------------------

static enum pdp_err read_paths(const struct pdp_adapter_setup *setup, struct tls *tls,
                               struct pdp_adapter_wrong *wrong)
{
    for (size_t i = 0; i < COUNT_OF(SETTINGS); i++) {
        const char *path = setting_text(setup, SETTINGS[i]);
        tls->paths[i] = path != NULL ? strdup(path) : NULL;
        if (path != NULL && tls->paths[i] == NULL) {
            return PDP_ERR_NOMEM;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (tls->paths[i] == NULL) {
            return setting_wrong(setup, tls->paths[1 - i] != NULL ? SETTINGS[1 - i] : SETTINGS[2], wrong,
                                 PDP_ERR_MISSING, "TLS takes both `cert` and `key`; `%s` is missing",
                                 SETTINGS[i]);
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err tls_new(const struct pdp_adapter_setup *setup, struct tls **out, struct pdp_adapter_wrong *wrong)
{
    *out = NULL;
    bool any = false;
    for (size_t i = 0; i < COUNT_OF(SETTINGS); i++) {
        any = any || setting_text(setup, SETTINGS[i]) != NULL;
    }
    if (!any) {
        return PDP_ERR_OK;
    }
    struct tls *tls = calloc(1, sizeof *tls);
    struct wrong_file file = {0};
    if (tls == NULL) {
        return PDP_ERR_NOMEM;
    }
    enum pdp_err err = read_paths(setup, tls, wrong);
    if (err == PDP_ERR_OK) {
        err = read_anew(tls, &file);
        if (err != PDP_ERR_OK) {
            (void)setting_wrong(setup, SETTINGS[file.which], wrong, err, "%s", file.text);
        }
    }
    if (err != PDP_ERR_OK) {
        tls_free(&tls);
    }
    *out = tls;
    return err;
}

void tls_free(struct tls **tls_ptr)
{
    struct tls *tls = *tls_ptr;
    *tls_ptr = NULL;
    if (tls == NULL) {
        return;
    }
    for (struct tls_read *read = atomic_load(&tls->now), *older = NULL; read != NULL; read = older) {
        older = read->older;
        read_free(&read);
    }
    for (size_t i = 0; i < COUNT_OF(tls->paths); i++) {
        free(tls->paths[i]);
    }
    free(tls);
}

enum pdp_err tls_reload(struct tls *tls, char why[PDP_ADAPTER_WHY_MAX])
{
    struct wrong_file file = {0};
    enum pdp_err err = read_anew(tls, &file);
    if (err != PDP_ERR_OK) {
        (void)snprintf(why, PDP_ADAPTER_WHY_MAX, "%.*s", PDP_ADAPTER_WHY_MAX - 1, file.text);
    }
    return err;
}

// ---- Handshakes --------------------------------------------------------------------------------------

static int on_handshake(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                        gnutls_pcert_st **chain, unsigned *count, gnutls_ocsp_data_st **ocsp,
                        unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags)
{
    struct MHD_Connection *connection = gnutls_session_get_ptr(session); // libmicrohttpd put it there
    const union MHD_ConnectionInfo *context =
        connection != NULL ? MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT) : NULL;
    const struct http_conn *conn = context != NULL ? context->socket_context : NULL;
    (void)info;
    if (conn == NULL) {
        return -1;
    }
    struct tls_read *read = atomic_load(&conn->call.server->tls->now);
    *chain = read->chain;
    *count = read->chain_count;
    *key = read->key;
    *ocsp = NULL;
    *ocsp_count = 0;
    *flags = 0;
    return 0;
}

size_t tls_options(struct tls *tls, struct MHD_OptionItem *options)
{
    static const char PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    gnutls_certificate_retrieve_function3 *function = on_handshake;
    const struct tls_read *read = atomic_load(&tls->now);
    void *as_object = NULL;
    size_t count = 0;
    memcpy(&as_object, &function, sizeof as_object); // the library takes a function in a place for objects
    options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, as_object};
    options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (char *)(intptr_t)PRIORITIES};
    if (read->trust != NULL) {
        // That there is one makes it ask clients for certificates; which ones are believed is decided here.
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, read->bytes[2]};
    }
    return count;
}

// ---- Clients -----------------------------------------------------------------------------------------

static bool name_right(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7f || c == '*') {
            return false;
        }
    }
    return len > 0 && len <= CALLERS_NAME_MAX;
}

// The name of a kind, where there is just one; of DNS names the first. *wrong: there is something that is no
// name, and then no other one is looked for.
static char *san_of(gnutls_x509_crt_t cert, unsigned kind, bool *wrong)
{
    char name[CALLERS_NAME_MAX + 1];
    char *found = NULL;
    for (unsigned i = 0;; i++) {
        size_t len = sizeof name;
        unsigned type = 0;
        int rc = gnutls_x509_crt_get_subject_alt_name2(cert, i, name, &len, &type, NULL);
        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            return found;
        }
        if (rc < 0 ||
            (type == kind && (!name_right(name, len) || (found != NULL && kind == GNUTLS_SAN_URI)))) {
            free(found);
            *wrong = true;
            return NULL;
        }
        if (type == kind && found == NULL) {
            found = strndup(name, len);
            for (char *at = found; at != NULL && *at != '\0' && kind == GNUTLS_SAN_DNSNAME; at++) {
                *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
            }
        }
    }
}

static char *cn_of(gnutls_x509_crt_t cert)
{
    char name[CALLERS_NAME_MAX + 1], second[2];
    size_t len = sizeof name, more = sizeof second;
    bool one = gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) == 0 &&
               gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 1, 0, second, &more) ==
                   GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
    return one && name_right(name, len) ? strndup(name, len) : NULL;
}

// As the daemon names its peers: by DNS name, else by URI, else by common name.
static char *name_of(gnutls_x509_crt_t cert)
{
    bool wrong = false;
    char *name = san_of(cert, GNUTLS_SAN_DNSNAME, &wrong);
    name = name != NULL || wrong ? name : san_of(cert, GNUTLS_SAN_URI, &wrong);
    return name != NULL || wrong ? name : cn_of(cert);
}

static char *believed(const struct tls_read *read, gnutls_session_t session)
{
    unsigned count = 0, status = 1, imported = 0;
    const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t chain[CHAIN_MAX];
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
                                     (unsigned char *)(intptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    char *name = NULL;
    if (raw == NULL || count == 0 || count > CHAIN_MAX || read->trust == NULL) {
        return NULL;
    }
    while (imported < count && gnutls_x509_crt_init(&chain[imported]) == 0) {
        imported++;
        if (gnutls_x509_crt_import(chain[imported - 1], &raw[imported - 1], GNUTLS_X509_FMT_DER) != 0) {
            count = 0;
        }
    }
    if (count > 0 && imported == count &&
        gnutls_x509_trust_list_verify_crt2(read->trust, chain, count, &purpose, 1, 0, &status, NULL) == 0 &&
        status == 0) {
        name = name_of(chain[0]);
    }
    for (unsigned i = 0; i < imported; i++) {
        gnutls_x509_crt_deinit(chain[i]);
    }
    return name;
}

const char *tls_client(struct tls *tls, struct http_conn *conn)
{
    const struct tls_read *read = atomic_load(&tls->now);
    int64_t now_ms = server_steady_ms();
    if (conn->certified_by == read->number && now_ms - conn->certified_ms < BELIEVED_MS) {
        return conn->certificate;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn->call.connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    free(conn->certificate);
    conn->certificate = info != NULL && info->tls_session != NULL ? believed(read, info->tls_session) : NULL;
    conn->certified_by = read->number;
    conn->certified_ms = now_ms;
    return conn->certificate;
}
