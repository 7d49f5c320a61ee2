// SPDX-License-Identifier: Apache-2.0
#include "node/orders.h"

#include "base/num.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    GATEWAYS_MOST = 20000,
    LATE_BEATS = 3
};

static const int64_t TAKE_MOST_MS = 60000; // what is settled, and not taken by then, is forgotten

struct gateway {
    char name[NOTICE_NAME_MAX + 1], peer[NODE_NAME_MAX + 1];
    uint64_t conn; // 0: vanished
    int64_t heard_ms;
};

struct awaited {
    uint64_t conn;
    struct order_gateway gateway;
};

enum stage {
    STAGE_FREE,
    STAGE_GIVEN,
    STAGE_SENT,
    STAGE_SETTLED
};

struct given {
    enum stage stage;
    uint32_t number;
    int64_t given_ms, until_ms, took_ms;
    struct buf bytes; // the order as it is sent
    struct awaited *awaited;
    size_t count, open;
};

struct orders {
    struct orders_config config;
    pthread_mutex_t lock; // of all below
    struct gateway *gateways;
    size_t gateway_count, gateway_cap;
    struct given given[ORDERS_OPEN_MAX];
    uint32_t number;
    struct orders_stats stats; // but for those of now
    int64_t beat_ms;
    struct arena arena; // of one confirmation; the node's thread
    struct buf beat;    // likewise
};

enum pdp_err orders_new(const struct orders_config *config, struct orders **out)
{
    *out = NULL;
    struct orders *made = calloc(1, sizeof *made);
    if (made == NULL || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return PDP_ERR_NOMEM;
    }
    made->config = *config;
    made->beat_ms = INT64_MIN;
    arena_init(&made->arena, 4096, 1 << 20);
    *out = made;
    return PDP_ERR_OK;
}

static void given_clear(struct given *given)
{
    buf_fini(&given->bytes);
    free(given->awaited);
    *given = (struct given){0};
}

void orders_free(struct orders **orders)
{
    struct orders *o = STEAL(*orders);
    if (o == NULL) {
        return;
    }
    for (size_t i = 0; i < ORDERS_OPEN_MAX; i++) {
        given_clear(&o->given[i]);
    }
    pthread_mutex_destroy(&o->lock);
    arena_fini(&o->arena);
    buf_fini(&o->beat);
    free(o->gateways);
    free(o);
}

// ---- The register. With the lock. --------------------------------------------------------------------

static struct gateway *gateway_of(struct orders *orders, uint64_t conn)
{
    for (size_t i = 0; i < orders->gateway_count; i++) {
        if (orders->gateways[i].conn == conn) {
            return &orders->gateways[i];
        }
    }
    return NULL;
}

static void gateway_drop(struct orders *orders, size_t at)
{
    orders->gateways[at] = orders->gateways[--orders->gateway_count];
}

// Forgets who vanished too long ago.
static void forget_gone(struct orders *orders, int64_t now_ms)
{
    for (size_t i = orders->gateway_count; i > 0; i--) {
        const struct gateway *gateway = &orders->gateways[i - 1];
        if (gateway->conn == 0 && num_sub_sat(now_ms, gateway->heard_ms) > orders->config.gone_ms) {
            gateway_drop(orders, i - 1);
        }
    }
}

// One that comes back is not gone any more.
static void forget_name(struct orders *orders, const char *name)
{
    for (size_t i = orders->gateway_count; i > 0; i--) {
        const struct gateway *gateway = &orders->gateways[i - 1];
        if (gateway->conn == 0 && strcmp(gateway->name, name) == 0) {
            gateway_drop(orders, i - 1);
        }
    }
}

static struct gateway *gateway_add(struct orders *orders)
{
    if (orders->gateway_count == orders->gateway_cap) {
        size_t cap = orders->gateway_cap == 0 ? 64 : orders->gateway_cap * 2;
        struct gateway *grown = cap <= GATEWAYS_MOST ? realloc(orders->gateways, cap * sizeof *grown) : NULL;
        if (grown == NULL) {
            return NULL;
        }
        orders->gateways = grown;
        orders->gateway_cap = cap;
    }
    struct gateway *gateway = &orders->gateways[orders->gateway_count++];
    *gateway = (struct gateway){0};
    return gateway;
}

static struct order_gateway describe(const struct gateway *gateway, int64_t now_ms)
{
    struct order_gateway out = {.state = gateway->conn != 0 ? ORDER_SILENT : ORDER_GONE,
                                .ms = num_max(0, num_sub_sat(now_ms, gateway->heard_ms))};
    memcpy(out.name, gateway->name, sizeof out.name);
    memcpy(out.peer, gateway->peer, sizeof out.peer);
    return out;
}

