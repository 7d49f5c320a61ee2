#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The audit log of a real daemon: see audit.py.
set -eu
command -v openssl >/dev/null || { echo "no openssl"; exit 77; }
command -v prlimit >/dev/null || { echo "no prlimit"; exit 77; }
exec python3 tests/system/audit.py "${PDP_BIN:?}"
