// SPDX-License-Identifier: Apache-2.0
// What the server's files share.
#ifndef DAEMON_SERVER_SERVER_INNER_H
#define DAEMON_SERVER_SERVER_INNER_H

#include "daemon/compile.h"
#include "daemon/net/http.h"
#include "daemon/net/loop.h"
#include "daemon/net/notify.h"
#include "daemon/net/shake.h"
#include "daemon/net/timed.h"
#include "daemon/server/server.h"
#include "daemon/state/sketches.h"
#include "daemon/state/state.h"
#include "daemon/tell/auditor.h"
#include "daemon/tell/metrics.h"
#include "daemon/tell/webhook.h"
#include "node/decide.h"
#include "node/orders.h"
#include "node/publish.h"

#include <pthread.h>

enum {
    SERVER_LISTENERS_MAX = 2 * CONFIG_LISTENERS_MAX,
    SERVER_SIDES = 4, // decide, admin, notices, orders
    SERVER_TLS_MAX = SERVER_SIDES * CONFIG_LISTENERS_MAX,
    SERVER_MAILS_MAX = 64
};

struct server_listeners {
    struct listener list[SERVER_LISTENERS_MAX];
    size_t count;
};

struct server_worker {
    struct server *server;
    struct decide decide;
    struct gate *gate; // answers that wait until what they tell of is durable
    struct worker *worker;
    struct timed timed;
    struct loop *loop;
    pthread_t thread;
    bool runs;
};

// The outcome of a reload on its way to those who asked for it.
struct server_mail {
    uint64_t number;
    struct buf error, diagnostics;
    struct trial_result *trial; // NULL: it was not tried
    bool preview;
    char candidate[80];
};

// Listeners with TLS.
struct server_tls {
    struct tls *list[SERVER_TLS_MAX]; // by configuration: listeners share
    const struct tls_config *configs[SERVER_TLS_MAX];
    size_t count;
    struct shake_listener from[SERVER_SIDES * SERVER_LISTENERS_MAX];
    struct shaker *shaker;  // NULL: no listener has TLS
    size_t next_worker;     // on the thread of handshakes
    int64_t look_ms;        // when ends of certificates are looked at again
    pthread_mutex_t reload; // one at a time
};

struct server_adapters; // server_adapters.c

struct server {
    struct config *config;
    struct server_adapters *adapters; // NULL: none listens
    struct hash_key seed;
    struct engine *engine;
    struct server_listeners decide, admin, notices_at, orders_at;
    struct notices *notices; // what gateways must hear
    int64_t boot;            // drawn; tells gateways that numbers began anew
    struct publisher *publisher;
    struct orders *orders;
    struct server_worker notices_loop, orders_loop; // without workers
    struct server_worker workers[CONFIG_WORKERS_MAX];
    size_t worker_count;
    struct server_tls tls;
    struct admin_certificate certificates_shown[SERVER_TLS_MAX];
    struct admin *admin_handler;
    struct server_worker admin_loop; // without a worker of its own: the handler has one
    struct state *state;             // NULL: all is in memory
    struct sketches *sketches;       // what saves the rest; NULL: nothing does
    struct listener metrics;         // fd -1: none
    int takeover;                    // where a successor asks; -1: nowhere
    int successor;                   // of a successor: its way to the one that ran; else -1
    bool handed_over;
    struct compiled *compiled_first; // by a successor, before it took over; NULL: none
    struct http *http;               // NULL: none
    _Atomic bool serving;            // the loops are there and may be asked; others may read it
    _Atomic bool stopping;
    _Atomic int64_t tick_ms; // when the main thread last looked around
    struct bundles *bundles; // NULL: a folder is served
    char store_error_shown[STORE_WHY_MAX], rotate_why[STATE_WHY_MAX]; // the admin's thread
    struct compiler *compiler;
    struct archive *archive;    // what was served
    _Atomic bool archive_fails; // to be written
    int64_t archive_again_ms;
    struct worker *trier; // tries what is about to be served
    struct trial *trial;  // that runs; NULL: none
    struct compiled *tried;
    struct archive_pin pin_shown;
    char unkept[300]; // why the sources of what serves are not kept; the main thread's, before a write is
                      // asked
    struct webhook *webhooks[CONFIG_WEBHOOKS_MAX]; // as many as are configured
    struct webhook_status webhooks_seen[CONFIG_WEBHOOKS_MAX];
    struct admin_webhook webhooks_shown[CONFIG_WEBHOOKS_MAX];
    struct auditor *auditor;           // NULL: nothing is recorded
    struct audit_folder *audit_folder; // its files, for the admin's thread
    struct auditor_status audit_shown;
    struct snapshot *first; // what was published at the start, on its way to the compiler
    struct sources *first_sources;
    int signals, compiled; // descriptors
    int64_t started_ms;
    uint64_t closed_trimmed,
        opened_seen;     // connections: closed when memory was last given back; opened by the last look
    uint32_t trim_waits; // looks since there is something to give back
    struct buf urls;     // of all listeners, one after the other
    struct str listeners[SERVER_SIDES * SERVER_LISTENERS_MAX];
    size_t listener_count;

