// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/sink.h"

#include "base/ring.h"
#include "base/time.h"
#include "daemon/log.h"
#include "wire/wire.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    QUEUE_BYTES = 8 * 1024 * 1024,
    RECORD_MOST = 256 * 1024,
    SEND_TIMEOUT_S = 5,
    AGAIN_MS = 500, // between two tries to connect
    LAST_MS = 2000, // for what is queued when we stop
    IDLE_MS = 10,
    FACILITY_AUDIT = 13
};
static const size_t NAME_MOST = 255;

struct sink {
    struct config_syslog config;
    struct ring *ring;
    atomic_ullong lost;
    atomic_bool stop;
    pthread_t thread;
    bool runs;
    // The thread's own.
    SSL_CTX *tls;
    SSL *link;
    int fd;
    struct arena arena;
    struct buf text, message;
    char host[256];
    bool said; // that there is no link
};

// ---- The queue -----------------------------------------------------------------------------------------

bool sink_full(struct sink *sink)
{
    return sink != NULL && !ring_fits(sink->ring, RECORD_MOST);
}

void sink_push(struct sink *sink, struct str record)
{
    if (sink != NULL && !ring_put(sink->ring, &record, 1)) {
        atomic_fetch_add_explicit(&sink->lost, 1, memory_order_relaxed);
    }
}

uint64_t sink_lost(struct sink *sink)
{
    return sink != NULL ? atomic_load_explicit(&sink->lost, memory_order_relaxed) : 0;
}

// ---- Messages (RFC 5424) -------------------------------------------------------------------------------

static struct str field(const struct value *record, const char *key)
{
    const struct value *value = value_get(record, str_of(key));
    return value != NULL && value->kind == VALUE_STRING ? value_text(value) : (struct str){0};
}

static int severity(struct str effect)
{
    static const struct {
        struct str effect;
        int severity;
    } OF[] = {{{"allow", 5}, 6}, {{"step_up", 7}, 5}, {{"deny", 4}, 4}, {{"terminate", 9}, 3}};
    for (size_t i = 0; i < COUNT_OF(OF); i++) {
        if (str_eq(OF[i].effect, effect)) {
            return OF[i].severity;
        }
    }
    return 6;
}

// Printable ASCII of at most `most` bytes; `-` where there is nothing.
static void put_name(struct buf *out, struct str name, size_t most)
{
    size_t before = out->len;
    for (size_t i = 0; i < name.len && out->len - before < most; i++) {
        if (name.at[i] > ' ' && name.at[i] < 0x7f) {
            buf_byte(out, (unsigned char)name.at[i]);
        }
    }
    if (out->len == before) {
        buf_byte(out, '-');
    }
}

static void put_param(struct buf *out, const char *name, struct str value)
{
    if (value.len == 0) {
        return;
    }
    buf_printf(out, " %s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '"' || value.at[i] == '\\' || value.at[i] == ']') {
            buf_byte(out, '\\');
        }
        buf_byte(out, (unsigned char)value.at[i]);
    }
    buf_byte(out, '"');
}

static void put_message(struct sink *sink, const struct value *record, struct buf *out)
{
    static const char *const PARAMS[] = {"id", "effect", "code", "rule", "gateway", "tenant", "by", "op"};
    const struct value *time = value_get(record, STR("time"));
    int64_t at_ms = time != NULL && time->kind == VALUE_INT ? time->as.i : 0;
    struct value at = value_time_ms(at_ms);
    struct emit emit;
    buf_printf(out, "<%d>1 ", FACILITY_AUDIT * 8 + severity(field(record, "effect")));
    time_print(out, at.as.i, at.n);
    buf_byte(out, ' ');
    put_name(out, str_of(sink->host), NAME_MOST);
    buf_printf(out, " pdpd %d ", (int)getpid());
    put_name(out, field(record, "kind"), 32);
    buf_str(out, STR(" [pdp@32473"));
    for (size_t i = 0; i < COUNT_OF(PARAMS); i++) {
        put_param(out, PARAMS[i], field(record, PARAMS[i]));
    }
    buf_str(out, STR("] \xef\xbb\xbf"));
    emit_init(&emit, WIRE_JSON, out);
    emit_value(&emit, record);
}

// Counted (RFC 5425): `LEN SP MSG`.
static bool make_message(struct sink *sink, struct str cbor)
{
    struct value record;
    struct fault why;
    arena_reset(&sink->arena);
    buf_clear(&sink->text);
    buf_clear(&sink->message);
    if (wire_decode_most(WIRE_CBOR, cbor, RECORD_MOST, &sink->arena, &record, &why) != PDP_ERR_OK) {
        return false;
    }
    put_message(sink, &record, &sink->text);
    buf_printf(&sink->message, "%zu ", sink->text.len);
    buf_str(&sink->message, buf_view(&sink->text));
    return !sink->text.failed && !sink->message.failed;
}

// ---- The link --------------------------------------------------------------------------------------------

static void hang_up(struct sink *sink)
{
    SSL_free(sink->link);
    sink->link = NULL;
    if (sink->fd >= 0) {
        close(sink->fd);
    }
    sink->fd = -1;
    ERR_clear_error();
}

static int connect_to(const struct addrinfo *address)
{
    const struct timeval patience = {.tv_sec = SEND_TIMEOUT_S};
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int dial(const struct config_syslog *config)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[16];
    int fd = -1;
    snprintf(port, sizeof port, "%d", config->port);
    if (getaddrinfo(config->host, port, &hints, &found) != 0) {
        return -1;
    }
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = connect_to(at);
    }
    freeaddrinfo(found);
    return fd;
}

