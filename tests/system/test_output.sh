#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files that pdpctl writes, whatever stands there before; see output.py.
set -eu
[ -x "$PDP_BIN/pdpctl" ] || { echo "pdpctl is not built"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec python3 tests/system/output.py "$PDP_BIN/pdpctl"
