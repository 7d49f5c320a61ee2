#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every block of the documents is what the programs do; see docs.py.
set -eu
[ -x "$PDP_BIN/pdpctl" ] || { echo "pdpctl is not built"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec python3 tests/system/docs.py . "$PDP_BIN"
