// SPDX-License-Identifier: Apache-2.0
// The agent as an adapter: its settings, its threads.
#include "common/settings.h"
#include "haproxy/agent.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    COMPLAIN_MS = 1000
};

// What an adapter's handle is to those who run it.
struct pdp_adapter {
    struct agent agent;
    int *listeners;
};

extern const struct pdp_adapter_kind pdp_spoe_adapter;

static const struct pdp_setting_about SETTINGS[] = {
    IDENTITY_SETTINGS,
    {"scope", "txn|req", false, "of the variables that are set; txn unless told"},
    {"deadline", "TIME", false,
     "until an answer; then it is a deny. Below HAProxy's `timeout processing`; 200ms"},
    {"async", "BOOL", false, "offer `async`; false"},
    {"max-frame-size", "BYTES", false, "of a frame, where HAProxy does not ask for less; 65536"},
    {"connections", "N", false, "at once, in all; 1024"},
    {"hello-timeout", "TIME", false, "until a hello, and until a frame that has begun, is whole; 5s"},
    {"idle-timeout", "TIME", false, "without a frame. Above HAProxy's `timeout idle`; 10m"},
    {"stall-timeout", "TIME", false, "that a connection may not read its answers; 5s"},
};

int64_t agent_clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void agent_complain(struct agent *agent, enum complaint what, const char *format, ...)
{
    static const struct {
        const char *event;
        enum pdp_log_level level;
    } ABOUT[] = {
#define X(name, event, level) {event, level},
        COMPLAINT_LIST(X)
#undef X
    };
    int64_t now_ms = agent_clock_ms(), told_ms = atomic_load(&agent->complaints[what].told_ms);
    bool due = told_ms == 0 || now_ms - told_ms >= COMPLAIN_MS;
    if (!due || !atomic_compare_exchange_strong(&agent->complaints[what].told_ms, &told_ms, now_ms)) {
        (void)atomic_fetch_add(&agent->complaints[what].kept, 1);
        return;
    }
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    unsigned long long kept = atomic_exchange(&agent->complaints[what].kept, 0);
    size_t len = strlen(text);
    if (kept > 0) {
        (void)snprintf(text + len, sizeof text - len, " (and %llu more before)", kept);
    }
    agent->log(agent->user, ABOUT[what].level, ABOUT[what].event, text);
}

// ---- Settings
// --------------------------------------------------------------------------------------------------

static enum pdp_err read_identity(const struct pdp_adapter_setup *setup, struct agent *agent,
                                  struct pdp_adapter_wrong *wrong)
{
    static const char *const LOOKS[] = {"session", "subject", "roles", "jwks"};
    struct notify_rules *rules = &agent->settings.notify;
    for (size_t i = 0; i < COUNT_OF(LOOKS); i++) {
        rules->needs_headers = rules->needs_headers || setting_text(setup, LOOKS[i]) != NULL;
    }
    enum pdp_err err = identity_new(setup, &agent->identity, wrong);
    rules->identity = agent->identity;
    return err;
}

static enum pdp_err read_scope(const struct pdp_adapter_setup *setup, struct agent_settings *settings,
                               struct pdp_adapter_wrong *wrong)
{
    // `sess` would outlive the request, and an allow with it.
    static const char *const NAMES[] = {"txn", "req", NULL};
    static const enum spop_scope SCOPES[] = {SPOP_SCOPE_TRANSACTION, SPOP_SCOPE_REQUEST};
    int which = 0;
    enum pdp_err err = setting_choice(setup, "scope", NAMES, &which, wrong);
    settings->scope = SCOPES[which];
    return err;
}

static enum pdp_err read_limits(const struct pdp_adapter_setup *setup, struct agent_settings *settings,
                                struct pdp_adapter_wrong *wrong)
{
    const struct {
        const char *name;
        int64_t least_ms, most_ms, *out;
    } SPANS[] = {
        {"deadline", 1, 60000, &settings->deadline_ms},
        {"hello-timeout", 100, 600000, &settings->hello_ms},
        {"idle-timeout", 1000, INT64_C(86400000), &settings->idle_ms},
        {"stall-timeout", 100, 600000, &settings->stall_ms},
    };
    for (size_t i = 0; i < COUNT_OF(SPANS); i++) {
        enum pdp_err err =
            setting_duration(setup, SPANS[i].name, SPANS[i].least_ms, SPANS[i].most_ms, SPANS[i].out, wrong);
        if (err != PDP_ERR_OK) {
            return err;
        }
    }
    int64_t frame = settings->peer.max_frame_size;
    enum pdp_err err = setting_number(setup, "max-frame-size", SPOP_FRAME_SIZE_MIN, 1 << 20, &frame, wrong);
    settings->peer.max_frame_size = (uint32_t)frame;
    if (err == PDP_ERR_OK) {
        err = setting_number(setup, "connections", 1, 100000, &settings->connections, wrong);
    }
    return err == PDP_ERR_OK ? setting_bool(setup, "async", &settings->peer.async, wrong) : err;
}