// ---- Orders. With the lock. --------------------------------------------------------------------------

static void settle(struct orders *orders, struct given *given, int64_t now_ms)
{
    given->took_ms = given->open != 0 ? num_max(0, now_ms - given->given_ms) : 0;
    for (size_t i = 0; given->open == 0 && i < given->count; i++) {
        bool confirmed = given->awaited[i].gateway.state == ORDER_CONFIRMED;
        given->took_ms = num_max(given->took_ms, confirmed ? given->awaited[i].gateway.ms : 0);
    }
    for (size_t i = 0; i < given->count; i++) {
        orders->stats.silent += given->awaited[i].gateway.state == ORDER_SILENT;
    }
    given->stage = STAGE_SETTLED;
    orders->config.settled(orders->config.user);
}

// What became of one gateway's part; the last of them settles the order.
static void part(struct orders *orders, struct given *given, uint64_t conn, enum order_state state,
                 int64_t now_ms)
{
    for (size_t i = 0; given->stage == STAGE_SENT && i < given->count; i++) {
        struct awaited *awaited = &given->awaited[i];
        if (awaited->conn != conn || awaited->gateway.state != ORDER_SILENT) {
            continue;
        }
        awaited->gateway.state = state;
        awaited->gateway.ms = state == ORDER_CONFIRMED ? num_max(0, now_ms - given->given_ms) : 0;
        orders->stats.confirmed += state == ORDER_CONFIRMED;
        orders->stats.confirm_ms += (double)awaited->gateway.ms;
        if (--given->open == 0) {
            settle(orders, given, now_ms);
        }
        return;
    }
}

// Who is asked, and who cannot be. false: memory is out.
static bool muster(struct orders *orders, struct given *given, int64_t now_ms)
{
    given->awaited = calloc(orders->gateway_count + 1, sizeof *given->awaited);
    if (given->awaited == NULL) {
        return false;
    }
    given->open = 0;
    given->count = orders->gateway_count;
    for (size_t i = 0; i < orders->gateway_count; i++) {
        given->awaited[i] =
            (struct awaited){orders->gateways[i].conn, describe(&orders->gateways[i], now_ms)};
        given->open += orders->gateways[i].conn != 0;
    }
    return true;
}

enum pdp_err orders_give(struct orders *orders, const struct str *refs, size_t count, bool everything,
                         int64_t wait_ms, struct node_now now, uint32_t *number)
{
    *number = 0;
    struct order order = {.everything = everything || count > NOTICE_REFS_MAX,
                          .refs = (struct str *)(uintptr_t)refs,
                          .now = {.notice = {.kind = NOTICE_HEARTBEAT, .at_ms = now.wall_ms},
                                  .boot = orders->config.boot,
                                  .interval_ms = orders->config.interval_ms}};
    order.ref_count = order.everything ? 0 : count;
    if (orders->config.notices != NULL) {
        order.now.notice = notices_now(orders->config.notices, now.wall_ms);
    }
    enum pdp_err err = PDP_ERR_BUSY;
    pthread_mutex_lock(&orders->lock);
    for (size_t i = 0; err == PDP_ERR_BUSY && i < ORDERS_OPEN_MAX; i++) {
        struct given *given = &orders->given[i];
        if (given->stage == STAGE_SETTLED && num_sub_sat(now.steady_ms, given->until_ms) > TAKE_MOST_MS) {
            given_clear(given);
        }
        if (given->stage != STAGE_FREE) {
            continue;
        }
        orders->number = orders->number % INT32_MAX + 1;
        order.number = orders->number;
        order_write(&order, &given->bytes);
        err = given->bytes.failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
        if (err != PDP_ERR_OK) {
            given_clear(given);
            break;
        }
        orders->stats.given++;
        given->stage = STAGE_GIVEN;
        given->number = *number = order.number;
        given->given_ms = now.steady_ms;
        given->until_ms = num_add_sat(now.steady_ms, wait_ms);
    }
    pthread_mutex_unlock(&orders->lock);
    if (err == PDP_ERR_OK) {
        orders->config.wake(orders->config.user);
    }
    return err;
}

// ---- The node's thread -------------------------------------------------------------------------------

static struct str survey(uint32_t number, unsigned char hops[static SP_SURVEY_BYTES])
{
    sp_survey_write(number, hops);
    return (struct str){(const char *)hops, SP_SURVEY_BYTES};
}

