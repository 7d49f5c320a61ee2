#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# TLS as tls.py tries it.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
command -v openssl >/dev/null || { echo "no openssl command"; exit 77; }
exec python3 tests/system/tls.py "$PDP_BIN"