static enum pdp_err read_settings(const struct pdp_adapter_setup *setup, struct agent *agent,
                                  struct pdp_adapter_wrong *wrong)
{
    struct agent_settings *settings = &agent->settings;
    *settings = (struct agent_settings){.deadline_ms = 200,
                                        .hello_ms = 5000,
                                        .idle_ms = 600000,
                                        .stall_ms = 5000,
                                        .connections = 1024,
                                        .peer = {.max_frame_size = 65536}};
    enum pdp_err err = settings_check(SETTINGS, COUNT_OF(SETTINGS), setup, wrong);
    if (err == PDP_ERR_OK) {
        err = read_scope(setup, settings, wrong);
    }
    if (err == PDP_ERR_OK) {
        err = read_limits(setup, settings, wrong);
    }
    return err == PDP_ERR_OK ? read_identity(setup, agent, wrong) : err; // last: it may begin a thread
}

// ---- Beginning and end
// -----------------------------------------------------------------------------------------

static void spoe_close(struct pdp_adapter **adapter)
{
    struct pdp_adapter *one = *adapter;
    *adapter = NULL;
    if (one == NULL) {
        return;
    }
    struct agent *agent = &one->agent;
    for (unsigned i = 0; i < agent->loop_count; i++) {
        loop_stop(agent->loops[i]); // all of them first: they end side by side
    }
    for (unsigned i = 0; i < agent->loop_count; i++) {
        loop_join(agent->loops[i]);
    }
    for (unsigned i = 0; i < agent->loop_count; i++) {
        loop_free(&agent->loops[i]);
    }
    identity_free(&agent->identity);
    free(agent->loops);
    free(one->listeners);
    free(one);
}

static void spoe_reload(struct pdp_adapter *adapter)
{
    identity_reload(adapter->agent.identity);
}

static enum pdp_err start(struct agent *agent, unsigned threads)
{
    agent->loops = calloc(threads, sizeof(struct loop *));
    enum pdp_err err = agent->loops != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
    for (unsigned i = 0; i < threads && err == PDP_ERR_OK; i++) {
        err = loop_new(agent, &agent->loops[i]);
        agent->loop_count += err == PDP_ERR_OK;
    }
    for (unsigned i = 0; i < threads && err == PDP_ERR_OK; i++) {
        err = loop_start(agent->loops[i]);
    }
    return err;
}

// The list is ours, the sockets stay the caller's.
static enum pdp_err keep_listeners(const struct pdp_adapter_setup *setup, struct pdp_adapter *one)
{
    one->listeners = calloc(setup->listener_count + 1, sizeof *one->listeners);
    if (one->listeners == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < setup->listener_count; i++) {
        one->listeners[i] = setup->listeners[i];
    }
    one->agent.listeners = one->listeners;
    one->agent.listener_count = setup->listener_count;
    return PDP_ERR_OK;
}

static enum pdp_err open_all(const struct pdp_adapter_setup *setup, struct pdp_adapter *one,
                             struct pdp_adapter_wrong *wrong)
{
    struct agent *agent = &one->agent;
    agent->decider = setup->decider;
    agent->now_ms = setup->now_ms;
    agent->log = setup->log;
    agent->user = setup->user;
    enum pdp_err err = read_settings(setup, agent, wrong);
    if (err != PDP_ERR_OK) {
        return err;
    }
    err = keep_listeners(setup, one);
    if (err == PDP_ERR_OK) {
        err = start(agent, setup->threads > 0 ? setup->threads : 1);
    }
    return err == PDP_ERR_OK
               ? PDP_ERR_OK
               : setting_wrong(setup, NULL, wrong, err, "the agent cannot start: %s", pdp_err_text(err));
}

static enum pdp_err spoe_open(const struct pdp_adapter_setup *setup, struct pdp_adapter **adapter,
                              struct pdp_adapter_wrong *wrong)
{
    *adapter = NULL;
    *wrong = (struct pdp_adapter_wrong){.setting = SIZE_MAX};
    struct pdp_adapter *one = calloc(1, sizeof *one);
    enum pdp_err err =
        one != NULL ? open_all(setup, one, wrong)
                    : setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "%s", pdp_err_text(PDP_ERR_NOMEM));
    if (err != PDP_ERR_OK) {
        spoe_close(&one);
        return err;
    }
    *adapter = one;
    return PDP_ERR_OK;
}

const struct pdp_adapter_kind pdp_spoe_adapter = {
    .size = sizeof pdp_spoe_adapter,
    .name = "spoe",
    .help = "HAProxy's SPOE: SPOP 2.0",
    .settings = SETTINGS,
    .setting_count = COUNT_OF(SETTINGS),
    .open = spoe_open,
    .reload = spoe_reload,
    .close = spoe_close,
};
