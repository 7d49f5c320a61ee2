#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `pdpctl risk fit` and `risk report` against figures computed here; see risk_cli.py.
set -eu
[ -x "$PDP_BIN/pdpd" ] && [ -x "$PDP_BIN/pdpctl" ] || { echo "pdpd or pdpctl is not built"; exit 77; }
exec python3 tests/system/risk_cli.py "$PDP_BIN"
