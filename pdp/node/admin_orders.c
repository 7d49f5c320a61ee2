// SPDX-License-Identifier: Apache-2.0
// Orders to gateways, as analysts give them: an operation that makes kept answers void gives one, and its
// answer carries the number; `order.wait` then tells who has confirmed.
#include "node/admin_ops.h"

#include "base/num.h"

static const int64_t WAIT_MOST_MS = 60000;

const char *const ADMIN_WAIT_WRONG = "`wait` is a number of milliseconds from 1 to 60000";

bool admin_wait_right(const struct admin_call *call)
{
    const struct value *wait = value_get(call->root, STR("wait"));
    return wait == NULL || wait->kind == VALUE_NULL ||
           (wait->kind == VALUE_INT && wait->as.i >= 1 && wait->as.i <= WAIT_MOST_MS);
}

int64_t admin_wait_of(const struct admin_call *call)
{
    const struct value *wait = value_get(call->root, STR("wait"));
    return wait != NULL && wait->kind == VALUE_INT ? wait->as.i : 0;
}

static void give(struct orders *orders, struct emit *emit, const struct str *refs, size_t count,
                 bool everything, int64_t wait_ms, struct node_now now)
{
    uint32_t number = 0;
    if (wait_ms <= 0) {
        return;
    }
    enum pdp_err err = orders != NULL ? orders_give(orders, refs, count, everything, wait_ms, now, &number)
                                      : PDP_ERR_UNSUPPORTED;
    emit_key(emit, STR("order"));
    if (err == PDP_ERR_OK) {
        emit_int(emit, number);
        return;
    }
    emit_null(emit);
    emit_key_str(emit, "order_error",
                 orders == NULL ? STR("no gateway can be asked: pdpd listens on no `--orders`")
                                : STR("too many orders wait for gateways: ask again"));
}

void admin_order(struct admin_call *call, const struct str *refs, size_t count, bool everything)
{
    give(call->admin->host.orders, call->emit, refs, count, everything, admin_wait_of(call),
         node_asking_now(call->asking));
}

void admin_order_all(struct admin *admin, struct emit *emit, int64_t wait_ms, struct node_now now)
{
    give(admin->host.orders, emit, NULL, 0, true, wait_ms, now);
}

// ---- Who is there, and what they did -----------------------------------------------------------------

static struct str c_text(const char *text, size_t size)
{
    return (struct str){text, strnlen(text, size)};
}

static void put_group(struct emit *emit, const char *key, const struct order_result *result, size_t from,
                      size_t count)
{
    emit_key(emit, str_of(key));
    emit_list(emit, count);
    for (size_t i = from; i < from + count; i++) {
        const struct order_gateway *gateway = &result->gateways[i];
        struct str name = c_text(gateway->name, sizeof gateway->name);
        emit_map(emit, 3);
        emit_key_str(emit, "name", name.len > 0 ? name : STR("(unnamed)"));
        emit_key_str(emit, "peer", c_text(gateway->peer, sizeof gateway->peer));
        emit_key_int(emit, "ms", gateway->ms);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_result(struct emit *emit, const struct order_result *result)
{
    emit_map(emit, EMIT_FEW);
    emit_key_bool(emit, "ok", true);
    emit_key_int(emit, "took_ms", result->took_ms);
    put_group(emit, "silent", result, 0, result->silent);
    put_group(emit, "gone", result, result->silent, result->gone);
    put_group(emit, "confirmed", result, result->silent + result->gone, result->confirmed);
    emit_end(emit);
}

void admin_gateways(struct admin_call *call)
{
    struct orders *orders = call->admin->host.orders;
    struct order_result result = {0};
    if (orders == NULL) {
        admin_fail(call->emit, "no gateway can be asked: pdpd listens on no `--orders`");
    } else if (orders_register(orders, node_asking_now(call->asking), &result) != PDP_ERR_OK) {
        admin_fail(call->emit, "out of memory");
    } else {
        emit_map(call->emit, EMIT_FEW);
        emit_key_bool(call->emit, "ok", true);
        put_group(call->emit, "connected", &result, 0, result.silent);
        put_group(call->emit, "gone", &result, result.silent, result.gone);
        emit_end(call->emit);
    }
    order_result_fini(&result);
}

// ---- order.wait ----------------------------------------------------------------------------------------

void admin_order_wait(struct admin_call *call)
{
    struct admin *admin = call->admin;
    const struct value *order = value_get(call->root, STR("order"));
    if (admin->host.orders == NULL || order == NULL || order->kind != VALUE_INT || order->as.i < 1 ||
        order->as.i > INT32_MAX) {
        admin_fail(call->emit, "`order` is the number that an operation with `wait` answered");
        return;
    }
    struct admin_waiting *place = NULL;
    for (size_t i = 0; i < ADMIN_WAITING && place == NULL; i++) {
        place = admin->orders[i].number == 0 ? &admin->orders[i] : NULL;
    }
    if (!orders_known(admin->host.orders, (uint32_t)order->as.i)) {
        admin_fail(call->emit, "this order is not known, or was waited for already");
        return;
    }
    struct node_ticket ticket;
    if (place == NULL || node_park(call->asking, &ticket) != PDP_ERR_OK) {
        admin_fail(call->emit, "too many wait for gateways");
        return;
    }
    *place = (struct admin_waiting){ticket, call->emit->form, (uint64_t)order->as.i, false};
    call->outcome = NODE_PARKED;
    admin->host.order_wake(admin->host.user); // it may be settled already
}

static bool answer_settled(struct admin *admin, struct node *node, struct admin_waiting *place,
                           struct node_now now)
{
    struct order_result result;
    if (!orders_take(admin->host.orders, (uint32_t)place->number, &result)) {
        return false;
    }
    struct buf answer = {0};
    struct emit emit;
    emit_init(&emit, place->form, &answer);
    put_result(&emit, &result);
    (void)node_complete(node, place->ticket, buf_view(&answer), now);
    buf_fini(&answer);
    order_result_fini(&result);
    return true;
}

void admin_orders_settled(struct admin *admin, struct node *node, struct node_now now)
{
    for (size_t i = 0; admin->host.orders != NULL && i < ADMIN_WAITING; i++) {
        struct admin_waiting *place = &admin->orders[i];
        if (place->number != 0 && answer_settled(admin, node, place, now)) {
            *place = (struct admin_waiting){0};
        }
    }
}
