#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No command and no flag of pdpctl is missing from docs/cli.md or its man page: see commands.py.
set -eu
[ -x "$PDP_BIN/pdpctl" ] || { echo "pdpctl is not built"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec python3 tests/system/commands.py "$PDP_BIN/pdpctl"
