#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The drills of docs/drills: what their pages show is what happens, command by command.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec python3 tests/system/docs.py . "$PDP_BIN" geo-breaker gateway-quarantine key-rotation bad-reload
