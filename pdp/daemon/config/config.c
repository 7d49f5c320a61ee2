// SPDX-License-Identifier: Apache-2.0
#include "daemon/config/config.h"

#include "daemon/config/config_parts.h"
#include "node/roles.h"

static const uint32_t MODE_DEFAULT = 0600;
static const int64_t DRAIN_DEFAULT_MS = 5000;
static const int64_t HEARTBEAT_DEFAULT_MS = 1000, GONE_DEFAULT_MS = INT64_C(10) * 60 * 1000;
#define HEARTBEAT_MOST_MS 60000
#define GONE_MOST_MS (INT64_C(24) * 3600 * 1000)
static const int64_t SESSIONS_DEFAULT = 4000000;
static const int64_t CREATIONS_DEFAULT = 600000;
static const int64_t CONFIRM_DEFAULT = 100;
static const int64_t RELOAD_SHARE_DEFAULT = 5, RELOAD_LEAST_DEFAULT = 100;
static const int64_t BREAKER_SHARE_DEFAULT = 20, BREAKER_LEAST_DEFAULT = 100;

void config_init(struct config *config, const struct pdp_adapter_kind *const *kinds)
{
    *config = (struct config){
        .limits = NODE_LIMITS_DEFAULT,
        .drain_ms = DRAIN_DEFAULT_MS,
        .heartbeat_ms = HEARTBEAT_DEFAULT_MS,
        .gateways_gone_ms = GONE_DEFAULT_MS,
        .sessions_max = SESSIONS_DEFAULT,
        .creations_per_minute = CREATIONS_DEFAULT,
        .controls_confirm = CONFIRM_DEFAULT,
        .breaker_share = BREAKER_SHARE_DEFAULT,
        .breaker_least = BREAKER_LEAST_DEFAULT,
        .reload_share = RELOAD_SHARE_DEFAULT,
        .reload_least = RELOAD_LEAST_DEFAULT,
    };
    config_audit_init(&config->audit);
    config_adapters_init(config, kinds);
    arena_init(&config->arena, 0, 16 * 1024 * 1024);
}

void config_fini(struct config *config)
{
    arena_fini(&config->arena);
}

enum pdp_err config_listen(struct config_listeners *listeners, struct str url, const char **why)
{
    if (listeners->count == CONFIG_LISTENERS_MAX) {
        *why = "at most 16 listeners";
        return PDP_ERR_LIMIT;
    }
    struct listen_spec *spec = &listeners->list[listeners->count];
    *spec = (struct listen_spec){.grants = GRANT_ALL, .roles = ROLE_ALL, .mode = MODE_DEFAULT};
    TRY(url_parse(url, &spec->url, why));
    spec->configured = spec->url;
    spec->own_only = spec->url.transport == SP_IPC;
    listeners->count++;
    return PDP_ERR_OK;
}

enum pdp_err config_metrics(struct config *config, struct str address, const char **why)
{
    AUTO(buf_fini) struct buf url = {0};
    buf_printf(&url, "tcp://" STR_FMT, STR_ARG(address));
    config->metrics = (struct listen_spec){0};
    enum pdp_err err = url_parse(buf_view(&url), &config->metrics.url, why);
    // A mistake is not told in words of URLs.
    *why = "an address is such as `127.0.0.1:9464`, `localhost:9464`, `*:9464` or `[::1]:9464`";
    TRY(err);
    config->has_metrics = true;
    return PDP_ERR_OK;
}

// ---- The file: listeners -----------------------------------------------------------------------------

struct listen_node {
    const struct conf_node *url, *mode, *tls;
    struct str name;
    struct conf_texts grants, roles;
};

