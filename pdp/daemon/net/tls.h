// SPDX-License-Identifier: Apache-2.0
// TLS of listeners: certificate, key, CAs and revocation list from files, read anew while connections live;
// and the name that a peer's certificate proves. TLS 1.3, and 1.2 with ECDHE and AEAD alone.
#ifndef DAEMON_NET_TLS_H
#define DAEMON_NET_TLS_H

#include "base/buf.h"

#include <openssl/ssl.h>

#define TLS_WHY_MAX 512
#define TLS_NAME_MAX 255 // bytes of a peer's name
#define TLS_NAME_KINDS 3

enum tls_clients {
    TLS_CLIENTS_REQUIRED, // without a certificate that is good there is no connection
    TLS_CLIENTS_OPTIONAL, // one that is given must be good
    TLS_CLIENTS_NONE      // none is asked for
};

// X(name, word in the configuration)
#define TLS_NAME_LIST(X)  \
    X(SAN_DNS, "san-dns") \
    X(SAN_URI, "san-uri") \
    X(CN, "cn")
enum tls_name_kind {
#define X(name, word) TLS_##name,
    TLS_NAME_LIST(X)
#undef X
};

// What the configuration says. Paths live as long as it.
struct tls_config {
    const char *cert, *key, *ca, *crl; // NULL: none. Chain with our own certificate first; our key; who may
                                       // sign peers; which of those they take back
    enum tls_clients clients;
    enum tls_name_kind names[TLS_NAME_KINDS]; // the first kind that the certificate has counts
    size_t name_count;
};

struct tls; // shared by listeners of one configuration; any thread

// Reads the files. IO where one cannot be read, MALFORMED where it cannot be used, with its name and the
// reason in `why`. A certificate or list that has expired is taken at the start: see tls_facts.
MUST_USE enum pdp_err tls_new(const struct tls_config *config, struct tls **out, char why[TLS_WHY_MAX]);
void tls_free(struct tls **tls); // after all its connections
// Reads them anew. What is wrong with any of them, an expiry too, changes nothing. One caller at a time.
MUST_USE enum pdp_err tls_reload(struct tls *tls, char why[TLS_WHY_MAX]);

struct tls_facts {
    int64_t cert_until_s; // our certificate is good until then
    int64_t crl_until_s;  // the list that is renewed first; 0: there is none
    uint64_t generation;  // rises with each reload
};
void tls_facts(struct tls *tls, struct tls_facts *out);
const struct tls_config *tls_config_of(const struct tls *tls);

// A new connection's side of the handshake; NULL where memory is out. SSL_free when done.
SSL *tls_accept(struct tls *tls, int fd);
// Is the peer's certificate, as the connection holds it, still good by the files that were read last? True
// for one without a certificate that needs none. Costs a verification of signatures.
bool tls_still_good(struct tls *tls, SSL *ssl);
// When the peer's certificate ends, in seconds since 1970; INT64_MAX without one.
int64_t tls_peer_until_s(SSL *ssl);
// The name that the peer's certificate proves, appended to `out`; nothing without a certificate. MALFORMED
// where it has none of the kinds asked for, or one that cannot be a name: control bytes, NUL, a star,
// several.
MUST_USE enum pdp_err tls_peer_name(const struct tls *tls, SSL *ssl, struct buf *out);
// The same of any certificate.
MUST_USE enum pdp_err tls_name_of(const struct tls_config *config, X509 *cert, struct buf *out);

#endif
