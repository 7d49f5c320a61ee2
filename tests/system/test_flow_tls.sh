#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The descriptor face over TLS, as flow_tls.py tries it.
set -eu
flow=$(dirname "$PDP_BIN")/tests/system_flow
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
[ -x "$flow" ] || { echo "system_flow is not built"; exit 77; }
command -v openssl >/dev/null || { echo "no openssl command"; exit 77; }
exec python3 tests/system/flow_tls.py "$PDP_BIN" "$flow"
