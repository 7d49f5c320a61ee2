// SPDX-License-Identifier: Apache-2.0
// What the log says of policies that were read and of the start.
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

#include <unistd.h>

static void log_facts(struct log_line *line, const struct compiled *compiled)
{
    log_text(line, "snapshot", compiled->digest);
    log_int(line, "policies", compiled->facts.policies);
    log_int(line, "rules", compiled->facts.rules);
    log_int(line, "lists", compiled->facts.lists);
    log_int(line, "geo", compiled->facts.geo_databases);
    log_int(line, "took_ms", compiled->took_ms);
}

static void log_lists(struct log_line *line, const struct compiled *compiled)
{
    if (compiled->lists) {
        log_text(line, "list", compiled->list[0] != '\0' ? compiled->list : "*");
    }
}

void server_say_refused(const struct compiled *compiled, uint64_t serving)
{
    server_bundle_refused(compiled, serving);
    for (size_t i = 0; i < compiled->fault_count; i++) {
        const struct compile_fault *fault = &compiled->faults[i];
        struct log_line line;
        log_begin(&line, LOG_LEVEL_ERROR, compiled->lists ? "list_refused" : "policy_refused");
        log_text(&line, "file", fault->file);
        log_int(&line, "line", fault->line);
        log_text(&line, "err", pdp_err_name(fault->err));
        log_text(&line, "message", fault->message);
        log_int(&line, "serving_generation", (int64_t)serving);
        log_end(&line);
    }
    struct log_line line;
    log_begin(&line, LOG_LEVEL_ERROR, "reload_failed");
    log_lists(&line, compiled);
    log_text(&line, "error", compiled->error);
    log_int(&line, "errors", (int64_t)compiled->errors);
    log_int(&line, "serving_generation", (int64_t)serving);
    log_end(&line);
}

void server_say_reloaded(const struct server *server, const struct compiled *compiled)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, compiled->lists ? "lists_reloaded" : "reloaded");
    log_lists(&line, compiled);
    log_int(&line, "generation", (int64_t)engine_policy_epoch(server->engine));
    log_facts(&line, compiled);
    log_end(&line);
}

static void log_metrics(const struct server *server, struct log_line *line)
{
    struct buf url = {0};
    if (server->http != NULL) { // `tcp://` is what it stands on
        url_print(&server->metrics.spec.url, &url);
        log_str(line, "metrics", str_sub(buf_view(&url), 6, url.len));
    }
    buf_fini(&url);
}

static void log_adapter(void *line, const char *kind, struct listener *listener)
{
    AUTO(buf_fini) struct buf url = {0};
    AUTO(buf_fini) struct buf shown = {0};
    url_print(&listener->spec.url, &url);
    struct str text = str_sub(buf_view(&url), 6, url.len);
    buf_printf(&shown, "%s" STR_FMT, listener->spec.url.transport == SP_IPC ? "unix:" : "", STR_ARG(text));
    log_str(line, kind, buf_view(&shown));
}

void server_say_ready(struct server *server, const struct compiled *compiled)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "ready");
    log_text(&line, "version", PDP_VERSION);
    log_int(&line, "pid", getpid());
    log_int(&line, "workers", (int64_t)server->worker_count);
    for (size_t i = 0; i < server->listener_count; i++) {
        log_str(&line, server_endpoint_of(server, i), server->listeners[i]);
    }
    server_adapters_each(server, log_adapter, &line);
    log_metrics(server, &line);
    log_facts(&line, compiled);
    log_end(&line);
}
