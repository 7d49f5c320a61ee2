#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What monitoring reads: the exposition to the letter, readiness, and peers that are slow or rude.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
command -v openssl >/dev/null || { echo "no openssl command"; exit 77; }
exec python3 tests/system/metrics.py "$PDP_BIN/pdpd"
