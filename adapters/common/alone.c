// SPDX-License-Identifier: Apache-2.0
#include "common/alone.h"

#include "common/sockets.h"
#include "common/told.h"

#include <pdp/client.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    DONE = 0,
    FAILED = 1,
    TOLD_WRONG = 2,
    LISTENERS_MOST = 16
};

// What every such program can be told besides what its adapter can.
static const struct pdp_setting_about OWN[] = {
    {"pdp", "URL", false, "the daemon: ipc:///run/pdp/decide.sock, tcp://host:port or tls+tcp://host:port"},
    {"pdp-ca", "FILE", false, "who may have signed the daemon's certificate"},
    {"pdp-cert", "FILE", false, "our own certificate for the daemon"},
    {"pdp-key", "FILE", false, "and its key"},
    {"pdp-server-name", "NAME", false, "that the daemon's certificate must have"},
    {"pdp-notices", "URL", false, "the daemon's notices: a session that ends is known at once"},
    {"pdp-orders", "URL", false, "the daemon's orders: analysts see that this gateway carried one out"},
    {"name", "NAME", false, "of this gateway, for the daemon's orders"},
    {"listen", "ADDRESS", true, "127.0.0.1:8080, [::1]:8080 or unix:/run/pdp/name.sock"},
    {"threads", "N", false, "that answer at once; one a processor unless told"},
};

struct alone {
    const struct pdp_adapter_kind *kind;
    const char *program;
    struct told told;           // all of it
    struct pdp_setting *theirs; // the adapter's part, borrowed from `told`
    size_t *theirs_at;          // where each stands in `told`
    size_t their_count;
    const char *addresses[LISTENERS_MOST];
    int fds[LISTENERS_MOST];
    size_t fd_count;
    struct pdp_client *client;
};

// ---- Log -------------------------------------------------------------------------------------------------

static void say(void *user, enum pdp_log_level level, const char *event, const char *text)
{
    static const char *const LEVELS[] = {"error", "warn", "info"};
    (void)user;
    char line[1200];
    size_t len = (size_t)snprintf(line, sizeof line, "level=%s event=%s message=\"", LEVELS[level], event);
    for (const char *at = text; *at != '\0' && len + 4 < sizeof line; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\') {
            line[len++] = '\\';
        }
        line[len++] = byte < ' ' || byte == 0x7f ? ' ' : *at;
    }
    line[len++] = '"';
    line[len++] = '\n';
    (void)!write(STDERR_FILENO, line, len);
}

static int64_t now_ms(void *user)
{
    struct timespec now;
    (void)user;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- Flags
// -------------------------------------------------------------------------------------------------

static const struct pdp_setting_about *about_of(const struct pdp_setting_about *list, size_t count,
                                                const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

static void help_list(const struct pdp_setting_about *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char left[48];
        (void)snprintf(left, sizeof left, "--%s %s", list[i].name, list[i].value);
        printf("  %-30s %s%s\n", left, list[i].help, list[i].many ? "; may be repeated" : "");
    }
}

static void help(const struct alone *alone)
{
    printf("usage: %s --pdp URL --listen ADDRESS [--config FILE] [--SETTING VALUE]…\n\n%s\n\n",
           alone->program, alone->kind->help);
    help_list(OWN, COUNT_OF(OWN));
    printf("  %-30s %s\n", "--config FILE", "the same settings in YAML: `name: value`, lists where repeated");
    printf("\n");
    help_list(alone->kind->settings, alone->kind->setting_count);
}

static int complain(const struct alone *alone, const char *what, const char *name)
{
    (void)fprintf(stderr, "%s: %s `%s`; see `%s --help`\n", alone->program, what, name, alone->program);
    return TOLD_WRONG;
}

static int read_flags(struct alone *alone, int argc, char **argv)
{
    char why[TOLD_WHY_MAX];
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            return complain(alone, "expected a flag, not", argv[i]);
        }
        if (i + 1 == argc) {
            return complain(alone, "no value behind", argv[i]);
        }
        const char *name = argv[i] + 2, *value = argv[++i];
        enum pdp_err err = strcmp(name, "config") == 0 ? told_read(&alone->told, value, why)
                                                       : told_add(&alone->told, argv[i - 1], name, value);
        if (err != PDP_ERR_OK) {
            (void)fprintf(stderr, "%s\n", err == PDP_ERR_NOMEM ? pdp_err_text(err) : why);
            return TOLD_WRONG;
        }
    }
    return DONE;
}

// ---- What is whose ---------------------------------------------------------------------------------------

static int sort_out(struct alone *alone)
{
    size_t count = alone->told.count;
    alone->theirs = calloc(count + 1, sizeof *alone->theirs);
    alone->theirs_at = calloc(count + 1, sizeof *alone->theirs_at);
    if (alone->theirs == NULL || alone->theirs_at == NULL) {
        return FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        const struct pdp_setting *one = &alone->told.list[i];
        if (about_of(OWN, COUNT_OF(OWN), one->name) == NULL) {
            alone->theirs_at[alone->their_count] = i;
            alone->theirs[alone->their_count++] = *one;
        } else if (strcmp(one->name, "listen") == 0) {
            if (alone->fd_count == LISTENERS_MOST) {
                return complain(alone, "more than 16 times", "listen");
            }
            alone->fds[alone->fd_count] = -1;
            alone->addresses[alone->fd_count++] = one->value;
        }
    }
    return DONE;
}

