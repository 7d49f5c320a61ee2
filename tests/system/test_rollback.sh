#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What was served is kept, and can be served again; see rollback.py.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
exec python3 tests/system/rollback.py "$PDP_BIN/pdpd" "$PDP_BIN/pdpctl"