static const struct conf_field LISTEN_FIELDS[] = {
    {.name = "url",
     .type = CONF_EXPR,
     .required = true,
     .offset = offsetof(struct listen_node, url),
     .help = "ipc:///path, tcp://host:port or tls+tcp://host:port"},
    {.name = "name",
     .type = CONF_TEXT,
     .offset = offsetof(struct listen_node, name),
     .help = "what all its peers are called; else uid:N or ip:ADDRESS"},
    {.name = "tls",
     .type = CONF_MAPPING,
     .offset = offsetof(struct listen_node, tls),
     .help = "of this listener, in place of the one for all"},
    {.name = "mode",
     .type = CONF_EXPR,
     .offset = offsetof(struct listen_node, mode),
     .help = "rights of an ipc socket's file, octal"},
    {.name = "grants",
     .type = CONF_TEXTS,
     .offset = offsetof(struct listen_node, grants),
     .help = "what its peers may do; all where it is absent"},
    {.name = "roles",
     .type = CONF_TEXTS,
     .offset = offsetof(struct listen_node, roles),
     .help = "of its peers at the admin endpoint; all for root and our own uid where it is absent"},
};

static bool mode_read(struct str text, uint32_t *mode)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '7' || sum > 0777) {
            return false;
        }
        sum = sum * 8 + (uint32_t)(text.at[i] - '0');
    }
    *mode = sum;
    return text.len > 0 && sum <= 0777;
}

enum pdp_err config_no_such(struct diags *diags, enum pdp_err err, const struct conf_node *node,
                            const char *what)
{
    AUTO(buf_fini) struct buf text = {0};
    buf_escaped(&text, str_sub(node->text, 0, 80));
    return diag_error(diags, err, node->place, "`" STR_FMT "` is no %s", STR_ARG(buf_view(&text)), what);
}

static enum pdp_err listener_map(const struct conf_node *node, struct config *config,
                                 struct config_listeners *listeners, struct diags *diags)
{
    struct listen_node read = {0};
    TRY(conf_read(node, LISTEN_FIELDS, COUNT_OF(LISTEN_FIELDS), "a listener", &read, &config->arena, diags));
    const char *why = "";
    enum pdp_err err = config_listen(listeners, read.url->text, &why);
    if (err != PDP_ERR_OK) {
        return diag_error(diags, err, read.url->place, "%s", why);
    }
    struct listen_spec *spec = &listeners->list[listeners->count - 1];
    if (read.name.len >= sizeof spec->name) {
        return diag_error(diags, PDP_ERR_LIMIT, node->place, "a name is at most 127 bytes");
    }
    if (read.name.len != 0) {
        memcpy(spec->name, read.name.at, read.name.len);
    }
    if (read.mode != NULL && !mode_read(read.mode->text, &spec->mode)) {
        return diag_error(diags, PDP_ERR_RANGE, read.mode->place, "a mode is octal, such as 0660");
    }
    TRY(config_tls(read.tls, config, &spec->tls, diags));
    if (read.roles.nodes != NULL) {
        spec->own_only = false;
        TRY(config_roles(&read.roles, &spec->roles, diags));
    }
    return read.grants.nodes != NULL ? config_grants(&read.grants, &spec->grants, diags) : PDP_ERR_OK;
}

static enum pdp_err listener_node(const struct conf_node *node, struct config *config,
                                  struct config_listeners *listeners, struct diags *diags)
{
    if (node->kind == CONF_MAP) {
        return listener_map(node, config, listeners, diags);
    }
    const char *why = "a listener is an address, or a map with `url`";
    enum pdp_err err = node->kind == CONF_SCALAR ? config_listen(listeners, node->text, &why) : PDP_ERR_TYPE;
    return err == PDP_ERR_OK ? err : diag_error(diags, err, node->place, "%s", why);
}

static enum pdp_err listeners_read(const struct conf_node *node, struct config *config,
                                   struct config_listeners *listeners, struct diags *diags)
{
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    if (node->kind != CONF_LIST) {
        return listener_node(node, config, listeners, diags);
    }
    enum pdp_err err = PDP_ERR_OK;
    for (size_t i = 0; i < node->count; i++) {
        enum pdp_err one = listener_node(node->items[i], config, listeners, diags);
        err = one != PDP_ERR_OK ? one : err;
    }
    return err;
}

