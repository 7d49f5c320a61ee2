// SPDX-License-Identifier: Apache-2.0
// What the files that read the configuration share.
#ifndef DAEMON_CONFIG_CONFIG_PARTS_H
#define DAEMON_CONFIG_CONFIG_PARTS_H

#include "daemon/config/config.h"

// `x` is no WHAT, at its place. Returns err.
enum pdp_err config_no_such(struct diags *diags, enum pdp_err err, const struct conf_node *node,
                            const char *what);
// Words to bits. *bits is 0 where one is unknown.
MUST_USE enum pdp_err config_grants(const struct conf_texts *texts, uint32_t *bits, struct diags *diags);
MUST_USE enum pdp_err config_roles(const struct conf_texts *texts, uint32_t *bits, struct diags *diags);
// `peers:`. config_peers.c
MUST_USE enum pdp_err config_peers(const struct conf_node *node, struct config *config, struct diags *diags);
// `audit:`, and what it is without. config_audit.c
void config_audit_init(struct config_audit *audit);
MUST_USE enum pdp_err config_audit(const struct conf_node *node, struct config *config, struct diags *diags);

// An address, or a CIDR without bits below the prefix.
bool config_range(struct str text, struct cidr *out);
#define CONFIG_RANGE_HINT "write `192.0.2.1` or `10.0.0.0/8`, without bits below the prefix"
// `administrators:`. config_administrators.c
MUST_USE enum pdp_err config_administrators(const struct conf_node *node, struct config *config,
                                            struct diags *diags);
// `webhook:`, one or a list. config_webhook.c
MUST_USE enum pdp_err config_webhooks(const struct conf_node *node, struct config *config,
                                      struct diags *diags);

// The section of an adapter. config_adapter.c
void config_adapters_init(struct config *config, const struct pdp_adapter_kind *const *kinds);
MUST_USE enum pdp_err config_adapter(const struct conf_node *node, const char *kind, struct config *config,
                                     struct diags *diags);
bool config_adapters_listen(const struct config *config); // does any?

// A map `tls`; *out is left alone where there is none. config_tls.c
MUST_USE enum pdp_err config_tls(const struct conf_node *node, struct config *config,
                                 const struct tls_config **out, struct diags *diags);

#endif
