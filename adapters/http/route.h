// SPDX-License-Identifier: Apache-2.0
// From a request to its endpoint.
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "http/part.h"

// Finds the endpoint, authenticates the caller, looks at the type of the body. Replies where it refuses.
void route(struct http_call *call);

// Is this a path of the endpoint? *tenant is the one that it names; at NULL without one, or where it is none.
MUST_USE bool route_path_is(const struct http_endpoint *endpoint, struct text path, struct text *tenant);

#endif