// ---- The file: limits --------------------------------------------------------------------------------

struct limits_node {
    int64_t connections, peer_connections, in_flight, turn_messages, message_bytes, backlog_bytes,
        waiting_bytes, output_bytes;
    int64_t handshake_ms, frame_ms, idle_ms, stall_ms, drain_ms, queue_ms;
};

#define COUNT_FIELD(key, member, low, high, text)                                                      \
    {                                                                                                  \
        .name = key, .type = CONF_INT, .offset = offsetof(struct limits_node, member), .least = (low), \
        .most = (high), .help = text                                                                   \
    }
#define TIME_FIELD(key, member, text)                                                                   \
    {                                                                                                   \
        .name = key, .type = CONF_DURATION, .offset = offsetof(struct limits_node, member), .least = 1, \
        .most = INT64_C(31) * 24 * 3600 * 1000, .help = text                                            \
    }

static const struct conf_field LIMIT_FIELDS[] = {
    COUNT_FIELD("connections", connections, 1, 1000000, "of one worker"),
    COUNT_FIELD("peer_connections", peer_connections, 1, 1000000, "of one uid or address, of one worker"),
    COUNT_FIELD("in_flight", in_flight, 1, 1000000, "unanswered questions of one connection"),
    COUNT_FIELD("turn_messages", turn_messages, 1, 100000, "of one connection before the others have theirs"),
    COUNT_FIELD("message_bytes", message_bytes, 64, 16777216, "of one message"),
    COUNT_FIELD("backlog_bytes", backlog_bytes, 1024, 1073741824,
                "of answers not taken: above it no question is read"),
    COUNT_FIELD("waiting_bytes", waiting_bytes, 65536, INT64_C(1) << 40,
                "of all answers not taken, of one worker: above it a peer that leaves some lying is closed"),
    COUNT_FIELD("output_bytes", output_bytes, 4096, 1073741824,
                "of answers not taken: above it the peer is closed"),
    TIME_FIELD("handshake", handshake_ms, "for the SP handshake"),
    TIME_FIELD("frame", frame_ms, "for one message to arrive"),
    TIME_FIELD("idle", idle_ms, "between two messages"),
    TIME_FIELD("stall", stall_ms, "for a reader to take 16 KiB of its answers"),
    TIME_FIELD("drain", drain_ms, "for answers to be taken when the daemon stops"),
    TIME_FIELD("queue", queue_ms, "for a question to wait: one that waited longer is answered `overloaded`"),
};

static enum pdp_err limits_read(const struct conf_node *node, struct config *config, struct diags *diags)
{
    if (node == NULL) {
        return PDP_ERR_OK;
    }
    struct node_limits *limits = &config->limits;
    struct limits_node read = {
        limits->connections,
        limits->peer_connections,
        limits->in_flight,
        limits->turn_messages,
        (int64_t)limits->message_bytes,
        (int64_t)limits->backlog_bytes,
        (int64_t)limits->waiting_bytes,
        (int64_t)limits->output_bytes,
        limits->handshake_ms,
        limits->frame_ms,
        limits->idle_ms,
        limits->stall_ms,
        config->drain_ms,
        limits->queue_ms,
    };
    TRY(conf_read(node, LIMIT_FIELDS, COUNT_OF(LIMIT_FIELDS), "limits", &read, &config->arena, diags));
    *limits = (struct node_limits){
        .connections = (uint32_t)read.connections,
        .peer_connections = (uint32_t)read.peer_connections,
        .in_flight = (uint32_t)read.in_flight,
        .turn_messages = (uint32_t)read.turn_messages,
        .message_bytes = (size_t)read.message_bytes,
        .backlog_bytes = (size_t)read.backlog_bytes,
        .waiting_bytes = (size_t)read.waiting_bytes,
        .output_bytes = (size_t)read.output_bytes,
        .handshake_ms = read.handshake_ms,
        .frame_ms = read.frame_ms,
        .idle_ms = read.idle_ms,
        .stall_ms = read.stall_ms,
        .queue_ms = read.queue_ms,
    };
    config->drain_ms = read.drain_ms;
    return PDP_ERR_OK;
}

