// SPDX-License-Identifier: Apache-2.0
#include "daemon/config/flags.h"

struct flag_call {
    struct flags *flags;
    struct config *config;
    const char *value; // of a flag that takes one
    const char *why;   // set on failure
};

static bool on_policies(struct flag_call *call)
{
    call->config->policies = call->value;
    return true;
}

static bool on_bundle(struct flag_call *call)
{
    call->config->bundle = call->value;
    return true;
}

static bool on_bundle_key(struct flag_call *call)
{
    call->why = "at most 16 keys";
    if (call->config->bundle_key_count == CONFIG_KEYS_MAX) {
        return false;
    }
    call->config->bundle_keys[call->config->bundle_key_count++] = call->value;
    return true;
}

static bool on_bundle_threshold(struct flag_call *call)
{
    call->why = "a number from 1 to 16";
    return str_to_i64(str_of(call->value), &call->config->bundle_threshold) &&
           call->config->bundle_threshold >= 1 && call->config->bundle_threshold <= CONFIG_KEYS_MAX;
}

static bool on_bundle_unsigned(struct flag_call *call)
{
    call->config->bundle_unsigned = true;
    return true;
}

static bool on_state(struct flag_call *call)
{
    call->config->state = call->value;
    return true;
}

static bool on_decide(struct flag_call *call)
{
    return config_listen(&call->config->decide, str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_admin(struct flag_call *call)
{
    return config_listen(&call->config->admin, str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_metrics(struct flag_call *call)
{
    return config_metrics(call->config, str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_takeover(struct flag_call *call)
{
    call->config->takeover = true;
    return true;
}

static bool on_metrics_open(struct flag_call *call)
{
    call->config->metrics_open = true;
    return true;
}

static bool on_notices(struct flag_call *call)
{
    return config_listen(&call->config->notices, str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_orders(struct flag_call *call)
{
    return config_listen(&call->config->orders, str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_http(struct flag_call *call)
{
    return config_adapter_listen(call->config, "http", str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_spoe(struct flag_call *call)
{
    return config_adapter_listen(call->config, "spoe", str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_ext_authz(struct flag_call *call)
{
    return config_adapter_listen(call->config, "ext-authz", str_of(call->value), &call->why) == PDP_ERR_OK;
}

static bool on_geo(struct flag_call *call)
{
    call->why = "at most 16 databases";
    if (call->config->geo_count == CONFIG_GEO_MAX) {
        return false;
    }
    call->config->geo[call->config->geo_count++] = call->value;
    return true;
}

static bool on_workers(struct flag_call *call)
{
    call->why = "a number from 0 (one a core) to 60";
    return str_to_i64(str_of(call->value), &call->config->workers) && call->config->workers >= 0 &&
           call->config->workers <= CONFIG_WORKERS_MAX;
}

static bool on_config(struct flag_call *call)
{
    call->why = "given twice";
    bool first = call->flags->config == NULL;
    call->flags->config = call->value;
    return first;
}

static bool on_simulate(struct flag_call *call)
{
    call->config->simulate = true;
    return true;
}

static bool on_check(struct flag_call *call)
{
    call->flags->what = FLAGS_CHECK;
    return true;
}

static bool on_help(struct flag_call *call)
{
    call->flags->what = FLAGS_HELP;
    return true;
}

static bool on_version(struct flag_call *call)
{
    call->flags->what = FLAGS_VERSION;
    return true;
}

static const struct {
    struct str name;
    const char *value; // what it takes, for the help; NULL: nothing
    bool (*run)(struct flag_call *call);
    const char *help;
} FLAGS[] = {
    {{"--policies", 10}, "DIR", on_policies, "the policy folder"},
    {{"--bundle", 8}, "FILE", on_bundle, "a signed bundle, in place of a policy folder"},
    {{"--bundle-key", 12}, "FILE", on_bundle_key, "a public key of one who may sign it; may be repeated"},
    {{"--bundle-threshold", 18},
     "K",
     on_bundle_threshold,
     "how many of the keys must have signed it; all unless told"},
    {{"--bundle-unsigned", 17}, NULL, on_bundle_unsigned, "look at no signature; never in production"},
    {{"--state", 7},
     "DIR",
     on_state,
     "the folder of everything that lasts; without it a restart forgets sessions"},
    {{"--decide", 8}, "URL", on_decide, "listen for questions and events; may be repeated"},
    {{"--admin", 7}, "URL", on_admin, "listen for analysts (pdpctl); may be repeated"},
    {{"--metrics", 9},
     "ADDR",
     on_metrics,
     "HTTP for monitoring: /metrics, /live, /ready; such as 127.0.0.1:9464"},
    {{"--metrics-open", 14}, NULL, on_metrics_open, "monitoring may be reached from other machines"},
    {{"--takeover", 10},
     NULL,
     on_takeover,
     "take over from the pdpd that runs in this state folder, then it ends"},
    {{"--notices", 9}, "URL", on_notices, "listen for gateways that keep answers; may be repeated"},
    {{"--orders", 8}, "URL", on_orders, "listen for gateways that confirm orders; may be repeated"},
    {{"--http", 6}, "ADDR", on_http, "serve AuthZEN and forward-auth over HTTP; such as 127.0.0.1:8080"},
    {{"--spoe", 6}, "ADDR", on_spoe, "serve HAProxy by its SPOP"},
    {{"--ext-authz", 11}, "ADDR", on_ext_authz, "serve Envoy by gRPC"},
    {{"--geo", 5},
     "FILE",
     on_geo,
     "a database of MaxMind's schema; may be repeated, the first that knows wins"},
    {{"--workers", 9}, "N", on_workers, "threads that answer; 0, the default, is one a core"},
    {{"--simulate", 10}, NULL, on_simulate, "peers may set the clock: for replays, never in production"},
    {{"--config", 8}, "FILE", on_config, "the same and more from a YAML file"},
    {{"--check", 7}, NULL, on_check, "check configuration, policies and databases, then exit: 0 good, 2 bad"},
    {{"--help", 6}, NULL, on_help, "this text"},
    {{"--version", 9}, NULL, on_version, "the version"},
};

void flags_help(struct buf *out)
{
    buf_str(out,
            STR("use: pdpd --policies DIR --decide URL [flags]\n"
                "     pdpd --bundle FILE --bundle-key FILE --state DIR --decide URL [flags]\n"
                "     pdpd --config FILE [--check]\n\n"
                "Answers whether a request is allowed, by compiled policies and the session's risk.\n\n"));
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        const char *value = FLAGS[i].value != NULL ? FLAGS[i].value : "";
        buf_printf(out, "  %-18s %-5s %s\n", FLAGS[i].name.at, value, FLAGS[i].help);
    }
    buf_str(out, STR("\nA URL is ipc:///absolute/path, tcp://host:port or tls+tcp://host:port (port 0: any "
                     "free one, see the\n"
                     "ready line); TLS is told in the file. SIGHUP loads policies, databases and "
                     "certificates anew, SIGTERM answers what was asked and ends.\n\n"
                     "example:\n"
                     "  pdpd --policies policies/baseline --decide ipc:///tmp/decide.ipc --admin "
                     "ipc:///tmp/admin.ipc\n"));
}

static enum pdp_err unknown(struct str name, struct buf *why)
{
    struct str names[COUNT_OF(FLAGS)];
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        names[i] = FLAGS[i].name;
    }
    buf_str(why, STR("pdpd: unknown flag `"));
    buf_escaped(why, name);
    int near = str_nearest(name, names, COUNT_OF(FLAGS));
    if (near >= 0) {
        buf_printf(why, "`\n  hint: did you mean `%s`?\n", FLAGS[near].name.at);
    } else {
        buf_str(why, STR("`\n  hint: `pdpd --help` lists them\n"));
    }
    return PDP_ERR_SYNTAX;
}

// One flag at argv[*at]; its value may be the next argument.
static enum pdp_err flag_read(int argc, char **argv, int *at, struct flag_call *call, struct buf *why)
{
    struct str arg = str_of(argv[*at]);
    size_t equals = str_find_byte(arg, '=', 0);
    struct str name = str_sub(arg, 0, equals);
    size_t i = 0;
    while (i < COUNT_OF(FLAGS) && !str_eq(FLAGS[i].name, name)) {
        i++;
    }
    if (i == COUNT_OF(FLAGS)) {
        return unknown(name, why);
    }
    call->value = equals < arg.len ? argv[*at] + equals + 1 : NULL;
    if (FLAGS[i].value != NULL && call->value == NULL && *at + 1 < argc) {
        call->value = argv[++*at];
    }
    if ((FLAGS[i].value != NULL) != (call->value != NULL)) {
        buf_printf(why, "pdpd: `%s` takes %s%s\n  hint: `pdpd --help`\n", FLAGS[i].name.at,
                   FLAGS[i].value != NULL ? "a value: " : "no value",
                   FLAGS[i].value != NULL ? FLAGS[i].value : "");
        return PDP_ERR_SYNTAX;
    }
    if (!FLAGS[i].run(call)) {
        buf_printf(why, "pdpd: `%s`: `", FLAGS[i].name.at);
        buf_escaped(why, str_of(call->value));
        buf_printf(why, "` cannot be used\n  hint: %s\n", call->why);
        return PDP_ERR_SYNTAX;
    }
    return PDP_ERR_OK;
}

enum pdp_err flags_read(int argc, char **argv, struct flags *flags, struct config *config, struct buf *why)
{
    *flags = (struct flags){0};
    for (int at = 1; at < argc; at++) {
        struct flag_call call = {.flags = flags, .config = config, .why = ""};
        TRY(flag_read(argc, argv, &at, &call, why));
        if (flags->what == FLAGS_HELP || flags->what == FLAGS_VERSION) {
            return PDP_ERR_OK;
        }
    }
    return PDP_ERR_OK;
}
