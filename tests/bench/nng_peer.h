// SPDX-License-Identifier: Apache-2.0
// libnng as server and as client: the bare reference, and the peers that gateways are.
#ifndef BENCH_NNG_PEER_H
#define BENCH_NNG_PEER_H

#include "bench/common.h"

// Serves an echo on both URLs with contexts until killed; answers of `cbor` and `json` bytes by the form of
// the question.
_Noreturn void nng_serve(const char *ipc, const char *tcp, size_t cbor, size_t json);

struct nng_client;
struct nng_client *nng_client_open(const char *url);
void nng_client_close(struct nng_client *client);
// As link_load: `depth` contexts, each with one question under way.
void nng_client_load(struct nng_client *client, struct load *load);

#endif