static struct str beat(struct orders *orders, int64_t now_ms)
{
    struct order order = {.now = {.notice = {.kind = NOTICE_HEARTBEAT, .at_ms = now_ms},
                                  .boot = orders->config.boot,
                                  .interval_ms = orders->config.interval_ms}};
    if (orders->config.notices != NULL) {
        order.now.notice = notices_now(orders->config.notices, now_ms);
    }
    buf_clear(&orders->beat);
    order_write(&order, &orders->beat);
    return orders->beat.failed ? (struct str){0} : buf_view(&orders->beat);
}

static void on_opened(void *user, struct node *node, uint64_t id, const struct peer *peer,
                      struct node_now now)
{
    struct orders *orders = user;
    pthread_mutex_lock(&orders->lock);
    struct gateway *gateway = gateway_add(orders);
    if (gateway != NULL) {
        size_t len = peer->name.len < NODE_NAME_MAX ? peer->name.len : NODE_NAME_MAX;
        gateway->conn = id;
        gateway->heard_ms = now.steady_ms;
        memcpy(gateway->peer, peer->name.at, len);
    }
    pthread_mutex_unlock(&orders->lock);
    unsigned char hops[SP_SURVEY_BYTES];
    struct str bytes = beat(orders, now.wall_ms);
    if (bytes.len > 0) {
        (void)node_push(node, id, survey(0, hops), bytes, now);
    }
}

static void on_closed(void *user, uint64_t id)
{
    struct orders *orders = user;
    pthread_mutex_lock(&orders->lock);
    struct gateway *gateway = gateway_of(orders, id);
    for (size_t i = 0; i < ORDERS_OPEN_MAX; i++) {
        // What it was told before it went it may have done: it is not asked any more.
        part(orders, &orders->given[i], id, ORDER_GONE, orders->given[i].given_ms);
    }
    if (gateway != NULL && gateway->name[0] == '\0') {
        gateway_drop(orders, (size_t)(gateway - orders->gateways)); // nobody knows who that was
    } else if (gateway != NULL) {
        gateway->conn = 0;
    }
    pthread_mutex_unlock(&orders->lock);
}

static void on_heard(void *user, uint64_t id, struct str hops, struct str message, struct node_now now)
{
    struct orders *orders = user;
    struct confirmation said;
    arena_reset(&orders->arena);
    if (confirmation_read(message, &orders->arena, &said) != PDP_ERR_OK || said.boot != orders->config.boot ||
        said.number != sp_survey_number(hops)) {
        return; // who says nothing that can be understood is silent
    }
    pthread_mutex_lock(&orders->lock);
    struct gateway *gateway = gateway_of(orders, id);
    if (gateway != NULL) {
        char name[sizeof gateway->name] = "";
        memcpy(name, said.name.at, said.name.len);
        forget_name(orders, name);
        gateway = gateway_of(orders, id); // it may have moved
        memcpy(gateway->name, name, sizeof name);
        gateway->heard_ms = now.steady_ms;
    }
    for (size_t i = 0; said.number != 0 && gateway != NULL && i < ORDERS_OPEN_MAX; i++) {
        if (orders->given[i].number == said.number) {
            part(orders, &orders->given[i], id, ORDER_CONFIRMED, now.steady_ms);
        }
    }
    pthread_mutex_unlock(&orders->lock);
}

struct node_handler orders_handler(struct orders *orders)
{
    return (struct node_handler){.user = orders, .opened = on_opened, .heard = on_heard, .closed = on_closed};
}

// Takes an order that was given and not sent yet: its bytes, which stay with it. false: there is none.
static bool next_given(struct orders *orders, struct node_now now, uint32_t *number, struct str *bytes)
{
    bool found = false;
    pthread_mutex_lock(&orders->lock);
    forget_gone(orders, now.steady_ms);
    for (size_t i = 0; !found && i < ORDERS_OPEN_MAX; i++) {
        struct given *given = &orders->given[i];
        if (given->stage != STAGE_GIVEN) {
            continue;
        }
        found = true;
        *number = given->number;
        *bytes = buf_view(&given->bytes);
        given->stage = STAGE_SENT;
        if (!muster(orders, given, now.steady_ms) || given->open == 0) {
            settle(orders, given, given->given_ms);
        }
    }
    pthread_mutex_unlock(&orders->lock);
    return found;
}

// Settles what has waited long enough; returns when the next one has.
static int64_t expire(struct orders *orders, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    pthread_mutex_lock(&orders->lock);
    for (size_t i = 0; i < ORDERS_OPEN_MAX; i++) {
        struct given *given = &orders->given[i];
        if (given->stage == STAGE_SENT && given->until_ms <= now_ms) {
            settle(orders, given, now_ms);
        } else if (given->stage == STAGE_SENT) {
            due_ms = num_min(due_ms, given->until_ms);
        }
    }
    pthread_mutex_unlock(&orders->lock);
    return due_ms;
}

