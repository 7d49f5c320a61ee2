// SPDX-License-Identifier: Apache-2.0
// TLS of a connection: our certificate, ALPN `h2`, and the name that a gateway's certificate proves.
#ifndef ENVOY_TLS_H
#define ENVOY_TLS_H

#include "common/text.h"

#include <openssl/types.h>
#include <pdp/adapter.h>

#define AUTHZ_NAME_MAX 255 // bytes of a gateway's name

struct authz_tls;

// From the settings `cert`, `key` and `client-ca`: OK with *out NULL where there are none of them. On failure
// *wrong names the setting.
MUST_USE enum pdp_err authz_tls_new(const struct pdp_adapter_setup *setup, struct authz_tls **out,
                                    struct pdp_adapter_wrong *wrong);
void authz_tls_free(struct authz_tls **tls);
// Reads the files anew; what is wrong with any of them changes nothing, and stands in `why`. One caller at a
// time, beside any number of authz_tls_accept.
MUST_USE enum pdp_err authz_tls_reload(struct authz_tls *tls, char *why, size_t why_bytes);

// A new connection's side of the handshake; NULL where memory is out. SSL_free when done.
SSL *authz_tls_accept(struct authz_tls *tls, int fd);
// After the handshake: does the peer speak HTTP/2, and who is it? The name of its certificate (DNS name, else
// URI, else common name); empty where none was asked for. false: it is to be closed.
MUST_USE bool authz_tls_peer(struct authz_tls *tls, SSL *ssl, char name[AUTHZ_NAME_MAX + 1]);

#endif