// ---- The file: the whole -----------------------------------------------------------------------------

struct file_node {
    const struct conf_node *policies, *bundle, *state, *decide, *admin, *limits, *peers, *metrics, *tls;
    const struct conf_node *notices, *orders, *audit, *administrators, *webhook, *http, *spoe, *ext_authz;
    struct conf_texts geo, proxies, keys;
    int64_t workers, sessions_max, creations, counter_entries, threshold, confirm, two_persons, share, least;
    int64_t reload_share, reload_least;
    int64_t heartbeat_ms, gone_ms;
    int on_expiry;
    bool simulate, unsigned_too, metrics_open;
};

#define FIELD(key, kind, member, text)                                                        \
    {                                                                                         \
        .name = key, .type = kind, .offset = offsetof(struct file_node, member), .help = text \
    }
#define NUMBER_FIELD(key, member, high, text)                                                    \
    {                                                                                            \
        .name = key, .type = CONF_INT, .offset = offsetof(struct file_node, member), .least = 0, \
        .most = (high), .help = text                                                             \
    }

static const char *const ON_EXPIRY[] = {"serve", "deny", NULL};

#define SPAN_FIELD(key, member, low, high, text)                                                          \
    {                                                                                                     \
        .name = key, .type = CONF_DURATION, .offset = offsetof(struct file_node, member), .least = (low), \
        .most = (high), .help = text                                                                      \
    }

static const struct conf_field FILE_FIELDS[] = {
    FIELD("policies", CONF_EXPR, policies, "the policy folder"),
    FIELD("bundle", CONF_EXPR, bundle, "a bundle, in place of a policy folder"),
    FIELD("bundle_keys", CONF_TEXTS, keys, "public keys in PEM of those who may sign it"),
    FIELD("bundle_unsigned", CONF_BOOL, unsigned_too, "its signatures are not looked at"),
    FIELD("state", CONF_EXPR, state, "the folder in which is remembered what was served last"),
    {.name = "bundle_threshold",
     .type = CONF_INT,
     .offset = offsetof(struct file_node, threshold),
     .least = 1,
     .most = CONFIG_KEYS_MAX,
     .help = "how many of the keys must have signed it; all where it is absent"},
    {.name = "bundle_on_expiry",
     .type = CONF_CHOICE,
     .offset = offsetof(struct file_node, on_expiry),
     .choices = ON_EXPIRY,
     .help = "what to do when it expires while it is served: go on (serve), or deny everything (deny)"},
    FIELD("geo", CONF_TEXTS, geo, "databases; the first that knows a fact wins"),
    FIELD("decide", CONF_ANY, decide, "listeners for questions and events"),
    FIELD("admin", CONF_ANY, admin, "listeners for analysts"),
    FIELD("tls", CONF_MAPPING, tls, "certificate and key of listeners with TLS, and whose peers are good"),
    FIELD("peers", CONF_SEQUENCE, peers, "who may do what; the first that matches counts"),
    FIELD("metrics", CONF_EXPR, metrics, "monitoring over HTTP: host:port"),
    FIELD("metrics_open", CONF_BOOL, metrics_open, "monitoring may be reached from other machines"),
    FIELD("notices", CONF_ANY, notices, "listeners for gateways that keep answers"),
    FIELD("orders", CONF_ANY, orders, "listeners for gateways that confirm orders"),
    SPAN_FIELD("heartbeat", heartbeat_ms, 10, HEARTBEAT_MOST_MS, "between two heartbeats to gateways"),
    SPAN_FIELD("gateways_gone", gone_ms, 1, GONE_MOST_MS, "for which a gateway that vanished is named"),
    FIELD("audit", CONF_MAPPING, audit, "the audit log"),
    FIELD("administrators", CONF_MAPPING, administrators, "whom to lock out asks again"),
    FIELD("webhook", CONF_ANY, webhook, "who else is told of ends: an identity provider, or a list of them"),
    FIELD("http", CONF_MAPPING, http, "the HTTP adapter: AuthZEN, forward-auth"),
    FIELD("spoe", CONF_MAPPING, spoe, "the adapter for HAProxy"),
    FIELD("ext_authz", CONF_MAPPING, ext_authz, "the adapter for Envoy"),
    FIELD("limits", CONF_MAPPING, limits, "of connections and messages"),
    FIELD("trusted_proxies", CONF_TEXTS, proxies, "whose forwarded_for is believed: addresses or CIDRs"),
    FIELD("simulate", CONF_BOOL, simulate, "peers may set the clock"),
    NUMBER_FIELD("workers", workers, CONFIG_WORKERS_MAX, "threads that answer; 0: one a core"),
    NUMBER_FIELD("sessions_max", sessions_max, 1000000000, "sessions and tombstones held; 0: no limit"),
    NUMBER_FIELD("creations_per_minute", creations, 1000000000,
                 "sessions a peer may begin by first sight; 0: no limit"),
    NUMBER_FIELD("controls_confirm", confirm, 1000000000,
                 "sessions above which an order that ends them says how many; 0: never"),
    NUMBER_FIELD("controls_two_persons", two_persons, 1000000000,
                 "sessions above which a second analyst has to agree; 0: never"),
    NUMBER_FIELD(
        "breaker_share", share, 100,
        "percent of live sessions that policies may end in five minutes before they deny instead; 0: all"),
    NUMBER_FIELD("breaker_least", least, 1000000000, "sessions that they may end in any case"),
    NUMBER_FIELD("reload_share", reload_share, 100,
                 "percent of live sessions that a reload may end without `--confirm`; 0: all"),
    NUMBER_FIELD("reload_least", reload_least, 1000000000, "sessions that it may end in any case"),
    NUMBER_FIELD("counter_entries", counter_entries, 16777216, "keys that each Counter holds; 0: 262144"),
};

