// SPDX-License-Identifier: Apache-2.0
#include "bench/nng_peer.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CONTEXTS = 256
};

static void must(int rv, const char *what)
{
    if (rv != 0) {
        bench_fail(what, nng_strerror(rv));
    }
}

// ---- Server --------------------------------------------------------------------------------------

struct server_context {
    nng_ctx ctx;
    nng_aio *aio;
    bool sends;
};

static size_t answer_bytes[2]; // by form

static void server_step(void *user)
{
    struct server_context *context = user;
    bool failed = nng_aio_result(context->aio) != 0;
    if (context->sends || failed) {
        if (context->sends && failed) {
            nng_msg_free(nng_aio_get_msg(context->aio));
        }
        context->sends = false;
        nng_ctx_recv(context->ctx, context->aio);
        return;
    }
    nng_msg *msg = nng_aio_get_msg(context->aio);
    struct str question = {nng_msg_body(msg), nng_msg_len(msg)};
    must(nng_msg_realloc(msg, answer_bytes[wire_form_of(question)]), "answer");
    nng_aio_set_msg(context->aio, msg);
    context->sends = true;
    nng_ctx_send(context->ctx, context->aio);
}

_Noreturn void nng_serve(const char *ipc, const char *tcp, size_t cbor, size_t json)
{
    static struct server_context contexts[CONTEXTS];
    nng_socket socket;
    nng_listener listener;
    int port = 0;
    answer_bytes[WIRE_CBOR] = cbor;
    answer_bytes[WIRE_JSON] = json;
    must(nng_rep0_open(&socket), "socket");
    for (size_t i = 0; i < CONTEXTS; i++) {
        must(nng_ctx_open(&contexts[i].ctx, socket), "context");
        must(nng_aio_alloc(&contexts[i].aio, server_step, &contexts[i]), "aio");
        nng_ctx_recv(contexts[i].ctx, contexts[i].aio);
    }
    must(nng_listen(socket, ipc, NULL, 0), ipc);
    must(nng_listen(socket, tcp, &listener, 0), tcp);
    must(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), "port");
    printf("event=ready tcp://127.0.0.1:%d\n", port);
    fflush(stdout);
    for (;;) {
        pause();
    }
}

// ---- Client --------------------------------------------------------------------------------------

struct client_context {
    struct nng_client *client;
    nng_ctx ctx;
    nng_aio *aio;
    bool receives;
    double began;
    struct samples latency;
    uint64_t answers, bytes;
};

struct nng_client {
    nng_socket socket;
    struct client_context contexts[CONTEXTS];
    struct load *load;
    double until;
    atomic_uint_fast64_t number;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned running;
};

static void client_ask(struct client_context *context, double now)
{
    const struct question *question = context->client->load->question;
    nng_msg *msg;
    must(nng_msg_alloc(&msg, question->bytes.len), "message");
    memcpy(nng_msg_body(msg), question->bytes.at, question->bytes.len);
    question_number(question, nng_msg_body(msg), atomic_fetch_add(&context->client->number, 1));
    context->receives = false;
    context->began = now;
    nng_aio_set_msg(context->aio, msg);
    nng_ctx_send(context->ctx, context->aio);
}

static void client_end(struct nng_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->running--;
    pthread_cond_signal(&client->ended);
    pthread_mutex_unlock(&client->lock);
}

static void client_step(void *user)
{
    struct client_context *context = user;
    struct nng_client *client = context->client;
    must(nng_aio_result(context->aio), "question");
    if (!context->receives) {
        context->receives = true;
        nng_ctx_recv(context->ctx, context->aio);
        return;
    }
    nng_msg *msg = nng_aio_get_msg(context->aio);
    double now = bench_now_ns();
    context->answers++;
    context->bytes += nng_msg_len(msg);
    nng_msg_free(msg);
    if (client->load->latency != NULL) {
        samples_add(&context->latency, now - context->began);
    }
    if (now >= client->until) {
        client_end(client);
    } else {
        client_ask(context, now);
    }
}

struct nng_client *nng_client_open(const char *url)
{
    struct nng_client *client = calloc(1, sizeof *client);
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->ended, NULL);
    must(nng_req0_open(&client->socket), "socket");
    must(nng_dial(client->socket, url, NULL, 0), url);
    for (size_t i = 0; i < CONTEXTS; i++) {
        client->contexts[i].client = client;
        must(nng_ctx_open(&client->contexts[i].ctx, client->socket), "context");
        must(nng_aio_alloc(&client->contexts[i].aio, client_step, &client->contexts[i]), "aio");
    }
    return client;
}

void nng_client_close(struct nng_client *client)
{
    nng_close(client->socket);
    for (size_t i = 0; i < CONTEXTS; i++) {
        nng_aio_free(client->contexts[i].aio);
        samples_free(&client->contexts[i].latency);
    }
    pthread_cond_destroy(&client->ended);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

void nng_client_load(struct nng_client *client, struct load *load)
{
    double began = bench_now_ns();
    client->load = load;
    client->until = began + load->seconds * 1e9;
    client->running = load->depth;
    atomic_store(&client->number, load->number);
    for (unsigned i = 0; i < load->depth; i++) {
        struct client_context *context = &client->contexts[i];
        context->answers = context->bytes = 0;
        samples_clear(&context->latency);
        client_ask(context, began);
    }
    pthread_mutex_lock(&client->lock);
    while (client->running > 0) {
        pthread_cond_wait(&client->ended, &client->lock);
    }
    pthread_mutex_unlock(&client->lock);
    load->took_ns = bench_now_ns() - began;
    load->number = atomic_load(&client->number);
    load->answers = load->bytes = 0;
    for (unsigned i = 0; i < load->depth; i++) {
        const struct client_context *context = &client->contexts[i];
        load->answers += context->answers;
        load->bytes += context->bytes;
        for (size_t k = 0; load->latency != NULL && k < context->latency.count; k++) {
            samples_add(load->latency, context->latency.at[k]);
        }
    }
}
