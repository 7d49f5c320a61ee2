#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What pdpctl tells of a change against figures computed here; see change.py.
set -eu
[ -x "$PDP_BIN/pdpd" ] && [ -x "$PDP_BIN/pdpctl" ] || { echo "pdpd or pdpctl is not built"; exit 77; }
exec python3 tests/system/change.py "$PDP_BIN"