static enum pdp_err geo_take(const struct conf_texts *texts, struct config *config, struct diags *diags)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (config->geo_count == CONFIG_GEO_MAX) {
            return diag_error(diags, PDP_ERR_LIMIT, texts->nodes[i]->place, "at most 16 databases");
        }
        config->geo[config->geo_count++] =
            arena_printf(&config->arena, STR_FMT "%c", STR_ARG(texts->nodes[i]->text), '\0').at;
    }
    return PDP_ERR_OK;
}

bool config_range(struct str text, struct cidr *out)
{
    struct ip ip;
    if (ip_parse(text, &ip)) {
        *out = (struct cidr){ip, ip.v4 ? 32 : 128};
        return true;
    }
    return cidr_parse(text, false, out);
}

static enum pdp_err proxies_take(const struct conf_texts *texts, struct config *config, struct diags *diags)
{
    enum pdp_err err = PDP_ERR_OK;
    for (size_t i = 0; i < texts->count; i++) {
        if (config->proxy_count == CONFIG_PROXIES_MAX) {
            return diag_error(diags, PDP_ERR_LIMIT, texts->nodes[i]->place, "at most 256 proxies");
        }
        if (config_range(texts->nodes[i]->text, &config->proxies[config->proxy_count])) {
            config->proxy_count++;
        } else {
            err = config_no_such(diags, PDP_ERR_SYNTAX, texts->nodes[i], "address and no CIDR");
            diag_hint(diags, CONFIG_RANGE_HINT);
        }
    }
    return err;
}

static enum pdp_err keys_take(const struct conf_texts *texts, struct config *config, struct diags *diags)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (config->bundle_key_count == CONFIG_KEYS_MAX) {
            return diag_error(diags, PDP_ERR_LIMIT, texts->nodes[i]->place, "at most 16 keys");
        }
        config->bundle_keys[config->bundle_key_count++] =
            arena_printf(&config->arena, STR_FMT "%c", STR_ARG(texts->nodes[i]->text), '\0').at;
    }
    return PDP_ERR_OK;
}