// Its certificate must be good, and for this name or address.
static bool expect_name(SSL *link, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(link);
    return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ||
           (SSL_set1_host(link, host) == 1 && SSL_set_tlsext_host_name(link, host) == 1);
}

static bool link_up(struct sink *sink)
{
    if (sink->link != NULL) {
        return true;
    }
    sink->fd = dial(&sink->config);
    sink->link = sink->fd >= 0 ? SSL_new(sink->tls) : NULL;
    bool up = sink->link != NULL && expect_name(sink->link, sink->config.host) &&
              SSL_set_fd(sink->link, sink->fd) == 1 && SSL_connect(sink->link) == 1;
    if (up != !sink->said) {
        const char *why = sink->fd < 0 ? "no connection" : "no TLS, or a certificate that is not believed";
        log_one(up ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, up ? "syslog_connected" : "syslog_unreachable",
                up ? "server" : "error", up ? sink->config.host : why);
        sink->said = !up;
    }
    if (!up) {
        hang_up(sink);
    }
    return up;
}

// A server that has closed its side, which writing would not show at once.
static bool is_gone(const struct sink *sink)
{
    struct pollfd look = {.fd = sink->fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) != 0;
}

// All of it, or the link is gone.
static bool send_all(struct sink *sink, struct str bytes)
{
    if (is_gone(sink)) {
        return false;
    }
    while (bytes.len > 0) {
        int put = SSL_write(sink->link, bytes.at, bytes.len < INT32_MAX ? (int)bytes.len : INT32_MAX);
        if (put <= 0) {
            return false;
        }
        bytes = str_sub(bytes, (size_t)put, SIZE_MAX);
    }
    return !is_gone(sink);
}

// ---- The thread
// --------------------------------------------------------------------------------------------

static void nap(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int64_t steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// true: the oldest is gone, one way or the other.
static bool send_one(struct sink *sink, struct str record)
{
    if (!make_message(sink, record)) {
        sink->text.failed = sink->message.failed = false;
        atomic_fetch_add_explicit(&sink->lost, 1, memory_order_relaxed);
        return true;
    }
    if (!link_up(sink)) {
        return false;
    }
    if (!send_all(sink, buf_view(&sink->message))) {
        hang_up(sink); // it is sent again by another link
        return false;
    }
    return true;
}

static void *run(void *user)
{
    struct sink *sink = user;
    int64_t until_ms = INT64_MAX;
    for (;;) {
        struct str record;
        bool stop = atomic_load(&sink->stop), some = ring_peek(sink->ring, &record);
        until_ms = stop && until_ms == INT64_MAX ? steady_ms() + LAST_MS : until_ms;
        if (stop && (!some || steady_ms() >= until_ms)) {
            return NULL;
        }
        if (!some) {
            nap(IDLE_MS);
        } else if (send_one(sink, record)) {
            ring_drop(sink->ring);
        } else {
            nap(stop ? IDLE_MS : AGAIN_MS);
        }
    }
}

// ---- Set-up
// ------------------------------------------------------------------------------------------------

static enum pdp_err set_up_tls(struct sink *sink, char *why)
{
    const struct config_syslog *config = &sink->config;
    sink->tls = SSL_CTX_new(TLS_client_method());
    if (sink->tls == NULL || SSL_CTX_set_min_proto_version(sink->tls, TLS1_2_VERSION) != 1) {
        snprintf(why, 300, "TLS cannot be used");
        return PDP_ERR_UNSUPPORTED;
    }
    SSL_CTX_set_verify(sink->tls, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(sink->tls, config->ca, NULL) != 1) {
        snprintf(why, 300, "`%.200s` holds no certificates", config->ca);
        return PDP_ERR_IO;
    }
    if (config->cert != NULL &&
        (SSL_CTX_use_certificate_chain_file(sink->tls, config->cert) != 1 ||
         SSL_CTX_use_PrivateKey_file(sink->tls, config->key, SSL_FILETYPE_PEM) != 1)) {
        snprintf(why, 300, "`%.100s` and `%.100s` are no certificate and its key", config->cert, config->key);
        return PDP_ERR_IO;
    }
    return PDP_ERR_OK;
}

enum pdp_err sink_open(const struct config_syslog *config, struct sink **out, char *why)
{
    *out = NULL;
    if (config->host == NULL) {
        return PDP_ERR_OK;
    }
    AUTO(sink_close) struct sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        return PDP_ERR_NOMEM;
    }
    sink->config = *config;
    sink->fd = -1;
    arena_init(&sink->arena, 0, 16 * 1024 * 1024);
    if (gethostname(sink->host, sizeof sink->host - 1) != 0) {
        sink->host[0] = '\0';
    }
    TRY(set_up_tls(sink, why));
    TRY(ring_new(QUEUE_BYTES, &sink->ring));
    sink->runs = pthread_create(&sink->thread, NULL, run, sink) == 0;
    if (!sink->runs) {
        return PDP_ERR_IO;
    }
    *out = STEAL(sink);
    return PDP_ERR_OK;
}

void sink_close(struct sink **sink_ptr)
{
    struct sink *sink = STEAL(*sink_ptr);
    if (sink == NULL) {
        return;
    }
    if (sink->runs) {
        atomic_store(&sink->stop, true);
        pthread_join(sink->thread, NULL);
    }
    if (sink->link != NULL) {
        (void)SSL_shutdown(sink->link);
    }
    hang_up(sink);
    SSL_CTX_free(sink->tls);
    ring_free(&sink->ring);
    arena_fini(&sink->arena);
    buf_fini(&sink->text);
    buf_fini(&sink->message);
    free(sink);
}
