// SPDX-License-Identifier: Apache-2.0
// What pdpd is told to do: flags, or the same in a YAML file, with knobs that have no flag.
#ifndef DAEMON_CONFIG_CONFIG_H
#define DAEMON_CONFIG_CONFIG_H

#include "conf/conf.h"
#include "daemon/config/identity.h"
#include "node/guarded.h"

#include <pdp/adapter.h>

#define CONFIG_LISTENERS_MAX 16
#define CONFIG_GEO_MAX 16
#define CONFIG_PROXIES_MAX 256
#define CONFIG_KEYS_MAX 16
#define CONFIG_PEERS_MAX 1024
#define CONFIG_WEBHOOKS_MAX 4
#define CONFIG_ADAPTERS_MAX 4
#define CONFIG_ADAPTER_LISTENERS_MAX 4
#define CONFIG_SETTINGS_MAX 256
#define CONFIG_WORKERS_MAX 60 // the engine has room for 64, and the admin has one

struct config_listeners {
    struct listen_spec list[CONFIG_LISTENERS_MAX];
    size_t count;
};

struct config_syslog {
    const char *host; // NULL: none
    int port;
    const char *ca, *cert, *key; // files; the last two may be NULL
};

// Of the audit log. There is one where it has a path, or a state folder is given.
struct config_audit {
    bool enabled, drop, brief;
    const char *path, *name;                      // NULL: not given
    int64_t rotate_bytes, rotate_age_ms, keep_ms; // 0: the default; for ever
    int64_t allow_one_in;                         // 1: all allows are kept
    struct config_syslog syslog;
};

// How a webhook names users: their names are personal data.
enum webhook_subject {
    WEBHOOK_NONE, // the session alone
    WEBHOOK_ISS_SUB,
    WEBHOOK_EMAIL,
    WEBHOOK_OPAQUE
};

// Where ends of sessions are told. Paths and texts that are not given are NULL.
struct config_webhook {
    const char *url, *issuer, *audience;
    const char *key, *key_id, *token, *ca, *cert, *cert_key; // files, but for key_id
    bool ends, cutoffs;                                      // what is told
    enum webhook_subject subject;
    const char *subject_issuer;
    int64_t timeout_ms, give_up_ms, queue;
};

// An adapter that pdpd runs inside of itself; none of it counts where it has no address.
struct config_adapter {
    const struct pdp_adapter_kind *kind;
    struct config_listeners listeners;
    struct str name; // what it is called as a peer: the kind's name where nothing is said
    uint32_t grants;
    struct pdp_setting settings[CONFIG_SETTINGS_MAX];
    const char *places[CONFIG_SETTINGS_MAX]; // of each: `pdpd.yaml:12:5`
    size_t setting_count;
};

struct config {
    struct config_adapter adapters[CONFIG_ADAPTERS_MAX]; // of each kind that was built, in its order
    size_t adapter_count;
    struct arena arena;   // of all texts
    const char *policies; // NULL: not given
    const char *bundle;   // in place of a folder; NULL: not given
    const char *bundle_keys[CONFIG_KEYS_MAX];
    size_t bundle_key_count;
    int64_t bundle_threshold;  // 0: all keys
    bool bundle_unsigned;      // signatures are not looked at
    bool bundle_expiry_denies; // once it has expired, everything is denied
    const char *state;         // folder; NULL: not given
    const char *geo[CONFIG_GEO_MAX];
    size_t geo_count;
    struct config_listeners decide, admin;
    struct listen_spec metrics;              // of monitoring over HTTP
    bool takeover;                           // from the pdpd that runs in the state folder
    bool has_metrics, metrics_open;          // open: other machines may reach it
    struct config_listeners notices, orders; // for gateways that keep answers
    int64_t heartbeat_ms;                    // between two heartbeats to them
    int64_t gateways_gone_ms;                // a gateway that vanished is named for so long
    struct peer_rules peers;
    const struct tls_config *tls; // of listeners that have none of their own; NULL: not given
    int64_t workers;              // 0: one a core
    bool simulate;
    struct node_limits limits;
    int64_t drain_ms;
    struct cidr proxies[CONFIG_PROXIES_MAX];
    size_t proxy_count;
    int64_t sessions_max, creations_per_minute; // 0: no limit
    int64_t counter_entries;                    // 0: the default
    int64_t breaker_share, breaker_least;       // percent of live sessions, 0: none; and so many in any case
    int64_t reload_share, reload_least; // percent of live sessions that a reload may end unconfirmed; 0: any
    int64_t controls_confirm, controls_two_persons; // see struct admin_bounds
    struct config_audit audit;
    struct admin_guarded administrators;
    struct config_webhook webhooks[CONFIG_WEBHOOKS_MAX];
    size_t webhook_count;
};

// `kinds` ends with NULL; NULL: there are no adapters.
void config_init(struct config *config, const struct pdp_adapter_kind *const *kinds);
void config_fini(struct config *config);

// Adds an address with the defaults of a listener. LIMIT, or what url_parse says, with *why.
MUST_USE enum pdp_err config_listen(struct config_listeners *listeners, struct str url, const char **why);
// The address of monitoring, `host:port`. What url_parse says, with *why.
MUST_USE enum pdp_err config_metrics(struct config *config, struct str address, const char **why);
// An address of an adapter: `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`. UNSUPPORTED where the adapter was
// not built, LIMIT, or what url_parse says, with *why.
MUST_USE enum pdp_err config_adapter_listen(struct config *config, const char *kind, struct str address,
                                            const char **why);
// Reads the file's text over what `config` holds; every mistake goes to `diags`.
MUST_USE enum pdp_err config_read(struct config *config, const struct source *source, struct diags *diags);
// What flags and file must fulfil together. NULL, or what is wrong. Grants SIMULATE to peers where asked for.
const char *config_settle(struct config *config, bool inherits);
// What of that is about TLS; gives each listener with TLS its certificate.
const char *config_tls_wrong(struct config *config);
// What of that is about policies and bundles.
const char *config_source_wrong(const struct config *config);

#endif
