#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `pdpctl test` watches a folder, plays scenarios of others, and says what it cannot do; see testing.py.
set -eu
[ -x "$PDP_BIN/pdpctl" ] || { echo "pdpctl is not built"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec python3 tests/system/testing.py "$PDP_BIN/pdpctl"
