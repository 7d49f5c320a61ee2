// SPDX-License-Identifier: Apache-2.0
// The metadata of AuthZEN: where the endpoints are, by the address that callers know.
#ifndef HTTP_METADATA_H
#define HTTP_METADATA_H

#include "http/http.h"

#define METADATA_PATH "/.well-known/authzen-configuration"
#define METADATA_EVALUATION "/access/v1/evaluation"
#define METADATA_EVALUATIONS "/access/v1/evaluations"
#define METADATA_SUBJECT "/access/v1/search/subject"
#define METADATA_RESOURCE "/access/v1/search/resource"
#define METADATA_ACTION "/access/v1/search/action"

struct metadata;

// From the settings `issuer` and `capability`; *metadata is NULL where there is no issuer. An issuer is
// `https://host` or `https://host:port`: tenants stand behind it.
MUST_USE enum pdp_err metadata_new(const struct pdp_adapter_setup *setup, bool obligations,
                                   struct metadata **metadata, struct pdp_adapter_wrong *wrong);
void metadata_free(struct metadata **metadata);

// As JSON, from malloc, of a tenant where `tenant` is not NULL. NULL where memory is out.
char *metadata_of(const struct metadata *metadata, struct text tenant, size_t *len);

// `https://host[:port]`, and nothing behind it?
bool metadata_issuer_right(const char *issuer);

#endif
