#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A whole pdpd on a disk that fills up and fails; see disk.py.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
[ -n "${PDP_DISK_FAILS:-}" ] || { echo "nothing can be preloaded beside a sanitizer"; exit 77; }
exec python3 tests/system/disk.py "$PDP_BIN/pdpd" "$PDP_BIN/pdpctl" "$PDP_DISK_FAILS"
