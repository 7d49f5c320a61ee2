#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One pdpd takes over from another under load; see takeover.py.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
exec python3 tests/system/takeover.py "$PDP_BIN/pdpd"
