// SPDX-License-Identifier: Apache-2.0
// A flow in nginx's loop: its descriptor is polled level-triggered, its deadline is a timer, and what was
// asked in one turn of the loop is written at the end of that turn.
#include "pdp_nginx.h"

static int64_t now_ms(void)
{
    return (int64_t)ngx_current_msec;
}

// ---- The descriptor
// --------------------------------------------------------------------------------------------

// The flow has closed its descriptor, so that the kernel has forgotten it already.
static void drop(struct pdp_link *link)
{
    ngx_connection_t *c = link->connection;
    if (c == NULL) {
        return;
    }
    link->connection = NULL;
    if (c->read->active) {
        (void)ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
    }
    if (c->write->active) {
        (void)ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
    }
    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }
    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }
    c->read->closed = 1;
    c->write->closed = 1;
    ngx_free_connection(c);
    c->fd = (ngx_socket_t)-1;
}

static void on_ready(ngx_event_t *event);

static void take(struct pdp_link *link, int fd)
{
    ngx_connection_t *c = ngx_get_connection(fd, ngx_cycle->log);
    if (c == NULL) {
        return; // no connection is free: tried again at the next step, and questions are denied meanwhile
    }
    c->data = link;
    c->read->handler = on_ready;
    c->write->handler = on_ready;
    c->read->log = c->log;
    c->write->log = c->log;
    link->connection = c;
}

static void poll_for(ngx_event_t *event, ngx_int_t kind, bool wanted)
{
    if (wanted && !event->active) {
        (void)ngx_add_event(event, kind, NGX_LEVEL_EVENT);
    } else if (!wanted && event->active) {
        (void)ngx_del_event(event, kind, 0);
    }
}

static void settle_fd(struct pdp_link *link)
{
    int fd = pdp_flow_fd(link->flow);
    unsigned wants = pdp_flow_wants(link->flow);
    if (fd < 0) {
        drop(link);
        return;
    }
    if (link->connection == NULL) {
        take(link, fd);
    }
    if (link->connection != NULL) {
        poll_for(link->connection->read, NGX_READ_EVENT, (wants & PDP_FLOW_READ) != 0);
        poll_for(link->connection->write, NGX_WRITE_EVENT, (wants & PDP_FLOW_WRITE) != 0);
    }
}

// ---- Time
// ------------------------------------------------------------------------------------------------------

// nginx moves a timer only where that changes more than 300 ms: one that is set to an earlier time stays and
// is set anew when it fires. A worker that ends waits for it only while a request does.
static void settle_timer(struct pdp_link *link)
{
    int64_t due = pdp_flow_due_ms(link->flow);
    link->timer.cancelable = link->waiting == 0;
    if (due == INT64_MAX) {
        if (link->timer.timer_set) {
            ngx_del_timer(&link->timer);
        }
        return;
    }
    int64_t wait = due - now_ms() > 0 ? due - now_ms() : 0;
    ngx_msec_t at = ngx_current_msec + (ngx_msec_t)wait;
    if (link->timer.timer_set && (ngx_msec_int_t)(link->timer.timer.key - at) <= 0) {
        return;
    }
    if (link->timer.timer_set) {
        ngx_del_timer(&link->timer);
    }
    ngx_add_timer(&link->timer, (ngx_msec_t)wait);
}

// ---- Steps
// -----------------------------------------------------------------------------------------------------

static void tell(const struct pdp_link *link, bool was)
{
    ngx_uint_t level = was ? NGX_LOG_WARN : NGX_LOG_NOTICE;
    if (was != pdp_flow_connected(link->flow)) {
        ngx_log_error(level, ngx_cycle->log, 0, "pdp: %V: %s", &link->url,
                      was ? "the connection is lost" : "connected");
    }
}

static void step(struct pdp_link *link, unsigned ready)
{
    if (link->closing || link->stepping) {
        return;
    }
    bool was = pdp_flow_connected(link->flow);
    link->stepping = 1;
    pdp_flow_step(link->flow, ready, now_ms());
    link->stepping = 0;
    tell(link, was);
    settle_fd(link);
    settle_timer(link);
}

static void on_ready(ngx_event_t *event)
{
    ngx_connection_t *c = event->data;
    unsigned end = event->error || event->pending_eof ? PDP_FLOW_READ | PDP_FLOW_WRITE : 0u;
    step(c->data, end | (event->write ? PDP_FLOW_WRITE : PDP_FLOW_READ));
}

static void on_due(ngx_event_t *event)
{
    step(event->data, 0);
}

void link_start(struct pdp_link *link)
{
    if (link->started || link->closing) {
        return;
    }
    link->started = 1;
    link->posted.handler = on_due;
    link->posted.data = link;
    link->posted.log = ngx_cycle->log;
    link->timer.handler = on_due;
    link->timer.data = link;
    link->timer.log = ngx_cycle->log;
    link->timer.cancelable = 1;
    ngx_post_event(&link->posted, &ngx_posted_events);
}

void link_close(struct pdp_link *link)
{
    link->closing = 1;
    if (link->timer.timer_set) {
        ngx_del_timer(&link->timer);
    }
    if (link->posted.posted) {
        ngx_delete_posted_event(&link->posted);
    }
    pdp_flow_close(&link->flow);
    drop(link);
}

enum pdp_err link_ask(struct pdp_link *link, size_t len, size_t count, pdp_answered answered, void *user,
                      uint64_t *ticket)
{
    *ticket = 0;
    if (link->closing) {
        return PDP_ERR_CLOSED;
    }
    link_start(link);
    enum pdp_err err = pdp_flow_ask_entries(link->flow, link->question, len, count, NULL, link->deadline_ms,
                                            now_ms(), answered, user, ticket);
    if (err == PDP_ERR_OK) {
        link->waiting++;
        link->timer.cancelable = 0;
        if (!link->stepping && !link->posted.posted) {
            ngx_post_event(&link->posted, &ngx_posted_events);
        }
    }
    return err;
}

void link_answered(struct pdp_link *link)
{
    link->waiting--;
}

void link_cancel(struct pdp_link *link, uint64_t ticket)
{
    if (!link->closing && pdp_flow_cancel(link->flow, ticket)) {
        link->waiting--;
        link->timer.cancelable = link->waiting == 0;
    }
}