// A flag goes before the file.
static enum pdp_err metrics_take(const struct conf_node *node, struct config *config, struct diags *diags)
{
    const char *why = "";
    if (node == NULL || config->has_metrics) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = config_metrics(config, node->text, &why);
    return err == PDP_ERR_OK ? err : diag_error(diags, err, node->place, "%s", why);
}

static enum pdp_err parts_read(const struct file_node *file, struct config *config, struct diags *diags)
{
    const enum pdp_err errs[] = {
        geo_take(&file->geo, config, diags),
        keys_take(&file->keys, config, diags),
        proxies_take(&file->proxies, config, diags),
        listeners_read(file->decide, config, &config->decide, diags),
        listeners_read(file->admin, config, &config->admin, diags),
        listeners_read(file->notices, config, &config->notices, diags),
        listeners_read(file->orders, config, &config->orders, diags),
        limits_read(file->limits, config, diags),
        metrics_take(file->metrics, config, diags),
        config_peers(file->peers, config, diags),
        config_tls(file->tls, config, &config->tls, diags),
        config_audit(file->audit, config, diags),
        config_administrators(file->administrators, config, diags),
        config_webhooks(file->webhook, config, diags),
        config_adapter(file->http, "http", config, diags),
        config_adapter(file->spoe, "spoe", config, diags),
        config_adapter(file->ext_authz, "ext-authz", config, diags),
    };
    for (size_t i = 0; i < COUNT_OF(errs); i++) {
        TRY(errs[i]);
    }
    return PDP_ERR_OK;
}

// A flag goes before the file.
static void path_take(const struct conf_node *node, struct config *config, const char **path)
{
    if (node != NULL && *path == NULL) {
        *path = arena_printf(&config->arena, STR_FMT "%c", STR_ARG(node->text), '\0').at;
    }
}

enum pdp_err config_read(struct config *config, const struct source *source, struct diags *diags)
{
    struct conf_doc *docs = NULL;
    size_t count = 0;
    TRY(conf_parse(source, &config->arena, diags, &docs, &count));
    struct place whole = {source, 0, 0};
    if (count != 1) {
        return diag_error(diags, PDP_ERR_SYNTAX, whole, "a configuration is one document");
    }
    if (docs[0].root == NULL || docs[0].root->kind != CONF_MAP) {
        return diag_error(diags, PDP_ERR_TYPE, whole, "a configuration is a map");
    }
    struct file_node file = {
        .workers = config->workers,
        .heartbeat_ms = config->heartbeat_ms,
        .gone_ms = config->gateways_gone_ms,
        .sessions_max = config->sessions_max,
        .creations = config->creations_per_minute,
        .counter_entries = config->counter_entries,
        .confirm = config->controls_confirm,
        .two_persons = config->controls_two_persons,
        .share = config->breaker_share,
        .least = config->breaker_least,
        .reload_share = config->reload_share,
        .reload_least = config->reload_least,
        .simulate = config->simulate,
        .metrics_open = config->metrics_open,
        .threshold = config->bundle_threshold,
        .unsigned_too = config->bundle_unsigned,
    };
    enum pdp_err err = conf_read(docs[0].root, FILE_FIELDS, COUNT_OF(FILE_FIELDS), "the configuration", &file,
                                 &config->arena, diags);
    enum pdp_err parts = parts_read(&file, config, diags); // each mistake is told, whatever came first
    TRY(err);
    TRY(parts);
    path_take(file.policies, config, &config->policies);
    path_take(file.bundle, config, &config->bundle);
    path_take(file.state, config, &config->state);
    config->bundle_threshold = config->bundle_threshold > 0 ? config->bundle_threshold : file.threshold;
    config->bundle_unsigned = file.unsigned_too;
    config->bundle_expiry_denies = file.on_expiry == 1;
    config->workers = file.workers;
    config->heartbeat_ms = file.heartbeat_ms;
    config->gateways_gone_ms = file.gone_ms;
    config->sessions_max = file.sessions_max;
    config->creations_per_minute = file.creations;
    config->counter_entries = file.counter_entries;
    config->controls_confirm = file.confirm;
    config->controls_two_persons = file.two_persons;
    config->breaker_share = file.share;
    config->breaker_least = file.least;
    config->reload_share = file.reload_share;
    config->reload_least = file.reload_least;
    config->simulate = file.simulate;
    config->metrics_open = file.metrics_open;
    return PDP_ERR_OK;
}

