#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `pdpctl top` against a real daemon; see top.py.
set -eu
[ -x "$PDP_BIN/pdpd" ] && [ -x "$PDP_BIN/pdpctl" ] || { echo "pdpd or pdpctl is not built"; exit 77; }
exec python3 tests/system/top.py "$PDP_BIN"
