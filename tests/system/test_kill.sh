#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pdpd is killed a hundred times under load; see kill.py.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
exec python3 tests/system/kill.py "$PDP_BIN/pdpd" "$PDP_BIN/pdpctl" 100
