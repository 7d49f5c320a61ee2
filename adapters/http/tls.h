// SPDX-License-Identifier: Apache-2.0
// Certificates: the server's own, and whose of its clients are believed.
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "http/http.h"

#include <microhttpd.h>

struct tls;
struct http_conn;

#define TLS_OPTIONS 4

// From the settings `cert`, `key` and `client-ca`; *tls is NULL where none of them is there.
MUST_USE enum pdp_err tls_new(const struct pdp_adapter_setup *setup, struct tls **tls,
                              struct pdp_adapter_wrong *wrong);
void tls_free(struct tls **tls); // after the server stopped
// Reads the files anew. What cannot be read leaves all as it was; `why` says what is wrong with it.
MUST_USE enum pdp_err tls_reload(struct tls *tls, char why[PDP_ADAPTER_WHY_MAX]);
// Writes at most TLS_OPTIONS options for libmicrohttpd; returns how many.
size_t tls_options(struct tls *tls, struct MHD_OptionItem *options);

// The name in the certificate of a connection's client, where it was signed by `client-ca` and holds now;
// else NULL. Looked up once a minute, and after each reload. Belongs to the connection.
const char *tls_client(struct tls *tls, struct http_conn *conn);

#endif
