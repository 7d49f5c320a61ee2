#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Searches of a real daemon: the vectors of AuthZEN's search demonstration, pages, restarts, lists read anew.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
exec python3 tests/system/search.py "$PDP_BIN"
