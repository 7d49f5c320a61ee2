#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `pdpctl test --coverage` and `--mutate` as people and CI call them; see measure.py.
set -eu
[ -x "$PDP_BIN/pdpctl" ] || { echo "pdpctl is not built"; exit 77; }
exec python3 -B tests/system/measure.py "$PDP_BIN"