    pthread_mutex_t lock; // of all that follows
    struct server_mail mails[SERVER_MAILS_MAX];
    size_t mail_count;
    struct server_mail held; // until it is written; number 0: none
    struct admin_geo geo[CONFIG_GEO_MAX], geo_shown[CONFIG_GEO_MAX];
    size_t geo_count;
    struct bundle_facts bundle, bundle_shown; // that is served
    struct admin_alarm alarms[ADMIN_ALARM_COUNT], alarms_shown[ADMIN_ALARM_COUNT];
    char served_digest[80]; // what was published last
    struct snapshot_facts served;
    int64_t served_at_ms;
    uint64_t reloads[2]; // that went well, that did not
    int64_t reload_at_ms;
    bool reload_ok;
    char reload_error[600], reload_shown[600];
    bool reload_lists; // it was of lists alone
    char reload_list[COMPILE_LIST_MAX + 1], reload_list_shown[COMPILE_LIST_MAX + 1];
};

// server_bundle.c: what is served when it is a bundle, and what somebody should look at. Main thread.
MUST_USE enum pdp_err server_bundles_open(const struct config *config, bool writes, struct bundles **out);
void server_bundle_warn(const struct server *server, bool first);
void server_bundle_served(struct server *server, const struct compiled *compiled);
void server_bundle_refused(const struct compiled *compiled, uint64_t serving); // for the log
void server_bundle_watch(struct server *server, int64_t now_ms);
void server_alarm(struct server *server, enum admin_alarm_kind kind, bool raised, const char *message);
// For the status: the facts are copied under the lock, which is held.
void server_bundle_show(struct server *server, struct admin_status *out);

// server_archive.c: what was served. Main thread, but for the write.
MUST_USE enum pdp_err server_archive_open(struct server *server);
void server_archive_served(struct server *server, const struct compiled *compiled);
void server_archive_watch(struct server *server, int64_t now_ms);
void server_archive_write(void *server);
void server_archive_close(struct server *server); // writes what is left; after the compiler

// server_trial.c: what is about to be served, tried on live sessions. Main thread.
bool server_trial_begin(struct server *server,
                        struct compiled *compiled);       // true: it is the trial's until the end
bool server_trial_step(struct server *server);            // true: it has ended
struct compiled *server_trial_end(struct server *server); // without a snapshot where it is refused
void server_trial_drop(struct server *server);            // before the engine

// server_rollback.c: what was served, again.
uint64_t server_rollback(void *server, const struct peer *by, struct str to, struct str reason,
                         struct admin_taking taking, const char **why);
void server_served(void *server, void (*each)(void *emit, const struct admin_served *one), void *emit);
void server_rolled_show(struct server *server, struct admin_status *out); // the admin's thread
bool server_rolled(struct server *server);                                // is one in force?
bool server_rolled_refuses_signal(struct server *server);                 // and says so in the log
// What a start serves: what is configured, or what was gone back to.
struct compiled *server_compile_start(struct server *server);
void server_rolled_start(struct server *server, const struct compiled *compiled);
// Notes what was published as a roll-back, or as the end of one. true: that must be written before anybody is
// told.
bool server_rolled_settle(struct server *server, const struct compiled *compiled);

