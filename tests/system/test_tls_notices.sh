#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Notices and orders over TLS, as tls_notices.py tries them.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
[ -x "${PDP_GATEWAY:-}" ] || { echo "the gateway is not built"; exit 77; }
command -v openssl >/dev/null || { echo "no openssl command"; exit 77; }
exec python3 tests/system/tls_notices.py "$PDP_BIN" "$PDP_GATEWAY"
