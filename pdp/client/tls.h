// SPDX-License-Identifier: Apache-2.0
// What a client proves itself by over `tls+tcp://`, and whom it believes.
#ifndef CLIENT_TLS_H
#define CLIENT_TLS_H

#include "base/str.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <pdp/client.h>

// *out NULL, and OK, for an address without TLS. MISSING without a CA, or with a certificate and no key (or
// the other way round); IO where a file cannot be read; MALFORMED where it cannot be used.
// nng_tls_config_free.
MUST_USE enum pdp_err client_tls_new(const char *url, const struct pdp_options *options,
                                     nng_tls_config **out);

#endif