// server_state.c: what lasts. REFUSED where that was said.
MUST_USE enum pdp_err server_state_open(struct server *server, struct engine_config *config);
MUST_USE enum pdp_err server_state_load(struct server *server);
MUST_USE enum pdp_err server_state_start(struct server *server);
void server_state_show(struct server *server, struct admin_status *out);
size_t server_keys(void *server, struct admin_key *out, size_t most);
enum pdp_err server_rotate_keys(void *server, const struct peer *by, struct str reason, unsigned *number,
                                struct str *why);
void server_worker_wake(void *worker);
// The mail of a loop: sends what has become durable.
void server_state_mail(void *worker, struct node *node, struct node_now now);

// server_sketches.c: what is kept besides. With a state; load before anything is asked, stop before the
// folder is let go of: that saves once more.
void server_sketches_load(struct server *server);
MUST_USE enum pdp_err server_sketches_start(struct server *server);
void server_sketches_stop(struct server *server);

void server_print(const struct compiled *compiled); // its diagnostics, on standard error

// server_warn.c: tells of what is open on purpose, for the log of a start.
void server_warn(const struct server *server, bool first);

// server_tls.c: certificates, handshakes. The files are read by server_tls_open, each set once.
MUST_USE enum pdp_err server_tls_open(const struct config *config, struct server_tls *all);
void server_tls_close(struct server_tls *all); // after all loops
MUST_USE enum pdp_err
server_tls_start(struct server *server); // after the loops were made; once more after a stop
void server_tls_stop(struct server *server);
// Any thread. What is refused is told in `why`, logged, and an alarm; each set of files by itself.
enum pdp_err server_tls_reload(struct server *server, char why[TLS_WHY_MAX]);
void server_tls_watch(struct server *server, struct node_now now); // now and then, on the main thread
// Returns how many; `out` has room for SERVER_TLS_MAX.
size_t server_tls_show(struct server *server, struct admin_certificate *out);
// server_listen.c
MUST_USE enum pdp_err server_take_inherited(struct server *server, const struct notify_fd *fds, size_t count);
bool server_listeners_open(struct server *server); // all that are configured, unless they were handed over
void server_listeners_end(struct server *server);
void server_place_urls(struct server *server);
// Which endpoint a listener is one of, in the order in which place_urls notes them; and whose the descriptors
// of this name are that the service manager gave.
const char *server_endpoint_of(const struct server *server, size_t listener);
struct server_listeners *server_side_of(struct server *server, struct str name);

// server_gateways.c: the ring, before the engine; the endpoints, with their loops; away with both.
MUST_USE enum pdp_err server_notices_new(struct server *server);
MUST_USE enum pdp_err server_gateways_new(struct server *server);
void server_order_settled(void *server);          // tells the admin's thread
void server_gateways_free(struct server *server); // the ring stays, for the engine

// server_audit.c: the audit log of this daemon.
MUST_USE enum pdp_err server_audit_open(struct server *server);
void server_audit_watch(struct server *server); // raises and clears its alarm. Main thread
void server_audit_show(struct server *server, struct admin_status *out);
void server_audit_host(struct server *server, struct admin_host *host);
void server_breaker_watch(struct server *server, int64_t now_ms);

// server_webhook.c: what was said on standard error where a file cannot be used. Behind the engine.
MUST_USE enum pdp_err server_webhooks_open(struct server *server);
bool server_webhooks_check(const struct config *config);            // can all files be used?
MUST_USE enum pdp_err server_webhooks_start(struct server *server); // once more after a stop
void server_webhooks_stop(struct server *server);
void server_webhooks_free(struct server *server);
void server_webhooks_watch(struct server *server); // raises and clears their alarm. Main thread
void server_webhooks_show(struct server *server, struct admin_status *out);