static const char *own(const struct alone *alone, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < alone->told.count; i++) {
        value = strcmp(alone->told.list[i].name, name) == 0 ? alone->told.list[i].value : value;
    }
    return value;
}

static unsigned threads(const struct alone *alone)
{
    const char *said = own(alone, "threads");
    long cores = said != NULL ? strtol(said, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

// ---- Serving ---------------------------------------------------------------------------------------------

static int reach(struct alone *alone)
{
    const struct pdp_options options = {.size = sizeof options,
                                        .in_flight_max = 4096,
                                        .ca_file = own(alone, "pdp-ca"),
                                        .cert_file = own(alone, "pdp-cert"),
                                        .key_file = own(alone, "pdp-key"),
                                        .server_name = own(alone, "pdp-server-name"),
                                        .notices_url = own(alone, "pdp-notices"),
                                        .orders_url = own(alone, "pdp-orders"),
                                        .name = own(alone, "name")};
    const char *url = own(alone, "pdp");
    if (url == NULL || alone->fd_count == 0) {
        (void)fprintf(stderr, "%s: needs `--%s`; see `%s --help`\n", alone->program,
                      url == NULL ? "pdp" : "listen", alone->program);
        return TOLD_WRONG;
    }
    enum pdp_err err = pdp_connect(url, &options, &alone->client);
    if (err != PDP_ERR_OK) {
        (void)fprintf(
            stderr,
            "%s: `--pdp %s` cannot be used: %s\n  hint: an address is ipc:///path, tcp://host:port or "
            "tls+tcp://host:port, the last with `--pdp-ca`\n",
            alone->program, url, pdp_err_text(err));
        return TOLD_WRONG;
    }
    for (size_t i = 0; i < alone->fd_count; i++) {
        char why[SOCKETS_WHY_MAX];
        err = sockets_open(alone->addresses[i], &alone->fds[i], why);
        if (err != PDP_ERR_OK) {
            (void)fprintf(stderr, "%s: %s\n", alone->program, why);
            return err == PDP_ERR_SYNTAX ? TOLD_WRONG : FAILED;
        }
    }
    return DONE;
}

static int open_adapter(const struct alone *alone, struct pdp_adapter **adapter)
{
    const struct pdp_adapter_setup setup = {.size = sizeof setup,
                                            .decider = pdp_decider_of_client(alone->client),
                                            .listeners = alone->fds,
                                            .listener_count = alone->fd_count,
                                            .settings = alone->theirs,
                                            .setting_count = alone->their_count,
                                            .threads = threads(alone),
                                            .now_ms = now_ms,
                                            .log = say};
    struct pdp_adapter_wrong wrong = {.setting = SIZE_MAX};
    enum pdp_err err = alone->kind->open(&setup, adapter, &wrong);
    if (err == PDP_ERR_OK) {
        return DONE;
    }
    const char *what = wrong.why[0] != '\0' ? wrong.why : pdp_err_text(err);
    if (wrong.setting < alone->their_count) {
        (void)fprintf(stderr, "%s: error: %s\n", alone->told.places[alone->theirs_at[wrong.setting]], what);
    } else {
        (void)fprintf(stderr, "%s: %s\n", alone->program, what);
    }
    return TOLD_WRONG;
}

static int serve(const struct alone *alone, const sigset_t *signals)
{
    struct pdp_adapter *adapter = NULL;
    int status = open_adapter(alone, &adapter);
    if (status != DONE) {
        return status;
    }
    for (size_t i = 0; i < alone->fd_count; i++) {
        say(NULL, PDP_LOG_INFO, "listening", alone->addresses[i]);
    }
    say(NULL, PDP_LOG_INFO, "ready", alone->kind->name);
    int signal = 0;
    while (sigwait(signals, &signal) != 0 || signal == SIGHUP) {
        if (signal == SIGHUP && alone->kind->reload != NULL) {
            alone->kind->reload(adapter);
        }
    }
    say(NULL, PDP_LOG_INFO, "stopping", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    alone->kind->close(&adapter);
    return DONE;
}

static void alone_end(struct alone *alone)
{
    for (size_t i = 0; i < alone->fd_count; i++) {
        sockets_close(alone->addresses[i], &alone->fds[i]);
    }
    pdp_close(&alone->client);
    free(alone->theirs);
    free(alone->theirs_at);
    told_fini(&alone->told);
}

int alone_main(const struct pdp_adapter_kind *kind, int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    struct alone alone = {.kind = kind, .program = slash != NULL ? slash + 1 : argv[0]};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        help(&alone);
        return DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", alone.program, PDP_VERSION);
        return DONE;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); // before any thread: they inherit it
    (void)signal(SIGPIPE, SIG_IGN);
    int status = read_flags(&alone, argc, argv);
    status = status == DONE ? sort_out(&alone) : status;
    status = status == DONE ? reach(&alone) : status;
    status = status == DONE ? serve(&alone, &signals) : status;
    alone_end(&alone);
    return status;
}
