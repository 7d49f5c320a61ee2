#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The webhook to an identity provider, as webhook.py tries it.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
command -v openssl >/dev/null || { echo "no openssl command"; exit 77; }
exec python3 tests/system/webhook.py "$PDP_BIN"