// server_say.c: what the log says.
void server_say_refused(const struct compiled *compiled, uint64_t serving);
void server_say_reloaded(const struct server *server, const struct compiled *compiled);
void server_say_ready(struct server *server, const struct compiled *compiled);

// server_adapters.c: adapters inside of pdpd. Opens or takes over one listener for `spec`.
typedef enum pdp_err (*server_adopt)(void *user, const char *side, const struct listen_spec *spec,
                                     struct listener *out);
MUST_USE enum pdp_err server_adapters_listen(struct server *server, server_adopt adopt, void *user);
// Where an inherited socket of this name belongs; NULL: to no adapter.
struct server_listeners *server_adapters_side(struct server *server, struct str name);
void server_adapters_each(struct server *server,
                          void (*each)(void *user, const char *kind, struct listener *listener), void *user);
MUST_USE enum pdp_err server_adapters_new(struct server *server); // before the auditor starts
// REFUSED where a setting is wrong, which standard error tells.
MUST_USE enum pdp_err server_adapters_start(struct server *server);
void server_adapters_stop(struct server *server); // answers what is under way; may be started again
void server_adapters_reload(struct server *server);
void server_adapters_wake(struct server *server); // the journal has moved on. Any thread
void server_adapters_latency(const struct server *server, struct histogram_sum *sum);
void server_adapters_free(struct server *server); // before the engine
bool server_adapters_check(
    const struct config *config); // are all settings good? Says on standard error what is not

// server_admin.c: the admin's thread and its host.
MUST_USE enum pdp_err server_admin_new(struct server *server);
// Tells those who wait how the compile ended. Main thread.
void server_admin_mail(struct server *server, struct compiled *compiled); // takes its trial
// The same once what was published is written. server_mail_settle tells them, with `why` where it cannot be.
// Any thread.
void server_mail_hold(struct server *server, struct compiled *compiled);
void server_mail_settle(struct server *server, const char *why);
void server_mails_free(struct server *server);
void server_count(const struct server *server, struct node_counts *sum);
uint64_t server_peer_hash(void *worker, struct str name);                    // of a struct server_worker
void server_latency(const struct server *server, struct histogram_sum *sum); // of decisions, over all workers

struct hash_key server_seed_of(struct hash_key names); // server_state.c: of what a snapshot hashes

// server_locks.c. Refuses what was compiled where a lock by a condition would not be understood any more.
// With nothing else that serves it is served all the same, and the lock is unsure for everybody; that is
// logged.
void server_locks_judge(struct server *server, struct compiled *compiled);

// server.c, for the takeover.
void server_threads_stop(struct server *server);                   // drains
MUST_USE enum pdp_err server_threads_start(struct server *server); // after server_threads_stop
void server_compile_refused(const struct compiled *compiled);      // prints and logs; NULL: memory is out

// server_takeover.c. The one that runs: listens, is asked, gives way.
enum server_next {
    SERVER_GO_ON,
    SERVER_STOP,
    SERVER_BROKEN // it can serve no more
};
void server_takeover_listen(struct server *server);
enum server_next server_takeover(struct server *server);
void server_takeover_end(struct server *server);
// The successor: compiles, takes the listeners, and waits until the other has let go of the folder. Anything
// that fails here disturbs nobody.
MUST_USE enum pdp_err server_takeover_begin(struct server *server);
// All is loaded; from here on it serves. Not OK: it must not.
MUST_USE enum pdp_err server_takeover_ready(struct server *server);

void server_http_stop(struct server *server);
MUST_USE enum pdp_err server_http_start(struct server *server);

// server_metrics.c: /metrics, /live and /ready. Before any thread of ours; metrics_end before what it reads
// goes.
MUST_USE enum pdp_err server_metrics_start(struct server *server);
void server_metrics_end(struct server *server);
// server_metrics_parts.c: audit, breaker, gateways, webhooks, keys, certificates. While it serves.
void server_metrics_parts(struct server *server, struct metrics *out);

#endif