int64_t orders_tick(void *user, struct node *node, struct node_now now)
{
    struct orders *orders = user;
    unsigned char hops[SP_SURVEY_BYTES];
    uint32_t number = 0;
    struct str bytes;
    while (next_given(orders, now, &number, &bytes)) {
        struct buf copy = {0}; // the order may be settled, and taken, while it is sent
        buf_str(&copy, bytes);
        (void)node_push_all(node, survey(number, hops), buf_view(&copy), now);
        buf_fini(&copy);
    }
    if (now.steady_ms >= orders->beat_ms) {
        bytes = beat(orders, now.wall_ms);
        if (bytes.len > 0) {
            (void)node_push_all(node, survey(0, hops), bytes, now);
        }
        orders->beat_ms = num_add_sat(now.steady_ms, orders->config.interval_ms);
    }
    return num_min(orders->beat_ms, expire(orders, now.steady_ms));
}

// ---- Results -----------------------------------------------------------------------------------------

static void count_up(struct order_result *out)
{
    static const enum order_state ORDER[] = {ORDER_SILENT, ORDER_GONE, ORDER_CONFIRMED};
    size_t totals[3] = {0}, from = 0;
    for (size_t k = 0; k < COUNT_OF(ORDER); k++) { // moved to the front, group by group
        for (size_t i = from; i < out->count; i++) {
            if (out->gateways[i].state == ORDER[k]) {
                struct order_gateway swap = out->gateways[from];
                out->gateways[from++] = out->gateways[i];
                out->gateways[i] = swap;
                totals[k]++;
            }
        }
    }
    out->silent = totals[0];
    out->gone = totals[1];
    out->confirmed = totals[2];
}

bool orders_take(struct orders *orders, uint32_t number, struct order_result *out)
{
    *out = (struct order_result){0};
    bool found = false;
    pthread_mutex_lock(&orders->lock);
    for (size_t i = 0; !found && i < ORDERS_OPEN_MAX; i++) {
        struct given *given = &orders->given[i];
        if (given->stage != STAGE_SETTLED || given->number != number) {
            continue;
        }
        found = true;
        out->took_ms = given->took_ms;
        out->gateways = calloc(given->count + 1, sizeof *out->gateways);
        out->count = out->gateways != NULL ? given->count : 0;
        for (size_t k = 0; k < out->count; k++) {
            out->gateways[k] = given->awaited[k].gateway;
        }
        given_clear(given);
    }
    pthread_mutex_unlock(&orders->lock);
    count_up(out);
    return found;
}

bool orders_known(struct orders *orders, uint32_t number)
{
    bool known = false;
    pthread_mutex_lock(&orders->lock);
    for (size_t i = 0; i < ORDERS_OPEN_MAX; i++) {
        known = known || (orders->given[i].stage != STAGE_FREE && orders->given[i].number == number);
    }
    pthread_mutex_unlock(&orders->lock);
    return known;
}

enum pdp_err orders_register(struct orders *orders, struct node_now now, struct order_result *out)
{
    *out = (struct order_result){0};
    pthread_mutex_lock(&orders->lock);
    out->gateways = calloc(orders->gateway_count + 1, sizeof *out->gateways);
    out->count = out->gateways != NULL ? orders->gateway_count : 0;
    for (size_t i = 0; i < out->count; i++) {
        out->gateways[i] = describe(&orders->gateways[i], now.steady_ms);
    }
    pthread_mutex_unlock(&orders->lock);
    if (out->gateways == NULL) {
        return PDP_ERR_NOMEM;
    }
    count_up(out);
    return PDP_ERR_OK;
}

void orders_stats(struct orders *orders, int64_t now_ms, struct orders_stats *out)
{
    const int64_t late_ms = LATE_BEATS * orders->config.interval_ms;
    pthread_mutex_lock(&orders->lock);
    *out = orders->stats;
    for (size_t i = 0; i < orders->gateway_count; i++) {
        const struct gateway *gateway = &orders->gateways[i];
        bool late = num_sub_sat(now_ms, gateway->heard_ms) > late_ms;
        bool lately = num_sub_sat(now_ms, gateway->heard_ms) <= orders->config.gone_ms;
        out->connected += gateway->conn != 0;
        out->late += gateway->conn != 0 && late;
        out->gone += gateway->conn == 0 && lately;
    }
    pthread_mutex_unlock(&orders->lock);
}

void order_result_fini(struct order_result *result)
{
    free(result->gateways);
    *result = (struct order_result){0};
}