// ---- Together ------------------------------------------------------------------------------------------

static const char *bundle_wrong(const struct config *config)
{
    if (config->policies != NULL) {
        return "a policy folder and a bundle are given\n  hint: one of them is served: choose";
    }
    if (config->state == NULL) {
        return "a bundle needs a state folder, or an older one could be served after a restart\n"
               "  hint: `--state DIR`, or `state:` in the file";
    }
    if (config->bundle_key_count == 0 && !config->bundle_unsigned) {
        return "a bundle needs the keys of those who may sign it\n  hint: `--bundle-key FILE`, or "
               "`bundle_keys:` in "
               "the file; `--bundle-unsigned` looks at no signature";
    }
    if (config->bundle_key_count > 0 && config->bundle_unsigned) {
        return "keys are given, and that no signature is looked at\n  hint: choose";
    }
    return config->bundle_threshold > (int64_t)config->bundle_key_count
               ? "more signatures are asked for than there are keys\n  hint: `bundle_threshold` is at most "
                 "the number "
                 "of `bundle_keys`"
               : NULL;
}

const char *config_source_wrong(const struct config *config)
{
    if (config->bundle != NULL) {
        return bundle_wrong(config);
    }
    if (config->bundle_key_count > 0 || config->bundle_threshold > 0 || config->bundle_unsigned) {
        return "how a bundle is signed is told, and no bundle\n  hint: `--bundle FILE`, or `bundle:` in the "
               "file";
    }
    return config->policies == NULL
               ? "no policies are given\n  hint: `--policies DIR` or `--bundle FILE`; `policies:` "
                 "or `bundle:` in the file"
               : NULL;
}

const char *config_settle(struct config *config, bool inherits)
{
    const char *wrong = config_source_wrong(config);
    if (wrong != NULL) {
        return wrong;
    }
    if (config->decide.count == 0 && !config_adapters_listen(config) && !inherits) {
        return "nothing to listen on\n  hint: `--decide ipc:///run/pdp/decide.ipc`, or `decide:` in the file";
    }
    wrong = config_tls_wrong(config);
    if (wrong != NULL) {
        return wrong;
    }
    for (size_t i = 0; i < config->admin.count; i++) {
        const struct url *url = &config->admin.list[i].url;
        if (!url->tls && !url_is_loopback(url)) {
            return "an admin listener is ipc, loopback or TLS: tcp peers are not authenticated\n"
                   "  hint: `--admin ipc:///run/pdp/admin.ipc`";
        }
    }
    if (config->takeover && config->state == NULL) {
        return "a takeover needs a state folder: what is in memory alone would be lost\n"
               "  hint: `--state DIR`; without one, stop the pdpd that runs, and start this one";
    }
    if (config->has_metrics && !config->metrics_open && !url_is_loopback(&config->metrics.url)) {
        return "monitoring could be reached from other machines, and it asks nobody who they are\n"
               "  hint: `--metrics 127.0.0.1:9464`; or `--metrics-open`, if that is meant";
    }
    if (config->simulate && config_adapters_listen(config)) {
        return "with simulate, peers set the clock: no adapter may ask";
    }
    for (size_t i = 0; i < config->decide.count && config->simulate; i++) {
        if (!url_is_loopback(&config->decide.list[i].url)) {
            return "with simulate, peers set the clock: listeners must be ipc or loopback";
        }
        config->decide.list[i].grants |= GRANT_SIMULATE;
    }
    return NULL;
}
